/* Rejected records go to the dead-letter topic before their batch is applied: at least once, again
 * after a crash in between. A value is cut to what a broker takes by default, and further where it
 * says that this is too large. After any failure the producer is thrown away with what it still
 * holds, so that no late report finds a letter that is gone. */
#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "consumer/kafka_source.h"
#include "core/log.h"

enum {
    WAIT_MS = 30000,
    VALUE_BYTES = 900000,
    VALUE_BYTES_MIN = 1000,
    KEY_BYTES = 65536,
    CUT_BY = 8,
};

struct letter {
    const struct reject *reject;
    size_t value_n, key_n;
    struct kafka_receipt receipt;
};

static void add_text(rd_kafka_headers_t *headers, const char *name, struct str text)
{
    (void)rd_kafka_header_add(headers, name, -1, text.p, (ssize_t)text.n);
}

static void add_number(rd_kafka_headers_t *headers, const char *name, int64_t value)
{
    char text[24];
    int n = snprintf(text, sizeof text, "%" PRId64, value);
    add_text(headers, name, (struct str){text, (size_t)n});
}

static rd_kafka_headers_t *headers_of(const struct letter *l, const struct partition *p)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(6);
    add_text(headers, "tw-reason", str_of(l->reject->reason));
    add_text(headers, "tw-topic", p->topic);
    add_number(headers, "tw-partition", p->number);
    add_number(headers, "tw-offset", l->reject->offset);
    add_number(headers, "tw-timestamp", l->reject->timestamp_ms);
    if (l->value_n < l->reject->bytes_n || l->key_n < l->reject->key.n)
        add_number(headers, "tw-truncated",
                   (int64_t)l->reject->bytes_n); /* the whole length */
    return headers;
}

rd_kafka_vu_t kafka_bytes(rd_kafka_vtype_t type, struct str s)
{
    rd_kafka_vu_t v = {.vtype = type};
    v.u.mem.ptr = (void *)(uintptr_t)s.p; /* copied, never written to */
    v.u.mem.size = s.n;
    return v;
}

static void produce(struct kafka_source *s, struct letter *l, const struct partition *p)
{
    rd_kafka_vu_t what[6] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = s->settings.dead_letter.p},
        kafka_bytes(RD_KAFKA_VTYPE_VALUE, (struct str){l->reject->bytes.p, l->value_n}),
        kafka_bytes(RD_KAFKA_VTYPE_KEY, (struct str){l->reject->key.p, l->key_n}),
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers_of(l, p)},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = &l->receipt},
    };
    rd_kafka_error_t *error = rd_kafka_produceva(s->producer, what, 6);
    l->receipt.sent = !error;
    if (!error)
        return; /* the headers are the message's now */
    l->receipt.error = rd_kafka_error_code(error);
    rd_kafka_headers_destroy(what[4].u.headers);
    rd_kafka_error_destroy(error);
}

void kafka_on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *arg)
{
    struct kafka_receipt *receipt = message->_private;
    (void)rk;
    (void)arg;
    receipt->sent = false;
    receipt->error = message->err;
    receipt->delivered = message->err == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Sends what is not delivered yet; how many are not after that. */
static size_t send_round(struct kafka_source *s, struct letter *letters,
                         const struct batch *b, int64_t until_ms)
{
    const struct partition *p = &s->partitions.items[b->slot];
    size_t left = 0;
    int64_t now = clock_monotonic_ms();
    for (size_t i = 0; i < b->rejects_n; i++)
        if (!letters[i].receipt.delivered)
            produce(s, &letters[i], p);
    (void)rd_kafka_flush(s->producer, until_ms > now ? (int)(until_ms - now) : 0);
    for (size_t i = 0; i < b->rejects_n; i++)
        left += !letters[i].receipt.delivered;
    return left;
}

/* Cuts those that were too large; false: something else is wrong. */
static bool cut(struct letter *letters, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct letter *l = &letters[i];
        if (l->receipt.delivered)
            continue;
        bool full = l->receipt.error == RD_KAFKA_RESP_ERR__QUEUE_FULL;
        if (!full && (l->receipt.error != RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE ||
                      l->receipt.sent || l->value_n <= VALUE_BYTES_MIN))
            return false;
        if (full)
            continue;
        l->value_n /= CUT_BY;
        l->key_n = l->key_n < l->value_n ? l->key_n : l->value_n;
    }
    return true;
}

static int failed(struct kafka_source *s, const struct letter *letters,
                  const struct batch *b, struct err *e)
{
    char why[256] = "";
    rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;
    for (size_t i = 0; i < b->rejects_n; i++)
        if (!letters[i].receipt.delivered && !letters[i].receipt.sent)
            error = letters[i].receipt.error;
    bool gone = error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
                error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    (void)rd_kafka_fatal_error(s->producer, why, sizeof why);
    return err_set(e, ERR_UNAVAILABLE,
                   "dead-letter topic '%.*s' did not take a record: %s%s%s",
                   STR_ARG(s->settings.dead_letter), rd_kafka_err2str(error),
                   gone ? ": create it" : "", why);
}

static void drop_producer(struct kafka_source *s)
{
    (void)rd_kafka_purge(s->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                          RD_KAFKA_PURGE_F_NON_BLOCKING);
    (void)kafka_destroy(s->producer);
    s->producer = NULL;
}

int kafka_dead_letter(struct source *source, const struct batch *b, struct err *e)
{
    struct kafka_source *s = (struct kafka_source *)source;
    int64_t until_ms = clock_monotonic_ms() + WAIT_MS;
    if (s->settings.dead_letter.n == 0 || b->rejects_n == 0)
        return 0;
    if (!s->producer && !(s->producer = kafka_producer_new(s, e)))
        return -1;
    struct letter *letters = calloc(b->rejects_n, sizeof *letters);
    assert(letters);
    for (size_t i = 0; i < b->rejects_n; i++) {
        const struct reject *r = &b->rejects[i];
        letters[i] = (struct letter){
            .reject = r,
            .value_n = r->bytes.n < VALUE_BYTES ? r->bytes.n : VALUE_BYTES,
            .key_n = r->key.n < KEY_BYTES ? r->key.n : KEY_BYTES};
    }
    size_t left;
    do
        left = send_round(s, letters, b, until_ms);
    while (left && clock_monotonic_ms() < until_ms && cut(letters, b->rejects_n));
    if (left) {
        failed(s, letters, b, e);
        drop_producer(s);
    }
    free(letters);
    return left ? -1 : 0;
}
