/* The carrier of records: the request's body to the topic that its url names, under its key, with its headers. */
#ifndef SINKS_TOPIC_H
#define SINKS_TOPIC_H

#include "sinks/carrier.h"

/* A sink's settings that use it. */
struct topic_settings {
    struct str topic, brokers;
    struct pairs properties, inherited; /* of librdkafka; the former win */
};

extern const struct carrier topic_carrier;

#endif
