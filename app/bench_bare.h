/* The least that any program must do: what `bench` compares with. The only files of app/ that touch yyjson
 * and librdkafka themselves. */
#ifndef APP_BENCH_BARE_H
#define APP_BENCH_BARE_H

#include "config/config.h"

/* Reads the lines of a log, decodes each with yyjson, and looks for the members that an event has (core/event.h),
 * nothing else. Answers how many; 0 on failure.
 * arg: the path, const char *. */
uint64_t bare_decode(void *arg);

/* Consumes all that is in the topics of the configuration and forgets it. arg: struct config *. */
uint64_t bare_consume(void *arg);

/* Where each partition of the topics ends. */
struct bare_end {
    struct str name; /* as the Kafka source names partitions; in the arena */
    int64_t start, end;
};
int bare_ends(const struct config *config, struct arena *arena, struct bare_end **ends,
              size_t *n, struct err *e);

#endif
