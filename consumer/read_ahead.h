/* A second thread for recorded logs: it reads ahead, and shares what is then to be done with each batch (decoding it)
 * with the caller, who does of it what he would have to wait for. So both are busy, whatever costs most. */
#ifndef CONSUMER_READ_AHEAD_H
#define CONSUMER_READ_AHEAD_H

#include "consumer/source.h"

/* What is done with each batch of the inner source before it is handed out, by the caller or by the thread: at a time by
 * each of them, and beside the inner source's next(). */
struct batch_work {
    void (*fn)(void *arg, bool caller, struct batch *b);
    void *arg;
};

/* A source that hands out what `inner` does, in its order, errors at their places. Takes the inner source over, which
 * must be one on recorded logs: commit() and dead_letter() go to it whatever the thread does. One thread owns it; the
 * other one runs from a next() to the end of the log, or to the next seek(), partitions() or close(). It is ahead by
 * some megabytes at most. progress() is of the batch handed out last. */
struct source *read_ahead_open(struct source *inner, struct batch_work work);

#endif
