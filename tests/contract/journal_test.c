/* Several processes at one journal in Redis: who has to read on, and who does not; Redis loses what one of them knows. */
#include "tests/check.h"
#include "tests/redis_server.h"
#include "tests/store_event.h"
#include "windows/redis_store_impl.h"

enum { LATENESS_MS = 1000, HOUR_MS = 3600000, MANY = 5000 };
static const int64_t T0 = 1772442000000; /* 2026-03-02T09:00:00Z */
static const struct str names[] = {STR("t/0"), STR("t/1")};

static struct redis_server server;
static struct redis_link *admin;
static struct window_store *one, *other;
static struct arena arena;
static struct apply_reply reply;
static struct store_clock now;
static struct err err;

static void script(const char *text)
{
    struct redisReply *r =
        REDIS_COMMAND(admin, &err, STR("EVAL"), str_of(text), STR("0"));
    CHECK(r != NULL);
    redis_reply_free(r);
}

/* What Redis has now is what it goes back to. */
static void keep(void)
{
    script("for _, k in ipairs(redis.call('KEYS', '*')) do "
           "redis.call('COPY', k, k, 'DB', 1, 'REPLACE') end");
}

static void roll_back(void)
{
    script("redis.call('FLUSHDB') redis.call('SELECT', 1) "
           "for _, k in ipairs(redis.call('KEYS', '*')) do "
           "redis.call('COPY', k, k, 'DB', 0) end");
}

static struct window_store *open_one(void)
{
    struct redis_store_settings s = {.target = &server.target,
                                     .prefix = STR("p"),
                                     .shards_n = 1,
                                     .lateness_ms = LATENESS_MS,
                                     .record_for_ms = HOUR_MS,
                                     .partitions = names,
                                     .partitions_n = 2};
    struct window_store *store = redis_store_open(&s, &err);
    CHECK(store != NULL);
    return store;
}

static void look(struct window_store *store)
{
    struct window *windows;
    size_t n;
    CHECK_INT(store->ops->due(store, 10, false, &arena, &windows, &n, &now, &err), 0);
}

/* With a record in window "k", which wants judging at once. */
static void event(struct window_store *store, int partition, int64_t offset,
                  const char *id)
{
    struct store_event e = {.partition = names[partition],
                            .name = str_of(id),
                            .offset = offset,
                            .time_ms = T0 + offset,
                            .window = STR("k"),
                            .due_ms = T0 + HOUR_MS};
    store_event_apply(store, &e, &arena, &reply);
}

static size_t records_to_judge(void)
{
    return reply.windows_n == 1 ? reply.windows[0].records_n : 0;
}

/* A batch of that event, or of none, which concerns no window. */
static enum apply_outcome batch(struct window_store *store, int partition, int64_t start,
                                const char *id)
{
    static int64_t time_ms;
    struct str ids[] = {str_of(id ? id : "")};
    time_ms = T0;
    struct apply a = {.partition = names[partition],
                      .start = start,
                      .next = start + 1,
                      .last_offset = -1,
                      .high_ms = T0,
                      .has_events = true,
                      .ids = ids,
                      .times_ms = &time_ms,
                      .events_n = id != NULL};
    CHECK_INT(store->ops->apply(store, &a, &arena, &reply, &err), 0);
    return reply.outcome;
}

static bool judged(struct window_store *store, const struct window *w)
{
    struct judged j = {
        .id = w->id, .head = w->head, .state = STR("s"), .due_ms = STORE_NO_DUE};
    memcpy(j.version, w->version, sizeof j.version);
    CHECK_INT(store->ops->commit(store, &j, 1, &now, &err), 0);
    return j.committed;
}

/* A journal that begins under somebody's eyes is read on like any other. */
static void test_first_entries(void)
{
    look(one);
    look(other);
    event(other, 1, 0, "b");
    event(one, 0, 0, "a");
    CHECK_INT(records_to_judge(), 2);
}

/* Who must begin anew goes on with its batch, of which nothing was left out. */
static void test_too_old(void)
{
    event(one, 0, 0, "a");
    event(other, 1, 0, "b");
    script("redis.call('HDEL', 'p:7.1:{0}:journal', '1')");
    event(one, 0, 1, "c");
    CHECK_INT(records_to_judge(), 3);
}

/* What was left out was there in what Redis lost. */
static void test_left_out_by_what_is_lost(void)
{
    keep();
    event(one, 0, 0, "a");
    CHECK_INT(batch(one, 1, 0, "a"), REVISE);
    CHECK_INT(reply.refused[0], REFUSED_DUPLICATE);
    roll_back();
    CHECK_INT(batch(one, 1, 0, NULL), MISPLACED);
    CHECK_INT(batch(one, 1, 0, "a"), APPLIED);
    CHECK_INT(batch(one, 0, 0, "a"), REVISE);
}

/* Numbers of entries come again; what was judged before is of another window. */
static void test_judged_before_it_was_lost(void)
{
    keep();
    event(one, 0, 0, "a");
    struct window *read = reply.windows;
    CHECK_INT(records_to_judge(), 1);
    roll_back();
    event(other, 1, 0, "b");
    CHECK(!judged(one, read));
    event(one, 0, 0, "a");
    CHECK_INT(records_to_judge(), 2);
    CHECK(judged(one, reply.windows));
}

static int64_t journal_length(void)
{
    struct redisReply *r =
        REDIS_COMMAND(admin, &err, STR("HLEN"), STR("p:7.1:{0}:journal"));
    int64_t n = redis_reply_int(r);
    redis_reply_free(r);
    return n;
}

/* Who has just begun drops nothing that others may still have to read. */
static void test_just_begun(void)
{
    event(one, 0, 0, "a");
    CHECK(judged(one, reply.windows)); /* now nothing of the window is needed */
    int64_t before = journal_length();
    event(other, 1, 0, "b");
    CHECK_INT(journal_length(), before + 3);
    event(one, 0, 1, "c");
    CHECK_INT(journal_length(), before + 6);
}

/* What begins to wait after Redis lost something says nothing before the watermark of now, not of then. */
static void test_waits_from_now(void)
{
    struct store_times times;
    event(one, 0, 0, "a");
    event(one, 1, 0, "b");
    CHECK(judged(one, reply.windows));
    keep();
    event(one, 0, 1, "c");
    event(one, 1, 1, "d");
    CHECK_INT(one->ops->horizon(one, INT64_MAX, NULL, 0, &times, &err), 0);
    roll_back();
    event(one, 0, 1, "c");
    struct mirror *m = &redis_store_of(one)->mirror;
    CHECK_INT(reply.clock.watermark_ms, T0 - LATENESS_MS);
    CHECK_INT(mirror_waits_from(mirror_domain(m, STR_NONE)), T0 - LATENESS_MS);
}

/* An entry with fields of many names. */
static void test_many_names(void)
{
    static struct window_change changes[MANY];
    struct apply a = {.partition = names[0],
                      .next = 1,
                      .last_offset = -1,
                      .high_ms = T0,
                      .has_events = true,
                      .changes = changes,
                      .changes_n = MANY};
    for (int i = 0; i < MANY; i++) {
        char name[24];
        snprintf(name, sizeof name, "rule-%d", i);
        struct str head = window_head_made(str_of(name), NULL, 0, &arena);
        changes[i] = (struct window_change){.id = window_id_of(head),
                                            .head = head,
                                            .records = STR("\1\0r"),
                                            .records_n = 1,
                                            .judge_at = 2,
                                            .due_ms = T0 + HOUR_MS};
    }
    CHECK_INT(one->ops->apply(one, &a, &arena, &reply, &err), 0);
    CHECK_INT(reply.outcome, APPLIED);
    CHECK_INT(journal_length(), MANY + 1);
}

static void pass(int partition, int64_t offset, const char *id)
{
    struct store_event e = {.partition = names[partition],
                            .name = str_of(id),
                            .offset = offset,
                            .time_ms = T0 + 2 * LATENESS_MS};
    store_event_apply(one, &e, &arena, &reply);
}

/* Of which nothing was said stays as it was: the next judgement, maybe by other settings, looks at all of it again. */
static void test_without_news(void)
{
    struct window *w;
    size_t n;
    struct store_event e = {.partition = names[0],
                            .name = STR("a"),
                            .time_ms = T0,
                            .window = STR("k"),
                            .judge_at = 9,
                            .due_ms = T0 + 5};
    store_event_apply(one, &e, &arena, &reply);
    pass(0, 1, "b");
    pass(1, 0, "c");
    for (int64_t i = 0; i < 3; i++) {
        CHECK_INT(one->ops->due(one, 10, false, &arena, &w, &n, &now, &err), 0);
        CHECK_INT(n, 1);
        if (n != 1)
            return;
        CHECK_INT(w->state.n, i == 2);
        CHECK_INT(w->records_n, i < 2);
        struct judged j = {.id = w->id,
                           .head = w->head,
                           .state = STR("s"),
                           .due_ms = T0 + 6 + i,
                           .no_news = i == 0};
        memcpy(j.version, w->version, sizeof j.version);
        CHECK_INT(one->ops->commit(one, &j, 1, &now, &err), 0);
        CHECK(j.committed);
    }
}

static void (*const tests[])(void) = {
    test_first_entries,
    test_too_old,
    test_left_out_by_what_is_lost,
    test_judged_before_it_was_lost,
    test_just_begun,
    test_waits_from_now,
    test_many_names,
    test_without_news,
};

static void run(void (*test)(void))
{
    const struct store_place at = {.cursor = 0, .high_ms = STORE_NO_TIME};
    script("redis.call('FLUSHALL')");
    one = open_one();
    other = open_one();
    for (size_t i = 0; i < 2; i++)
        CHECK_INT(one->ops->begin(one, names[i], &at, &err), 0);
    test();
    if (err.kind != ERR_NONE)
        fprintf(stderr, "%s\n", err.text);
    CHECK_INT(err.kind, ERR_NONE);
    one->ops->close(one);
    other->ops->close(other);
    arena_reset(&arena);
}

int main(void)
{
    arena_init(&arena);
    redis_server_start(&server, NULL);
    admin = redis_link_new(&server.target);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        run(tests[i]);
    redis_link_free(admin);
    redis_server_kill(&server);
    arena_deinit(&arena);
    return check_result();
}
