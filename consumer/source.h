/* Where events come from: Kafka, or its twin on recorded logs. One thread: the one that calls next.
 * A source knows partitions by dense slots; names are stable for its life. */
#ifndef CONSUMER_SOURCE_H
#define CONSUMER_SOURCE_H

#include <stdatomic.h>

#include "consumer/batch.h"
#include "core/err.h"
#include "core/option.h"

/* Where a partition stands, as the store knows it. The last record applied is read again first: a
 * log in which it is another one was made anew. */
struct source_place {
    int64_t offset;      /* the next to hand out; -1 and 0: the beginning */
    int64_t last_offset; /* of the last record applied; -1: not known */
    uint64_t last_hash;  /* as its batch told it */
};

/* What next() may tell while it runs, before it returns. */
struct source_listener {
    void *arg;
    /* The partition is ours now. Answers where to read from. Redis is the truth for that. Where it
     * cannot be read now, answer the offset SOURCE_ASK_AGAIN: this is called again every half second,
     * from next(), and nothing of the partition is read before; or answer {-1, -1, 0} and seek later,
     * which verifies nothing. */
    struct source_place (*assigned)(void *arg, size_t slot, struct str name);
    /* It is ours no more; nothing of it will be returned after this. */
    void (*revoked)(void *arg, size_t slot, struct str name);
};

enum { SOURCE_ASK_AGAIN = -2 };

struct event_maps;

enum source_result {
    SOURCE_ERROR = -1,
    SOURCE_NOTHING = 0, /* waited, nothing came */
    SOURCE_BATCH = 1,
    SOURCE_END = 2, /* a recorded log is at its end; Kafka never is */
    /* The log of the partition out->slot, out->name is not the one that was applied: it was made
     * anew or cut back. Nothing of it is handed out until seek() is called for it; until then it is
     * told again every second. Recorded logs never are. */
    SOURCE_REMADE = 3,
};

/* Called with a partition, its committed offset and the metadata beside it; both texts are valid
 * during the call. */
typedef void source_committed_fn(void *arg, struct str name, int64_t offset,
                                 struct str metadata);

typedef void source_end_fn(void *arg, size_t slot, struct str name, int64_t end);

struct source {
    const struct source_ops *ops;
};

struct source_ops {
    /* Fills `out` with what comes next of one partition, at most some thousands of events and some
     * megabytes, waiting at most wait_ms. A batch without events may still move `next` (holes). */
    enum source_result (*next)(struct source *s, struct batch *out, int wait_ms,
                               struct err *e);
    /* The partition's next batch starts at `offset`; what was fetched ahead is dropped, and the log is
     * taken for the one that it was. */
    int (*seek)(struct source *s, size_t slot, int64_t offset, struct err *e);
    /* The position after the last record of each partition of all topics as their brokers say now, by requests
     * that are issued during this call: the proof of idleness. ERR_UNAVAILABLE: fn may have been called for
     * some. NULL: no such thing. */
    int (*ends)(struct source *s, source_end_fn *fn, void *arg, struct err *e);
    /* `offset` is applied and durable: note it, commit it on a timer with `metadata` (may be empty). */
    void (*commit)(struct source *s, size_t slot, int64_t offset, struct str metadata);
    /* Puts the batch's rejects where they are not lost; returns when they are durable. */
    int (*dead_letter)(struct source *s, const struct batch *b, struct err *e);
    /* What the group has committed, for each partition of all topics for which there is something, also
     * those that others own. May be called before next(). ERR_UNAVAILABLE: not to be known within 5 s;
     * fn may have been called then. NULL: no such thing. */
    int (*committed)(struct source *s, source_committed_fn *fn, void *arg, struct err *e);
    /* While paused, next() hands out nothing of any partition that is ours or becomes ours; it is still
     * to be called, so that the group keeps us. Nothing is lost by it. NULL: no such thing. */
    void (*pause)(struct source *s, bool paused);
    /* The names of all partitions of all topics as the broker has them now (at most 10 s ago), also those
     * that others own; a topic that it does not know has none, which is logged and no error. Owned by
     * the source, valid until the next call. */
    int (*partitions)(struct source *s, const struct str **names, size_t *n,
                      struct err *e);
    /* The same of one partition, but as a fetch last told it, without a request; -1: not known. NULL: no such thing. */
    int64_t (*known_end)(const struct source *s, size_t slot);
    /* Whether the group has given us an assignment, also an empty one, and has not given us up since. NULL:
     * no such thing. */
    bool (*joined)(const struct source *s);
    /* Bytes read and bytes there are, for progress; total 0: not known. NULL: no such thing. */
    void (*progress)(struct source *s, int64_t *read_bytes, int64_t *total_bytes);
    /* Commits, leaves the group, frees. */
    void (*close)(struct source *s);
};

struct kafka_source_settings {
    struct str brokers, group,
        dead_letter; /* dead_letter n == 0: dead_letter() only counts */
    const struct str *topics;
    size_t topics_n;
    const struct str *property_names,
        *property_values; /* any librdkafka property, applied last */
    size_t properties_n;
    int64_t max_future_ms;
    /* shapes that are not our own; borrowed; may be NULL */
    const struct event_maps *maps;
    /* what the process may use, for what is fetched ahead; 0: no limit */
    int64_t memory_bytes;
    const atomic_bool *stop; /* once it is set, opening waits no more; may be NULL */
    size_t batch_events;     /* at most so many events a batch; 0: the default */
    /* the longest of any rule: topics that keep less are warned of */
    int64_t lookback_ms;
};
/* Connects; the first next() joins the group. ERR_REFUSED: a property librdkafka does not know, a log-in that the
 * broker refuses, a topic that does not exist; ERR_UNAVAILABLE: no broker answered in 10 s. All say what to do.
 * Texts are copied. */
struct source *kafka_source_open(const struct kafka_source_settings *settings,
                                 const struct source_listener *listener, struct err *e);

/* Of the contents of all files that properties name (NAME_file, *.location): another one means that a client made now would
 * be another. */
uint64_t kafka_files_hash(const struct pairs *properties);

/* From the next batch on messages are read so. Borrows the maps. */
void kafka_source_reads(struct source *source, int64_t max_future_ms,
                        const struct event_maps *maps);

/* Recorded logs, one after the other, each JSON lines (plain, gzip or zstd by content; "-" is
 * stdin). A file is one partition named by its path, unless its first line has a "kafka" member:
 * then its lines belong to the partitions that they name ("topic/3"), in whichever files those
 * are, and a line that names none goes to the partition of the line before. Such files are read
 * twice, to know all partitions first; a pipe of such lines is copied to a temporary file for that,
 * so opening waits for its end (of another pipe only for its first line).
 * Positions begin at 0 and count lines; an event's offset is the recorded one, else its line. A
 * file that is damaged or cut off is an ERR_INPUT of next(), after all its lines; the next call
 * goes on with the next file. seek() reads again from the start, ERR_REFUSED if there is a pipe without.
 * dead_letter() and commit() do nothing. `maps` are borrowed; may be NULL. No file, no line: SOURCE_END at once.
 * With two `threads` another one reads ahead (read_ahead.h): the same batches come, sooner. */
struct source *replay_source_open(const char *const *paths, size_t n,
                                  int64_t max_future_ms, const struct event_maps *maps,
                                  int threads, struct err *e);

#endif
