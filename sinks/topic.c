/* A producer is made for the first record and kept. One whose record is not acknowledged in time is given up, since
 * nobody is to hear of that record later; the next one is new. */
#include "sinks/topic.h"

#include <stdio.h>

#include "consumer/producer.h"

enum {
    RECORD_TIMEOUT_MS = 8000
}; /* below a request's time-out, so that librdkafka says itself what is wrong */

static void *open_producer(const struct request *r, struct err *e)
{
    const struct topic_settings *s = r->settings;
    struct arena arena;
    arena_init(&arena);
    size_t n = s->inherited.n + s->properties.n;
    struct pairs all = {.names = arena_alloc(&arena, (n + 1) * sizeof(struct str)),
                        .values = arena_alloc(&arena, (n + 1) * sizeof(struct str))};
    const struct pairs *parts[] = {&s->inherited, &s->properties};
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; i < parts[k]->n; i++, all.n++) {
            all.names[all.n] = parts[k]->names[i];
            all.values[all.n] = parts[k]->values[i];
        }
    struct producer *p =
        producer_open(&(struct producer_settings){s->brokers, all, RECORD_TIMEOUT_MS}, e);
    arena_deinit(&arena);
    return p;
}

static void close_producer(void *self)
{
    producer_close(self);
}

static int status_of(enum producer_result result)
{
    switch (result) {
    case PRODUCER_DONE:
        return CARRIED;
    case PRODUCER_NEVER:
        return CARRIED_NEVER;
    case PRODUCER_REFUSED:
        return CARRIED_REFUSED;
    case PRODUCER_WAITS:
    case PRODUCER_FAILED:
    case PRODUCER_BROKEN:
        break;
    }
    return CARRIED_NOT;
}

static bool send_record(void *self, const struct carriage *c, struct carried *out)
{
    const struct request *r = c->request;
    struct producer *p = self;
    int wait_ms;
    enum producer_result result =
        producer_send(p, &(struct producer_record){.topic = r->url,
                                                   .key = r->key,
                                                   .value = r->body,
                                                   .headers = r->headers,
                                                   .headers_n = r->headers_n});
    while (result == PRODUCER_WAITS && (wait_ms = carrier_wait_ms(c)) > 0)
        result = producer_wait(p, wait_ms);
    out->status = status_of(result);
    if (result == PRODUCER_WAITS)
        snprintf(out->why, sizeof out->why, "no acknowledgement in time");
    else if (result != PRODUCER_DONE)
        snprintf(out->why, sizeof out->why, "%s: %s", producer_error(p),
                 producer_error_text(p));
    if (result != PRODUCER_WAITS && result != PRODUCER_BROKEN)
        return false;
    producer_close(p);
    return true;
}

const struct carrier topic_carrier = {
    .open = open_producer, .close = close_producer, .send = send_record};
