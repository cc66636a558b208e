/* maintenance: NAME: {rule, key, up_to, from, until, weekly, author, reason}: planned silences. Each rule has them all. */
#include "core/maintenance.h"
#include "config/sections.h"
#include "core/pattern.h"
#include "core/timefmt.h"

struct written {
    struct str rule, from, until, weekly, author, reason;
    struct pairs key;
    int up_to; /* enum severity */
};

static const char *const severities[] = {"low", "medium", "high", "critical", NULL};

#define AT(member) offsetof(struct written, member)
#define TEXT_MAX .min = 1, .max = 500
static const struct option_row rows[] = {
    {.name = "rule",
     .type = OPTION_TEXT,
     .offset = AT(rule),
     .help = "Alerts of rules whose name fits, `*` and `?` as in a shell; else of all."},
    {.name = "key",
     .type = OPTION_PAIRS,
     .offset = AT(key),
     .help = "Only those whose key has these parts, with values that fit likewise."},
    {.name = "up_to",
     .type = OPTION_WORD,
     .offset = AT(up_to),
     .fallback = "critical",
     .words = severities,
     .help = "What is more severe is told all the same."},
    {.name = "from",
     .type = OPTION_TEXT,
     .offset = AT(from),
     .help = "Not before this event time, such as 2026-04-01T20:00:00Z."},
    {.name = "until",
     .type = OPTION_TEXT,
     .offset = AT(until),
     .help = "Before this one. `until` or `weekly` is needed."},
    {.name = "weekly",
     .type = OPTION_TEXT,
     .offset = AT(weekly),
     .help = "In these hours of every week only, by the clock in time.zone, such as "
             "`Sat 22:00-24:00, Sun 00:00-04:00`."},
    {.name = "author",
     .type = OPTION_TEXT,
     .offset = AT(author),
     .required = true,
     TEXT_MAX,
     .help = "Whom to ask about it."},
    {.name = "reason",
     .type = OPTION_TEXT,
     .offset = AT(reason),
     .required = true,
     TEXT_MAX,
     .help = "Why; it stands in the record of what was not told."},
};
const struct option_table maintenance_table = OPTION_TABLE(rows, NULL);

/* `option` is m's, where it is written. */
static int64_t read_time(struct reading *r, const struct entry *m, struct str path,
                         const char *option, int64_t fallback)
{
    const struct entry *e = node_entry(m->value, option);
    int64_t ms = fallback;
    if (e && e->value->kind == NODE_TEXT && !e->value->unset.n &&
        !time_parse(e->value->text, &ms))
        complain(r, e->value->at, path_join(r, path, e->name),
                 "expected a time such as 2026-04-01T20:00:00Z, found %s",
                 node_found(r, e->value));
    return ms;
}

static void read_when(struct reading *r, const struct entry *m, struct str path,
                      const struct written *w, struct maintenance *out)
{
    struct err e = {0};
    out->silence.from_ms = read_time(r, m, path, "from", INT64_MIN);
    out->silence.until_ms = read_time(r, m, path, "until", INT64_MAX);
    if (w->weekly.n && workweek_parse(w->weekly, &out->week, &e))
        complain(r, m->at, path_join(r, path, STR("weekly")), "%s", e.text);
    if (!w->until.n && !w->weekly.n)
        complain(r, m->at, path,
                 "when? `until` (and `from`) or `weekly` is needed: what has no end is "
                 "no maintenance");
    if (out->silence.from_ms >= out->silence.until_ms)
        complain(r, m->at, path, "`until` must be after `from`");
}

static void read_key(struct reading *r, const struct entry *m, struct str path,
                     const struct written *w, struct silence *out)
{
    if (w->key.n > ALERT_KEYS_MAX)
        complain(r, m->at, path_join(r, path, STR("key")), "a key has at most %d parts",
                 ALERT_KEYS_MAX);
    for (size_t i = 0; i < w->key.n && i < ALERT_KEYS_MAX; i++) {
        out->key_names[i] = w->key.names[i];
        out->key_values[i] = w->key.values[i];
        out->keys_n++;
    }
}

static void check_rule(struct reading *r, const struct entry *m, struct str path,
                       struct str pattern)
{
    bool any = pattern.n == 0;
    for (size_t i = 0; i < r->out->rules_n && !any; i++)
        any = pattern_fits(pattern, r->out->rules[i].name);
    if (!any)
        warn(r, m->at, path_join(r, path, STR("rule")), "fits the name of no rule");
}

static void read_one(struct reading *r, const struct entry *m, struct maintenance *out)
{
    struct str path = path_join(r, STR("maintenance"), m->name);
    struct written w = {0};
    size_t errors = r->errors;
    *out = (struct maintenance){.name = m->name};
    if (!name_is_good(r, m, STR("maintenance")) ||
        !node_is_map(r, m->value, path,
                     "a mapping such as {rule: page-*, weekly: \"Sun 02:00-04:00\", "
                     "author: ops, reason: the weekly restart}"))
        return;
    options_read(r, &maintenance_table, m, path, &w);
    if (r->errors > errors)
        return;
    out->silence.rule = w.rule;
    out->silence.most = (enum severity)w.up_to;
    out->silence.author = w.author;
    out->silence.reason = w.reason;
    read_key(r, m, path, &w, &out->silence);
    read_when(r, m, path, &w, out);
    check_rule(r, m, path, w.rule);
}

void maintenance_read(struct reading *r)
{
    const struct entry *m = node_entry(r->root, "maintenance");
    r->needed_from = CONFIG_REPLAY;
    if (!m || !node_is_map(r, m->value, STR("maintenance"),
                           "a mapping of names to planned silences"))
        return;
    struct maintenance *all = arena_alloc(r->arena, (m->value->n + 1) * sizeof *all);
    for (size_t i = 0; i < m->value->n; i++)
        read_one(r, &m->value->entries[i], &all[i]);
    for (size_t i = 0; i < r->out->rules_n; i++) {
        r->out->rules[i].maintenance = all;
        r->out->rules[i].maintenance_n = m->value->n;
    }
}
