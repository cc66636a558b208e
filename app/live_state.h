/* The inside of the live loop, for live*.c only. */
#ifndef APP_LIVE_STATE_H
#define APP_LIVE_STATE_H

#include "app/engine.h"
#include "app/live.h"
#include "app/live_metrics.h"
#include "app/status.h"
#include "sinks/delivery.h"
#include "windows/redis_link.h"

struct live {
    const struct config *config;
    const atomic_bool *stop;
    struct arena arena; /* what lives as long as the loop */
    struct redis_target redis;
    struct window_store *stores[SHARDS_MAX];
    size_t stores_n;
    struct source *source;
    struct delivery *delivery;
    struct status *status;
    struct live_metrics metrics;
    bool redis_answers; /* the last look was answered, and what it wrote was taken */
    struct past past;
    struct engine engine;
    struct batch batch;
    int64_t backoff_ms; /* 0: all is well */
    uint64_t failures;
    int64_t next_ms, tell_ms, topology_ms, figures_ms;
    int64_t
        unknown_until_ms; /* a store did not say where a partition stands: not asked again before */
    int64_t keys_ms;                /* when keys are counted again */
    struct key_overflow *overflows; /* by rule, as last logged */
    uint64_t full;                  /* lines that found an outbox full, as last logged */
    bool paused;                    /* reading, because an outbox is full */
    size_t lanes_n;                 /* as last logged */
    const char *redis_warning;      /* the last one logged */
    char consumer[96];
};

/* live_start.c: opens what a process needs. -1: it could not; live_finish() closes what was opened. */
int live_start(struct live *l, struct err *e);
void live_finish(struct live *l);
/* Whether Redis may still be trusted with state: its policy can be changed, another server can take over. */
int live_check_stores(struct live *l, struct err *e);
/* Makes the broker's partitions known to the stores. */
int live_partitions(struct live *l, struct err *e);

/* Joins the group. */
int live_open_source(struct live *l, struct err *e);
/* The engine on the source and the stores that there are. */
void live_start_engine(struct live *l);

/* live_rules.c */
/* Logs which rules read the past, and that they have caught up. */
void live_log_lanes(struct live *l);
bool live_replaced(const struct live *l);
/* Other rules are in place: leaves the group until they are ours again, or it is to stop. */
int live_stand_aside(struct live *l, struct err *e);

/* live.c: what the source tells. */
struct source_place live_assigned(void *arg, size_t slot, struct str name);
void live_revoked(void *arg, size_t slot, struct str name);

/* live_keys.c: logs which rules have too many keys, and frees what that needs. */
void live_look_at_keys(struct live *l);
void live_forget_keys(struct live *l);
/* Asks the stores how many keys there are, every ten seconds. */
int live_count_keys(struct live *l, struct err *e);

/* live_full.c */
void live_look_at_outboxes(struct live *l);

void live_log_figures(const struct live *l);

#endif
