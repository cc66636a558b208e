/* Looking at windows without judging them, and from which time on something may still be confirmed: the same on
 * both kinds of store. */
#include "tests/check.h"
#include "tests/redis_server.h"
#include "windows/window_store.h"

enum { LATENESS_MS = 1000 };
static const int64_t T0 = 1772442000000; /* 2026-03-02T09:00:00Z */

static struct window_store *store;
static struct arena arena;
static struct apply_reply reply;
static struct store_clock now;
static struct err err;

/* An event at T0 + ms, with a record in the key's window, which is due at T0 + due_ms. */
static void event(int64_t offset, int64_t ms, const char *key, int64_t due_ms)
{
    char id[32];
    snprintf(id, sizeof id, "e%lld", (long long)offset);
    struct buf head, records;
    struct str name = str_of(id), value = str_of(key ? key : "");
    int64_t time_ms = T0 + ms;
    buf_init(&head, 1000);
    buf_init(&records, 1000);
    window_head(&head, STR("rule"), &value, 1);
    buf_str16(&records, name);
    struct window_change change = {.id = window_id_of(buf_str(&head)),
                                   .head = buf_str(&head),
                                   .records = buf_str(&records),
                                   .records_n = 1,
                                   .judge_at = due_ms ? 1000 : 1,
                                   .due_ms = T0 + due_ms};
    struct apply a = {.partition = STR("t/0"),
                      .start = offset,
                      .next = offset + 1,
                      .last_offset = -1,
                      .high_ms = time_ms,
                      .has_events = true,
                      .ids = &name,
                      .times_ms = &time_ms,
                      .events_n = 1,
                      .changes = &change,
                      .changes_n = key != NULL};
    CHECK_INT(store->ops->apply(store, &a, &arena, &reply, &err), 0);
    CHECK_INT(reply.outcome, APPLIED);
    buf_deinit(&head);
    buf_deinit(&records);
}

static struct window_id id_of(const char *key)
{
    struct buf head;
    struct str value = str_of(key);
    buf_init(&head, 1000);
    window_head(&head, STR("rule"), &value, 1);
    struct window_id id = window_id_of(buf_str(&head));
    buf_deinit(&head);
    return id;
}

static size_t peek(const char *a, const char *b, const char *c, struct window **windows)
{
    struct window_id ids[] = {id_of(a), id_of(b), id_of(c)};
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
    struct window_id a = id_of("a");
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

static void run(void (*test)(void))
{
    struct str name = STR("t/0");
    struct store_place at = {.cursor = 0, .high_ms = STORE_NO_TIME};
    CHECK_INT(store->ops->partitions(store, &name, 1, &err), 0);
    CHECK_INT(store->ops->begin(store, name, &at, &err), 0);
    test();
    CHECK_INT(err.kind, ERR_NONE);
    store->ops->close(store);
    arena_reset(&arena);
}

static void (*const tests[])(void) = {test_peek, test_judged};

int main(void)
{
    static struct redis_server server;
    static const char *const prefixes[] = {"peek", "judged"};
    arena_init(&arena);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        store = memory_store_open(LATENESS_MS, (struct memory_listener){0});
        run(tests[i]);
    }
    redis_server_start(&server, NULL);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        struct redis_store_settings s = {.target = &server.target,
                                         .prefix = str_of(prefixes[i]),
                                         .shards_n = 1,
                                         .lateness_ms = LATENESS_MS,
                                         .record_for_ms = 86400000};
        store = redis_store_open(&s, &err);
        CHECK(store != NULL);
        if (store)
            run(tests[i]);
    }
    redis_server_kill(&server);
    arena_deinit(&arena);
    return check_result();
}
