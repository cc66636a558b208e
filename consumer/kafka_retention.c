/* A topic that keeps less than a rule looks back: said once, at the start. All goes on as it is, but windows that are
 * made from the log, at the first start or after a loss of Redis, begin with what is there. A broker that does not
 * say what it keeps (it need not let us ask) is not asked again. */
#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "consumer/kafka_source.h"
#include "core/log.h"

enum { ASK_TIMEOUT_MS = 2000 };

static struct str value_of(const rd_kafka_ConfigResource_t *topic, const char *name)
{
    size_t n;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(topic, &n);
    for (size_t i = 0; i < n; i++)
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0)
            return str_of(rd_kafka_ConfigEntry_value(entries[i]));
    return STR_NONE;
}

/* -1: for ever, or not known. */
static int64_t retention_ms(const rd_kafka_ConfigResource_t *topic)
{
    struct str policy = value_of(topic, "cleanup.policy");
    struct str text = value_of(topic, "retention.ms");
    if (rd_kafka_ConfigResource_error(topic) || text.n == 0 || !policy.p ||
        !strstr(policy.p, "delete"))
        return -1;
    return strtoll(text.p, NULL, 10);
}

static void tell(rd_kafka_event_t *answer, int64_t lookback_ms)
{
    size_t n = 0;
    const rd_kafka_DescribeConfigs_result_t *result =
        rd_kafka_event_DescribeConfigs_result(answer);
    const rd_kafka_ConfigResource_t **topics =
        result ? rd_kafka_DescribeConfigs_result_resources(result, &n) : NULL;
    for (size_t i = 0; i < n; i++) {
        char quoted[LOG_VALUE_BYTES];
        int64_t kept_ms = retention_ms(topics[i]);
        if (kept_ms >= 0 && kept_ms < lookback_ms)
            log_warn("retention_short",
                     "topic=%s retention_ms=%" PRId64 " lookback_ms=%" PRId64
                     " reason=\"a rule looks back further than the topic keeps: after a "
                     "loss of Redis it begins with less than it needs\"",
                     log_quote(str_of(rd_kafka_ConfigResource_name(topics[i])), quoted),
                     kept_ms, lookback_ms);
    }
}

static void ask(struct kafka_source *s, rd_kafka_ConfigResource_t **topics, size_t n)
{
    char why[128];
    rd_kafka_queue_t *queue = rd_kafka_queue_new(s->consumer);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(s->consumer, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
    rd_kafka_AdminOptions_set_request_timeout(options, ASK_TIMEOUT_MS, why, sizeof why);
    rd_kafka_DescribeConfigs(s->consumer, topics, n, options, queue);
    rd_kafka_event_t *answer = rd_kafka_queue_poll(queue, ASK_TIMEOUT_MS);
    if (answer) {
        tell(answer, s->settings.lookback_ms);
        rd_kafka_event_destroy(answer);
    }
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_queue_destroy(queue);
}

void kafka_check_retention(struct kafka_source *s)
{
    size_t n = s->settings.topics_n;
    if (n == 0 || s->settings.lookback_ms == 0)
        return;
    rd_kafka_ConfigResource_t **topics = calloc(n, sizeof(rd_kafka_ConfigResource_t *));
    assert(topics);
    for (size_t i = 0; i < n; i++)
        topics[i] =
            rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, s->settings.topics[i].p);
    ask(s, topics, n);
    rd_kafka_ConfigResource_destroy_array(topics, n);
    free(topics);
}
