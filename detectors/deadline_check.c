/* What a deadline's settings must be, and what follows from them: event types, warnings, hours. */
#include <xxhash.h>

#include "core/timefmt.h"
#include "detectors/deadline.h"

#define DAY_MS 86400000LL

int64_t deadline_memory_ms(const struct deadline_settings *s)
{
    return s->longest_ms + s->give_up_after_ms;
}

static int check_events(struct rule *rule, const struct deadline_settings *s,
                        struct err *e)
{
    uint32_t all = s->from | s->until;
    for (int t = 0; t < EVENT_OTHER; t++) {
        const char *name = event_type_name((enum event_type)t);
        if (s->from & s->until & 1u << t)
            return err_set(e, ERR_INPUT, "%s stands in both `from` and `until`", name);
        if (all & ~rule->on & 1u << t)
            return err_set(e, ERR_INPUT,
                           "the rule's `on` leaves out %s; without `on` the deadline "
                           "takes what it needs",
                           name);
    }
    if (rule->by_n == 0)
        return err_set(e, ERR_INPUT,
                       "a deadline needs `by`: whose it is, such as by: [ticket.id]");
    rule->on = all;
    return 0;
}

/* "75%". */
static bool percent_of(struct str text, int64_t *percent)
{
    *percent = 0;
    for (size_t i = 0; i + 1 < text.n && i < 3; i++) {
        if (text.p[i] < '0' || text.p[i] > '9')
            return false;
        *percent = *percent * 10 + text.p[i] - '0';
    }
    return text.n >= 2 && text.n <= 3 && text.p[text.n - 1] == '%' && *percent > 0;
}

static int check_warnings(struct rule *rule, struct deadline_settings *s, struct err *e)
{
    enum severity breach = rule->steps[0].severity;
    if (s->warn_at.n > (size_t)breach)
        return err_set(
            e, ERR_INPUT,
            "warn_at: each of %zu needs a severity below the breach's, and below "
            "severity: %s there are %d",
            s->warn_at.n, severity_name(breach), (int)breach);
    for (s->warnings = 0; (size_t)s->warnings < s->warn_at.n; s->warnings++) {
        int64_t *percent = &s->percents[s->warnings];
        if (!percent_of(s->warn_at.items[s->warnings], percent))
            return err_set(e, ERR_INPUT,
                           "warn_at: expected whole percentages from 1%% to 99%%, such "
                           "as [50%%, 75%%]");
        if (s->warnings && *percent <= percent[-1])
            return err_set(e, ERR_INPUT,
                           "warn_at: each must be more than the one before");
    }
    return 0;
}

static int check_hours(struct deadline_settings *s, struct err *e)
{
    char within[DURATION_TEXT_BYTES];
    struct err why = {0};
    if (s->business_hours.n && workweek_parse(s->business_hours, &s->week, &why))
        return err_set(e, ERR_INPUT, "business_hours: %s", why.text);
    s->longest_ms = workweek_longest_ms(&s->week, s->within_ms);
    if (s->longest_ms <= 732 * DAY_MS)
        return 0;
    duration_text(s->within_ms, within);
    return err_set(e, ERR_INPUT,
                   "within: %s of these business_hours may take more than two years",
                   within);
}

int deadline_check(struct rule *rule, struct err *e)
{
    struct deadline_settings *s = rule->settings;
    if (rule_one_severity(rule, "a deadline is one word, that of the breach",
                          SEVERITY_HIGH, e) ||
        check_events(rule, s, e) || check_warnings(rule, s, e) || check_hours(s, e))
        return -1;
    rule->lookback_ms = s->longest_ms + deadline_memory_ms(s);
    int64_t hours = (int64_t)XXH3_64bits(&s->week, sizeof s->week);
    const int64_t layout[] = {
        s->from,     s->until,       s->within_ms,   s->give_up_after_ms, hours,
        s->warnings, s->percents[0], s->percents[1], s->percents[2]};
    rule->layout = rule_layout("deadline", layout, sizeof layout / sizeof layout[0]);
    return 0;
}
