/* What a state in Redis tells for the day on which it must be made anew, and what it does on that day. */
#include "tests/check.h"
#include "tests/redis_server.h"
#include "tests/store_event.h"
#include "windows/redis_link.h"
#include "windows/window_store.h"

enum { LATENESS_MS = 1000, RECORD_MS = 3600000, LOOKBACK_MS = 600000, HOUR_MS = 3600000 };
static const int64_t T0 = 1772442000000; /* 2026-03-02T09:00:00Z */

static struct redis_server server;
static struct window_store *store;
static struct arena arena;
static struct apply_reply reply;
static struct store_clock now;
static struct store_times past, times;
static struct err err;
static int64_t offset;

static int read_past(void *arg, struct store_times *out, struct err *e)
{
    ++*(int *)arg;
    (void)e;
    *out = past;
    return 0;
}

static int asked;

static void open_store(const char *prefix)
{
    static const struct str partition = STR("t/0");
    struct redis_store_settings s = {.target = &server.target,
                                     .prefix = str_of(prefix),
                                     .shards_n = 1,
                                     .lateness_ms = LATENESS_MS,
                                     .record_for_ms = RECORD_MS,
                                     .lookback_ms = LOOKBACK_MS,
                                     .partitions = &partition,
                                     .partitions_n = 1,
                                     .past = read_past,
                                     .past_arg = &asked};
    asked = 0;
    offset = 0;
    store = redis_store_open(&s, &err);
    CHECK(store != NULL);
    struct store_place at = {.cursor = 0, .high_ms = STORE_NO_TIME};
    CHECK_INT(store->ops->begin(store, partition, &at, &err), 0);
}

/* An event at T0 + ms; with a key it waits in the key's window to be judged. */
static void event(int64_t ms, const char *key, int64_t due_ms)
{
    char id[32];
    snprintf(id, sizeof id, "e%lld", (long long)offset);
    struct store_event e = {.partition = STR("t/0"),
                            .name = str_of(id),
                            .offset = offset,
                            .time_ms = T0 + ms,
                            .window = key ? str_of(key) : STR_NONE,
                            .due_ms = T0 + due_ms};
    store_event_apply(store, &e, &arena, &reply);
    offset++;
}

static void judged(const struct window *w, const struct outbox_line *line,
                   const struct episode_line *episode)
{
    struct judged j = {.id = w->id,
                       .head = w->head,
                       .due_ms = STORE_NO_DUE,
                       .outbox = line,
                       .outbox_n = line != NULL,
                       .episodes = episode,
                       .episodes_n = episode != NULL};
    memcpy(j.version, w->version, sizeof j.version);
    CHECK_INT(store->ops->commit(store, &j, 1, &now, &err), 0);
    CHECK(j.committed);
}

static void horizon(void)
{
    struct marks_line line = {STR("t/0"), STR("0:")};
    CHECK_INT(store->ops->horizon(store, INT64_MAX, &line, 1, &times, &err), 0);
}

/* Nothing was before, nothing is known; then what the watermark passed is said. */
static void test_follows_watermark(void)
{
    open_store("a");
    CHECK_INT(asked, 1);
    horizon();
    CHECK_INT(times.said_ms, STORE_NO_TIME);
    event(0, NULL, 0);
    horizon();
    CHECK_INT(times.said_ms, T0 - LATENESS_MS);
    CHECK_INT(times.record_ms, T0 - LATENESS_MS - RECORD_MS);
    CHECK_INT(times.from_ms, T0 - LATENESS_MS - RECORD_MS - LOOKBACK_MS);
    struct store_place at;
    CHECK_INT(store->ops->cursor(store, STR("t/0"), &arena, &at, &err), 0);
    CHECK_STR(at.marks, STR("0:"));
}

/* A window that waits, or that is due, holds it. */
static void test_held_by_windows(void)
{
    open_store("b");
    event(0, NULL, 0);
    horizon();
    event(50000, "k", 40000);
    event(90000, NULL, 0);
    horizon();
    CHECK_INT(times.said_ms, T0 - LATENESS_MS); /* it waits since then */
    size_t n;
    struct window *w;
    CHECK_INT(store->ops->due(store, 10, false, &arena, &w, &n, &now, &err), 0);
    CHECK_INT(n, 1);
    judged(w, NULL, NULL);
    horizon();
    CHECK_INT(times.said_ms, T0 + 90000 - LATENESS_MS);
}

static void deliver_first(void)
{
    static const char pop[] =
        "return redis.call('ZPOPMIN', redis.call('KEYS', 'm:*unsent')[1])";
    struct redis_link *link = redis_link_new(&server.target);
    struct redisReply *r = REDIS_COMMAND(link, &err, STR("EVAL"), str_of(pop), STR("0"));
    CHECK_INT(redis_reply_n(r), 2);
    redis_reply_free(r);
    redis_link_free(link);
}

/* It moves on although there is never a moment in which nothing waits and all is delivered. */
static void test_moves_on(void)
{
    static const char *const keys[] = {"k0", "k1", "k2", "k3", "k4", "k5"};
    struct outbox_line line = {STR("eng"), STR("{}"), T0, 0};
    struct window last = {0};
    open_store("m");
    for (int i = 0; i < 6; i++) {
        event(i * 60000, keys[i], HOUR_MS);
        CHECK_INT(reply.windows_n, 1);
        if (i)
            judged(&last, &line, NULL);
        if (i > 1)
            deliver_first();
        last = reply.windows[0];
        horizon();
    }
    CHECK_INT(times.said_ms, T0 + 180000 - LATENESS_MS);
}

/* So does what is not delivered: at what was judged when it came, whatever time it speaks of. */
static void test_held_by_outbox(void)
{
    open_store("c");
    event(0, NULL, 0);
    horizon();
    event(50000, "k", HOUR_MS);
    struct outbox_line line = {STR("eng"), STR("{}"), T0 + 50000, 0};
    judged(&reply.windows[0], &line, NULL);
    event(90000, NULL, 0);
    horizon();
    CHECK_INT(times.said_ms, T0 - LATENESS_MS);
}

/* An episode is begun again from where it began, until it is over for as long as the record is kept. */
static void test_episodes(void)
{
    open_store("d");
    event(0, "k", HOUR_MS);
    struct episode_line begins = {STR("id"), false, T0 - 2 * LOOKBACK_MS};
    judged(&reply.windows[0], NULL, &begins);
    event(2 * HOUR_MS, NULL, 0);
    horizon();
    CHECK_INT(times.from_ms, T0 - 2 * LOOKBACK_MS);
    event(3 * HOUR_MS, "k", HOUR_MS);
    struct episode_line ends = {STR("id"), true, T0 + 3 * HOUR_MS};
    judged(&reply.windows[0], NULL, &ends);
    event(4 * HOUR_MS, NULL, 0);
    horizon();
    CHECK_INT(times.from_ms, T0 - 2 * LOOKBACK_MS); /* it is still in the record */
    event(5 * HOUR_MS, NULL, 0);
    horizon();
    CHECK_INT(times.from_ms, T0 + 4 * HOUR_MS - LATENESS_MS - LOOKBACK_MS);
}

/* While a state is made anew it knows what was before, and says so. */
static void test_made_anew(void)
{
    past = (struct store_times){T0 + HOUR_MS, T0, T0 - HOUR_MS};
    open_store("e");
    CHECK_INT(store->past.said_ms, T0 + HOUR_MS);
    event(0, NULL, 0);
    horizon();
    CHECK_INT(times.said_ms, T0 + HOUR_MS);
    CHECK_INT(times.record_ms, T0);
    CHECK_INT(times.from_ms, T0 - HOUR_MS);
    store->ops->close(store);
    past = (struct store_times){STORE_NO_TIME, STORE_NO_TIME, STORE_NO_TIME};
    open_store("e"); /* there is a state: nobody asks */
    CHECK_INT(asked, 0);
    CHECK_INT(store->past.said_ms, T0 + HOUR_MS);
    offset = 1;
    event(2 * HOUR_MS, NULL, 0);
    horizon();
    CHECK_INT(times.said_ms, T0 + 2 * HOUR_MS - LATENESS_MS);
    CHECK_INT(times.record_ms, T0 + HOUR_MS - LATENESS_MS);
}

/* An outbox that is full loses nothing: what finds no room is a dead letter. */
static void test_full_outbox(void)
{
    open_store("f");
    for (int i = 0; i < 3; i++) {
        event(i, "k", HOUR_MS);
        struct outbox_line line = {STR("eng"), STR("{}"), T0, 2};
        judged(&reply.windows[0], &line, NULL);
    }
    CHECK_INT(store->full, 1);
}

/* The number that Redis answers to a command. */
static void (*const tests[])(void) = {
    test_follows_watermark, test_held_by_windows, test_held_by_outbox, test_moves_on,
    test_episodes,          test_made_anew,       test_full_outbox};

int main(void)
{
    arena_init(&arena);
    redis_server_start(&server, NULL);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        past = (struct store_times){STORE_NO_TIME, STORE_NO_TIME, STORE_NO_TIME};
        tests[i]();
        if (err.kind != ERR_NONE)
            fprintf(stderr, "%s\n", err.text);
        CHECK_INT(err.kind, ERR_NONE);
        store->ops->close(store);
        arena_reset(&arena);
    }
    redis_server_kill(&server);
    arena_deinit(&arena);
    return check_result();
}
