/* The parts of the store in Redis share this: the store, and how a script is called. */
#ifndef WINDOWS_REDIS_STORE_IMPL_H
#define WINDOWS_REDIS_STORE_IMPL_H

#include "windows/redis_args.h"
#include "windows/redis_link.h"
#include "windows/window_store.h"

enum { EPOCH_BYTES = 32, LANE_BYTES = 8, REPLY_HEAD = 6 };

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
    KEY_STATE, /* KEY_META of the shard itself */
    KEYS_OF_EVERY_CALL,
    KEY_RECORD = KEYS_OF_EVERY_CALL,
    REDIS_KEYS
};

enum script_number {
    SCRIPT_OPEN,
    SCRIPT_JOIN,
    SCRIPT_RAKE,
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

/* The rules of the process, and where their windows are (redis_rules.c). */
struct redis_rules {
    const struct store_rule *items;
    size_t n;
    bool imposed;       /* they were in place once, since this process began */
    int64_t generation; /* in which they were */
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
    char epoch[EPOCH_BYTES + 1], made[EPOCH_BYTES + 1];
    struct redis_rules rules;
    struct redis_store *shard; /* of a lane: whose it is; else NULL */
    struct str lane;           /* its name */
    struct redis_store *gone;  /* lanes that are none any more; freed with the shard */
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
/* Both, for a call without more keys; in the store's scratch memory, which begins anew. */
size_t redis_call_plain(struct redis_store *s, struct redis_args *a);

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
/* The windows from element `from` on, copied into `arena`. */
int redis_read_windows(const struct redisReply *r, size_t from, struct arena *arena,
                       struct window **windows, size_t *n, struct err *e);

/* The shard's key of that kind and name, in the arena. */
struct str redis_key_named(const struct redis_store *s, const char *kind, struct str name,
                           struct arena *arena);
/* Of a slot of ids: its width and number, since another time.lateness makes other slots. */
struct str redis_slot_name(const struct redis_store *s, int64_t cell,
                           struct arena *arena);
/* Random, so that it never comes again; see windows/window.h. */
struct str redis_new_version(struct arena *arena);

const char *redis_key_name(enum redis_key key);
void redis_keep_names(struct redis_store *s, const struct str *names, size_t n);
/* The key of a lane of that name, in the arena. */
struct str redis_lane_key(const struct redis_store *s, struct str lane,
                          enum redis_key key, struct arena *arena);
/* Its ids in a slot. */
struct str redis_ids_key(const struct redis_store *s, struct str slot,
                         struct arena *arena);
void redis_random(char *out, size_t n);

/* redis_open.c: the state, made where there is none. */
int redis_open_state(struct redis_store *s, struct err *e);
/* The same; ERR_UNAVAILABLE where it is another than it was. */
int redis_open_again(struct redis_store *s, struct err *e);
/* The state is another: takes it over, and says so. */
void redis_reopen(struct redis_store *s, struct err *e);
int redis_lane_open(struct redis_store *lane, struct err *e);
void redis_draw_epoch(char out[EPOCH_BYTES + 1]);

/* redis_rules.c: the rules of the state, and lanes (docs/once.md, "Rules that change"). */
void redis_rules_put(const struct redis_store *s, const char *fresh,
                     struct redis_args *args);
/* Takes what open.lua answered from field `at` on. ERR_UNAVAILABLE: other rules are in place. */
int redis_rules_take(struct redis_store *s, const struct redisReply *r, size_t at,
                     struct err *e);
int redis_store_mend(struct window_store *base, struct err *e);
void redis_lanes_free(struct redis_store *s);

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
int redis_store_windows(struct window_store *base, const struct str *names, size_t n,
                        int64_t *counts, struct err *e);
int redis_store_commit(struct window_store *base, struct judged *judged, size_t n,
                       struct store_clock *clock, struct err *e);

#endif
