#include "sinks/lane_secrets.h"

#include "core/log.h"

enum { SECRETS_N = sizeof((struct sink_secrets *)0)->values / sizeof(struct str) };

static bool same(const struct sink_secrets *a, const struct sink_secrets *b)
{
    for (size_t i = 0; i < SECRETS_N; i++)
        if (!str_eq(a->values[i], b->values[i]))
            return false;
    return str_eq(a->proxy, b->proxy);
}

/* 1: they have changed. */
static int read_anew(struct lane_secrets *s, int64_t now_ms, struct err *e)
{
    struct sink_secrets fresh = {0};
    s->read_ms = now_ms;
    arena_reset(&s->arenas[1]);
    if (s->sink->secrets(s->sink->secrets_arg, &s->arenas[1], &fresh, e) < 0)
        return -1;
    bool changed = !same(&fresh, &s->values);
    struct arena older = s->arenas[0];
    s->arenas[0] = s->arenas[1];
    s->arenas[1] = older;
    s->values = fresh;
    s->stale = false;
    return changed;
}

int lane_secrets_init(struct lane_secrets *s, const struct delivery_sink *sink,
                      int64_t now_ms, struct err *e)
{
    *s = (struct lane_secrets){.sink = sink};
    arena_init(&s->arenas[0]);
    arena_init(&s->arenas[1]);
    return read_anew(s, now_ms, e) < 0 ? -1 : 0;
}

void lane_secrets_deinit(struct lane_secrets *s)
{
    arena_deinit(&s->arenas[0]);
    arena_deinit(&s->arenas[1]);
}

bool lane_secrets_refresh(struct lane_secrets *s, int64_t now_ms, int64_t older_than_ms)
{
    char quoted[LOG_VALUE_BYTES];
    struct err e = {0};
    if (!s->stale && now_ms - s->read_ms < older_than_ms)
        return false;
    int changed = read_anew(s, now_ms, &e);
    if (changed < 0)
        log_warn("secret_unreadable", "sink=%.*s reason=%s", STR_ARG(s->sink->name),
                 log_quote(str_of(e.text), quoted));
    return changed > 0;
}
