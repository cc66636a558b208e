/* The last word of a verb that prints. */
#ifndef APP_STDOUT_DONE_H
#define APP_STDOUT_DONE_H

#include <stdbool.h>

/* Flushes stdout. False, and said on stderr, when something could not be written; a reader that went
 * away early (`| head`) is no failure. */
bool stdout_done(void);

#endif
