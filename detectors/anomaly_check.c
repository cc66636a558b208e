/* The anomaly kind's settings: what can be written, what is derived, what cannot hold. */
#include <xxhash.h>

#include "detectors/anomaly.h"
#include "detectors/rows.h"

enum { HISTORY_MOST = 10000, HOUR_MS = 3600000, DAY_MS = 86400000 };

/* To be raised where a state or a record is written in another way. */
enum { STATE_FORMAT = 2, SURPRISE_FORMAT = 3, FIRST_FIELDS = 26 };

/* As enum anomaly_metric has them. */
static const char *const metric_words[] = {"count", "sum", "mean", "ratio",
                                           "p50",   "p90", NULL};

/* How many kinds of buckets a season tells apart. */
static int64_t season_slots(const struct anomaly_settings *s)
{
    static const int64_t hours[] = {1, 24, 168};
    return s->bucket_ms == DAY_MS && s->season == SEASON_HOUR_OF_WEEK ? 7
                                                                      : hours[s->season];
}

static int check_fields(const struct anomaly_settings *s, struct err *e)
{
    const char *name = metric_words[s->metric];
    bool counts = s->metric == METRIC_COUNT || s->metric == METRIC_RATIO;
    if (!counts && s->field >= FIELD_COUNT)
        return err_set(
            e, ERR_INPUT,
            "metric: %s needs `field`, a number, for example field: ticket.csat", name);
    if (counts && s->field < FIELD_COUNT)
        return err_set(e, ERR_INPUT, "metric: %s takes no `field` (metric: mean does)",
                       name);
    if (s->metric == METRIC_RATIO && !s->match)
        return err_set(e, ERR_INPUT,
                       "metric: ratio needs `match`, the events whose share it is, for "
                       "example match: \"ticket.escalated == true\"");
    if (s->metric != METRIC_RATIO && s->match)
        return err_set(e, ERR_INPUT, "metric: %s takes no `match` (metric: ratio does)",
                       name);
    return 0;
}

static int check_season(const struct anomaly_settings *s, struct err *e)
{
    if (s->season == SEASON_NONE ||
        (s->bucket_ms == DAY_MS && s->season == SEASON_HOUR_OF_WEEK) ||
        (s->bucket_ms > 0 && HOUR_MS % s->bucket_ms == 0))
        return 0;
    return err_set(e, ERR_INPUT,
                   "a season needs a `bucket` of 1h, or one that divides it "
                   "(hour_of_week takes 1d too: the day of the week)");
}

/* The lower bar, below which an episode ends. */
static int derive_bars(struct anomaly_settings *s, struct err *e)
{
    bool zscore = s->method == METHOD_ZSCORE;
    if (!zscore && (s->z > 0 || s->resolve_z > 0))
        return err_set(e, ERR_INPUT,
                       "`z` and `resolve_z` belong to method: zscore; novelty and "
                       "surprise have `beyond`");
    if (zscore && s->beyond > 0)
        return err_set(e, ERR_INPUT, "`beyond` belongs to method: novelty");
    s->z = s->z > 0 ? s->z : 3;
    s->beyond = s->beyond > 0 ? s->beyond : s->method == METHOD_SURPRISE ? 0.1 : 0.5;
    if (s->resolve_z > s->z)
        return err_set(e, ERR_INPUT,
                       "`resolve_z` is %g and must not be more than `z`, which is %g",
                       s->resolve_z, s->z);
    double bar = zscore ? s->z : s->beyond;
    s->resolve_below = s->resolve_z > 0 ? s->resolve_z : 2 * bar / 3;
    return 0;
}

static int derive_history(struct anomaly_settings *s, struct err *e)
{
    s->history_n = (size_t)(s->history_ms / calendar_usual_ms(s->bucket_ms));
    bool surprise = s->method == METHOD_SURPRISE; /* looks at all hours together */
    int64_t most = (int64_t)s->history_n / (surprise ? 1 : season_slots(s));
    if (s->min_history == 0)
        s->min_history = surprise && most / 8 > 24 ? most / 8 : usual_min_history(most);
    if (s->history_n > HISTORY_MOST)
        return err_set(e, ERR_INPUT,
                       "`history` is %zu times `bucket`; at most %d are kept",
                       s->history_n, HISTORY_MOST);
    if (most < s->min_history)
        return err_set(e, ERR_INPUT,
                       "`history` holds %lld values for a baseline, fewer than "
                       "min_history: %lld; make `history` longer or `bucket` shorter",
                       (long long)most, (long long)s->min_history);
    return 0;
}

static int take_part(struct anomaly_settings *s, struct str name, struct err *e)
{
    struct str full = str_is(name, "account") ? STR("account.id")
                      : str_is(name, "user")  ? STR("user.id")
                                              : name;
    enum event_field field = event_field_named(full);
    bool text = field < FIELD_COUNT && event_field_infos[field].type == VALUE_TEXT;
    if (!text && !str_is(name, "page"))
        return err_set(e, ERR_INPUT,
                       "contributors: '%.*s' is no text field, and not account, user or "
                       "page",
                       STR_ARG(name));
    if (s->parts_n == SAMPLE_PARTS_MAX)
        return err_set(e, ERR_INPUT, "contributors: at most %d are taken",
                       SAMPLE_PARTS_MAX);
    s->part_names[s->parts_n] = name;
    s->parts[s->parts_n++] = field;
    return 0;
}

static bool is_key(const struct rule *rule, const char *name)
{
    for (size_t i = 0; i < rule->by_n; i++)
        if (str_is(rule->by[i].name, name))
            return true;
    return false;
}

/* Where nothing is written: what tells tickets apart, and is not the key already. */
static int derive_parts(const struct rule *rule, struct anomaly_settings *s,
                        struct err *e)
{
    static const char *const usual[] = {"ticket.category", "ticket.feature", "account",
                                        "ticket.product_version", "page"};
    s->parts_n = 0;
    if (!s->contributors.items)
        for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
            if (!is_key(rule, usual[i]))
                (void)take_part(s, str_of(usual[i]), e);
    for (size_t i = 0; i < s->contributors.n; i++)
        if (take_part(s, s->contributors.items[i], e))
            return -1;
    return 0;
}

/* As states have it that were made when there were 26 fields: no field is 26, and what came later is behind it. */
static int64_t field_number(int field)
{
    int number = field == FIELD_COUNT ? FIRST_FIELDS : field;
    return field == FIELD_COUNT || number < FIRST_FIELDS ? number : number + 1;
}

/* All that a state and a record mean; where a bucket of the calendar begins, the zone says. */
static uint64_t layout(const struct rule *rule, const struct anomaly_settings *s)
{
    struct str zone = calendar_is_local(s->bucket_ms) ? rule->zone : STR("");
    struct str match = s->match ? where_text(s->match) : STR("");
    int64_t numbers[7 + SAMPLE_PARTS_MAX] = {
        s->method == METHOD_SURPRISE ? SURPRISE_FORMAT : STATE_FORMAT, s->metric,
        field_number(s->field), s->bucket_ms, (int64_t)XXH3_64bits(zone.p, zone.n),
        (int64_t)XXH3_64bits(match.p, match.n),
        /* else blocks are others */
        s->parts_n ? anomaly_block_cells(s) : 0};
    for (size_t i = 0; i < SAMPLE_PARTS_MAX; i++)
        numbers[7 + i] = i < s->parts_n ? field_number((int)s->parts[i]) : -1;
    return rule_layout("anomaly", numbers, sizeof numbers / sizeof numbers[0]);
}

static int anomaly_check(struct rule *rule, struct err *e)
{
    struct anomaly_settings *s = rule->settings;
    if (check_fields(s, e) || check_season(s, e) || derive_bars(s, e) ||
        derive_history(s, e) || derive_parts(rule, s, e) ||
        rule_one_severity(rule, "an anomaly is one word", SEVERITY_LOW, e))
        return -1;
    rule->lookback_ms = calendar_longest_ms(s->bucket_ms, (int64_t)s->history_n + 1);
    rule->layout = layout(rule, s);
    return 0;
}

static const char *const season_words[] = {"none", "hour_of_day", "hour_of_week", NULL};
static const char *const method_words[] = {"zscore", "novelty", "surprise", NULL};
static const char *const direction_words[] = {"up", "down", "both", NULL};

#define AT(member) offsetof(struct anomaly_settings, member)
#define HISTORY_MOST_MS (1096.0 * DAY_MS)
static const struct option_row anomaly_options[] = {
    {.name = "metric",
     .type = OPTION_WORD,
     .offset = AT(metric),
     .required = true,
     .words = metric_words,
     .help =
         "Of the events in a bucket: their number, a field's sum or mean, the share that "
         "matches, a field's median or 90th percentile."},
    {.name = "field",
     .type = OPTION_FIELD,
     .offset = AT(field),
     .help = "The number that sum, mean, p50 and p90 are of."},
    {.name = "match",
     .type = OPTION_WHERE,
     .offset = AT(match),
     .help = "For metric: ratio, which of the rule's events are counted against all of "
             "them."},
    BUCKET_ROW(AT(bucket_ms)),
    {.name = "history",
     .type = OPTION_DURATION,
     .offset = AT(history_ms),
     .required = true,
     .min = 60000,
     .max = HISTORY_MOST_MS,
     .help = "How far back the baseline looks."},
    {.name = "season",
     .type = OPTION_WORD,
     .offset = AT(season),
     .fallback = "none",
     .words = season_words,
     .help =
         "Compare only with the same hour of the day or of the week, in time.zone; with "
         "bucket: 1d hour_of_week is the day of the week."},
    {.name = "method",
     .type = OPTION_WORD,
     .offset = AT(method),
     .fallback = "zscore",
     .words = method_words,
     .help = "What is abnormal: many standard deviations away from the mean, beyond all "
             "that was seen, or a surprise: a level, a drift or an unrest that is new, "
             "at this time of the season too."},
    {.name = "z",
     .type = OPTION_NUMBER,
     .offset = AT(z),
     .min = 1,
     .max = 100,
     .help =
         "How many standard deviations away from the mean is abnormal; 3 where it is not "
         "written."},
    {.name = "resolve_z",
     .type = OPTION_NUMBER,
     .offset = AT(resolve_z),
     .min = 0.1,
     .max = 100,
     .help = "An episode ends with the first bucket less than so many away; by default "
             "two thirds of z."},
    {.name = "beyond",
     .type = OPTION_PERCENT,
     .offset = AT(beyond),
     .min = 0.01,
     .max = 100,
     .help =
         "For method: novelty and surprise, how far beyond the range seen is abnormal, "
         "as a share of that range; where it is not written 50%, of a surprise 10%."},
    {.name = "direction",
     .type = OPTION_WORD,
     .offset = AT(direction),
     .fallback = "both",
     .words = direction_words,
     .help = "Which way is abnormal."},
    {.name = "min_history",
     .type = OPTION_INT,
     .offset = AT(min_history),
     .min = 0,
     .max = 10000,
     .help = "Values a baseline needs before anything is judged; by default half of what "
             "`history` can hold, at least 3, at most 24."},
    {.name = "min_count",
     .type = OPTION_INT,
     .offset = AT(min_count),
     .fallback = "10",
     .min = 0,
     .max = 1e9,
     .help =
         "Events a bucket must hold; for metric: count downwards, be expected to hold."},
    {.name = "min_change",
     .type = OPTION_PERCENT,
     .offset = AT(min_change),
     .fallback = "0%",
     .min = 0,
     .max = 100,
     .help = "How far from the mean it must be, as a share of the mean."},
    {.name = "expected_keys",
     .type = OPTION_INT,
     .offset = AT(expected_keys),
     .fallback = "1",
     .min = 1,
     .max = 1e6,
     .help = "How many keys there will be; changes nothing but the false alarms that "
             "`check` expects."},
    {.name = "contributors",
     .type = OPTION_TEXTS,
     .offset = AT(contributors),
     .help =
         "Fields whose values are looked at for what made the change, at most five: text "
         "fields, account, user or page. By default ticket.category, ticket.feature, "
         "account, ticket.product_version and page, but those in `by`; [] for none."},
};

const struct detector anomaly_detector = {
    .name = "anomaly",
    .help = "A metric of a bucket of time, far from the buckets before it.",
    .options = anomaly_options,
    .options_n = sizeof anomaly_options / sizeof anomaly_options[0],
    .settings_bytes = sizeof(struct anomaly_settings),
    .check = anomaly_check,
    .update = anomaly_update,
    .odds = anomaly_odds,
    .judge = anomaly_judge,
};
