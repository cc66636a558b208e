/* bench: how close to the least that any program must do. Ratios, measured side by side in one run: each
 * piece of work runs in a process of its own, the two of a pair in turn, and the median round counts. */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "app/bench_bare.h"
#include "app/bench_measure.h"
#include "app/live.h"
#include "app/load_config.h"
#include "app/verbs.h"
#include "windows/redis_link.h"
#include "windows/window_store.h"

enum { ROUNDS_DEFAULT = 5, ROUNDS_MAX = 99, CATCH_UP_S = 600 };

struct bench {
    const char *config_path;
    char *log;
    int rounds;
    struct config config;
    struct arena arena;
    char name[64]; /* group and prefix of this run */
};

static int help(FILE *out, int code)
{
    fprintf(out,
            "usage: ticketwatch bench -c FILE [--rounds N] [LOG]\n\n"
            "Prints two ratios of events per CPU second, each measured side by side in "
            "this run:\n"
            "  replay   `replay` of LOG to decoding LOG's lines with yyjson and nothing "
            "else\n"
            "  run      `run` on the topics of FILE, from their beginning to their end, "
            "to a librdkafka consumer\n"
            "           that reads the same topics and forgets them (if FILE has kafka "
            "and redis)\n"
            "Nothing is sent to sinks; `run` uses a consumer group and a Redis prefix of "
            "its own, removed after.\n\n"
            "  -c, --config   the configuration\n"
            "  --rounds N     how often each is measured; odd; the median counts "
            "(default %d)\n",
            ROUNDS_DEFAULT);
    return code;
}

static void print(const char *what, const struct cost *work, const struct cost *bare)
{
    double rate = (double)work->events / work->cpu_s,
           bare_rate = (double)bare->events / bare->cpu_s;
    printf("%-7s ratio %.3f   %9.0f events/CPU-s against %9.0f   (%" PRIu64
           " events, %.2f s CPU in %.2f s against %.2f s CPU)\n",
           what, rate / bare_rate, rate, bare_rate, work->events, work->cpu_s,
           work->wall_s, bare->cpu_s);
    fflush(stdout);
}

/* --- replay --- */

static uint64_t replay_work(void *arg)
{
    const struct bench *b = arg;
    char *argv[] = {(char *)(uintptr_t) "replay", (char *)(uintptr_t) "-c",
                    (char *)(uintptr_t)b->config_path, b->log, NULL};
    optind = 1;
    return verb_replay(4, argv) == EXIT_FINE;
}

static int bench_replay(struct bench *b, struct err *e)
{
    struct cost work[ROUNDS_MAX], bare[ROUNDS_MAX];
    for (int i = 0; i < b->rounds; i++) {
        if (bench_measure(bare_decode, b->log, &bare[i], e) ||
            bench_measure(replay_work, b, &work[i], e))
            return -1;
        work[i].events = bare[i].events;
    }
    struct cost w = bench_median(work, (size_t)b->rounds),
                d = bench_median(bare, (size_t)b->rounds);
    print("replay", &w, &d);
    return 0;
}

/* --- run --- */

static struct live_orders orders;

static void on_signal(int number)
{
    (void)number;
    atomic_store(&orders.stop, true);
}

static int run_work(void *arg)
{
    struct bench *b = arg;
    struct err e = {0};
    signal(SIGTERM, on_signal);
    return live_run(&b->config, NULL, &orders, &e) ? 1 : 0;
}

/* All that a run with this name left in Redis. */
static int clean_up(const struct bench *b, const struct redis_target *target,
                    struct err *e)
{
    char pattern[80], cursor[32] = "0";
    struct redis_link *link = redis_link_new(target);
    snprintf(pattern, sizeof pattern, "%s:*", b->name);
    do {
        struct redisReply *r =
            REDIS_COMMAND(link, e, STR("SCAN"), str_of(cursor), STR("MATCH"),
                          str_of(pattern), STR("COUNT"), STR("1000"));
        if (!r)
            break;
        snprintf(cursor, sizeof cursor, "%.*s",
                 STR_ARG(redis_reply_str(redis_reply_at(r, 0))));
        const struct redisReply *keys = redis_reply_at(r, 1);
        for (size_t i = 0; i < redis_reply_n(keys); i++)
            redis_reply_free(REDIS_COMMAND(link, e, STR("UNLINK"),
                                           redis_reply_str(redis_reply_at(keys, i))));
        redis_reply_free(r);
    } while (strcmp(cursor, "0"));
    redis_link_free(link);
    return e->kind == ERR_NONE ? 0 : -1;
}

static bool caught_up(struct window_store *store, const struct bare_end *ends, size_t n)
{
    struct arena arena;
    bool all = true;
    arena_init(&arena);
    for (size_t i = 0; i < n && all; i++) {
        struct err ignored = {0};
        struct store_place at;
        all = store->ops->cursor(store, ends[i].name, &arena, &at, &ignored) == 0 &&
              (at.cursor >= ends[i].end || ends[i].end == ends[i].start);
    }
    arena_deinit(&arena);
    return all;
}

static int wait_for_end(const struct bench *b, const struct redis_target *target,
                        const struct bare_end *ends, size_t n, struct err *e)
{
    struct redis_store_settings s = {.target = target,
                                     .prefix = str_of(b->name),
                                     .shards_n = 1,
                                     .lateness_ms = b->config.time.lateness_ms,
                                     .record_for_ms = 1,
                                     .look_only = true};
    struct window_store *store = redis_store_open(&s, e);
    time_t started = time(NULL);
    if (!store)
        return -1;
    while (!caught_up(store, ends, n) && time(NULL) - started < CATCH_UP_S)
        usleep(5000);
    bool done = caught_up(store, ends, n);
    store->ops->close(store);
    return done ? 0
                : err_set(e, ERR_UNAVAILABLE,
                          "the topics were not read to their end in %d s", CATCH_UP_S);
}

static int measure_run(struct bench *b, const struct redis_target *target,
                       const struct bare_end *ends, size_t n, struct cost *out,
                       struct err *e)
{
    struct running running;
    static int serial;
    snprintf(b->name, sizeof b->name, "ticketwatch-bench-%ld-%d", (long)getpid(),
             serial++);
    b->config.kafka.group = b->config.redis.prefix = str_of(b->name);
    if (bench_start(run_work, b, &running, e))
        return -1;
    int failed = wait_for_end(b, target, ends, n, e);
    struct err later = {0};
    if (bench_stop(&running, out, failed ? &later : e) || failed ||
        clean_up(b, target, e))
        return -1;
    out->events = 0;
    for (size_t i = 0; i < n; i++)
        out->events += (uint64_t)(ends[i].end - ends[i].start);
    return 0;
}

static int bench_run(struct bench *b, struct err *e)
{
    struct cost work[ROUNDS_MAX], bare[ROUNDS_MAX];
    struct redis_target target;
    struct bare_end *ends;
    size_t n;
    if (live_redis_target(&b->config, &b->arena, &target, e) ||
        bare_ends(&b->config, &b->arena, &ends, &n, e))
        return -1;
    b->config.sinks_n = 0;
    for (size_t i = 0; i < b->config.rules_n; i++)
        b->config.rules[i].send.n = 0;
    for (int i = 0; i < b->rounds; i++)
        if (bench_measure(bare_consume, &b->config, &bare[i], e) ||
            measure_run(b, &target, ends, n, &work[i], e))
            return -1;
    struct cost w = bench_median(work, (size_t)b->rounds),
                d = bench_median(bare, (size_t)b->rounds);
    print("run", &w, &d);
    return 0;
}

static int bench(struct bench *b)
{
    struct err e = {0};
    arena_init(&b->arena);
    int failed = b->log && bench_replay(b, &e);
    if (!failed && b->config.has_kafka && b->config.has_redis)
        failed = bench_run(b, &e);
    else if (!failed)
        printf("run     not measured: the configuration has no kafka and redis\n");
    if (failed)
        fprintf(stderr, "ticketwatch bench: %s\n", e.text);
    arena_deinit(&b->arena);
    return failed ? EXIT_RUNTIME : EXIT_FINE;
}

int verb_bench(int argc, char **argv)
{
    static const struct option long_options[] = {{"config", required_argument, NULL, 'c'},
                                                 {"rounds", required_argument, NULL, 'r'},
                                                 {"help", no_argument, NULL, 'h'},
                                                 {0}};
    struct bench b = {.rounds = ROUNDS_DEFAULT};
    for (int c; (c = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1;) {
        if (c == 'c')
            b.config_path = optarg;
        else if (c == 'r' && strtol(optarg, NULL, 10) % 2 == 1 &&
                 strtol(optarg, NULL, 10) <= ROUNDS_MAX)
            b.rounds = (int)strtol(optarg, NULL, 10);
        else
            return help(c == 'h' ? stdout : stderr, c == 'h' ? EXIT_FINE : EXIT_USAGE);
    }
    if (!b.config_path || optind + 1 < argc) {
        fprintf(stderr, "ticketwatch bench: %s\n\n",
                b.config_path ? "one LOG" : "-c FILE is missing");
        return help(stderr, EXIT_USAGE);
    }
    b.log = optind < argc ? argv[optind] : NULL;
    int code = EXIT_FINDINGS;
    if (load_config(b.config_path, CONFIG_REPLAY, &b.config) == 0)
        code = bench(&b);
    config_deinit(&b.config);
    return code;
}
