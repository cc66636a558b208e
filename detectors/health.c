#include "detectors/health.h"

/* --- the walk --- */

static int level_of(const struct rule *rule, int64_t score_nano)
{
    int level = -1;
    while (level + 1 < (int)rule->steps_n &&
           rule->steps[level + 1].at_least * HEALTH_ONE <= score_nano)
        level++;
    return level;
}

/* Before judge_from_ms not all is there that made the score: then nothing opens. */
static void step(struct health *h, const struct health_view *now)
{
    struct health_state *s = &h->state;
    int level = level_of(h->in->rule, now->score_nano);
    if (now->score_nano > s->peak_nano)
        s->peak_nano = now->score_nano;
    if (s->open && now->score_nano < h->s->resolve_below * HEALTH_ONE) {
        health_tell(h, ALERT_RESOLVED, now);
        s->open = false;
    } else if (s->open && level > s->level) {
        s->level = level;
        health_tell(h, ALERT_ESCALATED, now);
    } else if (!s->open && level >= 0 && h->at_ms >= h->in->judge_from_ms) {
        s->open = true;
        s->level = level;
        s->opened_ms = h->at_ms;
        s->peak_nano = now->score_nano;
        health_tell(h, ALERT_FIRING, now);
    }
}

static int64_t least(int64_t a_ms, int64_t b_ms)
{
    return a_ms < b_ms ? a_ms : b_ms;
}

/* The first moment after at_ms at which an event counts. */
static int64_t next_event_ms(const struct health *h, size_t from)
{
    int64_t next_ms = NEVER_MS;
    for (size_t i = from; i < h->records_n; i++) {
        int64_t ms = health_moment_ms(&h->records[i]);
        if (ms > h->at_ms)
            next_ms = least(next_ms, ms);
        if (h->records[i].evidence.time_ms >= next_ms)
            break; /* they are in order of time */
    }
    return next_ms;
}

/* Over all moments that are settled; *now is what is so at the last of them. */
static void walk(struct health *h, struct health_view *now)
{
    size_t from = 0, at = 0; /* the first records that may count, that were not taken */
    *now = (struct health_view){.renewal_ms = NEVER_MS};
    while (at < h->records_n && h->records[at].evidence.time_ms <= h->at_ms)
        at++;
    if (h->at_ms != ALWAYS_MS)
        health_look(h, now);
    for (;;) {
        while (from < at && h->records[from].evidence.time_ms < h->at_ms)
            from++;
        int64_t ms = next_event_ms(h, from);
        if (h->at_ms != ALWAYS_MS)
            ms = least(ms, health_edge_ms(h, now));
        if (ms >= h->in->settled_ms)
            return;
        h->at_ms = ms;
        health_forget(h);
        for (; at < h->records_n && h->records[at].evidence.time_ms <= ms; at++)
            if (!h->records[at].is_update)
                health_take(h, &h->records[at]);
        health_look(h, now);
        step(h, now);
    }
}

/* --- when to be asked again --- */

/* Signs of life only end silences, and begin them. */
static int64_t wanted_ms(const struct health_settings *s, const struct health_record *r,
                         bool silent)
{
    int64_t ms = health_moment_ms(r) + 1;
    return r->is_bulk && !silent ? ms + s->quiet.silent_for_ms : ms;
}

static int64_t due_ms(const struct health *h, const struct health_view *now)
{
    int64_t due = NEVER_MS;
    if (h->at_ms != ALWAYS_MS)
        due = health_edge_ms(h, now);
    if (due != NEVER_MS)
        due++;
    for (size_t i = 0; i < h->records_n; i++)
        if (health_moment_ms(&h->records[i]) > h->at_ms)
            due = least(due, wanted_ms(h->s, &h->records[i], now->is[PART_QUIET]));
    return due;
}

void health_judge(const struct judge_input *in, struct judgement *out)
{
    struct health h = {.in = in, .s = in->rule->settings, .out = out};
    struct health_view now;
    health_load(&h);
    walk(&h, &now);
    out->due_ms = due_ms(&h, &now);
    health_keep(&h);
    if (health_is_empty(&h.state) && out->kept_n == 0)
        return;
    /* While a silence counts the next event is judged at once. */
    for (; h.state.open && now.is[PART_QUIET] && out->kept_n < HEALTH_WAKE_RECORDS;
         out->kept_n++)
        buf_str16(out->kept, STR_NONE);
    h.state.at_ms = h.at_ms;
    health_state_pack(&h.state, out->state);
}

/* --- what an event counts for --- */

static bool counts(const struct health_count *c, const struct event *e)
{
    return c->points > 0 && (c->on & 1u << e->type) &&
           (!c->where || where_matches(c->where, e));
}

static uint8_t parts_of(const struct health_settings *s, const struct event *e)
{
    unsigned parts = 0;
    for (int p = PART_FRICTION; p <= PART_ESCALATIONS; p++)
        if (counts(&s->counts[p], e))
            parts |= 1u << p;
    if (s->csat.points > 0 && (s->csat.on & 1u << e->type) &&
        event_value(e, FIELD_TICKET_CSAT)->type == VALUE_NUMBER)
        parts |= 1u << PART_CSAT;
    if (s->quiet.points > 0 && (s->quiet.on & 1u << e->type))
        parts |= 1u << PART_QUIET;
    return (uint8_t)parts;
}

/* In millionths, so that the order of adding changes nothing. No scale of ratings goes beyond a million. */
static int64_t rating_of(const struct event *e)
{
    const struct value *v = event_value(e, FIELD_TICKET_CSAT);
    double x = v->type == VALUE_NUMBER ? v->number : 0;
    x = x > 1e6 ? 1e6 : x < -1e6 ? -1e6 : x;
    return (int64_t)(x * 1e6 + (x < 0 ? -0.5 : 0.5));
}

bool health_update(const struct rule *rule, const struct event *e, struct update *out)
{
    const struct health_settings *s = rule->settings;
    struct member m;
    struct health_record r = {.is_update = e->type == EVENT_ACCOUNT_UPDATED,
                              .parts = parts_of(s, e),
                              .rating = rating_of(e)};
    bool says = account_version_of(e, &r.version);
    if (!r.parts && !(r.is_update && says))
        return false;
    r.is_bulk =
        !r.is_update && r.parts == 1u << PART_QUIET && !(HEALTH_TICKETS & 1u << e->type);
    if (r.is_bulk)
        r.version =
            (struct account_version){.time_ms = e->time_ms, .event = r.version.event};
    member_of_event(e, &m);
    r.evidence = m.evidence;
    r.evidence.time_ms = e->time_ms;
    health_record_pack(&r, out->record);
    out->judge_at = HEALTH_WAKE_RECORDS;
    out->due_ms = wanted_ms(s, &r, false);
    return true;
}
