/* Fields of a journal, their names, and lines of bases as another program may have written them: folded or refused, and no more. */
#include <assert.h>

#include "windows/mirror.h"

enum {
    ENTRIES_MAX = 32,
    OUT_MAX = 16,
    BASE = 6,
    TRIM = 7,
    KINDS_N = 8,
    PACK = 0x80,
    AGE_MS = 100000,
    LONG_BYTES = 64
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void put_base(struct mirror *m, int64_t number, struct str info)
{
    struct window_id id = {.bytes = {0}};
    struct journal_item item;
    struct reader r = {.in = info};
    struct str lane = reader_str16(&r), key = reader_bytes(&r, sizeof id.bytes);
    if (!journal_read_item(&r, &item) || !item.committed)
        return;
    memcpy(id.bytes, key.p, sizeof id.bytes);
    mirror_base(m, number, lane, STR("rule"), &id, &item);
}

/* A byte says what comes; packed here, since no fuzzer guesses what a compressor writes. */
static void fold(struct mirror *m, int64_t number, struct reader *r, struct buf *packed)
{
    static const struct str names[] = {STR("1 w rule"), STR("1 w other"), STR("1 i"),
                                       STR("1 j"), STR("1")};
    unsigned what = reader_u8(r), kind = what % KINDS_N;
    struct str name =
        kind < sizeof names / sizeof names[0] ? names[kind] : reader_str16(r);
    struct str field = reader_str16(r);
    if (what & PACK) {
        journal_pack(&m->codec, field, packed);
        field = buf_str(packed);
    }
    if (kind == BASE)
        put_base(m, number, field);
    else if (kind == TRIM)
        (void)mirror_trim(m, &name, 1);
    else
        (void)mirror_fold(m, number, name, field);
}

static void read_pieces(struct mirror *m, struct mirror_window *const *some, size_t n,
                        struct arena *arena)
{
    struct journal_item item;
    for (size_t i = 0; i < n; i++)
        for (uint32_t at = 0; mirror_next_piece(m, some[i], &at, arena, &item);)
            (void)mirror_head(m, some[i], item.key, arena);
}

/* What the store asks a mirror. */
static void look(struct mirror *m, struct arena *arena)
{
    struct mirror_window *out[OUT_MAX];
    struct str dead[OUT_MAX];
    for (size_t i = 0; i < m->domains_n; i++) {
        struct mirror_domain *d = m->domains[i];
        read_pieces(m, out, mirror_judge(m, d, d->watermark_ms, i % 2, OUT_MAX, out),
                    arena);
        read_pieces(m, out, mirror_long(m, d, OUT_MAX, out, 0), arena);
        (void)mirror_waits_from(d);
    }
    m->now_ms += AGE_MS;
    bool fine = mirror_trim(m, dead, mirror_dead(m, OUT_MAX, arena, dead));
    assert(fine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct mirror m;
    struct arena arena;
    struct buf packed;
    struct reader r = {.in = {(const char *)data, n}};
    mirror_init(&m, 60000);
    m.long_bytes = LONG_BYTES;
    m.recent.room = n % 2 * LONG_BYTES;
    arena_init(&arena);
    buf_init(&packed, 1 << 20);
    for (int64_t number = 1; r.in.n && number < ENTRIES_MAX; number++) {
        fold(&m, number, &r, &packed);
        if (number % 4 == 0)
            look(&m, &arena);
    }
    look(&m, &arena);
    mirror_deinit(&m);
    buf_deinit(&packed);
    arena_deinit(&arena);
    return 0;
}
