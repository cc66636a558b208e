/* The table of sinks. */
#include "sinks/sink.h"

extern const struct sink slack_sink, linear_sink, hubspot_sink, webhook_sink,
    pagerduty_sink, discord_sink, teams_sink, stdout_sink, file_sink, kafka_sink,
    email_sink;

const struct sink *const sinks[] = {&slack_sink,   &linear_sink,    &hubspot_sink,
                                    &webhook_sink, &pagerduty_sink, &discord_sink,
                                    &teams_sink,   &stdout_sink,    &file_sink,
                                    &kafka_sink,   &email_sink,     NULL};

const struct sink *sink_named(struct str name)
{
    for (const struct sink *const *s = sinks; *s; s++)
        if (str_is(name, (*s)->name))
            return *s;
    return NULL;
}

struct outcome sink_hear(const struct sink *sink, const struct sink_input *in,
                         const struct response *response, struct buf *memory)
{
    return sink->hear ? sink->hear(in, response, memory)
                      : sink->outcome(in->settings, response);
}
