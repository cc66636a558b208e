/* A state in Redis when something is odd: clocks, topics that are gone, keys of others. */
#include "tests/check.h"
#include "tests/redis_server.h"
#include "tests/store_event.h"
#include "windows/redis_link.h"
#include "windows/window_store.h"

enum { LATENESS_MS = 1000, RETIRED_MS = 600000, HOUR_MS = 3600000 };
static const int64_t T0 = 1772442000000; /* 2026-03-02T09:00:00Z */

static struct redis_server server;
static struct redis_link *admin;
static struct window_store *store;
static struct arena arena;
static struct apply_reply reply;
static struct err err;
static char prefix[16];

/* A command on a key of the state. */
static void tell(const char *command, const char *key, struct str a, struct str b)
{
    char name[64];
    snprintf(name, sizeof name, "%s:7.1:{0}:%s", prefix, key);
    struct str words[] = {str_of(command), str_of(name), a, b};
    struct redisReply *r =
        redis_command(admin, &err, (size_t)2 + (a.n > 0) + (b.n > 0), words);
    CHECK(r != NULL);
    redis_reply_free(r);
}

static void tell_time(const char *key, const char *field, int64_t ms)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)ms);
    tell("HSET", key, str_of(field), str_of(text));
}

static void open_store(const char *name, const struct str *partitions, size_t n)
{
    snprintf(prefix, sizeof prefix, "%s", name);
    struct redis_store_settings s = {.target = &server.target,
                                     .prefix = str_of(prefix),
                                     .shards_n = 1,
                                     .lateness_ms = LATENESS_MS,
                                     .record_for_ms = HOUR_MS,
                                     .partitions = partitions,
                                     .partitions_n = n};
    store = redis_store_open(&s, &err);
    CHECK(store != NULL);
}

static void begin(struct str partition)
{
    struct store_place at = {.cursor = 0, .high_ms = STORE_NO_TIME};
    CHECK_INT(store->ops->begin(store, partition, &at, &err), 0);
}

/* The partition's first event, at T0; in a window of its own. */
static void event(struct str partition)
{
    struct store_event e = {.partition = partition,
                            .name = partition,
                            .time_ms = T0,
                            .window = partition,
                            .due_ms = T0 + HOUR_MS};
    store_event_apply(store, &e, &arena, &reply);
}

static void idle(struct str partition, int64_t cursor, int64_t proven_ms)
{
    struct store_place at = {.cursor = cursor};
    CHECK_INT(store->ops->idle(store, partition, &at, proven_ms, &reply, &err), 0);
    CHECK_INT(reply.outcome, APPLIED);
}

/* Old events that are filled in: silence moves event time on from them, not to the clock. */
static void test_filled_in(void)
{
    static const struct str name = STR("t/0");
    open_store("a", &name, 1);
    begin(name);
    event(name);
    int64_t applied_ms = reply.clock.now_ms;
    CHECK(applied_ms > T0 + 24 * HOUR_MS);
    idle(name, 1, applied_ms + 5000);
    CHECK_INT(reply.clock.watermark_ms, T0 + 5000 - LATENESS_MS);
    idle(name, 1, applied_ms + 4000); /* an older proof */
    CHECK_INT(reply.clock.watermark_ms, T0 + 5000 - LATENESS_MS);
}

/* Another server took over, and its clock is behind. */
static void test_clock_behind(void)
{
    static const struct str name = STR("t/0");
    open_store("b", &name, 1);
    begin(name);
    event(name);
    int64_t ahead_ms = reply.clock.now_ms + HOUR_MS;
    tell_time("meta", "clock", ahead_ms);
    idle(name, 1, STORE_NO_TIME);
    CHECK_INT(reply.clock.now_ms, ahead_ms);
    idle(name, 1, STORE_NO_TIME);
    CHECK_INT(reply.clock.now_ms, ahead_ms);
}

/* A topic that is gone holds the others for ten minutes. It comes back with the largest event time that it had. */
static void test_retired(void)
{
    static const struct str names[] = {STR("t/0"), STR("gone/0")};
    open_store("c", names, 2);
    begin(names[0]);
    begin(names[1]);
    event(names[1]);
    CHECK_INT(reply.clock.watermark_ms, STORE_NO_TIME); /* t/0 has shown nothing */
    idle(names[0], 0, T0 + HOUR_MS);
    CHECK_INT(reply.clock.watermark_ms, T0 - LATENESS_MS);
    CHECK_INT(store->ops->partitions(store, names, 1, &err), 0);
    idle(names[0], 0, T0 + HOUR_MS);
    CHECK_INT(reply.clock.watermark_ms, T0 - LATENESS_MS); /* it was there just now */
    tell_time("ats", "gone/0", reply.clock.now_ms - RETIRED_MS - 1);
    tell_time("seen", "gone/0", reply.clock.now_ms - RETIRED_MS - 1);
    CHECK_INT(store->ops->partitions(store, names, 1, &err), 0);
    idle(names[0], 0, T0 + HOUR_MS);
    CHECK_INT(reply.clock.watermark_ms, T0 + HOUR_MS - LATENESS_MS);
    CHECK_INT(store->ops->partitions(store, names, 2, &err), 0);
    struct store_place at;
    CHECK_INT(store->ops->cursor(store, names[1], &arena, &at, &err), 0);
    CHECK_INT(at.cursor, 1);
    CHECK_INT(at.high_ms, T0);
}

static void refused(int result, const char *words)
{
    CHECK_INT(result, -1);
    CHECK_INT(err.kind, ERR_REFUSED);
    if (!strstr(err.text, words))
        CHECK_STR(str_of(err.text), str_of(words));
    err_clear(&err);
}

/* A value that is no window, and a key of another type: said in words, and nothing else changes. */
static void test_not_ours(void)
{
    static const struct str name = STR("t/0");
    struct store_clock now;
    struct window *w;
    size_t n;
    open_store("d", &name, 1);
    begin(name);
    event(name);
    struct judged j = {.id = reply.windows[0].id,
                       .head = reply.windows[0].head,
                       .state = STR("state"),
                       .due_ms = T0 - HOUR_MS};
    memcpy(j.version, reply.windows[0].version, sizeof j.version);
    CHECK_INT(store->ops->commit(store, &j, 1, &now, &err), 0);
    CHECK(j.committed);
    tell("HSET", "windows", window_id_str(&j.id), STR("no window"));
    refused(store->ops->due(store, 10, false, &arena, &w, &n, &now, &err), "is damaged");
    tell("DEL", "cursors", STR_NONE, STR_NONE);
    tell("SET", "cursors", STR("of another program"), STR_NONE);
    struct store_place at;
    refused(store->ops->cursor(store, name, &arena, &at, &err), "redis.prefix");
}

static int64_t windows_n(void)
{
    static const struct str rule = STR("rule");
    int64_t n = -1;
    CHECK_INT(store->ops->windows(store, &rule, 1, &n, &err), 0);
    return n;
}

/* A window with one record is forgotten unheard, with the first entry whose writer knew that it was due. */
static void test_lapses_when_it_is_due(void)
{
    struct str partition = STR("t/0");
    struct window *windows;
    struct store_clock now;
    size_t n;
    open_store("lapses", &partition, 1);
    begin(partition);
    for (int i = 0; i < 4; i++) {
        const struct str names[] = {STR("a"), STR("b"), STR("c"), STR("d")};
        struct store_event e = {.partition = partition,
                                .name = names[i],
                                .offset = i,
                                .time_ms = T0 + i * HOUR_MS,
                                .window = i ? STR_NONE : STR("k"),
                                .judge_at = 3,
                                .due_ms = T0 + 2 * HOUR_MS - LATENESS_MS,
                                .lapses = true};
        store_event_apply(store, &e, &arena, &reply);
        CHECK_INT(store->ops->due(store, 10, false, &arena, &windows, &n, &now, &err), 0);
        CHECK_INT(n, 0);
        CHECK_INT(windows_n(), i < 3);
    }
}

/* Somebody else wrote a base: it is not waited for until the journal says so. */
static void test_base_of_another(void)
{
    static const struct str name = STR("t/0");
    static const char script[] =
        "local k = KEYS[1] local id = redis.call('HKEYS', k)[1] "
        "local base = redis.call('HGET', k, id) "
        "redis.call('HSET', k, id, struct.pack('<i8', 77) .. string.sub(base, 9))";
    struct window *found;
    size_t n;
    open_store("g", &name, 1);
    begin(name);
    event(name);
    struct judged j = {.id = reply.windows[0].id,
                       .head = reply.windows[0].head,
                       .state = STR("state"),
                       .due_ms = T0 + HOUR_MS};
    memcpy(j.version, reply.windows[0].version, sizeof j.version);
    CHECK_INT(store->ops->commit(store, &j, 1, &reply.clock, &err), 0);
    CHECK(j.committed);
    CHECK_INT(store->ops->peek(store, &j.id, 1, &arena, &found, &n, &err), 0);
    CHECK_INT(n, 1);
    struct redisReply *r = REDIS_COMMAND(admin, &err, STR("EVAL"), str_of(script),
                                         STR("1"), STR("g:7.1:{0}:windows"));
    CHECK(r != NULL);
    redis_reply_free(r);
    CHECK_INT(store->ops->peek(store, &j.id, 1, &arena, &found, &n, &err), -1);
    CHECK_INT(err.kind, ERR_REFUSED);
    err_clear(&err);
}

static void (*const tests[])(void) = {
    test_filled_in, test_clock_behind,          test_retired,
    test_not_ours,  test_lapses_when_it_is_due, test_base_of_another};

int main(void)
{
    arena_init(&arena);
    redis_server_start(&server, NULL);
    admin = redis_link_new(&server.target);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        tests[i]();
        if (err.kind != ERR_NONE)
            fprintf(stderr, "%s\n", err.text);
        CHECK_INT(err.kind, ERR_NONE);
        store->ops->close(store);
        arena_reset(&arena);
    }
    redis_link_free(admin);
    redis_server_kill(&server);
    arena_deinit(&arena);
    return check_result();
}
