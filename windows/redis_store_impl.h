/* The parts of the store in Redis share this: the store, and how a script is called. */
#ifndef WINDOWS_REDIS_STORE_IMPL_H
#define WINDOWS_REDIS_STORE_IMPL_H

#include "windows/redis_args.h"
#include "windows/redis_link.h"
#include "windows/window_store.h"

enum { EPOCH_BYTES = 32, REPLY_HEAD = 6 };

/* The keys of common.lua, in its order, and the record. */
enum redis_key {
    KEY_META,
    KEY_CURSORS,
    KEY_HIGHS,
    KEY_IDLES,
    KEY_ATS,
    KEY_WINDOWS,
    KEY_DUE,
    KEY_WAITING,
    KEY_ID_SLOTS,
    KEY_UNPROVEN,
    KEY_LASTS,
    KEY_MARKS,
    KEY_SEEN,
    KEY_UNSENT,
    KEY_EPISODES,
    KEY_ENDED,
    KEYS_OF_EVERY_CALL,
    KEY_RECORD = KEYS_OF_EVERY_CALL,
    REDIS_KEYS
};

enum script_number {
    SCRIPT_OPEN,
    SCRIPT_APPLY,
    SCRIPT_COMMIT,
    SCRIPT_DUE,
    SCRIPT_IDLE,
    SCRIPT_PLACE,
    SCRIPT_BEGIN,
    SCRIPT_REMADE,
    SCRIPT_HORIZON,
    SCRIPT_PROVES,
    SCRIPT_FORGET,
    SCRIPT_PEEK,
    SCRIPTS
};

struct redis_store {
    struct window_store base;
    struct redis_link *link;
    struct arena memory;  /* keys, scripts, the prefix */
    struct arena scratch; /* of one call without an arena of its own */
    struct str stem, lateness, keys[REDIS_KEYS];
    int64_t lateness_ms, record_for_ms, lookback_ms;
    int (*read_past)(void *arg, struct store_times *out, struct err *e);
    void *past_arg;
    int64_t forgotten_ms; /* ids of events before it are gone */
    char epoch[EPOCH_BYTES + 1];
    bool look_only;
    struct str *partitions; /* to be made known again after a loss */
    size_t partitions_n;
    struct redis_script scripts[SCRIPTS];
};

static inline struct redis_store *redis_store_of(struct window_store *s)
{
    return (struct redis_store *)s;
}

/* Begins a call's arguments: the keys of every call; more keys may follow before
 * redis_call_args, which adds the arguments of every call and answers how many keys there are. */
void redis_call_keys(struct redis_store *s, struct redis_args *a, struct arena *arena);
size_t redis_call_args(struct redis_store *s, struct redis_args *a);

/* Runs a script; the reply is the caller's. Where the state is another than ours it is made anew or taken
 * over, and the answer is NULL and ERR_UNAVAILABLE: nothing is known. */
struct redisReply *redis_call(struct redis_store *s, enum script_number script,
                              const struct redis_args *a, size_t keys_n, struct err *e);

/* The head of every reply. */
bool redis_outcome_is(const struct redisReply *r, const char *name);
struct store_clock redis_clock_of(const struct redisReply *r);
/* The number at i, or `none` where there is an empty text. */
int64_t redis_int_or(const struct redisReply *r, size_t i, int64_t none);
/* said, record, from: the numbers at i and behind. */
struct store_times redis_times_of(const struct redisReply *r, size_t i);
/* The windows behind the head, copied into `arena`. */
int redis_read_windows(const struct redisReply *r, struct arena *arena,
                       struct window **windows, size_t *n, struct err *e);

/* The shard's key of that kind and name, in the arena. */
struct str redis_key_named(const struct redis_store *s, const char *kind, struct str name,
                           struct arena *arena);
/* Of a slot of ids: its width and number, since another time.lateness makes other slots. */
struct str redis_slot_name(const struct redis_store *s, int64_t cell,
                           struct arena *arena);
/* Random, so that it never comes again; see windows/window.h. */
struct str redis_new_version(struct arena *arena);

/* redis_place.c */
int redis_store_cursor(struct window_store *base, struct str partition,
                       struct arena *arena, struct store_place *out, struct err *e);
int redis_store_begin(struct window_store *base, struct str partition,
                      const struct store_place *place, struct err *e);
int redis_store_remade(struct window_store *base, struct str partition,
                       const struct store_place *place, struct err *e);
int redis_store_horizon(struct window_store *base, int64_t said_ms,
                        const struct marks_line *marks, size_t n, struct store_times *out,
                        struct err *e);
/* "INCARNATION:OFFSET". */
void redis_put_cursor(struct redis_args *args, int64_t incarnation, int64_t offset);
/* "OFFSET:HASH", or nothing. */
void redis_put_last(struct redis_args *args, int64_t offset, uint64_t hash);
/* redis_apply.c */
int redis_store_apply(struct window_store *base, const struct apply *a,
                      struct arena *arena, struct apply_reply *out, struct err *e);
int redis_store_idle(struct window_store *base, struct str partition,
                     const struct store_place *at, int64_t proven_ms,
                     struct apply_reply *out, struct err *e);
/* redis_judge.c */
int redis_store_due(struct window_store *base, size_t limit, bool unproven,
                    struct arena *arena, struct window **windows, size_t *n,
                    struct store_clock *clock, struct err *e);
int redis_store_proves(struct window_store *base, const struct partition_end *ends,
                       size_t n, bool *all_read, struct err *e);
int redis_store_peek(struct window_store *base, const struct window_id *ids, size_t n,
                     struct arena *arena, struct window **windows, size_t *found,
                     struct err *e);
int redis_store_commit(struct window_store *base, struct judged *judged, size_t n,
                       struct store_clock *clock, struct err *e);

#endif
