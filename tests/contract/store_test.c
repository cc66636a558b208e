/* The contract of the window store, on both of its kinds: memory and Redis. */
#include "windows/window_store.h"

#include "tests/both_stores.h"
#include "tests/check.h"

enum { LATENESS_MS = 1000, MINUTE_MS = 60000 };
static const int64_t T0 = 1772442000000; /* 2026-03-02T09:00:00Z */

struct outcome {
    struct buf record, outbox; /* lines told by the memory store */
};

/* A store under test, and what one call to it answers. */
static struct window_store *store;
static struct arena arena;
static struct apply_reply reply;
static struct store_clock now;
static struct outcome told;
static struct err err;

static void take_record(void *arg, struct str line)
{
    struct outcome *o = arg;
    buf_put(&o->record, line);
    buf_char(&o->record, '\n');
}

static void take_outbox(void *arg, struct str sink, struct str body)
{
    struct outcome *o = arg;
    buf_printf(&o->outbox, "%.*s %.*s\n", STR_ARG(sink), STR_ARG(body));
}

static void partitions(const char *a, const char *b)
{
    struct str names[2] = {str_of(a), str_of(b)};
    CHECK_INT(store->ops->partitions(store, names, b ? 2 : 1, &err), 0);
}

/* One event `id` at T0 + ms, adding one record to the window of `key`. */
struct feed {
    const char *partition;
    int64_t start, next, ms;
    const char *id, *key, *record;
    uint32_t judge_at;
    int64_t due_ms; /* after T0; 0: in a year */
    int64_t incarnation;
};
static bool judge_later; /* what is fed */

static void feed(struct feed f)
{
    struct buf head, records;
    buf_init(&head, 1000);
    buf_init(&records, 100000);
    struct str key = str_of(f.key ? f.key : "");
    window_head(&head, STR("rule"), &key, 1);
    buf_str16(&records, str_of(f.record ? f.record : "r"));
    struct str id = str_of(f.id ? f.id : "");
    int64_t time_ms = T0 + f.ms;
    struct window_change change = {.id = window_id_of(buf_str(&head)),
                                   .head = buf_str(&head),
                                   .records = buf_str(&records),
                                   .records_n = 1,
                                   .judge_at = f.judge_at ? f.judge_at : 1000,
                                   .due_ms = T0 + (f.due_ms ? f.due_ms : 31536000000)};
    struct apply a = {.partition = str_of(f.partition),
                      .start = f.start,
                      .next = f.next,
                      .incarnation = f.incarnation,
                      .judge_later = judge_later,
                      .last_offset = f.next - 1,
                      .last_hash = 0xfedcba9876543210,
                      .high_ms = f.id ? time_ms : STORE_NO_TIME,
                      .has_events = f.id != NULL,
                      .ids = &id,
                      .times_ms = &time_ms,
                      .events_n = f.id != NULL,
                      .changes = &change,
                      .changes_n = f.key != NULL};
    CHECK_INT(store->ops->apply(store, &a, &arena, &reply, &err), 0);
    buf_deinit(&head);
    buf_deinit(&records);
}

static struct window *due(size_t *n)
{
    struct window *w;
    CHECK_INT(store->ops->due(store, 100, false, &arena, &w, n, &now, &err), 0);
    return w;
}

/* Keeps `state` and no record; says one line each to the record and to two sinks. */
static bool commit(const struct window *w, const char *state, int64_t due_ms)
{
    struct str line = STR("{\"line\":1}");
    struct outbox_line lines[] = {{STR("eng"), STR("{\"to\":1}"), T0, 0},
                                  {STR("crm"), STR("{\"to\":1}"), T0, 0}};
    struct judged j = {.id = w->id,
                       .head = w->head,
                       .state = str_of(state),
                       .due_ms = due_ms,
                       .record = &line,
                       .record_n = 1,
                       .outbox = lines,
                       .outbox_n = 2};
    memcpy(j.version, w->version, sizeof j.version);
    CHECK_INT(store->ops->commit(store, &j, 1, &now, &err), 0);
    return j.committed;
}

static struct store_place place(const char *partition)
{
    struct store_place at;
    CHECK_INT(store->ops->cursor(store, str_of(partition), &arena, &at, &err), 0);
    return at;
}

static void begin(const char *partition, int64_t start)
{
    struct store_place at = {.cursor = start, .high_ms = STORE_NO_TIME};
    CHECK_INT(store->ops->begin(store, str_of(partition), &at, &err), 0);
}

static void idle(const char *partition, int64_t cursor, int64_t proven_ms)
{
    struct store_place at = {.cursor = cursor};
    CHECK_INT(store->ops->idle(store, str_of(partition), &at, proven_ms, &reply, &err),
              0);
}

static void test_cursor(void)
{
    partitions("t/0", NULL);
    CHECK_INT(place("t/0").cursor, -1);
    CHECK_INT(place("t/0").high_ms, STORE_NO_TIME);
    begin("t/0", 5);
    begin("t/0", 7); /* only the first counts */
    feed((struct feed){"t/0", 5, 10, 0, "a", "k", NULL, 0, 0, 0});
    CHECK_INT(reply.outcome, APPLIED);
    feed((struct feed){"t/0", 5, 10, 0, "b", "k", NULL, 0, 0, 0});
    CHECK_INT(reply.outcome, MISPLACED);
    CHECK_INT(place("t/0").cursor, 10);
    CHECK_INT(place("t/0").high_ms, T0);
    feed((struct feed){"t/0", 10, 20, 0, NULL, NULL, NULL, 0, 0,
                       0}); /* holes: no event at all */
    CHECK_INT(reply.outcome, APPLIED);
    CHECK_INT(place("t/0").cursor, 20);
    CHECK_INT(place("t/0").high_ms, T0);
}

static void test_duplicates(void)
{
    partitions("t/0", "t/1");
    begin("t/0", 0);
    begin("t/1", 0);
    feed((struct feed){"t/0", 0, 1, 5000, "a", "k", NULL, 0, 0, 0});
    feed((struct feed){"t/1", 0, 1, 5000, "a", "k", NULL, 0, 0, 0});
    CHECK_INT(reply.outcome, REVISE);
    CHECK_INT(reply.refused[0], REFUSED_DUPLICATE);
    feed((struct feed){"t/1", 0, 1, 5000, "b", "k", NULL, 2, 0,
                       0}); /* nothing had changed */
    CHECK_INT(reply.outcome, APPLIED);
    CHECK_INT(reply.windows_n, 1);
    CHECK_INT(reply.windows_n ? reply.windows[0].records_n : 0, 2);
}

static void test_watermark(void)
{
    partitions("t/0", "t/1");
    begin("t/0", 0);
    begin("t/1", 0);
    feed((struct feed){"t/0", 0, 1, 50000, "a", "k", NULL, 0, 0, 0});
    CHECK_INT(reply.clock.watermark_ms, STORE_NO_TIME); /* t/1 has shown nothing */
    feed((struct feed){"t/1", 0, 1, 20000, "b", "k", NULL, 0, 0, 0});
    CHECK_INT(reply.clock.watermark_ms, T0 + 20000 - LATENESS_MS);
    feed((struct feed){"t/1", 1, 2, 10000, "c", "k", NULL, 0, 0,
                       0}); /* woke up with old events */
    CHECK_INT(reply.outcome, REVISE);
    CHECK_INT(reply.refused[0], REFUSED_BEHIND);
    partitions("t/2", NULL); /* a new partition holds it, and never takes it back */
    feed((struct feed){"t/1", 1, 2, 90000, "d", "k", NULL, 0, 0, 0});
    CHECK_INT(reply.clock.watermark_ms, T0 + 20000 - LATENESS_MS);
}

static void test_judging(void)
{
    size_t n;
    partitions("t/0", NULL);
    begin("t/0", 0);
    feed((struct feed){"t/0", 0, 1, 1, "a", "k", "one", 2, 0, 0});
    CHECK_INT(reply.windows_n, 0);
    CHECK_INT(reply.clock.waiting_n, 0);
    feed((struct feed){"t/0", 1, 2, 2, "b", "k", "two", 2, 0, 0});
    CHECK_INT(reply.windows_n, 1);
    CHECK_STR(reply.windows[0].records[0], STR("one"));
    CHECK_STR(reply.windows[0].records[1], STR("two"));
    struct window stale = reply.windows[0];
    struct window *left = due(&n); /* nobody judged it: anybody finds it */
    CHECK_INT(n, 1);
    CHECK_INT(now.waiting_n, 1);
    feed((struct feed){"t/0", 2, 3, 3, "c", "k", "three", 2, 0, 0});
    CHECK(!commit(&stale, "state", STORE_NO_DUE)); /* it has changed since */
    CHECK(!commit(&left[0], "state", STORE_NO_DUE));
    CHECK(commit(&reply.windows[0], "state", STORE_NO_DUE));
    CHECK_INT(now.waiting_n, 0);
    CHECK(!commit(&reply.windows[0], "again", STORE_NO_DUE)); /* once */
    feed((struct feed){"t/0", 3, 4, 4, "d", "k", "four", 1, 0, 0});
    CHECK_STR(reply.windows[0].state, STR("state"));
    CHECK_INT(reply.windows[0].records_n, 1);
    CHECK(commit(&reply.windows[0], "", STORE_NO_DUE)); /* forgotten */
    feed((struct feed){"t/0", 4, 5, 5, "e", "k", "five", 1, 0, 0});
    CHECK_INT(reply.windows_n, 1);
    CHECK_INT(reply.windows[0].state.n, 0);
    CHECK_INT(reply.windows[0].records_n, 1);
}

/* Who applies may leave it for later: then due() has it. */
static void test_judged_later(void)
{
    size_t n;
    partitions("t/0", NULL);
    begin("t/0", 0);
    judge_later = true;
    feed((struct feed){"t/0", 0, 1, 1, "a", "k", NULL, 1, 0, 0});
    judge_later = false;
    CHECK_INT(reply.outcome, APPLIED);
    CHECK_INT(reply.windows_n, 0);
    CHECK_INT(reply.clock.waiting_n, 1);
    struct window *left = due(&n);
    CHECK_INT(n, 1);
    CHECK(commit(&left[0], "state", STORE_NO_DUE));
    CHECK_INT(now.waiting_n, 0);
}

static void test_due(void)
{
    size_t n;
    partitions("t/0", NULL);
    begin("t/0", 0);
    feed((struct feed){"t/0", 0, 1, 1000, "a", "k", NULL, 0, 9000, 0});
    feed((struct feed){"t/0", 1, 2, 1000, "b", "l", NULL, 0, 5000, 0});
    feed((struct feed){"t/0", 2, 3, 1000, "c", "k", NULL, 0, 7000,
                       0}); /* the earlier one counts */
    CHECK_INT(reply.clock.next_due_ms, T0 + 5000);
    due(&n);
    CHECK_INT(n, 0);
    feed((struct feed){"t/0", 3, 4, 5000 + LATENESS_MS, "d", NULL, NULL, 0, 0, 0});
    struct window *w = due(&n);
    CHECK_INT(n, 1);
    CHECK(n == 1 && commit(&w[0], "s", T0 + 6000));
    CHECK_INT(now.next_due_ms, T0 + 6000);
    feed((struct feed){"t/0", 4, 5, 7000 + LATENESS_MS, "e", NULL, NULL, 0, 0, 0});
    w = due(&n);
    CHECK_INT(n, 2);
    for (size_t i = 0; i < n; i++)
        CHECK(commit(&w[i], "", STORE_NO_DUE));
    CHECK_INT(now.next_due_ms, STORE_NO_DUE);
    due(&n);
    CHECK_INT(n, 0);
}

static void test_folding(void)
{
    static char large[1500];
    memset(large, 'x', sizeof large - 1);
    partitions("t/0", NULL);
    begin("t/0", 0);
    feed((struct feed){"t/0", 0, 1, 1, "a", "k", large, 0, 0, 0});
    feed((struct feed){"t/0", 1, 2, 2, "b", "k", large, 0, 0, 0});
    CHECK_INT(reply.windows_n, 0);
    feed((struct feed){"t/0", 2, 3, 3, "c", "k", large, 0, 0, 0});
    CHECK_INT(reply.windows_n, 1); /* too long to wait */
}

static void test_ids_forgotten(void)
{
    partitions("t/0", NULL);
    begin("t/0", 0);
    feed((struct feed){"t/0", 0, 1, 0, "a", NULL, NULL, 0, 0, 0});
    feed((struct feed){"t/0", 1, 2, MINUTE_MS - 1, "a", NULL, NULL, 0, 0,
                       0}); /* the same slot */
    CHECK_INT(reply.outcome, REVISE);
    feed((struct feed){"t/0", 1, 2, 10 * MINUTE_MS, "b", NULL, NULL, 0, 0, 0});
    size_t n;
    due(&n);
    feed((struct feed){"t/0", 2, 3, 10 * MINUTE_MS, "b", NULL, NULL, 0, 0, 0});
    CHECK_INT(reply.outcome, REVISE); /* still open */
}

static int count_lines(void *arg, struct str line)
{
    CHECK_STR(line, STR("{\"line\":1}"));
    ++*(int *)arg;
    return 0;
}

static void test_lines(void)
{
    int lines = 0;
    partitions("t/0", NULL);
    begin("t/0", 0);
    feed((struct feed){"t/0", 0, 1, 1, "a", "k", NULL, 1, 0, 0});
    CHECK(commit(&reply.windows[0], "s", STORE_NO_DUE));
    CHECK_INT(store->ops->record(store, count_lines, &lines, &err), 0);
    if (told.record.n)
        CHECK_STR(buf_str(&told.record), STR("{\"line\":1}\n"));
    else
        CHECK_INT(lines, 1);
    if (told.outbox.n)
        CHECK_STR(buf_str(&told.outbox), STR("eng {\"to\":1}\ncrm {\"to\":1}\n"));
}

static void test_idle(void)
{
    partitions("t/0", "t/1");
    begin("t/0", 3);
    idle("t/0", 9, T0);
    CHECK_INT(reply.outcome, MISPLACED);
    idle("t/0", 3, T0);
    CHECK_INT(reply.outcome, APPLIED);
    CHECK_INT(reply.clock.watermark_ms, STORE_NO_TIME); /* t/1 */
    begin("t/1", 0);
    idle("t/1", 0, T0 + 5000);
    CHECK_INT(reply.clock.watermark_ms, T0 - LATENESS_MS);
}

/* Another log under the same name: it is read from its beginning, and nothing of the old one fits any more. */
static void test_remade(void)
{
    partitions("t/0", NULL);
    struct store_place none = place("t/0");
    CHECK_INT(store->ops->remade(store, STR("t/0"), &none, &err), 0);
    CHECK_INT(place("t/0").cursor, -1); /* what has not begun cannot be another */
    begin("t/0", 0);
    feed((struct feed){"t/0", 0, 5, 5000, "a", "k", NULL, 0, 0, 0});
    struct store_place old = place("t/0");
    CHECK_INT(store->ops->remade(store, STR("t/0"), &old, &err), 0);
    CHECK_INT(place("t/0").cursor, 0);
    CHECK_INT(place("t/0").incarnation, 1);
    CHECK_INT(place("t/0").high_ms, STORE_NO_TIME);
    CHECK_INT(place("t/0").last_offset, -1);
    feed((struct feed){"t/0", 0, 5, 6000, "b", "k", NULL, 0, 0, 0});
    CHECK_INT(reply.outcome, MISPLACED); /* a late batch of the old log */
    feed((struct feed){"t/0", 0, 5, 5000, "a", "k", NULL, 0, 0, 1});
    CHECK_INT(reply.outcome, REVISE); /* counted once */
    feed((struct feed){"t/0", 0, 5, 6000, "c", "k", NULL, 0, 0, 1});
    CHECK_INT(reply.outcome, APPLIED);
    CHECK_INT(store->ops->remade(store, STR("t/0"), &old, &err), 0); /* once */
    CHECK_INT(place("t/0").cursor, 5);
    CHECK_INT(place("t/0").incarnation, 1);
}

static void (*const tests[])(void) = {
    test_cursor,       test_duplicates, test_watermark, test_judging,
    test_judged_later, test_due,        test_folding,   test_lines,
    test_idle,         test_remade,     test_ids_forgotten};
enum { TESTS = sizeof tests / sizeof tests[0] };

static void run(struct window_store *on, size_t i)
{
    store = on;
    buf_clear(&told.record);
    buf_clear(&told.outbox);
    err_clear(&err);
    tests[i]();
    if (err.kind != ERR_NONE)
        fprintf(stderr, "test %zu: %s\n", i, err.text);
    CHECK_INT(err.kind, ERR_NONE);
    arena_reset(&arena);
}

int main(void)
{
    arena_init(&arena);
    buf_init(&told.record, 10000);
    buf_init(&told.outbox, 10000);
    both_stores(LATENESS_MS, (struct memory_listener){&told, take_outbox, take_record},
                run, TESTS);
    arena_deinit(&arena);
    buf_deinit(&told.record);
    buf_deinit(&told.outbox);
    return check_result();
}
