/* The outbox's contract, on a real Redis: nothing is lost, nothing is taken by two, one
 * at a time and in order, whatever pods come, go, sleep or lose a reply. */
#include "windows/outbox.h"

#include <poll.h>
#include <unistd.h>

#include "tests/check.h"
#include "tests/redis_server.h"
#include "windows/outbox_bell.h"
#include "windows/shard.h"

enum { LEASE_MS = 60000, SHORT_LEASE_MS = 1500, BIG_BYTES = 512 * 1024 };

static const char *const durable[] = {"--appendonly", "yes", "--appendfsync", "always",
                                      NULL};
static const struct outbox_want one = {.lease_ms = LEASE_MS, .most = 1};
static struct redis_server server;
static struct redis_link *admin;
static struct arena arena;
static struct str stem;
static struct str eng; /* a sink of its own for each case */

/* A command whose reply does not matter, or only its number. */
#define ADMIN(...) told(REDIS_COMMAND(admin, &(struct err){0}, __VA_ARGS__))

static int64_t told(struct redisReply *r)
{
    CHECK(r);
    int64_t v = redis_reply_int(r);
    redis_reply_free(r);
    return v;
}

static struct str unsent(void)
{
    static char text[64];
    snprintf(text, sizeof text, "%.*sunsent", STR_ARG(stem));
    return str_of(text);
}

static int64_t unsent_n(void)
{
    return ADMIN(STR("ZCARD"), unsent());
}

static struct str key(const char *kind)
{
    static char text[128];
    snprintf(text, sizeof text, "%.*s%s:%.*s", STR_ARG(stem), kind, STR_ARG(eng));
    return str_of(text);
}

/* As the store's commit script does. */
static void add(const char *body)
{
    struct err e = {0};
    struct redisReply *r = REDIS_COMMAND(admin, &e, STR("XADD"), key("outbox"), STR("*"),
                                         STR("alert"), str_of(body));
    char member[100];
    snprintf(member, sizeof member, "%.*s %.*s", STR_ARG(eng),
             STR_ARG(redis_reply_str(r)));
    redis_reply_free(r);
    ADMIN(STR("ZADD"), unsent(), STR("1772442847000"), str_of(member));
}

static struct outbox *pod(const char *name)
{
    return outbox_open(&server.target, stem, str_of(name));
}

static int take(struct outbox *o, int64_t lease_ms, struct outbox_entry *out)
{
    struct err e = {0};
    struct outbox_want want = {.lease_ms = lease_ms, .most = 1};
    int rc = outbox_take(o, eng, &want, &arena, out, &e);
    if (rc < 0)
        fprintf(stderr, "%s\n", e.text);
    return rc;
}

static void check_take(struct outbox *o, const char *body, int64_t attempts,
                       struct outbox_entry *out)
{
    *out = (struct outbox_entry){0};
    CHECK_INT(take(o, LEASE_MS, out), 1);
    CHECK_STR(out->body, str_of(body));
    CHECK_INT(out->attempts, attempts);
}

static int64_t length(struct outbox *o)
{
    struct err e = {0};
    struct outbox_figures f = {.queued = -1};
    CHECK_INT(outbox_figures(o, eng, &f, &e), 0);
    return f.queued;
}

static void ack(struct outbox *o, const struct outbox_entry *entry)
{
    struct err e = {0};
    CHECK_INT(outbox_ack(o, eng, entry, &e), 0);
}

static int renew(struct outbox *o, const struct outbox_entry *entry)
{
    struct err e = {0};
    return outbox_renew(o, eng, entry->id, &e);
}

static void sleep_ms(unsigned ms)
{
    usleep(ms * 1000);
}

static void in_order(struct outbox *a, struct outbox *b)
{
    struct outbox_entry entry, other;
    CHECK_INT(take(a, LEASE_MS, &entry), 0); /* no stream yet */
    add("1");
    add("2");
    add("3");
    CHECK_INT(length(a), 3);
    check_take(a, "1", 1, &entry);
    CHECK_INT(take(b, LEASE_MS, &other), 0); /* a holds one */
    CHECK(other.held_ms > LEASE_MS - 30000 && other.held_ms <= LEASE_MS);
    CHECK_INT(unsent_n(), 3);
    ack(a, &entry);
    ack(a, &entry); /* again: nothing */
    CHECK_INT(length(a), 2);
    check_take(b, "2", 1, &entry);
    CHECK_INT(take(a, LEASE_MS, &(struct outbox_entry){0}), 0);
    ack(b, &entry);
    check_take(a, "3", 1, &entry);
    ack(a, &entry);
    CHECK_INT(take(a, LEASE_MS, &entry), 0);
    CHECK_INT(entry.held_ms, 0);
    CHECK_INT(length(b), 0);
    CHECK_INT(unsent_n(), 0);
}

static void before_the_group(struct outbox *a)
{
    struct outbox_entry entry;
    add("early");
    check_take(a, "early", 1, &entry);
    /* Somebody destroys the group: what was not answered comes again. */
    ADMIN(STR("XGROUP"), STR("DESTROY"), key("outbox"), STR("delivery"));
    check_take(a, "early", 1, &entry);
    ack(a, &entry);
}

/* Redis loses everything, or somebody destroys the group: what was held is held no more. */
static void emptied(struct outbox *a)
{
    struct err e = {0};
    struct outbox_entry entry;
    add("1");
    check_take(a, "1", 1, &entry);
    ADMIN(STR("XGROUP"), STR("DESTROY"), key("outbox"), STR("delivery"));
    CHECK_INT(renew(a, &entry), 0);
    CHECK_INT(outbox_dead(a, eng, &entry, STR("why"), &e), 0);
    check_take(a, "1", 1, &entry);
    ADMIN(STR("DEL"), key("outbox"), unsent());
    CHECK_INT(renew(a, &entry), 0);
    CHECK_INT(outbox_dead(a, eng, &entry, STR("why"), &e), 0);
    CHECK_INT(outbox_release(a, eng, entry.id, &e), 0);
    ack(a, &entry);
    CHECK_INT(ADMIN(STR("XLEN"), key("dead")), 0);
    add("2");
    check_take(a, "2", 1, &entry);
    ack(a, &entry);
}

static void leases(struct outbox *a, struct outbox *b)
{
    struct outbox_entry held, got;
    add("1");
    add("2");
    check_take(a, "1", 1, &held);
    check_take(a, "1", 2, &got); /* the reply was lost: the same at once */
    sleep_ms(SHORT_LEASE_MS + 20);
    CHECK_INT(renew(a, &held), 1);
    CHECK_INT(take(b, SHORT_LEASE_MS, &got), 0);
    sleep_ms(SHORT_LEASE_MS + 20);
    CHECK_INT(take(b, SHORT_LEASE_MS, &got), 1); /* a slept too long */
    CHECK_STR(got.body, STR("1"));
    CHECK_INT(got.attempts, 3);
    CHECK_INT(renew(a, &held), 0);
    ack(a, &held); /* but it was delivered: that counts */
    CHECK_INT(renew(b, &got), 0);
    ack(b, &got);
    check_take(b, "2", 1, &got);
    ack(b, &got);
}

static void releases(struct outbox *a, struct outbox *b)
{
    struct err e = {0};
    struct outbox_entry held, got;
    add("1");
    check_take(a, "1", 1, &held);
    CHECK_INT(outbox_release(b, eng, held.id, &e), 0); /* not b's to give */
    CHECK_INT(take(b, LEASE_MS, &got), 0);
    CHECK_INT(outbox_release(a, eng, held.id, &e), 0);
    check_take(b, "1", 2, &got);
    CHECK_INT(take(a, LEASE_MS, &held), 0);
    ack(b, &got);
}

static void the_dead(struct outbox *a, struct outbox *b)
{
    struct err e = {0};
    struct outbox_entry entry;
    add("good");
    add("next");
    check_take(a, "good", 1, &entry);
    CHECK_INT(outbox_dead(b, eng, &entry, STR("HTTP 404"), &e), 0); /* not b's to bury */
    CHECK_INT(outbox_dead(a, eng, &entry, STR("HTTP 404"), &e), 1);
    CHECK_INT(outbox_dead(a, eng, &entry, STR("HTTP 404"), &e), 0);
    CHECK_INT(unsent_n(), 1);
    CHECK_INT(ADMIN(STR("XLEN"), key("dead")), 1);
    struct redisReply *r =
        REDIS_COMMAND(admin, &e, STR("XRANGE"), key("dead"), STR("-"), STR("+"));
    const struct redisReply *fields = redis_reply_at(redis_reply_at(r, 0), 1);
    const char *want[] = {"alert",  "good",     "entry",    entry.id,
                          "reason", "HTTP 404", "attempts", "1"};
    CHECK_INT(redis_reply_n(fields), 8);
    for (size_t i = 0; i < 8; i++)
        CHECK_STR(redis_reply_str(redis_reply_at(fields, i)), str_of(want[i]));
    redis_reply_free(r);
    check_take(a, "next", 1, &entry);
    ack(a, &entry);
}

static void deleted_by_hand(struct outbox *a, struct outbox *b)
{
    struct outbox_entry entry;
    add("1");
    check_take(a, "1", 1, &entry);
    ADMIN(STR("XDEL"), key("outbox"), str_of(entry.id));
    add("2");
    CHECK_INT(take(a, LEASE_MS, &entry), 1);
    CHECK_STR(entry.body, STR("2"));
    ack(a, &entry);
    CHECK_INT(unsent_n(), 0);
    add("3");
    check_take(b, "3", 1, &entry);
    ack(b, &entry);
}

static void figures(struct outbox *a)
{
    struct err e = {0};
    struct outbox_figures f;
    struct outbox_entry entry;
    CHECK_INT(outbox_figures(a, eng, &f, &e), 0);
    CHECK(f.queued == 0 && f.dead == 0 && f.oldest_ms == 0);
    add("1");
    sleep_ms(50);
    add("2");
    CHECK_INT(outbox_figures(a, eng, &f, &e), 0);
    CHECK(f.queued == 2 && f.dead == 0);
    CHECK(f.oldest_ms >= 50 && f.oldest_ms < 60000);
    check_take(a, "1", 1, &entry);
    CHECK_INT(outbox_dead(a, eng, &entry, STR("why"), &e), 1);
    CHECK_INT(outbox_figures(a, eng, &f, &e), 0);
    CHECK(f.queued == 1 && f.dead == 1);
    /* By hand: all of it. What is unsent no more is forgotten, the oldest first. */
    add("3");
    ADMIN(STR("DEL"), key("outbox"));
    CHECK_INT(unsent_n(), 2);
    CHECK_INT(length(a), 0);
    CHECK_INT(length(a), 0);
    CHECK_INT(unsent_n(), 0);
}

static void any_bytes(struct outbox *a)
{
    struct outbox_entry entry;
    struct buf big;
    buf_init(&big, BIG_BYTES);
    for (int i = 0; i < BIG_BYTES; i++)
        buf_char(&big, (char)i);
    ADMIN(STR("XADD"), key("outbox"), STR("*"), STR("alert"), buf_str(&big));
    ADMIN(STR("XADD"), key("outbox"), STR("*"), STR("alert"), STR(""));
    ADMIN(STR("XADD"), key("outbox"), STR("*"), STR("other"), STR("x"), STR("alert"),
          STR("y"));
    ADMIN(STR("XADD"), key("outbox"), STR("*"), STR("other"), STR("x"));
    CHECK_INT(take(a, LEASE_MS, &entry), 1);
    CHECK(str_eq(entry.body, buf_str(&big)));
    ack(a, &entry);
    check_take(a, "", 1, &entry);
    ack(a, &entry);
    check_take(a, "y", 1, &entry);
    ack(a, &entry);
    check_take(a, "", 1, &entry);
    ack(a, &entry);
    buf_deinit(&big);
}

static void another_type(struct outbox *a)
{
    struct err e = {0};
    struct outbox_entry entry;
    ADMIN(STR("SET"), key("outbox"), STR("x"));
    CHECK_INT(outbox_take(a, eng, &one, &arena, &entry, &e), -1);
    CHECK_INT(e.kind, ERR_REFUSED);
    CHECK(strstr(e.text, "redis.prefix"));
}

/* The dead stream cannot take it: then the outbox keeps it. */
static void no_place_for_the_dead(struct outbox *a)
{
    struct err e = {0};
    struct outbox_entry entry;
    add("1");
    ADMIN(STR("SET"), key("dead"), STR("x"));
    check_take(a, "1", 1, &entry);
    CHECK_INT(outbox_dead(a, eng, &entry, STR("why"), &e), -1);
    CHECK_INT(renew(a, &entry), 1);
    check_take(a, "1", 2, &entry);
    ack(a, &entry);
}

/* Redis is full: what is delivered can still leave, and so makes room. */
static void full(struct outbox *a)
{
    struct err e = {0};
    struct outbox_entry entry;
    CHECK_INT(take(a, LEASE_MS, &entry), 0);
    add("1");
    add("2");
    ADMIN(STR("CONFIG"), STR("SET"), STR("maxmemory"), STR("1"));
    check_take(a, "1", 1, &entry);
    CHECK_INT(outbox_dead(a, eng, &entry, STR("why"), &e), -1);
    CHECK_INT(e.kind, ERR_UNAVAILABLE);
    CHECK_INT(renew(a, &entry), 1);
    ack(a, &entry);
    CHECK_INT(length(a), 1);
    ADMIN(STR("CONFIG"), STR("SET"), STR("maxmemory"), STR("0"));
    check_take(a, "2", 1, &entry);
    ack(a, &entry);
}

static int64_t consumers(void)
{
    struct err e = {0};
    struct redisReply *r = REDIS_COMMAND(admin, &e, STR("XINFO"), STR("CONSUMERS"),
                                         key("outbox"), STR("delivery"));
    int64_t n = (int64_t)redis_reply_n(r);
    redis_reply_free(r);
    return n;
}

static void tidies(struct outbox *a, struct outbox *b)
{
    struct err e = {0};
    struct outbox_entry entry;
    CHECK_INT(outbox_tidy(a, eng, &e), 0); /* no stream */
    add("1");
    check_take(a, "1", 1, &entry);
    CHECK_INT(take(b, LEASE_MS, &(struct outbox_entry){0}), 0);
    CHECK_INT(outbox_tidy(a, eng, &e), 0); /* holds one: stays */
    CHECK_INT(consumers(), 1);
    check_take(a, "1", 2, &entry);
    ack(a, &entry);
    add("2");
    check_take(b, "2", 1, &entry);
    ack(b, &entry);
    CHECK_INT(consumers(), 2);
    CHECK_INT(outbox_tidy(b, eng, &e), 0);
    CHECK_INT(consumers(), 1); /* a was heard of today */
}

static int remember(struct outbox *o, const struct outbox_entry *held, const char *text,
                    int64_t keep_ms)
{
    struct err e = {0};
    struct outbox_memory m = {STR("t"), str_of(text), keep_ms};
    return outbox_remember(o, eng, held->id, &m, &e);
}

static void check_memory(struct outbox *o, const char *text)
{
    struct err e = {0};
    struct str got = STR("before");
    CHECK_INT(outbox_recall(o, eng, STR("t"), &arena, &got, &e), 0);
    CHECK_STR(got, str_of(text));
}

/* What one pod learnt another knows; who lost its lease teaches nothing any more. */
static void remembers(struct outbox *a, struct outbox *b)
{
    struct outbox_entry held, got;
    check_memory(a, "");
    add("1");
    check_take(a, "1", 1, &held);
    CHECK_INT(remember(a, &held, "issue 1", 60000), 1);
    check_memory(b, "issue 1");
    sleep_ms(SHORT_LEASE_MS + 20);
    CHECK_INT(take(b, SHORT_LEASE_MS, &got), 1);
    CHECK_INT(remember(a, &held, "late", 60000), 0);
    check_memory(b, "issue 1");
    CHECK_INT(remember(b, &got, "issue 2", 100), 1);
    ack(b, &got);
    CHECK_INT(remember(b, &got, "late", 60000), 0);
    sleep_ms(150);
    check_memory(b, "");
}

static const char *step(const char *id, const char *rule, const char *key_object)
{
    static char text[300];
    snprintf(text, sizeof text,
             "{\"id\":\"%s\",\"rule\":\"%s\",\"kind\":\"count\",\"key\":%s,\"count\":1}",
             id, rule, key_object);
    return text;
}

/* Takes beside what is held; "" where there is none. */
static const char *next(struct outbox *o, int64_t most, const char *known,
                        struct outbox_entry *out)
{
    struct err e = {0};
    struct outbox_want want = {LEASE_MS, most, str_of(known)};
    int rc = outbox_take(o, eng, &want, &arena, out, &e);
    CHECK(rc >= 0);
    return rc == 1 ? arena_str(&arena, out->body).p : "";
}

/* Several at a time, but of one rule and key one after another, over all pods. */
static void several(struct outbox *a, struct outbox *b)
{
    struct outbox_entry one_held, two_held, three_held, got;
    static const char braces[] = "{\"page\":\"} \\\"},\\\"\"}";
    const char *first = arena_str(&arena, str_of(step("1", "r", "{}"))).p;
    const char *odd = arena_str(&arena, str_of(step("2", "r", braces))).p;
    const char *other = arena_str(&arena, str_of(step("4", "q", "{}"))).p;
    add(first), add(step("1", "r", "{}")), add(odd), add(step("3", "r", braces)),
        add(other);
    CHECK_STR(str_of(next(a, 3, "", &one_held)), str_of(first));
    CHECK_STR(str_of(next(b, 1, "", &got)),
              STR("")); /* b may hold but one, and one is held */
    CHECK_STR(str_of(next(b, 3, "", &two_held)), str_of(odd));
    char known[100];
    snprintf(known, sizeof known, " %s ", one_held.id);
    CHECK_STR(str_of(next(a, 3, known, &three_held)), str_of(other));
    CHECK_STR(str_of(next(b, 9, "", &got)), str_of(odd)); /* which it does not know of */
    snprintf(known, sizeof known, " %s ", two_held.id);
    CHECK_STR(str_of(next(b, 9, known, &got)), STR("")); /* only steps of what is held */
    CHECK(got.held_ms > 0);
    ack(b, &two_held);
    CHECK_STR(str_of(next(b, 9, "", &got)), str_of(step("3", "r", braces)));
    ack(b, &got);
    CHECK_STR(str_of(next(b, 9, "", &got)), STR(""));
    ack(a, &one_held);
    CHECK_STR(str_of(next(b, 9, "", &got)), str_of(first));
    ack(b, &got);
    ack(a, &three_held);
}

static void later_steps(struct outbox *a)
{
    struct err e = {0};
    struct outbox_entry held;
    add(step("1", "r", "{}")), add(step("2", "r", "{}")), add(step("1", "r", "{}"));
    CHECK_INT(take(a, LEASE_MS, &held), 1);
    CHECK_INT(outbox_later(a, eng, held.id, STR("1"), &e), 1);
    CHECK_INT(outbox_later(a, eng, held.id, STR("3"), &e), 0);
    ack(a, &held);
    CHECK_INT(take(a, LEASE_MS, &held), 1);
    CHECK_INT(outbox_later(a, eng, held.id, STR("2"), &e), 0);
    ack(a, &held);
    CHECK_INT(take(a, LEASE_MS, &held), 1);
    CHECK_INT(outbox_later(a, eng, held.id, STR("1"), &e), 0);
    ack(a, &held);
}

static void server_killed(struct outbox *a)
{
    struct err e = {0};
    struct outbox_entry entry, got;
    add("1");
    add("2");
    check_take(a, "1", 1, &entry);
    redis_server_kill(&server);
    CHECK_INT(outbox_ack(a, eng, &entry, &e), -1);
    CHECK_INT(e.kind, ERR_UNAVAILABLE);
    err_clear(&e);
    CHECK_INT(outbox_take(a, eng, &one, &arena, &got, &e), -1);
    CHECK_INT(e.kind, ERR_UNAVAILABLE);
    redis_server_again(&server);
    redis_link_drop(admin);
    CHECK_INT(renew(a, &entry), 1);
    ack(a, &entry);
    check_take(a, "2", 1, &entry);
    ADMIN(STR("SCRIPT"), STR("FLUSH"));
    ack(a, &entry);
    CHECK_INT(length(a), 0);
}

static bool rings(struct outbox_bell *bell, int wait_ms)
{
    struct err e = {0};
    struct pollfd p = {.fd = outbox_bell_fd(bell, &e), .events = POLLIN};
    CHECK(p.fd >= 0);
    return poll(&p, 1, wait_ms) == 1 && outbox_bell_heard(bell, &e) == 1;
}

static void the_bell(void)
{
    struct err e = {0};
    struct str sinks[] = {STR("other"), STR("bell")};
    add("before");
    struct outbox_bell *bell = outbox_bell_open(&server.target, stem, sinks, 2);
    CHECK(!rings(bell, 100));
    add("1");
    CHECK(rings(bell, 30000));
    CHECK(!rings(bell, 100));
    eng = STR("other");
    add("x");
    eng = STR("bell");
    CHECK(rings(bell, 30000));
    add("2");
    add("3"); /* between two questions: none is missed */
    CHECK(rings(bell, 30000));
    redis_server_kill(&server);
    CHECK(!rings(bell, 1000));
    CHECK_INT(outbox_bell_fd(bell, &e), -1);
    CHECK_INT(e.kind, ERR_UNAVAILABLE);
    redis_server_again(&server);
    redis_link_drop(admin);
    while (rings(bell, 100))
        ;
    add("4");
    CHECK(rings(bell, 30000));
    outbox_bell_drop(bell);
    CHECK(!rings(bell, 100));
    outbox_bell_close(bell);
}

int main(void)
{
    redis_server_start(&server, durable);
    admin = redis_link_new(&server.target);
    arena_init(&arena);
    stem = shard_stem(STR("tw"), 3, 1, &arena);
    struct outbox *a = pod("a"), *b = pod("b");
    eng = STR("order"), in_order(a, b);
    eng = STR("early"), before_the_group(a);
    eng = STR("emptied"), emptied(a);
    eng = STR("leases"), leases(a, b);
    eng = STR("releases"), releases(a, b);
    eng = STR("dead"), the_dead(a, b);
    eng = STR("deleted"), deleted_by_hand(a, b);
    eng = STR("figures"), figures(a);
    eng = STR("bytes"), any_bytes(a);
    eng = STR("type"), another_type(a);
    eng = STR("no-place"), no_place_for_the_dead(a);
    eng = STR("full"), full(a);
    eng = STR("tidy"), tidies(a, b);
    eng = STR("memory"), remembers(a, b);
    eng = STR("several"), several(a, b);
    eng = STR("later"), later_steps(a);
    eng = STR("killed"), server_killed(a);
    eng = STR("bell"), the_bell();
    outbox_close(a);
    outbox_close(b);
    arena_deinit(&arena);
    redis_link_free(admin);
    return check_result();
}
