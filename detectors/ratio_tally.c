/* The ratio kind's window: the tallies of buckets, and the events of open ones that an alert may show. */
#include <assert.h>

#include "detectors/judgement.h"
#include "detectors/ratio.h"

static void add(struct ratio_closing *c, int64_t cell, int64_t n, int64_t matched)
{
    size_t i = c->n;
    while (i && c->tallies[i - 1].cell >= cell)
        i--;
    if (i == c->n || c->tallies[i].cell != cell) {
        memmove(&c->tallies[i + 1], &c->tallies[i], (c->n - i) * sizeof *c->tallies);
        c->tallies[i] = (struct tally){.cell = cell};
        c->n++;
    }
    c->tallies[i].n += n;
    c->tallies[i].matched += matched;
}

static void unpack(struct ratio_closing *c)
{
    struct reader r = {.in = c->in->state};
    size_t n = 0;
    c->closed_to = ALWAYS_MS;
    if (r.in.n) {
        c->firing = reader_u8(&r);
        c->up = reader_u8(&r);
        c->opened_cell = reader_i64(&r);
        c->closed_to = reader_i64(&r);
        n = reader_u32(&r);
    }
    c->tallies =
        arena_alloc(c->out->arena, (n + c->in->records_n + 1) * sizeof *c->tallies);
    for (; c->n < n; c->n++) {
        struct tally *t = &c->tallies[c->n];
        t->cell = reader_i64(&r);
        t->n = reader_i64(&r);
        t->matched = reader_i64(&r);
        c->closed_n += t->cell < c->closed_to;
    }
    assert(!r.failed);
}

static void pack(const struct ratio_closing *c, size_t from)
{
    struct buf *out = c->out->state;
    buf_u8(out, c->firing);
    buf_u8(out, c->up);
    buf_i64(out, c->opened_cell);
    buf_i64(out, c->closed_to);
    buf_u32(out, (uint32_t)(c->n - from));
    for (; from < c->n; from++) {
        buf_i64(out, c->tallies[from].cell);
        buf_i64(out, c->tallies[from].n);
        buf_i64(out, c->tallies[from].matched);
    }
}

static void add_records(struct ratio_closing *c)
{
    const struct judge_input *in = c->in;
    c->members = members_load(in->records, in->records_n, c->out->arena, &c->members_n);
    for (size_t i = 0; i < c->members_n; i++) {
        const struct member *m = &c->members[i];
        if (m->weight)
            add(c, ratio_cell(c, m->time_ms), m->weight, m->weight * m->value);
    }
}

/* The first few members, of those that match and of the others, of each bucket that is still open. */
static void keep_evidence(struct ratio_closing *c)
{
    int64_t cell = INT64_MIN, seen[2] = {0, 0};
    for (size_t i = 0; i < c->members_n; i++) {
        struct member *m = &c->members[i];
        int64_t at = ratio_cell(c, m->time_ms);
        if (at < c->closed_to)
            continue;
        if (at != cell)
            seen[0] = seen[1] = 0;
        cell = at;
        if (++seen[m->value == 1] > ALERT_EVIDENCE_MAX)
            continue;
        m->weight = 0;
        judgement_keep(c->out, m);
    }
}

/* The first tally that something may still need: a later bucket's baseline, or the end of an episode. */
static size_t needed_from(const struct ratio_closing *c)
{
    size_t from = 0;
    if (!c->settings->history_n)
        return c->firing ? c->closed_n - 1 : c->closed_n;
    while (from < c->closed_n &&
           c->tallies[from].cell < c->closed_to - c->settings->history_n)
        from++;
    return from;
}

void ratio_load(struct ratio_closing *c)
{
    unpack(c);
    add_records(c);
}

void ratio_keep(struct ratio_closing *c)
{
    keep_evidence(c);
    size_t from = needed_from(c);
    if (from == c->n)
        return;
    int64_t next = c->closed_n < c->n ? c->tallies[c->closed_n].cell : INT64_MAX;
    int64_t gone = from < c->closed_n
                       ? c->tallies[c->closed_n - 1].cell + c->settings->silent_n
                       : INT64_MAX;
    c->out->due_ms = ratio_start_ms(c, (next < gone ? next : gone) + 1);
    pack(c, from);
}
