/* Reads a verb's configuration, and says on stderr what is wrong with it. */
#ifndef APP_LOAD_CONFIG_H
#define APP_LOAD_CONFIG_H

#include "config/config.h"

/* As config_load; -1 after mistakes were printed. config_deinit in either case. */
int load_config(const char *path, enum config_use use, struct config *out);

/* The mistakes as lines of the log, for a process that nobody watches. */
void log_mistakes(const char *path, const struct config_report *report);

#endif
