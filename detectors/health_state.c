#include "detectors/health.h"

#include <assert.h>
#include <xxhash.h>

#include "core/timefmt.h"

#define DAY_MS 86400000LL
enum { MILLI = 1000 };

/* --- packing --- */

void health_state_pack(const struct health_state *s, struct buf *out)
{
    buf_i64(out, s->at_ms);
    buf_u8(out, s->open);
    buf_u8(out, (uint8_t)s->level);
    buf_i64(out, s->opened_ms);
    buf_i64(out, s->peak_nano);
    for (int p = 0; p < 2; p++) {
        buf_u16(out, (uint16_t)s->marks_n[p]);
        for (size_t i = 0; i < s->marks_n[p]; i++) {
            buf_i64(out, s->marks[p][i].time_ms);
            buf_i64(out, (int64_t)s->marks[p][i].ticket);
        }
    }
    buf_u16(out, (uint16_t)s->cells_n);
    for (size_t i = 0; i < s->cells_n; i++) {
        buf_i64(out, s->cells[i].number);
        buf_i64(out, s->cells[i].n);
        buf_i64(out, s->cells[i].sum);
    }
    buf_u16(out, (uint16_t)s->times_n);
    for (size_t i = 0; i < s->times_n; i++)
        buf_i64(out, s->times[i]);
}

static void unpack_lists(struct reader *r, struct health_state *out)
{
    for (int p = 0; p < 2; p++) {
        out->marks_n[p] = reader_u16(r);
        for (size_t i = 0; i < out->marks_n[p]; i++) {
            out->marks[p][i].time_ms = reader_i64(r);
            out->marks[p][i].ticket = (uint64_t)reader_i64(r);
        }
    }
    out->cells_n = reader_u16(r);
    for (size_t i = 0; i < out->cells_n; i++) {
        out->cells[i].number = reader_i64(r);
        out->cells[i].n = reader_i64(r);
        out->cells[i].sum = reader_i64(r);
    }
    out->times_n = reader_u16(r);
    for (size_t i = 0; i < out->times_n; i++)
        out->times[i] = reader_i64(r);
}

void health_state_unpack(struct str packed, struct arena *arena, struct health_state *out)
{
    struct reader r = {.in = packed};
    *out = (struct health_state){.at_ms = ALWAYS_MS};
    for (int p = 0; p < 2; p++)
        out->marks[p] = arena_alloc(arena, (HEALTH_COUNTED + 1) * sizeof *out->marks[p]);
    out->cells = arena_alloc(arena, (2 * HEALTH_CELLS + 1) * sizeof *out->cells);
    out->times = arena_alloc(arena, (HEALTH_COUNTED + 1) * sizeof *out->times);
    if (packed.n == 0)
        return;
    out->at_ms = reader_i64(&r);
    out->open = reader_u8(&r);
    out->level = reader_u8(&r);
    out->opened_ms = reader_i64(&r);
    out->peak_nano = reader_i64(&r);
    unpack_lists(&r, out);
    assert(!r.failed);
}

/* --- events --- */

static uint64_t ticket_of(const struct health_record *r)
{
    struct str t = r->evidence.ticket, e = r->evidence.event;
    return t.n ? XXH3_64bits(t.p, t.n) : XXH3_64bits_withSeed(e.p, e.n, 1);
}

/* The ticket's latest event is this one; of the tickets the latest few are enough to count by. */
static void mark(struct health_state *s, int part, const struct health_record *r)
{
    struct health_mark *marks = s->marks[part];
    struct health_mark new = {r->evidence.time_ms, ticket_of(r)};
    size_t n = 0;
    for (size_t i = 0; i < s->marks_n[part]; i++)
        if (marks[i].ticket != new.ticket)
            marks[n++] = marks[i];
    if (n == HEALTH_COUNTED)
        memmove(marks, marks + 1, --n * sizeof *marks);
    marks[n++] = new;
    s->marks_n[part] = n;
}

static void rate(struct health_state *s, int64_t cell_ms, const struct health_record *r)
{
    int64_t number = time_cell(r->evidence.time_ms, cell_ms);
    struct health_cell *last = s->cells_n ? &s->cells[s->cells_n - 1] : NULL;
    if (!last || last->number != number) {
        last = &s->cells[s->cells_n++];
        *last = (struct health_cell){.number = number};
    }
    last->n++;
    last->sum += r->rating;
}

static void live(struct health_state *s, const struct health_record *r)
{
    if (s->times_n == HEALTH_COUNTED)
        memmove(s->times, s->times + 1, --s->times_n * sizeof *s->times);
    s->times[s->times_n++] = r->evidence.time_ms;
}

void health_take(struct health *h, const struct health_record *r)
{
    struct health_state *s = &h->state;
    for (int p = PART_FRICTION; p <= PART_ESCALATIONS; p++)
        if (r->parts & 1u << p)
            mark(s, p, r);
    if (r->parts & 1u << PART_CSAT)
        rate(s, h->s->csat.cell_ms, r);
    if (r->parts & 1u << PART_QUIET)
        live(s, r);
}

/* Of those that have times. */
static int64_t last_ms(const struct health_state *s)
{
    return s->times[s->times_n - 1];
}

static int64_t given_up_ms(const struct health *h)
{
    return last_ms(&h->state) + h->s->quiet.silent_for_ms + h->s->quiet.give_up_after_ms;
}

/* No later silence counts them either. */
static int64_t times_gone_ms(const struct health *h)
{
    int64_t up_ms = given_up_ms(h), out_ms = last_ms(&h->state) + h->s->quiet.within_ms;
    return up_ms > out_ms ? up_ms : out_ms;
}

void health_forget(struct health *h)
{
    struct health_state *s = &h->state;
    int64_t oldest = time_cell(h->at_ms, h->s->csat.cell_ms) - 2 * HEALTH_CELLS;
    for (int p = 0; p < 2; p++) {
        size_t old = 0;
        while (old < s->marks_n[p] &&
               s->marks[p][old].time_ms <= h->at_ms - h->s->counts[p].within_ms)
            old++;
        s->marks_n[p] -= old;
        memmove(s->marks[p], s->marks[p] + old, s->marks_n[p] * sizeof **s->marks);
    }
    size_t old = 0;
    while (old < s->cells_n && s->cells[old].number <= oldest)
        old++;
    s->cells_n -= old;
    memmove(s->cells, s->cells + old, s->cells_n * sizeof *s->cells);
    if (s->times_n && times_gone_ms(h) <= h->at_ms)
        s->times_n = 0;
}

bool health_is_empty(const struct health_state *s)
{
    return !s->open && s->marks_n[0] + s->marks_n[1] + s->cells_n + s->times_n == 0;
}

/* --- what is so --- */

static void look_at_tickets(const struct health *h, struct health_view *v)
{
    for (int p = 0; p < 2; p++) {
        const struct health_count *c = &h->s->counts[p];
        for (size_t i = h->state.marks_n[p]; i-- > 0; v->n[p]++)
            if (h->state.marks[p][i].time_ms <= h->at_ms - c->within_ms)
                break;
        v->is[p] = v->n[p] >= c->at_least;
    }
}

static void look_at_ratings(const struct health *h, struct health_view *v)
{
    int64_t now = time_cell(h->at_ms, h->s->csat.cell_ms), sums[2] = {0}, n[2] = {0};
    for (size_t i = 0; i < h->state.cells_n; i++) {
        const struct health_cell *c = &h->state.cells[i];
        int before = c->number <= now - HEALTH_CELLS;
        if (c->number <= now - 2 * HEALTH_CELLS)
            continue;
        sums[before] += c->sum;
        n[before] += c->n;
    }
    v->ratings = n[0];
    v->ratings_before = n[1];
    v->mean = n[0] ? (double)sums[0] / MILLIONTHS / (double)n[0] : 0;
    v->mean_before = n[1] ? (double)sums[1] / MILLIONTHS / (double)n[1] : 0;
    bool fell = h->s->csat.fall > 0 && n[1] >= h->s->csat.min_ratings &&
                v->mean + h->s->csat.fall <= v->mean_before;
    v->is[PART_CSAT] =
        n[0] >= h->s->csat.min_ratings && (v->mean < h->s->csat.below || fell);
}

static void look_at_silence(const struct health *h, struct health_view *v)
{
    const struct health_state *s = &h->state;
    if (s->times_n == 0)
        return;
    v->last_ms = last_ms(s);
    for (size_t i = 0; i < s->times_n; i++)
        v->engaged += s->times[i] > v->last_ms - h->s->quiet.within_ms;
    v->is[PART_QUIET] = v->engaged >= h->s->quiet.at_least &&
                        v->last_ms + h->s->quiet.silent_for_ms <= h->at_ms &&
                        h->at_ms < given_up_ms(h);
}

/* "2026-06-30" is that day in UTC; a time of day is taken as it is. */
static int64_t renewal_ms(struct str text)
{
    struct buf b;
    int64_t ms;
    buf_init(&b, 64);
    buf_put(&b, text);
    if (text.n == 10)
        buf_text(&b, "T00:00:00Z");
    bool good = text.n >= 10 && memchr(text.p, '-', text.n) && !b.overflowed &&
                time_parse(buf_str(&b), &ms);
    buf_deinit(&b);
    return good ? ms : NEVER_MS;
}

static bool renews_soon(const struct health *h, const struct health_view *v)
{
    return v->renewal_ms != NEVER_MS &&
           h->at_ms >= v->renewal_ms - h->s->weigh.renewal_within_ms &&
           h->at_ms < v->renewal_ms + DAY_MS;
}

static int64_t milli(double factor)
{
    return (int64_t)(factor * MILLI + 0.5);
}

/* The account as it is at that moment, and what it weighs. */
static void look_at_account(const struct health *h, struct health_view *v)
{
    const struct health_settings *s = h->s;
    struct alert_account *a = &v->account;
    a->id = h->in->key[0];
    account_overlay(h->own, h->own_n, h->at_ms + 1, s->remember_ms + 1, a);
    account_overlay(h->updates, h->updates_n, h->at_ms, s->remember_ms, a);
    v->renewal_ms = renewal_ms(a->renewal);
    int64_t tier = MILLI, renewal = MILLI, mrr = MILLI;
    for (size_t i = 0; i < s->weigh.tier.n; i++)
        if (str_eq(s->weigh.tier.names[i], a->tier))
            tier = s->weigh.tier_milli[i];
    if (renews_soon(h, v))
        renewal = milli(s->weigh.renewal);
    if (s->weigh.mrr_from > 0 && a->mrr >= s->weigh.mrr_from)
        mrr = milli(s->weigh.mrr);
    v->weight_nano = tier * renewal * mrr;
}

void health_look(const struct health *h, struct health_view *v)
{
    const struct health_settings *s = h->s;
    const int64_t points[HEALTH_PARTS] = {s->counts[0].points, s->counts[1].points,
                                          s->csat.points, s->quiet.points};
    *v = (struct health_view){0};
    look_at_tickets(h, v);
    look_at_ratings(h, v);
    look_at_silence(h, v);
    look_at_account(h, v);
    for (int p = 0; p < HEALTH_PARTS; p++) {
        v->is[p] = v->is[p] && points[p] > 0;
        v->points += v->is[p] ? points[p] : 0;
    }
    v->score_nano = v->points * v->weight_nano;
}

/* --- edges --- */

struct edge {
    int64_t after_ms, ms;
};

static void offer(struct edge *e, int64_t ms)
{
    if (ms > e->after_ms && ms < e->ms)
        e->ms = ms;
}

/* A part that counts is true until so many of its tickets are left; when all are gone it is forgotten. */
static void ticket_edges(const struct health *h, const struct health_view *now,
                         struct edge *e)
{
    for (int p = 0; p < 2; p++) {
        const struct health_count *c = &h->s->counts[p];
        size_t n = h->state.marks_n[p];
        if (n)
            offer(e, h->state.marks[p][n - 1].time_ms + c->within_ms);
        if (now->is[p])
            offer(e, h->state.marks[p][n - (size_t)c->at_least].time_ms + c->within_ms);
    }
}

static void rating_edges(const struct health *h, struct edge *e)
{
    for (size_t i = 0; i < h->state.cells_n; i++)
        for (int windows = 1; windows <= 2; windows++)
            offer(e, (h->state.cells[i].number + windows * HEALTH_CELLS) *
                         h->s->csat.cell_ms);
}

static void silence_edges(const struct health *h, const struct health_view *now,
                          struct edge *e)
{
    if (h->state.times_n == 0)
        return;
    if (now->engaged >= h->s->quiet.at_least)
        offer(e, now->last_ms + h->s->quiet.silent_for_ms);
    offer(e, given_up_ms(h));
    offer(e, times_gone_ms(h));
}

static void account_edges(const struct health *h, const struct health_view *now,
                          struct edge *e)
{
    for (size_t i = 0; i < h->updates_n; i++)
        offer(e, h->updates[i].time_ms + h->s->remember_ms);
    for (size_t i = 0; i < h->own_n; i++)
        offer(e, h->own[i].time_ms + h->s->remember_ms);
    if (now->renewal_ms == NEVER_MS)
        return;
    offer(e, now->renewal_ms - h->s->weigh.renewal_within_ms);
    offer(e, now->renewal_ms + DAY_MS);
}

int64_t health_edge_ms(const struct health *h, const struct health_view *now)
{
    struct edge e = {h->at_ms, NEVER_MS};
    ticket_edges(h, now, &e);
    rating_edges(h, &e);
    silence_edges(h, now, &e);
    account_edges(h, now, &e);
    return e.ms;
}
