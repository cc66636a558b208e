/* The one loop body that live and replay share: a batch in, alerts out.
 *
 * One event's way: source.next -> engine_batch: late events are counted out (accept.h), each rule turns the
 * others into window changes (changes.h), and each shard's store takes its part in one call iff the
 * partition's cursor stands at the batch's start; the windows it hands back are judged, and what became
 * known is committed. engine_tick() judges what is left over, or was put off because more follows at once, and
 * what the watermark's passing made due.
 *
 * A shard has cursors and a watermark of its own. Every batch goes to every shard, also an empty part of it;
 * one that is ahead is passed over, and a batch is cut where another one's cursor stands.
 * One thread owns an engine, its source and its stores. */
#ifndef APP_ENGINE_H
#define APP_ENGINE_H

#include "app/accept.h"
#include "app/changes.h"
#include "app/judge.h"
#include "app/keys.h"
#include "app/past.h"
#include "app/proof.h"
#include "consumer/source.h"
#include "windows/window_store.h"

struct engine_stats {
    uint64_t events, late, duplicates, behind, rejects, batches, repositions;
    uint64_t lost; /* records that retention deleted before they were read */
    uint64_t types[EVENT_TYPE_COUNT]; /* of the events */
    uint64_t remade;          /* partitions whose log was another than the one applied */
    struct rule_stats *rules; /* one each */
};

/* A shard, or a lane of one. */
struct engine_shard {
    struct window_store *store;
    struct store_clock clock;
    size_t number; /* of the shard */
};

struct engine_partition {
    struct str name; /* borrowed from the source */
    bool owned;
    bool placed;            /* what follows is what the stores say */
    struct store_place *at; /* by number in engine.shards */
    /* of the log, the highest seen: never lower, also where a shard lost writes */
    int64_t incarnation;
    int64_t next;      /* the least cursor of any shard */
    int64_t high_ms;   /* largest event time before it; STORE_NO_TIME: none */
    int64_t reads;     /* the position that the source hands out next; -1: not known */
    int64_t active_ms; /* clock_monotonic_ms() when something last came */
    int64_t end;       /* as the brokers told last; -1: not known */
    bool at_end;       /* read to its end: need not be looked at before it is idle */
    struct marks marks;
};

struct engine {
    const struct rule *rules;
    size_t rules_n;
    int64_t lateness_ms;
    const struct outbox_cap *caps; /* of sinks */
    size_t caps_n;
    struct source *source;
    struct engine_shard *shards; /* the shards, then the lanes that they have now */
    size_t shards_n, mains_n;    /* all of them; shards */
    /* the group's commits, for a state made anew; NULL: there are none */
    struct past *past;
    bool past_known; /* they were read since something was forgotten */
    bool at_end;     /* of a recorded log: events at the watermark are settled too */
    /* clock_monotonic_ms() before which the source is not asked for ends */
    int64_t ends_ms;
    /* A batch that others follow, which the source has in hand already, is judged with them: fewer calls, and a window
     * that several of them change is judged once. Not where engine_tick() was last done with everything some 50 ms ago,
     * at ticked_ms (clock_monotonic_ms()). */
    bool judge_later; /* the batch in hand */
    bool put_off;     /* one that was applied: engine_tick() is to come */
    int64_t ticked_ms;
    int64_t tick_ms; /* engine_tick() returns after so long, done or not; 0: done */
    struct engine_partition *partitions; /* by slot */
    size_t partitions_n;
    size_t known_n; /* that the source has, as the stores were told last */
    struct engine_stats stats;
    struct store_times times; /* as all shards told together last */
    struct changes changes;

    struct proof proof;
    struct arena scratch; /* of one call */
};

/* Borrows rules and source; the stores, one a shard, are borrowed too. */
void engine_init(struct engine *g, const struct rule *rules, size_t rules_n,
                 int64_t lateness_ms, struct source *source,
                 struct window_store *const *stores, size_t stores_n);
void engine_deinit(struct engine *g);

/* Applies a batch and judges. 0 also when the batch was not the one the stores expect: then the source
 * was told to seek. ERR_UNAVAILABLE: nothing is known; the partition is to be placed again. */
int engine_batch(struct engine *g, struct batch *b, struct err *e);

/* The least watermark of any shard. */
int64_t engine_watermark_ms(const struct engine *g);

/* --- engine_judge.c --- */

/* Judges the windows, which the shard's store just handed out, and commits what was found, a bounded number at a time;
 * *committed says how many held. */
int engine_judge(struct engine *g, struct engine_shard *shard,
                 const struct window *windows, size_t n, size_t *committed, struct err *e);

/* Whether the batch may be judged with the next one. */
bool engine_may_put_off(const struct engine *g, const struct batch *b);

/* Judges what waits, was put off or is due. */
int engine_tick(struct engine *g, struct err *e);

/* The same where something was put off: before what may take long, and where nothing follows after all. */
int engine_judge_left(struct engine *g, struct err *e);

/* The same, but asks the stores in any case: what another process left behind is found, and their clocks
 * are read. */
int engine_look(struct engine *g, struct err *e);

/* --- engine_lanes.c --- */

/* Of which nothing is known yet. */
struct engine_shard engine_shard_of(struct window_store *store, size_t number);

/* The stores' lanes as they are now; nothing is known of partitions if they are others than before. */
void engine_take_lanes(struct engine *g);

/* What another engine on the same source knew of partitions, but for where they stand in the stores. */
void engine_inherit(struct engine *g, const struct engine *before);

/* Lanes that have caught up become part of their shards. ERR_UNAVAILABLE also when one did: all is placed again. */
int engine_mend(struct engine *g, struct err *e);

/* --- engine_place.c --- */

/* Makes these partitions known to all shards. */
int engine_partitions(struct engine *g, const struct str *names, size_t n, struct err *e);

/* The partition's state; made if it is not known yet. */
struct engine_partition *engine_partition(struct engine *g, size_t slot, struct str name);

/* Reads the cursors. Where a shard has none, the partition begins: at its beginning, or in a state made anew
 * where that needs. -1: nothing is known. */
int engine_place(struct engine *g, struct engine_partition *p, struct err *e);

/* Has the source hand out next what the stores expect. */
int engine_reposition(struct engine *g, size_t slot, struct err *e);

/* Nothing is known any more of any partition: each is placed again before it is used. */
void engine_forget(struct engine *g);

/* The source found another log than the one applied: it is read from its beginning. */
int engine_remade(struct engine *g, size_t slot, struct err *e);

/* Asks the source where partitions end from which nothing comes, and tells the stores of those that are at their
 * end; event time of those that are silent for idle_after_ms moves by the clock. */
int engine_look_at_ends(struct engine *g, int64_t idle_after_ms, struct err *e);

/* Commits where the owned partitions stand, with what a state made anew would have to know. */
int engine_horizon(struct engine *g, struct str prefix, struct err *e);

#endif
