/* A second thread for recorded logs: it reads and decodes what comes next, while the caller works on what came before. */
#ifndef CONSUMER_READ_AHEAD_H
#define CONSUMER_READ_AHEAD_H

#include "consumer/source.h"

/* What else is done with each batch in that thread, before it is handed out; fn NULL: nothing. What it makes lives in the
 * batch. It runs beside all that the caller does. */
struct batch_work {
    void (*fn)(void *arg, struct batch *b);
    void *arg;
};

/* A source that hands out what `inner` does, in its order, errors at their places. Takes the inner source over, which
 * must be one on recorded logs: commit() and dead_letter() go to it whatever the thread does. One thread owns it; the
 * other one runs from a next() to the end of the log, or to the next seek(), partitions() or close(). It is ahead by
 * some megabytes at most. progress() is of the batch handed out last. */
struct source *read_ahead_open(struct source *inner, struct batch_work work);

#endif
