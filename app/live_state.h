/* The inside of the live loop, for live*.c only. */
#ifndef APP_LIVE_STATE_H
#define APP_LIVE_STATE_H

#include "app/config_watch.h"
#include "app/engine.h"
#include "app/live_metrics.h"
#include "app/setup.h"
#include "app/status.h"

/* So long may requests under way take that began before the end. */
enum { LIVE_DRAIN_MS = 20000 };

struct live {
    const struct config *config; /* in force: the first one, or `loaded` */
    struct config *loaded;       /* NULL: none was since the start */
    struct config_watch *watch;  /* NULL: the configuration is no file */
    struct live_orders *orders;
    struct setup *setup; /* NULL: Kafka and Redis were not there yet */
    struct retired *retired;
    struct status *status;
    struct live_metrics metrics;
    bool redis_answers; /* the last look was answered, and what it wrote was taken */
    struct engine engine;
    struct batch batch;
    int64_t backoff_ms; /* 0: all is well */
    uint64_t failures;
    int64_t next_ms, tell_ms, topology_ms, figures_ms;
    /* A store did not say where a partition stands: not asked again before. */
    int64_t unknown_until_ms;
    int64_t keys_ms;                /* when keys are counted again */
    struct key_overflow *overflows; /* by rule, as last logged */
    uint64_t full;                  /* lines that found an outbox full, as last logged */
    bool paused;                    /* reading, because an outbox is full */
    size_t lanes_n;                 /* as last logged */
    struct notices *notices;        /* NULL: not opened yet */
    struct sink_health *healths;    /* by sink */
    int64_t beat_ms;                /* no heartbeat before */
    bool reload_wanted;
    int64_t reload_ms; /* not tried again before */
    int64_t files_ms;  /* nor Kafka's files looked at */
};

/* live_start.c: opens what a process needs. -1: it could not; live_finish() closes what was opened. */
int live_start(struct live *l, struct err *e);
void live_finish(struct live *l);
/* Makes the broker's partitions known to the stores. */
int live_partitions(struct live *l, struct err *e);

/* The engine on the source and the stores that there are. */
void live_start_engine(struct live *l);
struct source_listener live_listener(struct live *l);
/* Reads the stores' clocks, before partitions come. Where they do not answer, the loop asks again. */
int live_first_look(struct live *l, struct err *e);
/* Waits, ticking, until it is to end at the latest. */
void live_nap(struct live *l, int64_t ms);

/* live_reload.c */
/* Takes another configuration where there is one. One that is bad, or that Kafka or Redis will not have, is told and left.
 * -1: the loop cannot go on. */
int live_reload(struct live *l, struct err *e);
/* The same where nothing is open yet. */
void live_reload_before_start(struct live *l);
/* The log as the command line, the configuration, or else the environment wants it. */
void live_use_log(const struct live *l);
/* At /metrics: whether the file, as it was when it was read last, is in force. */
void live_tell_reload(bool good);
/* Waits for the deliveries of the configuration that was replaced. */
void live_retire_wait(struct live *l);

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

/* live_notices.c: says what the configuration wants said of the watcher itself, once a second. */
int live_notices(struct live *l, struct err *e);
void live_forget_notices(struct live *l);

/* live_full.c */
void live_look_at_outboxes(struct live *l);

void live_log_figures(const struct live *l);

#endif
