/* Makes a topic and changes it: kafka_topic BROKERS create NAME PARTITIONS [KEY VALUE]... | delete NAME |
 * grow NAME PARTITIONS | trim NAME PARTITION OFFSET (deletes the records before the offset).
 * Kafka's own tools do the same in two seconds; tests make many. */
#include <librdkafka/rdkafka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WAIT_MS = 30000, AGAIN_MS = 20, TEXT_BYTES = 200 };

static int die(const char *text)
{
    fprintf(stderr, "kafka_topic: %s\n", text);
    return 1;
}

/* The one topic's result of an answer to a request about topics. */
static int result_of_topic(const rd_kafka_topic_result_t **results, size_t n)
{
    if (n != 1)
        return die("not one result");
    return rd_kafka_topic_result_error(results[0])
               ? die(rd_kafka_topic_result_error_string(results[0]))
               : 0;
}

static int result_of(rd_kafka_event_t *event)
{
    size_t n = 0;
    if (!event)
        return die("no answer");
    if (rd_kafka_event_error(event))
        return die(rd_kafka_event_error_string(event));
    const rd_kafka_CreateTopics_result_t *created =
        rd_kafka_event_CreateTopics_result(event);
    const rd_kafka_DeleteTopics_result_t *deleted =
        rd_kafka_event_DeleteTopics_result(event);
    const rd_kafka_CreatePartitions_result_t *grown =
        rd_kafka_event_CreatePartitions_result(event);
    const rd_kafka_DeleteRecords_result_t *trimmed =
        rd_kafka_event_DeleteRecords_result(event);
    if (trimmed) {
        rd_kafka_resp_err_t rc =
            rd_kafka_DeleteRecords_result_offsets(trimmed)->elems[0].err;
        return rc ? die(rd_kafka_err2str(rc)) : 0;
    }
    const rd_kafka_topic_result_t **results =
        created   ? rd_kafka_CreateTopics_result_topics(created, &n)
        : deleted ? rd_kafka_DeleteTopics_result_topics(deleted, &n)
        : grown   ? rd_kafka_CreatePartitions_result_topics(grown, &n)
                  : NULL;
    return result_of_topic(results, n);
}

static void create(rd_kafka_t *k, rd_kafka_queue_t *queue, char **arg)
{
    char text[TEXT_BYTES];
    rd_kafka_NewTopic_t *topic =
        rd_kafka_NewTopic_new(arg[0], atoi(arg[1]), 1, text, sizeof text);
    for (arg += 2; arg[0] && arg[1]; arg += 2)
        rd_kafka_NewTopic_set_config(topic, arg[0], arg[1]);
    rd_kafka_CreateTopics(k, &topic, 1, NULL, queue);
    rd_kafka_NewTopic_destroy(topic);
}

static void delete (rd_kafka_t *k, rd_kafka_queue_t *queue, char **arg)
{
    rd_kafka_DeleteTopic_t *topic = rd_kafka_DeleteTopic_new(arg[0]);
    rd_kafka_DeleteTopics(k, &topic, 1, NULL, queue);
    rd_kafka_DeleteTopic_destroy(topic);
}

static void grow(rd_kafka_t *k, rd_kafka_queue_t *queue, char **arg)
{
    char text[TEXT_BYTES];
    rd_kafka_NewPartitions_t *more =
        rd_kafka_NewPartitions_new(arg[0], (size_t)atoi(arg[1]), text, sizeof text);
    rd_kafka_CreatePartitions(k, &more, 1, NULL, queue);
    rd_kafka_NewPartitions_destroy(more);
}

static void trim(rd_kafka_t *k, rd_kafka_queue_t *queue, char **arg)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, arg[0], atoi(arg[1]))->offset =
        strtoll(arg[2], NULL, 10);
    rd_kafka_DeleteRecords_t *before = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(k, &before, 1, NULL, queue);
    rd_kafka_DeleteRecords_destroy(before);
    rd_kafka_topic_partition_list_destroy(list);
}

static bool is_known(rd_kafka_t *k, rd_kafka_topic_t *topic)
{
    const struct rd_kafka_metadata *told;
    if (rd_kafka_metadata(k, 0, topic, &told, WAIT_MS))
        return false;
    bool known = told->topic_cnt == 1 && !told->topics[0].err;
    for (int p = 0; known && p < told->topics[0].partition_cnt; p++)
        known = !told->topics[0].partitions[p].err;
    rd_kafka_metadata_destroy(told);
    return known;
}

/* A broker says that the topic is made before it tells others of it. */
static int wait_until_known(rd_kafka_t *k, const char *name)
{
    rd_kafka_topic_t *topic = rd_kafka_topic_new(k, name, NULL);
    int left_ms = WAIT_MS;
    for (; left_ms > 0 && !is_known(k, topic); left_ms -= AGAIN_MS)
        usleep(AGAIN_MS * 1000);
    rd_kafka_topic_destroy(topic);
    return left_ms > 0 ? 0 : die("the topic was made, and is not known");
}

static const struct command {
    const char *name;
    int arguments;
    void (*ask)(rd_kafka_t *k, rd_kafka_queue_t *queue, char **arg);
} commands[] = {
    {"create", 2, create}, {"delete", 1, delete}, {"grow", 2, grow}, {"trim", 3, trim}};

static const struct command *command_of(int argc, char **argv)
{
    for (size_t i = 0; argc >= 3 && i < sizeof commands / sizeof commands[0]; i++)
        if (!strcmp(argv[2], commands[i].name) && argc - 3 >= commands[i].arguments)
            return &commands[i];
    return NULL;
}

int main(int argc, char **argv)
{
    char text[TEXT_BYTES];
    const struct command *command = command_of(argc, argv);
    if (!command)
        return die("usage: kafka_topic BROKERS create NAME PARTITIONS [KEY VALUE]... | "
                   "delete NAME | grow NAME PARTITIONS | trim NAME PARTITION OFFSET"),
               2;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", argv[1], text, sizeof text);
    rd_kafka_t *k = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof text);
    if (!k)
        return die(text);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(k);
    command->ask(k, queue, argv + 3);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);
    int result = result_of(event);
    if (event)
        rd_kafka_event_destroy(event);
    if (result == 0 && command->ask == create)
        result = wait_until_known(k, argv[3]);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(k);
    return result;
}
