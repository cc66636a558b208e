/* Any bytes as an event: no crash, and what is taken keeps its promises. */
#include <assert.h>
#include <stdint.h>

#include "consumer/event_check.h"
#include "consumer/event_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_text(struct str s, struct arena *arena)
{
    assert(s.n <= EVENT_BYTES_MAX);
    assert(s.n == 0 || !memchr(s.p, '\0', s.n));
    (void)arena_str(arena, s); /* reads every byte */
}

static void check_event(const struct event *event, struct arena *arena)
{
    assert(event->id.n > 0 && event->id.n <= EVENT_ID_BYTES_MAX);
    assert(event->type < EVENT_TYPE_COUNT);
    assert(event->time_ms >= 946684800000 && event->time_ms < 4102444800000);
    check_text(event->id, arena);
    for (int f = 0; f < FIELD_COUNT; f++) {
        const struct value *v = &event->fields[f];
        assert(v->type == VALUE_ABSENT || v->type == event_field_infos[f].type);
        if (v->type == VALUE_TEXT)
            check_text(v->text, arena);
        if (v->type == VALUE_NUMBER)
            assert(v->number - v->number == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct event_decoder *decoder;
    static struct arena arena;
    struct event event;
    struct recorded_position where, again;
    struct err e = {0}, e2 = {0};
    struct event_record record = {{(const char *)data, n}, -1};
    if (!decoder)
        decoder = event_decoder_new(3600000, NULL);
    int failed = event_decode(decoder, &record, &arena, &event, &where, &e);
    assert(failed ? e.kind == ERR_INPUT && e.text[0] : e.kind == ERR_NONE);
    if (!failed)
        check_event(&event, &arena);
    int no_json = event_position(decoder, record.json, &arena, &again, &e2);
    assert(failed || !no_json);
    assert(where.present == again.present && where.offset == again.offset &&
           where.partition == again.partition && str_eq(where.topic, again.topic));
    arena_reset(&arena);
    return 0;
}
