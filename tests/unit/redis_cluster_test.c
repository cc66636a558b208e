/* A link on a real Redis Cluster of three masters: it finds its slot, follows it while it is moved, and
 * finds it again where it was given to another node after its own died. */
#include "core/clock.h"
#include "tests/check.h"
#include "tests/redis_server.h"
#include "windows/redis_check.h"
#include "windows/shard.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

enum { NODES = 3, PATIENCE_MS = 60000, ID_BYTES = 40 };

static const char *const options[] = {"--cluster-enabled",
                                      "yes",
                                      "--cluster-node-timeout",
                                      "1000",
                                      "--cluster-require-full-coverage",
                                      "no",
                                      NULL};
static struct redis_server nodes[NODES];
static struct redis_link *admins[NODES];
static char ids[NODES][ID_BYTES + 1];
static char slot[12]; /* of the keys below, on nodes[0] */

static struct redis_script set_both = {
    .name = "set_both",
    .text = "redis.call('SET', KEYS[1], ARGV[1]) redis.call('SET', KEYS[2], ARGV[1]) "
            "return redis.call('INCR', KEYS[3])"};

/* Writes all, then empties a key and touches it again, as a queue does. */
static struct redis_script empties = {
    .name = "empties",
    .text = "local n = redis.call('INCR', KEYS[1]) redis.call('SPOP', KEYS[2]) "
            "redis.call('SADD', KEYS[2], n) return n"};

static int64_t value_of(struct redisReply *r)
{
    int64_t v = r ? redis_reply_int(r) : -1;
    redis_reply_free(r);
    return v;
}

static void ask(int node, const char *a, const char *b, const char *c, const char *d)
{
    struct err e = {0};
    struct str args[] = {STR("CLUSTER"), str_of(a), str_of(b), str_of(c), str_of(d)};
    redis_reply_free(redis_command(admins[node], &e, d ? 5 : c ? 4 : 3, args));
    if (e.kind)
        fprintf(stderr, "CLUSTER %s: %s\n", a, e.text);
    CHECK_INT(e.kind, ERR_NONE);
}

static bool is_ready(int node)
{
    struct err e = {0};
    const char *warning;
    struct redisReply *r = REDIS_COMMAND(admins[node], &e, STR("CLUSTER"), STR("INFO"));
    struct str info = redis_reply_str(r);
    bool knows_all =
        info.n && memmem(info.p, info.n, "cluster_slots_assigned:16384", 28) != NULL;
    redis_reply_free(r);
    return knows_all && redis_check(admins[node], &warning, &e) == 0;
}

static void wait_until_ready(void)
{
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    for (int i = 0; i < NODES; i++)
        while (!is_ready(i) && clock_monotonic_ms() < until_ms)
            usleep(20000);
    CHECK(clock_monotonic_ms() < until_ms);
}

static void start_node(int i)
{
    struct err e = {0};
    char first[12], last[12];
    redis_server_start(&nodes[i], options);
    nodes[i].target.timeout_ms = 1000;
    admins[i] = redis_link_new(&nodes[i].target);
    const char *warning;
    CHECK_INT(redis_check(admins[i], &warning, &e), -1);
    CHECK_INT(e.kind, ERR_UNAVAILABLE);
    CHECK(strstr(e.text, "cluster_state:fail"));
    err_clear(&e);
    struct redisReply *r = REDIS_COMMAND(admins[i], &e, STR("CLUSTER"), STR("MYID"));
    snprintf(ids[i], sizeof ids[i], "%.*s", STR_ARG(redis_reply_str(r)));
    redis_reply_free(r);
    /* The first node begins with the slot of the keys. */
    int begin = i * CLUSTER_SLOTS / NODES, end = (i + 1) * CLUSTER_SLOTS / NODES - 1;
    snprintf(first, sizeof first, "%d", begin);
    snprintf(last, sizeof last, "%d", end);
    ask(i, "ADDSLOTSRANGE", first, last, NULL);
}

static void start(void)
{
    for (int i = 0; i < NODES; i++)
        start_node(i);
    for (int i = 1; i < NODES; i++)
        ask(i, "MEET", "127.0.0.1", nodes[0].port, NULL);
    wait_until_ready();
}

/* A link that knows the other two nodes only. */
static struct redis_link *link_to_others(void)
{
    struct redis_target t = nodes[1].target;
    t.addresses[t.addresses_n++] = nodes[2].target.addresses[0];
    return redis_link_new(&t);
}

static int64_t both(struct redis_link *l, const char *value, struct err *e)
{
    struct str args[] = {STR("{b}a"), STR("{b}b"), STR("{b}n"), str_of(value)};
    err_clear(e);
    return value_of(redis_run(l, &set_both, 3, 4, args, e));
}

static int64_t empty(struct redis_link *l, struct err *e)
{
    struct str args[] = {STR("{b}n"), STR("{b}set")};
    err_clear(e);
    return value_of(redis_run(l, &empties, 2, 2, args, e));
}

static int64_t get(struct redis_link *l, struct str key, struct err *e)
{
    err_clear(e);
    return value_of(REDIS_COMMAND(l, e, STR("GET"), key));
}

static void move_key(const char *key)
{
    struct err e = {0};
    redis_reply_free(REDIS_COMMAND(admins[0], &e, STR("MIGRATE"), STR("127.0.0.1"),
                                   str_of(nodes[1].port), str_of(key), STR("0"),
                                   STR("1000")));
    CHECK_INT(e.kind, ERR_NONE);
}

static void refuses(struct redis_link *l, const char *words)
{
    struct err e = {0};
    CHECK_INT(both(l, "5", &e), -1);
    CHECK_INT(e.kind, ERR_UNAVAILABLE);
    if (!strstr(e.text, words))
        fprintf(stderr, "it says: %s\n", e.text);
    CHECK(strstr(e.text, words));
    CHECK_INT(empty(l, &e), -1);
    CHECK_INT(e.kind, ERR_UNAVAILABLE);
    CHECK(strstr(e.text, words));
}

/* While its slot is moved a script of several keys is refused whole, and a command of one key works. */
static void slot_moves(struct redis_link *l)
{
    struct err e = {0};
    CHECK_INT(both(l, "1", &e), 1);
    CHECK_INT(empty(l, &e), 2);
    ask(1, "SETSLOT", slot, "IMPORTING", ids[0]);
    ask(0, "SETSLOT", slot, "MIGRATING", ids[1]);
    refuses(l, "TRYAGAIN"); /* all keys are there still */
    CHECK_INT(get(l, STR("{b}a"), &e), 1);
    move_key("{b}a");
    refuses(l, "TRYAGAIN");
    CHECK_INT(get(l, STR("{b}a"), &e), 1); /* asked there */
    CHECK_INT(get(l, STR("{b}n"), &e), 2); /* still here */
    move_key("{b}b");
    move_key("{b}n");
    move_key("{b}set");
    refuses(l, "TRYAGAIN");
    CHECK_INT(get(l, STR("{b}n"), &e), 2);
    ask(1, "SETSLOT", slot, "NODE", ids[1]);
    ask(0, "SETSLOT", slot, "NODE", ids[1]);
    CHECK_INT(both(l, "3", &e), 3);
    CHECK_INT(empty(l, &e), 4);
    CHECK_INT(get(l, STR("{b}a"), &e), 3);
}

/* Its node dies, and another one takes the slot over without what was in it. */
static void node_dies(struct redis_link *l)
{
    struct err e = {0};
    redis_server_kill(&nodes[1]);
    CHECK_INT(both(l, "1", &e), -1);
    CHECK_INT(e.kind, ERR_UNAVAILABLE);
    for (int i = 0; i < 3; i++) {
        CHECK_INT(both(l, "1", &e), -1);
        CHECK_INT(e.kind, ERR_UNAVAILABLE);
    }
    ask(0, "SETSLOT", slot, "NODE", ids[2]);
    ask(2, "SETSLOT", slot, "NODE", ids[2]);
    CHECK_INT(both(l, "1", &e), 1);
    CHECK_INT(both(l, "1", &e), 2);
}

/* A node that says nothing, though the kernel accepts for it: in time, and without taking turns for ever. */
static void node_freezes(struct redis_link *l)
{
    struct err e = {0};
    kill(nodes[2].pid, SIGSTOP);
    for (int i = 0; i < 3; i++) {
        int64_t began_ms = clock_monotonic_ms();
        CHECK_INT(both(l, "1", &e), -1);
        CHECK_INT(e.kind, ERR_UNAVAILABLE);
        CHECK(clock_monotonic_ms() - began_ms <= 3 * 1000 + 10000); /* a busy machine */
    }
    kill(nodes[2].pid, SIGCONT);
    int64_t until_ms = clock_monotonic_ms() + PATIENCE_MS;
    while (both(l, "1", &e) < 0 && clock_monotonic_ms() < until_ms)
        usleep(20000);
    CHECK_INT(e.kind, ERR_NONE);
}

static void only_database_0(void)
{
    struct err e = {0};
    struct redis_target t = nodes[0].target;
    t.db = 3;
    struct redis_link *l = redis_link_new(&t);
    CHECK_INT(get(l, STR("{b}a"), &e), -1);
    CHECK_INT(e.kind, ERR_REFUSED);
    CHECK(strstr(e.text, "no database but 0"));
    redis_link_free(l);
}

int main(void)
{
    snprintf(slot, sizeof slot, "%u", shard_slot(STR("b")));
    start();
    only_database_0();
    struct redis_link *l = link_to_others();
    slot_moves(l);
    node_dies(l);
    node_freezes(l);
    redis_link_free(l);
    for (int i = 0; i < NODES; i++)
        redis_link_free(admins[i]);
    return check_result();
}
