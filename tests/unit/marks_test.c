/* Marks of a log and the metadata of commits: what they promise, for logs of every kind. */
#include "app/marks.h"
#include "app/past.h"

#include <stdlib.h>

#include "tests/check.h"

enum { LOG = 20000, ROUNDS = 200 };
static int64_t high[LOG + 1]; /* before each offset */

static void make_log(unsigned seed)
{
    int64_t now = 1772442000000;
    srand(seed);
    int64_t pace_ms = 1 + rand() % 100000;
    high[0] = MARK_NONE;
    for (int i = 1; i <= LOG; i++) {
        now += rand() % 50 ? rand() % pace_ms : rand() % 86400000;
        high[i] = now;
    }
}

static void check_found(const struct marks *m, int64_t from_ms)
{
    const struct mark *found = marks_before(m, from_ms);
    CHECK(found != NULL);
    if (!found)
        return;
    CHECK_INT(found->high_ms, high[found->offset]); /* true of the log */
    CHECK(found->high_ms < from_ms); /* nothing that is needed lies before it */
}

/* However the log runs, a mark is found, is true, and is not much too early. */
static void test_any_log(void)
{
    for (unsigned seed = 0; seed < ROUNDS; seed++) {
        struct marks m = {0}, read;
        struct buf text;
        buf_init(&text, MARKS_MAX_BYTES);
        make_log(seed);
        marks_note(&m, 0, MARK_NONE);
        int64_t from_ms = high[1];
        for (int64_t at = 1; at <= LOG; at += 1 + rand() % 500) {
            marks_note(&m, at, high[at]);
            if (rand() % 10 == 0) {
                int64_t later_ms = high[1 + rand() % at];
                from_ms = later_ms > from_ms ? later_ms : from_ms;
                marks_forget(&m, from_ms);
            }
            check_found(&m, from_ms);
        }
        marks_write(&m, &text);
        CHECK(!text.overflowed);
        CHECK(marks_read(buf_str(&text), &read));
        CHECK_INT(read.n, m.n);
        check_found(&read, from_ms);
        buf_deinit(&text);
    }
}

static void test_coarse(void)
{
    struct marks m = {0};
    make_log(1);
    for (int64_t at = 0; at <= LOG; at++)
        marks_note(&m, at, high[at]);
    int64_t span_ms = high[LOG] - high[1];
    const struct mark *found = marks_before(&m, high[LOG]);
    CHECK(found && high[LOG] - found->high_ms < span_ms / 8);
}

/* Who made a state from an older commit finds a mark for it, while others go on. */
static void test_older(void)
{
    enum { MINUTE_MS = 60000, EVENTS = 6000, NEEDED_MS = 24 * 60 * MINUTE_MS };
    struct marks m = {0};
    int64_t older_ms = 0;
    marks_note(&m, 0, MARK_NONE);
    for (int64_t at = 1; at < EVENTS; at++) {
        int64_t from_ms = at * MINUTE_MS - NEEDED_MS;
        marks_note(&m, at, at * MINUTE_MS);
        marks_forget(&m, from_ms);
        older_ms = from_ms - NEEDED_MS / 8;
        if (older_ms > 0)
            CHECK(marks_before(&m, older_ms));
    }
    const struct mark *found = marks_before(&m, older_ms);
    CHECK(found && found->offset > EVENTS / 2);
}

static void test_texts(void)
{
    static const char *const bad[] = {"x",    "1",       "1:2 1:3", "5:9 6:8",
                                      "-1:3", "1:2,3:4", "1:2 "};
    struct marks m;
    for (size_t i = 0; i + 1 < sizeof bad / sizeof bad[0]; i++) {
        CHECK(!marks_read(str_of(bad[i]), &m));
        CHECK_INT(m.n, 0);
    }
    CHECK(marks_read(STR("0: 7:12"), &m));
    CHECK_INT(m.n, 2);
    CHECK_INT(m.items[0].high_ms, MARK_NONE);
    CHECK(marks_read(STR(""), &m));
}

/* --- commits --- */

static struct {
    const char *name;
    struct str metadata;
} commits[3];
static size_t commits_n;

static int committed(struct source *s, source_committed_fn *fn, void *arg, struct err *e)
{
    (void)s, (void)e;
    for (size_t i = 0; i < commits_n; i++)
        fn(arg, str_of(commits[i].name), 100, commits[i].metadata);
    return 0;
}

static void commit(const char *name, struct str prefix, struct store_times times,
                   struct arena *arena)
{
    struct marks m = {.items = {{0, MARK_NONE}, {9, 5}}, .n = 2};
    struct buf b;
    buf_init(&b, 4096);
    past_write(prefix, &times, &m, &b);
    commits[commits_n].name = name;
    commits[commits_n++].metadata = arena_str(arena, buf_str(&b));
    buf_deinit(&b);
}

static void test_past(void)
{
    static const struct source_ops ops = {.committed = committed};
    struct source source = {.ops = &ops};
    struct arena arena;
    struct past past;
    struct err e = {0};
    arena_init(&arena);
    past_init(&past, STR("a prefix"));
    commit("t/0", STR("a prefix"), (struct store_times){50, 40, 30}, &arena);
    commit("t/1", STR("a prefix"), (struct store_times){60, 50, 35}, &arena);
    commit("t/2", STR("another"), (struct store_times){90, 80, 70}, &arena);
    CHECK_INT(past_read(&past, &source, &e), 0);
    CHECK_INT(past.times.said_ms, 60);
    CHECK_INT(past.times.record_ms, 50);
    CHECK_INT(past.times.from_ms, 35);
    CHECK_INT(past_marks(&past, STR("t/0"))->n, 2);
    CHECK(past_marks(&past, STR("t/2")) == NULL);
    commits_n = 0;
    commit("t/0", STR("a prefix"), (struct store_times){50, STORE_NO_TIME, STORE_NO_TIME},
           &arena);
    commits[commits_n].name = "t/1";
    commits[commits_n++].metadata = STR("somebody else's words");
    CHECK_INT(past_read(&past, &source, &e), 0);
    CHECK_INT(past.times.said_ms, STORE_NO_TIME);
    CHECK(past_marks(&past, STR("t/1")) == NULL);
    past_deinit(&past);
    arena_deinit(&arena);
}

int main(void)
{
    test_any_log();
    test_coarse();
    test_older();
    test_texts();
    test_past();
    return check_result();
}
