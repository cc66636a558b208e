/* Messages of the watcher's own, by way of a sink's outbox: said once for all pods, whichever says it first. What was said last of
 * each stands in Redis: STEM notice:NAME. A connection of its own, one thread. Every -1 is ERR_UNAVAILABLE or ERR_REFUSED. */
#ifndef WINDOWS_NOTICES_H
#define WINDOWS_NOTICES_H

#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

struct notices;
struct redis_target;

enum { NOTICE_ID_BYTES = 33 };

/* Connects lazily. Copies what it is given. */
struct notices *notices_open(const struct redis_target *target, struct str stem);
/* NULL is fine. */
void notices_close(struct notices *n);

struct notice_said {
    char what[16];            /* "": nothing yet */
    char id[NOTICE_ID_BYTES]; /* the alert's */
};
/* What was said last under this name. */
int notices_last(struct notices *n, struct str name, struct notice_said *out,
                 struct err *e);

struct notice {
    struct str name, sink;
    const char *what;
    /* it must be what was said last; NULL: anything, and not while that still waits to be sent */
    const char *after;
    int64_t every_ms; /* from one to the next; 0: any */
    const char *id;
    struct str alert; /* as a line */
    int64_t time_ms;
};
/* 1: said; 0: not now. *wait_ms: until it may be said again. */
int notices_say(struct notices *n, const struct notice *notice, int64_t *wait_ms,
                struct err *e);

#endif
