/* One record under way; its fate comes by librdkafka's delivery report, on the thread that waits. */
#include <assert.h>
#include <stdlib.h>

#include "consumer/kafka_source.h"
#include "consumer/producer.h"

enum { MESSAGE_TIMEOUT_MIN_MS = 10 };

struct producer {
    struct arena arena; /* of the texts */
    rd_kafka_t *client;
    bool waits;
    rd_kafka_resp_err_t error; /* of the last record */
};

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *arg)
{
    struct producer *p = arg;
    (void)rk;
    p->waits = false;
    p->error = message->err;
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *arg)
{
    (void)rk, (void)reason, (void)arg; /* logged, and told by the report */
    kafka_count_error((rd_kafka_resp_err_t)code);
}

struct producer *producer_open(const struct producer_settings *settings, struct err *e)
{
    if (!settings->brokers.n) {
        err_set(e, ERR_REFUSED, "there are no brokers: set kafka.brokers");
        return NULL;
    }
    struct producer *p = calloc(1, sizeof *p);
    assert(p);
    arena_init(&p->arena);
    rd_kafka_conf_t *conf = kafka_producer_conf(&settings->properties, e);
    int64_t timeout_ms = settings->timeout_ms < MESSAGE_TIMEOUT_MIN_MS
                             ? MESSAGE_TIMEOUT_MIN_MS
                             : settings->timeout_ms;
    if (conf) {
        rd_kafka_conf_set_opaque(conf, p);
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
        rd_kafka_conf_set_error_cb(conf, on_error);
        p->client = kafka_producer_made(conf, arena_str(&p->arena, settings->brokers).p,
                                        timeout_ms, e);
    }
    if (p->client)
        return p;
    producer_close(p);
    return NULL;
}

void producer_close(struct producer *p)
{
    if (!p)
        return;
    if (p->client) {
        (void)rd_kafka_purge(p->client, RD_KAFKA_PURGE_F_QUEUE |
                                            RD_KAFKA_PURGE_F_INFLIGHT |
                                            RD_KAFKA_PURGE_F_NON_BLOCKING);
        rd_kafka_poll(p->client, 0);
        if (!kafka_destroy(p->client))
            return; /* its thread may still call us: a little memory for a bounded end */
    }
    arena_deinit(&p->arena);
    free(p);
}

static rd_kafka_headers_t *headers_of(const struct producer_record *r)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(r->headers_n);
    for (size_t i = 0; i < r->headers_n; i++) {
        struct str h = r->headers[i];
        const char *colon = memchr(h.p, ':', h.n);
        size_t name_n = colon ? (size_t)(colon - h.p) : h.n;
        struct str value = str_from(h, name_n + 2);
        (void)rd_kafka_header_add(headers, h.p, (ssize_t)name_n, value.p,
                                  (ssize_t)value.n);
    }
    return headers;
}

static rd_kafka_vu_t bytes_of(rd_kafka_vtype_t type, struct str s)
{
    rd_kafka_vu_t v = {.vtype = type};
    v.u.mem.ptr = (void *)(uintptr_t)s.p; /* copied, never written to */
    v.u.mem.size = s.n;
    return v;
}

static enum producer_result result_of(const struct producer *p)
{
    char why[8];
    if (rd_kafka_fatal_error(p->client, why, sizeof why))
        return PRODUCER_BROKEN;
    switch ((int)p->error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return PRODUCER_DONE;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
        return PRODUCER_NEVER;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
        return PRODUCER_REFUSED;
    default:
        return PRODUCER_FAILED;
    }
}

enum producer_result producer_send(struct producer *p, const struct producer_record *r)
{
    struct arena names;
    assert(!p->waits);
    arena_init(&names);
    rd_kafka_vu_t what[5] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = arena_str(&names, r->topic).p},
        bytes_of(RD_KAFKA_VTYPE_VALUE, r->value),
        bytes_of(RD_KAFKA_VTYPE_KEY, r->key),
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers_of(r)},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(p->client, what, 5);
    p->waits = !error;
    if (error) {
        p->error = rd_kafka_error_code(error);
        rd_kafka_headers_destroy(what[4].u.headers);
        rd_kafka_error_destroy(error);
    }
    arena_deinit(&names);
    return p->waits ? PRODUCER_WAITS : result_of(p);
}

enum producer_result producer_wait(struct producer *p, int wait_ms)
{
    if (p->waits)
        rd_kafka_poll(p->client, wait_ms);
    return p->waits ? PRODUCER_WAITS : result_of(p);
}

const char *producer_error(const struct producer *p)
{
    return rd_kafka_err2name(p->error);
}

const char *producer_error_text(const struct producer *p)
{
    return rd_kafka_err2str(p->error);
}
