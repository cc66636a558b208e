/* The outbox's side of a digest, on a real Redis: which alerts are one message is written down before it is sent, is the
 * same for whoever takes it, and all of it goes at once. */
#include "windows/outbox.h"

#include <stdio.h>
#include <unistd.h>

#include "tests/check.h"
#include "tests/redis_server.h"
#include "windows/shard.h"

enum { LEASE_MS = 60000, WITHIN_MS = 60000, LINE_BYTES = 200 };

static struct redis_server server;
static struct redis_link *admin;
static struct arena arena;
static struct str stem, chat; /* a sink of its own for each case */

#define ADMIN(...) told(REDIS_COMMAND(admin, &(struct err){0}, __VA_ARGS__))

static int64_t told(struct redisReply *r)
{
    CHECK(r);
    int64_t v = redis_reply_int(r);
    redis_reply_free(r);
    return v;
}

static struct str key(const char *kind)
{
    struct shard_key room;
    return arena_str(&arena, shard_key(stem, kind, chat, &room));
}

static struct str unsent(void)
{
    struct shard_key room;
    return arena_str(&arena, shard_key(stem, "unsent", STR_NONE, &room));
}

/* An alert about this page, as the store's commit script adds it; its entry. */
static struct str add(const char *page)
{
    char line[LINE_BYTES], member[100];
    struct err e = {0};
    snprintf(
        line, sizeof line,
        "{\"id\":\"5d41402abc4b2a76b9719d911017c592\",\"rule\":\"r\",\"kind\":\"count\","
        "\"state\":\"firing\",\"key\":{\"page\":\"%s\"},\"n\":1}",
        page);
    struct redisReply *r = REDIS_COMMAND(admin, &e, STR("XADD"), key("outbox:"), STR("*"),
                                         STR("alert"), str_of(line));
    struct str id = arena_str(&arena, redis_reply_str(r));
    redis_reply_free(r);
    snprintf(member, sizeof member, "%.*s %.*s", STR_ARG(chat), STR_ARG(id));
    ADMIN(STR("ZADD"), unsent(), STR("1772442847000"), str_of(member));
    return id;
}

static void add_pages(int from, int to)
{
    char page[16];
    for (int i = from; i <= to; i++) {
        snprintf(page, sizeof page, "/p%d", i);
        add(page);
    }
}

static bool is_about(struct str line, const char *page)
{
    char part[32];
    snprintf(part, sizeof part, "\"page\":\"%s\"", page);
    return memmem(line.p, line.n, part, strlen(part)) != NULL;
}

static int take(struct outbox *o, int64_t lease_ms, const char *known,
                struct outbox_entry *out)
{
    struct err e = {0};
    struct outbox_want want = {.lease_ms = lease_ms, .most = 9, .known = str_of(known)};
    *out = (struct outbox_entry){0};
    int rc = outbox_take(o, chat, &want, &arena, out, &e);
    CHECK_STR(str_of(e.text), STR(""));
    return rc;
}

static int storm(struct outbox *o, const struct outbox_entry *head, int64_t above,
                 struct outbox_storm *out)
{
    struct err e = {0};
    *out = (struct outbox_storm){.above = above, .within_ms = WITHIN_MS};
    int rc = outbox_storm(o, chat, head->id, out, &arena, &e);
    CHECK_STR(str_of(e.text), STR(""));
    return rc;
}

/* Redis does it, and its reply is lost. */
static enum outbox_composed compose_unheard(struct outbox *o,
                                            const struct outbox_entry *head,
                                            const struct outbox_storm *s)
{
    struct err e = {0};
    const char *last = s->behind_n ? s->behind[s->behind_n - 1].id : head->id;
    return outbox_compose(o, chat, head->id, last, s->behind_n + 1, s, &e);
}

static enum outbox_composed compose(struct outbox *o, struct outbox_entry *head,
                                    const struct outbox_storm *s)
{
    enum outbox_composed how = compose_unheard(o, head, s);
    if (how == COMPOSED && s->behind_n)
        memcpy(head->last, s->behind[s->behind_n - 1].id, sizeof head->last);
    return how;
}

static void ack(struct outbox *o, const struct outbox_entry *entry)
{
    struct err e = {0};
    CHECK_INT(outbox_ack(o, chat, entry, &e), 0);
}

static int64_t length(void)
{
    return ADMIN(STR("XLEN"), key("outbox:"));
}

static void alone_then_together(struct outbox *a)
{
    struct outbox_entry head;
    struct outbox_storm s;
    add_pages(1, 3);
    for (int i = 0; i < 3; i++) { /* three may go one by one */
        CHECK_INT(take(a, LEASE_MS, "", &head), 1);
        CHECK_INT(storm(a, &head, 3, &s), 0);
        CHECK_INT(s.wait_ms, 0);
        ack(a, &head);
    }
    add_pages(4, 8);
    CHECK_INT(take(a, LEASE_MS, "", &head), 1);
    CHECK_INT(storm(a, &head, 3, &s),
              0); /* the fourth waits until a minute after the first */
    CHECK(s.wait_ms > WITHIN_MS - 10000 && s.wait_ms <= WITHIN_MS);
    ADMIN(STR("DEL"), key("told:"));
    ADMIN(STR("RPUSH"), key("told:"), STR("3"), STR("2"), STR("1")); /* long ago */
    CHECK_INT(storm(a, &head, 3, &s), 1);
    CHECK_INT(s.behind_n, 4);
    CHECK(is_about(s.behind[3].body, "/p8"));
    ADMIN(STR("DEL"), key("told:")); /* the clock went back since */
    for (int i = 0; i < 3; i++)
        ADMIN(STR("RPUSH"), key("told:"), STR("9000000000000"));
    CHECK_INT(storm(a, &head, 3, &s), 1);
    CHECK_INT(s.behind_n, 4);
    CHECK_INT(compose(a, &head, &s), COMPOSED);
    CHECK_INT(length(), 5);
    ack(a, &head);
    ack(a, &head); /* again: nothing */
    CHECK_INT(length(), 0);
    CHECK_INT(ADMIN(STR("ZCARD"), unsent()), 0);
    CHECK_INT(ADMIN(STR("EXISTS"), key("digest:")), 0);
    add("/p9"); /* they count as told */
    CHECK_INT(take(a, LEASE_MS, "", &head), 1);
    CHECK_INT(storm(a, &head, 3, &s), 0);
    CHECK(s.wait_ms > 0);
    ack(a, &head);
}

static void a_reply_that_was_lost(struct outbox *a, struct outbox *b)
{
    struct outbox_entry head, other;
    struct outbox_storm s;
    add_pages(1, 4);
    CHECK_INT(take(a, LEASE_MS, "", &head), 1);
    CHECK_INT(storm(a, &head, 2, &s), 1);
    CHECK_INT(compose_unheard(a, &head, &s), COMPOSED);
    add_pages(5, 6);
    CHECK_INT(storm(a, &head, 2, &s), 1); /* the same again, at once */
    CHECK_INT(s.behind_n, 3);
    CHECK(is_about(s.behind[2].body, "/p4"));
    CHECK_INT(compose_unheard(a, &head, &s), COMPOSED);
    ack(a, &head); /* it went alone: no other goes with it */
    CHECK_INT(length(), 5);
    CHECK_INT(ADMIN(STR("EXISTS"), key("digest:")), 0);
    CHECK_INT(take(b, LEASE_MS, "", &other), 1);
    CHECK(is_about(other.body, "/p2"));
    CHECK_INT(other.more_n, 0);
    ack(b, &other);
}

/* Of one page something older than the head waits, free again by now. */
static void in_order(struct outbox *a, struct outbox *b)
{
    struct outbox_entry first, head;
    struct outbox_storm s;
    add("/p1");
    add("/p1");
    add("/p2");
    CHECK_INT(take(b, LEASE_MS, "", &first), 1);
    CHECK_INT(take(a, LEASE_MS, "", &head), 1);
    CHECK(is_about(head.body, "/p2"));
    add("/p3");
    add("/p1");
    add("/p4");
    ack(b, &first);
    CHECK_INT(storm(a, &head, 1, &s), 1);
    CHECK_INT(s.behind_n, 1);
    CHECK(is_about(s.behind[0].body, "/p3"));
    ack(a, &head);
}

static void taken_over(struct outbox *a, struct outbox *b)
{
    struct outbox_entry head, other;
    struct outbox_storm s;
    add_pages(1, 150); /* more than are looked at for one that may go */
    CHECK_INT(take(a, LEASE_MS, "", &head), 1);
    CHECK_INT(storm(a, &head, 2, &s), 1);
    CHECK_INT(compose(a, &head, &s), COMPOSED);
    add_pages(151, 152);
    add("/p3");
    CHECK_INT(take(b, LEASE_MS, "", &other), 1); /* what is not of it */
    CHECK_INT(other.more_n, 0);
    CHECK(is_about(other.body, "/p151"));
    ack(b, &other);
    CHECK_INT(take(b, LEASE_MS, "", &other), 1);
    CHECK(is_about(other.body, "/p152"));
    ack(b, &other);
    CHECK_INT(take(b, LEASE_MS, "", &other), 0); /* of /p3 something older is held */
    usleep(2000);
    CHECK_INT(take(b, 1, "", &other), 1); /* the lease is over: the same, whoever it is */
    CHECK_INT(other.attempts, 2);
    CHECK_INT(other.more_n, 149);
    CHECK(is_about(other.body, "/p1") && is_about(other.more[0].body, "/p2") &&
          is_about(other.more[148].body, "/p150"));
    CHECK_STR(str_of(other.more[148].id), str_of(other.last));
    CHECK_INT(compose(a, &head, &s), COMPOSED_LOST);
    ack(a, &head); /* the first one was heard after all */
    CHECK_INT(length(), 1);
    CHECK_INT(take(b, LEASE_MS, "", &other), 1);
    CHECK(is_about(other.body, "/p3"));
    ack(b, &other);
}

static void what_changed_meanwhile(struct outbox *a, struct outbox *b)
{
    struct outbox_entry head, other;
    struct outbox_storm s;
    add("/p1");
    struct str gone = add("/p2");
    add("/p3");
    CHECK_INT(take(a, LEASE_MS, "", &head), 1);
    CHECK_INT(storm(a, &head, 2, &s), 1);
    ADMIN(STR("XDEL"), key("outbox:"), gone);
    CHECK_INT(compose(a, &head, &s), COMPOSED_NOT);
    CHECK_INT(storm(a, &head, 1, &s), 1);
    CHECK_INT(take(b, LEASE_MS, "", &other), 1); /* one of them is another's by now */
    CHECK_INT(compose(a, &head, &s), COMPOSED_NOT);
    CHECK_INT(ADMIN(STR("EXISTS"), key("digest:")), 0);
    add("/p3");
    add("/p4");
    CHECK_INT(storm(a, &head, 1, &s), 0); /* the next one is another's */
    ack(b, &other);
    ADMIN(STR("DEL"), key("told:"));
    CHECK_INT(storm(a, &head, 1, &s), 1);
    CHECK_INT(s.behind_n, 2);
    CHECK_INT(compose(a, &head, &s), COMPOSED);
    ADMIN(STR("XDEL"), key("outbox:"),
          str_of(head.id)); /* by hand: the others are told */
    CHECK_INT(take(a, LEASE_MS, "", &other), 1);
    CHECK(is_about(other.body, "/p3"));
    CHECK_INT(other.more_n, 0);
    CHECK_INT(ADMIN(STR("EXISTS"), key("digest:")), 0);
}

static void deleted_while_it_waits(struct outbox *a)
{
    struct outbox_entry head;
    struct outbox_storm s;
    add_pages(1, 4);
    CHECK_INT(take(a, LEASE_MS, "", &head), 1);
    ADMIN(STR("XDEL"), key("outbox:"), str_of(head.id));
    CHECK_INT(storm(a, &head, 1, &s), 0); /* its neighbour is no part of it */
    CHECK_INT(s.wait_ms, 0);
    ack(a, &head);
    CHECK_INT(length(), 3);
}

static void taken_apart(struct outbox *a, struct outbox *b)
{
    struct outbox_entry head;
    struct outbox_storm s;
    struct err e = {0};
    add_pages(1, 4);
    CHECK_INT(take(a, LEASE_MS, "", &head), 1);
    CHECK_INT(storm(a, &head, 2, &s), 1);
    CHECK_INT(compose(a, &head, &s), COMPOSED);
    CHECK_INT(outbox_apart(b, chat, head.id, &e), 0);
    CHECK_INT(outbox_apart(a, chat, head.id, &e), 1);
    head.last[0] = '\0';
    ADMIN(STR("DEL"), key("told:"));
    add_pages(5, 8);
    for (int i = 1; i <= 4; i++) {
        CHECK_INT(storm(a, &head, 2, &s), 0); /* alone, though more wait */
        CHECK_INT(s.wait_ms, 0);
        ack(a, &head);
        CHECK_INT(take(a, LEASE_MS, "", &head), 1);
        CHECK_INT(head.more_n, 0);
    }
    CHECK_INT(storm(a, &head, 2, &s), 1); /* what came behind them is told together */
    CHECK_INT(s.behind_n, 3);
    ack(a, &head);
}

/* Of more than one digest holds the rest need not wait, though some of the first ones are not told. */
static void more_than_it_holds(struct outbox *a)
{
    struct outbox_entry head;
    struct outbox_storm s;
    add_pages(1, OUTBOX_DIGEST_MAX + 50);
    CHECK_INT(take(a, LEASE_MS, "", &head), 1);
    CHECK_INT(storm(a, &head, 2, &s), 1);
    CHECK_INT(s.behind_n, OUTBOX_DIGEST_MAX - 1);
    CHECK(!s.all);
    for (int i = 0; i < 10; i++)
        ADMIN(STR("XDEL"), key("outbox:"), str_of(s.behind[--s.behind_n].id));
    CHECK_INT(compose(a, &head, &s), COMPOSED);
    ack(a, &head);
    CHECK_INT(take(a, LEASE_MS, "", &head), 1);
    CHECK_INT(storm(a, &head, 2, &s), 1);
    CHECK_INT(s.behind_n, 49);
    CHECK(s.all);
    CHECK_INT(compose(a, &head, &s), COMPOSED);
    ack(a, &head);
}

int main(void)
{
    redis_server_start(&server, NULL);
    admin = redis_link_new(&server.target);
    arena_init(&arena);
    stem = shard_stem(STR("tw"), 1, 0, &arena);
    struct outbox *a = outbox_open(&server.target, stem, STR("a"));
    struct outbox *b = outbox_open(&server.target, stem, STR("b"));
    chat = STR("alone"), alone_then_together(a);
    chat = STR("lost"), a_reply_that_was_lost(a, b);
    chat = STR("order"), in_order(a, b);
    chat = STR("over"), taken_over(a, b);
    chat = STR("changed"), what_changed_meanwhile(a, b);
    chat = STR("deleted"), deleted_while_it_waits(a);
    chat = STR("more"), more_than_it_holds(a);
    chat = STR("apart"), taken_apart(a, b);
    outbox_close(a);
    outbox_close(b);
    arena_deinit(&arena);
    redis_link_free(admin);
    return check_result();
}
