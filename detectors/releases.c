#include "detectors/releases.h"

enum { VERSION, SERVICE, URL, FIELDS };

const struct context_kind releases_kind = {
    .name = "$releases",
    .type = EVENT_RELEASE_DEPLOYED,
    .fields = {[VERSION] = {FIELD_RELEASE_VERSION, NULL},
               [SERVICE] = {FIELD_RELEASE_SERVICE, NULL},
               [URL] = {FIELD_RELEASE_URL, NULL}},
    .fields_n = FIELDS,
    .kept = 200,
};

/* Several pods, several clusters: a version of a service is one release. */
static bool is_named(const struct alert *a, const struct context_event *e)
{
    for (size_t i = 0; i < a->releases_n; i++)
        if (str_eq(a->releases[i].version, e->texts[VERSION]) &&
            str_eq(a->releases[i].service, e->texts[SERVICE]))
            return true;
    return false;
}

void releases_name(const struct rule *rule, const struct context *all, struct alert *a)
{
    int64_t opened_ms = a->state == ALERT_FIRING ? a->time_ms : a->opened_ms;
    int64_t from_ms = opened_ms - context_look_ms(rule);
    struct context known = context_before(rule, all, a->time_ms);
    a->releases_n = 0;
    if (alert_is_over(a))
        return;
    for (size_t i = known.n; i-- > 0 && a->releases_n < ALERT_RELEASES_MAX;) {
        const struct context_event *e = &known.events[i];
        if (e->time_ms >= opened_ms || e->time_ms < from_ms || is_named(a, e))
            continue;
        a->releases[a->releases_n++] =
            (struct alert_release){.version = e->texts[VERSION],
                                   .service = e->texts[SERVICE],
                                   .url = e->texts[URL],
                                   .time_ms = e->time_ms};
    }
}
