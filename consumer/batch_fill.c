#include "consumer/batch_fill.h"

#include <stdio.h>

enum { CAPACITY_MIN = 64 };

/* Arrays grow in the arena: the old one stays behind until the batch is reset. */
static void *grown(struct arena *arena, void *old, size_t n, size_t capacity,
                   size_t item_bytes)
{
    void *items = arena_take(arena, capacity * item_bytes);
    if (n)
        memcpy(items, old, n * item_bytes);
    return items;
}

static size_t doubled(size_t capacity)
{
    return capacity ? capacity * 2 : CAPACITY_MIN;
}

void batch_fill_reserve(struct batch_fill *f, size_t n)
{
    struct batch *b = f->batch;
    if (n <= f->events_capacity)
        return;
    b->events = grown(&b->arena, b->events, b->events_n, n, sizeof *b->events);
    f->events_capacity = n;
}

int batch_fill_decode(struct batch_fill *f, const struct raw_record *record,
                      struct event **event, struct recorded_position *where,
                      struct err *e)
{
    struct batch *b = f->batch;
    if (b->events_n == f->events_capacity)
        batch_fill_reserve(f, doubled(f->events_capacity));
    *event = &b->events[b->events_n];
    struct event_record json = {record->bytes, record->timestamp_ms};
    return event_decode(f->decoder, &json, &b->arena, *event, where, e);
}

void batch_fill_keep(struct batch_fill *f)
{
    f->batch->events_n++;
}

void batch_fill_raw(struct batch_fill *f, const struct raw_record *record)
{
    struct batch *b = f->batch;
    if (b->raw_n == f->raw_capacity) {
        f->raw_capacity = doubled(f->raw_capacity);
        b->raw = grown(&b->arena, b->raw, b->raw_n, f->raw_capacity, sizeof *b->raw);
    }
    b->raw[b->raw_n] = *record;
    b->raw[b->raw_n++].bytes = arena_str(&b->arena, record->bytes);
}

void batch_fill_reject(struct batch_fill *f, const struct raw_record *record,
                       size_t bytes_max, const char *reason)
{
    struct batch *b = f->batch;
    struct str bytes = record->bytes;
    if (b->rejects_n == f->rejects_capacity) {
        f->rejects_capacity = doubled(f->rejects_capacity);
        b->rejects = grown(&b->arena, b->rejects, b->rejects_n, f->rejects_capacity,
                           sizeof *b->rejects);
    }
    struct reject *reject = &b->rejects[b->rejects_n++];
    size_t bytes_n = bytes.n;
    bytes.n = bytes_n < bytes_max ? bytes_n : bytes_max;
    *reject = (struct reject){.bytes = bytes.p ? arena_str(&b->arena, bytes) : STR_NONE,
                              .bytes_n = record->bytes_n ? record->bytes_n : bytes_n,
                              .key = record->key.p ? arena_str(&b->arena, record->key)
                                                   : STR_NONE,
                              .file = record->file,
                              .offset = record->offset,
                              .timestamp_ms = record->timestamp_ms};
    snprintf(reject->reason, sizeof reject->reason, "%s", reason);
}
