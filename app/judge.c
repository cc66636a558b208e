#include "app/judge.h"

#include <assert.h>

#include "core/maintenance.h"
#include "detectors/accounts.h"
#include "detectors/verify.h"

enum { LOOK_AGAIN_MS = 600000, STATE_MAX_BYTES = 48 << 20, LINE_MAX_BYTES = 256 * 1024 };

static struct str name_of(const struct judge_settings *s, const struct rule *rule)
{
    return s->names ? s->names[rule - s->rules] : rule->window_name;
}

static const struct rule *rule_named(const struct judge_settings *s, struct str name)
{
    for (size_t i = 0; i < s->rules_n; i++)
        if (str_eq(name_of(s, &s->rules[i]), name))
            return &s->rules[i];
    return NULL;
}

static struct str line_of(const struct alert *a, bool positions, struct buf *scratch,
                          struct arena *arena)
{
    buf_clear(scratch);
    alert_json(a, positions, scratch);
    return arena_str(arena, buf_str(scratch));
}

static int64_t cap_of(const struct judge_settings *s, struct str sink)
{
    for (size_t i = 0; i < s->caps_n; i++)
        if (str_eq(s->caps[i].sink, sink))
            return s->caps[i].max;
    return 0;
}

/* The same words go to every sink of the rule. What an earlier state said is not said again. */
static void write_outbox(const struct judge_settings *settings, const struct rule *rule,
                         const struct judgement *found, struct buf *scratch,
                         struct judged *out)
{
    struct outbox_line *lines = arena_alloc(
        found->arena, (found->announced_n * rule->send.n + 1) * sizeof *lines);
    out->outbox = lines;
    for (size_t i = 0; i < found->announced_n && rule->send.n; i++) {
        const struct alert *a = &found->announced[i];
        if (a->time_ms < settings->past.said_ms)
            continue;
        struct str body = line_of(a, true, scratch, found->arena);
        for (size_t s = 0; s < rule->send.n; s++)
            lines[out->outbox_n++] =
                (struct outbox_line){.sink = rule->send.items[s],
                                     .body = body,
                                     .time_ms = a->time_ms,
                                     .max = cap_of(settings, rule->send.items[s])};
    }
}

static void write_record(const struct judge_settings *settings,
                         const struct judgement *found, struct buf *scratch,
                         struct judged *out)
{
    struct str *lines =
        arena_alloc(found->arena, (found->confirmed_n + 1) * sizeof *lines);
    out->record = lines;
    for (size_t i = 0; i < found->confirmed_n; i++)
        if (found->confirmed[i].time_ms >= settings->past.record_ms)
            lines[out->record_n++] =
                line_of(&found->confirmed[i], false, scratch, found->arena);
}

/* Events of so long before the alert make it again; updates of its accounts are among them, and what it says of
 * releases. */
static int64_t lookback_ms(const struct judge_settings *s, const struct rule *rule,
                           const struct alert *a)
{
    const struct rule *accounts = accounts_rule_of(s->rules, s->rules_n);
    int64_t longest_ms = rule->lookback_ms;
    for (size_t i = 0; i < s->rules_n; i++) {
        const struct rule *own = &s->rules[i];
        if (own->everywhere && (own != accounts || a->accounts_listed) &&
            own->lookback_ms > longest_ms)
            longest_ms = own->lookback_ms;
    }
    return longest_ms;
}

/* An episode and whose it is: those of a rule that is gone are to be told (horizon.lua). */
static struct str episode_name(const struct judge_settings *s, const struct rule *rule,
                               const struct alert *a, struct arena *arena)
{
    struct buf b;
    buf_init(&b, LINE_MAX_BYTES);
    buf_text(&b, a->id);
    buf_char(&b, ' ');
    buf_put(&b, name_of(s, rule));
    struct str name = arena_str(arena, buf_str(&b));
    buf_deinit(&b);
    return name;
}

/* Where episodes begin and end, for a state that is made anew. */
static void write_episodes(const struct judge_settings *s, const struct rule *rule,
                           const struct judgement *found, struct judged *out)
{
    struct episode_line *lines =
        arena_alloc(found->arena, (found->confirmed_n + 1) * sizeof *lines);
    out->episodes = lines;
    for (size_t i = 0; i < found->confirmed_n; i++) {
        const struct alert *a = &found->confirmed[i];
        if (a->state == ALERT_FIRING)
            lines[out->episodes_n++] =
                (struct episode_line){episode_name(s, rule, a, found->arena), false,
                                      a->time_ms - lookback_ms(s, rule, a)};
        if (a->state == ALERT_RESOLVED)
            lines[out->episodes_n++] = (struct episode_line){
                episode_name(s, rule, a, found->arena), true, a->time_ms};
    }
}

/* Where nobody says whose rules are in place, a window of a rule that this configuration does not have may be another
 * process's: it stays as it is, and is looked at again later; at once when there is a first watermark. */
static void leave(const struct judge_settings *s, const struct window *w,
                  struct arena *arena, struct judged *out)
{
    struct buf kept;
    buf_init(&kept, WINDOW_MAX_BYTES);
    for (size_t i = 0; i < w->records_n; i++)
        buf_str16(&kept, w->records[i]);
    out->state = w->state;
    out->kept = arena_str(arena, buf_str(&kept));
    out->kept_n = (uint32_t)w->records_n;
    int64_t now_ms = s->watermark_ms == STORE_NO_TIME ? 0 : s->watermark_ms;
    out->due_ms =
        now_ms < STORE_NO_DUE - LOOK_AGAIN_MS ? now_ms + LOOK_AGAIN_MS : STORE_NO_DUE;
    buf_deinit(&kept);
}

static void judge_one(const struct judge_settings *s, const struct window *w,
                      struct arena *arena, struct judged *out, struct finding *finding)
{
    struct str name, key[ALERT_KEYS_MAX];
    size_t key_n;
    *out = (struct judged){.id = w->id,
                           .head = w->head,
                           .due_ms = STORE_NO_DUE,
                           .calm_from_ms = STORE_NO_TIME};
    *finding = (struct finding){0};
    memcpy(out->version, w->version, sizeof out->version);
    if (!window_head_parse(w->head, &name, key, ALERT_KEYS_MAX, &key_n))
        return;
    const struct rule *rule = rule_named(s, name);
    if (!rule || rule_window_keys(rule) != key_n) {
        if (!s->names)
            leave(s, w, arena, out);
        return;
    }
    struct buf state, kept;
    buf_init(&state, STATE_MAX_BYTES);
    buf_init(&kept, WINDOW_MAX_BYTES);
    struct judge_input in = {.rule = rule,
                             .key = key,
                             .state = w->state,
                             .records = w->records,
                             .records_n = w->records_n,
                             .watermark_ms = s->watermark_ms,
                             .settled_ms = s->settled_ms,
                             .judged_ms = s->judged_ms,
                             .all_read = s->all_read,
                             .judge_from_ms = s->past.from_ms == STORE_NO_TIME
                                                  ? ALWAYS_MS
                                                  : s->past.from_ms + rule->lookback_ms,
                             .quiet_until_ms = s->past.said_ms,
                             .issues = s->issues};
    struct judgement found = {.arena = arena,
                              .state = &state,
                              .kept = &kept,
                              .due_ms = NEVER_MS,
                              .calm_from_ms = ALWAYS_MS};
    verify_judge(&in, &found);
    /* else it would be due again at once, for ever */
    assert(found.due_ms > s->watermark_ms);
    assert(!state.overflowed && !kept.overflowed); /* bounded by the kind */
    out->state = arena_str(arena, buf_str(&state));
    out->kept = arena_str(arena, buf_str(&kept));
    out->kept_n = found.kept_n;
    out->due_ms = found.due_ms;
    out->calm_n = found.calm_n;
    out->calm_from_ms = found.calm_from_ms;
    out->unproven = found.unproven;
    out->no_news = found.announced_n == 0 && found.confirmed_n == 0;
    out->left_out = found.left_out;
    *finding = (struct finding){rule, found};
    buf_deinit(&state);
    buf_deinit(&kept);
}

struct judged *judge_windows(const struct judge_settings *settings,
                             const struct window *windows, size_t n, struct arena *arena,
                             struct finding **findings)
{
    struct judged *judged = arena_alloc(arena, (n + 1) * sizeof *judged);
    *findings = arena_alloc(arena, (n + 1) * sizeof **findings);
    for (size_t i = 0; i < n; i++)
        judge_one(settings, &windows[i], arena, &judged[i], &(*findings)[i]);
    return judged;
}

/* What a planned silence matches says so, in the record and to the lanes, which then do not tell it. */
static void mark_silenced(const struct rule *rule, struct alert *alerts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct maintenance *m =
            maintenance_of(rule->maintenance, rule->maintenance_n, &alerts[i]);
        if (m)
            alerts[i].silenced =
                (struct alert_silenced){m->name, m->silence.author, m->silence.reason};
    }
}

void judge_write(const struct judge_settings *settings, const struct finding *findings,
                 size_t n, struct judged *judged)
{
    struct buf scratch;
    buf_init(&scratch, LINE_MAX_BYTES);
    for (size_t i = 0; i < n; i++) {
        const struct finding *f = &findings[i];
        if (!f->rule)
            continue;
        mark_silenced(f->rule, f->found.announced, f->found.announced_n);
        mark_silenced(f->rule, f->found.confirmed, f->found.confirmed_n);
        write_outbox(settings, f->rule, &f->found, &scratch, &judged[i]);
        write_record(settings, &f->found, &scratch, &judged[i]);
        write_episodes(settings, f->rule, &f->found, &judged[i]);
    }
    buf_deinit(&scratch);
}

static void count_one(const struct judge_settings *settings,
                      const struct judgement *found, const struct judged *judged,
                      struct rule_stats *s)
{
    s->judged++;
    s->announced += judged->outbox_n;
    s->left_out += (uint64_t)judged->left_out;
    for (size_t i = 0; i < found->confirmed_n; i++) {
        const struct alert *a = &found->confirmed[i];
        if (a->time_ms < settings->past.record_ms)
            continue;
        s->confirmed[a->state]++;
        s->muted += a->known_issue.muted;
        s->regressions += a->known_issue.regression && a->state == ALERT_FIRING;
    }
}

void judge_count(const struct judge_settings *settings, const struct finding *findings,
                 const struct judged *judged, size_t n, struct rule_stats *stats)
{
    for (size_t i = 0; i < n; i++)
        if (findings[i].rule && judged[i].committed)
            count_one(settings, &findings[i].found, &judged[i],
                      &stats[findings[i].rule - settings->rules]);
}

uint64_t judge_confirmed(const struct rule_stats *s)
{
    uint64_t all = 0;
    for (size_t i = 0; i < ALERT_STATES; i++)
        all += s->confirmed[i];
    return all;
}
