#include "tests/sink_case.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

#include "config/node.h"
#include "config/options.h"
#include "sinks/digest.h"

static size_t secrets_before(const struct sink *sink, size_t option)
{
    size_t n = 0;
    for (size_t i = 0; i < option; i++)
        n += sink->options[i].type == OPTION_SECRET;
    return n;
}

static struct texts split(struct str list, struct arena *arena)
{
    struct texts t = {.items = arena_alloc(arena, (list.n + 1) * sizeof(struct str))};
    for (size_t from = 0; from <= list.n;) {
        const char *comma = memchr(list.p + from, ',', list.n - from);
        size_t to = comma ? (size_t)(comma - list.p) : list.n;
        t.items[t.n++] = (struct str){list.p + from, to - from};
        from = to + 1;
    }
    return t;
}

/* As the configuration reads it. */
static bool read_value(struct sink_case *c, const struct option_row *row,
                       struct str value, struct arena *arena)
{
    struct config config = {0};
    struct reading r = {.arena = arena, .out = &config};
    struct node n = {.kind = NODE_TEXT, .text = value, .written = value};
    return value_read(&r, row, &n, str_of(row->name), c->settings);
}

static int set(struct sink_case *c, struct str name, struct str value,
               struct arena *arena, struct err *e)
{
    for (size_t i = 0; i < c->sink->options_n; i++) {
        const struct option_row *o = &c->sink->options[i];
        void *at = (char *)c->settings + o->offset;
        if (!str_is(name, o->name))
            continue;
        if (o->type == OPTION_SECRET)
            ((struct secret *)at)->value = c->secrets.values[secrets_before(c->sink, i)] =
                value;
        else if (o->type == OPTION_TEXTS)
            *(struct texts *)at = split(value, arena);
        else if (o->type == OPTION_TEXT)
            *(struct str *)at = value;
        else if (!read_value(c, o, value, arena))
            return err_set(e, ERR_INPUT, "%s: not such a value", o->name);
        return 0;
    }
    return err_set(e, ERR_INPUT, "%s has no option \"%.*s\"", c->sink->name,
                   STR_ARG(name));
}

int sink_case_init(struct sink_case *c, const char *type, const char *const *settings,
                   size_t n, struct arena *arena, struct err *e)
{
    *c = (struct sink_case){.sink = sink_named(str_of(type))};
    if (!c->sink)
        return err_set(e, ERR_INPUT, "there is no sink \"%s\"", type);
    c->settings = arena_alloc(arena, c->sink->settings_bytes);
    struct config config = {0};
    struct reading r = {.arena = arena, .out = &config};
    options_default(
        &r, &(struct option_table){c->sink->options, c->sink->options_n, NULL},
        c->settings);
    for (size_t i = 0; i < n; i++) {
        struct str name = str_of(settings[i]);
        const char *sign = memchr(name.p, '=', name.n);
        if (!sign)
            return err_set(e, ERR_INPUT, "not name=value: %s", settings[i]);
        name.n = (size_t)(sign - name.p);
        if (set(c, name, str_of(sign + 1), arena, e))
            return -1;
    }
    struct err wrong = {0}; /* some tests ask for what check would refuse */
    if (c->sink->complete)
        (void)c->sink->complete(c->settings, &(struct sink_surroundings){0}, &wrong);
    return 0;
}

/* In place: the texts are the arena's own. */
static void break_text(struct str text)
{
    char *at = (char *)(uintptr_t)text.p, *end = at + text.n;
    while (at < end && (at = memmem(at, (size_t)(end - at), "\xEE\x80\x80", 3)))
        memcpy(at, "\xFF\xC3\xA0", 3);
}

static int parse(struct str alert_json, struct arena *arena, struct alert *a,
                 struct err *e)
{
    if (alert_parse(alert_json, arena, a, e))
        return -1;
    struct str *sample = &a->sample.page_url;
    for (size_t i = 0; i < sizeof a->sample / sizeof *sample; i++)
        break_text(sample[i]);
    for (size_t i = 0; i < a->keys_n; i++)
        break_text(a->key_values[i]);
    for (size_t i = 0; i < a->accounts_listed; i++) {
        break_text(a->accounts[i].id);
        break_text(a->accounts[i].name);
    }
    for (size_t i = 0; i < a->evidence_n; i++)
        break_text(a->evidence[i].ticket);
    break_text(a->rule);
    break_text(a->summary);
    return 0;
}

static int parse_digest(struct str lines, struct arena *arena, struct sink_input *in,
                        struct err *e)
{
    enum { ALERTS_MAX = 1000 };
    struct alert *alerts = arena_alloc(arena, ALERTS_MAX * sizeof *alerts);
    struct digest *d = arena_alloc(arena, sizeof *d);
    size_t n = 0;
    while (lines.n && n < ALERTS_MAX) {
        const char *end = memchr(lines.p, '\n', lines.n);
        size_t to = end ? (size_t)(end - lines.p) : lines.n;
        if (parse((struct str){lines.p, to}, arena, &alerts[n++], e))
            return -1;
        lines = str_from(lines, end ? to + 1 : to);
    }
    digest_make(d, alerts, n);
    in->digest = d;
    in->alert = &d->face;
    return 0;
}

static int input(const struct sink_case *c, struct str alert_json, int64_t now_ms,
                 struct arena *arena, struct sink_input *out, struct err *e)
{
    struct alert *alert = arena_alloc(arena, sizeof *alert);
    *out = (struct sink_input){.settings = c->settings,
                               .secrets = &c->secrets,
                               .alert = alert,
                               .alert_json = alert_json,
                               .now_ms = now_ms,
                               .memory = c->memory,
                               .again = c->again};
    return c->digest ? parse_digest(alert_json, arena, out, e)
                     : parse(alert_json, arena, alert, e);
}

int sink_case_format(const struct sink_case *c, struct str alert_json, int64_t now_ms,
                     struct arena *arena, struct request *out, struct err *e)
{
    struct sink_input in;
    if (input(c, alert_json, now_ms, arena, &in, e))
        return -1;
    return c->sink->format(&in, arena, out, e);
}

struct outcome sink_case_hear(struct sink_case *c, struct str alert_json, int64_t now_ms,
                              const struct response *response, struct arena *arena)
{
    struct err e = {0};
    struct buf memory;
    struct sink_input in;
    int rc = input(c, alert_json, now_ms, arena, &in, &e);
    assert(rc == 0);
    buf_init(&memory, MEMORY_MAX_BYTES);
    struct outcome o = sink_hear(c->sink, &in, response, &memory);
    assert(!memory.overflowed);
    if (memory.n)
        c->memory = arena_str(arena, buf_str(&memory));
    buf_deinit(&memory);
    return o;
}

static void long_texts(const json_t *value, const char *name, struct buf *out)
{
    const char *key, *text = json_string_value(value);
    json_t *object = (json_t *)(uintptr_t)value, *member;
    size_t i, lines = 0;
    for (const char *c = text; c && *c; c++)
        lines += *c == '\n';
    if (lines > 3)
        buf_printf(out, "\n==== %s\n%s\n", name, text);
    json_object_foreach(object, key, member) long_texts(member, key, out);
    json_array_foreach(object, i, member) long_texts(member, name, out);
}

void sink_case_text(const struct request *request, struct buf *out)
{
    buf_printf(out, "%.*s %.*s\n", STR_ARG(request->method), STR_ARG(request->url));
    if (request->key.n)
        buf_printf(out, "key %.*s\n", STR_ARG(request->key));
    for (size_t i = 0; i < request->headers_n; i++)
        buf_printf(out, "%.*s\n", STR_ARG(request->headers[i]));
    json_t *body = json_loadb(request->body.p, request->body.n,
                              JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    if (!body) { /* a form */
        buf_printf(out, "\n%.*s\n", STR_ARG(request->body));
        return;
    }
    char *text = json_dumps(body, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    buf_printf(out, "\n%s\n", text);
    long_texts(body, "", out);
    free(text);
    json_decref(body);
}
