/* The inside of the Kafka source, for the files kafka*.c only: nobody else includes librdkafka.
 * All of it runs on the thread that calls the source, but for librdkafka's log callback.
 *
 * A partition's `position` is what the caller was promised to get next. Records on their way from
 * before a seek or a rebalance never reach it: librdkafka drops what it has queued, the one that is held
 * here is dropped with it, and what is below the position is passed over. */
#ifndef CONSUMER_KAFKA_SOURCE_H
#define CONSUMER_KAFKA_SOURCE_H

#include <librdkafka/rdkafka.h>

#include "consumer/batch_fill.h"
#include "consumer/partitions.h"
#include "consumer/source.h"
#include "core/buf.h"
#include "core/clock.h"
#include "core/option.h"

enum {
    /* at most; what a call of Redis costs is shared by all of them */
    KAFKA_BATCH_EVENTS = 4000,
    KAFKA_BATCH_BYTES = 4 << 20, /* a batch is full beyond so many */
    POSITION_NONE = -1,
};

struct kafka_slot {
    bool owned;
    bool stray;   /* librdkafka is to be placed at fetch_from; what comes is dropped */
    bool unknown; /* and the listener is to be asked first where that is */
    bool remade;  /* its log is another one: told at remade_ms, until it is sought */
    bool paused;  /* librdkafka was told so, which outlives an assignment */
    int64_t position;     /* next offset to hand out */
    int64_t last_offset;  /* of the record handed out last, or applied before; or none */
    int64_t check_offset; /* if it is to be seen again first, else POSITION_NONE */
    uint64_t last_hash, check_hash;
    int64_t first_left; /* what was before it from the position on is lost; 0: nothing */
    int64_t fetch_from; /* where to place it: see kafka_from() */
    int64_t retry_ms, remade_ms; /* when a stray is tried, a remade one told, again */
    rd_kafka_queue_t *queue;     /* librdkafka's; NULL: it is not ours */
    rd_kafka_message_t *head;    /* the next of the queue, NULL: none yet */
    int64_t head_ms;             /* when that was taken */
    bool behind;                 /* the log has more than the queue */
    int64_t commit, committed;   /* offsets noted and sent; POSITION_NONE: none */
    int64_t given_ms;            /* when something of it was handed out last */
    bool acknowledged;           /* there is a committed offset of this ownership */
    struct buf metadata;
};

struct kafka_source {
    struct source source;
    struct source_listener listener;
    struct arena arena; /* copies of the settings */
    struct kafka_source_settings settings;
    rd_kafka_t *consumer, *producer; /* producer: made for the first dead letter */
    rd_kafka_queue_t *queue; /* rebalances, answers, errors; records of no partition of ours */
    bool subscribed, was_assigned, in_group, paused;
    struct event_decoder *decoder;
    struct partitions partitions;
    struct kafka_slot *slots; /* by the partition's slot */
    size_t slots_n;

    rd_kafka_message_t **messages; /* of the batch that is made */
    int wake_fd;                   /* an eventfd: there is something in a queue */
    int64_t serve_ms;              /* when to hear of what is no record, next */
    int64_t rouse_ms;              /* when librdkafka may be roused next */
    size_t strays, remade;

    struct str *names; /* of all partitions of all topics */
    size_t names_n;
    /* when to read them, to commit, to look, next */
    int64_t names_ms, commit_ms, look_ms;
    /* by topic: when to say next that it is missing; 0: it is there */
    int64_t *missing_ms;
    char broker_error[256]; /* what librdkafka said last; for messages */
    bool refused;           /* which was that our log-in is wrong */
    int last_error;         /* and the one logged last */
    int64_t last_error_ms;
    struct err failure; /* to be told by the next next() */
};

struct kafka_slot *kafka_slot(struct kafka_source *s, size_t slot);
struct kafka_slot *kafka_slot_of(struct kafka_source *s, const char *topic,
                                 int32_t partition, size_t *slot);
/* A list of one partition at an offset; the caller destroys it. */
rd_kafka_topic_partition_list_t *kafka_list(const struct kafka_source *s, size_t slot,
                                            int64_t offset);
/* Adds it to a list, which owns it. */
rd_kafka_topic_partition_t *kafka_list_add(const struct kafka_source *s, size_t slot,
                                           rd_kafka_topic_partition_list_t *list);

/* Ends a client, in bounded time: librdkafka 2.0 waits for ever where a topic was deleted meanwhile. False:
 * it is still at it, in a thread of its own. */
bool kafka_destroy(rd_kafka_t *rk);

/* kafka_config.c: a client of ours. NULL: ERR_REFUSED. What a consumer fetches ahead is divided among so many
 * partitions. */
rd_kafka_t *kafka_consumer_new(struct kafka_source *s, size_t partitions, struct err *e);
rd_kafka_t *kafka_producer_new(struct kafka_source *s, struct err *e);
/* The two halves of making a producer of another's: its properties, to which callbacks may be added, then the client,
 * which takes the first. NULL: ERR_REFUSED. */
rd_kafka_conf_t *kafka_producer_conf(const struct pairs *properties, struct err *e);
rd_kafka_t *kafka_producer_made(rd_kafka_conf_t *conf, const char *brokers,
                                int64_t timeout_ms, struct err *e);
/* At /metrics. Any thread. */
void kafka_count_error(rd_kafka_resp_err_t code);

/* What became of a record that was produced, with a pointer to this as its opaque. */
struct kafka_receipt {
    bool sent; /* it is with librdkafka */
    bool delivered;
    rd_kafka_resp_err_t error;
};
/* A record's key or value, for rd_kafka_produceva(); the bytes are borrowed. */
rd_kafka_vu_t kafka_bytes(rd_kafka_vtype_t type, struct str s);

/* kafka_topics.c */
/* *partitions: how many those that are read have. */
int kafka_check_topics(struct kafka_source *s, int timeout_ms, size_t *partitions,
                       struct err *e);
int kafka_partitions(struct source *source, const struct str **names, size_t *n,
                     struct err *e);
/* A list of all of them at that offset, to be destroyed; NULL: ERR_UNAVAILABLE. */
rd_kafka_topic_partition_list_t *kafka_everything(struct kafka_source *s, int64_t offset,
                                                  struct err *e);
/* Says of a topic or partition that it is not there. */
bool kafka_is_unknown(rd_kafka_resp_err_t rc);
/* The first or the next offset of the list's one partition, whose offset is RD_KAFKA_OFFSET_BEGINNING or _END. By
 * rd_kafka_offsets_for_times, which takes the protocol's names for both as times:
 * rd_kafka_query_watermark_offsets of librdkafka 2.0 waits for minutes, whatever its time-out, when the broker goes
 * away meanwhile. */
rd_kafka_resp_err_t
kafka_query_offset(rd_kafka_t *rk, rd_kafka_topic_partition_list_t *one, int64_t *offset);
int kafka_first(struct kafka_source *s, size_t slot, int64_t *first, struct err *e);
int kafka_end(struct kafka_source *s, size_t slot, int64_t *end, struct err *e);
/* kafka_retention.c: warns of topics that keep less than a rule looks back. */
void kafka_check_retention(struct kafka_source *s);
/* kafka_ends.c */
int kafka_ends(struct source *source, source_end_fn *fn, void *arg, struct err *e);

/* kafka_place.c: rebalances, seeks and offsets that are not there. */
void kafka_on_rebalance(rd_kafka_t *rk, rd_kafka_resp_err_t err,
                        rd_kafka_topic_partition_list_t *list, void *arg);
int kafka_seek(struct source *source, size_t slot, int64_t offset, struct err *e);
void kafka_pause(struct source *source, bool paused);
/* Where a partition is to be fetched from: the record to be checked, else the position. */
int64_t kafka_from(const struct kafka_slot *k);
/* Nothing more of it until it is placed there by kafka_place_strays(). */
void kafka_set_stray(struct kafka_source *s, struct kafka_slot *k, int64_t from,
                     int64_t retry_ms);
bool kafka_joined(const struct source *source);
/* Tries again to place partitions that are not where they should be. */
void kafka_place_strays(struct kafka_source *s);

/* kafka_verify.c: whether a log is the one that was applied. */
uint64_t kafka_record_hash(const rd_kafka_message_t *m);
/* Has the last record seen again, if there is one. */
void kafka_verify(struct kafka_slot *k);
/* For what comes of a partition that has a record to be checked; true: it is to be handed out. */
bool kafka_check(struct kafka_source *s, size_t slot, const rd_kafka_message_t *m);
/* The topic was deleted, whatever its log says now. */
void kafka_deleted(struct kafka_source *s, size_t slot);
/* Something happened to a topic: the records handed out last are to be seen again, too. */
void kafka_suspect(struct kafka_source *s, struct str topic);
/* The broker says that the log does not reach where we read: what is there is found out. */
void kafka_out_of_range(struct kafka_source *s, size_t slot);
/* Fills in a partition that is to be told as remade now; false: none. */
bool kafka_take_remade(struct kafka_source *s, struct batch *out);
void kafka_forget_remade(struct kafka_source *s, struct kafka_slot *k);

/* kafka_queue.c: librdkafka's queues, of each partition that is ours and of all the rest. */
void kafka_queues_open(struct kafka_source *s);
/* After this nothing comes any more. */
void kafka_queues_close(struct kafka_source *s);
/* Before a partition is assigned, and before it is not any more. */
void kafka_queue_take(struct kafka_source *s, size_t slot);
void kafka_queue_leave(struct kafka_source *s, struct kafka_slot *k);
/* The partition's log has more than its queue: librdkafka is to look whether there is room, soon; or at once, as
 * nothing else is to be done. */
void kafka_behind(struct kafka_source *s, struct kafka_slot *k);
void kafka_rouse(struct kafka_source *s);
/* Until something came since this was called last, or for so long. */
void kafka_wait(struct kafka_source *s, int wait_ms);

/* kafka_fetch.c: records from their queues into a batch. */
void kafka_serve(struct kafka_source *s); /* rebalances, answers, errors */
void kafka_drop(struct kafka_slot *slot);
bool kafka_take(struct kafka_source *s, struct batch *out);
int64_t kafka_known_end(const struct source *source, size_t slot);

/* kafka_commit.c */
void kafka_commit(struct source *source, size_t slot, int64_t offset,
                  struct str metadata);
int kafka_committed(struct source *source, source_committed_fn *fn, void *arg,
                    struct err *e);
/* Before something of a partition is handed out: whether its topic was deleted while nothing came of it. */
void kafka_look_after_quiet(struct kafka_source *s, struct kafka_slot *k);
void kafka_commit_timed(struct kafka_source *s);
void kafka_commit_noted(struct kafka_source *s);
void kafka_commit_wait(struct kafka_source *s, int timeout_ms);
void kafka_on_commit(rd_kafka_t *rk, rd_kafka_resp_err_t err,
                     rd_kafka_topic_partition_list_t *list, void *arg);

/* kafka_dead_letter.c */
int kafka_dead_letter(struct source *source, const struct batch *b, struct err *e);
void kafka_on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *arg);

#endif
