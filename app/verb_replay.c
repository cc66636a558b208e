/* replay: the alerts of a recorded log, on stdout in the order of the confirmed record. It is the live
 * loop with the twins of Kafka and Redis: a source that reads files, a store in memory. */
#include <assert.h>
#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "app/engine.h"
#include "app/load_config.h"
#include "app/record_order.h"
#include "app/stdout_done.h"
#include "app/verbs.h"
#include "core/clock.h"
#include "core/zone.h"

enum { REPORTED_REJECTS = 20, PROGRESS_EVERY_MS = 250, THREADS_DEFAULT = 1 };

struct replay {
    struct config config;
    struct source *source;
    struct window_store *store;
    struct engine engine;
    struct record_order order;
    struct batch batch;
    enum record_format format;
    bool settle, quiet;
    int threads;
    uint64_t reported;
    int64_t started_ms, shown_ms;
};

static int help(FILE *out, int code)
{
    fprintf(
        out,
        "usage: ticketwatch replay -c FILE [--format json|text] [--settle] [--quiet] "
        "[--threads N] LOG...\n\n"
        "Prints the alerts that the events of the LOGs confirm, in order of time: "
        "one JSON object a\n"
        "line, or one line of text. Sends nothing, needs no network. What could not "
        "be read is\n"
        "reported on stderr with file and line, counted, and skipped; a summary "
        "comes last.\n\n"
        "  LOG              JSON lines, plain, gzip or zstd; - is stdin\n"
        "  -c, --config     the configuration\n"
        "  --format         json (for machines, the default) or text (for people)\n"
        "  --settle         let time go on after the last event, so that every "
        "episode resolves\n"
        "  --quiet          no progress, no summary\n"
        "  --threads        2: one reads while the other judges, which is sooner done "
        "and finds the same;\n"
        "                   1 (the default): one does both\n\n"
        "  ticketwatch replay -c ticketwatch.yaml --format text march.jsonl.gz\n"
        "  zcat *.gz | ticketwatch replay -c ticketwatch.yaml - | jq "
        "'select(.severity==\"high\")'\n");
    return code;
}

static void take_record(void *arg, struct str line)
{
    struct err e = {0};
    if (record_order_add(arg, line, &e)) {
        fprintf(stderr,
                "ticketwatch: a line of the record is broken, which is a bug: %s\n",
                e.text);
        abort();
    }
}

/* Before something is said on stderr: what was printed so far comes first, also in a pipe. */
static void clear_line(const struct replay *r)
{
    fflush(stdout);
    if (r->shown_ms)
        fprintf(stderr, "\r\033[K");
}

static void report_rejects(struct replay *r)
{
    for (size_t i = 0; i < r->batch.rejects_n; i++) {
        const struct reject *reject = &r->batch.rejects[i];
        if (r->reported++ >= REPORTED_REJECTS)
            continue;
        clear_line(r);
        fprintf(stderr, "%.*s:%" PRId64 ": skipped: %s\n", STR_ARG(reject->file),
                reject->offset, reject->reason);
        if (r->reported == REPORTED_REJECTS)
            fprintf(stderr, "further lines that cannot be read are only counted\n");
    }
}

static void show_progress(struct replay *r)
{
    int64_t now = clock_monotonic_ms(), read_bytes = 0, total_bytes = 0;
    if (r->quiet || !isatty(STDERR_FILENO) ||
        now - r->started_ms < 2 * PROGRESS_EVERY_MS ||
        now - r->shown_ms < PROGRESS_EVERY_MS)
        return;
    r->shown_ms = now;
    r->source->ops->progress(r->source, &read_bytes, &total_bytes);
    fprintf(stderr, "\r%" PRIu64 " events, %.0f a second", r->engine.stats.events,
            (double)r->engine.stats.events * 1000.0 / (double)(now - r->started_ms));
    if (total_bytes)
        fprintf(stderr, ", %d %%",
                (int)(100.0 * (double)read_bytes / (double)total_bytes));
    fprintf(stderr, "\033[K");
}

static void summarise_rule(const struct rule *rule, const struct rule_stats *s)
{
    fprintf(stderr, "  %-24.*s %8" PRIu64 " matching events %6" PRIu64 " alerts",
            STR_ARG(rule->name), s->matches, judge_confirmed(s));
    if (s->muted)
        fprintf(stderr, ", %" PRIu64 " of them muted by known issues", s->muted);
    if (s->regressions)
        fprintf(stderr, ", %" PRIu64 " regressions", s->regressions);
    if (s->confirmed[ALERT_VERIFIED])
        fprintf(stderr, ", %" PRIu64 " verified fixes", s->confirmed[ALERT_VERIFIED]);
    if (s->left_out)
        fprintf(stderr, ", %" PRIu64 " events of too many keys were left out%s%s",
                s->left_out, s->left_out_key[0] ? ", one is " : "", s->left_out_key);
    fprintf(stderr, "\n");
}

static void summary(struct replay *r)
{
    const struct engine_stats *s = &r->engine.stats;
    double seconds = (double)(clock_monotonic_ms() - r->started_ms) / 1000.0;
    clear_line(r);
    if (r->quiet)
        return;
    fprintf(stderr,
            "%" PRIu64 " events in %.2f s (%.0f a second): %" PRIu64 " late, %" PRIu64
            " duplicates, %" PRIu64 " dead letters",
            s->events, seconds, (double)s->events / (seconds > 0.001 ? seconds : 0.001),
            s->late, s->duplicates, s->rejects);
    if (s->behind)
        fprintf(stderr, ", %" PRIu64 " behind the watermark", s->behind);
    fprintf(stderr, "\n");
    for (size_t i = 0; i < r->config.rules_n; i++)
        summarise_rule(&r->config.rules[i], &s->rules[i]);
}

/* One batch; what it confirmed for good is written. */
static int replay_batch(struct replay *r, struct err *e)
{
    report_rejects(r);
    if (engine_batch(&r->engine, &r->batch, e))
        return -1;
    record_order_write(&r->order, engine_watermark_ms(&r->engine));
    show_progress(r);
    return 0;
}

static int end_of_log(struct replay *r, struct err *e)
{
    memory_store_end(r->store, r->settle);
    r->engine.at_end = true;
    r->engine.shards[0].clock.watermark_ms = STORE_NO_TIME;
    if (engine_look(&r->engine, e)) /* at the new watermark */
        return -1;
    record_order_write(&r->order, INT64_MAX);
    return 0;
}

static int replay_all(struct replay *r, struct err *e)
{
    const struct str *names;
    size_t n;
    if (r->source->ops->partitions(r->source, &names, &n, e) ||
        r->store->ops->partitions(r->store, names, n, e))
        return -1;
    for (;;) {
        batch_reset(&r->batch);
        enum source_result got = r->source->ops->next(r->source, &r->batch, 1000, e);
        if (got == SOURCE_END)
            return end_of_log(r, e);
        if (got == SOURCE_ERROR || (got == SOURCE_BATCH && replay_batch(r, e)))
            return -1;
    }
}

/* What is freed is wanted again at once: giving it to the system and back costs time, most with two threads. Of the first
 * megabytes the system is asked to give two at a time, as they are needed, instead of four kilobytes. */
static void keep_memory(void)
{
    enum { ALWAYS_BYTES = 32 << 20, AT_ONCE_BYTES = 4 << 20 };
    enum { FIRST_BYTES = 24 << 20, LARGE_BYTES = 2 << 20 };
    mallopt(M_MMAP_THRESHOLD, ALWAYS_BYTES);
    mallopt(M_TRIM_THRESHOLD, ALWAYS_BYTES);
    mallopt(M_TOP_PAD, AT_ONCE_BYTES);
    char *first = malloc(FIRST_BYTES);
    assert(first);
    size_t ahead = -(uintptr_t)first % LARGE_BYTES;
    (void)madvise(first + ahead, FIRST_BYTES - LARGE_BYTES, MADV_HUGEPAGE);
    free(first);
}

/* What was confirmed before the error is still written: nothing that was found is lost. */
static int replay_logs(struct replay *r, const char *const *paths, size_t n)
{
    struct err e = {0};
    int code = EXIT_FINE;
    if (!zone_use(r->config.time.zone)) {
        fprintf(stderr, "ticketwatch: time.zone: the system has no zone '%.*s'\n",
                STR_ARG(r->config.time.zone));
        return EXIT_RUNTIME;
    }
    r->source = replay_source_open(paths, n, r->config.time.max_future_ms,
                                   &r->config.maps, r->threads, &e);
    if (!r->source) {
        fprintf(stderr, "ticketwatch: %s\n", e.text);
        return EXIT_RUNTIME;
    }
    record_order_init(&r->order, stdout, r->format, r->config.rules->inhibits,
                      r->config.rules->inhibits_n);
    r->store = memory_store_open(r->config.time.lateness_ms,
                                 (struct memory_listener){&r->order, NULL, take_record});
    engine_init(&r->engine, r->config.rules, r->config.judged_n,
                r->config.time.lateness_ms, r->source, &r->store, 1);
    batch_init(&r->batch);
    if (replay_all(r, &e)) {
        struct err ignored = {0};
        clear_line(r);
        fprintf(stderr, "ticketwatch: %s\n", e.text);
        (void)end_of_log(r, &ignored);
        code = EXIT_RUNTIME;
    }
    summary(r);
    if (code == EXIT_FINE && r->engine.stats.events == 0 && r->engine.stats.rejects) {
        fprintf(stderr,
                "ticketwatch: nothing in it is an event: is it the right file?\n");
        code = EXIT_FINDINGS;
    }
    batch_deinit(&r->batch);
    engine_deinit(&r->engine);
    r->store->ops->close(r->store);
    r->source->ops->close(r->source);
    record_order_deinit(&r->order);
    return code;
}

int verb_replay(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"config", required_argument, NULL, 'c'},
        {"format", required_argument, NULL, 'f'},
        {"settle", no_argument, NULL, 's'},
        {"quiet", no_argument, NULL, 'q'},
        {"threads", required_argument, NULL, 't'},
        {"help", no_argument, NULL, 'h'},
        {0}};
    struct replay r = {.threads = THREADS_DEFAULT};
    const char *config = NULL;
    for (int c; (c = getopt_long(argc, argv, "c:hq", long_options, NULL)) != -1;) {
        if (c == 'c')
            config = optarg;
        else if (c == 'f' && record_format_named(optarg, &r.format))
            continue;
        else if (c == 'f')
            return usage_error("replay", "--format", optarg, "json or text");
        else if (c == 's')
            r.settle = true;
        else if (c == 'q')
            r.quiet = true;
        else if (c == 't' && (strcmp(optarg, "1") == 0 || strcmp(optarg, "2") == 0))
            r.threads = optarg[0] - '0';
        else if (c == 't')
            return usage_error("replay", "--threads", optarg, "1 or 2");
        else
            return help(c == 'h' ? stdout : stderr, c == 'h' ? EXIT_FINE : EXIT_USAGE);
    }
    if (!config || optind == argc) {
        fprintf(stderr, "ticketwatch replay: %s\n\n",
                config ? "which LOG?" : "-c FILE is missing");
        return help(stderr, EXIT_USAGE);
    }
    keep_memory();
    r.started_ms = clock_monotonic_ms();
    int code = EXIT_FINDINGS;
    if (load_config(config, CONFIG_REPLAY, &r.config) == 0)
        code =
            replay_logs(&r, (const char *const *)&argv[optind], (size_t)(argc - optind));
    config_deinit(&r.config);
    return stdout_done() ? code : EXIT_RUNTIME;
}
