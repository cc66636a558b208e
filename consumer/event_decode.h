/* JSON bytes -> event. Nothing behind it knows yyjson. */
#ifndef CONSUMER_EVENT_DECODE_H
#define CONSUMER_EVENT_DECODE_H

#include "core/arena.h"
#include "core/err.h"
#include "core/event.h"

enum { EVENT_BYTES_MAX = 1 << 20 /* a larger record is rejected */ };

/* The "kafka" member of a recorded log's line. */
struct recorded_position {
    bool present;
    struct str topic; /* valid until the next call */
    int32_t partition;
    int64_t offset, timestamp_ms; /* -1: not said */
};

struct event_record {
    struct str json;
    int64_t
        timestamp_ms; /* the record's own time; -1: that of the "kafka" member, or none */
};

/* Reuses its memory from call to call; one thread. An event may be ahead of its record's time by
 * max_future_ms. `maps` are the shapes of messages that are not our own, borrowed; NULL: there are none. */
struct event_decoder;
struct event_maps;
struct event_decoder *event_decoder_new(int64_t max_future_ms,
                                        const struct event_maps *maps);
void event_decoder_free(struct event_decoder *d);

/* Decodes one event; texts are copied into `arena`. Members with the same name: the first counts.
 * An optional field that is null or of another type is absent; unknown members are passed over. A
 * text may be an integer (its digits); U+0000 in it becomes U+FFFD. A CloudEvents 1.0 envelope is
 * taken by its `data`; id, type and time are the envelope's where it has them. A message that a mapping
 * claims is read by that alone (event_map.h), but for its "kafka" member. `out->partition` and
 * `offset` are those of the "kafka" member, else -1; `where` is filled also where this fails.
 * `where` may be NULL: then of a record that has its own time the "kafka" member is not looked
 * at, and partition and offset are -1. ERR_INPUT says what is wrong and what to do: not JSON
 * (with the byte), invalid UTF-8, not an object, `id`, `type` or `time` missing or of a wrong type, a time outside
 * 2000..2100, a time more than max_future_ms ahead of the record's, too long, nested too deep. */
int event_decode(struct event_decoder *d, const struct event_record *record,
                 struct arena *arena, struct event *out, struct recorded_position *where,
                 struct err *e);

/* Only the "kafka" member, absent where there is none. ERR_INPUT where the record is not JSON. */
int event_position(struct event_decoder *d, struct str json, struct arena *arena,
                   struct recorded_position *where, struct err *e);

#endif
