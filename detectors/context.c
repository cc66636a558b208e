#include "detectors/context.h"

#include <stdlib.h>

#include "core/utf8.h"
#include "detectors/match.h"

enum {
    EVENT_BYTES = 256,
    /* Of more that the watermark has not passed the oldest go: 1,000 in the time that events may be late
     * are nobody's releases. */
    UNSETTLED_MAX = 1000,
};
#define FOLD_AFTER_MS 3600000LL /* event time; nothing waits for it */

struct context_settings {
    const struct context_kind *kind;
    int64_t look_ms;
};

/* --- events --- */

static const struct context_kind *kind_of(const struct rule *rule)
{
    const struct context_settings *s = rule->settings;
    return s->kind;
}

static void pack(const struct context_kind *kind, const struct context_event *e,
                 struct buf *out)
{
    buf_i64(out, e->time_ms);
    buf_str16(out, e->event);
    for (size_t i = 0; i < kind->fields_n; i++)
        buf_str16(out, e->texts[i]);
}

static bool unpack(const struct context_kind *kind, struct str packed,
                   struct context_event *out)
{
    struct reader r = {.in = packed};
    *out = (struct context_event){.time_ms = reader_i64(&r)};
    out->event = reader_str16(&r);
    for (size_t i = 0; i < kind->fields_n; i++)
        out->texts[i] = reader_str16(&r);
    return !r.failed && r.in.n == 0;
}

static int in_order(const void *a, const void *b)
{
    const struct context_event *x = a, *y = b;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return str_cmp(x->event, y->event);
}

struct context context_load(const struct rule *rule, const struct str *records,
                            size_t records_n, struct arena *arena)
{
    struct context_event *events = arena_alloc(arena, (records_n + 1) * sizeof *events);
    size_t n = 0;
    for (size_t i = 0; i < records_n; i++)
        n += unpack(kind_of(rule), records[i], &events[n]);
    qsort(events, n, sizeof *events, in_order);
    return (struct context){events, n};
}

static size_t count_before(const struct context *all, int64_t time_ms)
{
    size_t n = all->n;
    while (n && all->events[n - 1].time_ms >= time_ms)
        n--;
    return n;
}

struct context context_before(const struct rule *rule, const struct context *all,
                              int64_t time_ms)
{
    size_t n = count_before(all, time_ms), kept = kind_of(rule)->kept;
    size_t first = n > kept ? n - kept : 0;
    return (struct context){all->events + first, n - first};
}

/* --- the window that keeps them --- */

/* In the arena. */
static struct str text_of(const struct context_field *field, const struct event *event,
                          struct arena *arena)
{
    const struct value *v = event_value(event, field->field);
    struct str text = event_text(event, field->field);
    if (v->type == VALUE_FLAG)
        text = v->flag ? STR("true") : STR("false");
    if (!field->make || !text.n)
        return utf8_cut(text, CONTEXT_TEXT_BYTES);
    struct buf b;
    buf_init(&b, 64 * 1024);
    field->make(text, &b);
    text = match_bounded(arena_str(arena, buf_str(&b)), arena);
    buf_deinit(&b);
    return text;
}

static bool context_update(const struct rule *rule, const struct event *event,
                           struct update *out)
{
    const struct context_kind *kind = kind_of(rule);
    struct context_event e = {.time_ms = event->time_ms,
                              .event = utf8_cut(event->id, EVENT_BYTES)};
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < kind->fields_n; i++)
        e.texts[i] = text_of(&kind->fields[i], event, &arena);
    pack(kind, &e, out->record);
    arena_deinit(&arena);
    out->judge_at = 2 * (uint32_t)kind->kept;
    out->due_ms = event->time_ms + FOLD_AFTER_MS;
    return true;
}

/* When more of them can go. */
static int64_t due_ms(int64_t watermark_ms, int64_t latest_ms)
{
    int64_t from_ms = watermark_ms > latest_ms ? watermark_ms : latest_ms;
    return from_ms < NEVER_MS - FOLD_AFTER_MS ? from_ms + FOLD_AFTER_MS : NEVER_MS;
}

static void context_judge(const struct judge_input *in, struct judgement *out)
{
    const struct context_kind *kind = kind_of(in->rule);
    struct context all = context_load(in->rule, in->records, in->records_n, out->arena);
    size_t settled = in->judged_ms == ALWAYS_MS ? 0 : count_before(&all, in->judged_ms);
    size_t first = settled > kind->kept ? settled - kind->kept : 0;
    if (all.n - first > kind->kept + UNSETTLED_MAX)
        first = all.n - kind->kept - UNSETTLED_MAX;
    for (size_t i = first; i < all.n; i++) {
        size_t begin = buf_str16_begin(out->kept);
        pack(kind, &all.events[i], out->kept);
        buf_str16_end(out->kept, begin);
        out->kept_n++;
    }
    if (all.n - first > kind->kept)
        out->due_ms = due_ms(in->watermark_ms, all.events[all.n - 1].time_ms);
}

static const struct detector context_detector = {
    .name = "context",
    .help = "What is known of the world around; the program's own.",
    .settings_bytes = sizeof(struct context_settings),
    .update = context_update,
    .judge = context_judge,
};

/* --- the rule --- */

void context_rule(const struct context_kind *kind, int64_t look_ms, struct arena *arena,
                  struct rule *out)
{
    struct context_settings *s = arena_alloc(arena, sizeof *s);
    enum event_field first = kind->fields[0].field;
    int64_t numbers[] = {(int64_t)kind->fields_n,
                         look_ms}; /* what a record is; how far they go back */
    *s = (struct context_settings){kind, look_ms};
    *out = (struct rule){
        .name = str_of(kind->name),
        .on = 1u << kind->type,
        .by = {{str_of(event_field_infos[first].name), KEY_FIELD, first}},
        .by_n = 1,
        .kind = &context_detector,
        .settings = s,
        .steps = {{0, SEVERITY_LOW}},
        .steps_n = 1,
        .layout = rule_layout(kind->name, numbers, sizeof numbers / sizeof numbers[0]),
        .one_window = true,
        .everywhere = true,
        .lookback_ms = look_ms + 1,
    };
    out->window_name = rule_window_name(out, arena);
}

const struct rule *context_rule_of(const struct context_kind *kind,
                                   const struct rule *rules, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (rules[i].kind == &context_detector && kind_of(&rules[i]) == kind)
            return &rules[i];
    return NULL;
}

int64_t context_look_ms(const struct rule *rule)
{
    const struct context_settings *s = rule->settings;
    return s->look_ms;
}
