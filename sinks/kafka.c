/* Alerts as records of a Kafka topic, keyed by the alert's id, so all steps of one lie in one partition, in order.
 * Delivered is what all replicas in sync have. By default they go to the cluster that events come from. */
#include "sinks/alert_body.h"
#include "sinks/request.h"
#include "sinks/topic.h"

enum {
    BODY_MAX_BYTES = 900000, /* brokers take 1,048,588 unless told otherwise */
    TOPIC_MAX_BYTES = 249,
};

/* The rule of org.apache.kafka.common.internals.Topic. */
static bool is_topic(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.p[i], low = (char)(c | 0x20);
        if (!(c >= '0' && c <= '9') && !(low >= 'a' && low <= 'z') && !strchr("._-", c))
            return false;
    }
    return name.n && name.n <= TOPIC_MAX_BYTES && !str_is(name, ".") &&
           !str_is(name, "..");
}

static int kafka_complete(void *settings, const struct sink_surroundings *s,
                          struct err *e)
{
    struct topic_settings *own = settings;
    bool inherits = own->brokers.n == 0;
    if (own->topic.n && !is_topic(own->topic))
        return err_set(e, ERR_INPUT,
                       "topic: may have letters, digits, '.', '_' and '-', up to %d",
                       TOPIC_MAX_BYTES);
    for (size_t i = 0; inherits && i < s->kafka_topics.n; i++)
        if (str_eq(own->topic, s->kafka_topics.items[i]))
            return err_set(
                e, ERR_INPUT,
                "topic: is one of kafka.topics: alerts would be read as events");
    if (inherits) {
        own->brokers = s->kafka_brokers;
        own->inherited = s->kafka_properties;
    }
    return 0;
}

static int kafka_format(const struct sink_input *in, struct arena *arena,
                        struct request *out, struct err *e)
{
    const struct topic_settings *s = in->settings;
    (void)e;
    *out = (struct request){.method = STR("PRODUCE"),
                            .url = arena_str(arena, s->topic),
                            .key = arena_str(arena, str_of(in->alert->id)),
                            .body = alert_body(in, BODY_MAX_BYTES, arena),
                            .carrier = &topic_carrier,
                            .settings = s};
    request_header(out, arena, "content-type", STR("application/json"));
    request_header(out, arena, "id", alert_step_id(in->alert, arena));
    return 1;
}

#define AT(member) offsetof(struct topic_settings, member)
static const struct option_row kafka_options[] = {
    {.name = "topic",
     .type = OPTION_TEXT,
     .offset = AT(topic),
     .required = true,
     .max = TOPIC_MAX_BYTES,
     .help = "The topic. It must be there, unless the brokers make topics themselves."},
    {.name = "brokers",
     .type = OPTION_TEXT,
     .offset = AT(brokers),
     .max = 2000,
     .help = "Bootstrap servers of another cluster than `kafka.brokers`; then "
             "`kafka.properties` do not hold here."},
    {.name = "properties",
     .type = OPTION_PAIRS,
     .offset = AT(properties),
     .help = "Properties of librdkafka for this producer, besides those of "
             "`kafka.properties`."},
};

const struct sink kafka_sink = {
    .name = "kafka",
    .help = "The alert as a record of a Kafka topic, keyed by its id.",
    .options = kafka_options,
    .options_n = sizeof kafka_options / sizeof kafka_options[0],
    .settings_bytes = sizeof(struct topic_settings),
    .every_step = true,
    .complete = kafka_complete,
    .format = kafka_format,
    .outcome = carrier_outcome,
};
