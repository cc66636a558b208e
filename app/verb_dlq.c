/* dlq: what could not be read as an event (the dead-letter topic) and what could not be delivered (each sink's dead
 * stream), in one list; looked at, and given back once its cause is mended. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/dlq_print.h"
#include "app/live.h"
#include "app/load_config.h"
#include "app/stdout_done.h"
#include "app/verbs.h"
#include "windows/redis_link.h"
#include "windows/shard.h"

struct dlq {
    const struct config *config;
    struct arena arena;
    struct redis_target redis;
    const char *sink; /* NULL: of all */
    struct dlq_printer printer;
    struct kafka_letters *input; /* opened when it is asked for */
    struct dead_letters *shards[SHARDS_MAX];
    struct err *e;
};

static int help(FILE *out, int code)
{
    fprintf(
        out,
        "usage: ticketwatch dlq ls -c FILE [--sink NAME] [--format json|text]\n"
        "       ticketwatch dlq show -c FILE ID...\n"
        "       ticketwatch dlq redrive -c FILE ID... | --sink NAME --all\n\n"
        "Dead letters: what could not be read as an event (they stand in the topic "
        "kafka.dead_letter),\n"
        "and alerts that a sink would not take (in Redis). An ID is SINK/SHARD/ENTRY, or "
        "input/PARTITION/OFFSET.\n\n"
        "  ls             one line each, the oldest first\n"
        "  show           all that is known of it: the alert, or the record as it came\n"
        "  redrive        alerts: to the end of the sink's outbox, from where `run` sends "
        "them.\n"
        "                 Records: to the topic and partition where they came from. They "
        "stay in the\n"
        "                 dead-letter topic; what is read twice counts once, and what is "
        "later than\n"
        "                 time.lateness allows is left out as late\n\n"
        "  -c, --config   the configuration\n"
        "  --sink NAME    only this sink's; `--sink input`: only what could not be read\n"
        "  --all          redrive: every letter of the sink\n"
        "  --format       text (the default) or json (one object a line)\n");
    return code;
}

/* --- where they are --- */

static bool wanted(const struct dlq *d, const char *name)
{
    return !d->sink || !strcmp(d->sink, name);
}

static bool has_input(const struct dlq *d)
{
    return d->config->has_kafka && d->config->kafka.dead_letter.n;
}

static int open_input(struct dlq *d)
{
    const struct kafka_settings *k = &d->config->kafka;
    struct kafka_source_settings s = {.brokers = k->brokers,
                                      .group = k->group,
                                      .dead_letter = k->dead_letter,
                                      .property_names = k->properties.names,
                                      .property_values = k->properties.values,
                                      .properties_n = k->properties.n};
    if (!has_input(d))
        return err_set(d->e, ERR_REFUSED,
                       "the configuration has no kafka.dead_letter: what cannot be read "
                       "is counted and logged only");
    d->input = d->input ? d->input : kafka_letters_open(&s, d->e);
    return d->input ? 0 : -1;
}

static int open_shards(struct dlq *d)
{
    if (d->shards[0])
        return 0;
    if (live_redis_target(d->config, &d->arena, &d->redis, d->e))
        return -1;
    size_t n = live_shards(d->config);
    for (size_t i = 0; i < n; i++)
        d->shards[i] = dead_letters_open(
            &d->redis, shard_stem(d->config->redis.prefix, n, i, &d->arena));
    return 0;
}

static void close_all(struct dlq *d)
{
    if (d->input)
        kafka_letters_close(d->input);
    for (size_t i = 0; i < SHARDS_MAX && d->shards[i]; i++)
        dead_letters_close(d->shards[i]);
    arena_deinit(&d->printer.arena);
    arena_deinit(&d->arena);
}

/* Calls `take` for each letter of the sink, in each shard. */
static int each_of_sink(struct dlq *d, struct str sink, dead_letter_fn *take, void *arg)
{
    if (open_shards(d))
        return -1;
    d->printer.sink = sink.p;
    for (size_t i = 0; i < live_shards(d->config); i++) {
        d->printer.shard = i;
        if (dead_letters_each(d->shards[i], sink, take, arg, d->e))
            return -1;
    }
    return 0;
}

/* --- ls --- */

static int list(struct dlq *d)
{
    for (size_t i = 0; i < d->config->sinks_n; i++)
        if (wanted(d, d->config->sinks[i].name.p) &&
            each_of_sink(d, d->config->sinks[i].name, dlq_print_delivery, &d->printer))
            return -1;
    if (!wanted(d, DLQ_INPUT) || (!d->sink && !has_input(d)))
        return 0;
    return open_input(d) ||
                   kafka_letters_each(d->input, dlq_print_input, &d->printer, d->e)
               ? -1
               : 0;
}

/* --- show, redrive --- */

/* An ID in its parts: "SINK/SHARD/ENTRY" or "input/PARTITION/OFFSET". */
struct letter_id {
    struct str name, last;
    size_t number;
};

static bool id_parse(const char *text, struct letter_id *out)
{
    const char *first = strchr(text, '/'),
               *second = first ? strchr(first + 1, '/') : NULL;
    char *end;
    if (!second || first == text || second == first + 1 || !second[1])
        return false;
    out->name = (struct str){text, (size_t)(first - text)};
    out->number = strtoul(first + 1, &end, 10);
    out->last = str_of(second + 1);
    return end == second && out->number < SHARDS_MAX * 1000u;
}

static const struct sink_config *sink_of(const struct dlq *d, struct str name)
{
    for (size_t i = 0; i < d->config->sinks_n; i++)
        if (str_eq(d->config->sinks[i].name, name))
            return &d->config->sinks[i];
    return NULL;
}

/* One letter of the topic: shown or sent back. */
struct input_letter {
    struct dlq *d;
    bool send_back;
    int result;
};

static bool take_input(void *arg, const struct kafka_letter *letter)
{
    struct input_letter *i = arg;
    i->result = i->send_back ? kafka_letters_send_back(i->d->input, letter, i->d->e)
                             : !dlq_print_input(&i->d->printer, letter);
    return i->result == 0;
}

/* 1; 0: there is none; -1. */
static int one_input(struct dlq *d, const struct letter_id *id, bool redrive)
{
    struct input_letter i = {.d = d, .send_back = redrive};
    char *end;
    long long offset = strtoll(id->last.p, &end, 10);
    if (*end || open_input(d))
        return *end ? 0 : -1;
    int found =
        kafka_letters_find(d->input, (int32_t)id->number, offset, take_input, &i, d->e);
    return i.result ? -1 : found;
}

static int one_delivery(struct dlq *d, const struct letter_id *id, bool redrive)
{
    const struct sink_config *sink = sink_of(d, id->name);
    if (!sink || id->number >= live_shards(d->config))
        return 0;
    if (open_shards(d))
        return -1;
    struct dead_letters *shard = d->shards[id->number];
    d->printer.sink = sink->name.p;
    d->printer.shard = id->number;
    return redrive ? dead_letters_redrive(shard, sink->name, id->last, d->e)
                   : dead_letters_find(shard, sink->name, id->last, dlq_print_delivery,
                                       &d->printer, d->e);
}

/* Exit code: findings where one of them is not there. */
static int each_id(struct dlq *d, char **ids, int n, bool redrive)
{
    int missing = 0, done = 0;
    for (int i = 0; i < n; i++) {
        struct letter_id id;
        int found = !id_parse(ids[i], &id)       ? 0
                    : str_is(id.name, DLQ_INPUT) ? one_input(d, &id, redrive)
                                                 : one_delivery(d, &id, redrive);
        if (found < 0)
            return EXIT_RUNTIME;
        if (found == 0)
            fprintf(
                stderr,
                "ticketwatch dlq: there is no dead letter '%s'; `dlq ls` lists them\n",
                ids[i]);
        missing += !found;
        done += found;
    }
    if (redrive)
        fprintf(stderr, "%d given back\n", done);
    return missing ? EXIT_FINDINGS : EXIT_FINE;
}

struct redrive_all {
    struct dlq *d;
    struct str sink;
    uint64_t done;
    int result;
};

static bool redrive_delivery(void *arg, const struct dead_letter *letter)
{
    struct redrive_all *r = arg;
    int moved = dead_letters_redrive(r->d->shards[r->d->printer.shard], r->sink,
                                     letter->id, r->d->e);
    r->result = moved < 0 ? -1 : 0;
    r->done += moved > 0;
    return moved >= 0;
}

static bool redrive_input(void *arg, const struct kafka_letter *letter)
{
    struct redrive_all *r = arg;
    r->result = kafka_letters_send_back(r->d->input, letter, r->d->e);
    if (r->result && r->d->e->kind == ERR_INPUT) {
        fprintf(stderr, "ticketwatch dlq: " DLQ_INPUT "/%d/%lld: %s\n",
                (int)letter->partition, (long long)letter->offset, r->d->e->text);
        *r->d->e = (struct err){0};
        r->result = 0;
        return true;
    }
    r->done += r->result == 0;
    return r->result == 0;
}

static int redrive_all(struct dlq *d)
{
    struct redrive_all r = {.d = d, .sink = str_of(d->sink)};
    int result = -1;
    if (strcmp(d->sink, DLQ_INPUT) == 0)
        result = open_input(d) || kafka_letters_each(d->input, redrive_input, &r, d->e);
    else
        result = each_of_sink(d, r.sink, redrive_delivery, &r);
    fprintf(stderr, "%llu given back\n", (unsigned long long)r.done);
    return result || r.result ? EXIT_RUNTIME : EXIT_FINE;
}

/* --- the verb --- */

struct wish {
    const char *config, *verb;
    bool all;
    char **ids;
    int ids_n;
};

static int act(struct dlq *d, const struct wish *w)
{
    if (d->sink && strcmp(d->sink, DLQ_INPUT) != 0 && !sink_of(d, str_of(d->sink)))
        return err_set(d->e, ERR_INPUT, "there is no sink '%s' in %s", d->sink,
                       w->config),
               EXIT_USAGE;
    if (!strcmp(w->verb, "ls"))
        return list(d) ? EXIT_RUNTIME : EXIT_FINE;
    if (w->all)
        return redrive_all(d);
    return each_id(d, w->ids, w->ids_n, !strcmp(w->verb, "redrive"));
}

static int run(struct dlq *d, const struct wish *w)
{
    struct config config;
    struct err e = {0};
    int code = EXIT_FINDINGS;
    d->config = &config;
    d->e = &e;
    arena_init(&d->arena);
    arena_init(&d->printer.arena);
    if (load_config(w->config, CONFIG_ALERTS, &config) == 0) {
        code = act(d, w);
        if (code == EXIT_FINE && !strcmp(w->verb, "ls") && d->printer.printed == 0)
            fprintf(stderr, "there are no dead letters\n");
    }
    close_all(d);
    if (e.kind != ERR_NONE)
        fprintf(stderr, "ticketwatch dlq: %s\n", e.text);
    config_deinit(&config);
    return stdout_done() ? code : EXIT_RUNTIME;
}

/* What is wrong with the wish; NULL: nothing. */
static const char *mistake(const struct wish *w, const char *sink)
{
    bool ls = w->verb && !strcmp(w->verb, "ls");
    if (!w->config)
        return "-c FILE is missing";
    if (!w->verb || (!ls && strcmp(w->verb, "show") && strcmp(w->verb, "redrive")))
        return "say `dlq ls`, `dlq show ID` or `dlq redrive ID`";
    if (ls && (w->ids_n || w->all))
        return "`dlq ls` takes no ID; `dlq show ID` does";
    if (w->all && (w->ids_n || !sink || strcmp(w->verb, "redrive")))
        return "--all goes with `dlq redrive --sink NAME`, without IDs";
    if (!ls && !w->all && !w->ids_n)
        return "an ID is missing; `dlq ls` lists them";
    return NULL;
}

int verb_dlq(int argc, char **argv)
{
    static const struct option long_options[] = {{"config", required_argument, NULL, 'c'},
                                                 {"format", required_argument, NULL, 'f'},
                                                 {"sink", required_argument, NULL, 's'},
                                                 {"all", no_argument, NULL, 'a'},
                                                 {"help", no_argument, NULL, 'h'},
                                                 {0}};
    struct dlq d = {.printer.format = RECORD_TEXT};
    struct wish w = {0};
    for (int c; (c = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1;) {
        if (c == 'c')
            w.config = optarg;
        else if (c == 's')
            d.sink = optarg;
        else if (c == 'a')
            w.all = true;
        else if (c == 'f' && record_format_named(optarg, &d.printer.format))
            continue;
        else if (c == 'f')
            return usage_error("dlq", "--format", optarg, "json or text");
        else
            return help(c == 'h' ? stdout : stderr, c == 'h' ? EXIT_FINE : EXIT_USAGE);
    }
    w.verb = argv[optind];
    if (w.verb) {
        w.ids = argv + optind + 1;
        w.ids_n = argc - optind - 1;
    }
    const char *wrong = mistake(&w, d.sink);
    if (wrong) {
        fprintf(stderr, "ticketwatch dlq: %s\n\n", wrong);
        return help(stderr, EXIT_USAGE);
    }
    d.printer.whole = !strcmp(w.verb, "show");
    return run(&d, &w);
}
