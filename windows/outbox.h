/* The outbox: a Redis stream per sink, read by a consumer group of all pods. An entry is taken with a
 * lease, acknowledged after the answer, and claimed by others when its pod is gone. Of one rule and key
 * one entry is taken at a time, the oldest, over all pods: of these a sink is told in order. Never
 * trimmed by length. Each shard has its own, under its stem (windows/shard.h):
 *   STEM outbox:SINK  group "delivery", fields `alert` the body, `time` the event time
 *   STEM dead:SINK    the same fields and entry (id in the outbox), reason, attempts
 *   STEM memory:SINK:TOPIC  what the sink keeps of one rule and key; lives as long as it was told to
 *   STEM pace:SINK   when it may be asked next, where it has a rate
 *   STEM told:SINK   when the last alerts were told, of a sink whose storms are told together
 *   STEM digest:SINK  a hash: the first entry of each digest and its last one: from one to the other all are told in one
 *                     message, and stay in the outbox until it is delivered; `apart`: the last one of those taken apart
 *   STEM unsent       a sorted set, "SINK ID" of each entry of every outbox by what was said when it
 *                     entered (horizon.lua)
 * A connection of its own: used by the delivery thread only. Every -1 is ERR_UNAVAILABLE or ERR_REFUSED
 * (windows/redis_link.h), and nothing is known: the call may be repeated. */
#ifndef WINDOWS_OUTBOX_H
#define WINDOWS_OUTBOX_H

#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/str.h"
#include "windows/shard.h"

struct outbox;
struct redis_link;
struct redis_target; /* windows/redis_link.h: where Redis is, and how long to wait */

enum { OUTBOX_ID_BYTES = 42 };
struct outbox_entry {
    char id[OUTBOX_ID_BYTES];   /* the stream's entry id */
    char last[OUTBOX_ID_BYTES]; /* of a digest: its last entry; "": it is one alert */
    struct str body;            /* the alert's JSON */
    int64_t attempts; /* how often it was taken, this time included; 1 at first */
    int64_t held_ms;  /* answer 0: other pods hold some so long at least; 0: none does */
    struct outbox_entry *more; /* of a digest: behind it, in order; `id` and `body` */
    size_t more_n;
};

/* The stream's key, as the store's commit script writes it. */
struct str outbox_key(struct str stem, struct str sink, struct shard_key *room);

/* `consumer` names this process: no two that live may share it, for what its namesake took is taken to
 * be its own. Connects lazily. Copies what it is given. */
struct outbox *outbox_open(const struct redis_target *target, struct str stem,
                           struct str consumer);
void outbox_close(struct outbox *o);

struct outbox_want {
    int64_t lease_ms;
    int64_t most; /* a new one only while all pods hold fewer of the sink's */
    /* ids of those that this process knows to hold, a space before and after each */
    struct str known;
};
/* The oldest entry of the sink that may be sent, or its oldest digest: one that this process holds and does not know of (the
 * reply was lost), one whose lease ran out, else a new one. 1: taken, 0: none, or others are held; -1.
 * Texts live in `arena`. */
int outbox_take(struct outbox *o, struct str sink, const struct outbox_want *want,
                struct arena *arena, struct outbox_entry *out, struct err *e);
/* Takes leave for one request: one every gap_ms, over all pods. 0: now, else ask again after so many ms; -1. */
int64_t outbox_pace(struct outbox *o, struct str sink, int64_t gap_ms, struct err *e);
/* Of a sink that tells more than `above` alerts within some time together. */
struct outbox_storm {
    int64_t above, within_ms;
    int64_t wait_ms;             /* out: it waits so long */
    struct outbox_entry *behind; /* out: what may go with it; `id` and `body` */
    size_t behind_n;
    bool all; /* out: no more wait that would go with it */
};
enum { OUTBOX_DIGEST_MAX = 500, OUTBOX_DIGEST_MAX_BYTES = 4 << 20 };
/* What becomes of an entry that this process holds and that was never sent. 1: s->behind may go with it; 0: it waits, or
 * goes alone, and is counted as told; -1. */
int outbox_storm(struct outbox *o, struct str sink, const char *id,
                 struct outbox_storm *s, struct arena *arena, struct err *e);
enum outbox_composed { COMPOSED_FAILED = -1, COMPOSED_LOST, COMPOSED, COMPOSED_NOT };
/* Makes a digest of the entry and what stands behind it up to `last`, `n` in all; for one alone it only counts. LOST: another pod
 * holds the entry; NOT: it goes alone. */
enum outbox_composed outbox_compose(struct outbox *o, struct str sink, const char *id,
                                    const char *last, size_t n,
                                    const struct outbox_storm *s, struct err *e);
/* Takes a digest apart, for good: its entries go one by one. 1; 0: another pod holds it, or it is gone; -1. */
int outbox_apart(struct outbox *o, struct str sink, const char *id, struct err *e);
/* Whether a later step of the same alert waits, within the next 1,000 entries. 1, 0; -1. */
int outbox_later(struct outbox *o, struct str sink, const char *id, struct str alert,
                 struct err *e);
/* Begins the lease anew. 1; 0: the lease ran out and another pod holds it, or it is gone; -1. */
int outbox_renew(struct outbox *o, struct str sink, const char *id, struct err *e);
/* Delivered: removes it, and what was told with it up to `last`. Does nothing when it is gone. */
int outbox_ack(struct outbox *o, struct str sink, const struct outbox_entry *entry,
               struct err *e);
/* Cannot be delivered: moves it to the sink's dead stream with the reason, atomically and once.
 * 1; 0: another pod holds it, or it is gone; -1. */
int outbox_dead(struct outbox *o, struct str sink, const struct outbox_entry *entry,
                struct str reason, struct err *e);
/* Gives an entry taken by this process and not answered back to all, at once (drain). */
int outbox_release(struct outbox *o, struct str sink, const char *id, struct err *e);
/* Whether the last failure was Redis's own word about this one call: then others may work. */
bool outbox_answered(const struct outbox *o);
struct outbox_figures {
    int64_t queued;    /* entries waiting and taken */
    int64_t dead;      /* in the dead stream */
    int64_t oldest_ms; /* age of the oldest one queued; 0: none */
};
/* How full it is. Also forgets as unsent what somebody deleted by hand, the oldest first, one a call. */
int outbox_figures(struct outbox *o, struct str sink, struct outbox_figures *out,
                   struct err *e);
/* What the sink remembers of the topic: n == 0: nothing. Lives in `arena`. */
int outbox_recall(struct outbox *o, struct str sink, struct str topic,
                  struct arena *arena, struct str *out, struct err *e);
struct outbox_memory {
    struct str topic, text;
    int64_t keep_ms;
};
/* Remembers it, while this process holds the entry. 1; 0: another pod holds it, or it is gone; -1. */
int outbox_remember(struct outbox *o, struct str sink, const char *id,
                    const struct outbox_memory *memory, struct err *e);
/* Its connection, and what its shard's keys begin with: for what else delivery keeps there. */
struct redis_link *outbox_link(struct outbox *o, struct str *stem);
/* The silences there are (windows/silences.h), in memory of `arena`. 0; -1. */
struct silence;
struct silences;
int outbox_silences(struct outbox *o, struct arena *arena, struct silences *out,
                    struct err *e);
/* Not to be told, because of the silence: the entry goes, and the shard's stream STEM muted says of it sink, alert,
 * state, severity and silence, for SILENCES_KEPT_MS. Whether this pod holds it or nobody does. 1; 0: another pod holds
 * it, or it is gone; -1. */
struct alert;
int outbox_mute(struct outbox *o, struct str sink, const char *id, const struct alert *a,
                const struct silence *s, struct err *e);
/* Whether the sink was not told of the episode's beginning; from now on it is taken to have been. 1; 0; -1. */
int outbox_unmute(struct outbox *o, struct str sink, const char *alert_id, struct err *e);
/* Forgets this consumer, and those not heard of for a day, unless they hold an entry. */
int outbox_tidy(struct outbox *o, struct str sink, struct err *e);

#endif
