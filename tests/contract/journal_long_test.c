/* The journal under load: what stands in Redis stays within bounds, whatever else is to be judged. */
#include <stdio.h>

#include "tests/check.h"
#include "tests/redis_server.h"
#include "tests/store_event.h"
#include "windows/redis_store_impl.h"

enum {
    LATENESS_MS = 1000,
    LONG_BYTES = 20000,
    BATCHES = 200,
    WINDOWS = 300,
    AT_ONCE = 256
};
static const int64_t T0 = 1772442000000; /* 2026-03-02T09:00:00Z */
static const int64_t YEAR_MS = 31536000000;

static struct redis_server server;
static struct window_store *store;
static struct mirror *mirror;
static struct arena arena;
static struct err err;

static void open_store(const char *prefix, size_t long_bytes)
{
    static const struct str partition = STR("t/0");
    struct store_place at = {.cursor = 0, .high_ms = STORE_NO_TIME};
    struct store_clock clock;
    struct window *none;
    size_t n;
    struct redis_store_settings s = {.target = &server.target,
                                     .prefix = str_of(prefix),
                                     .shards_n = 1,
                                     .lateness_ms = LATENESS_MS,
                                     .record_for_ms = 86400000,
                                     .partitions = &partition,
                                     .partitions_n = 1};
    store = redis_store_open(&s, &err);
    CHECK(store != NULL);
    CHECK_INT(store->ops->begin(store, partition, &at, &err), 0);
    CHECK_INT(store->ops->due(store, 1, false, &arena, &none, &n, &clock, &err), 0);
    mirror = &redis_store_of(store)->mirror;
    mirror->long_bytes = long_bytes;
    mirror->kept_ms = 0;
}

static struct window_change new_window(int64_t number)
{
    char text[64];
    struct buf head;
    snprintf(text, sizeof text, "%lld", (long long)(number * 7919 % 1000003));
    struct str key = str_of(text);
    buf_init(&head, 1000);
    window_head(&head, STR("many"), &key, 1);
    struct window_change c = {.id = window_id_of(buf_str(&head)),
                              .head = arena_str(&arena, buf_str(&head)),
                              .records = STR("\5\0first\6\0second"),
                              .records_n = 2,
                              .judge_at = 3,
                              .due_ms = T0 + YEAR_MS};
    buf_deinit(&head);
    return c;
}

/* Windows of two records each, due in a year: nothing is to be said of them, and they do not lapse. */
static struct store_clock load(int64_t batch)
{
    struct window_change changes[WINDOWS];
    struct apply_reply reply;
    for (int64_t i = 0; i < WINDOWS; i++)
        changes[i] = new_window(batch * WINDOWS + i);
    struct apply a = {.partition = STR("t/0"),
                      .start = batch,
                      .next = batch + 1,
                      .last_offset = -1,
                      .high_ms = T0,
                      .changes = changes,
                      .changes_n = WINDOWS};
    CHECK_INT(store->ops->apply(store, &a, &arena, &reply, &err), 0);
    CHECK_INT(reply.outcome, APPLIED);
    return reply.clock;
}

/* What a process does behind a batch; the window "other", of another rule, is one that it does not come to. */
static size_t judge(struct store_clock *clock)
{
    struct window_id other = store_event_window("other");
    struct window *windows;
    size_t n, committed = 0;
    struct judged *judged = arena_alloc(&arena, AT_ONCE * sizeof *judged);
    CHECK_INT(store->ops->due(store, AT_ONCE, false, &arena, &windows, &n, clock, &err),
              0);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (memcmp(&windows[i].id, &other, sizeof other) == 0)
            continue;
        judged[kept] = (struct judged){.id = windows[i].id,
                                       .head = windows[i].head,
                                       .kept = STR("\5\0first\6\0second"),
                                       .kept_n = 2,
                                       .due_ms = T0 + YEAR_MS,
                                       .no_news = true};
        memcpy(judged[kept++].version, windows[i].version, sizeof windows[i].version);
    }
    CHECK_INT(store->ops->commit(store, judged, kept, clock, &err), 0);
    for (size_t i = 0; i < kept; i++)
        committed += judged[i].committed;
    return committed;
}

static size_t bytes_of_journal(void)
{
    size_t bytes = 0;
    for (size_t i = 0; i < mirror->names_n; i++)
        for (struct mirror_field *f = mirror->names[i]->fields.first; f; f = f->next)
            bytes += f->kept_bytes;
    return bytes;
}

/* The most that stood there behind a batch. */
static size_t run(const char *prefix, size_t long_bytes)
{
    size_t most = 0;
    struct apply_reply reply;
    struct store_event other = {
        .partition = STR("t/0"),
        .name = STR("other"),
        .time_ms = T0,
        .window = STR("other"),
        .judge_at = 1,
        .due_ms = T0 + YEAR_MS,
    };
    open_store(prefix, long_bytes);
    store_event_apply(store, &other, &arena, &reply);
    for (int64_t batch = 1; batch <= BATCHES; batch++) {
        arena_reset(&arena);
        struct store_clock clock = load(batch);
        while (clock.waiting_n && judge(&clock))
            continue;
        CHECK_INT(clock.waiting_n, 1); /* "other", all the time */
        most = bytes_of_journal() > most ? bytes_of_journal() : most;
    }
    CHECK_INT(mirror_count(mirror, STR("many")), BATCHES * WINDOWS);
    store->ops->close(store);
    return most;
}

int main(void)
{
    arena_init(&arena);
    redis_server_start(&server, NULL);
    size_t all = run("all", SIZE_MAX), some = run("some", LONG_BYTES);
    CHECK(all > 8 * (size_t)LONG_BYTES);
    CHECK(some < 3 * (size_t)LONG_BYTES); /* what was judged stays until the next batch */
    redis_server_kill(&server);
    arena_deinit(&arena);
    return check_result();
}
