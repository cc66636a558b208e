/* The window of all keys of a ratio against `overall`: however its events come and whenever it is judged, the same
 * segments are kept and the same is said. */
#include "config/config.h"
#include "detectors/detector.h"
#include "tests/check.h"

enum { KEYS = 60, EVENTS = 6000, MOST = 7, HOUR_MS = 3600000 };
static const int64_t T0 = 1772442000000; /* 2026-03-02T09:00:00Z */
static const char yaml[] =
    "rules:\n"
    "  share: {by: [ticket.category], ratio: {match: \"ticket.escalated == true\", "
    "bucket: 1h, against: overall, min_denominator: 5, z: 0.5, max_segments: 7}}\n";

static struct config config;

/* One telling of the events, and what came of it. */
struct telling {
    struct arena arena;
    struct buf state, said;
    struct str records[EVENTS];
    size_t records_n, state_most;
    int64_t left_out;
};

static void add(struct telling *t, const struct rule *rule, unsigned i)
{
    char id[32], name[32];
    struct buf record;
    unsigned mixed = i * 2654435761u >> 8;
    snprintf(id, sizeof id, "e%06u", i);
    snprintf(name, sizeof name, "category-%u", mixed % KEYS);
    struct str key = str_of(name);
    struct value escalated = {.type = VALUE_FLAG, .flag = mixed % 7 < mixed % KEYS % 5};
    struct event e = {.id = str_of(id),
                      .time_ms = T0 + i * (3 * HOUR_MS / EVENTS),
                      .values = &(struct value){0}};
    event_add(&e, FIELD_TICKET_ESCALATED, escalated);
    buf_init(&record, UINT16_MAX);
    struct update u = {.key = &key, .record = &record, .due_ms = NEVER_MS};
    CHECK(rule->kind->update(rule, &e, &u));
    CHECK(u.due_ms > e.time_ms);
    t->records[t->records_n++] = arena_str(&t->arena, buf_str(&record));
    buf_deinit(&record);
}

static void judge(struct telling *t, const struct rule *rule, int64_t watermark_ms)
{
    struct buf state, kept;
    buf_init(&state, 1 << 20);
    buf_init(&kept, 1 << 20);
    struct judge_input in = {.rule = rule,
                             .state = arena_str(&t->arena, buf_str(&t->state)),
                             .records = t->records,
                             .records_n = t->records_n,
                             .watermark_ms = watermark_ms,
                             .settled_ms = watermark_ms,
                             .judge_from_ms = ALWAYS_MS,
                             .quiet_until_ms = ALWAYS_MS};
    struct judgement found = {
        .arena = &t->arena, .state = &state, .kept = &kept, .due_ms = NEVER_MS};
    rule->kind->judge(&in, &found);
    CHECK(found.due_ms > watermark_ms);
    CHECK_INT(found.kept_n, 0);
    CHECK_INT(found.announced_n, found.confirmed_n);
    for (size_t i = 0; i < found.confirmed_n; i++) {
        alert_json(&found.confirmed[i], false, &t->said);
        buf_char(&t->said, '\n');
    }
    t->left_out += found.left_out;
    t->records_n = 0;
    t->state_most = state.n > t->state_most ? state.n : t->state_most;
    buf_clear(&t->state);
    buf_put(&t->state, buf_str(&state));
    buf_deinit(&state);
    buf_deinit(&kept);
}

/* The events in an order that `step` makes, judged now and then on the way. */
static void tell(struct telling *t, unsigned step, unsigned judge_every)
{
    const struct rule *rule = &config.rules[0];
    *t = (struct telling){0};
    arena_init(&t->arena);
    buf_init(&t->state, 1 << 20);
    buf_init(&t->said, 1 << 20);
    for (unsigned n = 0, i = 0; n < EVENTS; n++, i = (i + step) % EVENTS) {
        add(t, rule, i);
        if (judge_every && n % judge_every == 0)
            judge(t, rule, ALWAYS_MS);
    }
    for (int64_t hour = 1; hour <= 3 + 29; hour++)
        judge(t, rule, T0 + hour * HOUR_MS);
    CHECK_INT(t->state.n, 0); /* silent for 28 hours: forgotten */
}

static void forget(struct telling *t)
{
    buf_deinit(&t->state);
    buf_deinit(&t->said);
    arena_deinit(&t->arena);
}

static void every_order_says_the_same(void)
{
    static const struct {
        unsigned step, judge_every;
    } ways[] = {{1, 1}, {1, 100}, {EVENTS - 1, 100}, {7, 13}, {1009, 997}};
    static struct telling first, other;
    tell(&first, 1, 0);
    CHECK(first.said.n > 0);
    CHECK(first.left_out > EVENTS * 8 / 10); /* 7 keys of 60 stay */
    CHECK(first.left_out < EVENTS * 95 / 100);
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        tell(&other, ways[i].step, ways[i].judge_every);
        CHECK(str_eq(buf_str(&other.said), buf_str(&first.said)));
        CHECK_INT(other.left_out, first.left_out);
        CHECK(other.state_most < 3 * MOST * 1000); /* three hours are open at most */
        forget(&other);
    }
    forget(&first);
}

int main(void)
{
    struct config_report report;
    int parsed = config_parse(str_of(yaml), "test.yaml", &config, CONFIG_REPLAY, &report);
    CHECK_INT(parsed, 0);
    CHECK_INT(config.rules_n, 1);
    if (parsed == 0 && config.rules_n) {
        CHECK(config.rules[0].one_window);
        every_order_says_the_same();
    }
    buf_deinit(&report.text);
    config_deinit(&config);
    return check_result();
}
