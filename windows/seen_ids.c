#include "windows/seen_ids.h"

#include <assert.h>
#include <stdlib.h>

#include "core/timefmt.h"

struct seen_slot {
    int64_t cell;
    struct index ids;
    struct arena texts; /* the ids' bytes */
};

void seen_ids_init(struct seen_ids *s, int64_t slot_ms)
{
    *s = (struct seen_ids){.slot_ms = slot_ms};
}

static void slot_deinit(struct seen_slot *slot)
{
    index_deinit(&slot->ids);
    arena_deinit(&slot->texts);
}

void seen_ids_deinit(struct seen_ids *s)
{
    for (size_t i = 0; i < s->n; i++)
        slot_deinit(&s->slots[i]);
    free(s->slots);
    if (s->spare)
        slot_deinit(s->spare);
    free(s->spare);
    *s = (struct seen_ids){.slot_ms = s->slot_ms};
}

/* What is forgotten last is kept: the next slot will be about as large. */
static void put_by(struct seen_ids *s, const struct seen_slot *slot)
{
    if (!s->spare)
        s->spare = calloc(1, sizeof *s->spare);
    assert(s->spare);
    slot_deinit(s->spare);
    *s->spare = *slot;
}

/* The first slot whose cell is not below `cell`; new events are nearly always in the last one. */
static size_t lower_bound(const struct seen_ids *s, int64_t cell)
{
    size_t i = s->n;
    while (i && s->slots[i - 1].cell >= cell)
        i--;
    return i;
}

/* An empty slot, out of the spare one if there is. */
static struct seen_slot slot_of(struct seen_ids *s, int64_t cell)
{
    struct seen_slot slot = {0};
    if (s->spare) {
        slot = *s->spare;
        *s->spare = (struct seen_slot){0};
    }
    index_clear(&slot.ids);
    arena_reset(&slot.texts);
    slot.cell = cell;
    return slot;
}

bool seen_ids_has(const struct seen_ids *s, struct str id, int64_t time_ms)
{
    int64_t cell = time_cell(time_ms, s->slot_ms);
    size_t i = lower_bound(s, cell);
    return i < s->n && s->slots[i].cell == cell &&
           index_get(&s->slots[i].ids, id) != INDEX_NONE;
}

void seen_ids_add(struct seen_ids *s, struct str id, int64_t time_ms)
{
    int64_t cell = time_cell(time_ms, s->slot_ms);
    size_t i = lower_bound(s, cell);
    if (i == s->n || s->slots[i].cell != cell) {
        s->slots = realloc(s->slots, (s->n + 1) * sizeof *s->slots);
        assert(s->slots);
        memmove(&s->slots[i + 1], &s->slots[i], (s->n - i) * sizeof *s->slots);
        s->slots[i] = slot_of(s, cell);
        s->n++;
    }
    index_put(&s->slots[i].ids, arena_str(&s->slots[i].texts, id), 1);
}

void seen_ids_take(struct seen_ids *s, const struct seen_ids *from)
{
    for (size_t i = 0; i < from->n; i++) {
        size_t at = 0;
        for (struct str id; (id = index_next(&from->slots[i].ids, &at)).p;)
            seen_ids_add(s, id, from->slots[i].cell * from->slot_ms);
    }
}

void seen_ids_forget(struct seen_ids *s, int64_t watermark_ms)
{
    int64_t open_cell = time_cell(watermark_ms, s->slot_ms);
    size_t gone = lower_bound(s, open_cell);
    for (size_t i = 0; i < gone; i++)
        put_by(s, &s->slots[i]);
    s->n -= gone;
    if (gone)
        memmove(s->slots, s->slots + gone, s->n * sizeof *s->slots);
}
