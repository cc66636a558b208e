#include <inttypes.h>
#include <stdio.h>

#include "core/timefmt.h"
#include "detectors/health.h"

#define DAY_MS 86400000LL
#define HOUR_MS 3600000LL

/* --- words --- */

/* "12000", "99.5" */
static void put_number(struct buf *out, double x)
{
    char text[40];
    int n = snprintf(text, sizeof text, "%.2f", x);
    while (n > 0 && (text[n - 1] == '0' || text[n - 1] == '.'))
        if (text[--n] == '.')
            break;
    buf_put(out, (struct str){text, (size_t)n});
}

static void put_renewal(struct buf *out, const struct health_view *v, int64_t at_ms)
{
    if (v->renewal_ms == NEVER_MS || at_ms >= v->renewal_ms + DAY_MS)
        return;
    int64_t days = time_cell(v->renewal_ms - at_ms, DAY_MS);
    buf_text(out, out->n ? ", " : "");
    if (days < 1)
        buf_text(out, at_ms < v->renewal_ms ? "renews within a day" : "renews today");
    else
        buf_printf(out, "renews in %" PRId64 " day%s", days, days == 1 ? "" : "s");
}

/* "Acme (enterprise, 12000 MRR, renews in 41 days)" */
static void put_account(struct buf *out, const struct health_view *v, int64_t at_ms)
{
    const struct alert_account *a = &v->account;
    struct buf facts;
    buf_init(&facts, 400);
    buf_put(&facts, a->tier);
    if (a->mrr != 0) {
        buf_text(&facts, facts.n ? ", " : "");
        put_number(&facts, a->mrr);
        buf_text(&facts, " MRR");
    }
    put_renewal(&facts, v, at_ms);
    buf_put(out, a->name.n ? a->name : a->id);
    if (facts.n)
        buf_printf(out, " (%.*s)", STR_ARG(buf_str(&facts)));
    buf_deinit(&facts);
}

static const char *more(int64_t n)
{
    return n == HEALTH_COUNTED ? "at least " : "";
}

static const char *plural(int64_t n)
{
    return n == 1 ? "" : "s";
}

static struct str tickets_reason(struct health *h, int part, const struct health_view *v)
{
    char within[DURATION_TEXT_BYTES];
    int64_t n = v->n[part];
    duration_text(h->s->counts[part].within_ms, within);
    if (part == PART_FRICTION)
        return judgement_text(h->out, "%s%" PRId64 " frustrated ticket%s within %s",
                              more(n), n, plural(n), within);
    return judgement_text(h->out, "%s%" PRId64 " escalation%s within %s", more(n), n,
                          plural(n), within);
}

static struct str ratings_reason(struct health *h, const struct health_view *v)
{
    char within[DURATION_TEXT_BYTES], was[40] = "";
    duration_text(h->s->csat.within_ms, within);
    if (v->ratings_before)
        snprintf(was, sizeof was, ", was %.1f", v->mean_before);
    return judgement_text(h->out, "CSAT %.1f over %" PRId64 " rating%s within %s%s",
                          v->mean, v->ratings, plural(v->ratings), within, was);
}

/* In whole days, or hours. */
static struct str silence_reason(struct health *h, const struct health_view *v)
{
    char within[DURATION_TEXT_BYTES], since[DURATION_TEXT_BYTES];
    int64_t ms = h->at_ms - v->last_ms;
    int64_t unit_ms = ms >= DAY_MS ? DAY_MS : ms >= HOUR_MS ? HOUR_MS : 1;
    duration_text(ms - ms % unit_ms, since);
    duration_text(h->s->quiet.within_ms, within);
    return judgement_text(h->out, "silent for %s after %s%" PRId64 " event%s within %s",
                          since, more(v->engaged), v->engaged, plural(v->engaged),
                          within);
}

static struct str reason_of(struct health *h, int part, const struct health_view *v)
{
    return part == PART_CSAT    ? ratings_reason(h, v)
           : part == PART_QUIET ? silence_reason(h, v)
                                : tickets_reason(h, part, v);
}

/* --- the alert --- */

static void list_components(struct health *h, const struct health_view *v,
                            struct alert *a)
{
    static const char *const names[HEALTH_PARTS] = {"friction", "escalations", "csat",
                                                    "quiet"};
    const struct health_settings *s = h->s;
    const int64_t points[HEALTH_PARTS] = {s->counts[0].points, s->counts[1].points,
                                          s->csat.points, s->quiet.points};
    a->health.present = true;
    a->health.score = (double)v->score_nano / HEALTH_ONE;
    a->health.weight = (double)v->weight_nano / HEALTH_ONE;
    for (int p = 0; p < HEALTH_PARTS; p++)
        if (v->is[p])
            a->health.components[a->health.components_n++] = (struct alert_component){
                str_of(names[p]), reason_of(h, p, v), (double)points[p]};
}

static void summarise(struct health *h, const struct health_view *v, struct alert *a)
{
    struct buf b;
    buf_init(&b, 1000);
    put_account(&b, v, h->at_ms);
    buf_text(&b, a->state == ALERT_RESOLVED ? " no longer at risk, score "
                                            : " at risk, score ");
    buf_printf(&b, "%" PRId64, v->score_nano / HEALTH_ONE);
    if (a->state == ALERT_RESOLVED) {
        buf_printf(&b, ", was %" PRId64, h->state.peak_nano / HEALTH_ONE);
    }
    for (size_t i = 0; i < a->health.components_n; i++)
        buf_printf(&b, "%s%.*s", i ? "; " : ": ",
                   STR_ARG(a->health.components[i].reason));
    a->summary = judgement_text(h->out, "%.*s", STR_ARG(buf_str(&b)));
    buf_deinit(&b);
}

/* Of the events that make the true components the latest few. */
static void show_evidence(const struct health *h, const struct health_view *v,
                          struct alert *a)
{
    uint8_t parts = 0;
    size_t n = h->records_n, at = ALERT_EVIDENCE_MAX;
    for (int p = 0; p < HEALTH_PARTS; p++)
        parts |= (uint8_t)(v->is[p] << p);
    while (n && at) {
        const struct health_record *r = &h->records[--n];
        if (r->evidence.time_ms <= h->at_ms && health_shows(h, r, parts))
            a->evidence[--at] = r->evidence;
    }
    a->evidence_n = ALERT_EVIDENCE_MAX - at;
    memmove(a->evidence, a->evidence + at, a->evidence_n * sizeof *a->evidence);
}

static int64_t count_of(const struct health_view *v)
{
    return (v->is[PART_FRICTION] ? v->n[PART_FRICTION] : 0) +
           (v->is[PART_ESCALATIONS] ? v->n[PART_ESCALATIONS] : 0) +
           (v->is[PART_CSAT] ? v->ratings : 0) + (v->is[PART_QUIET] ? v->engaged : 0);
}

void health_tell(struct health *h, enum alert_state state, const struct health_view *v)
{
    struct alert a =
        alert_begin(h->in, state, h->in->rule->steps[h->state.level].severity, h->at_ms);
    list_components(h, v, &a);
    summarise(h, v, &a);
    a.count = count_of(v);
    a.users = ALERT_NOT_COUNTED;
    a.accounts[0] = v->account;
    a.accounts_listed = 1;
    a.accounts_n = 1;
    a.first_seen_ms = a.opened_ms = h->state.opened_ms;
    a.last_seen_ms = h->at_ms;
    if (state != ALERT_RESOLVED) {
        show_evidence(h, v, &a);
        if (a.evidence_n)
            a.first_seen_ms = a.evidence[0].time_ms;
        if (a.evidence_n)
            a.last_seen_ms = a.evidence[a.evidence_n - 1].time_ms;
    }
    alert_name(&a, h->state.opened_ms);
    judgement_tell(h->out, &a);
}
