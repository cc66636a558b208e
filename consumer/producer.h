/* Records into Kafka, one at a time, each acknowledged by all replicas in sync before it counts, and without repeats of
 * librdkafka's own (enable.idempotence). For floors above that tell Kafka something; the dead-letter topic has its own.
 * One thread. */
#ifndef CONSUMER_PRODUCER_H
#define CONSUMER_PRODUCER_H

#include "core/err.h"
#include "core/option.h"
#include "core/str.h"

struct producer_settings {
    struct str brokers;
    /* of librdkafka; what a producer does not know is passed over, as of a consumer */
    struct pairs properties;
    int64_t timeout_ms; /* a record that nobody acknowledged by then has failed */
};

struct producer;

/* Connects when it is needed. ERR_REFUSED: no brokers, or a property that librdkafka does not know or that is ours.
 * Copies all. */
struct producer *producer_open(const struct producer_settings *settings, struct err *e);
/* In bounded time; what is under way may still arrive. NULL is nothing. */
void producer_close(struct producer *p);

struct producer_record {
    struct str topic, key, value;
    const struct str *headers; /* "name: value" */
    size_t headers_n;
};

enum producer_result {
    PRODUCER_WAITS,   /* not known yet */
    PRODUCER_DONE,    /* acknowledged */
    PRODUCER_FAILED,  /* may go well later; it may have arrived */
    PRODUCER_REFUSED, /* topic or rights: nothing goes well before a person mends it */
    PRODUCER_NEVER,   /* this record is not taken: too large */
    PRODUCER_BROKEN,  /* failed, and the producer is of no more use */
};

/* Hands it over; copies it. At once what is known already, else PRODUCER_WAITS. Not while one waits. */
enum producer_result producer_send(struct producer *p, const struct producer_record *r);
/* Waits for the acknowledgement. */
enum producer_result producer_wait(struct producer *p, int wait_ms);
/* What the last result means: "MSG_SIZE_TOO_LARGE", and in words. Static. */
const char *producer_error(const struct producer *p);
const char *producer_error_text(const struct producer *p);

#endif
