/* The source on a Kafka consumer group. Redis says where each partition is read from (the listener),
 * nothing here decides that. One thread; librdkafka fetches and keeps the group in its own.
 * kafka_source.h shows how the work is divided. */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "consumer/kafka_source.h"
#include "core/log.h"

enum {
    START_TIMEOUT_MS = 10000,
    COMMIT_TIMEOUT_MS = 1000,
    LEAVE_TIMEOUT_MS = 3000,
    DESTROY_TIMEOUT_S = 3,
    SERVE_EVERY_MS = 50, /* while there are records to be taken */
    QUEUES = 16,         /* of partitions, among which memory is divided; more if there are more */
};

static struct kafka_source *self(struct source *s)
{
    return (struct kafka_source *)s;
}

struct kafka_slot *kafka_slot(struct kafka_source *s, size_t slot)
{
    if (slot < s->slots_n)
        return &s->slots[slot];
    size_t n = s->partitions.n;
    assert(slot < n);
    s->slots = realloc(s->slots, n * sizeof *s->slots);
    assert(s->slots);
    for (; s->slots_n < n; s->slots_n++)
        s->slots[s->slots_n] = (struct kafka_slot){.last_offset = POSITION_NONE,
                                                   .check_offset = POSITION_NONE,
                                                   .commit = POSITION_NONE,
                                                   .committed = POSITION_NONE};
    return &s->slots[slot];
}

struct kafka_slot *kafka_slot_of(struct kafka_source *s, const char *topic,
                                 int32_t partition, size_t *slot)
{
    *slot = partitions_slot(&s->partitions, str_of(topic), partition);
    return kafka_slot(s, *slot);
}

/* --- the source --- */

static int subscribe(struct kafka_source *s, struct err *e)
{
    rd_kafka_topic_partition_list_t *topics =
        rd_kafka_topic_partition_list_new((int)s->settings.topics_n);
    for (size_t i = 0; i < s->settings.topics_n; i++)
        rd_kafka_topic_partition_list_add(topics, s->settings.topics[i].p,
                                          RD_KAFKA_PARTITION_UA);
    s->subscribed = true;
    (void)rd_kafka_poll_set_consumer(s->consumer);
    kafka_queues_open(s);
    rd_kafka_resp_err_t rc = rd_kafka_subscribe(s->consumer, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return rc ? err_set(e, ERR_REFUSED, "kafka.topics: %s", rd_kafka_err2str(rc)) : 0;
}

static enum source_result at_once(struct kafka_source *s, struct batch *out,
                                  struct err *e)
{
    if (s->failure.kind != ERR_NONE) {
        err_set(e, s->failure.kind, "%s", s->failure.text);
        err_clear(&s->failure);
        return SOURCE_ERROR;
    }
    if (kafka_take_remade(s, out))
        return SOURCE_REMADE;
    return kafka_take(s, out) ? SOURCE_BATCH : SOURCE_NOTHING;
}

static void serve(struct kafka_source *s)
{
    s->serve_ms = clock_monotonic_ms() + SERVE_EVERY_MS;
    kafka_serve(s);
}

static enum source_result kafka_next(struct source *source, struct batch *out,
                                     int wait_ms, struct err *e)
{
    struct kafka_source *s = self(source);
    if (!s->subscribed && subscribe(s, e))
        return SOURCE_ERROR;
    kafka_commit_timed(s);
    kafka_place_strays(s);
    if (clock_monotonic_ms() >= s->serve_ms)
        serve(s);
    enum source_result result = at_once(s, out, e);
    if (result != SOURCE_NOTHING)
        return result;
    kafka_rouse(s);
    kafka_wait(s, wait_ms);
    serve(s);
    return at_once(s, out, e);
}

/* False: nobody answered in time. */
static bool leave_group(struct kafka_source *s)
{
    int64_t until_ms = clock_monotonic_ms() + LEAVE_TIMEOUT_MS;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(s->consumer);
    rd_kafka_error_t *error = rd_kafka_consumer_close_queue(s->consumer, queue);
    while (!error && !rd_kafka_consumer_closed(s->consumer) &&
           clock_monotonic_ms() < until_ms) {
        /* and its callbacks */
        rd_kafka_message_t *late = rd_kafka_consume_queue(queue, 50);
        if (late)
            rd_kafka_message_destroy(late);
    }
    if (error)
        rd_kafka_error_destroy(error);
    bool left = rd_kafka_consumer_closed(s->consumer);
    if (!left)
        log_warn("group_not_left", "reason=\"no answer\" group=%.*s",
                 STR_ARG(s->settings.group));
    rd_kafka_queue_destroy(queue);
    return left;
}

/* librdkafka before 2.3 aborts when a cooperative consumer is destroyed that joined but was never given an
 * assignment (its issue 4312). */
static bool crashes_when_destroyed(const struct kafka_source *s)
{
    enum { MENDED_IN = 0x02030000 };
    return s->subscribed && !s->was_assigned && rd_kafka_version() < MENDED_IN;
}

/* Reachable, so it is no leak. */
static struct kafka_source *left_behind __attribute__((used));

static void *destroy(void *rk)
{
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return NULL;
}

bool kafka_destroy(rd_kafka_t *rk)
{
    pthread_t thread;
    struct timespec until;
    if (pthread_create(&thread, NULL, destroy, rk))
        return false;
    clock_gettime(CLOCK_REALTIME, &until); /* the clock that this wait knows */
    until.tv_sec += DESTROY_TIMEOUT_S;
    if (pthread_timedjoin_np(thread, NULL, &until) == 0)
        return true;
    pthread_detach(thread);
    log_warn("kafka_client_left", "reason=\"librdkafka does not end it\"");
    return false;
}

/* False: the consumer is left to the process's end, since destroying it would crash, or would wait as long
 * for the broker's answer as librdkafka's own timeouts last. */
static bool close_consumer(struct kafka_source *s)
{
    bool left = true;
    if (s->subscribed) {
        kafka_commit_wait(s, COMMIT_TIMEOUT_MS);
        left = leave_group(s);
    }
    for (size_t i = 0; i < s->slots_n; i++)
        kafka_drop(&s->slots[i]);
    kafka_queues_close(s);
    if (!left || crashes_when_destroyed(s))
        return false;
    return kafka_destroy(s->consumer);
}

static void kafka_close(struct source *source)
{
    struct kafka_source *s = self(source);
    bool closed = !s->consumer || close_consumer(s);
    if (s->producer)
        closed = kafka_destroy(s->producer) && closed;
    if (!closed) {
        left_behind = s;
        return;
    }
    for (size_t i = 0; i < s->slots_n; i++)
        buf_deinit(&s->slots[i].metadata);
    close(s->wake_fd);
    free(s->slots);
    free(s->names);
    partitions_deinit(&s->partitions);
    event_decoder_free(s->decoder);
    arena_deinit(&s->arena);
    free(s);
}

static const struct source_ops kafka_ops = {
    .next = kafka_next,
    .seek = kafka_seek,
    .ends = kafka_ends,
    .commit = kafka_commit,
    .dead_letter = kafka_dead_letter,
    .committed = kafka_committed,
    .pause = kafka_pause,
    .partitions = kafka_partitions,
    .known_end = kafka_known_end,
    .joined = kafka_joined,
    .progress = NULL,
    .close = kafka_close,
};

/* --- opening --- */

static struct str *copy_texts(struct arena *arena, const struct str *texts, size_t n)
{
    struct str *copies = arena_alloc(arena, (n + 1) * sizeof *copies);
    for (size_t i = 0; i < n; i++)
        copies[i] = arena_str(arena, texts[i]);
    return copies;
}

static void copy_settings(struct kafka_source *s,
                          const struct kafka_source_settings *from)
{
    struct arena *a = &s->arena;
    s->settings = *from;
    s->settings.brokers = arena_str(a, from->brokers);
    s->settings.group = arena_str(a, from->group);
    s->settings.dead_letter = arena_str(a, from->dead_letter);
    s->settings.topics = copy_texts(a, from->topics, from->topics_n);
    s->settings.property_names = copy_texts(a, from->property_names, from->properties_n);
    s->settings.property_values =
        copy_texts(a, from->property_values, from->properties_n);
    s->missing_ms = arena_alloc(a, (from->topics_n + 1) * sizeof *s->missing_ms);
    memset(s->missing_ms, 0, (from->topics_n + 1) * sizeof *s->missing_ms);
    if (s->settings.batch_events == 0)
        s->settings.batch_events = KAFKA_BATCH_EVENTS;
    s->messages = arena_alloc(a, s->settings.batch_events * sizeof *s->messages);
}

void kafka_source_reads(struct source *source, int64_t max_future_ms,
                        const struct event_maps *maps)
{
    struct kafka_source *s = self(source);
    event_decoder_free(s->decoder);
    s->decoder = event_decoder_new(max_future_ms, maps);
}

/* How much is fetched ahead of each partition is decided when a client is made, and how many there are it must ask. */
static int make_again(struct kafka_source *s, size_t partitions, struct err *e)
{
    (void)kafka_destroy(s->consumer);
    s->consumer = kafka_consumer_new(s, partitions, e);
    return s->consumer ? 0 : -1;
}

struct source *kafka_source_open(const struct kafka_source_settings *settings,
                                 const struct source_listener *listener, struct err *e)
{
    struct kafka_source *s = calloc(1, sizeof *s);
    size_t partitions = 0;
    assert(s);
    s->source.ops = &kafka_ops;
    s->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert(s->wake_fd >= 0);
    s->listener = *listener;
    arena_init(&s->arena);
    partitions_init(&s->partitions);
    s->decoder = event_decoder_new(settings->max_future_ms, settings->maps);
    copy_settings(s, settings);
    s->consumer = kafka_consumer_new(s, QUEUES, e);
    if (s->consumer && kafka_check_topics(s, START_TIMEOUT_MS, &partitions, e) == 0) {
        kafka_check_retention(s);
        if (partitions <= QUEUES || make_again(s, partitions, e) == 0)
            return &s->source;
    }
    kafka_close(&s->source);
    return NULL;
}
