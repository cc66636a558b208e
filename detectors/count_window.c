/* The count kind's window: members in order, counts at each, and what may be dropped.
 *
 * Bounded, and the same in whatever order events came (DESIGN 2a):
 * - settled members that no later window can see are dropped; when an open episode is at its top
 *   step, all settled ones are, since a new episode starts from an empty window;
 * - behind the event that reached the top step only gaps matter: a member between two others less than
 *   resolve_after apart is dropped, and its neighbour stands for it too, and for its person;
 * - with `distinct` only the first and the last of a person's events in each cell of within/4 are kept. One
 *   between them changes no window's count: wherever a window begins or ends, one of the two is in it. */
#include <assert.h>
#include <stdlib.h>

#include "core/index.h"
#include "core/timefmt.h"
#include "detectors/count.h"

enum { CELLS_PER_WINDOW = 4 };

void count_state_pack(const struct count_state *s, struct buf *out)
{
    buf_i64(out, s->settled_ms);
    buf_u8(out, s->settled.open);
    buf_i64(out, s->settled.level);
    buf_i64(out, s->settled.opened_ms);
    buf_i64(out, s->settled.last_ms);
    buf_i64(out, s->settled.first_seen_ms);
    buf_i64(out, s->settled.total);
    buf_i64(out, s->said_level);
    buf_i64(out, s->said_cell);
    people_pack(&s->settled.people, out);
}

static struct count_state state_unpack(struct str packed, struct arena *arena)
{
    struct reader r = {.in = packed};
    struct count_state s = {
        .settled_ms = ALWAYS_MS, .settled.level = -1, .said_level = -1};
    if (packed.n == 0)
        return s;
    s.settled_ms = reader_i64(&r);
    s.settled.open = reader_u8(&r);
    s.settled.level = (int)reader_i64(&r);
    s.settled.opened_ms = reader_i64(&r);
    s.settled.last_ms = reader_i64(&r);
    s.settled.first_seen_ms = reader_i64(&r);
    s.settled.total = reader_i64(&r);
    s.said_level = (int)reader_i64(&r);
    s.said_cell = reader_i64(&r);
    assert(!r.failed);
    people_merge(&s.settled.people, r.in, arena);
    return s;
}

int count_level(const struct rule *rule, int64_t n)
{
    int level = -1;
    while ((size_t)level + 1 < rule->steps_n && n >= rule->steps[level + 1].at_least)
        level++;
    return level;
}

/* People, or events: fills counts and from in one pass. `last` holds each person's latest place. */
static void count_all(struct count_window *w)
{
    bool people = w->settings->distinct == DISTINCT_USER;
    struct index last;
    index_init(&last);
    bool *latest = calloc(w->n + 1, sizeof *latest);
    assert(latest);
    int64_t n = 0;
    for (size_t i = 0, from = 0; i < w->n; i++) {
        for (; w->members[from].time_ms <= w->members[i].time_ms - w->settings->within_ms;
             from++)
            n -= !people || latest[from];
        struct str person = {(const char *)&w->members[i].person,
                             sizeof w->members[i].person};
        size_t before = people ? index_replace(&last, person, i) : INDEX_NONE;
        if (before != INDEX_NONE)
            latest[before] = false;
        latest[i] = true;
        n += before == INDEX_NONE || before < from;
        w->counts[i] = n;
        w->from[i] = from;
    }
    free(latest);
    index_deinit(&last);
}

void count_window_load(struct count_window *w, const struct judge_input *in,
                       struct arena *arena)
{
    *w = (struct count_window){.arena = arena,
                               .rule = in->rule,
                               .settings = in->rule->settings,
                               .state = state_unpack(in->state, arena)};
    w->members = members_load(in->records, in->records_n, arena, &w->n);
    w->counts = arena_alloc(arena, (w->n + 1) * sizeof *w->counts);
    w->from = arena_alloc(arena, (w->n + 1) * sizeof *w->from);
    count_all(w);
    while (w->settled_n < w->n && w->members[w->settled_n].time_ms < w->state.settled_ms)
        w->settled_n++;
}

static int64_t cell_ms(const struct count_window *w)
{
    int64_t cell = w->settings->within_ms / CELLS_PER_WINDOW;
    return cell > 0 ? cell : 1;
}

static int64_t cell_of(const struct count_window *w, int64_t time_ms)
{
    return time_cell(time_ms, cell_ms(w));
}

/* Calls for each (person, cell): first and last say which members are its ends. */
static void find_ends(const struct count_window *w, bool *first, bool *last)
{
    struct index ends; /* (person, cell) -> its last member so far */
    index_init(&ends);
    struct {
        uint64_t person;
        int64_t cell;
    } *keys = calloc(w->n + 1, sizeof *keys);
    assert(keys);
    for (size_t i = 0; i < w->n; i++) {
        keys[i].person = w->members[i].person;
        keys[i].cell = cell_of(w, w->members[i].time_ms);
        size_t before =
            index_replace(&ends, (struct str){(char *)&keys[i], sizeof keys[i]}, i);
        first[i] = before == INDEX_NONE;
        last[i] = true;
        if (before != INDEX_NONE)
            last[before] = false;
    }
    free(keys);
    index_deinit(&ends);
}

void count_window_candidates(const struct count_window *w, bool *take)
{
    if (w->settings->distinct == DISTINCT_NONE) {
        memset(take, true, w->n);
        return;
    }
    bool *last = calloc(w->n + 1, sizeof *last);
    assert(last);
    find_ends(w, take, last);
    free(last);
}

void count_window_trend(const struct count_window *w, size_t at, const bool *take,
                        struct alert_trend *out)
{
    int64_t within_ms = w->settings->within_ms;
    *out = (struct alert_trend){.n = ALERT_TREND_MAX,
                                .step_ms = within_ms / ALERT_TREND_MAX};
    for (size_t i = w->from[at]; i <= at; i++) {
        int64_t age_ms = w->members[at].time_ms - w->members[i].time_ms;
        out->values[ALERT_TREND_MAX - 1 - age_ms * ALERT_TREND_MAX / within_ms] +=
            take[i];
    }
}

/* The earliest time that a window ending at or after the watermark may still look at. Whole cells, so that
 * which event is the first of a cell does not depend on when this runs. */
static int64_t needed_from(const struct count_window *w, int64_t watermark_ms)
{
    if (watermark_ms == ALWAYS_MS)
        return ALWAYS_MS;
    int64_t from = watermark_ms - w->settings->within_ms + 1;
    if (w->settings->distinct == DISTINCT_USER)
        from = cell_of(w, from) * cell_ms(w);
    return from;
}

/* A window, and the cell of people's events in which it begins. */
int64_t count_lookback_ms(const struct count_settings *s)
{
    return s->within_ms +
           (s->distinct == DISTINCT_USER ? s->within_ms / CELLS_PER_WINDOW + 1 : 0);
}

int64_t count_window_gone_ms(const struct count_window *w)
{
    int64_t last = w->n ? w->members[w->n - 1].time_ms : ALWAYS_MS;
    if (w->n && w->settings->distinct == DISTINCT_USER)
        last = (cell_of(w, last) + 1) * cell_ms(w) - 1;
    return w->n ? last + w->settings->within_ms : NEVER_MS;
}

static bool at_top(const struct count_window *w, const struct episode *e)
{
    return e->open && (size_t)e->level + 1 == w->rule->steps_n;
}

static void drop_settled(struct count_window *w, bool *drop, int64_t watermark_ms)
{
    bool all = at_top(w, &w->state.settled);
    int64_t from = needed_from(w, watermark_ms);
    for (size_t i = 0; i < w->n && w->members[i].time_ms < w->state.settled_ms; i++)
        drop[i] = all || w->members[i].time_ms < from;
}

static void drop_repeats(const struct count_window *w, bool *drop)
{
    if (w->settings->distinct == DISTINCT_NONE || w->n < 3)
        return;
    bool *ends = calloc(2 * w->n, sizeof *ends);
    assert(ends);
    find_ends(w, ends, ends + w->n);
    for (size_t i = 0; i < w->n; i++)
        drop[i] = !ends[i] && !ends[w->n + i] && !w->members[i].crowd.n;
    free(ends);
}

void count_people_add(struct people *people, const struct member *m, struct arena *arena)
{
    people_add(people, m->person, arena);
    people_merge(people, m->crowd, arena);
}

/* The member stands for those that were dropped behind it. */
static void take_crowd(struct count_window *w, struct member *m, struct people *crowd)
{
    struct buf b;
    if (!crowd->n || w->settings->distinct == DISTINCT_NONE)
        return;
    people_merge(crowd, m->crowd, w->arena);
    buf_init(&b, PEOPLE_KEPT * sizeof(uint64_t));
    people_pack(crowd, &b);
    m->crowd = arena_str(w->arena, buf_str(&b));
    buf_deinit(&b);
    *crowd = (struct people){0};
}

/* Behind the top step: `kept` is the last member of the episode that stays. */
static void drop_behind_top(struct count_window *w, bool *drop)
{
    struct episode e = w->state.settled;
    struct people crowd = {0};
    size_t kept = SIZE_MAX;
    for (size_t i = 0; i < w->n; i++) {
        int64_t time_ms = w->members[i].time_ms;
        if (time_ms < w->state.settled_ms)
            continue;
        if (e.open && time_ms - e.last_ms >= w->settings->resolve_after_ms)
            e = (struct episode){.level = -1};
        bool behind = at_top(w, &e);
        int level = count_level(w->rule, w->counts[i]);
        e.open = e.open || level >= 0;
        e.level = level > e.level ? level : e.level;
        e.last_ms = time_ms;
        if (behind && kept != SIZE_MAX && i + 1 < w->n &&
            w->members[i + 1].time_ms - w->members[kept].time_ms <
                w->settings->resolve_after_ms) {
            drop[i] = true;
            w->members[kept].weight += w->members[i].weight;
            count_people_add(&crowd, &w->members[i], w->arena);
        } else {
            if (kept != SIZE_MAX)
                take_crowd(w, &w->members[kept], &crowd);
            kept = i;
        }
    }
    if (kept != SIZE_MAX)
        take_crowd(w, &w->members[kept], &crowd);
}

static void compact(struct count_window *w, bool *drop)
{
    size_t left = 0;
    for (size_t i = 0; i < w->n; i++)
        if (!drop[i]) {
            w->counts[left] = w->counts[i];
            w->members[left++] = w->members[i];
        }
    w->n = left;
    memset(drop, false, left);
}

/* One after the other: each reason to drop a member leans on neighbours that stay. */
void count_window_prune(struct count_window *w, int64_t watermark_ms)
{
    bool *drop = calloc(w->n + 1, sizeof *drop);
    assert(drop);
    drop_settled(w, drop, watermark_ms);
    compact(w, drop);
    drop_repeats(w, drop);
    compact(w, drop);
    drop_behind_top(w, drop);
    compact(w, drop);
    free(drop);
}
