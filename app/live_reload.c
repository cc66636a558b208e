/* Another configuration while the stream runs. To the state it is what a restart with it would be: stores are opened with its
 * rules, beside those that work, and put them in place (docs/once.md, "Rules that change"); the engine begins anew on
 * them. What a restart would cost is kept: the membership in the group, and what is fetched. Nothing is given up before all of
 * the new is open, so a configuration that is bad, or that Kafka or Redis will not have, changes nothing. */
#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/live.h"
#include "app/live_state.h"
#include "app/load_config.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/metric_families.h"

enum { TRY_AGAIN_MS = 1000, FILES_EVERY_MS = 10000 };

/* --- what was replaced --- */

/* Its deliveries end in a thread of their own: a receiver that hangs holds up nobody. */
struct retired {
    pthread_t thread;
    atomic_bool done;
    struct setup *setup;
    struct config *config; /* NULL: the first one, which is the caller's */
};

static void *retire(void *arg)
{
    struct retired *r = arg;
    setup_close(r->setup, LIVE_DRAIN_MS);
    if (r->config)
        config_deinit(r->config);
    free(r->config);
    atomic_store(&r->done, true);
    return NULL;
}

static void begin_retiring(struct live *l, struct setup *setup, struct config *config)
{
    sigset_t all, before;
    struct retired *r = calloc(1, sizeof *r);
    assert(r);
    r->setup = setup;
    r->config = config;
    l->retired = r;
    sigfillset(&all); /* signals are for the loop's thread */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&r->thread, NULL, retire, r);
    assert(!failed);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void live_retire_wait(struct live *l)
{
    if (!l->retired)
        return;
    pthread_join(l->retired->thread, NULL);
    free(l->retired);
    l->retired = NULL;
}

/* --- reading --- */

void live_tell_reload(bool good)
{
    metric_set(metric_of(&metric_reload_success, STR_NONE, STR_NONE), good);
    if (good)
        metric_set(metric_of(&metric_reload_time, STR_NONE, STR_NONE), clock_wall_ms());
}

static void refuse(struct live *l, const char *why)
{
    char quoted[LOG_VALUE_BYTES];
    log_error("config_refused", "reason=%s kept=%016" PRIx64,
              log_quote(str_of(why), quoted), l->config->hash);
    status_config(l->status, why);
    live_tell_reload(false);
    l->reload_wanted = false;
}

static void forget(struct config *c)
{
    if (c)
        config_deinit(c);
    free(c);
}

static void first_mistake(const struct config_report *report, char *out, size_t n)
{
    size_t i = 0;
    while (i + 1 < report->mistakes_n && report->mistakes[i].warning)
        i++;
    const struct config_mistake *m = &report->mistakes[i];
    snprintf(out, n, "line %zu: %.*s", m->line, STR_ARG(m->text));
}

/* NULL after saying what is wrong with it. */
static struct config *read_config(struct live *l)
{
    struct config_report report;
    struct config *c = calloc(1, sizeof *c);
    char why[256];
    assert(c);
    if (config_load(config_watch_path(l->watch), c, CONFIG_RUN, &report) == 0) {
        buf_deinit(&report.text);
        return c;
    }
    log_mistakes(config_watch_path(l->watch), &report);
    first_mistake(&report, why, sizeof why);
    refuse(l, why);
    buf_deinit(&report.text);
    forget(c);
    return NULL;
}

/* What threads read that know of no other configuration. */
static int check_fixed(const struct config *now, const struct config *next, struct err *e)
{
    if (!str_eq(now->status.listen, next->status.listen))
        return err_set(e, ERR_REFUSED, "status.listen is another: that takes a restart");
    if (!str_eq(now->time.zone, next->time.zone))
        return err_set(e, ERR_REFUSED, "time.zone is another: that takes a restart");
    return 0;
}

/* Secrets or certificates of Kafka were changed: a client reads them once. */
static bool rotated(struct live *l)
{
    int64_t now_ms = clock_monotonic_ms();
    if (!l->setup || now_ms < l->files_ms)
        return false;
    l->files_ms = now_ms + FILES_EVERY_MS;
    return kafka_files_hash(&l->config->kafka.properties) != l->setup->kafka_files;
}

static bool wanted(struct live *l)
{
    if (!l->watch)
        return false;
    if (atomic_exchange(&l->orders->reload, false))
        l->reload_wanted = true;
    if (config_watch_changed(l->watch) || rotated(l))
        l->reload_wanted = true;
    if (!l->reload_wanted || clock_monotonic_ms() < l->reload_ms ||
        (l->retired && !atomic_load(&l->retired->done)))
        return false;
    live_retire_wait(l);
    return true;
}

/* --- taking it --- */

static bool same_texts(const struct str *a, const struct str *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!str_eq(a[i], b[i]))
            return false;
    return true;
}

static bool same_kafka(const struct kafka_settings *a, const struct kafka_settings *b)
{
    return str_eq(a->brokers, b->brokers) && str_eq(a->group, b->group) &&
           str_eq(a->dead_letter, b->dead_letter) && a->topics.n == b->topics.n &&
           same_texts(a->topics.items, b->topics.items, a->topics.n) &&
           a->properties.n == b->properties.n &&
           same_texts(a->properties.names, b->properties.names, a->properties.n) &&
           same_texts(a->properties.values, b->properties.values, a->properties.n);
}

/* What was counted stays: of a rule that is in both, by its name. */
static void carry_stats(struct engine_stats *to, struct engine_stats *from,
                        const struct config *next, const struct config *before)
{
    struct rule_stats *rules = to->rules;
    for (size_t i = 0; i < next->rules_n; i++)
        for (size_t j = 0; j < before->rules_n; j++)
            if (str_eq(next->rules[i].name, before->rules[j].name))
                rules[i] = from->rules[j];
    *to = *from;
    to->rules = rules;
}

void live_use_log(const struct live *l)
{
    const struct log_settings *log = &l->config->log;
    int level = l->config->has_log ? log->level : (int)log_level_of_environment();
    int format = log->format;
    if (l->orders->log_level)
        level = *l->orders->log_level;
    if (l->orders->log_format)
        format = *l->orders->log_format;
    log_use((enum log_level)level, (enum log_format)format);
}

static void use_config(struct live *l, const struct config *c)
{
    l->config = c;
    live_use_log(l);
    status_use(l->status, c);
    live_metrics_use(&l->metrics, c);
    live_forget_keys(l);
    live_forget_notices(l);
    l->keys_ms = 0;
    l->lanes_n = 0;
    l->full = 0;
    l->reload_wanted = false;
    status_config(l->status, "");
    live_tell_reload(true);
}

/* The source goes on, with what it has fetched, where it is the same; else the group is left, and joined anew. */
static bool keep_source(struct live *l, struct setup *next)
{
    struct setup *old = l->setup;
    bool kept = next->source == old->source;
    if (kept)
        kafka_source_reads(next->source, next->config->time.max_future_ms,
                           &next->config->maps);
    else if (old->source)
        old->source->ops->close(old->source);
    old->source = NULL;
    l->paused = l->paused && kept;
    return kept;
}

static void take_over(struct live *l, struct config *config, struct setup *next)
{
    bool kept = keep_source(l, next);
    struct engine before = l->engine;
    struct setup *old = l->setup;
    const struct config *old_config = l->config;
    l->setup = next;
    use_config(l, config);
    live_start_engine(l);
    if (kept)
        engine_inherit(&l->engine, &before);
    carry_stats(&l->engine.stats, &before.stats, config, old_config);
    engine_deinit(&before);
    begin_retiring(l, old, l->loaded);
    l->loaded = config;
    log_info("config_reloaded", "hash=%016" PRIx64 " rules=%zu sinks=%zu consumer=%s",
             config->hash, config->rules_n, config->sinks_n, next->consumer);
}

/* Away is no reason to refuse it: it is tried again, while the one before goes on. */
static void put_off(struct live *l, const struct err *why)
{
    char quoted[LOG_VALUE_BYTES];
    if (why->kind != ERR_UNAVAILABLE) {
        refuse(l, why->text);
        return;
    }
    log_warn("config_waits", "reason=%s", log_quote(str_of(why->text), quoted));
    l->reload_ms = clock_monotonic_ms() + TRY_AGAIN_MS;
}

int live_reload(struct live *l, struct err *e)
{
    struct source_listener listener = live_listener(l);
    struct setup *next = NULL;
    struct err why = {0};
    if (!wanted(l))
        return 0;
    struct config *config = read_config(l);
    if (!config)
        return 0;
    bool same = same_kafka(&l->config->kafka, &config->kafka) &&
                kafka_files_hash(&config->kafka.properties) == l->setup->kafka_files;
    struct source *source = same ? l->setup->source : NULL;
    if (check_fixed(l->config, config, &why) == 0)
        next = setup_open(config, source, &listener, &l->orders->stop, &why);
    if (!next) {
        put_off(l, &why);
        forget(config);
        return 0;
    }
    take_over(l, config, next);
    return live_first_look(l, e);
}

void live_reload_before_start(struct live *l)
{
    struct err why = {0};
    struct config *config = wanted(l) ? read_config(l) : NULL;
    if (!config)
        return;
    if (check_fixed(l->config, config, &why)) {
        refuse(l, why.text);
        forget(config);
        return;
    }
    use_config(l, config);
    forget(l->loaded);
    l->loaded = config;
}
