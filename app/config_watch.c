/* Whatever tells that something happened in the folder, it is the content's hash that decides. */
#include "app/config_watch.h"

#include <assert.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "config/config.h"
#include "core/clock.h"

enum { LOOK_EVERY_MS = 5000, SETTLED_MS = 500 };

struct config_watch {
    char *path;
    int inotify;         /* -1: there is none */
    uint64_t told, seen; /* the content told last, and seen last */
    int64_t seen_ms;     /* since when */
    int64_t look_ms;     /* when to look in any case */
};

struct config_watch *config_watch_open(const char *path, uint64_t hash)
{
    struct config_watch *w = calloc(1, sizeof *w);
    char *folder = strdup(path);
    assert(w && folder);
    w->path = strdup(path);
    assert(w->path);
    w->told = w->seen = hash;
    w->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (w->inotify >= 0)
        (void)inotify_add_watch(w->inotify, dirname(folder),
                                IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE);
    free(folder);
    return w;
}

void config_watch_close(struct config_watch *w)
{
    if (!w)
        return;
    if (w->inotify >= 0)
        close(w->inotify);
    free(w->path);
    free(w);
}

const char *config_watch_path(const struct config_watch *w)
{
    return w->path;
}

static bool something_happened(const struct config_watch *w)
{
    char events[4096];
    bool any = false;
    while (w->inotify >= 0 && read(w->inotify, events, sizeof events) > 0)
        any = true;
    return any;
}

bool config_watch_changed(struct config_watch *w)
{
    int64_t now_ms = clock_monotonic_ms();
    if (something_happened(w))
        w->look_ms = now_ms;
    if (now_ms < w->look_ms)
        return false;
    uint64_t hash = config_file_hash(w->path);
    if (hash != w->seen)
        w->seen_ms = now_ms;
    w->seen = hash;
    bool settled = now_ms - w->seen_ms >= SETTLED_MS;
    w->look_ms = now_ms + (hash == w->told || settled ? LOOK_EVERY_MS : SETTLED_MS);
    if (hash == w->told || !settled)
        return false;
    w->told = hash;
    return true;
}
