#include "sinks/explain.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/clock.h"
#include "windows/hiders.h"
#include "windows/outbox.h"

/* What one shard knows. */
struct part {
    struct arena arena;
    struct hiders now;
};

struct explain {
    const struct inhibit *all;
    size_t n;
    pthread_mutex_t lock; /* of the parts */
    struct part *parts;
    size_t parts_n;
};

struct explain *explain_new(const struct inhibit *all, size_t n, size_t shards_n)
{
    if (n == 0)
        return NULL;
    struct explain *x = calloc(1, sizeof *x);
    assert(x);
    x->all = all;
    x->n = n;
    x->parts_n = shards_n;
    x->parts = calloc(shards_n, sizeof *x->parts);
    assert(x->parts);
    for (size_t i = 0; i < shards_n; i++)
        arena_init(&x->parts[i].arena);
    pthread_mutex_init(&x->lock, NULL);
    return x;
}

void explain_free(struct explain *x)
{
    if (!x)
        return;
    for (size_t i = 0; i < x->parts_n; i++)
        arena_deinit(&x->parts[i].arena);
    pthread_mutex_destroy(&x->lock);
    free(x->parts);
    free(x);
}

/* Nobody waits for Redis with the lock held. */
int explain_look(struct explain *x, size_t shard, struct outbox *o, struct err *e)
{
    struct part new = {0}, old;
    struct str stem;
    struct redis_link *link = outbox_link(o, &stem);
    arena_init(&new.arena);
    if (hiders_read(link, stem, clock_wall_ms(), &new.arena, &new.now, e)) {
        arena_deinit(&new.arena);
        return -1;
    }
    pthread_mutex_lock(&x->lock);
    old = x->parts[shard];
    x->parts[shard] = new;
    pthread_mutex_unlock(&x->lock);
    arena_deinit(&old.arena);
    return 0;
}

static bool hidden_in(const struct explain *x, const struct part *part, struct alert *a,
                      struct arena *arena)
{
    for (size_t i = 0; i < part->now.hiding_n; i++) {
        const struct hiding *h = &part->now.hiding[i];
        const struct alert *source = &h->step;
        const struct inhibit *by = inhibit_of(x->all, x->n, source, a);
        if (!by || a->time_ms < h->opened_ms || a->time_ms >= h->over_ms)
            continue;
        a->hidden_by = (struct alert_hider){by->name, arena_str(arena, source->rule),
                                            arena_str(arena, str_of(source->id))};
        return true;
    }
    return false;
}

bool explain_hides(struct explain *x, struct alert *a, struct arena *arena)
{
    bool found = false;
    pthread_mutex_lock(&x->lock);
    for (size_t i = 0; i < x->parts_n && !found && !alert_is_over(a); i++)
        found = hidden_in(x, &x->parts[i], a, arena);
    pthread_mutex_unlock(&x->lock);
    return found;
}

int explain_hidden(struct outbox *o, const struct alert *a, struct err *e)
{
    struct str stem;
    struct redis_link *link = outbox_link(o, &stem);
    return hiders_hid(link, stem, a, clock_wall_ms(), e);
}

/* An episode may have been hidden from several sinks, and so in one shard only, once. */
static void list_part(const struct part *part, struct alert *a, struct arena *arena)
{
    for (size_t i = 0; i < part->now.hidden_n; i++) {
        const struct hidden_one *h = &part->now.hidden[i];
        if (!str_is(h->hider, a->id))
            continue;
        a->hidden_n++;
        if (a->hidden_listed < ALERT_HIDDEN_MAX)
            a->hidden[a->hidden_listed++] = (struct alert_hidden){
                arena_str(arena, h->what.rule), arena_str(arena, h->what.id),
                arena_str(arena, h->what.about)};
    }
}

static void list(struct explain *x, struct alert *a, struct arena *arena)
{
    a->hidden_n = 0;
    a->hidden_listed = 0;
    pthread_mutex_lock(&x->lock);
    for (size_t i = 0; i < x->parts_n; i++)
        list_part(&x->parts[i], a, arena);
    pthread_mutex_unlock(&x->lock);
}

int explain_tell(struct explain *x, size_t shard, struct outbox *o, struct alert *a,
                 struct arena *arena, struct err *e)
{
    struct str stem;
    struct redis_link *link = outbox_link(o, &stem);
    if (a->state == ALERT_VERIFIED || !inhibit_any_source(x->all, x->n, a->rule))
        return 0;
    if (hiders_told(link, stem, a, clock_wall_ms(), e) || explain_look(x, shard, o, e))
        return -1;
    list(x, a, arena);
    return 0;
}
