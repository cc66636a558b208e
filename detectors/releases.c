#include "detectors/releases.h"

#include <stdlib.h>

#include "core/utf8.h"

enum {
    TEXT_BYTES = 128,
    URL_BYTES = 512,
    EVENT_BYTES = 256,
    /* Of more that the watermark has not passed the oldest go: 10,000 in the time that events may be late are
     * nobody's releases. */
    UNSETTLED_MAX = 10000,
};
#define FOLD_AFTER_MS 3600000LL /* event time; nothing waits for it */
#define NAME "$releases"        /* names of rules are letters, digits, - _ and . */

/* --- releases --- */

static void pack(const struct release *r, struct buf *out)
{
    buf_i64(out, r->told.time_ms);
    buf_str16(out, r->event);
    buf_str16(out, r->told.version);
    buf_str16(out, r->told.service);
    buf_str16(out, r->told.url);
}

static bool unpack(struct str packed, struct release *out)
{
    struct reader r = {.in = packed};
    *out = (struct release){.told.time_ms = reader_i64(&r)};
    out->event = reader_str16(&r);
    out->told.version = reader_str16(&r);
    out->told.service = reader_str16(&r);
    out->told.url = reader_str16(&r);
    return !r.failed && r.in.n == 0;
}

static int in_order(const void *a, const void *b)
{
    const struct release *x = a, *y = b;
    if (x->told.time_ms != y->told.time_ms)
        return x->told.time_ms < y->told.time_ms ? -1 : 1;
    return str_cmp(x->event, y->event);
}

struct release *releases_load(const struct str *records, size_t records_n,
                              struct arena *arena, size_t *n)
{
    struct release *all = arena_alloc(arena, (records_n + 1) * sizeof *all);
    *n = 0;
    for (size_t i = 0; i < records_n; i++)
        *n += unpack(records[i], &all[*n]);
    qsort(all, *n, sizeof *all, in_order);
    return all;
}

static size_t before(const struct release *all, size_t n, int64_t time_ms)
{
    while (n && all[n - 1].told.time_ms >= time_ms)
        n--;
    return n;
}

/* Several pods, several clusters: a version of a service is one release. */
static bool is_named(const struct alert *a, const struct alert_release *r)
{
    for (size_t i = 0; i < a->releases_n; i++)
        if (str_eq(a->releases[i].version, r->version) &&
            str_eq(a->releases[i].service, r->service))
            return true;
    return false;
}

void releases_name(const struct rule *rule, const struct release *all, size_t n,
                   struct alert *a)
{
    const struct releases_settings *s = rule->settings;
    int64_t opened_ms = a->state == ALERT_FIRING ? a->time_ms : a->opened_ms;
    size_t known = before(all, n, a->time_ms);
    size_t first = known > RELEASES_KEPT ? known - RELEASES_KEPT : 0;
    a->releases_n = 0;
    if (a->state == ALERT_RESOLVED)
        return;
    for (size_t i = before(all, n, opened_ms);
         i > first && a->releases_n < ALERT_RELEASES_MAX; i--) {
        const struct alert_release *r = &all[i - 1].told;
        if (r->time_ms < opened_ms - s->within_ms)
            break;
        if (!is_named(a, r))
            a->releases[a->releases_n++] = *r;
    }
}

/* --- the window that keeps them --- */

static bool releases_update(const struct rule *rule, const struct event *event,
                            struct update *out)
{
    struct release r = {
        .event = utf8_cut(event->id, EVENT_BYTES),
        .told = {
            .version = utf8_cut(event_text(event, FIELD_RELEASE_VERSION), TEXT_BYTES),
            .service = utf8_cut(event_text(event, FIELD_RELEASE_SERVICE), TEXT_BYTES),
            .url = utf8_cut(event_text(event, FIELD_RELEASE_URL), URL_BYTES),
            .time_ms = event->time_ms}};
    (void)rule;
    pack(&r, out->record);
    out->judge_at = 2 * RELEASES_KEPT;
    return true;
}

/* When more of them can go. */
static int64_t due_ms(int64_t watermark_ms, int64_t latest_ms)
{
    int64_t from_ms = watermark_ms > latest_ms ? watermark_ms : latest_ms;
    return from_ms < NEVER_MS - FOLD_AFTER_MS ? from_ms + FOLD_AFTER_MS : NEVER_MS;
}

static void releases_judge(const struct judge_input *in, struct judgement *out)
{
    size_t n;
    struct release *all = releases_load(in->records, in->records_n, out->arena, &n);
    size_t settled = in->judged_ms == ALWAYS_MS ? 0 : before(all, n, in->judged_ms);
    size_t first = settled > RELEASES_KEPT ? settled - RELEASES_KEPT : 0;
    if (n - first > RELEASES_KEPT + UNSETTLED_MAX)
        first = n - RELEASES_KEPT - UNSETTLED_MAX;
    for (size_t i = first; i < n; i++) {
        size_t begin = buf_str16_begin(out->kept);
        pack(&all[i], out->kept);
        buf_str16_end(out->kept, begin);
        out->kept_n++;
    }
    if (n - first > RELEASES_KEPT)
        out->due_ms = due_ms(in->watermark_ms, all[n - 1].told.time_ms);
}

static const struct detector releases_detector = {
    .name = "releases",
    .help = "What was deployed; the program's own.",
    .settings_bytes = sizeof(struct releases_settings),
    .update = releases_update,
    .judge = releases_judge,
};

void releases_rule(int64_t within_ms, struct arena *arena, struct rule *out)
{
    struct releases_settings *s = arena_alloc(arena, sizeof *s);
    s->within_ms = within_ms;
    *out = (struct rule){
        .name = STR(NAME),
        .on = 1u << EVENT_RELEASE_DEPLOYED,
        .by = {{STR("release.version"), KEY_FIELD, FIELD_RELEASE_VERSION}},
        .by_n = 1,
        .kind = &releases_detector,
        .settings = s,
        .steps = {{0, SEVERITY_LOW}},
        .steps_n = 1,
        .layout = rule_layout("releases", NULL, 0),
        .one_window = true,
        .everywhere = true,
        .lookback_ms = within_ms + 1,
    };
    out->window_name = rule_window_name(out, arena);
}

const struct rule *releases_rule_of(const struct rule *rules, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (rules[i].kind == &releases_detector)
            return &rules[i];
    return NULL;
}
