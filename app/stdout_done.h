/* The last word of a verb that prints. */
#ifndef APP_STDOUT_DONE_H
#define APP_STDOUT_DONE_H

#include <stdbool.h>

/* "ticketwatch replay: --format takes json or text, not 'xml'" on stderr; the exit code for it. */
int usage_error(const char *verb, const char *option, const char *value,
                const char *wanted);

/* Flushes stdout. False, and said on stderr, when something could not be written; a reader that went
 * away early (`| head`) is no failure. */
bool stdout_done(void);

#endif
