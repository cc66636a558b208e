#include "app/bench_bare.h"

#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <yyjson.h>

#include "consumer/log_reader.h"
#include "core/event.h"

enum { WAIT_MS = 10000, AT_ONCE = 1000 };

/* As anybody would: object by object, member by member. */
static size_t read_fields(yyjson_val *root)
{
    static const char *const heads[] = {"id", "type", "time"};
    const char *object = "";
    yyjson_val *members = NULL;
    size_t n = 0;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++)
        n += yyjson_get_len(yyjson_obj_get(root, heads[i]));
    for (size_t f = 0; f < FIELD_COUNT; f++) {
        const struct event_field_info *info = &event_field_infos[f];
        if (strcmp(object, info->object)) {
            object = info->object;
            members = yyjson_obj_get(root, object);
        }
        n += members ? yyjson_get_len(yyjson_obj_get(members, info->member)) : 0;
    }
    return n;
}

uint64_t bare_decode(void *arg)
{
    struct err e = {0};
    struct log_line line;
    uint64_t n = 0;
    enum read_result result;
    struct log_reader *reader = log_reader_open(arg, &e);
    if (!reader)
        return 0;
    while ((result = log_reader_next(reader, 1000, &line, &e)) > READ_END) {
        yyjson_doc *doc =
            result == READ_GOT ? yyjson_read(line.text.p, line.text.n, 0) : NULL;
        n += doc && read_fields(yyjson_doc_get_root(doc));
        yyjson_doc_free(doc);
    }
    log_reader_close(reader);
    return result == READ_END ? n : 0;
}

static void set(rd_kafka_conf_t *conf, const char *name, struct str value)
{
    char text[512], copy[1024];
    snprintf(copy, sizeof copy, "%.*s", STR_ARG(value));
    (void)rd_kafka_conf_set(conf, name, copy, text, sizeof text);
}

static rd_kafka_t *client(const struct config *config, struct err *e)
{
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", config->kafka.brokers);
    set(conf, "group.id", STR("ticketwatch-bench-bare"));
    set(conf, "enable.auto.commit", STR("false"));
    for (size_t i = 0; i < config->kafka.properties.n; i++) {
        snprintf(text, sizeof text, "%.*s", STR_ARG(config->kafka.properties.names[i]));
        set(conf, text, config->kafka.properties.values[i]);
    }
    rd_kafka_t *k = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof text);
    if (!k)
        err_set(e, ERR_REFUSED, "%s", text);
    return k;
}

static int topic_ends(rd_kafka_t *k, const char *topic, int32_t partitions,
                      struct arena *arena, struct bare_end *ends, struct err *e)
{
    char name[512];
    for (int32_t p = 0; p < partitions; p++) {
        rd_kafka_resp_err_t err = rd_kafka_query_watermark_offsets(
            k, topic, p, &ends[p].start, &ends[p].end, WAIT_MS);
        if (err)
            return err_set(e, ERR_UNAVAILABLE, "%s/%d: %s", topic, (int)p,
                           rd_kafka_err2str(err));
        snprintf(name, sizeof name, "%s/%d", topic, (int)p);
        ends[p].name = arena_str(arena, str_of(name));
    }
    return 0;
}

int bare_ends(const struct config *config, struct arena *arena, struct bare_end **ends,
              size_t *n, struct err *e)
{
    const struct rd_kafka_metadata *meta = NULL;
    rd_kafka_t *k = client(config, e);
    *n = 0;
    if (!k)
        return -1;
    rd_kafka_resp_err_t err = rd_kafka_metadata(k, 1, NULL, &meta, WAIT_MS);
    int result =
        err ? err_set(e, ERR_UNAVAILABLE, "Kafka: %s", rd_kafka_err2str(err)) : 0;
    size_t most = 0;
    for (int i = 0; meta && i < meta->topic_cnt; i++)
        most += (size_t)meta->topics[i].partition_cnt;
    *ends = arena_alloc(arena, (most + 1) * sizeof **ends);
    for (int i = 0; meta && !result && i < meta->topic_cnt; i++)
        for (size_t t = 0; t < config->kafka.topics.n && !result; t++)
            if (str_is(config->kafka.topics.items[t], meta->topics[i].topic)) {
                result = topic_ends(k, meta->topics[i].topic,
                                    meta->topics[i].partition_cnt, arena, *ends + *n, e);
                *n += (size_t)meta->topics[i].partition_cnt;
            }
    if (meta)
        rd_kafka_metadata_destroy(meta);
    rd_kafka_destroy(k);
    return result;
}

static void assign(rd_kafka_t *k, const struct bare_end *ends, size_t n)
{
    char topic[512];
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)n);
    for (size_t i = 0; i < n; i++) {
        const char *slash = memrchr(ends[i].name.p, '/', ends[i].name.n);
        snprintf(topic, sizeof topic, "%.*s", (int)(slash - ends[i].name.p),
                 ends[i].name.p);
        rd_kafka_topic_partition_list_add(list, topic, atoi(slash + 1))->offset =
            RD_KAFKA_OFFSET_BEGINNING;
    }
    rd_kafka_assign(k, list);
    rd_kafka_topic_partition_list_destroy(list);
}

uint64_t bare_consume(void *arg)
{
    const struct config *config = arg;
    struct err e = {0};
    struct arena arena;
    struct bare_end *ends;
    size_t n;
    uint64_t wanted = 0, got = 0;
    rd_kafka_message_t *messages[AT_ONCE];
    arena_init(&arena);
    rd_kafka_t *k = client(config, &e);
    if (!k || bare_ends(config, &arena, &ends, &n, &e))
        return 0;
    for (size_t i = 0; i < n; i++)
        wanted += (uint64_t)(ends[i].end - ends[i].start);
    assign(k, ends, n);
    rd_kafka_poll_set_consumer(k);
    rd_kafka_queue_t *queue = rd_kafka_queue_get_consumer(k);
    while (got < wanted) {
        ssize_t some = rd_kafka_consume_batch_queue(queue, WAIT_MS, messages, AT_ONCE);
        for (ssize_t i = 0; i < some; i++) {
            got += !messages[i]->err;
            rd_kafka_message_destroy(messages[i]);
        }
        if (some <= 0)
            break;
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(k);
    arena_deinit(&arena);
    return got == wanted ? got : 0;
}
