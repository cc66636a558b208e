/* sinks: NAME: {type: ..., the type's own options}. */
#include "config/sections.h"
#include "core/suggest.h"

static const char *const policies[] = {
    [WHEN_FULL_DEAD_LETTER] = "dead_letter", [WHEN_FULL_PAUSE] = "pause", NULL};
static const struct option_row common_rows[] = {
    {.name = "outbox_max",
     .type = OPTION_INT,
     .offset = offsetof(struct sink_config, outbox_max),
     .fallback = "20000",
     .min = 100,
     .max = 10000000,
     .help = "How many alerts may wait for this sink, in each shard."},
    {.name = "when_full",
     .type = OPTION_WORD,
     .offset = offsetof(struct sink_config, when_full),
     .fallback = "dead_letter",
     .words = policies,
     .help = "What becomes of one more: it goes to the sink's dead letters, or reading "
             "from Kafka pauses until there is room, and all sinks wait for this one."},
};
enum { COMMON_ROWS = sizeof common_rows / sizeof common_rows[0] };
const struct option_table sink_table = {common_rows, COMMON_ROWS, NULL, NULL};

/* What a type's table does not have. */
static const char *const also[] = {"type", "outbox_max", "when_full", NULL};

static void names_of_types(struct buf *out)
{
    for (size_t i = 0; sinks[i]; i++)
        buf_printf(out, "%s%s",
                   i == 0         ? ""
                   : sinks[i + 1] ? ", "
                                  : " or ",
                   sinks[i]->name);
}

static void no_such_type(struct reading *r, const struct node *n, struct str path,
                         const char *all)
{
    char meant[SUGGESTION_BYTES];
    struct suggestion near = suggestion_for(n->written);
    for (size_t i = 0; sinks[i]; i++)
        suggestion_offer(&near, str_of(sinks[i]->name));
    complain(r, n->at, path, "expected %s, found %s%s", all, node_found(r, n),
             suggestion_text(&near, meant));
}

/* NULL after saying why. */
static const struct sink *read_type(struct reading *r, const struct entry *m,
                                    struct str path)
{
    const struct entry *type = node_entry(m->value, "type");
    const struct sink *found = NULL;
    struct str name;
    struct buf all;
    buf_init(&all, 200);
    names_of_types(&all);
    struct str wanted = arena_str(r->arena, buf_str(&all));
    buf_deinit(&all);
    if (!type) {
        complain(r, m->at, path, "'type' is missing: %s", wanted.p);
        return NULL;
    }
    path = path_join(r, path, type->name);
    if (node_text(r, type->value, path, wanted.p, &name) && !(found = sink_named(name)))
        no_such_type(r, type->value, path, wanted.p);
    return found;
}

static void read_common(struct reading *r, const struct entry *m, struct str path,
                        struct sink_config *s)
{
    options_default(r, &sink_table, s);
    for (size_t i = 0; i < COMMON_ROWS; i++) {
        const struct entry *written = node_entry(m->value, common_rows[i].name);
        if (written)
            (void)value_read(r, &common_rows[i], written->value,
                             path_join(r, path, written->name), s);
    }
}

/* By what stands in other sections. */
static void complete(struct reading *r, const struct entry *m, struct str path,
                     struct sink_config *s)
{
    const struct kafka_settings *kafka = &r->out->kafka;
    struct err e = {0};
    if (s->type->complete &&
        s->type->complete(
            s->settings,
            &(struct sink_surroundings){kafka->brokers, kafka->properties, kafka->topics},
            &e) < 0)
        complain(r, m->at, path, "%s", e.text);
}

static void read_sink(struct reading *r, const struct entry *m)
{
    struct str path = path_join(r, STR("sinks"), m->name);
    if (!name_is_good(r, m, STR("sinks")) ||
        !node_is_map(r, m->value, path, "a mapping with a type"))
        return;
    const struct sink *type = read_type(r, m, path);
    if (!type)
        return;
    struct sink_config *s = &r->out->sinks[r->out->sinks_n++];
    struct option_table table = {type->options, type->options_n, also, NULL};
    *s = (struct sink_config){.name = m->name,
                              .type = type,
                              .settings = arena_alloc(r->arena, type->settings_bytes)};
    read_common(r, m, path, s);
    options_read(r, &table, m, path, s->settings);
    complete(r, m, path, s);
}

void sinks_read(struct reading *r)
{
    const struct entry *m = node_entry(r->root, "sinks");
    r->needed_from = CONFIG_RUN;
    if (!m || !node_is_map(r, m->value, STR("sinks"), "a mapping of names to sinks"))
        return;
    r->out->sinks = arena_alloc(r->arena, (m->value->n + 1) * sizeof *r->out->sinks);
    for (size_t i = 0; i < m->value->n; i++)
        read_sink(r, &m->value->entries[i]);
}

/* As written, in rules with mistakes as well. */
static bool rule_sends_to(const struct node *rule, struct str name)
{
    const struct entry *send = node_entry(rule, "send");
    const struct node *n;
    for (size_t i = 0; send && (n = node_item(send->value, i)); i++)
        if (n->kind == NODE_TEXT && str_eq(n->text, name))
            return true;
    return false;
}

static bool is_used(const struct node *root, struct str name)
{
    const struct entry *rules = node_entry(root, "rules");
    for (size_t i = 0; rules && rules->value->kind == NODE_MAP && i < rules->value->n;
         i++)
        if (rule_sends_to(rules->value->entries[i].value, name))
            return true;
    return false;
}

void sinks_check_use(struct reading *r)
{
    const struct entry *m = node_entry(r->root, "sinks");
    for (size_t i = 0; m && m->value->kind == NODE_MAP && i < m->value->n; i++) {
        const struct entry *sink = &m->value->entries[i];
        if (!is_used(r->root, sink->name))
            warn(r, sink->at, path_join(r, STR("sinks"), sink->name),
                 "no rule sends to it");
    }
}
