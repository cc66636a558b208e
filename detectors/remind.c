#include "detectors/remind.h"

#include <assert.h>

#include "core/timefmt.h"
#include "detectors/judgement.h"

enum {
    STATE_MAX_BYTES = 48 << 20,
    STEP_MAX_BYTES = 2 << 20,
    MINUTE_MS = 60000,
    /* as often a span can be doubled; 2^30 of the shortest is 2,000 years */
    BACKOFF_MAX = 30,
};

/* An episode that is confirmed and open. */
struct firing {
    struct str id,
        said; /* the record's, and the one that was announced; mostly the same */
    int64_t opened_ms, next_ms;
    int64_t told;    /* reminders of it */
    uint8_t backoff; /* of them since its last step */
    struct str step; /* that step, as a line */
};

struct keeper {
    const struct judge_input *in;
    struct judgement *out;
    struct firing *firing;
    size_t n;
    /* ids of episodes that were announced and are not confirmed yet, in order */
    struct str *said;
    size_t said_n;
};

/* --- the state --- */

static void pack(const struct keeper *k, struct buf *out)
{
    buf_u32(out, (uint32_t)k->said_n);
    for (size_t i = 0; i < k->said_n; i++)
        buf_str16(out, k->said[i]);
    buf_u32(out, (uint32_t)k->n);
    for (size_t i = 0; i < k->n; i++) {
        const struct firing *f = &k->firing[i];
        buf_str16(out, f->id);
        buf_str16(out, f->said);
        buf_i64(out, f->opened_ms);
        buf_i64(out, f->next_ms);
        buf_i64(out, f->told);
        buf_u8(out, f->backoff);
        buf_u32(out, (uint32_t)f->step.n);
        buf_put(out, f->step);
    }
}

static struct firing unpack_one(struct reader *r)
{
    struct firing f = {.id = reader_str16(r), .said = reader_str16(r)};
    f.opened_ms = reader_i64(r);
    f.next_ms = reader_i64(r);
    f.told = reader_i64(r);
    f.backoff = reader_u8(r);
    f.step = reader_bytes(r, reader_u32(r));
    return f;
}

/* Returns the kind's own state, which stands behind. */
static struct str unpack(struct keeper *k)
{
    struct reader r = {.in = k->in->state};
    if (r.in.n == 0)
        return STR_NONE;
    k->said_n = reader_u32(&r);
    k->said = arena_alloc(k->out->arena, (k->said_n + 1) * sizeof *k->said);
    for (size_t i = 0; i < k->said_n; i++)
        k->said[i] = reader_str16(&r);
    k->n = reader_u32(&r);
    k->firing = arena_alloc(k->out->arena, (k->n + 1) * sizeof *k->firing);
    for (size_t i = 0; i < k->n; i++)
        k->firing[i] = unpack_one(&r);
    assert(!r.failed);
    return r.in;
}

/* --- what is told --- */

static void remind(struct keeper *k, struct firing *f)
{
    char span[DURATION_TEXT_BYTES];
    struct err e = {0};
    struct alert a;
    int ok = alert_parse(f->step, k->out->arena, &a, &e);
    assert(ok == 0); /* it was written below */
    (void)ok;
    f->told++;
    a.state = ALERT_REMINDER;
    a.time_ms = f->next_ms;
    a.reminder = f->told;
    a.opened_ms = f->opened_ms;
    duration_text((f->next_ms - f->opened_ms) / MINUTE_MS * MINUTE_MS, span);
    a.summary =
        judgement_text(k->out, "still firing after %s: %.*s", span, STR_ARG(a.summary));
    judgement_confirm(k->out, &a);
    memcpy(a.id, f->said.p, f->said.n);
    judgement_announce_among(k->out, &a);
    f->backoff++;
    f->next_ms += k->in->rule->remind_ms << f->backoff;
}

/* All that is due before `end_ms`. */
static void remind_until(struct keeper *k, struct firing *f, int64_t end_ms)
{
    while (f->next_ms < end_ms && f->backoff < BACKOFF_MAX)
        remind(k, f);
}

/* --- what is open --- */

static void take_step(struct keeper *k, struct firing *f, const struct alert *a)
{
    struct buf line;
    buf_init(&line, STEP_MAX_BYTES);
    alert_json(a, true, &line);
    f->step = arena_str(k->out->arena, buf_str(&line));
    f->next_ms = a->time_ms + k->in->rule->remind_ms;
    f->backoff = 0;
    buf_deinit(&line);
}

static struct str id_of(struct keeper *k, const struct alert *a)
{
    return arena_str(k->out->arena, str_of(a->id));
}

static void open_one(struct keeper *k, const struct alert *a)
{
    struct firing *more = arena_alloc(k->out->arena, (k->n + 1) * sizeof *more);
    if (k->n)
        memcpy(more, k->firing, k->n * sizeof *more);
    k->firing = more;
    struct firing *f = &k->firing[k->n++];
    *f = (struct firing){.id = id_of(k, a), .opened_ms = a->time_ms};
    f->said = k->said_n ? k->said[0] : f->id;
    if (k->said_n)
        memmove(k->said, k->said + 1, --k->said_n * sizeof *k->said);
    take_step(k, f, a);
}

static void confirmed(struct keeper *k, const struct alert *a)
{
    size_t i = 0;
    if (a->state == ALERT_FIRING) {
        open_one(k, a);
        return;
    }
    while (i < k->n && !str_is(k->firing[i].id, a->id))
        i++;
    if (i == k->n)
        return;
    remind_until(k, &k->firing[i], a->time_ms);
    if (a->state == ALERT_RESOLVED)
        k->firing[i] = k->firing[--k->n];
    else
        take_step(k, &k->firing[i], a);
}

/* Episodes are confirmed in the order in which they were announced. */
static void note_announced(struct keeper *k)
{
    struct str *all =
        arena_alloc(k->out->arena, (k->said_n + k->out->announced_n + 1) * sizeof *all);
    if (k->said_n)
        memcpy(all, k->said, k->said_n * sizeof *all);
    k->said = all;
    for (size_t i = 0; i < k->out->announced_n; i++)
        if (k->out->announced[i].state == ALERT_FIRING)
            k->said[k->said_n++] = id_of(k, &k->out->announced[i]);
}

static void keep(struct keeper *k)
{
    size_t found = k->out->confirmed_n; /* reminders come behind them */
    note_announced(k);
    for (size_t i = 0; i < found; i++)
        confirmed(k, &k->out->confirmed[i]);
    for (size_t i = 0; i < k->n; i++) {
        struct firing *f = &k->firing[i];
        remind_until(k, f, k->in->settled_ms);
        if (f->backoff < BACKOFF_MAX && f->next_ms < k->out->due_ms)
            k->out->due_ms = f->next_ms + 1;
    }
}

void remind_judge(const struct judge_input *in, struct judgement *out)
{
    struct keeper k = {.in = in, .out = out};
    struct judge_input own = *in;
    struct buf *whole = out->state, state;
    if (!in->rule->remind_ms) {
        in->rule->kind->judge(in, out);
        return;
    }
    buf_init(&state, STATE_MAX_BYTES);
    own.state = unpack(&k);
    out->state = &state;
    in->rule->kind->judge(&own, out);
    out->state = whole;
    keep(&k);
    if (state.n || out->kept_n) { /* what is open has a state */
        pack(&k, whole);
        buf_put(whole, buf_str(&state));
    }
    assert(!state.overflowed);
    buf_deinit(&state);
}
