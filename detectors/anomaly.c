/* The kind `anomaly`: a metric of a bucket of event time, against the buckets before it (docs/rules.md).
 *
 * Events are added to their bucket; a bucket is judged once, when the watermark has passed its end: nothing
 * is said early and nothing taken back. What is kept besides the sums are the first few events of each
 * open bucket, as evidence; their weight is 0 because they are counted already. */
#include <math.h>

#include "core/fingerprint.h"
#include "core/utf8.h"
#include "detectors/anomaly.h"
#include "detectors/judgement.h"
#include "detectors/limit.h"

static const double FIELD_VALUE_MAX = 1e9; /* beyond it a value is not counted */

static bool enough(const struct anomaly_settings *s, const struct alert_anomaly *f)
{
    return s->metric != METRIC_COUNT ||
           (f->up ? f->value : f->mean) >= (double)s->min_count;
}

static double strength(const struct anomaly_settings *s, const struct alert_anomaly *f)
{
    return s->method == METHOD_ZSCORE ? fabs(f->z) : f->score;
}

static bool abnormal(const struct anomaly_settings *s, const struct alert_anomaly *f)
{
    if (s->direction == DIRECTION_UP && !f->up)
        return false;
    if (s->direction == DIRECTION_DOWN && f->up)
        return false;
    double bar = s->method == METHOD_ZSCORE ? s->z : s->beyond;
    return limit_reached(strength(s, f), bar) &&
           limit_reached(fabs(f->value - f->mean), s->min_change * fabs(f->mean)) &&
           enough(s, f);
}

/* An episode goes on while its direction is kept and enough of its strength, whatever the guards say: so it does
 * not flap around a limit. */
struct anomaly_turn anomaly_turn_of(const struct series *s, const struct alert_anomaly *f)
{
    struct anomaly_turn turn = {0};
    turn.ends = s->firing &&
                (s->up != f->up ||
                 !limit_reached(strength(s->settings, f), s->settings->resolve_below));
    turn.opens = (!s->firing || turn.ends) && abnormal(s->settings, f);
    return turn;
}

static void set_episode(struct anomaly_closing *c, const struct bucket *b,
                        const struct alert_anomaly *f)
{
    struct anomaly_turn turn = anomaly_turn_of(&c->series, f);
    if (turn.ends)
        anomaly_say(c, ALERT_RESOLVED, b, f);
    c->series.firing = (c->series.firing && !turn.ends) || turn.opens;
    if (!turn.opens)
        return;
    c->series.up = f->up;
    c->series.opened_cell = b->cell;
    anomaly_say(c, ALERT_FIRING, b, f);
}

bool anomaly_find(const struct series *series, const struct bucket *b, double value,
                  struct alert_anomaly *found)
{
    const struct anomaly_settings *s = series->settings;
    size_t least = (size_t)s->min_history;
    if (isnan(value) || (s->metric != METRIC_COUNT && b->n < s->min_count) ||
        series->values_n < least)
        return false;
    struct baseline base = series_baseline(series, b);
    if (base.n < least)
        return false;
    *found = (struct alert_anomaly){.present = true,
                                    .value = value,
                                    .mean = base.mean,
                                    .stddev = base.stddev,
                                    .z = base.z,
                                    .up = limit_passed(base.z, 0),
                                    .bucket_ms = s->bucket_ms,
                                    .share = s->metric == METRIC_RATIO,
                                    .matched = b->sum,
                                    .novelty = s->method != METHOD_ZSCORE,
                                    .lowest = base.lowest,
                                    .highest = base.highest,
                                    .score = base.score};
    return true;
}

static void judge_bucket(struct anomaly_closing *c, const struct bucket *b, double value)
{
    struct alert_anomaly f;
    if (anomaly_end_ms(c, b->cell) >= c->in->judge_from_ms &&
        anomaly_find(&c->series, b, value, &f))
        set_episode(c, b, &f);
}

static void close_bucket(struct anomaly_closing *c)
{
    struct bucket b = series_close(&c->series);
    double value = anomaly_value(c->settings, &b);
    judge_bucket(c, &b, value);
    series_remember(&c->series, value);
    series_keep_sample(&c->series, &b);
}

/* The history is full of nothing: forget it, so that a key gone for ever costs nothing. */
static void forget(struct anomaly_closing *c)
{
    if (c->series.firing) {
        struct bucket b = {.cell = c->series.next_cell - 1};
        struct alert_anomaly f = {.present = true, .bucket_ms = c->settings->bucket_ms};
        anomaly_say(c, ALERT_RESOLVED, &b, &f);
    }
    c->series.firing = c->series.started = false;
    c->series.blocks_n = 0;
}

static void close_due(struct anomaly_closing *c)
{
    struct series *s = &c->series;
    for (;;) {
        if (s->started && s->values_n == 0)
            forget(c);
        if (!s->started && s->open_n == 0)
            return;
        if (!s->started)
            s->next_cell = s->open[0].cell;
        if (anomaly_end_ms(c, s->next_cell) > c->in->watermark_ms)
            return;
        s->started = true;
        close_bucket(c);
    }
}

/* A record is what contributors ask of an event, and its member; what is kept as evidence has no contributors any
 * more. False: it is none. */
static bool read_record(struct str record, struct sample_entry *e, size_t *parts_n,
                        struct member_head *m)
{
    struct reader r = {.in = record};
    *parts_n = reader_u8(&r);
    for (size_t i = 0; i < *parts_n && i < SAMPLE_PARTS_MAX; i++)
        e->parts[i] = reader_str16(&r);
    return !r.failed && member_read_head(r.in, m);
}

/* The first few of each bucket, in order. */
static void load_evidence(struct anomaly_closing *c, const struct member_head *heads,
                          size_t n)
{
    int64_t cell = INT64_MIN, of_cell = 0;
    c->members = arena_take(c->out->arena, (n + 1) * sizeof *c->members);
    for (size_t i = 0; i < n; i++) {
        int64_t at = calendar_cell(c->settings->bucket_ms, heads[i].time_ms);
        of_cell = at == cell ? of_cell + 1 : 1;
        cell = at;
        if (of_cell <= ALERT_EVIDENCE_MAX)
            c->members_n += member_unpack(heads[i].packed, &c->members[c->members_n]);
    }
}

/* Adds what is new to its bucket. */
static void add_records(struct anomaly_closing *c)
{
    const struct judge_input *in = c->in;
    struct member_head *heads =
        arena_take(c->out->arena, (in->records_n + 1) * sizeof *heads);
    size_t n = 0;
    for (size_t i = 0; i < in->records_n; i++) {
        struct member_head *m = &heads[n];
        struct sample_entry e = {0};
        size_t parts_n;
        if (!read_record(in->records[i], &e, &parts_n, m))
            continue;
        n++;
        e.hash = sample_hash(m->event, m->time_ms);
        if (m->weight)
            series_add(&c->series, calendar_cell(c->settings->bucket_ms, m->time_ms),
                       m->value, parts_n ? &e : NULL);
    }
    member_heads_sort(heads, n);
    load_evidence(c, heads, n);
}

static void keep(struct judgement *j, const struct member *m)
{
    size_t begin = buf_str16_begin(j->kept);
    buf_u8(j->kept, 0);
    member_pack(m, j->kept);
    buf_str16_end(j->kept, begin);
    j->kept_n++;
}

/* Of buckets that are still open. */
static void keep_evidence(struct anomaly_closing *c)
{
    for (size_t i = 0; i < c->members_n; i++) {
        struct member *m = &c->members[i];
        if (anomaly_end_ms(c, calendar_cell(c->settings->bucket_ms, m->time_ms)) <=
            c->in->watermark_ms)
            continue;
        m->weight = 0;
        keep(c->out, m);
    }
}

void anomaly_judge(const struct judge_input *in, struct judgement *out)
{
    struct anomaly_closing c = {.in = in, .settings = in->rule->settings, .out = out};
    c.series = (struct series){.settings = c.settings, .arena = out->arena};
    series_unpack(in->state, in->records_n, &c.series);
    add_records(&c);
    close_due(&c);
    keep_evidence(&c);
    if (!c.series.started && c.series.open_n == 0)
        return;
    out->due_ms =
        anomaly_end_ms(&c, c.series.started ? c.series.next_cell : c.series.open[0].cell);
    series_pack(&c.series, out->state);
}

/* False: the event has none, so it does not count. */
static bool value_of(const struct anomaly_settings *s, const struct event *event,
                     int64_t *value)
{
    *value = s->match ? where_matches(s->match, event) : 0;
    if (s->field == FIELD_COUNT)
        return true;
    const struct value *v = event_value(event, (enum event_field)s->field);
    if (v->type != VALUE_NUMBER || !(fabs(v->number) <= FIELD_VALUE_MAX))
        return false;
    *value = llround(v->number * (double)MILLIONTHS);
    return true;
}

/* A page's fingerprint lies in `page`. */
static struct str part_of(const struct event *event, enum event_field field,
                          struct buf *page)
{
    if (field < FIELD_COUNT)
        return event_text(event, field);
    if (event->page.p)
        return event->page;
    if (page->n == 0)
        fingerprint_page(event_text(event, FIELD_PAGE_URL), page);
    return buf_str(page);
}

/* Of a ratio only events that match are sampled. */
static void put_parts(const struct anomaly_settings *s, const struct event *event,
                      bool sampled, struct buf *out)
{
    enum { PART_BYTES = 64 };
    struct buf page;
    buf_init(&page, FINGERPRINT_BYTES_MAX);
    buf_u8(out, sampled ? (uint8_t)s->parts_n : 0);
    for (size_t i = 0; sampled && i < s->parts_n; i++)
        buf_str16(out, utf8_cut(part_of(event, s->parts[i], &page), PART_BYTES));
    buf_deinit(&page);
}

static void pack(const struct event *event, int64_t value, struct update *out)
{
    struct member m;
    if (value == 0) {
        member_pack_event(event, out->member, out->record);
        return;
    }
    member_of_event(event, &m);
    m.value = value;
    member_pack(&m, out->record);
}

bool anomaly_update(const struct rule *rule, const struct event *event,
                    struct update *out)
{
    const struct anomaly_settings *s = rule->settings;
    int64_t value;
    if (!value_of(s, event, &value))
        return false;
    put_parts(s, event, s->metric != METRIC_RATIO || value, out->record);
    pack(event, value, out);
    out->judge_at = UINT32_MAX;
    out->due_ms =
        calendar_start_ms(s->bucket_ms, calendar_cell(s->bucket_ms, event->time_ms) + 1);
    return true;
}
