#include "app/accept.h"

#include "core/index.h"
#include "core/timefmt.h"
#include "windows/shard.h"

/* A repetition has the id and, as a repetition should, the time of the first: the same slot of ids, as in
 * the store, so that it does not matter whether both stand in one batch. */
static struct str identity(const struct event *event, int64_t lateness_ms,
                           struct arena *arena)
{
    int64_t cell = time_cell(event->time_ms, id_slot_ms(lateness_ms));
    char *key = arena_alloc(arena, event->id.n + sizeof cell);
    memcpy(key, event->id.p, event->id.n);
    memcpy(key + event->id.n, &cell, sizeof cell);
    return (struct str){key, event->id.n + sizeof cell};
}

void accept_events(struct batch *b, size_t from, size_t to, int64_t high_ms,
                   int64_t lateness_ms, struct arena *arena, struct accepted *a)
{
    struct index ids;
    size_t room = to - from + 1;
    index_init(&ids);
    *a = (struct accepted){.high_ms = high_ms};
    a->events = arena_alloc(arena, room * sizeof *a->events);
    a->ids = arena_alloc(arena, room * sizeof *a->ids);
    a->times_ms = arena_alloc(arena, room * sizeof *a->times_ms);
    for (size_t i = from; i < to; i++) {
        struct event *event = &b->events[i];
        if (a->high_ms != STORE_NO_TIME && event->time_ms < a->high_ms - lateness_ms) {
            a->late++;
            continue;
        }
        if (a->high_ms == STORE_NO_TIME || event->time_ms > a->high_ms)
            a->high_ms = event->time_ms;
        if (index_put(&ids, identity(event, lateness_ms, arena), i) != i) {
            a->duplicates++;
            continue;
        }
        a->events[a->n] = event;
        a->ids[a->n] = event->id;
        a->times_ms[a->n++] = event->time_ms;
    }
    index_deinit(&ids);
}

void accept_leave_out(struct accepted *a, const unsigned char *refused, size_t shards_n,
                      size_t shard)
{
    size_t left = 0;
    for (size_t i = 0; i < a->n; i++) {
        bool home = shard_of_bytes(a->ids[i], shards_n) == shard;
        a->refused_duplicates += home && refused[i] == REFUSED_DUPLICATE;
        a->refused_behind += home && refused[i] == REFUSED_BEHIND;
        if (refused[i] != ACCEPTED)
            continue;
        a->events[left] = a->events[i];
        a->ids[left] = a->ids[i];
        a->times_ms[left++] = a->times_ms[i];
    }
    a->n = left;
}
