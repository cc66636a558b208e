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
    struct cost work[ROUNDS_MAX], bare[ROUNDS_MAX];
};

static int help(FILE *out, int code)
{
    fprintf(
        out,
        "usage: ticketwatch bench -c FILE [--rounds N] [LOG]\n\n"
        "Prints rows of a table: the median of the rounds, and the least and the "
        "greatest of them. Ratios are of\n"
        "events a CPU second, of two pieces of work that ran one after the other:\n"
        "  `replay` of LOG, and reading the same members from LOG's lines with yyjson; "
        "and with two threads beside\n"
        "  one, which alone is of time by the clock: the machine should have two cores "
        "free\n"
        "  `run` on the topics of FILE, from their beginning to their end, and a "
        "librdkafka consumer that reads\n"
        "  the same topics and forgets them (if FILE has kafka and redis); alone, and "
        "together with its Redis\n"
        "Nothing is sent to sinks; `run` uses a consumer group and a Redis prefix of "
        "its own, removed after.\n\n"
        "  -c, --config   the configuration\n"
        "  --rounds N     how often each is measured; odd; the median counts "
        "(default %d)\n",
        ROUNDS_DEFAULT);
    return code;
}

static double rate(const struct cost *c)
{
    return (double)c->events / c->cpu_s;
}

static double with_redis(const struct cost *c)
{
    return (double)c->events / (c->cpu_s + c->redis_s);
}

static void print_row(const char *what, struct spread s, const char *form)
{
    char text[3][32];
    const double values[] = {s.middle, s.low, s.high};
    for (size_t i = 0; i < 3; i++)
        snprintf(text[i], sizeof text[i], "%.*f", form[0] - '0', values[i]);
    printf("| %s | %s | %s to %s |\n", what, text[0], text[1], text[2]);
    fflush(stdout);
}

/* Of each round, by what was measured in that round. */
static void print_ratio(const char *what, double (*of)(const struct cost *),
                        const struct bench *b)
{
    double ratios[ROUNDS_MAX];
    for (int i = 0; i < b->rounds; i++)
        ratios[i] = of(&b->work[i]) / rate(&b->bare[i]);
    print_row(what, bench_spread(ratios, (size_t)b->rounds), "3");
}

/* --- replay --- */

static uint64_t replay_work(const struct bench *b, const char *threads)
{
    const char *argv[] = {"replay", "-c", b->config_path, "--threads", threads,
                          b->log,   NULL};
    optind = 1;
    return verb_replay(6, (char **)(uintptr_t)argv) == EXIT_FINE;
}

static uint64_t replay_one(void *arg)
{
    return replay_work(arg, "1");
}

static uint64_t replay_two(void *arg)
{
    return replay_work(arg, "2");
}

static int bench_replay(struct bench *b, struct err *e)
{
    double sooner[ROUNDS_MAX];
    for (int i = 0; i < b->rounds; i++) {
        struct cost two;
        if (bench_measure(bare_decode, b->log, &b->bare[i], e) ||
            bench_measure(replay_one, b, &b->work[i], e) ||
            bench_measure(replay_two, b, &two, e))
            return -1;
        b->work[i].events = b->bare[i].events;
        sooner[i] = b->work[i].wall_s / two.wall_s;
    }
    print_ratio("`replay` of the log beside decoding it, events a CPU second", rate, b);
    print_row("`replay --threads 2` beside one thread, events a second by the clock",
              bench_spread(sooner, (size_t)b->rounds), "2");
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

static double info_number(struct str info, const char *name)
{
    const char *at = memmem(info.p, info.n, name, strlen(name));
    return at ? strtod(at + strlen(name), NULL) : 0; /* hiredis ends texts with NUL */
}

/* User and system time that Redis has used. */
static int redis_cpu(const struct redis_target *target, double *out_s, struct err *e)
{
    struct redis_link *link = redis_link_new(target);
    struct redisReply *r = REDIS_COMMAND(link, e, STR("INFO"), STR("cpu"));
    struct str info = redis_reply_str(r);
    if (r)
        *out_s = info_number(info, "used_cpu_sys:") + info_number(info, "used_cpu_user:");
    redis_reply_free(r);
    redis_link_free(link);
    return r ? 0 : -1;
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
        usleep(20000); /* what asking costs Redis is in the figures */
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
    double before_s, after_s = 0;
    static int serial;
    snprintf(b->name, sizeof b->name, "ticketwatch-bench-%ld-%d", (long)getpid(),
             serial++);
    b->config.kafka.group = b->config.redis.prefix = str_of(b->name);
    if (redis_cpu(target, &before_s, e) || bench_start(run_work, b, &running, e))
        return -1;
    int failed = wait_for_end(b, target, ends, n, e) || redis_cpu(target, &after_s, e);
    struct err later = {0};
    if (bench_stop(&running, out, failed ? &later : e) || failed ||
        clean_up(b, target, e))
        return -1;
    out->redis_s = after_s - before_s;
    out->events = 0;
    for (size_t i = 0; i < n; i++)
        out->events += (uint64_t)(ends[i].end - ends[i].start);
    return 0;
}

static void print_run(const struct bench *b)
{
    double redis_us[ROUNDS_MAX], resident_mb[ROUNDS_MAX];
    for (int i = 0; i < b->rounds; i++) {
        redis_us[i] = b->work[i].redis_s * 1e6 / (double)b->work[i].events;
        resident_mb[i] = (double)b->work[i].resident_kb / 1024;
    }
    print_ratio("`run` beside a consumer that forgets, events a CPU second", rate, b);
    print_ratio("`run` and its Redis beside the same", with_redis, b);
    print_row("Redis, microseconds of CPU an event",
              bench_spread(redis_us, (size_t)b->rounds), "2");
    print_row("`run`, resident MiB", bench_spread(resident_mb, (size_t)b->rounds), "0");
}

static int bench_run(struct bench *b, struct err *e)
{
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
        if (bench_measure(bare_consume, &b->config, &b->bare[i], e) ||
            measure_run(b, &target, ends, n, &b->work[i], e))
            return -1;
    print_run(b);
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
        fprintf(stderr, "run: not measured: the configuration has no kafka and redis\n");
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
