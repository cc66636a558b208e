/* alerts ls: the confirmed record of the live system, in the order and the words of replay. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "app/live.h"
#include "app/load_config.h"
#include "app/record_order.h"
#include "app/stdout_done.h"
#include "app/verbs.h"
#include "windows/redis_link.h"
#include "windows/window_store.h"

static int help(FILE *out, int code)
{
    fprintf(
        out,
        "usage: ticketwatch alerts ls -c FILE [--format json|text]\n\n"
        "Prints what the live system has confirmed, read from Redis, in order of time: "
        "the same\n"
        "lines that `replay` prints for the same events, so that `diff` compares the "
        "two.\n\n"
        "  -c, --config   the configuration\n"
        "  --format       json (one object a line, the default) or text (for people)\n");
    return code;
}

struct listing {
    struct record_order order;
    struct err *e;
};

static int take_line(void *arg, struct str line)
{
    struct listing *l = arg;
    return record_order_add(&l->order, line, l->e);
}

/* The record of one shard. */
static void list_shard(struct listing *l, const struct config *config,
                       const struct redis_target *target, size_t shard)
{
    struct redis_store_settings s = {.target = target,
                                     .prefix = config->redis.prefix,
                                     .shards_n = live_shards(config),
                                     .shard = shard,
                                     .lateness_ms = config->time.lateness_ms,
                                     .record_for_ms = config->record.record_for_ms,
                                     .look_only = true};
    struct window_store *store = redis_store_open(&s, l->e);
    if (!store)
        return;
    (void)store->ops->record(store, take_line, l, l->e);
    store->ops->close(store);
}

static int list(const struct config *config, enum record_format format, struct err *e)
{
    struct listing l = {.e = e};
    struct arena arena;
    struct redis_target target;
    arena_init(&arena);
    record_order_init(&l.order, stdout, format);
    if (live_redis_target(config, &arena, &target, e) == 0)
        for (size_t i = 0; i < live_shards(config) && e->kind == ERR_NONE; i++)
            list_shard(&l, config, &target, i);
    record_order_write(&l.order, INT64_MAX);
    if (l.order.written == 0 && e->kind == ERR_NONE)
        fprintf(stderr,
                "nothing is confirmed yet: that takes until the watermark has passed an "
                "alert, time.lateness behind the events\n");
    record_order_deinit(&l.order);
    arena_deinit(&arena);
    return e->kind == ERR_NONE && stdout_done() ? EXIT_FINE : EXIT_RUNTIME;
}

static int list_of(const char *path, enum record_format format)
{
    struct config config;
    struct err e = {0};
    int code = EXIT_FINDINGS;
    if (load_config(path, CONFIG_ALERTS, &config) == 0)
        code = list(&config, format, &e);
    if (e.kind != ERR_NONE)
        fprintf(stderr, "ticketwatch: %s\n", e.text);
    config_deinit(&config);
    return code;
}

int verb_alerts(int argc, char **argv)
{
    static const struct option long_options[] = {{"config", required_argument, NULL, 'c'},
                                                 {"format", required_argument, NULL, 'f'},
                                                 {"help", no_argument, NULL, 'h'},
                                                 {0}};
    const char *config = NULL;
    enum record_format format = RECORD_JSON;
    for (int c; (c = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1;) {
        if (c == 'c')
            config = optarg;
        else if (c == 'f' && record_format_named(optarg, &format))
            continue;
        else if (c == 'f')
            return usage_error("alerts", "--format", optarg, "json or text");
        else
            return help(c == 'h' ? stdout : stderr, c == 'h' ? EXIT_FINE : EXIT_USAGE);
    }
    if (!config || optind + 1 != argc || strcmp(argv[optind], "ls")) {
        fprintf(stderr, "ticketwatch alerts: %s\n\n",
                config ? "say `alerts ls`" : "-c FILE is missing");
        return help(stderr, EXIT_USAGE);
    }
    return list_of(config, format);
}
