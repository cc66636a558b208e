/* Notices that the configuration's file became another: written in place, replaced, or, as Kubernetes does it with a mounted
 * ConfigMap, the folder's link `..data` swapped for one to another folder. Told by inotify where there is one, found by
 * looking every few seconds where not (a folder over a network). One thread. */
#ifndef APP_CONFIG_WATCH_H
#define APP_CONFIG_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct config_watch;

/* `hash` is that of the content in force (struct config). */
struct config_watch *config_watch_open(const char *path, uint64_t hash);
/* NULL is fine. */
void config_watch_close(struct config_watch *w);

/* Whether the content is another than the one told last, and has been the same for half a second: a file is not taken while
 * it is being written. Each content is told once. Does not wait. */
bool config_watch_changed(struct config_watch *w);
const char *config_watch_path(const struct config_watch *w);

#endif
