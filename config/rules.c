/* rules: NAME: {on, where, by, one kind with its options, severity, send}. A rule with a mistake is
 * read to its end, so that all its mistakes are told, and then left out. */
#include "config/sections.h"
#include "core/suggest.h"
#include "detectors/match.h"
#include "detectors/verify.h"

static const struct part {
    const char *name;
    void (*read)(struct reading *r, const struct entry *m, struct str path,
                 struct rule *rule);
} parts[] = {
    {"on", rule_on},         {"where", rule_where},
    {"by", rule_by},         {"severity", rule_severity},
    {"send", rule_send},     {"max_keys", rule_max_keys},
    {"remind", rule_remind}, {"verify_fixed", rule_verify_fixed},
};
enum { PARTS = sizeof parts / sizeof parts[0] };

struct kind_found {
    const struct entry *entry; /* the first one written */
    bool told;                 /* what stands in its place was told already */
};

/* "count, anomaly" */
static const char *kind_names(struct reading *r)
{
    struct buf b;
    buf_init(&b, 300);
    for (size_t i = 0; detectors[i]; i++)
        buf_printf(&b, "%s%s", i ? ", " : "", detectors[i]->name);
    struct str kept = arena_str(r->arena, buf_str(&b));
    buf_deinit(&b);
    return kept.p;
}

static void no_such_part(struct reading *r, const struct entry *m, struct str path)
{
    const char *names[PARTS + 20] = {0};
    struct option_table table = {NULL, 0, names};
    size_t n = 0;
    for (int i = 0; i < PARTS; i++)
        names[n++] = parts[i].name;
    for (size_t i = 0; detectors[i] && n + 1 < sizeof names / sizeof *names; i++)
        names[n++] = detectors[i]->name;
    no_such_option(r, m, path, &table);
}

static void take_kind(struct reading *r, const struct entry *m, struct str path,
                      struct kind_found *kind)
{
    if (kind->entry)
        complain(
            r, m->at, path_join(r, path, m->name),
            "a rule has one kind, and '%s' stands on line %zu already: make two rules",
            kind->entry->name.p, kind->entry->at.line);
    else
        kind->entry = m;
}

static void read_part(struct reading *r, const struct entry *m, struct str path,
                      struct rule *rule, struct kind_found *kind)
{
    for (int i = 0; i < PARTS; i++)
        if (str_is(m->name, parts[i].name)) {
            parts[i].read(r, m, path_join(r, path, m->name), rule);
            return;
        }
    if (detector_named(m->name)) {
        take_kind(r, m, path, kind);
        return;
    }
    kind->told = true;
    no_such_part(r, m, path);
}

static void read_kind(struct reading *r, const struct entry *m, struct str path,
                      struct rule *rule)
{
    rule->kind = detector_named(m->name);
    struct option_table table = {rule->kind->options, rule->kind->options_n, NULL};
    rule->settings = arena_alloc(r->arena, rule->kind->settings_bytes);
    options_read(r, &table, m, path_join(r, path, m->name), rule->settings);
}

/* What only the kind can judge; asked when everything it needs is known. */
static void check_kind(struct reading *r, const struct entry *m, struct str path,
                       struct rule *rule)
{
    struct err e = {0};
    if (rule->kind->check(rule, &e))
        complain(r, m->at, path_join(r, path, m->name), "%s", e.text);
    else if (rule->kind->doubt && rule->kind->doubt(rule))
        warn(r, m->at, path_join(r, path, m->name), "%s", rule->kind->doubt(rule));
    rule->window_name = rule_window_name(rule, r->arena);
}

/* The rule, which wants a fix to be verified. */
static void check_verify(struct reading *r, const struct entry *m, struct str path,
                         struct rule *rule)
{
    struct err e = {0};
    if (verify_check(rule, &e))
        complain(r, m->at, path_join(r, path, m->name), "%s", e.text);
    rule->lookback_ms += rule->issues_ms;
}

static void read_parts(struct reading *r, const struct entry *m, struct str path,
                       struct rule *rule)
{
    struct kind_found kind = {0};
    size_t noted = r->errors + r->warnings;
    for (size_t i = 0; i < m->value->n; i++)
        read_part(r, &m->value->entries[i], path, rule, &kind);
    if (kind.entry)
        read_kind(r, kind.entry, path, rule);
    else if (!kind.told)
        complain(
            r, m->at, path,
            "has no kind: one of %s is needed, such as count: {at_least: 3, within: 1h}",
            kind_names(r));
    if (kind.entry && noted == r->errors + r->warnings)
        check_kind(r, kind.entry, path, rule);
    const struct entry *verify = node_entry(m->value, "verify_fixed");
    if (verify && rule->kind && rule->verify_ms)
        check_verify(r, verify, path, rule);
    if (node_entry(r->root, "sinks") && !node_entry(m->value, "send"))
        warn(r, m->at, path, "has no `send`: its alerts are recorded and told to nobody");
}

static void read_rule(struct reading *r, const struct entry *m)
{
    struct str path = path_join(r, STR("rules"), m->name);
    struct rule *rule = &r->out->rules[r->out->rules_n];
    size_t errors = r->errors;
    *rule = (struct rule){.name = m->name,
                          .on = UINT32_MAX,
                          .max_keys = RULE_MAX_KEYS,
                          .lateness_ms = r->out->time.lateness_ms,
                          .remember_ms = r->out->accounts.remember_ms,
                          .issues_ms = r->out->known_issues.remember_ms,
                          .zone = r->out->time.zone};
    if (!name_is_good(r, m, STR("rules")) ||
        !node_is_map(r, m->value, path,
                     "a mapping such as {by: [page], count: {at_least: 3, within: 1h}}"))
        return;
    read_parts(r, m, path, rule);
    if (r->errors == errors)
        r->out->rules_n++;
}

/* Of other events nobody reads more than what every event has. */
static void add_needs(struct reading *r)
{
    struct config *c = r->out;
    struct event_need *needs = arena_alloc(r->arena, c->judged_n * sizeof *needs);
    for (size_t i = 0; i < c->judged_n; i++)
        needs[i] = rule_need(&c->rules[i]);
    c->maps.needs = needs;
    c->maps.needs_n = c->judged_n;
}

void rules_read(struct reading *r)
{
    const struct entry *m = node_entry(r->root, "rules");
    r->needed_from = CONFIG_REPLAY;
    if (!m) {
        complain(r, (struct place){0}, STR("rules"),
                 "there are none: nothing would ever be found");
        return;
    }
    if (!node_is_map(r, m->value, STR("rules"), "a mapping of names to rules"))
        return;
    if (m->value->n == 0)
        complain(r, m->at, STR("rules"), "there are none: nothing would ever be found");
    r->out->rules =
        arena_alloc(r->arena, (m->value->n + OWN_RULES) * sizeof *r->out->rules);
    for (size_t i = 0; i < m->value->n; i++)
        read_rule(r, &m->value->entries[i]);
    r->out->judged_n = r->out->rules_n;
    context_add(r);
    accounts_add(r);
    add_needs(r);
    maintenance_read(r);
    inhibit_read(r);
}
