/* Filling a batch record by record, for the sources. */
#ifndef CONSUMER_BATCH_FILL_H
#define CONSUMER_BATCH_FILL_H

#include "consumer/batch.h"
#include "consumer/event_decode.h"

enum {
    /* of a log; Kafka's are larger (kafka_source.h) */
    BATCH_EVENTS = 500,    /* at most so many records */
    BATCH_BYTES = 1 << 20, /* and it is full beyond so many bytes of them */
};

struct batch_fill {
    struct batch *batch;
    struct event_decoder *decoder;
    size_t events_capacity, rejects_capacity, raw_capacity;
};

struct raw_record {
    struct str bytes, key;
    size_t bytes_n; /* of the whole record, if bytes is only its head; else 0 */
    struct str file;
    int64_t offset, timestamp_ms; /* -1: not known */
};

/* Makes room for n events at once; adding makes room as it goes. */
void batch_fill_reserve(struct batch_fill *f, size_t n);

/* Decodes the record to the batch's next event, which batch_fill_keep then adds: until then it is
 * forgotten by the next call. ERR_INPUT as event_decode. */
int batch_fill_decode(struct batch_fill *f, const struct raw_record *record,
                      struct event **event, struct recorded_position *where,
                      struct err *e);
void batch_fill_keep(struct batch_fill *f);

/* Keeps a copy of the record, to be decoded later. */
void batch_fill_raw(struct batch_fill *f, const struct raw_record *record);

/* Adds the record as a reject; of its bytes at most bytes_max are copied. */
void batch_fill_reject(struct batch_fill *f, const struct raw_record *record,
                       size_t bytes_max, const char *reason);

#endif
