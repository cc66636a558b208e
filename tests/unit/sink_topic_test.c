/* Records of the sink kafka on librdkafka's mock broker: when they count as delivered, when never, and that nothing
 * holds us for ever. */
#include <stdatomic.h>

#include "consumer/producer.h"
#include "sinks/courier.h"
#include "sinks/topic.h"
#include "tests/kafka_mock.h"

#define TOPIC "alerts"
enum { PRODUCE_REQUEST = 0, PARTITIONS = 4 };

static struct topic_settings settings;

static struct request record(const char *key, const char *body)
{
    return (struct request){
        .method = STR("PRODUCE"),
        .url = settings.topic,
        .key = str_of(key),
        .headers = {STR("content-type: application/json"), STR("id: 0123_firing")},
        .headers_n = 2,
        .body = str_of(body),
        .carrier = &topic_carrier,
        .settings = &settings};
}

/* One record by a producer of its own. */
static struct carried carry(const char *key, const char *body, int64_t within_ms)
{
    struct request r = record(key, body);
    struct carried out = {.status = -1};
    struct err e = {0};
    struct carriage c = {.request = &r, .until_ms = mock_now_ms() + within_ms};
    void *self = topic_carrier.open(&r, &e);
    CHECK_STR(str_of(e.text), STR(""));
    if (self && !topic_carrier.send(self, &c, &out))
        topic_carrier.close(self);
    return out;
}

static void fail_next(rd_kafka_resp_err_t error)
{
    rd_kafka_mock_push_request_errors(mock_cluster, PRODUCE_REQUEST, 1, error);
}

/* What the topic holds, read as anybody would. */
static rd_kafka_t *reader(void)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers",
                      rd_kafka_mock_cluster_bootstraps(mock_cluster), why, sizeof why);
    rd_kafka_conf_set(conf, "group.id", "reader", why, sizeof why);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    rd_kafka_topic_partition_list_t *all = rd_kafka_topic_partition_list_new(PARTITIONS);
    for (int i = 0; i < PARTITIONS; i++)
        rd_kafka_topic_partition_list_add(all, TOPIC, i)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
    CHECK_INT(rd_kafka_assign(rk, all), 0);
    rd_kafka_topic_partition_list_destroy(all);
    return rk;
}

static void check_header(const rd_kafka_message_t *m, const char *name, const char *want)
{
    rd_kafka_headers_t *headers = NULL;
    const void *value = NULL;
    size_t n = 0;
    CHECK_INT(rd_kafka_message_headers(m, &headers), 0);
    if (headers)
        CHECK_INT(rd_kafka_header_get_last(headers, name, &value, &n), 0);
    CHECK_STR(((struct str){value, n}), str_of(want));
}

static void keeps_an_alert_in_one_partition(void)
{
    static const char *const bodies[] = {"{\"n\":1}", "{\"n\":2}", "{\"n\":3}"};
    for (size_t i = 0; i < 3; i++)
        CHECK_INT(carry("0123", bodies[i], 10000).status, CARRIED);
    rd_kafka_t *rk = reader();
    int partition = -1;
    for (size_t i = 0; i < 3; i++) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 20000);
        CHECK(m && !m->err);
        if (!m)
            break;
        CHECK(i == 0 || m->partition == partition);
        partition = m->partition;
        CHECK_STR(((struct str){m->payload, m->len}), str_of(bodies[i]));
        CHECK_STR(((struct str){m->key, m->key_len}), STR("0123"));
        check_header(m, "id", "0123_firing");
        check_header(m, "content-type", "application/json");
        rd_kafka_message_destroy(m);
    }
    rd_kafka_destroy(rk);
}

static void tells_never_from_later_from_mend_it(void)
{
    fail_next(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    struct carried c = carry("k", "{}", 60000);
    CHECK_INT(c.status, CARRIED_NEVER);
    CHECK(strstr(c.why, "MSG_SIZE_TOO_LARGE") != NULL);
    fail_next(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    CHECK_INT(carry("k", "{}", 60000).status, CARRIED_REFUSED);
    fail_next(
        RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS); /* librdkafka tries that again itself */
    CHECK_INT(carry("k", "{}", 60000).status, CARRIED);
}

static void one_that_is_too_large_for_us(void)
{
    static char body[2000001];
    memset(body, 'x', sizeof body - 1);
    CHECK_INT(carry("k", body, 60000).status, CARRIED_NEVER);
}

static void a_broker_that_is_away(void)
{
    CHECK_INT(rd_kafka_mock_broker_set_down(mock_cluster, 1), 0);
    int64_t from_ms = mock_now_ms();
    struct carried c = carry("k", "{}", 500);
    CHECK_INT(c.status, CARRIED_NOT);
    CHECK_STR(str_of(c.why), STR("no acknowledgement in time"));
    CHECK(mock_now_ms() - from_ms < 20000);
    CHECK_INT(rd_kafka_mock_broker_set_up(mock_cluster, 1), 0);
    CHECK_INT(carry("k", "{}", 60000).status, CARRIED);
}

/* ---- on the courier's thread ---- */

static void wake(void *arg)
{
    atomic_store((atomic_bool *)arg, true);
}

static void wait_for(atomic_bool *woken)
{
    for (int64_t until = mock_now_ms() + 60000; !atomic_load(woken);) {
        CHECK(mock_now_ms() < until);
        if (mock_now_ms() >= until)
            return;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    atomic_store(woken, false);
}

static int start(struct courier *c, int64_t timeout_ms, struct err *e)
{
    static const struct network anywhere;
    struct request r = record("k", "{}");
    struct courier_way way = {.network = &anywhere, .timeout_ms = timeout_ms};
    return courier_start(c, &r, &way, e);
}

static void a_courier_uses_one_producer_again(void)
{
    atomic_bool woken = false;
    struct courier *c = courier_new(wake, &woken);
    const struct carried *end = NULL;
    int64_t took_ms;
    struct err e = {0};
    for (int i = 0; i < 3; i++) {
        CHECK_INT(start(c, 60000, &e), 0);
        wait_for(&woken);
        CHECK(courier_finished(c, &end, &took_ms));
        CHECK_INT(end->status, CARRIED);
        CHECK(!courier_finished(c, &end, &took_ms));
    }
    courier_free(c);
}

static void a_courier_that_is_cancelled_ends_soon(void)
{
    atomic_bool woken = false;
    struct courier *c = courier_new(wake, &woken);
    struct err e = {0};
    CHECK_INT(rd_kafka_mock_broker_set_down(mock_cluster, 1), 0);
    CHECK_INT(start(c, 60000, &e), 0);
    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    courier_cancel(c);
    CHECK_INT(start(c, 60000, &e), -1);
    CHECK_INT(e.kind, ERR_UNAVAILABLE);
    int64_t from_ms = mock_now_ms();
    courier_free(c);
    CHECK(mock_now_ms() - from_ms < 20000);
    CHECK_INT(rd_kafka_mock_broker_set_up(mock_cluster, 1), 0);
}

static void one_that_comes_too_late_is_not_sent(void)
{
    atomic_bool woken = false;
    struct courier *c = courier_new(wake, &woken);
    const struct carried *end = NULL;
    int64_t took_ms;
    struct err e = {0};
    CHECK_INT(start(c, 60000, &e), 0); /* makes the thread */
    wait_for(&woken);
    CHECK(courier_finished(c, &end, &took_ms));
    courier_send_before(c, 0);
    courier_cancel(c);
    CHECK(!courier_finished(c, &end, &took_ms));
    courier_free(c);
}

/* ---- what is not to be ---- */

static void refuse(struct str brokers, const char *name, const char *value,
                   const char *says)
{
    struct str names[] = {str_of(name)}, values[] = {str_of(value)};
    struct err e = {0};
    CHECK(producer_open(&(struct producer_settings){brokers, {names, values, 1}, 1000},
                        &e) == NULL);
    CHECK_INT(e.kind, ERR_REFUSED);
    CHECK(strstr(e.text, says) != NULL);
}

static void refuses_what_cannot_be(void)
{
    refuse(STR_NONE, "linger.ms", "5", "brokers");
    refuse(settings.brokers, "linger.mss", "5", "linger.ms");
    refuse(settings.brokers, "retries", "soon", "retries");
    refuse(settings.brokers, "acks", "0", "acks");
    refuse(settings.brokers, "enable.idempotence", "false", "enable.idempotence");
}

int main(void)
{
    mock_start();
    mock_topic(TOPIC, PARTITIONS);
    settings.topic = STR(TOPIC);
    settings.brokers = str_of(rd_kafka_mock_cluster_bootstraps(mock_cluster));
    keeps_an_alert_in_one_partition();
    tells_never_from_later_from_mend_it();
    one_that_is_too_large_for_us();
    a_broker_that_is_away();
    a_courier_uses_one_producer_again();
    a_courier_that_is_cancelled_ends_soon();
    one_that_comes_too_late_is_not_sent();
    refuses_what_cannot_be();
    rd_kafka_destroy(mock_client);
    return check_result();
}
