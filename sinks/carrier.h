/* A way for requests that libcurl does not know: a line to a file, a record to Kafka. A sink's format() names it
 * in the request, and stays pure; a courier (sinks/courier.h) has it carried out. */
#ifndef SINKS_CARRIER_H
#define SINKS_CARRIER_H

#include <stdatomic.h>

#include "sinks/sink.h"

enum { CARRIER_SLICE_MS = 100 }; /* so often a carrier looks whether it is to end */

/* What became of it, in HTTP's words, which answers are read by. */
enum {
    CARRIED = 200,
    CARRIED_NEVER = 400,   /* this one */
    CARRIED_REFUSED = 403, /* any, until a person mends it */
    CARRIED_NOT = 0,       /* not now, or it is not known */
};
struct carried {
    int status;
    char why[200]; /* it is not; never an address or a body */
};

struct carrier {
    /* What is kept between requests: made for the first one. NULL: nothing. ERR_REFUSED and others: see above. */
    void *(*open)(const struct request *r, struct err *e);
    void (*close)(void *self);
    /* Carries it out, and returns when it is known what became of it, or soon after *until_ms (monotonic),
     * which may be brought forward meanwhile. True: `self` is of no more use, and closed. */
    bool (*send)(void *self, const struct request *r, const _Atomic int64_t *until_ms,
                 struct carried *out);
};

/* What is left until then, at most a slice; 0: time is up. */
int carrier_wait_ms(const _Atomic int64_t *until_ms);

/* What a sink of a carrier makes of an answer. Pure. */
struct outcome carrier_outcome(const void *settings, const struct response *response);

#endif
