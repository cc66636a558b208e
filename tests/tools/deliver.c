/* Delivers from an outbox to webhooks and other sinks until SIGTERM, for tests that drive delivery from outside.
 *
 *   deliver REDIS_URL CONSUMER [OPTION=NUMBER...] NAME=URL|NAME=@FILE|NAME:TYPE=SETTINGS ...
 *
 * Options are the times of struct delivery_settings without "_ms", drain, shards; and of the sinks after it:
 * concurrency, gap (ms), digest_above, proxy=URL, ca_file=PATH, allow=WORD[,WORD...], timeout; hide=SOURCE,HIDDEN,FIELD. @FILE holds the URL, read again as
 * secrets are. Settings are "name=value;name=value", as tests/sink_case.h has them. SIGUSR1: prints each
 * sink's counters as a line of JSON. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/inhibit.h"
#include "sinks/delivery.h"
#include "tests/sink_case.h"
#include "windows/redis_link.h"

enum {
    SINKS_MAX = 64,
    WORDS_MAX = 4,
    SETTINGS_MAX = 16,
    TIMEOUT_MS = 1000,
    URL_BYTES = 500
};

struct target {
    struct str proxy;
    const char *url; /* or @FILE; NULL: of another type than webhook */
    struct sink_case sink;
};

/* What the sinks after it on the command line are like. */
static struct delivery_sink sink_now;
static struct str proxy;
static struct inhibit inhibit; /* name.n == 0: none */

static int read_url(const char *path, struct arena *arena, struct str *out, struct err *e)
{
    char text[URL_BYTES];
    FILE *f = fopen(path, "r");
    if (!f)
        return err_set(e, ERR_REFUSED, "cannot read %s", path);
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    *out = arena_str(arena, (struct str){text, n});
    return 0;
}

static int secrets(void *arg, struct arena *arena, struct sink_secrets *out,
                   struct err *e)
{
    const struct target *t = arg;
    *out = t->sink.secrets;
    out->proxy = t->proxy;
    if (!t->url)
        return 0;
    if (t->url[0] == '@')
        return read_url(t->url + 1, arena, &out->values[0], e);
    out->values[0] = str_of(t->url);
    return 0;
}

static bool is_named(const char *arg, size_t n, const char *name)
{
    return strlen(name) == n && memcmp(arg, name, n) == 0;
}

static bool take_option(const char *arg, size_t n, struct delivery_settings *s,
                        int64_t *drain_ms)
{
    int64_t shards_n = (int64_t)s->shards_n, concurrency = 0;
    const struct {
        const char *name;
        int64_t *value;
    } rows[] = {{"drain", drain_ms},
                {"shards", &shards_n},
                {"concurrency", &concurrency},
                {"timeout", &sink_now.network.timeout_ms},
                {"gap", &sink_now.gap_ms},
                {"digest_above", &sink_now.digest_above},
                {"digest_within", &s->digest_within_ms},
                {"connect_timeout", &s->connect_timeout_ms},
                {"request_timeout", &s->request_timeout_ms},
                {"lease", &s->lease_ms},
                {"retry_min", &s->retry_min_ms},
                {"retry_max", &s->retry_max_ms},
                {"retry_after_max", &s->retry_after_max_ms},
                {"paused_min", &s->paused_min_ms},
                {"paused_max", &s->paused_max_ms},
                {"give_up", &s->give_up_ms}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (is_named(arg, n, rows[i].name)) {
            *rows[i].value = strtoll(arg + n + 1, NULL, 10);
            s->shards_n = (size_t)shards_n;
            sink_now.concurrency =
                concurrency ? (size_t)concurrency : sink_now.concurrency;
            return true;
        }
    return false;
}

/* Kept until the end. */
static void take_words(const char *list, struct texts *out)
{
    *out = (struct texts){calloc(WORDS_MAX, sizeof *out->items), 0};
    while (*list && out->items && out->n < WORDS_MAX) {
        size_t n = strcspn(list, ",");
        out->items[out->n++] = (struct str){list, n};
        list += n + (list[n] == ',');
    }
}

/* SOURCE,HIDDEN,FIELD */
static void take_inhibit(const char *value)
{
    struct texts words;
    take_words(value, &words);
    if (words.n == 3)
        inhibit = (struct inhibit){
            STR("explained"), words.items[0], {words.items + 1, 1}, {words.items + 2, 1}};
}

static bool take_text(const char *arg, size_t n)
{
    const char *value = arg + n + 1;
    if (is_named(arg, n, "proxy"))
        proxy = str_of(value);
    else if (is_named(arg, n, "ca_file"))
        sink_now.network.ca_file = str_of(value);
    else if (is_named(arg, n, "hide"))
        take_inhibit(value);
    else if (!is_named(arg, n, "allow"))
        return false;
    else
        take_words(value, &sink_now.network.allow_private);
    return true;
}

static void print_stats(const struct delivery *d,
                        const struct delivery_settings *settings)
{
    for (size_t i = 0; i < settings->sinks_n; i++) {
        struct delivery_stats s = delivery_stats(d, i);
        printf("{\"sink\":\"%.*s\",\"delivered\":%lld,\"digested\":%lld,\"retried\":%lld,"
               "\"dead\":%lld,"
               "\"superseded\":%lld,\"queued\":%lld,\"oldest_ms\":%lld,\"dead_total\":%"
               "lld,\"open\":%d,"
               "\"paused\":%d}\n",
               STR_ARG(settings->sinks[i].name), (long long)s.delivered,
               (long long)s.digested, (long long)s.retried, (long long)s.dead,
               (long long)s.superseded, (long long)s.queued, (long long)s.oldest_ms,
               (long long)s.dead_total, s.open, s.paused);
    }
    fflush(stdout);
}

static void wait_for_end(const struct delivery *d, const struct delivery_settings *s)
{
    sigset_t set;
    int got = 0;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    puts("ready");
    fflush(stdout);
    while (got != SIGTERM) {
        sigwait(&set, &got);
        if (got == SIGUSR1)
            print_stats(d, s);
    }
}

/* TYPE=SETTINGS */
static int take_type(const char *text, struct sink_case *out, struct err *e)
{
    static struct arena arena; /* until the end */
    const char *settings[SETTINGS_MAX], *type = NULL;
    char *rest = arena_alloc(&arena, strlen(text) + 1);
    size_t n = 0;
    memcpy(rest, text, strlen(text));
    type = strsep(&rest, "=");
    for (char *one; n < SETTINGS_MAX && (one = strsep(&rest, ";"));)
        if (*one)
            settings[n++] = one;
    return sink_case_init(out, type, settings, n, &arena, e);
}

static int take_sink(const char *arg, struct delivery_sink *row, struct target *target,
                     struct err *e)
{
    size_t n = strcspn(arg, ":="); /* a name has neither */
    *row = sink_now;
    row->name = (struct str){arg, n};
    row->type = sink_named(STR("webhook"));
    row->secrets = secrets;
    row->secrets_arg = target;
    target->proxy = proxy;
    if (arg[n] == '=') {
        target->url = arg + n + 1;
        return 0;
    }
    if (take_type(arg + n + 1, &target->sink, e))
        return -1;
    row->type = target->sink.sink;
    row->every_step =
        row->type->every_step; /* of webhooks here none is: that is tried with them */
    row->settings = target->sink.settings;
    row->digest_above = row->type->digests ? row->digest_above : 0;
    return 0;
}

/* Sinks and OPTION=NUMBER... */
static int take_arguments(char **arg, struct delivery_settings *s, int64_t *drain_ms,
                          struct err *e)
{
    static struct target targets[SINKS_MAX];
    static struct delivery_sink rows[SINKS_MAX];
    s->sinks = rows;
    for (; *arg && s->sinks_n < SINKS_MAX; arg++) {
        size_t n = strcspn(*arg, "=");
        if (!(*arg)[n] || take_option(*arg, n, s, drain_ms) || take_text(*arg, n))
            continue;
        if (take_sink(*arg, &rows[s->sinks_n], &targets[s->sinks_n], e))
            return -1;
        s->sinks_n++;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct redis_target redis;
    struct err e = {0};
    int64_t drain_ms = 5000;
    if (argc < 3 || redis_target_parse(str_of(argv[1]), &redis, &e) < 0) {
        fprintf(stderr, "deliver REDIS_URL CONSUMER [OPTION=NUMBER...] NAME=URL... %s\n",
                e.text);
        return 2;
    }
    redis.timeout_ms = TIMEOUT_MS;
    struct delivery_settings settings = {.redis = &redis,
                                         .prefix = STR("tw"),
                                         .consumer = str_of(argv[2]),
                                         .inhibits = &inhibit};
    struct delivery *d = NULL;
    if (take_arguments(argv + 3, &settings, &drain_ms, &e) == 0)
        settings.inhibits_n = inhibit.name.n > 0;
    if (e.kind == ERR_NONE)
        d = delivery_start(&settings, &e);
    if (!d) {
        fprintf(stderr, "%s\n", e.text);
        return 3;
    }
    wait_for_end(d, &settings);
    delivery_stop(d, drain_ms);
    return 0;
}
