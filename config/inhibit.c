/* inhibit: NAME: {source, hides, equal}: what hides what. Each rule has them all. */
#include "core/inhibit.h"
#include "config/sections.h"

#define AT(member) offsetof(struct inhibit, member)
static const struct option_row rows[] = {
    {.name = "source",
     .type = OPTION_TEXT,
     .offset = AT(source),
     .required = true,
     .min = 1,
     .max = 64,
     .help = "The rule whose firing alert explains others: its name, or `*` and `?` as "
             "in a shell."},
    {.name = "hides",
     .type = OPTION_TEXTS,
     .offset = AT(hides),
     .required = true,
     .help = "The rules whose alerts it explains, likewise."},
    {.name = "equal",
     .type = OPTION_TEXTS,
     .offset = AT(equal),
     .help = "What both must have in common, such as `account`, `page` or "
             "`ticket.category`: a part of the key, one of the accounts listed, or what "
             "an anomaly is about; else every alert of these rules is hidden."},
};
const struct option_table inhibit_table = OPTION_TABLE(rows, NULL);

static void check_names(struct reading *r, const struct entry *m, struct str path,
                        const struct inhibit *i)
{
    size_t sources = 0, hidden = 0;
    for (size_t k = 0; k < r->out->rules_n; k++) {
        sources += inhibit_is_source(i, r->out->rules[k].name);
        hidden += inhibit_is_hidden(i, r->out->rules[k].name);
    }
    if (!sources)
        warn(r, m->at, path_join(r, path, STR("source")), "fits the name of no rule");
    if (!hidden)
        warn(r, m->at, path_join(r, path, STR("hides")), "fits the name of no rule");
}

/* Else two could hide each other, and nobody would be told of either. */
static void check_roles(struct reading *r, const struct entry *m,
                        const struct inhibit *all, size_t n)
{
    for (size_t k = 0; k < r->out->rules_n; k++) {
        struct str rule = r->out->rules[k].name;
        bool source = false, hidden = false;
        for (size_t i = 0; i < n; i++) {
            source = source || inhibit_is_source(&all[i], rule);
            hidden = hidden || inhibit_is_hidden(&all[i], rule);
        }
        if (source && hidden)
            complain(r, m->at, STR("inhibit"),
                     "rule %s hides others and is hidden itself: then nobody might be "
                     "told of anything",
                     shown(r, rule).p);
    }
}

void inhibit_read(struct reading *r)
{
    const struct entry *m = node_entry(r->root, "inhibit");
    size_t errors = r->errors;
    r->needed_from = CONFIG_REPLAY;
    if (!m ||
        !node_is_map(r, m->value, STR("inhibit"), "a mapping of names to inhibitions"))
        return;
    struct inhibit *all = arena_alloc(r->arena, (m->value->n + 1) * sizeof *all);
    for (size_t i = 0; i < m->value->n; i++) {
        const struct entry *one = &m->value->entries[i];
        struct str path = path_join(r, STR("inhibit"), one->name);
        all[i] = (struct inhibit){.name = one->name};
        if (!name_is_good(r, one, STR("inhibit")) ||
            !node_is_map(r, one->value, path,
                         "a mapping such as {source: page-error, hides: [churn-*], "
                         "equal: [account]}"))
            continue;
        options_read(r, &inhibit_table, one, path, &all[i]);
        if (r->errors == errors)
            check_names(r, one, path, &all[i]);
    }
    if (r->errors == errors)
        check_roles(r, m, all, m->value->n);
    for (size_t i = 0; i < r->out->rules_n; i++) {
        r->out->rules[i].inhibits = all;
        r->out->rules[i].inhibits_n = m->value->n;
    }
}
