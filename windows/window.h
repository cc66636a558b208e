/* A window as stores hand it out: `head` says whose it is (rule and key), `state` belongs to the rule kind, records are what
 * was added since it was last judged and what the kind kept. Who judged a window may replace it only while its version is
 * unchanged; a store sees to it that no crash, rollback or re-creation brings an old version back with other content. */
#ifndef WINDOWS_WINDOW_H
#define WINDOWS_WINDOW_H

#include <stdint.h>

#include "core/arena.h"
#include "core/buf.h"

enum {
    WINDOW_ID_BYTES = 16,
    WINDOW_VERSION_BYTES = 8,
    WINDOW_FOLD_BYTES = 4096,
    WINDOW_MAX_BYTES = 64 * 1024 * 1024,
};

/* XXH3 128 of the head. */
struct window_id {
    char bytes[WINDOW_ID_BYTES];
};

struct window {
    struct window_id id;
    char version[WINDOW_VERSION_BYTES];
    struct str head, state;
    struct str *records;
    size_t records_n;
};

struct window_id window_id_of(struct str head);

/* Whether it is judged at once to fold its records into its state: of `bytes` it had `judged_bytes` when it was judged last. */
static inline bool window_is_full(size_t judged_bytes, size_t bytes)
{
    return bytes >= WINDOW_FOLD_BYTES + 2 * judged_bytes || bytes >= WINDOW_MAX_BYTES / 4;
}

static inline struct str window_id_str(const struct window_id *id)
{
    return (struct str){id->bytes, WINDOW_ID_BYTES};
}

/* Appends a window as the store in memory and bases in Redis have it: head str16 | state u32 + bytes | records. These are
 * packed str16s already. */
void window_body(struct buf *out, struct str head, struct str state, struct str records);

/* The head of a rule's window: the rule's name and the key's values. */
void window_head(struct buf *out, struct str rule, const struct str *key, size_t key_n);
/* The same in the arena. */
struct str window_head_made(struct str rule, const struct str *key, size_t key_n,
                            struct arena *arena);
/* The opposite: at most max values; false when it is none, or has more. */
bool window_head_parse(struct str head, struct str *rule, struct str *key, size_t max,
                       size_t *key_n);

#endif
