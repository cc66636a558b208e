/* Rules that change in a state in Redis: who has other rules puts them in place, new ones read the past in a lane, and the
 * lane becomes part of the shard. */
#include "tests/check.h"
#include "tests/redis_server.h"
#include "tests/store_event.h"
#include "windows/redis_link.h"
#include "windows/window_store.h"

enum { LATENESS_MS = 1000, HOUR_MS = 3600000, LOOKBACK_MS = 600000 };
static const int64_t T0 = 1772442000000; /* 2026-03-02T09:00:00Z */
static const struct store_rule rules[] = {
    {STR("rule"), LOOKBACK_MS}, {STR("second"), HOUR_MS}, {STR("third"), LOOKBACK_MS}};
static const struct str partitions[] = {STR("t/0")};

static struct redis_server server;
static struct redis_link *admin;
static struct arena arena;
static struct apply_reply reply;
static struct store_clock now;
static struct err err;
static const char *prefix;

/* A process with rules[from] and some behind it. */
static struct window_store *process(size_t from, size_t n)
{
    struct redis_store_settings s = {.target = &server.target,
                                     .prefix = str_of(prefix),
                                     .shards_n = 1,
                                     .lateness_ms = LATENESS_MS,
                                     .record_for_ms = HOUR_MS,
                                     .lookback_ms = HOUR_MS,
                                     .partitions = partitions,
                                     .partitions_n = 1,
                                     .rules = rules + from,
                                     .rules_n = n};
    struct window_store *store = redis_store_open(&s, &err);
    CHECK(store != NULL);
    return store;
}

static void begin(struct window_store *store)
{
    struct store_place at = {.high_ms = STORE_NO_TIME};
    CHECK_INT(store->ops->begin(store, partitions[0], &at, &err), 0);
}

static void event(struct window_store *store, int64_t offset, int64_t ms, const char *key,
                  int64_t due_ms)
{
    char id[32];
    snprintf(id, sizeof id, "e%lld", (long long)offset);
    struct store_event e = {.partition = partitions[0],
                            .name = str_of(id),
                            .offset = offset,
                            .time_ms = T0 + ms,
                            .window = key ? str_of(key) : STR_NONE,
                            .due_ms = T0 + due_ms};
    store_event_apply(store, &e, &arena, &reply);
}

/* What waits is judged: it is due next at ms. */
static void judge_all(struct window_store *store, int64_t ms)
{
    struct window *w;
    size_t n;
    CHECK_INT(store->ops->due(store, 10, false, &arena, &w, &n, &now, &err), 0);
    for (size_t i = 0; i < n; i++) {
        struct judged j = {
            .id = w[i].id, .head = w[i].head, .state = STR("s"), .due_ms = T0 + ms};
        memcpy(j.version, w[i].version, sizeof j.version);
        CHECK_INT(store->ops->commit(store, &j, 1, &now, &err), 0);
        CHECK(j.committed);
    }
}

static int64_t cursor(struct window_store *store)
{
    struct store_place at = {.cursor = -7};
    return store->ops->cursor(store, partitions[0], &arena, &at, &err) ? -7 : at.cursor;
}

/* The call was refused, and nothing is known. */
static void refused(struct window_store *store)
{
    CHECK_INT(cursor(store), -7);
    CHECK_INT(err.kind, ERR_UNAVAILABLE);
    err_clear(&err);
}

static void tell(const char *command, const char *key, const char *a, const char *b)
{
    char name[64];
    snprintf(name, sizeof name, "%s:7.1:{0}:%s", prefix, key);
    struct str words[] = {str_of(command), str_of(name), str_of(a), str_of(b)};
    struct redisReply *r = redis_command(admin, &err, b[0] ? 4 : a[0] ? 3 : 2, words);
    CHECK(r != NULL);
    redis_reply_free(r);
}

static void close_store(struct window_store *store)
{
    store->ops->close(store);
}

/* The process that had other rules is refused, and does not put its own back. */
static void test_put_in_place(void)
{
    prefix = "a";
    struct window_store *old = process(0, 1);
    begin(old);
    event(old, 0, 0, NULL, 0);
    CHECK(old->holds[0] && !old->lane);
    struct window_store *new = process(0, 2);
    CHECK(new->lane != NULL);
    CHECK(new->holds[0] && !new->holds[1]);
    CHECK(!new->lane->holds[0] && new->lane->holds[1]);
    CHECK_STR(new->names[0], STR("rule"));
    CHECK(str_starts(new->names[1], STR("second ")));
    CHECK_INT(new->lane->past.said_ms, T0 - LATENESS_MS);
    CHECK_INT(new->lane->past.record_ms, T0 - LATENESS_MS);
    CHECK_INT(new->lane->past.from_ms, T0 - LATENESS_MS - HOUR_MS);
    CHECK_INT(new->past.said_ms, STORE_NO_TIME);
    refused(old);
    CHECK(old->replaced);
    refused(old);
    CHECK_INT(cursor(new), 1);
    CHECK_INT(cursor(new->lane), -1);
    close_store(old);
    close_store(new);
}

/* A lane that has caught up becomes part of the shard, with the windows that it made. */
static void test_lane_joins(void)
{
    struct window *w;
    size_t n;
    prefix = "b";
    struct window_store *s = process(0, 1);
    begin(s);
    event(s, 0, 0, NULL, 0);
    event(s, 1, 10000, NULL, 0);
    close_store(s);
    s = process(0, 2);
    begin(s->lane);
    event(s->lane, 0, 0, "k", 60000);
    judge_all(s->lane, 60000);
    CHECK_INT(s->ops->mend(s, &err), 0);
    CHECK(s->lane != NULL); /* it stands elsewhere */
    event(s->lane, 1, 10000, "k", 60000);
    CHECK_INT(s->ops->mend(s, &err), 0);
    CHECK(s->lane != NULL); /* a window waits */
    judge_all(s->lane, 60000);
    struct window_store *other = process(0, 2);
    CHECK_INT(s->ops->mend(s, &err), -1);
    CHECK_INT(err.kind, ERR_UNAVAILABLE);
    err_clear(&err);
    CHECK(!s->lane && s->holds[1]);
    refused(other->lane); /* who has not noticed cannot go on with it */
    CHECK(!other->lane && other->holds[1]);
    CHECK_INT(s->ops->mend(s, &err), 0); /* its due times */
    event(s, 2, 100000, NULL, 0);
    CHECK_INT(s->ops->due(s, 10, false, &arena, &w, &n, &now, &err), 0);
    CHECK_INT(n, 1);
    close_store(other);
    close_store(s);
}

/* A lane goes on where a process left it, and ends with its last rule. */
static void test_lane_of_rules_that_go(void)
{
    struct window *w;
    size_t n;
    prefix = "c";
    struct window_store *s = process(0, 1);
    begin(s);
    event(s, 0, 0, NULL, 0);
    close_store(s);
    s = process(0, 2);
    begin(s->lane);
    event(s->lane, 0, 0, "k", 500);
    close_store(s);
    s = process(0, 3);
    CHECK(s->lane && s->lane->lane && !s->lane->lane->lane);
    struct window_store *second = s->lane->holds[1] ? s->lane : s->lane->lane;
    CHECK_INT(cursor(second), 1);
    close_store(s);
    s = process(0, 1);
    CHECK(!s->lane && s->holds[0]);
    CHECK_INT(s->ops->mend(s, &err), 0);
    CHECK_INT(s->ops->due(s, 10, false, &arena, &w, &n, &now, &err), 0);
    CHECK_INT(n, 1); /* its window is there to be forgotten */
    close_store(s);
}

/* An episode of a rule that is gone does not hold back from where a state made anew begins. */
static void test_episodes_of_rules_that_go(void)
{
    struct store_times times;
    prefix = "d";
    struct window_store *s = process(0, 2);
    begin(s);
    event(s, 0, 0, "k", 0);
    struct window *w;
    size_t n;
    CHECK_INT(s->ops->due(s, 10, false, &arena, &w, &n, &now, &err), 0);
    struct episode_line open = {STR("id second"), false, T0 - 100 * HOUR_MS};
    struct judged j = {.id = w->id,
                       .head = w->head,
                       .due_ms = STORE_NO_DUE,
                       .episodes = &open,
                       .episodes_n = 1};
    memcpy(j.version, w->version, sizeof j.version);
    CHECK_INT(s->ops->commit(s, &j, 1, &now, &err), 0);
    CHECK_INT(s->ops->horizon(s, INT64_MAX, NULL, 0, &times, &err), 0);
    CHECK_INT(times.from_ms, T0 - 100 * HOUR_MS);
    close_store(s);
    s = process(0, 1);
    CHECK_INT(s->ops->horizon(s, INT64_MAX, NULL, 0, &times, &err), 0);
    CHECK_INT(times.from_ms, T0 - LATENESS_MS - 2 * HOUR_MS);
    close_store(s);
}

/* Redis lost its last writes, the new rules among them: they are put in place again. */
static void test_rollback(void)
{
    prefix = "e";
    struct window_store *old = process(0, 1);
    begin(old);
    tell("COPY", "meta", "saved", "");
    struct window_store *new = process(1, 1);
    refused(old);
    struct str words[] = {STR("COPY"), STR("saved"), STR("e:7.1:{0}:meta"),
                          STR("REPLACE")};
    redis_reply_free(redis_command(admin, &err, 4, words));
    CHECK_INT(cursor(new), -7);
    err_clear(&err);
    CHECK(!new->replaced);
    CHECK_INT(cursor(new), 0);
    refused(old);
    CHECK(old->replaced);
    close_store(old);
    close_store(new);
}

/* Rules that no process keeps up give way to those of a process that is there. */
static void test_forsaken(void)
{
    prefix = "f";
    struct window_store *old = process(0, 1);
    begin(old);
    close_store(process(1, 1));
    refused(old);
    CHECK_INT(redis_store_look(old, &err), -1);
    err_clear(&err);
    CHECK(old->replaced);
    tell("HSET", "meta", "spoken", "1000");
    CHECK_INT(redis_store_look(old, &err), 0);
    CHECK(!old->replaced);
    CHECK_INT(cursor(old), 0);
    close_store(process(1, 1));
    refused(old);
    tell("DEL", "meta", "", ""); /* and where there is no state it is made by who can */
    CHECK_INT(redis_store_look(old, &err), 0);
    CHECK(!old->replaced);
    refused(old);
    CHECK(!old->replaced);
    close_store(old);
}

static void (*const tests[])(void) = {test_put_in_place,
                                      test_lane_joins,
                                      test_lane_of_rules_that_go,
                                      test_episodes_of_rules_that_go,
                                      test_rollback,
                                      test_forsaken};

int main(void)
{
    arena_init(&arena);
    redis_server_start(&server, NULL);
    admin = redis_link_new(&server.target);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
        tests[i]();
    redis_link_free(admin);
    redis_server_kill(&server);
    arena_deinit(&arena);
    return check_result();
}
