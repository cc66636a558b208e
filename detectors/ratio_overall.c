/* `ratio` against `overall`: each key's share in a closed bucket is held against that of all the rule's other
 * events of the same bucket (docs/rules.md). All keys lie in one window, so that a judgement sees them
 * all, and the same with any number of shards. Nothing is said early and nothing taken back. */
#include "detectors/judgement.h"
#include "detectors/ratio_segments.h"

/* The key's values, as the rest of the kinds have them. */
static struct judge_input input_of(const struct segment_window *w, struct str key,
                                   struct str *values)
{
    struct judge_input in = *w->in;
    struct reader r = {.in = key};
    for (size_t i = 0; i < in.rule->by_n; i++)
        values[i] = reader_str16(&r);
    in.key = values;
    return in;
}

/* The first events on the side that is too many. */
static void show_evidence(const struct segment_window *w, const struct segment *s,
                          struct alert *a)
{
    struct member members[SEGMENT_EVIDENCE];
    size_t n = 0;
    bool side = a->anomaly.up;
    for (size_t i = 0; i < s->shown_n[side]; i++)
        n += member_unpack(s->shown[side][i].packed, &members[n]);
    members_describe(members, NULL, n, a);
    a->accounts_n = (int64_t)a->accounts_listed;
    a->first_seen_ms =
        ratio_start_of(w->settings, ratio_cell_of(w->settings, a->last_seen_ms - 1));
}

static void say(struct segment_window *w, struct str key, const struct ratio_finding *f,
                const struct segment *evidence)
{
    struct str values[ALERT_KEYS_MAX];
    struct judge_input in = input_of(w, key, values);
    struct alert a = ratio_alert(&in, w->out, f);
    if (evidence)
        show_evidence(w, evidence, &a);
    judgement_tell(w->out, &a);
}

static size_t episode_of(const struct segment_window *w, struct str key)
{
    size_t i = 0;
    while (i < w->episodes_n && !str_eq(w->episodes[i].key, key))
        i++;
    return i;
}

static void resolve(struct segment_window *w, size_t i, const struct tally *t,
                    const struct alert_anomaly *figures)
{
    struct segment_episode *e = &w->episodes[i];
    struct ratio_finding f = {ALERT_RESOLVED, *t, e->opened_cell, *figures};
    say(w, e->key, &f, NULL);
    memmove(e, e + 1, (--w->episodes_n - i) * sizeof *e);
}

static void open_episode(struct segment_window *w, const struct segment *s,
                         const struct tally *t, const struct alert_anomaly *figures)
{
    struct ratio_finding f = {ALERT_FIRING, *t, t->cell, *figures};
    w->episodes = segments_room(w->out->arena, w->episodes, w->episodes_n,
                                &w->episodes_cap, sizeof *w->episodes);
    w->episodes[w->episodes_n++] =
        (struct segment_episode){s->key, figures->up, t->cell, t->cell};
    say(w, s->key, &f, s);
}

/* An episode ends when silent_n buckets behind the last one with events are over by then. */
static bool end_by_silence(struct segment_window *w, size_t i, int64_t by_ms)
{
    struct tally last = {w->episodes[i].last_cell + w->settings->silent_n, 0, 0};
    struct alert_anomaly figures = ratio_figures(w->settings, &last);
    if (ratio_start_of(w->settings, last.cell + 1) > by_ms)
        return false;
    resolve(w, i, &last, &figures);
    return true;
}

/* A key that is all there is has nothing to be held against. */
static bool can_be_judged(const struct segment_window *w, const struct tally *own,
                          const struct tally *others)
{
    const struct ratio_settings *s = w->settings;
    return own->n >= s->min_denominator && others->n >= s->min_denominator &&
           ratio_start_of(s, own->cell + 1) >= w->in->judge_from_ms;
}

static void judge_segment(struct segment_window *w, const struct segment_bucket *b,
                          const struct segment *s)
{
    struct tally own = {b->tally.cell, s->n, s->matched};
    struct tally others = {own.cell, b->tally.n - s->n, b->tally.matched - s->matched};
    struct alert_anomaly figures = ratio_figures(w->settings, &own);
    size_t i = episode_of(w, s->key);
    bool firing =
        i < w->episodes_n && !end_by_silence(w, i, ratio_start_of(w->settings, own.cell));
    if (firing)
        w->episodes[i].last_cell = own.cell;
    if (!can_be_judged(w, &own, &others))
        return;
    ratio_test_pooled(&own, &others, &figures);
    bool is = ratio_abnormal(w->settings, &figures);
    if (firing && (!is || w->episodes[i].up != figures.up)) {
        resolve(w, i, &own, &figures);
        firing = false;
    }
    if (is && !firing)
        open_episode(w, s, &own, &figures);
}

static void judge_bucket(struct segment_window *w, const struct segment_bucket *b)
{
    w->out->left_out += b->tally.n;
    for (size_t i = 0; i < b->n; i++) {
        w->out->left_out -= b->segments[i].n;
        judge_segment(w, b, &b->segments[i]);
    }
}

void ratio_judge_overall(const struct judge_input *in, struct judgement *out)
{
    struct segment_window w = {.in = in, .settings = in->rule->settings, .out = out};
    segments_load(&w);
    int64_t open_cell = ratio_cell_of(w.settings, in->watermark_ms);
    for (; w.closed_n < w.n && w.buckets[w.closed_n].tally.cell < open_cell; w.closed_n++)
        judge_bucket(&w, &w.buckets[w.closed_n]);
    for (size_t i = 0; i < w.episodes_n;)
        i += !end_by_silence(&w, i, in->watermark_ms);
    segments_keep(&w);
}
