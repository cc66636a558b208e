/* The example week through the engine on both kinds of store, Redis in three shards: one record, with what is known of
 * accounts. Rules whose alerts are final when they are said; test_week.py has the others, with Kafka. */
#include <stdlib.h>

#include "app/engine.h"
#include "config/config.h"
#include "tests/check.h"
#include "tests/redis_server.h"

enum { SHARDS = 3 };

static const char rules[] =
    "time: {lateness: 10m}\n"
    "accounts: {remember: 1d}\n"
    "rules:\n"
    "  health:\n"
    "    by: [account]\n"
    "    health: {friction: {within: 2d}, csat: {min_ratings: 2, within: 2d}, quiet: "
    "{after: {at_least: 8, within: 2d}, silent_for: 6h}, weigh: {tier: {enterprise: "
    "1.5}}, at_risk: 40}\n"
    "  gone:\n"
    "    by: [account]\n"
    "    quiet: {after: {at_least: 8, within: 2d}, silent_for: 12h}\n"
    "  answer:\n"
    "    by: [ticket.id]\n"
    "    deadline: {from: ticket.created, until: ticket.first_response, within: 2h}\n";

struct lines {
    struct arena arena;
    struct str *items;
    size_t n, cap, accounts;
};

static void take(void *arg, struct str line)
{
    struct lines *l = arg;
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 1024;
        l->items = realloc(l->items, l->cap * sizeof *l->items);
        CHECK(l->items != NULL);
    }
    struct str kept = arena_str(&l->arena, line);
    l->accounts += strstr(kept.p, "\"owner\":") != NULL;
    l->items[l->n++] = kept;
}

static int take_from_redis(void *arg, struct str line)
{
    take(arg, line);
    return 0;
}

static int in_order(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* Reads the week to its end. */
static void run(const struct config *config, struct window_store *const *stores, size_t n)
{
    static const char *const paths[] = {"examples/week/week.jsonl.gz"};
    struct err e = {0};
    struct engine engine;
    struct batch batch;
    struct source *source =
        replay_source_open(paths, 1, config->time.max_future_ms, &config->maps, 1, &e);
    enum source_result got = SOURCE_BATCH;
    CHECK(source != NULL);
    engine_init(&engine, config->rules, config->judged_n, config->time.lateness_ms,
                source, stores, n);
    batch_init(&batch);
    while (got != SOURCE_END && e.kind == ERR_NONE) {
        batch_reset(&batch);
        got = source->ops->next(source, &batch, 1000, &e);
        if (got == SOURCE_BATCH)
            CHECK_INT(engine_batch(&engine, &batch, &e), 0);
    }
    CHECK_INT(engine_look(&engine, &e), 0);
    CHECK_STR(str_of(e.text), STR(""));
    batch_deinit(&batch);
    engine_deinit(&engine);
    source->ops->close(source);
}

static void through_memory(const struct config *config, struct lines *out)
{
    struct window_store *store = memory_store_open(
        config->time.lateness_ms, (struct memory_listener){out, NULL, take});
    run(config, &store, 1);
    store->ops->close(store);
}

static void through_redis(const struct config *config, struct lines *out)
{
    static struct redis_server server;
    struct window_store *stores[SHARDS];
    struct err e = {0};
    redis_server_start(&server, NULL);
    struct redis_store_settings s = {.target = &server.target,
                                     .prefix = STR("twins"),
                                     .shards_n = SHARDS,
                                     .lateness_ms = config->time.lateness_ms,
                                     .record_for_ms = INT64_C(365) * 86400000};
    for (s.shard = 0; s.shard < SHARDS; s.shard++) {
        stores[s.shard] = redis_store_open(&s, &e);
        CHECK(stores[s.shard] != NULL);
    }
    run(config, stores, SHARDS);
    for (size_t i = 0; i < SHARDS; i++) {
        CHECK_INT(stores[i]->ops->record(stores[i], take_from_redis, out, &e), 0);
        stores[i]->ops->close(stores[i]);
    }
    redis_server_kill(&server);
}

int main(void)
{
    struct config config;
    struct config_report report;
    struct lines memory = {0}, redis = {0};
    arena_init(&memory.arena);
    arena_init(&redis.arena);
    CHECK_INT(config_parse(str_of(rules), "rules", &config, CONFIG_REPLAY, &report), 0);
    through_memory(&config, &memory);
    through_redis(&config, &redis);
    qsort(memory.items, memory.n, sizeof *memory.items, in_order);
    qsort(redis.items, redis.n, sizeof *redis.items, in_order);
    CHECK(memory.n > 100);
    CHECK(memory.accounts > 50);
    CHECK_INT(redis.n, memory.n);
    for (size_t i = 0; i < memory.n && i < redis.n; i++)
        CHECK_STR(redis.items[i], memory.items[i]);
    printf("%zu lines, %zu of them tell an owner\n", memory.n, memory.accounts);
    free(memory.items);
    free(redis.items);
    arena_deinit(&memory.arena);
    arena_deinit(&redis.arena);
    buf_deinit(&report.text);
    config_deinit(&config);
    return check_result();
}
