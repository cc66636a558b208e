/* What a window keeps of releases and known issues is all that an alert may still ask for, whenever it is judged. */
#include "detectors/known_issues.h"
#include "detectors/releases.h"
#include "tests/check.h"

enum { EVENTS = 700, TEXT_BYTES = 32 };
#define HOUR_MS 3600000LL

static struct value text_value(const char *text)
{
    return (struct value){.type = VALUE_TEXT, .text = str_of(text)};
}

/* The records that updates of such an event give; its time tells it apart. */
static struct str record_of(const struct rule *rule, struct event *e, struct arena *arena)
{
    struct buf record;
    buf_init(&record, 4096);
    struct update u = {.record = &record, .judge_at = UINT32_MAX, .due_ms = NEVER_MS};
    CHECK(rule->kind->update(rule, e, &u));
    CHECK(u.due_ms > e->time_ms && u.due_ms < NEVER_MS); /* stores need one */
    struct str kept = arena_str(arena, buf_str(&record));
    buf_deinit(&record);
    return kept;
}

static size_t records_of(const struct rule *rule, struct arena *arena,
                         struct str *records)
{
    static char ids[EVENTS][TEXT_BYTES];
    for (size_t i = 0; i < EVENTS; i++) {
        struct value version;
        struct event e = {.type = EVENT_RELEASE_DEPLOYED,
                          .time_ms = (int64_t)i * 1000,
                          .values = &version};
        snprintf(ids[i], sizeof ids[i], "d%zu", i);
        e.id = str_of(ids[i]);
        event_add(&e, FIELD_RELEASE_VERSION, text_value(ids[i]));
        records[(i * 311) % EVENTS] = record_of(rule, &e, arena);
    }
    return EVENTS;
}

/* What it keeps, as records. */
static struct judgement judge(const struct rule *rule, const struct str *records,
                              size_t n, int64_t judged_ms, struct arena *arena,
                              struct str **kept)
{
    struct buf state, out;
    buf_init(&state, 1024);
    buf_init(&out, 1 << 20);
    struct judge_input in = {.rule = rule,
                             .records = records,
                             .records_n = n,
                             .watermark_ms = judged_ms,
                             .judged_ms = judged_ms};
    struct judgement found = {
        .arena = arena, .state = &state, .kept = &out, .due_ms = NEVER_MS};
    rule->kind->judge(&in, &found);
    struct reader r = {.in = arena_str(arena, buf_str(&out))};
    *kept = arena_alloc(arena, (found.kept_n + 1) * sizeof **kept);
    for (uint32_t i = 0; i < found.kept_n; i++)
        (*kept)[i] = reader_str16(&r);
    CHECK(!r.failed && r.in.n == 0);
    buf_deinit(&state);
    buf_deinit(&out);
    return found;
}

/* Of EVENTS, so many of them before the judged time. */
static size_t still_kept(size_t settled)
{
    size_t before = settled < EVENTS ? settled : EVENTS;
    return EVENTS - before + (before < releases_kind.kept ? before : releases_kind.kept);
}

static void names_are_the_same(void)
{
    struct arena arena;
    struct rule rule;
    struct str records[EVENTS], *kept;
    arena_init(&arena);
    context_rule(&releases_kind, HOUR_MS, &arena, &rule);
    size_t n = records_of(&rule, &arena, records);
    struct context all = context_load(&rule, records, n, &arena);
    for (int64_t judged_ms = 0; judged_ms <= 800000; judged_ms += 50000) {
        struct judgement found = judge(&rule, records, n, judged_ms, &arena, &kept);
        struct context some = context_load(&rule, kept, found.kept_n, &arena);
        CHECK_INT(some.n, still_kept((size_t)judged_ms / 1000));
        CHECK_INT(found.due_ms == NEVER_MS, some.n <= releases_kind.kept);
        for (int64_t t = judged_ms; t < 900000; t += 7700) {
            struct alert one = {.state = ALERT_FIRING, .time_ms = t}, other = one;
            releases_name(&rule, &all, &one);
            releases_name(&rule, &some, &other);
            CHECK_INT(one.releases_n, other.releases_n);
            for (size_t i = 0; i < one.releases_n; i++)
                CHECK_STR(one.releases[i].version, other.releases[i].version);
        }
    }
    arena_deinit(&arena);
}

static void nothing_is_known_to_be_judged(void)
{
    struct arena arena;
    struct rule rule;
    struct str records[EVENTS], *kept;
    arena_init(&arena);
    context_rule(&releases_kind, HOUR_MS, &arena, &rule);
    size_t n = records_of(&rule, &arena, records);
    CHECK_INT(judge(&rule, records, n, ALWAYS_MS, &arena, &kept).kept_n, EVENTS);
    CHECK_INT(judge(&rule, records, 0, 5000, &arena, &kept).kept_n, 0);
    arena_deinit(&arena);
}

static void a_flag_and_a_fingerprint_are_kept(void)
{
    struct arena arena;
    struct rule rule;
    struct value values[3];
    struct event e = {.id = STR("k1"),
                      .type = EVENT_KNOWN_ISSUE_UPDATED,
                      .time_ms = 1000,
                      .values = values};
    struct alert a = {.rule = STR("page-error"),
                      .state = ALERT_FIRING,
                      .time_ms = 2000,
                      .keys_n = 1,
                      .key_names = {STR("page")},
                      .key_values = {STR("/a/:id")}};
    arena_init(&arena);
    context_rule(&known_issues_kind, HOUR_MS, &arena, &rule);
    CHECK(context_rule_of(&known_issues_kind, &rule, 1) == &rule);
    CHECK(context_rule_of(&releases_kind, &rule, 1) == NULL);
    event_add(&e, FIELD_KNOWN_ISSUE_ID, text_value("KI-1"));
    event_add(&e, FIELD_KNOWN_ISSUE_PAGE, text_value("https://app.example.com/a/12?x=1"));
    event_add(&e, FIELD_KNOWN_ISSUE_MUTE,
              (struct value){.type = VALUE_FLAG, .flag = true});
    struct str record = record_of(&rule, &e, &arena);
    struct context all = context_load(&rule, &record, 1, &arena);
    known_issues_attach(&rule, &all, &arena, &a);
    CHECK_STR(a.known_issue.id, STR("KI-1"));
    CHECK(a.known_issue.muted);
    a.time_ms = 1000; /* the update's very moment */
    known_issues_attach(&rule, &all, &arena, &a);
    CHECK_INT(a.known_issue.id.n, 0);
    arena_deinit(&arena);
}

int main(void)
{
    names_are_the_same();
    nothing_is_known_to_be_judged();
    a_flag_and_a_fingerprint_are_kept();
    return check_result();
}
