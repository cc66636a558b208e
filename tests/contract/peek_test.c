/* Looking at windows without judging them, what lapses unjudged, what is not judged at once, and from which time on
 * something may still be confirmed: the same on both kinds of store. */
#include "tests/both_stores.h"
#include "tests/check.h"
#include "tests/store_event.h"
#include "windows/window_store.h"

enum { LATENESS_MS = 1000 };
static const int64_t T0 = 1772442000000; /* 2026-03-02T09:00:00Z */

static struct window_store *store;
static struct arena arena;
static struct apply_reply reply;
static struct store_clock now;
static struct err err;

/* An event of that number at T0 + ms. */
static void apply(struct store_event e, int64_t offset, int64_t ms)
{
    char id[32];
    snprintf(id, sizeof id, "e%lld", (long long)offset);
    e.partition = STR("t/0");
    e.name = str_of(id);
    e.offset = offset;
    e.time_ms = T0 + ms;
    store_event_apply(store, &e, &arena, &reply);
}

/* ... with a record in the key's window, which is due at T0 + due_ms, or at once. */
static void event_that(bool lapses, int64_t offset, int64_t ms, const char *key,
                       int64_t due_ms)
{
    apply((struct store_event){.window = key ? str_of(key) : STR_NONE,
                               .judge_at = due_ms ? 1000 : 1,
                               .due_ms = T0 + due_ms,
                               .lapses = lapses},
          offset, ms);
}

static void event(int64_t offset, int64_t ms, const char *key, int64_t due_ms)
{
    event_that(false, offset, ms, key, due_ms);
}

static size_t peek(const char *a, const char *b, const char *c, struct window **windows)
{
    struct window_id ids[] = {store_event_window(a), store_event_window(b),
                              store_event_window(c)};
    size_t found;
    CHECK_INT(store->ops->peek(store, ids, 3, &arena, windows, &found, &err), 0);
    return found;
}

static void judged(const struct window *w, const char *state, int64_t due_ms)
{
    struct judged j = {
        .id = w->id, .head = w->head, .state = str_of(state), .due_ms = due_ms};
    memcpy(j.version, w->version, sizeof j.version);
    CHECK_INT(store->ops->commit(store, &j, 1, &now, &err), 0);
    CHECK(j.committed);
}

static void test_peek(void)
{
    struct window *w, *due;
    size_t n;
    CHECK_INT(peek("a", "b", "c", &w), 0);
    event(0, 0, "a", 10000);
    event(1, 1, "c", 20000);
    event(2, 2, "c", 20000);
    CHECK_INT(peek("c", "b", "a", &w), 2);
    CHECK_INT(w[0].records_n, 2);
    CHECK_INT(w[1].records_n, 1);
    struct window_id a = store_event_window("a");
    CHECK(memcmp(w[1].id.bytes, a.bytes, sizeof a.bytes) == 0);
    event(3, 11001, NULL, 0);
    CHECK_INT(store->ops->due(store, 100, false, &arena, &due, &n, &now, &err), 0);
    CHECK_INT(n, 1);
    judged(&due[0], "s", STORE_NO_DUE); /* looking changed nothing */
    CHECK_INT(peek("a", "b", "c", &w), 2);
    CHECK(str_is(w[0].state, "s"));
    judged(&w[0], "", STORE_NO_DUE);
    CHECK_INT(peek("a", "b", "c", &w), 1);
}

static void test_judged(void)
{
    struct window *due;
    size_t n;
    event(0, 0, "a", 10000);
    event(1, 1, "b", 20000);
    CHECK_INT(reply.clock.judged_ms, T0 + 1 - LATENESS_MS); /* the watermark */
    event(2, 31000, NULL, 0);
    CHECK_INT(reply.clock.judged_ms, T0 + 9999);
    CHECK_INT(store->ops->due(store, 1, false, &arena, &due, &n, &now, &err), 0);
    CHECK_INT(now.judged_ms, T0 + 9999);
    judged(&due[0], "s", STORE_NO_DUE);
    CHECK_INT(now.judged_ms, T0 + 19999);
    CHECK_INT(store->ops->due(store, 1, false, &arena, &due, &n, &now, &err), 0);
    judged(&due[0], "s", T0 + 40000);
    CHECK_INT(now.judged_ms, T0 + 30000);
    event(3, 31001, "c", 0); /* it wants judging at once */
    CHECK_INT(reply.clock.judged_ms, STORE_NO_TIME);
    CHECK_INT(reply.windows_n, 1);
    judged(&reply.windows[0], "s", STORE_NO_DUE);
    CHECK_INT(now.judged_ms, T0 + 30001);
}

static size_t due(struct window **windows)
{
    size_t n;
    CHECK_INT(store->ops->due(store, 10, false, &arena, windows, &n, &now, &err), 0);
    return n;
}

/* Only what was never judged, when the last of its records may, and all of them. */
static void test_lapses(void)
{
    struct window *windows;
    event_that(true, 0, 0, "a", 10000);
    event_that(true, 1, 1, "b", 10000);
    event_that(true, 2, 2, "b", 12000);
    event_that(false, 3, 3, "c", 10000);
    event_that(true, 4, 4, "c", 12000);
    event(5, 10000, NULL, 0); /* not yet */
    CHECK_INT(due(&windows), 0);
    CHECK_INT(peek("a", "b", "c", &windows), 3);
    event(6, 11000, NULL, 0);
    CHECK_INT(due(&windows), 1); /* what lapses is not handed out */
    CHECK_INT(windows[0].records_n, 2);
    judged(&windows[0], "s", T0 + 12000);
    CHECK_INT(peek("a", "b", "c", &windows), 2);
    event(7, 13000, NULL, 0);
    CHECK_INT(due(&windows), 1);
    event_that(true, 8, 13000, "c", 14000);
    CHECK_INT(peek("a", "b", "c", &windows), 1);
    event(9, 15000, NULL, 0);
    CHECK_INT(due(&windows), 1);
}

static void calm_event(int64_t offset, int64_t ms)
{
    apply((struct store_event){.window = STR("a"),
                               .judge_at = 1,
                               .due_ms = T0 + ms + 10000},
          offset, ms);
}

/* Who judged it said that three records more make news, and that what is confirmed may change by those of before 100. */
static void test_calm(void)
{
    calm_event(0, 100);
    CHECK_INT(reply.windows_n, 1);
    struct judged j = {.id = reply.windows[0].id,
                       .head = reply.windows[0].head,
                       .state = STR("s"),
                       .due_ms = T0 + 9000,
                       .calm_n = 3,
                       .calm_from_ms = T0 + 100};
    memcpy(j.version, reply.windows[0].version, sizeof j.version);
    CHECK_INT(store->ops->commit(store, &j, 1, &now, &err), 0);
    calm_event(1, 200);
    CHECK_INT(reply.windows_n, 0);
    CHECK_INT(reply.clock.waiting_n, 0);
    CHECK_INT(reply.clock.next_due_ms, T0 + 9000);
    calm_event(2, 50);
    CHECK_INT(reply.windows_n, 0);
    CHECK_INT(reply.clock.next_due_ms, T0 + 51);
    calm_event(3, 300);
    CHECK_INT(reply.windows_n, 1);
    CHECK_INT(reply.windows[0].records_n, 3);
    judged(&reply.windows[0], "s",
           T0 + 9000); /* who says nothing of it is asked each time */
    calm_event(4, 400);
    CHECK_INT(reply.windows_n, 1);
}

static void (*const tests[])(void) = {test_peek, test_judged, test_lapses, test_calm};
enum { TESTS = sizeof tests / sizeof tests[0] };

static void run(struct window_store *on, size_t i)
{
    struct str name = STR("t/0");
    struct store_place at = {.cursor = 0, .high_ms = STORE_NO_TIME};
    store = on;
    CHECK_INT(store->ops->partitions(store, &name, 1, &err), 0);
    CHECK_INT(store->ops->begin(store, name, &at, &err), 0);
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
