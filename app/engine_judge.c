/* The engine judges: what a batch touched, what waits, what is due. In a tick the shards that answer have their turn also
 * where one does not. */
#include "app/engine.h"
#include "app/enrich.h"
#include "core/clock.h"
#include "core/fault.h"

enum { JUDGE_AT_ONCE = 256, TOGETHER_MS = 50 };

static bool any_unproven(const struct judged *judged, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (judged[i].unproven)
            return true;
    return false;
}

static bool any_asks(const struct finding *findings, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (findings[i].rule && findings[i].found.asks_issues)
            return true;
    return false;
}

/* What would be said at once, were it proven that nothing older comes, is worth the proof: the windows were
 * read before it is asked for, and must be unchanged when it is committed. */
static int judge_some(struct engine *g, struct engine_shard *shard,
                      struct judge_settings *s, const struct window *windows, size_t n,
                      struct judged **judged, struct finding **findings, struct err *e)
{
    struct known_issues issues;
    *judged = judge_windows(s, windows, n, &g->scratch, findings);
    if (any_asks(*findings, n)) {
        if (enrich_issues(shard->store, g->rules, g->rules_n, &g->scratch, &issues, e))
            return -1;
        s->issues = &issues;
    }
    if (!s->all_read && any_unproven(*judged, n) &&
        proof_try(&g->proof, g->source, shard->store, &s->all_read, e))
        return -1;
    if (s->all_read || s->issues)
        *judged = judge_windows(s, windows, n, &g->scratch, findings);
    s->all_read = false;
    s->issues = NULL;
    if (enrich(shard->store, g->rules, g->rules_n, *findings, n, &g->scratch, e))
        return -1;
    judge_write(s, *findings, n, *judged);
    return 0;
}

/* Accounts serve the lanes of a shard, too. */
static int64_t judged_ms(const struct engine *g, size_t number)
{
    int64_t low = INT64_MAX;
    for (size_t i = 0; i < g->shards_n; i++)
        if (g->shards[i].number == number && g->shards[i].clock.judged_ms < low)
            low = g->shards[i].clock.judged_ms;
    return low;
}

int engine_judge(struct engine *g, struct engine_shard *shard,
                 const struct window *windows, size_t n, size_t *committed, struct err *e)
{
    struct judge_settings s = {
        .rules = g->rules,
        .rules_n = g->rules_n,
        .names = shard->store->names,
        .watermark_ms = shard->clock.watermark_ms, /* as told with the windows */
        .settled_ms = shard->clock.watermark_ms + (g->at_end ? 1 : 0),
        .judged_ms = judged_ms(g, shard->number),
        .caps = g->caps,
        .caps_n = g->caps_n,
        .past = shard->store->past};
    struct judged *judged;
    struct finding *findings;
    *committed = 0;
    FAULT_POINT("judged");
    for (size_t at = 0, some; at < n; at += some) {
        some = n - at < JUDGE_AT_ONCE ? n - at : JUDGE_AT_ONCE;
        if (judge_some(g, shard, &s, windows + at, some, &judged, &findings, e) ||
            shard->store->ops->commit(shard->store, judged, some, &shard->clock, e))
            return -1;
        judge_count(&s, findings, judged, some, g->stats.rules);
        for (size_t i = 0; i < some; i++)
            *committed += judged[i].committed;
    }
    return 0;
}

static bool work_waits(const struct store_clock *c)
{
    return c->waiting_n > 0 ||
           (c->watermark_ms != STORE_NO_TIME && c->next_due_ms <= c->watermark_ms);
}

static bool has_time(const struct engine *g, const struct store_clock *c,
                     int64_t until_ms)
{
    return g->tick_ms == 0 || c->pressed || clock_monotonic_ms() < until_ms;
}

/* One round at least, however busy the shards before it were. */
static int tick(struct engine *g, struct engine_shard *shard, bool unproven,
                int64_t until_ms, struct err *e)
{
    size_t committed, lapsed, progress = 1;
    for (size_t rounds = 0; progress && (work_waits(&shard->clock) || unproven) &&
                            (rounds == 0 || has_time(g, &shard->clock, until_ms));
         rounds++) {
        struct window *windows;
        size_t n;
        arena_reset(&g->scratch);
        if (shard->store->ops->due(shard->store, JUDGE_AT_ONCE, unproven, &g->scratch,
                                   &windows, &n, &shard->clock, e))
            return -1;
        lapsed = (size_t)shard->clock.lapsed_n;
        if (engine_judge(g, shard, windows, n, &committed, e))
            return -1;
        progress = lapsed + committed;
        unproven = false;
        if (g->tick_ms && n < JUDGE_AT_ONCE && committed == n && lapsed == 0)
            break; /* what waits now came since, from others, who judge it */
    }
    return 0;
}

int engine_tick(struct engine *g, struct err *e)
{
    int64_t until_ms = clock_monotonic_ms() + g->tick_ms;
    int result = 0;
    bool done = true;
    for (size_t i = 0; i < g->shards_n; i++) {
        struct err again = {0};
        if (tick(g, &g->shards[i], false, until_ms, result ? &again : e))
            result = -1;
        done = done && (!work_waits(&g->shards[i].clock) ||
                        has_time(g, &g->shards[i].clock, until_ms));
    }
    if (result || !done)
        return result;
    g->put_off = false;
    g->ticked_ms = clock_monotonic_ms();
    return 0;
}

int engine_judge_left(struct engine *g, struct err *e)
{
    return g->put_off ? engine_tick(g, e) : 0;
}

bool engine_may_put_off(const struct engine *g, const struct batch *b)
{
    for (size_t i = 0; i < g->shards_n; i++)
        if (g->shards[i].clock.pressed)
            return false;
    return b->more && clock_monotonic_ms() < g->ticked_ms + TOGETHER_MS;
}

int engine_look(struct engine *g, struct err *e)
{
    int64_t until_ms = clock_monotonic_ms() + g->tick_ms;
    for (size_t i = 0; i < g->shards_n; i++) {
        struct engine_shard *shard = &g->shards[i];
        shard->clock.waiting_n = 1;
        if (tick(g, shard, shard->clock.unproven_n > 0, until_ms, e))
            return -1;
    }
    return 0;
}
