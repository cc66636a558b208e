#include "app/proof.h"

#include <assert.h>
#include <stdlib.h>

#include "core/clock.h"

enum { AGAIN_AFTER_MS = 200 };

void proof_init(struct proof *p)
{
    *p = (struct proof){0};
    arena_init(&p->names);
}

void proof_deinit(struct proof *p)
{
    free(p->ends);
    arena_deinit(&p->names);
}

static void take_end(void *arg, size_t slot, struct str name, int64_t end)
{
    struct proof *p = arg;
    (void)slot;
    if (p->n == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 64;
        p->ends = realloc(p->ends, p->cap * sizeof *p->ends);
        assert(p->ends);
    }
    p->ends[p->n++] = (struct partition_end){arena_str(&p->names, name), end};
}

int proof_try(struct proof *p, struct source *source, struct window_store *store,
              bool *all_read, struct err *e)
{
    struct err away = {0};
    *all_read = false;
    if (!source->ops->ends || !store->ops->proves || clock_monotonic_ms() < p->again_ms)
        return 0;
    p->n = 0;
    arena_reset(&p->names);
    int result = 0;
    if (source->ops->ends(source, take_end, p, &away) == 0)
        result = store->ops->proves(store, p->ends, p->n, all_read, e);
    if (!*all_read)
        p->again_ms = clock_monotonic_ms() + AGAIN_AFTER_MS;
    return result;
}
