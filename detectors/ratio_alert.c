/* What a ratio's figures are, and how they are told (docs/rules.md). */
#include <math.h>

#include "detectors/judgement.h"
#include "detectors/limit.h"
#include "detectors/ratio.h"

/* "ticket.team billing: 31 of 120 events within 1d (25.83%), limit 20% (z +1.6)" */
static struct str summary(const struct judge_input *in, struct judgement *out,
                          const struct alert *a)
{
    const struct ratio_settings *s = in->rule->settings;
    const struct alert_anomaly *f = &a->anomaly;
    char text_of[CALENDAR_TEXT_BYTES];
    struct str bucket;
    struct buf key;
    struct str text;
    buf_init(&key, 600);
    if (a->state == ALERT_RESOLVED)
        buf_text(&key, "back to normal: ");
    key_prefix(in, &key);
    if (a->count)
        bucket = calendar_text(s->bucket_ms, text_of);
    else
        bucket = duration_text(calendar_usual_ms(s->bucket_ms) * s->silent_n, text_of);
    if (a->count)
        text = judgement_text(
            out, "%.*s%lld of %lld events within %s%.*s (%.4g%%), %s %.4g%% (z %+.1f)",
            STR_ARG(buf_str(&key)), (long long)f->matched, (long long)a->count,
            s->bucket_ms == CALENDAR_MONTH ? "a " : "", STR_ARG(bucket), 100 * f->value,
            f->limit     ? "limit"
            : f->overall ? "elsewhere"
                         : "expected",
            100 * f->mean, f->z);
    else
        text = judgement_text(out, "%.*sno events within %.*s", STR_ARG(buf_str(&key)),
                              STR_ARG(bucket));
    buf_deinit(&key);
    return text;
}

struct alert ratio_alert(const struct judge_input *in, struct judgement *out,
                         const struct ratio_finding *found)
{
    const struct ratio_settings *s = in->rule->settings;
    struct alert a = alert_begin(in, found->state, in->rule->steps[0].severity,
                                 ratio_start_of(s, found->tally.cell + 1));
    a.anomaly = found->figures;
    a.count = found->tally.n;
    a.first_seen_ms = ratio_start_of(s, found->tally.cell);
    a.last_seen_ms = a.time_ms;
    a.summary = summary(in, out, &a);
    alert_name(&a, found->opened_cell);
    return a;
}

struct alert_anomaly ratio_figures(const struct ratio_settings *s, const struct tally *t)
{
    return (struct alert_anomaly){.present = true,
                                  .value = t->n ? (double)t->matched / (double)t->n : 0,
                                  .bucket_ms = s->bucket_ms,
                                  .share = true,
                                  .matched = t->matched,
                                  .limit = s->above > 0 || s->below > 0,
                                  .overall = s->against == RATIO_OVERALL};
}

/* The score test. |z| is larger than settings->z exactly where Wilson's interval of the share leaves the limit
 * out (Newcombe 1998, method 3). */
void ratio_test_limit(const struct ratio_settings *s, const struct tally *t,
                      struct alert_anomaly *f)
{
    f->mean = s->above > 0 ? s->above : s->below;
    f->stddev = sqrt(f->mean * (1 - f->mean) / (double)t->n);
    f->z = (f->value - f->mean) / f->stddev;
    f->up = f->value > f->mean;
}

/* Two proportions with pooled variance (Fleiss, Levin, Paik 2003, 3.1, without the correction for continuity).
 * No event may be in both. */
void ratio_test_pooled(const struct tally *t, const struct tally *other,
                       struct alert_anomaly *f)
{
    double n = (double)t->n, m = (double)other->n;
    double pooled = (double)(t->matched + other->matched) / (n + m);
    f->mean = (double)other->matched / m;
    f->stddev = sqrt(pooled * (1 - pooled) * (1 / n + 1 / m));
    f->z = f->stddev > 0 ? (f->value - f->mean) / f->stddev : 0; /* all match, or none */
    f->up = f->value > f->mean;
}

bool ratio_abnormal(const struct ratio_settings *s, const struct alert_anomaly *f)
{
    bool up = f->limit ? s->above > 0 : s->direction != RATIO_DOWN;
    bool down = f->limit ? s->below > 0 : s->direction != RATIO_UP;
    return (f->up ? up : down) && limit_passed(fabs(f->z), s->z) &&
           limit_reached(fabs(f->value - f->mean), s->min_change * f->mean);
}
