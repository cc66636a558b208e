/* A way for requests that libcurl does not know: a line to a file, a record to Kafka. A sink's format() names it
 * in the request, and stays pure; a courier (sinks/courier.h) has it carried out. */
#ifndef SINKS_CARRIER_H
#define SINKS_CARRIER_H

#include <stdatomic.h>

#include "sinks/network.h"
#include "sinks/sink.h"

enum { CARRIER_SLICE_MS = 100 }; /* so often a carrier looks whether it is to end */

/* What became of it, in HTTP's words, which answers are read by. */
enum {
    CARRIED = 200,
    CARRIED_NEVER = 400,   /* this one */
    CARRIED_REFUSED = 403, /* any, until a person mends it */
    CARRIED_LATER = 503,   /* so it was said */
    CARRIED_NOT = 0,       /* not now, or it is not known */
};
struct carried {
    int status;
    char why[200]; /* in words; empty: done; never an address or a body */
};

/* One request under way. */
struct carriage {
    const struct request *request;
    const struct network *network; /* for carriers that open connections themselves */
    struct str proxy;
    int64_t connect_timeout_ms, timeout_ms;
    /* Monotonic; another thread may change them meanwhile. */
    _Atomic int64_t until_ms;       /* when it must be over */
    _Atomic int64_t send_before_ms; /* nothing of it may be sent later */
};

struct carrier {
    /* What is kept between requests: made for the first one. NULL: nothing. ERR_REFUSED and others: see above. */
    void *(*open)(const struct request *r, struct err *e);
    void (*close)(void *self);
    /* Carries it out, and returns when it is known what became of it, or soon after until_ms. True: `self` is of no
     * more use, and closed. */
    bool (*send)(void *self, const struct carriage *c, struct carried *out);
};

/* What is left until then, at most a slice; 0: time is up. */
int carrier_wait_ms(const struct carriage *c);

/* What a sink of a carrier makes of an answer. Pure. */
struct outcome carrier_outcome(const void *settings, const struct response *response);

#endif
