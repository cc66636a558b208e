/* Any bytes as an event, of our own shape and by the mappings below: no crash, and what is taken keeps its
 * promises. */
#include <assert.h>
#include <stdint.h>

#include "config/config.h"
#include "consumer/event_check.h"
#include "consumer/event_decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char mapped[] =
    "fields:\n"
    "  - when: {from: /type, words: {\"zen:*\": fits}}\n"
    "    id: /id\n"
    "    type: [{join: [/type, /event/previous, /event/current], words: {\"*:solved\": "
    "ticket.resolved}}, {from: /type, words: {\"*created\": ticket.created}}]\n"
    "    time: /time\n"
    "    ticket.id: /detail/id\n"
    "    ticket.subject: [/detail/subject, /subject]\n"
    "    ticket.csat: {from: /detail/score, words: {good: 5, bad: 1}}\n"
    "    ticket.escalated: /detail/urgent\n"
    "    ticket.category: {from: [/detail/tags/0, /detail/tags/1], except: \"0\"}\n"
    "  - when: /freshdesk_webhook\n"
    "    id: {join: [/freshdesk_webhook/ticket_id, /freshdesk_webhook/triggered_event]}\n"
    "    type: {from: /freshdesk_webhook/triggered_event, words: {\"{status:*to:4}}\": "
    "ticket.resolved, \"*\": other}}\n"
    "    time: /kafka/timestamp\n"
    "    ticket.id: /freshdesk_webhook/ticket_id\n"
    "    account.mrr: /freshdesk_webhook/mrr\n"
    "  - when: /topic\n"
    "    id: [/id, {join: [/topic, /created_at]}]\n"
    "    type: /topic\n"
    "    time: {from: /created_at, epoch: seconds}\n"
    "    ticket.csat: /data/item/conversation_rating/rating\n"
    "    ticket.sentiment: /data/item/sentiment\n"
    "    page.url: /data/item/source/url\n"
    "rules: {r: {count: {at_least: 3, within: 1h}}}\n";

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
        const struct value *v = event_value(event, (enum event_field)f);
        assert(v->type == VALUE_ABSENT || v->type == event_field_infos[f].type);
        if (v->type == VALUE_TEXT)
            check_text(v->text, arena);
        if (v->type == VALUE_NUMBER)
            assert(v->number - v->number == 0);
    }
}

static void try_decoder(struct event_decoder *decoder, const struct event_record *record)
{
    static struct arena arena;
    struct event event;
    struct recorded_position where, again;
    struct err e = {0}, e2 = {0};
    int failed = event_decode(decoder, record, &arena, &event, &where, &e);
    assert(failed ? e.kind == ERR_INPUT && e.text[0] : e.kind == ERR_NONE);
    if (!failed)
        check_event(&event, &arena);
    where.topic = arena_str(&arena, where.topic); /* read over by the next call */
    int no_json = event_position(decoder, record->json, &arena, &again, &e2);
    assert(failed || !no_json);
    assert(where.present == again.present && where.offset == again.offset &&
           where.partition == again.partition && str_eq(where.topic, again.topic));
    arena_reset(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct event_decoder *own, *by_maps;
    static struct config config;
    struct event_record record = {{(const char *)data, n}, -1};
    if (!own) {
        struct config_report report;
        int failed =
            config_parse(str_of(mapped), "fuzz.yaml", &config, CONFIG_REPLAY, &report);
        assert(!failed && config.maps.n == 3);
        buf_deinit(&report.text);
        own = event_decoder_new(3600000, NULL);
        by_maps = event_decoder_new(3600000, &config.maps);
    }
    try_decoder(own, &record);
    try_decoder(by_maps, &record);
    return 0;
}
