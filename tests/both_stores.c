#include "tests/both_stores.h"

#include <stdio.h>

#include "tests/check.h"
#include "tests/redis_server.h"

static struct window_store *in_redis(struct redis_server *server, int64_t lateness_ms,
                                     size_t test)
{
    char prefix[24];
    struct err err = {0};
    snprintf(prefix, sizeof prefix, "test%zu", test);
    struct redis_store_settings s = {.target = &server->target,
                                     .prefix = str_of(prefix),
                                     .shards_n = 1,
                                     .lateness_ms = lateness_ms,
                                     .record_for_ms = 86400000};
    struct window_store *store = redis_store_open(&s, &err);
    CHECK(store != NULL);
    return store;
}

static void hear_nothing(void *arg, struct str sink, struct str body)
{
    (void)arg, (void)sink, (void)body;
}

/* Redis hands windows out as soon as something may be said early: so does memory, where somebody hears. */
void both_stores(int64_t lateness_ms, struct memory_listener listener,
                 void (*run)(struct window_store *store, size_t test), size_t n)
{
    static struct redis_server server; /* it is stopped at exit */
    listener.outbox = listener.outbox ? listener.outbox : hear_nothing;
    for (size_t i = 0; i < n; i++) {
        struct window_store *store = memory_store_open(lateness_ms, listener);
        run(store, i);
        store->ops->close(store);
    }
    redis_server_start(&server, NULL);
    for (size_t i = 0; i < n; i++) {
        struct window_store *store = in_redis(&server, lateness_ms, i);
        if (!store)
            continue;
        run(store, i);
        store->ops->close(store);
    }
    redis_server_kill(&server);
}
