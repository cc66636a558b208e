/* The dead-letter topic, for people: what could not be read as an event, and why (kafka_dead_letter.c wrote it).
 * A client of its own, in no group: it commits nothing. One thread; calls wait some seconds for the brokers. */
#ifndef CONSUMER_KAFKA_LETTERS_H
#define CONSUMER_KAFKA_LETTERS_H

#include "consumer/source.h"

struct kafka_letter {
    int32_t partition; /* where it lies in the dead-letter topic */
    int64_t offset, timestamp_ms;
    struct str key, value, reason, topic; /* topic: where it came from */
    int32_t from_partition;
    int64_t from_offset;
    bool truncated; /* `value` is only its beginning */
};

struct kafka_letters;
/* Of settings->dead_letter, which must be written. ERR_REFUSED, ERR_UNAVAILABLE. */
struct kafka_letters *kafka_letters_open(const struct kafka_source_settings *settings,
                                         struct err *e);
void kafka_letters_close(struct kafka_letters *l);

/* Calls `take` for each that was there when it was asked, a partition's in order; texts live until it returns. Where it
 * says false no more is read. */
typedef bool kafka_letter_fn(void *arg, const struct kafka_letter *letter);
int kafka_letters_each(struct kafka_letters *l, kafka_letter_fn *take, void *arg,
                       struct err *e);
/* Only that one. 1; 0: there is none; -1. */
int kafka_letters_find(struct kafka_letters *l, int32_t partition, int64_t offset,
                       kafka_letter_fn *take, void *arg, struct err *e);

/* Sends it again to the topic and partition where it came from, with its key, and waits until the brokers have it. It
 * stays among the dead letters until the topic's retention ends. ERR_INPUT: it was cut, or does not say where it came
 * from. */
int kafka_letters_send_back(struct kafka_letters *l, const struct kafka_letter *letter,
                            struct err *e);

#endif
