#include <stdlib.h>

#include "detectors/health.h"

enum { IS_UPDATE = 1 << 6, IS_BULK = 1 << 7 };

/* --- records --- */

void health_record_pack(const struct health_record *r, struct buf *out)
{
    const struct alert_evidence *e = &r->evidence;
    buf_u8(out, (uint8_t)(r->parts | (r->is_update ? IS_UPDATE : 0) |
                          (r->is_bulk ? IS_BULK : 0)));
    buf_i64(out, r->rating);
    buf_str16(out, e->ticket);
    buf_str16(out, e->user);
    buf_u32(out, (uint32_t)e->partition);
    buf_i64(out, e->offset);
    account_version_pack(&r->version, out); /* with time and id of the event */
}

static bool unpack(struct str packed, struct str account, struct health_record *r)
{
    struct reader in = {.in = packed};
    uint8_t flags = reader_u8(&in);
    *r = (struct health_record){.parts = flags & ((1 << HEALTH_PARTS) - 1),
                                .is_update = flags & IS_UPDATE,
                                .is_bulk = flags & IS_BULK,
                                .rating = reader_i64(&in)};
    r->evidence.ticket = reader_str16(&in);
    r->evidence.user = reader_str16(&in);
    r->evidence.partition = (int32_t)reader_u32(&in);
    r->evidence.offset = reader_i64(&in);
    r->evidence.account = account;
    if (in.failed || !account_version_unpack(in.in, &r->version))
        return false;
    r->evidence.time_ms = r->version.time_ms;
    r->evidence.event = r->version.event;
    return true;
}

static int in_order(const void *a, const void *b)
{
    const struct alert_evidence *x = &((const struct health_record *)a)->evidence,
                                *y = &((const struct health_record *)b)->evidence;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return str_cmp(x->event, y->event);
}

void health_load(struct health *h)
{
    const struct judge_input *in = h->in;
    struct arena *arena = h->out->arena;
    health_state_unpack(in->state, arena, &h->state);
    h->at_ms = h->state.at_ms;
    h->records = arena_alloc(arena, (in->records_n + 1) * sizeof *h->records);
    h->updates = arena_alloc(arena, (in->records_n + 1) * sizeof *h->updates);
    h->own = arena_alloc(arena, (in->records_n + 1) * sizeof *h->own);
    for (size_t i = 0; i < in->records_n; i++)
        if (unpack(in->records[i], in->key[0], &h->records[h->records_n]))
            h->records_n++;
    qsort(h->records, h->records_n, sizeof *h->records, in_order);
    for (size_t i = 0; i < h->records_n; i++)
        if (h->records[i].is_update)
            h->updates[h->updates_n++] = h->records[i].version;
        else
            h->own[h->own_n++] = h->records[i].version;
}

/* --- what is kept --- */

static void keep(struct health *h, const struct health_record *r)
{
    size_t begin = buf_str16_begin(h->out->kept);
    health_record_pack(r, h->out->kept);
    buf_str16_end(h->out->kept, begin);
    h->out->kept_n++;
}

/* From when on events may be shown for the part. */
static int64_t shown_from_ms(const struct health *h, int part)
{
    const struct health_settings *s = h->s;
    const struct health_state *t = &h->state;
    if (part == PART_QUIET)
        return t->times_n ? t->times[t->times_n - 1] - s->quiet.within_ms : NEVER_MS;
    return h->at_ms - (part == PART_CSAT ? s->csat.within_ms : s->counts[part].within_ms);
}

bool health_shows(const struct health *h, const struct health_record *r, unsigned parts)
{
    for (int p = 0; p < HEALTH_PARTS; p++)
        if ((r->parts & parts & 1u << p) && r->evidence.time_ms > shown_from_ms(h, p))
            return true;
    return false;
}

/* The part's latest few are evidence; the others have done. */
static void drop_old_evidence(struct health *h, size_t settled)
{
    for (int p = 0; p < HEALTH_PARTS; p++) {
        int64_t from_ms = shown_from_ms(h, p);
        size_t n = 0;
        for (size_t i = settled; i-- > 0;) {
            struct health_record *r = &h->records[i];
            unsigned bit = 1u << p;
            if ((r->parts & bit) &&
                (r->evidence.time_ms <= from_ms || ++n > HEALTH_EVIDENCE))
                r->parts &= (uint8_t)~bit;
        }
    }
}

/* What is settled: evidence, and what says something of the account that nothing later says. */
static void keep_settled(struct health *h, size_t settled)
{
    struct arena *arena = h->out->arena;
    bool *update = arena_alloc(arena, h->updates_n + 1);
    bool *own = arena_alloc(arena, h->own_n + 1);
    size_t updates = 0, owns = 0;
    account_versions_fold(h->updates, h->updates_n, h->at_ms + 1, h->s->remember_ms,
                          update);
    account_versions_fold(h->own, h->own_n, h->at_ms + 1, h->s->remember_ms, own);
    drop_old_evidence(h, settled);
    for (size_t i = 0; i < settled; i++) {
        struct health_record *r = &h->records[i];
        bool needed = r->is_update ? update[updates++] : own[owns++];
        if (!needed)
            r->version.account = (struct alert_account){0};
        if (!needed)
            r->version.has_mrr = false;
        if (needed || r->parts)
            keep(h, r);
    }
}

/* Of many signs of life those go that are followed by so many others, without a silence before the last of them,
 * that no count holds them; as `quiet` has it. */
static bool is_needless(const struct health *h, const size_t *lives, size_t n, size_t at,
                        int64_t kept_ms)
{
    return at > 0 && at + HEALTH_COUNTED < n && h->records[lives[at]].is_bulk &&
           h->records[lives[at + HEALTH_COUNTED]].evidence.time_ms - kept_ms <
               h->s->quiet.silent_for_ms;
}

static void keep_unsettled(struct health *h, size_t settled)
{
    size_t *lives = arena_alloc(h->out->arena, (h->records_n + 1) * sizeof *lives);
    size_t n = 0, at = 0, left = h->records_n - settled;
    int64_t kept_ms = 0;
    for (size_t i = settled; i < h->records_n; i++)
        if (h->records[i].parts & 1u << PART_QUIET)
            lives[n++] = i;
    for (size_t i = settled; i < h->records_n; i++) {
        bool life = at < n && lives[at] == i;
        bool far = left > HEALTH_UNSETTLED_MAX &&
                   i - settled >= HEALTH_UNSETTLED_MAX / 2 &&
                   h->records_n - i > HEALTH_UNSETTLED_MAX / 2;
        bool drop = far || (life && is_needless(h, lives, n, at, kept_ms));
        at += life;
        if (drop)
            continue;
        kept_ms = life ? h->records[i].evidence.time_ms : kept_ms;
        keep(h, &h->records[i]);
    }
}

void health_keep(struct health *h)
{
    size_t settled = 0;
    while (settled < h->records_n && h->records[settled].evidence.time_ms <= h->at_ms)
        settled++;
    if (h->at_ms != ALWAYS_MS)
        keep_settled(h, settled);
    keep_unsettled(h, settled);
}
