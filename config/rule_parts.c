/* The parts of a rule that every kind has: which events, by which key, how severe, told to whom. */
#include "config/sections.h"
#include "core/suggest.h"

/* What is a list has at least one item. */
static void refuse_empty(struct reading *r, const struct node *n, struct str path,
                         const char *wanted)
{
    if (n->kind == NODE_LIST && n->n == 0)
        complain(r, n->at, path, "expected %s, found an empty list", wanted);
}

/* --- on --- */

static void no_such_type(struct reading *r, const struct node *n, struct str path)
{
    char meant[SUGGESTION_BYTES];
    struct suggestion near = suggestion_for(n->written);
    for (int t = 0; t < EVENT_OTHER; t++) {
        const char *name = event_type_name((enum event_type)t), *dot = strchr(name, '.');
        suggestion_offer(&near, str_of(name));
        if (dot)
            suggestion_offer_as(&near, str_of(dot + 1), str_of(name));
    }
    complain(r, n->at, path, "there is no event type %s%s", node_found(r, n),
             near.best.n ? suggestion_text(&near, meant)
                         : "; `ticketwatch check --reference` lists them");
}

void event_types_read(struct reading *r, const struct node *types, struct str path,
                      const char *wanted, uint32_t *out)
{
    const struct node *n;
    *out = 0;
    refuse_empty(r, types, path, wanted);
    for (size_t i = 0; (n = node_item(types, i)); i++) {
        struct str name;
        if (!node_text(r, n, path, wanted, &name))
            continue;
        enum event_type type = event_type_named(name);
        if (type == EVENT_OTHER)
            no_such_type(r, n, path);
        else if (*out & 1u << type)
            complain(r, n->at, path, "%s is here twice", node_found(r, n));
        else
            *out |= 1u << type;
    }
}

void rule_on(struct reading *r, const struct entry *m, struct str path, struct rule *rule)
{
    event_types_read(r, m->value, path,
                     "an event type such as ticket.created, or a list of them",
                     &rule->on);
}

/* --- by --- */

static const struct {
    const char *name;
    enum key_source source;
    enum event_field field;
} short_keys[] = {
    {"page", KEY_PAGE, FIELD_COUNT},       {"error", KEY_ERROR, FIELD_COUNT},
    {"subject", KEY_SUBJECT, FIELD_COUNT}, {"account", KEY_FIELD, FIELD_ACCOUNT_ID},
    {"user", KEY_FIELD, FIELD_USER_ID},
};
enum { SHORT_KEYS = sizeof short_keys / sizeof short_keys[0] };

static bool key_named(struct str name, struct key_part *out)
{
    for (int i = 0; i < SHORT_KEYS; i++)
        if (str_is(name, short_keys[i].name)) {
            *out = (struct key_part){name, short_keys[i].source, short_keys[i].field};
            return true;
        }
    *out = (struct key_part){name, KEY_FIELD, event_field_named(name)};
    return out->field != FIELD_COUNT;
}

static void no_such_key(struct reading *r, const struct node *n, struct str path)
{
    char meant[SUGGESTION_BYTES];
    struct suggestion near = suggestion_for(n->written);
    for (int i = 0; i < SHORT_KEYS; i++)
        suggestion_offer(&near, str_of(short_keys[i].name));
    for (int f = 0; f < FIELD_COUNT; f++) {
        struct str name = str_of(event_field_infos[f].name);
        suggestion_offer(&near, name);
        suggestion_offer_as(&near, str_of(event_field_infos[f].member), name);
    }
    complain(r, n->at, path, "cannot count by %s%s", node_found(r, n),
             near.best.n
                 ? suggestion_text(&near, meant)
                 : "; write page, error, subject, account, user or a field such as "
                   "ticket.category");
}

static bool has_key(const struct rule *rule, const struct key_part *key)
{
    for (size_t i = 0; i < rule->by_n; i++)
        if (rule->by[i].source == key->source && rule->by[i].field == key->field)
            return true;
    return false;
}

void rule_by(struct reading *r, const struct entry *m, struct str path, struct rule *rule)
{
    static const char wanted[] =
        "a list of what to count by, such as [page, error] or [ticket.category]";
    const struct node *n;
    refuse_empty(r, m->value, path, wanted);
    for (size_t i = 0; (n = node_item(m->value, i)); i++) {
        struct str name;
        struct key_part key;
        if (!node_text(r, n, path, wanted, &name))
            continue;
        if (!key_named(name, &key))
            no_such_key(r, n, path);
        else if (has_key(rule, &key))
            complain(r, n->at, path, "%s is here twice", node_found(r, n));
        else if (rule->by_n == ALERT_KEYS_MAX)
            complain(r, n->at, path, "a key has at most %d parts", ALERT_KEYS_MAX);
        else
            rule->by[rule->by_n++] = key;
    }
}

void rule_max_keys(struct reading *r, const struct entry *m, struct str path,
                   struct rule *rule)
{
    static const struct option_row row = {
        .name = "max_keys", .type = OPTION_INT, .min = 1, .max = 1e9};
    (void)value_read(r, &row, m->value, path, &rule->max_keys);
}

void rule_remind(struct reading *r, const struct entry *m, struct str path,
                 struct rule *rule)
{
    static const struct option_row row = {
        .name = "remind", .type = OPTION_DURATION, .min = 60000, .max = 30 * 86400000.0};
    (void)value_read(r, &row, m->value, path, &rule->remind_ms);
}

void rule_verify_fixed(struct reading *r, const struct entry *m, struct str path,
                       struct rule *rule)
{
    enum { DAY_MS = 86400000 };
    static const struct option_row row = {.name = "verify_fixed",
                                          .type = OPTION_DURATION,
                                          .min = DAY_MS,
                                          .max = 60.0 * DAY_MS};
    if (value_read(r, &row, m->value, path, &rule->verify_ms) && rule->verify_ms % DAY_MS)
        complain(r, m->value->at, path, "expected whole days, such as 7d");
}

/* --- severity --- */

static const char severities[] = "low, medium, high or critical";

static void no_such_severity(struct reading *r, struct place at, struct str path,
                             struct str word)
{
    char meant[SUGGESTION_BYTES];
    struct suggestion near = suggestion_for(word);
    for (int s = 0; s < SEVERITIES; s++)
        suggestion_offer(&near, str_of(severity_name((enum severity)s)));
    complain(r, at, path, "expected %s, found '%s'%s", severities, shown(r, word).p,
             suggestion_text(&near, meant));
}

/* Steps in order of severity; at_least 0 where it is not written. */
static void read_step(struct reading *r, const struct entry *m, struct str path,
                      int64_t *at_least)
{
    static const struct option_row row = {
        .name = "", .type = OPTION_INT, .min = 1, .max = 1e9};
    enum severity severity;
    if (!severity_named(m->name, &severity))
        no_such_severity(r, m->at, path, m->name);
    else
        (void)value_read(r, &row, m->value, path_join(r, path, m->name),
                         &at_least[severity]);
}

static void read_steps(struct reading *r, const struct entry *m, struct str path,
                       struct rule *rule)
{
    int64_t at_least[SEVERITIES] = {0};
    for (size_t i = 0; i < m->value->n; i++)
        read_step(r, &m->value->entries[i], path, at_least);
    if (m->value->n == 0)
        complain(r, m->value->at, path,
                 "expected %s, or counts such as {medium: 5, high: 10}", severities);
    for (int s = 0; s < SEVERITIES; s++) {
        struct severity_step *last =
            rule->steps_n ? &rule->steps[rule->steps_n - 1] : NULL;
        if (at_least[s] == 0)
            continue;
        if (last && at_least[s] <= last->at_least)
            complain(r, m->at, path, "%s: %lld must be more than %s: %lld",
                     severity_name((enum severity)s), (long long)at_least[s],
                     severity_name(last->severity), (long long)last->at_least);
        rule->steps[rule->steps_n++] =
            (struct severity_step){at_least[s], (enum severity)s};
    }
}

void rule_severity(struct reading *r, const struct entry *m, struct str path,
                   struct rule *rule)
{
    enum severity severity;
    struct str word;
    if (m->value->kind == NODE_MAP)
        read_steps(r, m, path, rule);
    else if (!node_text(r, m->value, path, severities, &word))
        return;
    else if (!severity_named(word, &severity))
        no_such_severity(r, m->value->at, path, m->value->written);
    else
        rule->steps[rule->steps_n++] = (struct severity_step){0, severity};
}

/* --- send --- */

static void no_such_sink(struct reading *r, const struct node *n, struct str path,
                         const struct node *all)
{
    char meant[SUGGESTION_BYTES];
    struct suggestion near = suggestion_for(n->written);
    struct buf names;
    buf_init(&names, 300);
    for (size_t i = 0; i < all->n; i++) {
        suggestion_offer(&near, all->entries[i].name);
        buf_printf(&names, "%s%s", i ? ", " : "", shown(r, all->entries[i].name).p);
    }
    if (near.best.n || all->n == 0)
        complain(r, n->at, path, "there is no sink %s%s", node_found(r, n),
                 suggestion_text(&near, meant));
    else
        complain(r, n->at, path, "there is no sink %s; there are: %.*s", node_found(r, n),
                 STR_ARG(buf_str(&names)));
    buf_deinit(&names);
}

static void check_sink(struct reading *r, const struct node *n, struct str path)
{
    const struct entry *section = node_entry(r->root, "sinks");
    if (!section || section->value->kind != NODE_MAP)
        return; /* a configuration for replay, or the mistake was told */
    for (size_t i = 0; i < section->value->n; i++)
        if (str_eq(n->text, section->value->entries[i].name))
            return;
    no_such_sink(r, n, path, section->value);
}

static bool is_listed(const struct texts *t, struct str name)
{
    for (size_t i = 0; i < t->n; i++)
        if (str_eq(t->items[i], name))
            return true;
    return false;
}

void rule_send(struct reading *r, const struct entry *m, struct str path,
               struct rule *rule)
{
    static const char wanted[] = "the name of a sink, or a list of them";
    const struct node *n;
    size_t most = m->value->kind == NODE_LIST ? m->value->n : 1;
    rule->send.items = arena_alloc(r->arena, (most + 1) * sizeof *rule->send.items);
    refuse_empty(r, m->value, path, wanted);
    for (size_t i = 0; (n = node_item(m->value, i)); i++) {
        struct str name;
        if (!node_text(r, n, path, wanted, &name))
            continue;
        if (is_listed(&rule->send, name))
            complain(r, n->at, path, "%s is here twice", node_found(r, n));
        else
            check_sink(r, n, path);
        rule->send.items[rule->send.n++] = name;
    }
}
