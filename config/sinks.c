/* sinks: NAME: {type: ..., the type's own options}. */
#include "config/sections.h"
#include "core/suggest.h"

#define NETWORK(member) \
    (offsetof(struct sink_config, network) + offsetof(struct network, member))

static const char *const policies[] = {
    [WHEN_FULL_DEAD_LETTER] = "dead_letter", [WHEN_FULL_PAUSE] = "pause", NULL};
static const char *const proxy_schemes[] = {"http://", "https://", "socks5h://", NULL};
enum { DIGEST_ABOVE = 20, DIGEST_ABOVE_MAX = 1000 };
static const struct option_row common_rows[] = {
    {.name = "rate",
     .type = OPTION_TEXT,
     .offset = offsetof(struct sink_config, rate),
     .max = 20,
     .help =
         "How often it may be asked at most, over all pods: `1/s`, `30/m`, `500/h`. Of "
         "several shards each has its part. A Slack sink has `1/s` unless this is "
         "written."},
    {.name = "digest_above",
     .type = OPTION_INT,
     .offset = offsetof(struct sink_config, digest_above),
     .max = DIGEST_ABOVE_MAX,
     .help =
         "More alerts than that within a minute become one message that lists them; 0: "
         "never. For Slack, Teams, Discord and email; they have 20 unless this is "
         "written."},
    {.name = "concurrency",
     .type = OPTION_INT,
     .offset = offsetof(struct sink_config, concurrency),
     .fallback = "1",
     .min = 1,
     .max = 16,
     .help =
         "How many requests may be under way at a time, in each shard, over all pods. "
         "Those about one rule and key stay in order; with 1 all do."},
    {.name = "connect_timeout",
     .type = OPTION_DURATION,
     .offset = NETWORK(connect_timeout_ms),
     .fallback = "5s",
     .min = 100,
     .max = 60000,
     .help = "How long connecting may take, names and certificates included."},
    {.name = "timeout",
     .type = OPTION_DURATION,
     .offset = NETWORK(timeout_ms),
     .fallback = "10s",
     .min = 100,
     .max = 300000,
     .help = "How long a request may take, from connecting to the answer's last byte."},
    {.name = "allow_private",
     .type = OPTION_TEXTS,
     .offset = NETWORK(allow_private),
     .help =
         "Which private addresses its name may lead to: hosts, addresses and networks "
         "such as `hooks.internal` or `10.0.0.0/8`, or `true` for all. Else none; "
         "link-local, metadata and other special ones only by their network."},
    {.name = "proxy",
     .type = OPTION_SECRET,
     .offset = offsetof(struct sink_config, proxy),
     .words = proxy_schemes,
     .help = "The proxy that requests go through. None else: the environment's count for "
             "nothing."},
    {.name = "ca_file",
     .type = OPTION_TEXT,
     .offset = NETWORK(ca_file),
     .max = 4000,
     .help = "A file of certificates (PEM) to trust instead of the system's."},
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
    {.name = "when_failing",
     .type = OPTION_TEXT,
     .offset = offsetof(struct sink_config, when_failing),
     .help =
         "Another sink, which is told when this one fails or refuses, and when it works "
         "again."},
};
const struct option_table sink_table = OPTION_TABLE(common_rows, NULL);
enum { RATE_MAX = 1000 };

/* What a type's table does not have. */
static const char *const also[] = {
    "type",       "rate",          "digest_above", "concurrency", "connect_timeout",
    "timeout",    "allow_private", "proxy",        "proxy_file",  "ca_file",
    "outbox_max", "when_full",     "when_failing", NULL};

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

/* "30/m": thirty a minute. Between two requests, in ms; 0: it is none. */
static int64_t gap_of(struct str rate)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60 * 1000}, {'h', 3600 * 1000}};
    int64_t n = 0;
    size_t i = 0;
    for (; i < rate.n && rate.p[i] >= '0' && rate.p[i] <= '9' && n < RATE_MAX; i++)
        n = n * 10 + (rate.p[i] - '0');
    for (size_t u = 0; u < sizeof units / sizeof *units; u++)
        if (n > 0 && n <= RATE_MAX && i + 2 == rate.n && rate.p[i] == '/' &&
            rate.p[i + 1] == units[u].unit)
            return (units[u].ms + n - 1) / n;
    return 0;
}

static void read_rate(struct reading *r, const struct entry *m, struct str path,
                      struct sink_config *s)
{
    const struct entry *written = node_entry(m->value, "rate");
    if (!s->rate.n && s->type->rate)
        s->rate = str_of(s->type->rate);
    s->gap_ms = gap_of(s->rate);
    if (written && s->rate.n && !s->gap_ms)
        complain(r, written->value->at, path_join(r, path, written->name),
                 "expected a rate of 1 to %d such as 1/s, 30/m or 500/h, found %s",
                 RATE_MAX, node_found(r, written->value));
}

/* A program that is told of alerts wants each, and so does who keeps one thing an episode. */
static void read_digest(struct reading *r, const struct entry *m, struct str path,
                        struct sink_config *s)
{
    const struct entry *written = node_entry(m->value, "digest_above");
    if (!written)
        s->digest_above = s->type->digests ? DIGEST_ABOVE : 0;
    else if (s->digest_above && !s->type->digests)
        complain(r, written->value->at, path_join(r, path, written->name),
                 "a sink of type %s is told of each alert; only 0 can stand here",
                 s->type->name);
}

static void check_private(struct reading *r, const struct entry *m, struct str path,
                          const struct sink_config *s)
{
    const struct entry *written = node_entry(m->value, "allow_private");
    const struct texts *words = &s->network.allow_private;
    for (size_t i = 0; written && i < words->n; i++) {
        struct err e = {0};
        if (network_check_word(words->items[i], &e) < 0)
            complain(r, written->value->at, path_join(r, path, written->name),
                     "'%.*s': %s", STR_ARG(words->items[i]), e.text);
    }
}

static void read_common(struct reading *r, const struct entry *m, struct str path,
                        struct sink_config *s)
{
    options_read_part(r, &sink_table, m, path, s);
    read_rate(r, m, path, s);
    read_digest(r, m, path, s);
    check_private(r, m, path, s);
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
    struct option_table table = {type->options, type->options_n, also};
    *s = (struct sink_config){.name = m->name,
                              .type = type,
                              .settings = arena_alloc(r->arena, type->settings_bytes)};
    size_t errors = r->errors;
    read_common(r, m, path, s);
    options_read(r, &table, m, path, s->settings);
    if (r->errors == errors)
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

static bool names(const struct node *map, const char *option, struct str name)
{
    const struct entry *m = node_entry(map, option);
    return m && m->value->kind == NODE_TEXT && str_eq(m->value->text, name);
}

static bool is_told_of_others(const struct node *root, struct str name)
{
    const struct node *all = node_entry(root, "sinks")->value;
    for (size_t i = 0; i < all->n; i++)
        if (names(all->entries[i].value, "when_failing", name))
            return true;
    return false;
}

static bool is_used(const struct node *root, struct str name)
{
    const struct entry *beat = node_entry(root, "heartbeat");
    if ((beat && names(beat->value, "sink", name)) || is_told_of_others(root, name))
        return true;
    const struct entry *rules = node_entry(root, "rules");
    for (size_t i = 0; rules && rules->value->kind == NODE_MAP && i < rules->value->n;
         i++)
        if (rule_sends_to(rules->value->entries[i].value, name))
            return true;
    return false;
}

static void check_sink(struct reading *r, const struct entry *written, struct str path,
                       struct str not_this)
{
    char meant[SUGGESTION_BYTES];
    if (!written || written->value->kind != NODE_TEXT)
        return;
    struct str name = written->value->text;
    struct suggestion near = suggestion_for(name);
    for (size_t i = 0; i < r->out->sinks_n; i++) {
        if (str_eq(r->out->sinks[i].name, name) && !str_eq(name, not_this))
            return;
        if (!str_eq(r->out->sinks[i].name, not_this))
            suggestion_offer(&near, r->out->sinks[i].name);
    }
    complain(r, written->value->at, path_join(r, path, written->name),
             "expected the name of %s sink, found %s%s", not_this.n ? "another" : "a",
             node_found(r, written->value), suggestion_text(&near, meant));
}

/* The sinks that are told of the watcher itself. */
static void check_told(struct reading *r)
{
    const struct entry *beat = node_entry(r->root, "heartbeat"),
                       *m = node_entry(r->root, "sinks");
    if (beat)
        check_sink(r, node_entry(beat->value, "sink"), STR("heartbeat"), STR_NONE);
    for (size_t i = 0; m && m->value->kind == NODE_MAP && i < m->value->n; i++) {
        const struct entry *sink = &m->value->entries[i];
        check_sink(r, node_entry(sink->value, "when_failing"),
                   path_join(r, STR("sinks"), sink->name), sink->name);
    }
}

void sinks_check_use(struct reading *r)
{
    check_told(r);
    const struct entry *m = node_entry(r->root, "sinks");
    for (size_t i = 0; m && m->value->kind == NODE_MAP && i < m->value->n; i++) {
        const struct entry *sink = &m->value->entries[i];
        if (!is_used(r->root, sink->name))
            warn(r, sink->at, path_join(r, STR("sinks"), sink->name),
                 "no rule sends to it");
    }
}
