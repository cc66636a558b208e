/* The parts of the store in Redis share this: the store, and how a script is called. */
#ifndef WINDOWS_REDIS_STORE_IMPL_H
#define WINDOWS_REDIS_STORE_IMPL_H

#include "windows/mirror.h"
#include "windows/redis_args.h"
#include "windows/redis_link.h"
#include "windows/window_store.h"

enum { EPOCH_BYTES = 32, LANE_BYTES = 8, REPLY_HEAD = 3 };

/* The keys of common.lua, in its order, and the record. */
enum redis_key {
    KEY_META,
    KEY_CURSORS,
    KEY_HIGHS,
    KEY_IDLES,
    KEY_ATS,
    KEY_WINDOWS,
    KEY_BASES,
    KEY_JOURNAL,
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
    SCRIPT_SYNC,
    SCRIPT_LOAD,
    SCRIPT_IDLE,
    SCRIPT_PLACE,
    SCRIPT_BEGIN,
    SCRIPT_REMADE,
    SCRIPT_HORIZON,
    SCRIPT_PROVES,
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
    size_t recent_bytes;
    int (*read_past)(void *arg, struct store_times *out, struct err *e);
    void *past_arg;
    struct mirror mirror; /* of the shard, and of its lanes */
    bool mirrored;        /* else it is to be made anew */
    uint64_t loads;       /* how often it was made anew */
    /* The tail that a load saw last, until it was seen to stand still; 0: none. */
    int64_t seen_next;
    char seen_tail[WINDOW_VERSION_BYTES];
    size_t refused_n;           /* calls, since one held */
    char turn[EPOCH_BYTES + 1]; /* what it names itself by where it asks for a turn */
    int64_t other_next; /* where the journal stood when a base was another than it said */
    size_t others_n;    /* how often, there */
    /* `loads` when it was last told which events to leave out, + 1; 0: not since. */
    uint64_t revised_at;
    int64_t waits_from_ms;    /* of what begins to wait, as horizon() told it last */
    struct store_clock clock; /* as the last reply told it */
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
struct store_clock redis_clock_of(struct redis_store *s, const struct redisReply *r);
/* The number at i, or `none` where there is an empty text. */
int64_t redis_int_or(const struct redisReply *r, size_t i, int64_t none);
/* said, record, from: the numbers at i and behind. */
struct store_times redis_times_of(const struct redisReply *r, size_t i);

/* The shard's key of that kind and name, in the arena. */
struct str redis_key_named(const struct redis_store *s, const char *kind, struct str name,
                           struct arena *arena);
/* Of an entry: random, so that it never comes again. */
struct str redis_new_version(struct arena *arena);

const char *redis_key_name(enum redis_key key);
void redis_keep_names(struct redis_store *s, const struct str *names, size_t n);
/* The key of a lane of that name, in the arena. */
struct str redis_lane_key(const struct redis_store *s, struct str lane,
                          enum redis_key key, struct arena *arena);
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

/* redis_journal.c: the shard's journal, and the mirror of it. */
/* Whose journal it is: the shard's, also for its lanes. */
struct redis_store *redis_home(struct redis_store *s);
struct mirror_domain *redis_domain(struct redis_store *s);
/* Folds what was written since, or all; *clock as told then. */
int redis_sync(struct redis_store *s, struct store_clock *clock, struct err *e);
/* *stale: the reply says that others wrote since, and nothing was written; what they wrote is folded then. */
int redis_stale(struct redis_store *s, const struct redisReply *r, bool *stale,
                struct store_clock *clock, struct err *e);
/* What a window is known by: the entry that touched it last, of this mirror. */
uint64_t redis_version_of(struct redis_store *s, const struct mirror_window *w);
/* The entry just written, whose packed fields these are. */
struct redis_fields;
void redis_written(struct redis_store *s, struct str version,
                   const struct redis_fields *fields);
/* The head of a field that is written now. */
void redis_put_head(struct redis_store *s, struct buf *out);
/* The fields of an entry that is written now: a batch's ids, a batch's or a commit's items for windows of a name. */
struct redis_fields {
    struct redis_store *s;
    struct redis_field {
        struct str windows; /* their name; the ids: none */
        struct buf bytes;
        struct str name, packed; /* as they are written; in the store's scratch memory */
    } * items;
    size_t n;
};
void redis_fields_init(struct redis_fields *f, struct redis_store *s);
void redis_fields_deinit(struct redis_fields *f);
/* Where ids go. */
struct buf *redis_fields_ids(struct redis_fields *f);
/* Where an item for windows with that head goes; *key is the head's rest. */
struct buf *redis_fields_for(struct redis_fields *f, struct str head, struct str *name,
                             struct str *key);
/* All of them, in the store's scratch memory; -1: one is too large. Then names and values in turn as arguments. */
int redis_fields_pack(struct redis_fields *f, struct err *e);
void redis_fields_put(const struct redis_fields *f, struct redis_args *out);
/* Those windows whole: what is in bases is read. In the arena. */
int redis_whole_windows(struct redis_store *s, struct mirror_window *const *some,
                        size_t n, struct arena *arena, struct window **windows,
                        size_t *found, struct err *e);

/* redis_turn.c: who is refused too often. A write of the journal says redis_turn(); "": it asks for none. */
struct str redis_turn(struct redis_store *s);
/* It was refused; `told`: for what others wrote. Else it waits a moment. */
void redis_refused(struct redis_store *s, bool told);
void redis_held(struct redis_store *s);

int redis_damaged(struct err *e);
/* One of which nothing is known, where there is none. */
void redis_new_mirror(struct redis_store *home);
/* Nothing of the journal is known. */
void redis_make_empty(struct redis_store *home);
/* It is known up to that entry. */
void redis_stand_at(struct redis_store *home, int64_t number, struct str version);

/* redis_load.c */
enum { REDIS_LOAD_AGAIN = 1 };
/* The mirror of the shard's journal is made anew: of all up to entry `last`, that was the last one; what is written meanwhile
 * redis_sync tells. REDIS_LOAD_AGAIN: Redis lost what was read of it. */
int redis_load(struct redis_store *home, int64_t last, struct str version, struct err *e);
/* What a mirror begins with, of a base that entry `number` writes. */
struct str redis_base_info(struct redis_store *s, int64_t number, struct str name,
                           const struct journal_item *item, struct arena *arena);

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
