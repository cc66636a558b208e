/* Event decoding, one case a line. */
#include "consumer/event_decode.h"
#include "consumer/event_map.h"

#include "tests/check.h"

#define HEAD "\"id\":\"e1\",\"type\":\"page.error\",\"time\":\"2026-03-02T09:14:07.120Z\""
#define EVENT(members) "{" HEAD "," members "}"

static const int64_t TIME_MS = 1772442847120; /* 2026-03-02T09:14:07.120Z */
static const int64_t HOUR_MS = 3600000;

static struct event_decoder *decoder;
static struct arena arena;

static int decode(struct str json, struct event *out, struct recorded_position *where,
                  struct err *e)
{
    arena_reset(&arena);
    err_clear(e);
    struct event_record record = {json, -1};
    return event_decode(decoder, &record, &arena, out, where, e);
}

/* What the field reads as: "text", 4.5, true or -. */
static const char *field_text(const struct event *event, const char *name)
{
    static char text[600];
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

static const struct {
    const char *json, *field, *want;
} fields[] = {
    {EVENT("\"ticket\":{\"id\":\"T-1\"}"), "ticket.id", "\"T-1\""},
    {EVENT("\"ticket\":{\"id\":1042}"), "ticket.id", "\"1042\""},
    {EVENT("\"ticket\":{\"id\":-7}"), "ticket.id", "\"-7\""},
    {EVENT("\"ticket\":{\"id\":18446744073709551615}"), "ticket.id",
     "\"18446744073709551615\""},
    {EVENT("\"ticket\":{\"id\":123456789012345678901234}"), "ticket.id",
     "\"123456789012345678901234\""},
    {EVENT("\"ticket\":{\"id\":1e999}"), "ticket.id", "-"},
    {EVENT("\"ticket\":{\"id\":1.5}"), "ticket.id", "-"},
    {EVENT("\"ticket\":{\"id\":true}"), "ticket.id", "-"},
    {EVENT("\"ticket\":{\"id\":null}"), "ticket.id", "-"},
    {EVENT("\"ticket\":{\"id\":[\"T-1\"]}"), "ticket.id", "-"},
    {EVENT("\"ticket\":{\"id\":\"\"}"), "ticket.id", "\"\""},
    {EVENT("\"ticket\":{}"), "ticket.id", "-"},
    {EVENT("\"ticket\":null"), "ticket.id", "-"},
    {EVENT("\"ticket\":[\"id\",\"T-1\"]"), "ticket.id", "-"},
    {EVENT("\"ticket\":\"T-1\""), "ticket.id", "-"},
    {EVENT("\"ticket\":{\"product_version\":\"4.2.1\"}"), "ticket.product_version",
     "\"4.2.1\""},
    {EVENT("\"ticket\":{\"product_versions\":\"4.2.1\"}"), "ticket.product_version", "-"},
    {EVENT("\"ticket\":{\"a_name_longer_than_any_of_ours\":1,\"team\":\"x\"}"),
     "ticket.team", "\"x\""},
    {EVENT("\"ticket\":{\"\":1,\"team\":\"x\"}"), "ticket.team", "\"x\""},
    {EVENT("\"ticket\":{\"\\u0074eam\":\"x\"}"), "ticket.team", "\"x\""},
    {EVENT("\"ticket\":{\"id\\u0000\":\"x\"}"), "ticket.id", "-"},
    {EVENT("\"ticket\":{\"id\":\"a\",\"id\":\"b\"}"), "ticket.id", "\"a\""},
    {EVENT("\"ticket\":{\"id\":null,\"id\":\"b\"}"), "ticket.id", "-"},
    {EVENT("\"ticket\":{\"id\":\"a\"},\"ticket\":{\"id\":\"b\",\"team\":\"x\"}"),
     "ticket.team", "-"},
    {EVENT("\"ticket\":{\"subject\":\"a\\u0000b\\u0000\"}"), "ticket.subject",
     "\"a\xef\xbf\xbd"
     "b\xef\xbf\xbd\""},
    {EVENT("\"ticket\":{\"subject\":\"a\\\\u0000\"}"), "ticket.subject", "\"a\\u0000\""},
    {EVENT("\"ticket\":{\"subject\":\"\\ud83d\\ude00 \\\"q\\\" \\n\"}"), "ticket.subject",
     "\"\xf0\x9f\x98\x80 \"q\" \n\""},
    {EVENT("\"ticket\":{\"subject\":\"Gr\xc3\xbc\xc3\x9f Gott\"}"), "ticket.subject",
     "\"Gr\xc3\xbc\xc3\x9f Gott\""},
    {EVENT("\"ticket\":{\"sentiment\":-0.7}"), "ticket.sentiment", "-0.7"},
    {EVENT("\"ticket\":{\"sentiment\":\"-0.7\"}"), "ticket.sentiment", "-"},
    {EVENT("\"ticket\":{\"csat\":4}"), "ticket.csat", "4"},
    {EVENT("\"ticket\":{\"csat\":null}"), "ticket.csat", "-"},
    {EVENT("\"ticket\":{\"csat\":1e999}"), "ticket.csat", "-"},
    {EVENT("\"ticket\":{\"csat\":100000000000000000000}"), "ticket.csat", "1e+20"},
    {EVENT("\"ticket\":{\"escalated\":true}"), "ticket.escalated", "true"},
    {EVENT("\"ticket\":{\"escalated\":false}"), "ticket.escalated", "false"},
    {EVENT("\"ticket\":{\"escalated\":1}"), "ticket.escalated", "-"},
    {EVENT("\"account\":{\"mrr\":12000,\"id\":9}"), "account.mrr", "12000"},
    {EVENT("\"user\":{\"id\":\"u\"},\"account\":{\"id\":\"a\"}"), "account.id", "\"a\""},
    {EVENT("\"user\":{\"id\":\"u\"},\"account\":{\"id\":\"a\"}"), "user.id", "\"u\""},
    {EVENT("\"id2\":1,\"x\":{\"ticket\":{\"id\":1}}"), "ticket.id", "-"},
    {EVENT("\"data\":{\"ticket\":{\"id\":1}}"), "ticket.id", "-"},
    {EVENT("\"specversion\":\"1.0\",\"data\":{\"ticket\":{\"id\":1}}"), "ticket.id",
     "\"1\""},
    {EVENT("\"specversion\":\"1.0\",\"ticket\":{\"id\":1}"), "ticket.id", "\"1\""},
    {EVENT("\"specversion\":\"1.0\",\"data\":\"text\",\"ticket\":{\"id\":1}"),
     "ticket.id", "\"1\""},
};

static void check_fields(void)
{
    struct event event;
    struct err e;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (decode(str_of(fields[i].json), &event, NULL, &e)) {
            fprintf(stderr, "%s: %s\n", fields[i].json, e.text);
            check_failures++;
            continue;
        }
        const char *got = field_text(&event, fields[i].field);
        if (strcmp(got, fields[i].want) != 0) {
            fprintf(stderr, "%s: %s is %s, not %s\n", fields[i].json, fields[i].field,
                    got, fields[i].want);
            check_failures++;
        }
    }
}

#define TIMED(time) "{\"id\":\"e\",\"type\":\"t\",\"time\":" time "}"
#define TYPED(type) "{\"id\":\"e\",\"type\":" type ",\"time\":1772442847120}"
#define NAMED(id) "{\"id\":" id ",\"type\":\"t\",\"time\":1772442847120}"

static const struct {
    const char *json, *reason;
} rejects[] = {
    {"", "empty record"},
    {" ", "not JSON, byte 0 of 1"},
    {"{", "not JSON"},
    {"{\"id\":1,}", "not JSON, byte 7 of 9: "},
    {"{\"id\":01}", "not JSON"},
    {"{\"page\":[[[[[[[[[[[[[[[[[[[[[[[[[", "byte 33 of 33: unexpected end of data"},
    {"{\"id\":NaN}", "not JSON"},
    {"{} {}", "not JSON"},
    {"\xef\xbb\xbf{}", "not JSON"},
    {"null", "a JSON null, not an object"},
    {"[{}]", "a JSON array, not an object"},
    {"\"text\"", "a JSON string, not an object"},
    {"{\"id\":\"\xff\"}", "invalid UTF-8 at byte 7 of 10"},
    {"{\"id\":\"\xc0\xaf\"}", "invalid UTF-8"},
    {"{\"id\":\"\xed\xa0\x80\"}", "invalid UTF-8"},
    {"{\"id\":\"\xf4\x90\x80\x80\"}", "invalid UTF-8"},
    {"{\"id\":\"\\ud800\"}", "not JSON"},
    {"{\"id\":\"a\nb\"}", "not JSON"},
    {"{}", "id is missing: every event needs id, type and time"},
    {"{\"ID\":\"e\",\"type\":\"t\",\"time\":1772442847120}", "id is missing"},
    {NAMED("null"), "id is missing"},
    {NAMED("\"\""), "id is empty"},
    {NAMED("true"), "id is neither text nor an integer"},
    {NAMED("1.5"), "id is neither text nor an integer"},
    {NAMED("{\"a\":1}"), "id is neither text nor an integer"},
    {NAMED("\"a\\u0000b\""), "id holds a NUL"},
    {TYPED("null"), "type is missing"},
    {TYPED("\"\""), "type is empty"},
    {TYPED("\"page.error\\u0000\""), "type holds a NUL"},
    {TYPED("[]"), "type is neither text nor an integer"},
    {TIMED("null"), "time is missing"},
    {TIMED("\"yesterday\""),
     "time \"yesterday\" is neither RFC 3339 nor epoch milliseconds"},
    {TIMED("\"\""), "time \"\" is neither"},
    {TIMED("\"2026-02-30T00:00:00Z\""), "time \"2026-02-30T00:00:00Z\" is neither"},
    {TIMED("\"2026-03-02T09:14:07\""), "is neither RFC 3339"},
    {TIMED("\"2026-03-02T09:14:07Z\\u0000\""),
     "time \"2026-03-02T09:14:07Z?\" is neither"},
    {TIMED("1772442847.5"), "time is neither text nor an integer"},
    {TIMED("false"), "time is neither text nor an integer"},
    {TIMED("\"9999-01-01T00:00:00Z\""), "time \"9999-01-01T00:00:00Z\" is outside "
                                        "2000..2100: fix the producer's clock or unit"},
    {TIMED("\"1999-12-31T23:59:59.999Z\""), "is outside 2000..2100"},
    {TIMED("\"2100-01-01T00:00:00Z\""), "is outside 2000..2100"},
    {TIMED("1772442847"), "time \"1772442847\" is outside 2000..2100"},
    {TIMED("1772442847120000"), "time \"1772442847120000\" is outside"},
    {TIMED("18446744073709551615"), "time \"18446744073709551615\" is outside"},
    {TIMED("99999999999999999999999"), "time \"99999999999999999999999\" is outside"},
    {TIMED("-1"), "time \"-1\" is outside"},
    {"{\"specversion\":\"1.0\",\"data\":{\"id\":\"e\"}}", "type is missing"},
};

static void check_rejects(void)
{
    struct event event;
    struct err e;
    for (size_t i = 0; i < sizeof rejects / sizeof rejects[0]; i++) {
        int failed = decode(str_of(rejects[i].json), &event, NULL, &e);
        if (failed && e.kind == ERR_INPUT && strstr(e.text, rejects[i].reason))
            continue;
        fprintf(stderr, "%s: \"%s\", not \"%s\"\n", rejects[i].json,
                failed ? e.text : "taken", rejects[i].reason);
        check_failures++;
    }
}

static const struct {
    const char *json;
    const char *id;
    enum event_type type;
    int64_t past_ms; /* beyond TIME_MS */
} heads[] = {
    {"{" HEAD "}", "e1", EVENT_PAGE_ERROR, 0},
    {" \t{" HEAD "}\r\n", "e1", EVENT_PAGE_ERROR, 0},
    {NAMED("12"), "12", EVENT_OTHER, 0},
    {NAMED("\"a\\\\u0000\""), "a\\u0000", EVENT_OTHER, 0},
    {TYPED("\"conversation.finished\""), "e", EVENT_CONVERSATION_FINISHED, 0},
    {TYPED("\"Page.Error\""), "e", EVENT_OTHER, 0},
    {TYPED("\"other\""), "e", EVENT_OTHER, 0},
    {TIMED("\"2026-03-02T10:14:07.120+01:00\""), "e", EVENT_OTHER, 0},
    {TIMED("\"2026-03-02T09:14:07.1299Z\""), "e", EVENT_OTHER, 9},
    {TIMED("\"1772442847121\""), "e", EVENT_OTHER, 1},
    {TIMED("1772442847122"), "e", EVENT_OTHER, 2},
    {"{\"id\":\"a\",\"id\":\"b\",\"type\":\"t\",\"time\":1772442847120}", "a",
     EVENT_OTHER, 0},
    /* CloudEvents: identity is the envelope's, data fills in what it lacks */
    {EVENT("\"specversion\":\"1.0\",\"data\":{}"), "e1", EVENT_PAGE_ERROR, 0},
    {EVENT("\"specversion\":\"1.0\",\"data\":{\"id\":\"in\",\"time\":null}"), "e1",
     EVENT_PAGE_ERROR, 0},
    {"{\"specversion\":\"1.0\",\"data\":{" HEAD "}}", "e1", EVENT_PAGE_ERROR, 0},
    {"{\"data\":{" HEAD
     ",\"time\":5},\"specversion\":\"1.0\",\"id\":\"out\",\"type\":\"x\"}",
     "out", EVENT_OTHER, 0},
};

static void check_heads(void)
{
    struct event event;
    struct err e;
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        CHECK_INT(decode(str_of(heads[i].json), &event, NULL, &e), 0);
        CHECK_STR(event.id, str_of(heads[i].id));
        CHECK_INT(event.type, heads[i].type);
        CHECK_INT(event.time_ms - TIME_MS, heads[i].past_ms);
        CHECK_INT(event.partition, -1);
        CHECK_INT(event.offset, -1);
    }
}

static const struct {
    const char *json;
    const char *topic; /* NULL: no position */
    int partition;
    int64_t offset, timestamp_ms;
} positions[] = {
    {EVENT("\"kafka\":{\"topic\":\"t\",\"partition\":3,\"offset\":812,\"timestamp\":"
           "1772442847125}"),
     "t", 3, 812, 1772442847125},
    {"{\"kafka\":{\"topic\":\"t\",\"partition\":0}}", "t", 0, -1, -1},
    {"{\"kafka\":{\"topic\":\"t\",\"partition\":0,\"offset\":-1,\"timestamp\":-1}}", "t",
     0, -1, -1},
    {"{\"kafka\":{\"topic\":\"t\",\"topic\":\"u\",\"partition\":0}}", "t", 0, -1, -1},
    {"{\"specversion\":\"1.0\",\"data\":{},\"kafka\":{\"topic\":\"t\",\"partition\":1}}",
     "t", 1, -1, -1},
    {"{\"specversion\":\"1.0\",\"data\":{\"kafka\":{\"topic\":\"t\",\"partition\":1}}}",
     "t", 1, -1, -1},
    {"{\"kafka\":{\"partition\":0}}", NULL, -1, -1, -1},
    {"{\"kafka\":{\"topic\":\"t\"}}", NULL, -1, -1, -1},
    {"{\"kafka\":{\"topic\":\"t\",\"partition\":-1}}", NULL, -1, -1, -1},
    {"{\"kafka\":{\"topic\":\"t\",\"partition\":2147483648}}", NULL, -1, -1, -1},
    {"{\"kafka\":{\"topic\":5,\"partition\":0}}", NULL, -1, -1, -1},
    {"{\"kafka\":\"t\"}", NULL, -1, -1, -1},
    {"{}", NULL, -1, -1, -1},
};

static void check_position(const struct recorded_position *where, size_t i)
{
    CHECK_INT(where->present, positions[i].topic != NULL);
    CHECK_STR(where->topic, str_of(positions[i].topic));
    CHECK_INT(where->partition, positions[i].partition);
    CHECK_INT(where->offset, positions[i].offset);
    CHECK_INT(where->timestamp_ms, positions[i].timestamp_ms);
}

/* The position is told also where the event is refused. */
static void check_positions(void)
{
    struct event event;
    struct err e = {0};
    for (size_t i = 0; i < sizeof positions / sizeof positions[0]; i++) {
        struct recorded_position where;
        CHECK_INT(decode(str_of(positions[i].json), &event, &where, &e), i ? -1 : 0);
        check_position(&where, i);
        err_clear(&e);
        CHECK_INT(event_position(decoder, str_of(positions[i].json), &arena, &where, &e),
                  0);
        check_position(&where, i);
    }
    CHECK_INT(decode(str_of(positions[0].json), &event, NULL, &e), 0);
    CHECK_INT(event.partition, 3);
    CHECK_INT(event.offset, 812);
    struct recorded_position where;
    CHECK_INT(event_position(decoder, STR("{"), &arena, &where, &e), -1);
    CHECK(!where.present);
}

static void check_future(void)
{
    struct event event;
    struct err e = {0};
    static const char recorded[] = EVENT("\"kafka\":{\"topic\":\"t\",\"partition\":3,"
                                         "\"offset\":1,\"timestamp\":1772439247119}");
    CHECK_INT(decode(str_of(recorded), &event, NULL, &e), -1);
    CHECK(strstr(e.text,
                 "time 2026-03-02T09:14:07.120Z is ahead of the record's "
                 "2026-03-02T08:14:07.119Z by more than time.max_future 1h: fix"));
    err_clear(&e);
    struct event_record record = {str_of(recorded), TIME_MS - HOUR_MS};
    CHECK_INT(event_decode(decoder, &record, &arena, &event, NULL, &e), 0);
    record = (struct event_record){STR("{" HEAD "}"), TIME_MS - HOUR_MS - 1};
    CHECK_INT(event_decode(decoder, &record, &arena, &event, NULL, &e), -1);
}

/* Sizes and depths at both sides of the limits; the text is made of `part` between two
 * ends. */
static struct str repeated(const char *head, const char *part, size_t n, const char *tail)
{
    static char text[3 * EVENT_BYTES_MAX];
    size_t at = (size_t)snprintf(text, sizeof text, "%s", head), part_n = strlen(part);
    for (size_t i = 0; i < n; i++, at += part_n)
        memcpy(text + at, part, part_n);
    at += (size_t)snprintf(text + at, sizeof text - at, "%s", tail);
    return (struct str){text, at};
}

static void check_nested(const char *head, size_t depth, const char *closing, int want)
{
    static char tail[1024];
    struct event event;
    struct err e;
    snprintf(
        tail, sizeof tail, "%.*s%s}", (int)depth,
        "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]",
        closing);
    CHECK_INT(decode(repeated(head, "[", depth, tail), &event, NULL, &e), want);
    if (want)
        CHECK(strstr(e.text, "nested deeper than 64 levels"));
}

static void check_limits(void)
{
    struct event event;
    struct err e;
    static const char *const heads_of_deep[][2] = {
        {"{" HEAD ",\"x\":", ""},
        {"{" HEAD ",\"ticket\":", ""},
        {"{" HEAD ",\"ticket\":{\"id\":", "}"},
        {"{" HEAD ",\"ticket\":{\"x\":[1,[2],[3,", "]]}"},
        {"{" HEAD ",\"data\":", ""},
    };
    for (size_t i = 0; i < sizeof heads_of_deep / sizeof heads_of_deep[0]; i++) {
        size_t already = i == 3 ? 2 : 0;
        check_nested(heads_of_deep[i][0], 64 - already, heads_of_deep[i][1], 0);
        check_nested(heads_of_deep[i][0], 65 - already, heads_of_deep[i][1], -1);
    }
    CHECK_INT(
        decode(repeated("{\"x\":", "[", EVENT_BYTES_MAX - 10, ""), &event, NULL, &e), -1);
    CHECK(strstr(e.text, "not JSON"));
    CHECK_INT(decode(repeated("{\"x\":", "{\"a\":", 200000, ""), &event, NULL, &e), -1);

    struct str id =
        repeated("{\"type\":\"t\",\"time\":1772442847120,\"id\":\"", "x", 256, "\"}");
    CHECK_INT(decode(id, &event, NULL, &e), 0);
    CHECK_INT(event.id.n, 256);
    id = repeated("{\"type\":\"t\",\"time\":1772442847120,\"id\":\"", "x", 257, "\"}");
    CHECK_INT(decode(id, &event, NULL, &e), -1);
    CHECK(strstr(e.text, "id is 257 bytes, more than 256"));

    size_t rest = sizeof "{" HEAD ",\"x\":\"\"}" - 1;
    CHECK_INT(decode(repeated("{" HEAD ",\"x\":\"", "y", EVENT_BYTES_MAX - rest, "\"}"),
                     &event, NULL, &e),
              0);
    CHECK_INT(
        decode(repeated("{" HEAD ",\"x\":\"", "y", EVENT_BYTES_MAX - rest + 1, "\"}"),
               &event, NULL, &e),
        -1);
    CHECK(strstr(e.text, "1048577 bytes, more than 1048576"));
}

/* Nothing of one record is left for the next. */
static void check_reuse(void)
{
    struct event event;
    struct err e;
    CHECK_INT(
        decode(STR(EVENT("\"ticket\":{\"id\":\"T\",\"csat\":1}")), &event, NULL, &e), 0);
    CHECK_INT(decode(STR("{\"id\":"), &event, NULL, &e), -1);
    CHECK_INT(decode(STR(EVENT("\"ticket\":{\"team\":\"x\"}")), &event, NULL, &e), 0);
    for (int f = 0; f < FIELD_COUNT; f++)
        CHECK_INT(event_value(&event, (enum event_field)f)->type,
                  f == FIELD_TICKET_TEAM ? VALUE_TEXT : VALUE_ABSENT);
}

/* Every row of the table is read, and from its own place. */
static void check_every_field(void)
{
    struct event event;
    struct err e;
    char json[512];
    for (int f = 0; f < FIELD_COUNT; f++) {
        const struct event_field_info *info = &event_field_infos[f];
        const char *value = info->type == VALUE_TEXT     ? "\"x\""
                            : info->type == VALUE_NUMBER ? "1"
                                                         : "true";
        int n = snprintf(json, sizeof json, "{" HEAD ",\"%s\":{\"%s\":%s}}", info->object,
                         info->member, value);
        CHECK_INT(decode((struct str){json, (size_t)n}, &event, NULL, &e), 0);
        for (int g = 0; g < FIELD_COUNT; g++)
            CHECK_INT(event_value(&event, (enum event_field)g)->type,
                      g == f ? info->type : VALUE_ABSENT);
    }
}

/* Fields that nobody reads are not decoded; what is refused is refused all the same. */
static void check_needs(void)
{
    static const struct event_need needs[] = {
        {1u << EVENT_TICKET_CREATED, 0},
        {1u << EVENT_PAGE_ERROR, UINT64_C(1) << FIELD_PAGE_URL | UINT64_C(1)
                                                                     << FIELD_ERROR_CODE},
    };
    static const struct event_maps maps = {.needs = needs, .needs_n = 2};
    static const struct {
        const char *json;
        uint8_t values_n;
    } cases[] = {
        {EVENT("\"ticket\":{\"id\":\"T\"}"), 0},
        {EVENT("\"page\":{\"action\":\"x\"},\"ticket\":{\"id\":\"T\"}"), 0},
        {EVENT("\"page\":{\"action\":\"x\"},\"error\":\"E\""), 0},
        {EVENT("\"page\":{\"action\":\"x\"},\"error\":{},\"ticket\":{\"id\":7}"), 2},
        {"{\"id\":\"e\",\"type\":\"ticket.created\",\"time\":1772442847120,"
         "\"user\":{\"id\":\"u\"}}",
         1},
        {"{\"id\":\"e\",\"type\":\"ticket.rated\",\"time\":1772442847120,"
         "\"user\":{\"id\":\"u\"}}",
         0},
    };
    struct event event;
    struct err e;
    struct event_decoder *every = decoder;
    decoder = event_decoder_new(HOUR_MS, &maps);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        CHECK_INT(decode(str_of(cases[i].json), &event, NULL, &e), 0);
        CHECK_INT(event.values_n, cases[i].values_n);
    }
    check_rejects();
    check_heads();
    check_limits();
    event_decoder_free(decoder);
    decoder = every;
}

int main(void)
{
    decoder = event_decoder_new(HOUR_MS, NULL);
    arena_init(&arena);
    check_fields();
    check_rejects();
    check_heads();
    check_positions();
    check_future();
    check_limits();
    check_reuse();
    check_every_field();
    check_needs();
    arena_deinit(&arena);
    event_decoder_free(decoder);
    return check_result();
}
