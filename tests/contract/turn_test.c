/* Writers of one journal: one that takes longer to decide than others take to write comes to its turn. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "tests/check.h"
#include "tests/redis_server.h"
#include "windows/redis_link.h"
#include "windows/window_store.h"

enum {
    QUICK_N = 3,
    WRITERS = QUICK_N + 1,
    LARGE = 20000,    /* windows of a batch of the slow one */
    BATCHES = 2,      /* of it */
    ENOUGH_MS = 60000 /* that it may take */
};
static const int64_t T0 = 1772442000000; /* 2026-03-02T09:00:00Z */

static struct redis_server server;
static struct str names[WRITERS] = {STR("t/0"), STR("t/1"), STR("t/2"), STR("t/3")};
static atomic_bool done;

struct writer {
    pthread_t thread;
    size_t number, windows_n;
    int64_t batches,
        most; /* that were applied; that it is to apply, 0: until all is done */
    bool failed;
};

static struct window_store *open_store(struct err *e)
{
    struct redis_store_settings s = {.target = &server.target,
                                     .prefix = STR("turn"),
                                     .shards_n = 1,
                                     .lateness_ms = 1000,
                                     .record_for_ms = 86400000,
                                     .partitions = names,
                                     .partitions_n = WRITERS};
    return redis_store_open(&s, e);
}

/* A window of its own for each event. */
static void make_changes(const struct writer *w, struct arena *arena,
                         struct window_change *changes)
{
    for (size_t i = 0; i < w->windows_n; i++) {
        char text[64];
        struct buf head;
        snprintf(text, sizeof text, "%zu-%lld-%zu", w->number, (long long)w->batches, i);
        struct str key = str_of(text);
        buf_init(&head, 1000);
        window_head(&head, STR("rule"), &key, 1);
        changes[i] = (struct window_change){.head = arena_str(arena, buf_str(&head)),
                                            .id = window_id_of(buf_str(&head)),
                                            .records = STR("\1\0r"),
                                            .records_n = 1,
                                            .judge_at = 2,
                                            .lapses = true,
                                            .due_ms = T0 + 3600000};
        buf_deinit(&head);
    }
}

static bool batch(struct writer *w, struct window_store *store, struct arena *arena)
{
    struct window_change *changes = arena_alloc(arena, w->windows_n * sizeof *changes);
    struct apply_reply reply;
    struct err err = {0};
    make_changes(w, arena, changes);
    struct apply a = {.partition = names[w->number],
                      .start = w->batches,
                      .next = w->batches + 1,
                      .last_offset = w->batches,
                      .high_ms = T0,
                      .has_events = true,
                      .changes = changes,
                      .changes_n = w->windows_n};
    int result;
    do /* a mirror that begins takes a load */
        result = store->ops->apply(store, &a, arena, &reply, &err);
    while (result == 0 && reply.outcome == MISPLACED);
    return result == 0;
}

static void *write_on(void *arg)
{
    struct writer *w = arg;
    struct err err = {0};
    struct arena arena;
    struct window_store *store = open_store(&err);
    struct store_place at = {.cursor = 0, .high_ms = STORE_NO_TIME};
    int64_t until_ms = clock_monotonic_ms() + ENOUGH_MS;
    arena_init(&arena);
    w->failed = !store || store->ops->begin(store, names[w->number], &at, &err);
    while (!w->failed && !atomic_load(&done) && (!w->most || w->batches < w->most)) {
        arena_reset(&arena);
        w->failed = !batch(w, store, &arena) || clock_monotonic_ms() > until_ms;
        w->batches += !w->failed;
    }
    if (w->most)
        atomic_store(&done, true);
    if (store)
        store->ops->close(store);
    arena_deinit(&arena);
    return NULL;
}

static void test_slow_writer(void)
{
    struct writer writers[WRITERS] = {{0}};
    for (size_t i = 0; i < WRITERS; i++) {
        writers[i].number = i;
        writers[i].windows_n = i == QUICK_N ? LARGE : 1;
        writers[i].most = i == QUICK_N ? BATCHES : 0;
        CHECK_INT(pthread_create(&writers[i].thread, NULL, write_on, &writers[i]), 0);
    }
    for (size_t i = 0; i < WRITERS; i++)
        pthread_join(writers[i].thread, NULL);
    for (size_t i = 0; i < WRITERS; i++)
        CHECK(!writers[i].failed);
    CHECK_INT(writers[QUICK_N].batches, BATCHES);
    for (size_t i = 0; i < QUICK_N; i++)
        CHECK(writers[i].batches > BATCHES); /* nobody waits for long */
}

static void tell(const char *value)
{
    struct err err = {0};
    struct redis_link *admin = redis_link_new(&server.target);
    struct redisReply *r = REDIS_COMMAND(
        admin, &err, STR("HSET"), STR("turn:7.1:{0}:meta"), STR("turn"), str_of(value));
    CHECK(r != NULL);
    redis_reply_free(r);
    redis_link_free(admin);
}

/* Who had the turn died, and the server's clock went back by a year. */
static void test_left_over(void)
{
    char text[64];
    struct writer w = {.windows_n = 1};
    struct arena arena;
    struct err err = {0};
    struct window_store *store = open_store(&err);
    struct store_place at;
    arena_init(&arena);
    CHECK(store != NULL);
    if (!store)
        return;
    CHECK_INT(store->ops->cursor(store, names[0], &arena, &at, &err), 0);
    w.batches = at.cursor;
    snprintf(text, sizeof text, "dead %lld", (long long)clock_wall_ms() + 31536000000);
    tell(text);
    CHECK(batch(&w, store, &arena));
    w.batches++;
    snprintf(text, sizeof text, "dead %lld", (long long)clock_wall_ms() + 150);
    tell(text);
    int64_t begin_ms = clock_monotonic_ms();
    CHECK(batch(&w, store, &arena));
    CHECK(clock_monotonic_ms() - begin_ms >= 100); /* it was waited for */
    store->ops->close(store);
    arena_deinit(&arena);
}

int main(void)
{
    redis_server_start(&server, NULL);
    test_slow_writer();
    test_left_over();
    redis_server_kill(&server);
    return check_result();
}
