/* The contract of the window store, on both of its kinds: how many windows a rule may have. */
#include "windows/window_store.h"

#include "tests/both_stores.h"
#include "tests/check.h"

enum { LATENESS_MS = 1000, CHANGES_MOST = 1200 };
static const int64_t T0 = 1772442000000; /* 2026-03-02T09:00:00Z */

static struct window_store *store;
static struct arena arena;
static struct apply_reply reply;
static struct err err;
static int64_t position;

/* A batch that adds a record to windows `from` to `to` of the rule, all of which want judging. */
static void feed(const char *rule, int from, int to, int64_t max)
{
    static struct window_change changes[CHANGES_MOST];
    struct window_limit limits[] = {{STR("other"), 1}, {str_of(rule), max}};
    struct buf b;
    buf_init(&b, 1000);
    buf_str16(&b, STR("r"));
    struct str record = arena_str(&arena, buf_str(&b)), id;
    int64_t time_ms = T0;
    for (int i = from; i < to; i++) {
        char text[16];
        snprintf(text, sizeof text, "k%d", i);
        struct str key = str_of(text);
        buf_clear(&b);
        window_head(&b, str_of(rule), &key, 1);
        changes[i - from] = (struct window_change){.id = window_id_of(buf_str(&b)),
                                                   .head = arena_str(&arena, buf_str(&b)),
                                                   .records = record,
                                                   .records_n = 1,
                                                   .judge_at = 1,
                                                   .due_ms = T0 + 1000};
    }
    buf_clear(&b);
    buf_printf(&b, "e%lld", (long long)position);
    id = arena_str(&arena, buf_str(&b));
    struct apply a = {.partition = STR("t/0"),
                      .start = position,
                      .next = position + 1,
                      .last_offset = -1,
                      .high_ms = T0,
                      .has_events = true,
                      .ids = &id,
                      .times_ms = &time_ms,
                      .events_n = 1,
                      .changes = changes,
                      .changes_n = (size_t)(to - from),
                      .limits = limits,
                      .limits_n = max ? 2 : 0};
    CHECK_INT(store->ops->apply(store, &a, &arena, &reply, &err), 0);
    CHECK_INT(reply.outcome, APPLIED);
    position++;
    buf_deinit(&b);
}

/* What was handed back is judged: `state` empty forgets it. */
static void judge_all(const char *state)
{
    struct store_clock now = {0};
    for (size_t i = 0; i < reply.windows_n; i++) {
        struct judged j = {.id = reply.windows[i].id,
                           .head = reply.windows[i].head,
                           .state = str_of(state),
                           .due_ms = STORE_NO_DUE};
        memcpy(j.version, reply.windows[i].version, sizeof j.version);
        CHECK_INT(store->ops->commit(store, &j, 1, &now, &err), 0);
        CHECK(j.committed);
        CHECK_INT(store->ops->commit(store, &j, 1, &now, &err), 0);
        CHECK(!j.committed); /* forgotten, or changed: not twice */
    }
}

static int64_t count_of(const char *rule)
{
    struct str names[] = {STR("nobody"), str_of(rule)};
    int64_t counts[] = {-1, -1};
    CHECK_INT(store->ops->windows(store, names, 2, counts, &err), 0);
    CHECK_INT(counts[0], 0);
    return counts[1];
}

static void what_is_beyond_is_left_out(void)
{
    feed("rule", 0, 5, 3);
    CHECK_INT(reply.left_out_n, 2);
    CHECK_INT(reply.left_out[0], 3);
    CHECK_INT(reply.left_out[1], 4);
    CHECK_INT(reply.windows_n, 3);
    CHECK_INT(count_of("rule"), 3);
    judge_all("kept");
    feed("rule", 1, 5, 3); /* those that are there go on */
    CHECK_INT(reply.left_out_n, 2);
    CHECK_INT(reply.left_out[0], 2);
    CHECK_INT(reply.windows_n, 2);
    CHECK_INT(count_of("rule"), 3);
}

static void what_is_forgotten_makes_room(void)
{
    feed("rule", 0, 3, 3);
    judge_all("");
    CHECK_INT(count_of("rule"), 0);
    feed("rule", 3, 7, 3);
    CHECK_INT(reply.left_out_n, 1);
    CHECK_INT(count_of("rule"), 3);
    judge_all("kept");
    feed("rule", 3, 4, 3);
    judge_all("");
    CHECK_INT(count_of("rule"), 2);
    feed("rule", 0, 2, 3);
    CHECK_INT(reply.left_out_n, 1);
    CHECK_INT(reply.left_out[0], 1);
}

/* Also over the pieces in which a script works. */
static void each_rule_has_its_own(void)
{
    feed("rule", 0, 700, 600);
    CHECK_INT(reply.left_out_n, 100);
    CHECK_INT(reply.left_out[99], 699);
    judge_all("kept");
    feed("another", 0, 1200, 0); /* without a limit */
    CHECK_INT(reply.left_out_n, 0);
    CHECK_INT(reply.windows_n, 1200);
    CHECK_INT(count_of("rule"), 600);
    CHECK_INT(count_of("another"), 1200);
    judge_all("");
    CHECK_INT(count_of("another"), 0);
    feed("rule", 600, 1200, 600); /* none of them */
    CHECK_INT(reply.left_out_n, 600);
    CHECK_INT(reply.windows_n, 0);
}

static void (*const tests[])(void) = {
    what_is_beyond_is_left_out, what_is_forgotten_makes_room, each_rule_has_its_own};
enum { TESTS = sizeof tests / sizeof tests[0] };

static void run(struct window_store *on, size_t i)
{
    store = on;
    struct str partition = STR("t/0");
    struct store_place at = {.high_ms = STORE_NO_TIME};
    position = 0;
    CHECK_INT(store->ops->partitions(store, &partition, 1, &err), 0);
    CHECK_INT(store->ops->begin(store, partition, &at, &err), 0);
    tests[i]();
    CHECK_INT(err.kind, ERR_NONE);
    arena_reset(&arena);
}

int main(void)
{
    arena_init(&arena);
    both_stores(LATENESS_MS, (struct memory_listener){0}, run, TESTS);
    arena_deinit(&arena);
    return check_result();
}
