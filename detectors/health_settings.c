#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "core/timefmt.h"
#include "detectors/health.h"

/* What a customer does, of the types there are. */
#define SIGNS_OF_LIFE                                           \
    (1u << EVENT_TICKET_CREATED | 1u << EVENT_TICKET_REOPENED | \
     1u << EVENT_TICKET_RATED | 1u << EVENT_PAGE_ERROR |        \
     1u << EVENT_CONVERSATION_FINISHED | 1u << EVENT_USAGE_ACTIVITY)

static void fill_types(struct health_settings *s)
{
    if (!s->counts[PART_FRICTION].on)
        s->counts[PART_FRICTION].on = HEALTH_TICKETS | 1u << EVENT_CONVERSATION_FINISHED;
    if (!s->quiet.on)
        s->quiet.on = SIGNS_OF_LIFE;
}

static int check_types(struct rule *rule, const struct health_settings *s, struct err *e)
{
    uint32_t all = s->counts[0].on | s->counts[1].on | s->csat.on | s->quiet.on;
    if (all & 1u << EVENT_ACCOUNT_UPDATED)
        return err_set(e, ERR_INPUT,
                       "`on`: account.updated says what an account is, and is taken "
                       "anyway; it is no sign of anything else");
    if (rule->on != UINT32_MAX)
        return err_set(e, ERR_INPUT,
                       "the rule has no `on` of its own: each component has one");
    if (rule->by_n != 1 || rule->by[0].source != KEY_FIELD ||
        rule->by[0].field != FIELD_ACCOUNT_ID)
        return err_set(e, ERR_INPUT,
                       "it is an account's health: by: [account] is needed");
    rule->on = all | 1u << EVENT_ACCOUNT_UPDATED;
    return 0;
}

static bool factor_of(struct str text, double *out)
{
    char number[32], *end;
    if (text.n == 0 || text.n >= sizeof number)
        return false;
    memcpy(number, text.p, text.n);
    number[text.n] = '\0';
    if (strspn(number, "0123456789.") != text.n)
        return false;
    *out = strtod(number, &end);
    return *end == '\0' && *out >= 0.1 && *out <= 100;
}

static int check_tiers(struct health_settings *s, double *largest, struct err *e)
{
    *largest = 1;
    if (s->weigh.tier.n > HEALTH_TIERS_MAX)
        return err_set(e, ERR_INPUT, "weigh.tier: at most %d tiers", HEALTH_TIERS_MAX);
    for (size_t i = 0; i < s->weigh.tier.n; i++) {
        double factor;
        if (!factor_of(s->weigh.tier.values[i], &factor))
            return err_set(e, ERR_INPUT,
                           "weigh.tier.%.*s: expected a number, 0.1 to 100, found '%.*s'",
                           STR_ARG(s->weigh.tier.names[i]),
                           STR_ARG(s->weigh.tier.values[i]));
        s->weigh.tier_milli[i] = (int64_t)(factor * 1000 + 0.5);
        *largest = factor > *largest ? factor : *largest;
    }
    return 0;
}

/* `severity` may name steps above at_risk only; at at_risk it is the first of them, or low. */
static int check_steps(struct rule *rule, int64_t at_risk, struct err *e)
{
    if (rule->steps_n == 0)
        rule->steps[rule->steps_n++] = (struct severity_step){at_risk, SEVERITY_LOW};
    if (rule->steps[0].at_least == 0)
        rule->steps[0].at_least = at_risk; /* one word */
    if (rule->steps[0].at_least < at_risk)
        return err_set(e, ERR_INPUT,
                       "severity %s at %lld is never reached below at_risk: %lld",
                       severity_name(rule->steps[0].severity),
                       (long long)rule->steps[0].at_least, (long long)at_risk);
    if (rule->steps[0].at_least == at_risk)
        return 0;
    if (rule->steps[0].severity == SEVERITY_LOW) {
        rule->steps[0].at_least = at_risk;
        return 0;
    }
    memmove(rule->steps + 1, rule->steps, rule->steps_n * sizeof *rule->steps);
    rule->steps[0] = (struct severity_step){at_risk, SEVERITY_LOW};
    rule->steps_n++;
    return 0;
}

static int check_scores(struct rule *rule, struct health_settings *s, double weight,
                        struct err *e)
{
    int64_t points =
        s->counts[0].points + s->counts[1].points + s->csat.points + s->quiet.points;
    weight *= s->weigh.renewal > 1 ? s->weigh.renewal : 1;
    weight *= s->weigh.mrr_from > 0 && s->weigh.mrr > 1 ? s->weigh.mrr : 1;
    if (s->resolve_below == 0)
        s->resolve_below = (s->at_risk * 6 + 9) / 10;
    if (s->resolve_below > s->at_risk)
        return err_set(e, ERR_INPUT,
                       "resolve_below: %lld is more than at_risk: %lld: it would resolve "
                       "what has just opened",
                       (long long)s->resolve_below, (long long)s->at_risk);
    if ((double)points * weight < (double)s->at_risk)
        return err_set(e, ERR_INPUT,
                       "at_risk: %lld is never reached: all points together are %lld, "
                       "and no account weighs more than %g",
                       (long long)s->at_risk, (long long)points, weight);
    return check_steps(rule, s->at_risk, e);
}

static int64_t longest(const int64_t *ms, size_t n)
{
    int64_t most = 0;
    for (size_t i = 0; i < n; i++)
        most = ms[i] > most ? ms[i] : most;
    return most;
}

static int64_t hash_of(const struct where *w)
{
    struct str text = w ? where_text(w) : STR_NONE;
    return w ? (int64_t)XXH3_64bits(text.p, text.n) : 0;
}

/* Of what is remembered; numbers that only judge it (points, weights, at_least) are none. */
static void make_layout(struct rule *rule, const struct health_settings *s)
{
    const struct health_count *f = &s->counts[0], *x = &s->counts[1];
    const int64_t reach[] = {
        f->within_ms, x->within_ms, 2 * s->csat.within_ms + s->csat.cell_ms,
        s->quiet.within_ms + s->quiet.silent_for_ms + s->quiet.give_up_after_ms,
        s->remember_ms};
    const int64_t layout[] = {f->on,
                              hash_of(f->where),
                              f->within_ms,
                              f->points > 0,
                              x->on,
                              hash_of(x->where),
                              x->within_ms,
                              x->points > 0,
                              s->csat.on,
                              s->csat.within_ms,
                              s->csat.points > 0,
                              s->quiet.on,
                              s->quiet.within_ms,
                              s->quiet.silent_for_ms,
                              s->quiet.give_up_after_ms,
                              s->quiet.points > 0,
                              s->remember_ms};
    rule->lookback_ms = longest(reach, sizeof reach / sizeof reach[0]);
    rule->layout = rule_layout("health", layout, sizeof layout / sizeof layout[0]);
}

int health_check(struct rule *rule, struct err *e)
{
    struct health_settings *s = rule->settings;
    double weight;
    fill_types(s);
    s->remember_ms = rule->remember_ms;
    s->csat.cell_ms = s->csat.within_ms / HEALTH_CELLS;
    if (check_types(rule, s, e) || check_tiers(s, &weight, e) ||
        check_scores(rule, s, weight, e))
        return -1;
    make_layout(rule, s);
    return 0;
}
