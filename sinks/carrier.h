/* A way for requests that libcurl does not know: a line to a file, a record to Kafka. A sink's format() names it
 * in the request, and stays pure; a courier (sinks/courier.h) has it carried out. */
#ifndef SINKS_CARRIER_H
#define SINKS_CARRIER_H

#include <stdatomic.h>

#include "sinks/sink.h"

enum { CARRIER_SLICE_MS = 100 }; /* so often a carrier looks whether it is to end */

/* What became of it, in HTTP's words, since outcome() reads these. */
struct carried {
    int status; /* 200: done; 400: it never will be, `why` is one word; 0: not done, or not known */
    char why[200]; /* never an address or a body */
};

struct carrier {
    /* What is kept between requests: made for the first one, and again after drop. NULL: nothing. */
    void *(*open)(const struct request *r, struct err *e);
    void (*close)(void *self);
    /* Carries it out, and returns when it is known what became of it, or soon after *until_ms (monotonic),
     * which may be brought forward meanwhile. True: `self` is of no more use, and closed. */
    bool (*send)(void *self, const struct request *r, const _Atomic int64_t *until_ms,
                 struct carried *out);
};

/* What is left until then, at most a slice; 0: time is up. */
int carrier_wait_ms(const _Atomic int64_t *until_ms);

#endif
