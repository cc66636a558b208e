/* Carries one request at a time by its carrier, on a thread of its own, since a disk or a broker may let one wait:
 * for requests that are not libcurl's. Used by one thread, but for what it wakes. */
#ifndef SINKS_COURIER_H
#define SINKS_COURIER_H

#include "sinks/carrier.h"

struct courier;

/* `wake` is called on the courier's thread when a request has finished. */
struct courier *courier_new(void (*wake)(void *arg), void *arg);
/* What is under way is asked to end, and waited for. NULL is nothing. */
void courier_free(struct courier *c);

/* How a request is to go: those members of struct carriage. */
struct courier_way {
    const struct network *network; /* borrowed until the request is over */
    struct str proxy;
    int64_t connect_timeout_ms, timeout_ms;
};

/* Begins; copies all of the request but its settings. The carrier is the same each time. ERR_UNAVAILABLE: what
 * was cancelled has not ended yet. */
int courier_start(struct courier *c, const struct request *r,
                  const struct courier_way *way, struct err *e);
/* As http_send_before and http_cancel. */
void courier_send_before(struct courier *c, int64_t monotonic_ms);
void courier_cancel(struct courier *c);
/* Its request has finished: once. What became of it is borrowed until the next start. */
bool courier_finished(struct courier *c, const struct carried **out, int64_t *took_ms);

#endif
