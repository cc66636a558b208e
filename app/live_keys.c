/* Rules that have as many keys as they may: said at once, and then once an hour for as long as events are left
 * out, with one key of those that overflow. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "app/live_state.h"
#include "core/clock.h"
#include "core/log.h"

enum { LOG_EVERY_MS = 3600000, COUNT_EVERY_MS = 10000 };

struct key_overflow {
    uint64_t told;   /* events left out, as last logged */
    int64_t next_ms; /* not logged again before */
};

static void look_at(struct key_overflow *o, const struct rule *rule,
                    const struct rule_stats *s)
{
    char name[LOG_VALUE_BYTES], key[LOG_VALUE_BYTES];
    int64_t now_ms = clock_monotonic_ms();
    if (s->left_out == o->told || now_ms < o->next_ms)
        return;
    log_warn(
        "keys_overflow",
        "rule=%s events=%" PRIu64 " max_keys=%" PRId64
        " key=%s reason=\"the rule has as many keys as it may: events of further ones "
        "are left out\"",
        log_quote(rule->name, name), s->left_out - o->told, rule->max_keys,
        log_quote(str_of(s->left_out_key), key));
    o->told = s->left_out;
    o->next_ms = now_ms + LOG_EVERY_MS;
}

void live_look_at_keys(struct live *l)
{
    if (!l->overflows) {
        l->overflows = calloc(l->config->rules_n + 1, sizeof *l->overflows);
        assert(l->overflows);
    }
    for (size_t i = 0; i < l->config->rules_n; i++)
        look_at(&l->overflows[i], &l->config->rules[i], &l->engine.stats.rules[i]);
}

void live_forget_keys(struct live *l)
{
    free(l->overflows);
    l->overflows = NULL;
}

int live_count_keys(struct live *l, struct err *e)
{
    int64_t now_ms = clock_monotonic_ms();
    size_t n = l->config->rules_n;
    if (now_ms < l->keys_ms)
        return 0;
    l->keys_ms = now_ms + COUNT_EVERY_MS;
    int64_t *counts = calloc(n + 1, sizeof *counts);
    assert(counts);
    int result =
        keys_count(l->config->rules, n, l->setup->stores, l->setup->stores_n, counts, e);
    if (result == 0)
        live_metrics_keys(&l->metrics, counts);
    free(counts);
    return result;
}
