/* One event as a window remembers it: its place in time, its person, and what an alert shows of it. */
#ifndef DETECTORS_MEMBER_H
#define DETECTORS_MEMBER_H

#include "core/alert.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/event.h"

/* Fields are added as integers, so that no order of events makes other digits. */
enum { MILLIONTHS = 1000000 };

struct member {
    int64_t time_ms;
    /* events it stands for: itself, and those after it that need no place */
    uint32_t weight;
    uint64_t person; /* hash of the user, or of the event where there is none */
    int64_t value;   /* of a metric's field, in MILLIONTHS; 0 */
    struct alert_evidence evidence;
    struct alert_account account;
    struct alert_sample sample;
    /* The people it stands for besides its own, packed (people.h); empty: none. */
    struct str crowd;
    /* As it was read, bytes STR_NONE if it was not: weight and crowd are all that changes later. */
    struct {
        struct str bytes;
        uint32_t weight;
        const char *crowd;
    } read;
};

/* Appends the packed member. Long texts are cut on code points. */
void member_pack(const struct member *m, struct buf *out);
/* Texts borrow from `packed`. False: not a member. */
bool member_unpack(struct str packed, struct member *out);

/* What a member is counted by. Of thousands in a bucket an alert shows five. */
struct member_head {
    int64_t time_ms, value;
    uint32_t weight;
    struct str event, packed; /* packed: all of it */
};
/* As member_unpack() has them, at a third of its cost. */
bool member_read_head(struct str packed, struct member_head *out);
/* Into the order of members_sort(). */
void member_heads_sort(struct member_head *heads, size_t n);

/* When it was; of what is no member 0. */
int64_t member_time_ms(struct str packed);

/* Texts borrow from the event. */
void member_of_event(const struct event *event, struct member *out);

/* Appends the event as a packed member. It is packed once where `kept` (may be NULL) holds what it came to. */
void member_pack_event(const struct event *event, struct buf *kept, struct buf *out);

/* Into the order of (time, id) bytewise. */
void members_sort(struct member *members, size_t n);

/* A window's members in order of (time, id) bytewise, in the arena. What is no member is left out. */
struct member *members_load(const struct str *records, size_t records_n,
                            struct arena *arena, size_t *n);

/* Members of a window -> what an alert says of them: accounts, evidence, first_seen, sample. `take` may be
 * NULL (all) or flags for each. Members are in order. */
void members_describe(const struct member *members, const bool *take, size_t n,
                      struct alert *out);

/* People with a user among the members. */
int64_t members_users(const struct member *members, size_t n);

#endif
