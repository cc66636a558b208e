/* What the messages of a recorded log become: for whoever writes a mapping. */
#ifndef APP_CHECK_EVENTS_H
#define APP_CHECK_EVENTS_H

/* Prints each as an event of our own shape, one JSON object a line, on stdout; what is none on stderr, with its
 * reason. An exit code: 1 where something was none. */
int check_events(const char *config_path, const char *log_path);

#endif
