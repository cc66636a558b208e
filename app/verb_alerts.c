/* alerts ls: the confirmed record of the live system, in the order and the words of replay. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "app/live.h"
#include "app/load_config.h"
#include "app/record_order.h"
#include "app/stdout_done.h"
#include "app/verbs.h"
#include "core/timefmt.h"
#include "windows/redis_link.h"
#include "windows/shard.h"
#include "windows/silences.h"
#include "windows/window_store.h"

static int help(FILE *out, int code)
{
    fprintf(
        out,
        "usage: ticketwatch alerts ls -c FILE [--format json|text]\n"
        "       ticketwatch alerts show -c FILE ID [--format json|text]\n\n"
        "Prints what the live system has confirmed, read from Redis, in order of time: "
        "the same\n"
        "lines that `replay` prints for the same events, so that `diff` compares the "
        "two.\n\n"
        "  ls             all of them\n"
        "  show ID        one episode, from its beginning to its end, with accounts and "
        "evidence; the\n"
        "                 beginning of its id will do\n"
        "  -c, --config   the configuration\n"
        "  --format       json (one object a line, the default of ls) or text (for "
        "people, that of show)\n");
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

static void tell_nothing(const char *only)
{
    if (only)
        fprintf(stderr, "there is no confirmed alert whose id begins with %s\n", only);
    else
        fprintf(stderr,
                "nothing is confirmed yet: that takes until the watermark has passed an "
                "alert, time.lateness behind the events\n");
}

static void tell_muted(void *arg, const struct muted *m)
{
    char until[TIME_TEXT_BYTES];
    (void)arg;
    time_text(m->silence.until_ms, until);
    printf("    %.*s was not told to %.*s: silenced until %s by %.*s: %.*s\n",
           STR_ARG(m->state), STR_ARG(m->sink), until, STR_ARG(m->silence.author),
           STR_ARG(m->silence.reason));
}

/* Who was not told of the episode. */
static void show_muted(struct listing *l, const struct config *config,
                       const struct redis_target *target, struct arena *arena)
{
    size_t n = live_shards(config);
    for (size_t i = 0; i < n && l->e->kind == ERR_NONE; i++) {
        struct redis_link *link = redis_link_new(target);
        (void)silences_muted(link, shard_stem(config->redis.prefix, n, i, arena),
                             l->order.only, tell_muted, NULL, l->e);
        redis_link_free(link);
    }
}

/* `only`: the episode whose id begins so; NULL: all. */
static int list(const struct config *config, enum record_format format, const char *only,
                struct err *e)
{
    struct listing l = {.e = e};
    struct arena arena;
    struct redis_target target;
    arena_init(&arena);
    record_order_init(&l.order, stdout, format, config->rules->inhibits,
                      config->rules->inhibits_n);
    l.order.only = only;
    if (live_redis_target(config, &arena, &target, e) == 0)
        for (size_t i = 0; i < live_shards(config) && e->kind == ERR_NONE; i++)
            list_shard(&l, config, &target, i);
    record_order_write(&l.order, INT64_MAX);
    uint64_t written = l.order.written;
    if (written == 0 && e->kind == ERR_NONE)
        tell_nothing(only);
    if (only && written && format == RECORD_TEXT)
        show_muted(&l, config, &target, &arena);
    record_order_deinit(&l.order);
    arena_deinit(&arena);
    if (e->kind != ERR_NONE || !stdout_done())
        return EXIT_RUNTIME;
    return only && written == 0 ? EXIT_FINDINGS : EXIT_FINE;
}

static int list_of(const char *path, enum record_format format, const char *only)
{
    struct config config;
    struct err e = {0};
    int code = EXIT_FINDINGS;
    if (load_config(path, CONFIG_ALERTS, &config) == 0)
        code = list(&config, format, only, &e);
    if (e.kind != ERR_NONE)
        fprintf(stderr, "ticketwatch: %s\n", e.text);
    config_deinit(&config);
    return code;
}

/* What is wrong with the words behind the options; NULL: nothing. */
static const char *mistake(const char *config, char **words, int n)
{
    if (!config)
        return "-c FILE is missing";
    if (n == 1 && !strcmp(words[0], "show"))
        return "`alerts show` wants an ID, as the alert has it that was told";
    if ((n == 1 && !strcmp(words[0], "ls")) || (n == 2 && !strcmp(words[0], "show")))
        return NULL;
    return "say `alerts ls` or `alerts show ID`";
}

int verb_alerts(int argc, char **argv)
{
    static const struct option long_options[] = {{"config", required_argument, NULL, 'c'},
                                                 {"format", required_argument, NULL, 'f'},
                                                 {"help", no_argument, NULL, 'h'},
                                                 {0}};
    const char *config = NULL;
    enum record_format format = RECORD_JSON;
    bool written = false;
    for (int c; (c = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1;) {
        if (c == 'c')
            config = optarg;
        else if (c == 'f' && record_format_named(optarg, &format))
            written = true;
        else if (c == 'f')
            return usage_error("alerts", "--format", optarg, "json or text");
        else
            return help(c == 'h' ? stdout : stderr, c == 'h' ? EXIT_FINE : EXIT_USAGE);
    }
    const char *wrong = mistake(config, argv + optind, argc - optind);
    if (wrong) {
        fprintf(stderr, "ticketwatch alerts: %s\n\n", wrong);
        return help(stderr, EXIT_USAGE);
    }
    const char *only = argv[optind + 1];
    if (only && !written)
        format = RECORD_TEXT;
    return list_of(config, format, only);
}
