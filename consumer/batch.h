/* What a source hands over at a time: the records of one partition from `start` up to `next`,
 * decoded. The batch is the unit of memory, retry and commit: it owns all its texts. */
#ifndef CONSUMER_BATCH_H
#define CONSUMER_BATCH_H

#include "core/arena.h"
#include "core/event.h"

enum { REJECT_REASON_BYTES = 160 };

/* A record that is no event: for the dead-letter topic, or the report of `replay`. */
struct reject {
    struct str bytes; /* the record; may be cut (bytes_n is the whole length) */
    size_t bytes_n;
    struct str key;                   /* Kafka key, if any */
    char reason[REJECT_REASON_BYTES]; /* says what to do */
    struct str file;      /* of a recorded log; owned by the source; n == 0: Kafka */
    int64_t offset;       /* Kafka offset, or line number of the file */
    int64_t timestamp_ms; /* Kafka record timestamp; -1: none */
};

struct raw_record;

struct batch {
    struct arena arena;
    size_t slot; /* the source's dense number of the partition */
    /* the partition: "topic/3", or the file's path; owned by the source */
    struct str name;
    int64_t start; /* the first position asked for; offsets may have holes */
    int64_t next; /* the position after the last one read; start == next: nothing moved */
    /* The last record of the batch, be it an event or a reject: its offset (-1: the batch has none) and
     * the XXH3 (64 bits) of its offset, timestamp, key and value. Recorded logs: -1. */
    int64_t last_offset;
    uint64_t last_hash;
    int64_t lost; /* so many records behind `start` were deleted before they were read */
    bool more; /* the source has the next one in hand, as far as is known */
    bool at_end;  /* nothing stood behind `next` when it was read, as far as is known */
    struct event *events;
    size_t events_n;
    struct reject *rejects;
    size_t rejects_n;
    struct raw_record *raw; /* read, but not decoded: within a source only (consumer/batch_fill.h) */
    size_t raw_n;
};

void batch_init(struct batch *b);
void batch_deinit(struct batch *b);
/* Empties it and gives its memory back to its arena. */
void batch_reset(struct batch *b);

#endif
