#include "windows/window.h"

#include <assert.h>
#include <xxhash.h>

struct window_id window_id_of(struct str head)
{
    XXH128_canonical_t c;
    XXH128_canonicalFromHash(&c, XXH3_128bits(head.p, head.n));
    struct window_id id;
    memcpy(id.bytes, c.digest, sizeof id.bytes);
    return id;
}

void window_body(struct buf *out, struct str head, struct str state, struct str records)
{
    (void)buf_reserve(out,
                      sizeof(uint16_t) + head.n + sizeof(uint32_t) + state.n + records.n);
    buf_str16(out, head);
    buf_u32(out, (uint32_t)state.n);
    buf_put(out, state);
    buf_put(out, records);
}

void window_head(struct buf *out, struct str rule, const struct str *key, size_t key_n)
{
    buf_str16(out, rule);
    for (size_t i = 0; i < key_n; i++)
        buf_str16(out, key[i]);
}

static char *put_str16(char *to, struct str s)
{
    assert(s.n <= UINT16_MAX);
    *to++ = (char)(s.n & 0xff);
    *to++ = (char)(s.n >> 8);
    memcpy(to, s.p, s.n);
    return to + s.n;
}

struct str window_head_made(struct str rule, const struct str *key, size_t key_n,
                            struct arena *arena)
{
    size_t n = 2 + rule.n;
    for (size_t i = 0; i < key_n; i++)
        n += 2 + key[i].n;
    char *head = arena_take(arena, n), *to = put_str16(head, rule);
    for (size_t i = 0; i < key_n; i++)
        to = put_str16(to, key[i]);
    return (struct str){head, n};
}

bool window_head_parse(struct str head, struct str *rule, struct str *key, size_t max,
                       size_t *key_n)
{
    struct reader r = {.in = head};
    *rule = reader_str16(&r);
    *key_n = 0;
    while (r.in.n && !r.failed && *key_n < max)
        key[(*key_n)++] = reader_str16(&r);
    return !r.failed && r.in.n == 0;
}
