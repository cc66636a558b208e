/* librdkafka's queues. Each partition that is ours keeps its own, with its own bounds (kafka_config.c), instead of the
 * one for all that librdkafka has by default: who reads decides whose turn it is, and one that is far ahead stops
 * being fetched without stopping the others. */
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "consumer/kafka_source.h"

enum { ROUSE_EVERY_MS = 20 };

/* A queue that was empty is not any more. A thread of librdkafka's, which holds the queue. */
static void on_arrival(rd_kafka_t *rk, void *arg)
{
    const struct kafka_source *s = arg;
    (void)rk;
    (void)eventfd_write(s->wake_fd, 1);
}

void kafka_wait(struct kafka_source *s, int wait_ms)
{
    struct pollfd wake = {.fd = s->wake_fd, .events = POLLIN};
    eventfd_t times;
    (void)poll(&wake, 1, wait_ms);
    (void)eventfd_read(s->wake_fd, &times);
}

/* A broker's thread in librdkafka 2.0 that found all queues full looks at them again when it has something else to do,
 * at the latest after a second. An answer that nobody waits for is something else. */
void kafka_rouse(struct kafka_source *s)
{
    enum { MENDED_IN = 0x02020000 };
    if (rd_kafka_version() >= MENDED_IN)
        return;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    for (size_t i = 0; i < s->slots_n; i++) {
        if (s->slots[i].behind)
            kafka_list_add(s, i, list)->offset = RD_KAFKA_OFFSET_END;
        s->slots[i].behind = false;
    }
    if (list->cnt) {
        (void)rd_kafka_offsets_for_times(s->consumer, list, 0);
        s->rouse_ms = clock_monotonic_ms() + ROUSE_EVERY_MS;
    }
    rd_kafka_topic_partition_list_destroy(list);
}

void kafka_behind(struct kafka_source *s, struct kafka_slot *k)
{
    k->behind = true;
    if (clock_monotonic_ms() >= s->rouse_ms)
        kafka_rouse(s);
}

void kafka_queues_open(struct kafka_source *s)
{
    s->queue = rd_kafka_queue_get_consumer(s->consumer);
    rd_kafka_queue_cb_event_enable(s->queue, on_arrival, s);
}

void kafka_queue_take(struct kafka_source *s, size_t slot)
{
    struct kafka_slot *k = kafka_slot(s, slot);
    rd_kafka_topic_partition_list_t *one = kafka_list(s, slot, 0);
    if (!k->queue)
        k->queue = rd_kafka_queue_get_partition(s->consumer, one->elems[0].topic,
                                                one->elems[0].partition);
    rd_kafka_queue_forward(k->queue, NULL); /* also not by the assignment */
    rd_kafka_queue_cb_event_enable(k->queue, on_arrival, s);
    rd_kafka_topic_partition_list_destroy(one);
}

static void end(rd_kafka_queue_t **queue)
{
    if (!*queue)
        return;
    rd_kafka_queue_cb_event_enable(*queue, NULL, NULL);
    rd_kafka_queue_destroy(*queue);
    *queue = NULL;
}

/* What is left in it is dropped where nobody asks whose it is. */
void kafka_queue_leave(struct kafka_source *s, struct kafka_slot *k)
{
    if (k->queue)
        rd_kafka_queue_forward(k->queue, s->queue);
    end(&k->queue);
}

void kafka_queues_close(struct kafka_source *s)
{
    for (size_t i = 0; i < s->slots_n; i++)
        end(&s->slots[i].queue);
    end(&s->queue);
}
