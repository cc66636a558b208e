/* silence: for a time, alerts that match are recorded and told to nobody. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "app/live.h"
#include "app/load_config.h"
#include "app/record_order.h"
#include "app/stdout_done.h"
#include "app/verbs.h"
#include "core/clock.h"
#include "core/timefmt.h"
#include "windows/redis_link.h"
#include "windows/shard.h"
#include "windows/silences.h"

static int help(FILE *out, int code)
{
    fprintf(
        out,
        "usage: ticketwatch silence add -c FILE MATCHER... --for 2h --reason TEXT\n"
        "       ticketwatch silence ls -c FILE [--format json|text]\n"
        "       ticketwatch silence expire -c FILE ID...\n\n"
        "While a silence lasts, what would be told of the alerts that it matches is told "
        "to nobody; the\n"
        "confirmed record has them all the same. An episode whose beginning was told is "
        "told its end.\n"
        "`run` knows of a silence within two seconds.\n\n"
        "  MATCHER (at least one; all must match; * and ? stand for anything)\n"
        "  --rule NAME        alerts of this rule\n"
        "  --key NAME=VALUE   alerts with this in their key, such as account=acme; may "
        "be repeated\n"
        "  --sink NAME        only what is told to this sink\n"
        "  --up-to SEVERITY   not those that are more severe\n"
        "  --everything       all alerts: a maintenance window\n\n"
        "  --for DURATION     how long, such as 30m or 2d\n"
        "  --until TIME       instead of --for\n"
        "  --from TIME        when it begins, such as 2026-03-02T22:00:00Z; by default "
        "now\n"
        "  --reason TEXT      why; who reads the record will ask\n"
        "  --author NAME      who; by default $USER\n"
        "  -c, --config       the configuration\n"
        "  --format           text (the default) or json (one object a line)\n");
    return code;
}

struct wish {
    const char *config, *verb;
    struct silence silence;
    bool everything, most_written;
    enum record_format format;
    int64_t for_ms; /* 0: not written */
    char **ids;
    int ids_n;
    const char *wrong; /* the first mistake */
    const char *wrong_value;
};

struct store {
    const struct config *config;
    struct arena *arena;
    struct redis_target target;
    struct redis_link *link;
    struct err *e;
};

/* --- the store --- */

static struct str stem(const struct store *s, size_t shard)
{
    return shard_stem(s->config->redis.prefix, live_shards(s->config), shard, s->arena);
}

/* In every shard; the first one last, for that is the one which is listed. */
static int put(struct store *s, const struct silence *silence, int64_t now_ms)
{
    for (size_t i = live_shards(s->config); i-- > 0;) {
        redis_link_drop(s->link); /* another shard may be on another node */
        if (silences_put(s->link, stem(s, i), silence, now_ms, s->e))
            return -1;
    }
    return 0;
}

/* --- add --- */

static int add(struct store *s, struct wish *w, int64_t now_ms)
{
    uint64_t id;
    struct silence *silence = &w->silence;
    if (getrandom(&id, sizeof id, 0) != sizeof id)
        return err_set(s->e, ERR_UNAVAILABLE, "there are no random numbers");
    snprintf(silence->id, sizeof silence->id, "%016" PRIx64, id);
    if (!silence->from_ms)
        silence->from_ms = now_ms;
    if (!silence->until_ms)
        silence->until_ms = silence->from_ms + w->for_ms;
    if (silence->until_ms <= silence->from_ms || silence->until_ms <= now_ms)
        return err_set(s->e, ERR_INPUT,
                       "it would end before it begins, or is over already");
    if (put(s, silence, now_ms))
        return -1;
    puts(silence->id);
    return 0;
}

/* --- ls --- */

static void print_text(const struct silence *s, int64_t now_ms)
{
    char from[TIME_TEXT_BYTES], until[TIME_TEXT_BYTES];
    time_text(s->from_ms, from);
    time_text(s->until_ms, until);
    const char *state = now_ms < s->from_ms    ? "to come"
                        : now_ms < s->until_ms ? "active"
                                               : "over";
    printf("%s  %-7s  %.19s to %.19s ", s->id, state, from, until);
    if (s->rule.n)
        printf(" rule=%.*s", STR_ARG(s->rule));
    for (size_t i = 0; i < s->keys_n; i++)
        printf(" %.*s=%.*s", STR_ARG(s->key_names[i]), STR_ARG(s->key_values[i]));
    if (s->sink.n)
        printf(" sink=%.*s", STR_ARG(s->sink));
    if (s->most != SEVERITY_CRITICAL)
        printf(" up-to=%s", severity_name(s->most));
    printf("  %.*s: %.*s\n", STR_ARG(s->author), STR_ARG(s->reason));
}

static int list(struct store *s, const struct wish *w, int64_t now_ms)
{
    struct silences all;
    struct buf line;
    if (silences_read(s->link, stem(s, 0), s->arena, &all, s->e))
        return -1;
    buf_init(&line, 64 * 1024);
    for (size_t i = 0; i < all.n; i++) {
        if (w->format == RECORD_TEXT) {
            print_text(&all.items[i], now_ms);
            continue;
        }
        buf_clear(&line);
        silence_json(&all.items[i], &line);
        printf("%.*s\n", STR_ARG(buf_str(&line)));
    }
    buf_deinit(&line);
    if (all.n == 0)
        fprintf(stderr, "there are no silences\n");
    return 0;
}

/* --- expire --- */

static struct silence *named(const struct silences *all, const char *id)
{
    for (size_t i = 0; i < all->n; i++)
        if (!strcmp(all->items[i].id, id))
            return &all->items[i];
    return NULL;
}

/* Exit code: findings where one of them is not there. */
static int expire(struct store *s, const struct wish *w, int64_t now_ms)
{
    struct silences all;
    int missing = 0;
    if (silences_read(s->link, stem(s, 0), s->arena, &all, s->e))
        return EXIT_RUNTIME;
    for (int i = 0; i < w->ids_n; i++) {
        struct silence *found = named(&all, w->ids[i]);
        if (!found) {
            fprintf(stderr,
                    "ticketwatch silence: there is none '%s'; `silence ls` lists them\n",
                    w->ids[i]);
            missing++;
            continue;
        }
        if (found->until_ms > now_ms)
            found->until_ms = now_ms;
        if (found->from_ms > now_ms)
            found->from_ms = now_ms;
        if (put(s, found, now_ms))
            return EXIT_RUNTIME;
    }
    return missing ? EXIT_FINDINGS : EXIT_FINE;
}

/* --- the verb --- */

static int act(struct store *s, struct wish *w)
{
    int64_t now_ms = clock_wall_ms();
    if (live_redis_target(s->config, s->arena, &s->target, s->e))
        return EXIT_RUNTIME;
    s->link = redis_link_new(&s->target);
    int code;
    if (!strcmp(w->verb, "expire"))
        code = expire(s, w, now_ms);
    else if (!strcmp(w->verb, "ls"))
        code = list(s, w, now_ms) ? EXIT_RUNTIME : EXIT_FINE;
    else if (add(s, w, now_ms) == 0)
        code = EXIT_FINE;
    else
        code = s->e->kind == ERR_INPUT ? EXIT_USAGE : EXIT_RUNTIME;
    redis_link_free(s->link);
    return code;
}

static int run(struct wish *w)
{
    struct config config;
    struct arena arena;
    struct err e = {0};
    struct store s = {.config = &config, .arena = &arena, .e = &e};
    int code = EXIT_FINDINGS;
    arena_init(&arena);
    if (load_config(w->config, CONFIG_ALERTS, &config) == 0)
        code = act(&s, w);
    if (e.kind != ERR_NONE)
        fprintf(stderr, "ticketwatch silence: %s\n", e.text);
    config_deinit(&config);
    arena_deinit(&arena);
    return stdout_done() ? code : EXIT_RUNTIME;
}

static void wrong(struct wish *w, const char *what, const char *value)
{
    if (!w->wrong) {
        w->wrong = what;
        w->wrong_value = value;
    }
}

static void take_key(struct wish *w, char *pair)
{
    struct silence *s = &w->silence;
    char *sign = strchr(pair, '=');
    if (!sign || sign == pair || !silence_text_good(str_of(sign + 1)) ||
        s->keys_n == ALERT_KEYS_MAX) {
        wrong(w, "--key takes NAME=VALUE, at most four times", pair);
        return;
    }
    *sign = '\0';
    s->key_names[s->keys_n] = str_of(pair);
    s->key_values[s->keys_n++] = str_of(sign + 1);
}

static void take_text(struct wish *w, struct str *to)
{
    *to = str_of(optarg);
    if (!silence_text_good(*to))
        wrong(w, "expected a text of up to 500 bytes of UTF-8", optarg);
}

static void take_time(struct wish *w, int64_t *to)
{
    if (!time_parse(str_of(optarg), to))
        wrong(w, "expected a time such as 2026-03-02T22:00:00Z", optarg);
}

enum {
    BY_FOR = 256,
    BY_UNTIL,
    BY_FROM,
    BY_RULE,
    BY_KEY,
    BY_SINK,
    BY_MOST,
    BY_ALL,
    BY_REASON,
    BY_AUTHOR,
    BY_FORMAT
};

static void take(struct wish *w, int c)
{
    struct silence *s = &w->silence;
    if (c == 'c')
        w->config = optarg;
    else if (c == BY_FOR &&
             (!duration_parse(str_of(optarg), &w->for_ms) || w->for_ms <= 0))
        wrong(w, "--for takes a duration such as 30m, 2h or 2d", optarg);
    else if (c == BY_UNTIL)
        take_time(w, &s->until_ms);
    else if (c == BY_FROM)
        take_time(w, &s->from_ms);
    else if (c == BY_RULE)
        take_text(w, &s->rule);
    else if (c == BY_KEY)
        take_key(w, optarg);
    else if (c == BY_SINK)
        take_text(w, &s->sink);
    else if (c == BY_MOST && !severity_named(str_of(optarg), &s->most))
        wrong(w, "--up-to takes low, medium, high or critical", optarg);
    else if (c == BY_ALL)
        w->everything = true;
    else if (c == BY_REASON)
        take_text(w, &s->reason);
    else if (c == BY_AUTHOR)
        take_text(w, &s->author);
    else if (c == BY_FORMAT && !record_format_named(optarg, &w->format))
        wrong(w, "--format takes json or text", optarg);
    w->most_written = w->most_written || c == BY_MOST;
}

static void check_add(struct wish *w)
{
    const struct silence *s = &w->silence;
    bool matcher = s->rule.n || s->keys_n || s->sink.n || w->most_written;
    if (!matcher && !w->everything)
        wrong(w, "say what to silence: --rule, --key, --sink, --up-to or --everything",
              NULL);
    if (matcher && w->everything)
        wrong(w, "--everything goes without other matchers", NULL);
    if (!w->for_ms == !s->until_ms)
        wrong(w, "say how long: --for DURATION or --until TIME", NULL);
    if (!s->reason.n)
        wrong(w, "--reason is missing: who reads the record will ask why", NULL);
    if (!s->author.n)
        wrong(w, "--author is missing, and there is no $USER", NULL);
}

static void check(struct wish *w)
{
    bool adds = w->verb && !strcmp(w->verb, "add"),
         lists = w->verb && !strcmp(w->verb, "ls");
    if (!w->verb || (!adds && !lists && strcmp(w->verb, "expire")))
        wrong(w, "say `silence add`, `silence ls` or `silence expire ID`", NULL);
    else if (!w->config)
        wrong(w, "-c FILE is missing", NULL);
    else if (adds)
        check_add(w);
    if ((adds || lists) && w->ids_n)
        wrong(w, "what is this for?", w->ids[0]);
    if (w->verb && !adds && !lists && !w->ids_n)
        wrong(w, "an ID is missing; `silence ls` lists them", NULL);
}

int verb_silence(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"config", required_argument, NULL, 'c'},
        {"for", required_argument, NULL, BY_FOR},
        {"until", required_argument, NULL, BY_UNTIL},
        {"from", required_argument, NULL, BY_FROM},
        {"rule", required_argument, NULL, BY_RULE},
        {"key", required_argument, NULL, BY_KEY},
        {"sink", required_argument, NULL, BY_SINK},
        {"up-to", required_argument, NULL, BY_MOST},
        {"everything", no_argument, NULL, BY_ALL},
        {"reason", required_argument, NULL, BY_REASON},
        {"author", required_argument, NULL, BY_AUTHOR},
        {"format", required_argument, NULL, BY_FORMAT},
        {"help", no_argument, NULL, 'h'},
        {0}};
    const char *user = getenv("USER");
    struct wish w = {
        .format = RECORD_TEXT,
        .silence = {.most = SEVERITY_CRITICAL, .author = str_of(user ? user : "")}};
    for (int c; (c = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1;) {
        if (c == 'h' || c == '?')
            return help(c == 'h' ? stdout : stderr, c == 'h' ? EXIT_FINE : EXIT_USAGE);
        take(&w, c);
    }
    w.verb = argv[optind];
    w.ids = argv + optind + (w.verb != NULL);
    w.ids_n = argc - optind - (w.verb != NULL);
    check(&w);
    if (!w.wrong)
        return run(&w);
    fprintf(stderr, "ticketwatch silence: %s%s%s%s\n\n", w.wrong,
            w.wrong_value ? ": '" : "", w.wrong_value ? w.wrong_value : "",
            w.wrong_value ? "'" : "");
    return help(stderr, EXIT_USAGE);
}
