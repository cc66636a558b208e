/* Messages of other shapes: one mapping as the configuration reads it, one message a line. */
#include "config/config.h"
#include "consumer/event_decode.h"
#include "core/timefmt.h"
#include "tests/check.h"

#define RULES "rules: {r: {count: {at_least: 3, within: 1h}}}\n"
#define HEAD "\"key\":\"k1\",\"what\":\"made\",\"at\":\"2026-03-02T09:14:07.120Z\""
#define MESSAGE(members) "{" HEAD "," members "}"

static const int64_t TIME_MS = 1772442847120; /* 2026-03-02T09:14:07.120Z */
static struct arena arena;

/* A decoder for the YAML under `fields:`. */
struct shape {
    struct config config;
    struct event_decoder *decoder;
};

static void open_shape(struct shape *s, const char *fields)
{
    struct config_report report;
    struct buf yaml;
    buf_init(&yaml, 10000);
    buf_printf(&yaml, "fields:\n%s" RULES, fields);
    CHECK_INT(config_parse(buf_str(&yaml), "t.yaml", &s->config, CONFIG_REPLAY, &report),
              0);
    CHECK_INT(report.text.n, 0);
    s->decoder = event_decoder_new(3600000, &s->config.maps);
    buf_deinit(&report.text);
    buf_deinit(&yaml);
}

static void close_shape(struct shape *s)
{
    event_decoder_free(s->decoder);
    config_deinit(&s->config);
}

static int decode_at(struct shape *s, const char *json, int64_t timestamp_ms,
                     struct event *out, struct err *e)
{
    struct event_record record = {str_of(json), timestamp_ms};
    arena_reset(&arena);
    err_clear(e);
    return event_decode(s->decoder, &record, &arena, out, NULL, e);
}

static const char *field_text(const struct event *event, const char *name)
{
    static char text[100];
    const struct value *v = event_value(event, event_field_named(str_of(name)));
    snprintf(text, sizeof text, "-");
    if (v->type == VALUE_TEXT)
        snprintf(text, sizeof text, "\"%.*s\"", STR_ARG(v->text));
    else if (v->type == VALUE_NUMBER)
        snprintf(text, sizeof text, "%g", v->number);
    else if (v->type == VALUE_FLAG)
        snprintf(text, sizeof text, "%s", v->flag ? "true" : "false");
    return text;
}

static const char head[] = "  id: /key\n"
                           "  type: {from: /what, words: {made: ticket.created}}\n"
                           "  time: /at\n";

static const struct {
    const char *place, *field, *members, *want;
} cases[] = {
    {"/x/id", "ticket.id", "\"x\":{\"id\":\"T-1\"}", "\"T-1\""},
    {"/x/id", "ticket.id", "\"x\":{\"id\":35436}", "\"35436\""},
    {"/x/id", "ticket.id", "\"x\":{\"id\":123456789012345678901234}",
     "\"123456789012345678901234\""},
    {"/x/id", "ticket.id", "\"x\":{\"id\":4.5}", "\"4.5\""},
    {"/x/id", "ticket.id", "\"x\":{\"id\":true}", "\"true\""},
    {"/x/id", "ticket.id", "\"x\":{\"id\":null}", "-"},
    {"/x/id", "ticket.id", "\"x\":{\"id\":\"\"}", "-"},
    {"/x/id", "ticket.id", "\"x\":{\"id\":{}}", "-"},
    {"/x/id", "ticket.id", "\"id\":\"T-1\"", "-"},
    {"/x/id", "ticket.team", "\"ticket\":{\"id\":\"ours\",\"team\":\"ours\"}", "-"},
    {"/x/1", "ticket.team", "\"x\":[\"a\",\"b\"]", "\"b\""},
    {"/x/01", "ticket.team", "\"x\":[\"a\",\"b\"]", "-"},
    {"/a~1b~0c", "ticket.team", "\"a/b~c\":\"x\"", "\"x\""},
    {"\"/custom fields/Gr\xc3\xb6\xc3\x9f"
     "e\"",
     "ticket.team",
     "\"custom fields\":{\"Gr\xc3\xb6\xc3\x9f"
     "e\":\"XL\"}",
     "\"XL\""},
    {"/x", "ticket.team", "\"x\":\"a\",\"x\":\"b\"", "\"a\""},
    {"/x", "ticket.team", "\"x\":\"a\\u0000b\"",
     "\"a\xef\xbf\xbd"
     "b\""},
    {"[/x, /y/0]", "ticket.team", "\"x\":\"\",\"y\":[\"b\"]", "\"b\""},
    {"[/x, /y/0]", "ticket.team", "\"x\":\"a\",\"y\":[\"b\"]", "\"a\""},
    {"[/x, {value: none}]", "ticket.team", "\"y\":1", "\"none\""},
    {"{value: zendesk}", "ticket.channel", "\"y\":1", "\"zendesk\""},
    {"{join: [/x, /y]}", "user.id", "\"x\":\"a\",\"y\":7", "\"a:7\""},
    {"{join: [/x, /y]}", "user.id", "\"x\":\"a\",\"y\":null", "-"},
    {"[{join: [/x, /y]}, /x]", "user.id", "\"x\":\"a\"", "\"a\""},
    {"{from: /x, words: {Urgent: critical, low: low}}", "ticket.priority",
     "\"x\":\"URGENT\"", "\"critical\""},
    {"{from: /x, words: {urgent: critical}}", "ticket.priority", "\"x\":\"low\"", "-"},
    {"[{from: /x, words: {urgent: critical}}, /x]", "ticket.priority", "\"x\":\"Low\"",
     "\"Low\""},
    {"{from: [/x, /y], words: {a: A}}", "ticket.team", "\"x\":\"b\",\"y\":\"a\"",
     "\"A\""},
    {"{from: /x, words: {\"4\": urgent}}", "ticket.priority", "\"x\":4", "\"urgent\""},
    {"{from: /x, words: {\"{status:*to:4}}\": r, \"*\": o}}", "ticket.status",
     "\"x\":\"{status:{from:2,to:4}}\"", "\"r\""},
    {"{from: /x, words: {\"{status:*to:4}}\": r, \"*\": o}}", "ticket.status",
     "\"x\":\"{status:{from:2,to:5}}\"", "\"o\""},
    {"{from: /x, words: {\"ab*ba\": r}}", "ticket.status", "\"x\":\"aba\"", "-"},
    {"{from: /x, words: {\"ab*ba\": r}}", "ticket.status", "\"x\":\"abba\"", "\"r\""},
    {"{from: /x, except: \"0\"}", "account.id", "\"x\":0", "-"},
    {"{from: /x, words: {\"*yahoo*\": y}}", "ticket.status", "\"x\":\"my YaHoo!\"",
     "\"y\""},
    {"{from: /x, words: {\"*yahoo*\": y}}", "ticket.status", "\"x\":\"yahoo\"", "\"y\""},
    {"{from: /x, words: {\"*yahoo*\": y}}", "ticket.status", "\"x\":\"ya hoo\"", "-"},
    {"{from: /x, except: [\"0\", \"No*\"]}", "account.id", "\"x\":\"nobody\"", "-"},
    {"{from: /x, except: \"0\"}", "account.id", "\"x\":\"00\"", "\"00\""},
    {"[{from: [/x, /y], except: \"0\"}, {value: v}]", "account.id",
     "\"x\":\"0\",\"y\":\"0\"", "\"v\""},
    {"{from: /x, except: \"0\", words: {\"*\": A}}", "account.tier", "\"x\":\"1\"",
     "\"A\""},
    {"{from: /x, except: \"0\", words: {\"*\": A}}", "account.tier", "\"x\":\"0\"", "-"},
    {"/x", "ticket.csat", "\"x\":4", "4"},
    {"/x", "ticket.csat", "\"x\":\"4.5\"", "4.5"},
    {"/x", "ticket.csat", "\"x\":\"4 stars\"", "-"},
    {"/x", "ticket.csat", "\"x\":\"nan\"", "-"},
    {"/x", "ticket.csat", "\"x\":\"1e999\"", "-"},
    {"/x", "ticket.csat", "\"x\":1e999", "-"},
    {"{from: /x, words: {good: 5, \"Bad,*\": 1}}", "ticket.csat",
     "\"x\":\"Bad, I'm unsatisfied\"", "1"},
    {"{from: /x, words: {\"103\": 5, \"-103\": 1}}", "ticket.csat", "\"x\":-103", "1"},
    {"{from: /x, words: {positive: 0.5, negative: -0.5}}", "ticket.sentiment",
     "\"x\":\"negative\"", "-0.5"},
    {"/x", "ticket.escalated", "\"x\":true", "true"},
    {"/x", "ticket.escalated", "\"x\":\"false\"", "false"},
    {"/x", "ticket.escalated", "\"x\":1", "-"},
    {"{from: /x, words: {\"1\": true, priority: true, \"*\": false}}", "ticket.escalated",
     "\"x\":\"priority\"", "true"},
    {"{from: /x, words: {\"1\": true, priority: true, \"*\": false}}", "ticket.escalated",
     "\"x\":\"not_priority\"", "false"},
};

static void check_fields(void)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char yaml[1000], json[1000];
        struct shape s;
        struct event event;
        struct err e;
        snprintf(yaml, sizeof yaml, "%s  %s: %s\n", head, cases[i].field, cases[i].place);
        snprintf(json, sizeof json, MESSAGE("%s"), cases[i].members);
        open_shape(&s, yaml);
        CHECK_INT(decode_at(&s, json, -1, &event, &e), 0);
        CHECK_STR(str_of(field_text(&event, cases[i].field)), str_of(cases[i].want));
        CHECK_STR(event.id, STR("k1"));
        CHECK_INT(event.type, EVENT_TICKET_CREATED);
        CHECK_INT(event.time_ms, TIME_MS);
        close_shape(&s);
    }
}

static const struct {
    const char *fields, *json, *want; /* what is said, or NULL */
    enum event_type type;
    int64_t time_ms;
} heads[] = {
    {head, "{" HEAD "}", NULL, EVENT_TICKET_CREATED, TIME_MS},
    {head, "{\"key\":1,\"what\":\"else\",\"at\":1772442847120}", NULL, EVENT_OTHER,
     TIME_MS},
    {head, "{\"what\":\"made\",\"at\":1772442847120}",
     "id is missing: there is no text or number at /key (see `fields`", 0, 0},
    {head, "{\"key\":{},\"what\":\"made\",\"at\":1772442847120}", "id is missing", 0, 0},
    {head, "{\"key\":1,\"what\":null,\"at\":1772442847120}",
     "type is missing: there is no text or number at /what", 0, 0},
    {head, "{\"key\":1,\"what\":\"made\"}",
     "time is missing: there is no text or number at /at", 0, 0},
    {head, "{\"key\":1,\"what\":\"made\",\"at\":\"yesterday\"}",
     "from /at: time \"yesterday\" is neither RFC 3339 nor epoch milliseconds: fix the "
     "producer",
     0, 0},
    {head, "{\"id\":\"e\",\"type\":\"page.error\",\"time\":\"2026-03-02T09:14:07Z\"}",
     "id is missing", 0, 0},
    {"  id: [{join: [/a, /b]}, /c]\n  type: /t\n  time: {from: [/s, /u], epoch: "
     "seconds}\n",
     "{\"a\":1,\"b\":2,\"t\":\"ticket.rated\",\"s\":1772442847}", NULL,
     EVENT_TICKET_RATED, 1772442847000},
    {"  id: [{join: [/a, /b]}, /c]\n  type: /t\n  time: {from: [/s, /u], epoch: "
     "seconds}\n",
     "{\"a\":1,\"t\":\"ticket.rated\",\"s\":1772442847}",
     "id is missing: there is no text or number at /a:/b or /c", 0, 0},
    {"  id: /a\n  type: {value: ticket.resolved}\n  time: {from: [/s, /u], epoch: "
     "seconds}\n",
     "{\"a\":1,\"u\":\"1772442847.1204\"}", NULL, EVENT_TICKET_RESOLVED, TIME_MS},
    {"  id: /a\n  type: {value: ticket.resolved}\n  time: {from: /s, epoch: seconds}\n",
     "{\"a\":1,\"s\":1772442847.12}", NULL, EVENT_TICKET_RESOLVED, TIME_MS},
    {"  id: /a\n  type: {value: other}\n  time: {from: /s, epoch: seconds}\n",
     "{\"a\":1,\"s\":\"2026-03-02T10:14:07.120+01:00\"}", NULL, EVENT_OTHER, TIME_MS},
    {"  id: /a\n  type: {value: other}\n  time: {from: /s, epoch: seconds}\n",
     "{\"a\":1,\"s\":1772442847120}", "is outside 2000..2100", 0, 0},
    {"  id: /a\n  type: {value: other}\n  time: /s\n", "{\"a\":1,\"s\":1772442847}",
     "from /s: time \"1772442847\" is outside 2000..2100", 0, 0},
};

static void check_heads(void)
{
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct shape s;
        struct event event;
        struct err e;
        open_shape(&s, heads[i].fields);
        CHECK_INT(decode_at(&s, heads[i].json, -1, &event, &e), heads[i].want ? -1 : 0);
        if (heads[i].want && !strstr(e.text, heads[i].want))
            CHECK_STR(str_of(e.text), str_of(heads[i].want));
        if (!heads[i].want) {
            CHECK_INT(event.type, heads[i].type);
            CHECK_INT(event.time_ms, heads[i].time_ms);
        }
        close_shape(&s);
    }
}

static void check_long_id(void)
{
    struct shape s;
    struct event event;
    struct err e;
    char json[600];
    open_shape(&s, head);
    snprintf(json, sizeof json,
             "{\"key\":\"%0257d\",\"what\":\"made\",\"at\":1772442847120}", 7);
    CHECK_INT(decode_at(&s, json, -1, &event, &e), -1);
    CHECK(strstr(e.text, "from /key: id is 257 bytes, more than 256: shorten it"));
    close_shape(&s);
}

/* The record's own time, live and in a recorded log; and a time may not be ahead of it. */
static void check_record_time(void)
{
    struct shape s;
    struct event event;
    struct err e;
    open_shape(&s, "  id: /a\n  type: {value: other}\n  time: [/at, /kafka/timestamp]\n");
    CHECK_INT(decode_at(&s, "{\"a\":1}", TIME_MS, &event, &e), 0);
    CHECK_INT(event.time_ms, TIME_MS);
    CHECK_INT(decode_at(&s,
                        "{\"a\":1,\"kafka\":{\"topic\":\"t\",\"partition\":3,\"offset\":"
                        "8,\"timestamp\":1772442847120}}",
                        -1, &event, &e),
              0);
    CHECK_INT(event.time_ms, TIME_MS);
    CHECK_INT(event.partition, 3);
    CHECK_INT(event.offset, 8);
    CHECK_INT(decode_at(&s, "{\"a\":1}", -1, &event, &e), -1);
    CHECK(strstr(e.text, "time is missing: there is no text or number at /at or "
                         "/kafka/timestamp"));
    CHECK_INT(decode_at(&s, "{\"a\":1}", INT64_MAX, &event, &e), -1);
    CHECK(strstr(e.text, "outside 2000..2100"));
    CHECK_INT(
        decode_at(&s, "{\"a\":1,\"at\":1772442847120}", TIME_MS - 3600000, &event, &e),
        0);
    CHECK_INT(
        decode_at(&s, "{\"a\":1,\"at\":1772442847120}", TIME_MS - 3600001, &event, &e),
        -1);
    CHECK(strstr(e.text, "time.max_future"));
    close_shape(&s);
}

/* The first shape that a message fits; what fits none is ours, CloudEvents too. */
static void check_shapes(void)
{
    static const char two[] =
        "  - when: /zendesk_event_version\n    id: /id\n    type: {value: "
        "ticket.created}\n    time: /time\n    ticket.id: /detail/id\n"
        "  - when: {from: /source, words: {\"/helpdesk/*\": fits}}\n    id: /id\n    "
        "type: "
        "{value: ticket.rated}\n    time: /time\n    ticket.id: /data/nr\n";
    static const struct {
        const char *members, *id;
        enum event_type type;
    } messages[] = {
        {"\"zendesk_event_version\":\"2022-11-06\",\"detail\":{\"id\":\"35436\"}",
         "\"35436\"", EVENT_TICKET_CREATED},
        {"\"specversion\":\"1.0\",\"source\":\"/helpdesk/eu\",\"data\":{\"nr\":7,"
         "\"ticket\":{\"id\":\"x\"}}",
         "\"7\"", EVENT_TICKET_RATED},
        {"\"specversion\":\"1.0\",\"source\":\"/app\",\"data\":{\"nr\":7,\"ticket\":{"
         "\"id\":\"x\"}}",
         "\"x\"", EVENT_PAGE_ERROR},
        {"\"zendesk_event_version\":null,\"ticket\":{\"id\":\"x\"}", "\"x\"",
         EVENT_PAGE_ERROR},
    };
    struct shape s;
    open_shape(&s, two);
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        struct event event;
        struct err e;
        char json[500];
        snprintf(json, sizeof json,
                 "{\"id\":\"e\",\"type\":\"page.error\",\"time\":1772442847120,%s}",
                 messages[i].members);
        CHECK_INT(decode_at(&s, json, -1, &event, &e), 0);
        CHECK_STR(str_of(field_text(&event, "ticket.id")), str_of(messages[i].id));
        CHECK_INT(event.type, messages[i].type);
    }
    struct event none;
    struct err e;
    CHECK_INT(decode_at(&s, "{\"a\":1}", -1, &none, &e), -1);
    CHECK_STR(str_of(e.text), STR("no mapping of `fields` fits it, and as our own: id is "
                                  "missing: every event needs id, type and time"));
    close_shape(&s);
}

/* `when` asks whether something is there: a container, an empty text, but not null. */
static void check_when(void)
{
    static const struct {
        const char *when, *value;
        bool fits;
    } whens[] = {
        {"/x", "{}", true},
        {"/x", "\"\"", true},
        {"/x", "false", true},
        {"/x", "null", false},
        {"/y", "1", false},
        {"{from: /x, words: {a: fits, \"b*\": fits}}", "\"BC\"", true},
        {"{from: /x, words: {a: fits, \"b*\": fits}}", "\"c\"", false},
        {"{from: /x, words: {\"*\": fits}}", "{}", false},
        {"{join: [/x, /z]}", "1", false},
    };
    for (size_t i = 0; i < sizeof whens / sizeof whens[0]; i++) {
        char yaml[500], json[200];
        struct shape s;
        struct event event;
        struct err e;
        snprintf(yaml, sizeof yaml, "%s  when: %s\n", head, whens[i].when);
        snprintf(json, sizeof json, MESSAGE("\"x\":%s"), whens[i].value);
        open_shape(&s, yaml);
        CHECK_INT(decode_at(&s, json, -1, &event, &e), whens[i].fits ? 0 : -1);
        close_shape(&s);
    }
}

static void check_depth(void)
{
    struct shape s;
    struct event event;
    struct err e;
    char json[400];
    open_shape(&s, head);
    for (int depth = 63; depth <= 64; depth++) { /* in the message, which is one itself */
        int n = snprintf(json, sizeof json, "{" HEAD ",\"ticket\":");
        memset(json + n, '[', (size_t)depth);
        memset(json + n + depth, ']', (size_t)depth);
        snprintf(json + n + 2 * depth, 2, "}");
        CHECK_INT(decode_at(&s, json, -1, &event, &e), depth == 63 ? 0 : -1);
    }
    CHECK(strstr(e.text, "nested deeper than 64 levels"));
    close_shape(&s);
}

/* Every field can be mapped, and comes from its own place. */
static void check_every_field(void)
{
    for (int f = 0; f < FIELD_COUNT; f++) {
        char yaml[500];
        struct shape s;
        struct event event;
        struct err e;
        snprintf(yaml, sizeof yaml, "%s  %s: [/flag, /number]\n", head,
                 event_field_infos[f].name);
        open_shape(&s, yaml);
        CHECK_INT(decode_at(&s, MESSAGE("\"flag\":true,\"number\":7"), -1, &event, &e),
                  0);
        for (int g = 0; g < FIELD_COUNT; g++)
            CHECK_INT(event_value(&event, (enum event_field)g)->type,
                      g == f ? event_field_infos[f].type : VALUE_ABSENT);
        close_shape(&s);
    }
}

int main(void)
{
    arena_init(&arena);
    check_fields();
    check_heads();
    check_long_id();
    check_record_time();
    check_shapes();
    check_when();
    check_depth();
    check_every_field();
    arena_deinit(&arena);
    return check_result();
}
