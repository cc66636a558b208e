/* JSON bytes -> event. The only file that knows yyjson on the way in. */
#ifndef CONSUMER_EVENT_DECODE_H
#define CONSUMER_EVENT_DECODE_H

#include "core/arena.h"
#include "core/err.h"
#include "core/event.h"

enum {
    EVENT_BYTES_MAX = 1 << 20, /* a larger record is rejected */
    EVENT_ID_BYTES_MAX = 256,
};

/* The "kafka" member of a recorded log's line. */
struct recorded_position {
    bool present;
    struct str topic;
    int32_t partition;
    int64_t offset, timestamp_ms; /* -1: not said */
};

/* Reuses its memory from call to call; one thread. */
struct event_decoder;
struct event_decoder *event_decoder_new(void);
void event_decoder_free(struct event_decoder *d);

/* Decodes one event; texts are copied into `arena`. Members with the same name: the first counts.
 * An optional field that is null or of another type is absent; unknown members are passed over. A
 * text may be an integer (its digits); U+0000 in it becomes U+FFFD. A CloudEvents 1.0 envelope is
 * taken by its `data`, which may leave id, type and time to the envelope. `out->partition` and
 * `offset` are those of the "kafka" member, else -1; `where` is filled also where this fails.
 * `timestamp_ms` is the record's own time for the max_future check, -1: the "kafka" member's or
 * none; `where` may be NULL. ERR_INPUT says what is wrong and what to do: not JSON (with the byte),
 * invalid UTF-8, not an object, `id`, `type` or `time` missing or of a wrong type, a time outside
 * 2000..2100, a time more than max_future_ms ahead of the record's, too long, nested too deep. */
int event_decode(struct event_decoder *d, struct str json, struct arena *arena, int64_t timestamp_ms,
                 int64_t max_future_ms, struct event *out, struct recorded_position *where,
                 struct err *e);

/* Only the "kafka" member, absent where there is none. ERR_INPUT where the record is not JSON. */
int event_position(struct event_decoder *d, struct str json, struct arena *arena,
                   struct recorded_position *where, struct err *e);

#endif
