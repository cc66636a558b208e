/* What the word before a number says about it. Private to core/fingerprint*.c. */
#ifndef CORE_FINGERPRINT_CONTEXT_H
#define CORE_FINGERPRINT_CONTEXT_H

#include "core/fingerprint_scan.h"

enum context {
    CONTEXT_NONE,
    CONTEXT_ID,     /* "request", "key", "session id": any digit makes it an id */
    CONTEXT_COMMIT, /* "commit", "revision": abbreviated hashes */
    CONTEXT_SPAN,   /* "uptime", "elapsed": a time that passed */
    CONTEXT_AMOUNT, /* "size", "uid=": a number however long */
    CONTEXT_STATUS, /* "HTTP", "status": 404 and 500 are different errors */
    CONTEXT_CODE,   /* "errno", "exit code": so are 1 and 137 */
};

/* The context of the word at p, n bytes: by what stands before it. A list of ids goes
 * on. */
enum context context_of(struct scan *s, const byte *p, size_t n);

/* True when a unit of measure follows at p ("bytes", "ms"), after at most one space. */
bool context_unit(const struct scan *s, const byte *p);

#endif
