#include "core/fingerprint_cache.h"

#include <assert.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { SLOTS = 512, SLOT_BYTES = 256 };

struct slot {
    uint16_t key_n, made_n;                        /* key_n == 0: free */
    char bytes[SLOT_BYTES - 2 * sizeof(uint16_t)]; /* the key, then the fingerprint */
};

struct fingerprint_cache {
    struct slot slots[SLOTS];
    struct buf made; /* used again and again */
};

struct fingerprint_cache *fingerprint_cache_new(void)
{
    struct fingerprint_cache *c = calloc(1, sizeof *c);
    assert(c);
    buf_init(&c->made, FINGERPRINT_BYTES_MAX);
    return c;
}

void fingerprint_cache_free(struct fingerprint_cache *c)
{
    if (c)
        buf_deinit(&c->made);
    free(c);
}

/* What it is made of, in one piece: n == 0 where that is too long to keep. */
static size_t key_of(enum fingerprint_kind kind, const struct str *texts, char *key,
                     size_t room)
{
    size_t n = 1;
    *key = (char)kind;
    for (size_t i = 0; i < FINGERPRINT_TEXTS_MAX; i++) {
        uint16_t length = (uint16_t)texts[i].n;
        if (texts[i].n + sizeof length > room - n)
            return 0;
        memcpy(key + n, &length, sizeof length);
        if (length)
            memcpy(key + n + sizeof length, texts[i].p, length);
        n += sizeof length + length;
    }
    return n;
}

/* Lies in the cache until the next one. */
static struct str made(struct fingerprint_cache *c, enum fingerprint_kind kind,
                       const struct str *texts)
{
    buf_clear(&c->made);
    if (kind == FINGERPRINT_PAGE)
        fingerprint_page(texts[0], &c->made);
    else if (kind == FINGERPRINT_SUBJECT)
        fingerprint_subject(texts[0], &c->made);
    else
        fingerprint_error(texts[0], texts[1], texts[2], &c->made);
    return buf_str(&c->made);
}

struct str fingerprint_cached(struct fingerprint_cache *c, enum fingerprint_kind kind,
                              const struct str texts[FINGERPRINT_TEXTS_MAX],
                              struct arena *arena)
{
    char key[SLOT_BYTES];
    bool usual =
        kind != FINGERPRINT_SUBJECT; /* people hardly ever write the same again */
    size_t n = usual ? key_of(kind, texts, key, sizeof c->slots->bytes) : 0;
    if (n == 0)
        return arena_str(arena, made(c, kind, texts));
    struct slot *slot = &c->slots[XXH3_64bits(key, n) % SLOTS];
    if (slot->key_n == n && memcmp(slot->bytes, key, n) == 0)
        return arena_str(arena, (struct str){slot->bytes + n, slot->made_n});
    struct str new = arena_str(arena, made(c, kind, texts));
    if (n + new.n > sizeof slot->bytes)
        return new;
    slot->key_n = (uint16_t)n;
    slot->made_n = (uint16_t) new.n;
    memcpy(slot->bytes, key, n);
    memcpy(slot->bytes + n, new.p, new.n);
    return new;
}
