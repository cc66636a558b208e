/* What receivers would refuse or must never get: texts beyond their limits, live mentions, broken
 * UTF-8, and secrets that are none. */
#include <jansson.h>

#include "core/utf8.h"
#include "tests/check.h"
#include "tests/sink_case.h"

#define NOW_MS 1772443200000
#define SECRET "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="

static struct arena arena;

/* 100 kB of one piece again and again. */
static struct str huge(const char *piece)
{
    size_t n = strlen(piece), copies = 100000 / n;
    char *p = arena_alloc(&arena, copies * n + 1);
    for (size_t i = 0; i < copies; i++)
        memcpy(p + i * n, piece, n);
    return (struct str){p, copies * n};
}

/* An alert with as much of that text as an alert can have. */
static struct alert full_of(struct str text, enum alert_state state)
{
    struct alert a = {.id = "0123456789abcdef0123456789abcdef",
                      .rule = text,
                      .kind = STR("new"),
                      .state = state,
                      .severity = SEVERITY_CRITICAL,
                      .time_ms = NOW_MS,
                      .reminder = state == ALERT_REMINDER ? 3 : 0,
                      .keys_n = ALERT_KEYS_MAX,
                      .summary = text,
                      .count = INT64_MAX,
                      .users = INT64_MAX,
                      .accounts_listed = ALERT_ACCOUNTS_MAX,
                      .accounts_n = INT64_MAX,
                      .last_seen_ms = NOW_MS,
                      .evidence_n = ALERT_EVIDENCE_MAX,
                      .sample = {text, text, text, text, text, text, text},
                      .anomaly = {.present = true,
                                  .value = 1e300,
                                  .mean = -1e300,
                                  .stddev = 1e-300,
                                  .z = 1e9,
                                  .up = true,
                                  .bucket_ms = 3600000,
                                  .share = true,
                                  .matched = 7,
                                  .limit = true,
                                  .novelty = true,
                                  .lowest = -1e300,
                                  .highest = 1e300,
                                  .score = 1e300}};
    static const char *const names[] = {"page", "error", "subject", "ticket.category"};
    for (size_t i = 0; i < ALERT_KEYS_MAX; i++) {
        a.key_names[i] = str_of(names[i]);
        a.key_values[i] = text;
    }
    for (size_t i = 0; i < ALERT_ACCOUNTS_MAX; i++)
        a.accounts[i] = (struct alert_account){text, text, text, text, text, 1e14};
    for (size_t i = 0; i < ALERT_EVIDENCE_MAX; i++)
        a.evidence[i] = (struct alert_evidence){text, text, text, text, NOW_MS, 1, 1};
    return a;
}

static int format(const char *type, const char *const *settings, size_t n,
                  const struct alert *a, struct request *out, struct err *e)
{
    struct sink_case c;
    struct buf line;
    buf_init(&line, 4 << 20);
    CHECK_INT(sink_case_init(&c, type, settings, n, &arena, e), 0);
    alert_json(a, true, &line);
    CHECK(!line.overflowed);
    struct sink_input in = {.settings = c.settings,
                            .secrets = &c.secrets,
                            .alert = a,
                            .alert_json = arena_str(&arena, buf_str(&line)),
                            .now_ms = NOW_MS};
    buf_deinit(&line);
    return c.sink->format(&in, &arena, out, e);
}

static size_t units(const json_t *text)
{
    return utf8_units((struct str){json_string_value(text), json_string_length(text)});
}

static void check_text(const json_t *object, size_t max_units)
{
    size_t n = units(json_object_get(object, "text"));
    CHECK(n >= 1 && n <= max_units);
}

static void check_block(const json_t *block)
{
    const char *type = json_string_value(json_object_get(block, "type"));
    const json_t *fields = json_object_get(block, "fields");
    const json_t *elements = json_object_get(block, "elements");
    const json_t *text = json_object_get(block, "text");
    CHECK(type && json_array_size(fields) <= 10 && json_array_size(elements) <= 10);
    if (text)
        check_text(text, type && strcmp(type, "header") == 0 ? 150 : 3000);
    for (size_t i = 0; i < json_array_size(fields); i++)
        check_text(json_array_get(fields, i), 2000);
    for (size_t i = 0; i < json_array_size(elements); i++)
        check_text(json_array_get(elements, i), 3000);
}

static void check_blocks(const json_t *blocks)
{
    CHECK(json_array_size(blocks) <= 50);
    for (size_t i = 0; i < json_array_size(blocks); i++)
        check_block(json_array_get(blocks, i));
}

static void check_slack(const struct alert *a)
{
    static const char *const settings[] = {
        "url=https://hooks.slack.com/x",
        "ticket_url=https://h.example/{id}/aaaaaaaaaaaaaaaaaaaaaaaaaa"};
    struct request r;
    struct err e = {0};
    CHECK_INT(format("slack", settings, 2, a, &r, &e), 1);
    json_t *body = json_loadb(r.body.p, r.body.n, 0, NULL);
    const json_t *blocks = json_object_get(body, "blocks");
    const json_t *coloured = json_array_get(json_object_get(body, "attachments"), 0);
    CHECK(body && json_array_size(blocks) >= 1);
    check_blocks(blocks);
    check_blocks(json_object_get(coloured, "blocks"));
    CHECK(json_array_size(json_object_get(coloured, "blocks")) >= 4);
    CHECK(units(json_object_get(body, "text")) <= 400);
    CHECK(memmem(r.body.p, r.body.n, "<!", 2) == NULL);
    CHECK(memmem(r.body.p, r.body.n, "<@", 2) == NULL);
    json_decref(body);
}

static void check_linear(const struct alert *a)
{
    static const char *const settings[] = {"key=k",
                                           "team=9cfb482a-81e3-4154-b5b9-2c805e70a02d"};
    struct request r;
    struct err e = {0};
    CHECK_INT(format("linear", settings, 2, a, &r, &e), 1);
    json_t *body = json_loadb(r.body.p, r.body.n, 0, NULL);
    CHECK(body && r.body.n < 200 * 1024);
    const json_t *issue = json_object_get(json_object_get(body, "variables"), "issue");
    if (a->state == ALERT_FIRING)
        CHECK(units(json_object_get(issue, "title")) <= 140 &&
              units(json_object_get(issue, "title")) > 0);
    json_decref(body);
}

static void check_hubspot(const struct alert *a)
{
    static const char *const settings[] = {"key=k"};
    struct request r;
    struct err e = {0};
    CHECK_INT(
        format("hubspot", settings, 1, a, &r, &e), /* of the others it is not told */
        a->state != ALERT_RESOLVED && a->state != ALERT_REMINDER);
    if (a->state != ALERT_FIRING)
        return;
    json_t *body = json_loadb(r.body.p, r.body.n, 0, NULL);
    const json_t *p = json_object_get(body, "properties");
    CHECK(body && json_string_length(json_object_get(p, "hs_task_body")) < 65536);
    CHECK(units(json_object_get(p, "hs_task_subject")) <= 300);
    json_decref(body);
}

static void check_webhook(const struct alert *a)
{
    static const char *const settings[] = {"url=https://h.example/", "secret=" SECRET};
    struct request r;
    struct err e = {0};
    struct alert back;
    CHECK_INT(format("webhook", settings, 2, a, &r, &e), 1);
    CHECK(r.body.n <= 20 * 1024);
    CHECK_INT(alert_parse(r.body, &arena, &back, &e), 0);
    CHECK_STR(str_of(back.id), str_of(a->id));
    CHECK_INT(back.evidence_n, ALERT_EVIDENCE_MAX);
}

static void check_pagerduty(const struct alert *a)
{
    static const char *const settings[] = {"routing_key=0123456789abcdefABCDEF0123456789",
                                           "ticket_url=https://h.example/{id}"};
    struct request r;
    struct err e = {0};
    bool told = a->state != ALERT_VERIFIED; /* nobody is to be woken */
    CHECK_INT(format("pagerduty", settings, 2, a, &r, &e), told);
    if (!told)
        return;
    json_t *body = json_loadb(r.body.p, r.body.n, 0, NULL);
    const json_t *payload = json_object_get(body, "payload");
    CHECK(body && r.body.n < 512000);
    CHECK(!payload == (a->state == ALERT_RESOLVED));
    CHECK(units(json_object_get(payload, "summary")) <= 1024);
    json_decref(body);
}

static size_t sum_fields(const json_t *fields)
{
    size_t sum = 0;
    CHECK(json_array_size(fields) <= 25);
    for (size_t i = 0; i < json_array_size(fields); i++) {
        const json_t *f = json_array_get(fields, i);
        size_t name = units(json_object_get(f, "name"));
        size_t value = units(json_object_get(f, "value"));
        CHECK(name >= 1 && name <= 256 && value >= 1 && value <= 1024);
        sum += name + value;
    }
    return sum;
}

static void check_discord(const struct alert *a)
{
    static const char *const settings[] = {"url=https://discord.com/x",
                                           "ticket_url=https://h.example/{id}"};
    struct request r;
    struct err e = {0};
    CHECK_INT(format("discord", settings, 2, a, &r, &e), 1);
    json_t *body = json_loadb(r.body.p, r.body.n, 0, NULL);
    const json_t *embed = json_array_get(json_object_get(body, "embeds"), 0);
    size_t title = units(json_object_get(embed, "title"));
    size_t description = units(json_object_get(embed, "description"));
    size_t footer = units(json_object_get(json_object_get(embed, "footer"), "text"));
    CHECK(title >= 1 && title <= 256 && description <= 4096 && footer <= 2048);
    CHECK(title + description + footer + sum_fields(json_object_get(embed, "fields")) <=
          6000);
    CHECK_INT(json_array_size(
                  json_object_get(json_object_get(body, "allowed_mentions"), "parse")),
              0);
    json_decref(body);
}

static void check_teams(const struct alert *a)
{
    static const char *const settings[] = {
        "url=https://flow.example/x",
        "ticket_url=https://h.example/{id}/"
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    struct request r;
    struct err e = {0};
    CHECK_INT(format("teams", settings, 2, a, &r, &e), 1);
    CHECK(r.body.n <= 28 * 1024);
    CHECK(memmem(r.body.p, r.body.n, "\"TextBlock\"", 11) ==
          NULL); /* it reads Markdown */
}

/* Lines of ASCII that no text of the alert's has begun or ended. */
static void check_email(const struct alert *a)
{
    static const char *const settings[] = {
        "url=smtp://h.example", "from=a@x.example", "to=b@x.example,c@x.example",
        ("ticket_url=https://h.example/{id}/"
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")};
    struct request r;
    struct err e = {0};
    size_t line_n = 0;
    CHECK_INT(format("email", settings, 4, a, &r, &e), 1);
    CHECK(r.body.n > 1000 && r.body.n < 400 * 1024);
    for (size_t i = 0; i < r.body.n; i++) {
        char c = r.body.p[i];
        line_n = c == '\n' ? 0 : line_n + 1;
        CHECK((c >= ' ' && c <= '~') || (c == '\r' && r.body.p[i + 1] == '\n') ||
              (c == '\n' && r.body.p[i - 1] == '\r'));
        CHECK(line_n <= 200);
    }
}

static void check_all(const struct alert *a)
{
    check_email(a);
    check_discord(a);
    check_teams(a);
    check_slack(a);
    check_linear(a);
    check_hubspot(a);
    check_webhook(a);
    check_pagerduty(a);
}

static void bounds_every_text(void)
{
    static const char *const pieces[] = {
        "x",    "&",    "<!channel> ",  "🔥",    "שלום ", "`",
        "\"\\", "\x01", "\xE2\x80\xAE", "a\nb", "|*_",   "@everyone "};
    for (size_t i = 0; i < sizeof pieces / sizeof pieces[0]; i++)
        for (int state = 0; state < ALERT_STATES; state++) {
            struct alert a = full_of(huge(pieces[i]), (enum alert_state)state);
            check_all(&a);
            arena_reset(&arena);
        }
}

/* Half a code point, as a careless cut elsewhere would leave it. */
static void passes_on_no_broken_utf8(void)
{
    struct alert a = full_of(STR("half \xF0\x9F\x94"), ALERT_FIRING);
    check_all(&a);
    a = full_of(STR("\xFF\xC3"), ALERT_FIRING);
    check_all(&a);
}

static struct str header(const struct request *r, const char *name)
{
    for (size_t i = 0; i < r->headers_n; i++)
        if (str_starts(r->headers[i], str_of(name)) &&
            r->headers[i].p[strlen(name)] == ':')
            return (struct str){r->headers[i].p + strlen(name) + 2,
                                r->headers[i].n - strlen(name) - 2};
    return STR_NONE;
}

static void names_a_delivery_once_and_for_all(void)
{
    static const char *const settings[] = {"url=https://h.example/", "secret=" SECRET};
    static const char *const names[ALERT_STATES] = {
        "0123456789abcdef0123456789abcdef_firing",
        "0123456789abcdef0123456789abcdef_escalated_critical",
        "0123456789abcdef0123456789abcdef_reminder_3",
        "0123456789abcdef0123456789abcdef_resolved",
        "0123456789abcdef0123456789abcdef_verified"};
    for (int state = 0; state < ALERT_STATES; state++) {
        struct alert a = full_of(STR("x"), (enum alert_state)state);
        struct request r;
        struct err e = {0};
        CHECK_INT(format("webhook", settings, 2, &a, &r, &e), 1);
        CHECK_STR(header(&r, "webhook-id"), str_of(names[state]));
        CHECK_STR(header(&r, "Idempotency-Key"), str_of(names[state]));
        CHECK_STR(header(&r, "webhook-timestamp"), STR("1772443200"));
        CHECK_INT(header(&r, "webhook-signature").n, 47);
    }
}

static void signs_with_every_key(void)
{
    static const char *const two[] = {"url=https://h.example/",
                                      "secret= " SECRET "\n" SECRET " "};
    static const char *const none[] = {"url=https://h.example/"};
    struct alert a = full_of(STR("x"), ALERT_FIRING);
    struct request r;
    struct err e = {0};
    CHECK_INT(format("webhook", two, 2, &a, &r, &e), 1);
    struct str s = header(&r, "webhook-signature");
    CHECK(s.n == 95 && s.p[47] == ' ' && memcmp(s.p, s.p + 48, 47) == 0);
    CHECK_INT(format("webhook", none, 1, &a, &r, &e), 1);
    CHECK_INT(header(&r, "webhook-signature").n, 0);
    CHECK(header(&r, "webhook-id").n > 0);
}

static void refuses_what_is_no_secret(void)
{
    static const char *const bad[] = {
        "plain",
        "whsec_",
        "whsec_AAAA",
        "whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc",
        "whsec_????????????????????????????????????????????",
        "whsec_"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAA"
        "AAAAAAAAA==",
        SECRET " whsec_x",
        SECRET " " SECRET " " SECRET " " SECRET " " SECRET};
    struct alert a = full_of(STR("x"), ALERT_FIRING);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct str setting = STR_NONE;
        struct buf b;
        struct request r;
        struct err e = {0};
        buf_init(&b, 1024);
        buf_text(&b, "secret=");
        buf_text(&b, bad[i]);
        setting = arena_str(&arena, buf_str(&b));
        const char *const settings[] = {"url=https://h.example/", setting.p};
        CHECK_INT(format("webhook", settings, 2, &a, &r, &e), -1);
        CHECK_INT(e.kind, ERR_REFUSED);
        CHECK(strstr(e.text, bad[i]) == NULL || strlen(bad[i]) < 8); /* never told */
        buf_deinit(&b);
    }
}

static void refuse(const char *type, const char *setting, const char *other)
{
    const char *const settings[] = {setting, other};
    struct alert a = full_of(STR("x"), ALERT_FIRING);
    struct request r;
    struct err e = {0};
    CHECK_INT(format(type, settings, other ? 2 : 1, &a, &r, &e), -1);
    CHECK_INT(e.kind, ERR_REFUSED);
}

static void refuses_broken_keys_and_addresses(void)
{
    refuse("slack", "ticket_url=x", NULL);
    refuse("slack", "url=ftp://x", NULL);
    refuse("slack", "url=https://x y", NULL);
    refuse("linear", "key=", NULL);
    refuse("linear", "key=a\r\nX-Evil: 1", NULL);
    refuse("linear", "key=k", "url=gopher://x");
    refuse("hubspot", "key=a b", NULL);
    refuse("hubspot", "key=k", "url=api.hubapi.com");
    refuse("webhook", "secret=" SECRET, NULL);
    refuse("pagerduty", "routing_key=short", NULL);
    refuse("email", "from=a@x.example\r\nBcc: c@x.example", "to=b@x.example");
    refuse("email", "from=a@x.example", "to=b@x.example>\r\nDATA");
    refuse("email", "from=a@x.example", "to=b");
    refuse("email", "from=a@x.example", NULL);
    refuse("pagerduty", "routing_key=0123456789abcdef0123456789abcde!", NULL);
}

int main(void)
{
    arena_init(&arena);
    bounds_every_text();
    passes_on_no_broken_utf8();
    names_a_delivery_once_and_for_all();
    signs_with_every_key();
    refuses_what_is_no_secret();
    refuses_broken_keys_and_addresses();
    arena_deinit(&arena);
    return check_result();
}
