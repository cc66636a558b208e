/* The engine between a source and stores in memory: what must hold where shards differ. */
#include "app/engine.h"

#include "config/config.h"
#include "core/clock.h"
#include "core/timefmt.h"
#include "tests/check.h"

enum { SHARDS = 2, LATENESS_MS = 60000, EVENTS = 20 };
static const int64_t T0 = 1772442000000; /* 2026-03-02T09:00:00Z */
static const char yaml[] = "time: {lateness: 1m}\n"
                           "sinks: {ops: {type: webhook, url: \"http://127.0.0.1:1/\"}}\n"
                           "rules:\n"
                           "  many:\n"
                           "    on: ticket.created\n"
                           "    by: [ticket.category]\n"
                           "    count: {at_least: 3, within: 10m}\n"
                           "    send: [ops]\n";

/* A source that hands out nothing and notes where it was sent. */
static int64_t sought;

static int seek(struct source *s, size_t slot, int64_t offset, struct err *e)
{
    (void)s, (void)slot, (void)e;
    sought = offset;
    return 0;
}

/* Tells one partition's end, then fails: another's leader is away. */
static int ends_asked;

static int ends(struct source *s, source_end_fn *fn, void *arg, struct err *e)
{
    (void)s;
    ends_asked++;
    fn(arg, 0, STR("t/0"), EVENTS);
    return err_set(e, ERR_UNAVAILABLE, "away");
}

static const struct source_ops ops = {.seek = seek, .ends = ends};
static struct source source = {&ops};

static struct config config;
static struct engine engine;
static struct window_store *stores[SHARDS];
static struct batch batch;
static struct err err;
static int said;

static void hear(void *arg, struct str sink, struct str body)
{
    (void)arg, (void)sink, (void)body;
    said++;
}

static void open_all(size_t shards_n)
{
    struct str name = STR("t/0");
    for (size_t i = 0; i < shards_n; i++) {
        stores[i] =
            memory_store_open(LATENESS_MS, (struct memory_listener){.outbox = hear});
        CHECK_INT(stores[i]->ops->partitions(stores[i], &name, 1, &err), 0);
    }
    engine_init(&engine, config.rules, config.rules_n, LATENESS_MS, &source, stores,
                shards_n);
    batch_init(&batch);
    sought = -1;
    said = 0;
}

static void close_all(void)
{
    batch_deinit(&batch);
    for (size_t i = 0; i < engine.shards_n; i++)
        stores[i]->ops->close(stores[i]);
    engine_deinit(&engine);
    CHECK_INT(err.kind, ERR_NONE);
}

static bool more; /* the source has the next batch in hand */

/* The events `id`0, `id`1, ... at offsets from `start` on, a second apart, each of a category of its own, or all of one. */
static int hand_out(int64_t start, size_t n, const char *id, const char *category)
{
    batch_reset(&batch);
    batch.name = STR("t/0");
    batch.start = start;
    batch.more = more;
    batch.next = start + (int64_t)n;
    batch.events = arena_alloc(&batch.arena, (n + 1) * sizeof *batch.events);
    batch.events_n = n;
    for (size_t i = 0; i < n; i++) {
        char text[32];
        struct event *event = &batch.events[i];
        snprintf(text, sizeof text, "%s%zu", id, i);
        event->id = arena_str(&batch.arena, str_of(text));
        event->type = EVENT_TICKET_CREATED;
        event->time_ms = T0 + (int64_t)i * 1000;
        event->values = arena_alloc(&batch.arena, sizeof *event->values);
        event_add(event, FIELD_TICKET_CATEGORY,
                  (struct value){.type = VALUE_TEXT,
                                 .text = category ? str_of(category) : event->id});
        event->offset = start + (int64_t)i;
    }
    return engine_batch(&engine, &batch, &err);
}

/* An event may go to several shards, and counts once whatever becomes of it. */
static void test_counts_of_shards(void)
{
    open_all(SHARDS);
    CHECK_INT(hand_out(0, EVENTS, "e", NULL), 0);
    CHECK_INT(engine.stats.events, EVENTS);
    CHECK_INT(engine.stats.duplicates, 0);
    CHECK_INT(hand_out(EVENTS, EVENTS, "e", NULL), 0);
    CHECK_INT(engine.stats.events, 2 * EVENTS);
    CHECK_INT(engine.stats.duplicates, EVENTS);
    CHECK_INT(engine.stats.rules[0].matches, EVENTS);
    close_all();
}

/* The log was made anew while a shard lost its state: it begins in the new log, and nothing waits for what is
 * not there. */
static void test_remade_and_lost(void)
{
    open_all(SHARDS);
    CHECK_INT(hand_out(0, EVENTS, "e", NULL), 0);
    stores[1]->ops->close(stores[1]);
    stores[1] = memory_store_open(LATENESS_MS, (struct memory_listener){.outbox = hear});
    engine.shards[1].store = stores[1];
    CHECK_INT(engine_remade(&engine, 0, &err), 0);
    CHECK_INT(sought, 0);
    for (size_t i = 0; i < SHARDS; i++) {
        CHECK_INT(engine.partitions[0].at[i].cursor, 0);
        CHECK_INT(engine.partitions[0].at[i].incarnation, 1);
    }
    CHECK_INT(hand_out(0, 5, "f", NULL), 0);
    CHECK_INT(engine.partitions[0].next, 5);
    close_all();
}

/* Another process found that the log was made anew: marks of the one before say nothing of it. */
static void test_marks_of_another_log(void)
{
    struct store_place at;
    open_all(1);
    CHECK_INT(hand_out(0, EVENTS, "e", NULL), 0);
    CHECK_INT(engine.partitions[0].marks.items[engine.partitions[0].marks.n - 1].offset,
              EVENTS);
    CHECK_INT(stores[0]->ops->cursor(stores[0], STR("t/0"), &batch.arena, &at, &err), 0);
    CHECK_INT(stores[0]->ops->remade(stores[0], STR("t/0"), &at, &err), 0);
    engine_forget(&engine);
    CHECK_INT(engine_reposition(&engine, 0, &err), 0);
    CHECK_INT(sought, 0);
    const struct marks *marks = &engine.partitions[0].marks;
    CHECK_INT(marks->n, 1);
    CHECK_INT(marks->items[0].offset, 0);
    CHECK_INT(marks->items[0].high_ms, MARK_NONE);
    close_all();
}

/* A broker that is away is no reason to forget what the stores told, or to ask it all the time. */
static void test_ends_unknown(void)
{
    open_all(1);
    ends_asked = 0;
    CHECK_INT(hand_out(0, EVENTS, "e", NULL), 0);
    engine.partitions[0].owned = true;
    CHECK_INT(engine_look_at_ends(&engine, 1000, &err), 0);
    CHECK(engine.partitions[0].placed && engine.partitions[0].at_end);
    CHECK_INT(engine_look_at_ends(&engine, 0, &err), 0);
    CHECK_INT(ends_asked, 1);
    close_all();
}

static int die(struct window_store *s, struct judged *judged, size_t n,
               struct store_clock *clock, struct err *e)
{
    (void)s, (void)judged, (void)n, (void)clock;
    return err_set(e, ERR_UNAVAILABLE, "dead");
}

/* Before there is a watermark a process dies, and one of another configuration sees what it left: it is judged
 * all the same, later, by who knows the rule. */
static void test_windows_of_others(void)
{
    struct str names[] = {STR("t/0"), STR("t/1")};
    struct store_place begin = {.high_ms = T0 + 3600000};
    struct engine other;
    open_all(1);
    CHECK_INT(stores[0]->ops->partitions(stores[0], names, 2, &err), 0);
    const struct store_ops *alive = stores[0]->ops;
    struct store_ops dying = *alive;
    dying.commit = die;
    stores[0]->ops = &dying;
    CHECK_INT(hand_out(0, 3, "e", "k"), -1);
    err_clear(&err);
    stores[0]->ops = alive;
    engine_init(&other, config.rules, 0, LATENESS_MS, &source, stores, 1);
    CHECK_INT(engine_look(&other, &err), 0);
    CHECK_INT(other.shards[0].clock.waiting_n, 0);
    engine_deinit(&other);
    CHECK_INT(stores[0]->ops->begin(stores[0], names[1], &begin, &err), 0);
    CHECK_INT(hand_out(3, 1, "f", NULL), 0);
    CHECK_INT(said, 1);
    close_all();
}

static size_t rounds, pressed_until;

/* Something lapses in each round, more than there is time for. */
static int due_slowly(struct window_store *s, size_t limit, bool unproven,
                      struct arena *a, struct window **windows, size_t *n,
                      struct store_clock *clock, struct err *e)
{
    (void)s, (void)limit, (void)unproven, (void)a, (void)e;
    int64_t until_ms = clock_monotonic_ms() + 3;
    while (clock_monotonic_ms() < until_ms)
        continue;
    *windows = NULL;
    *n = 0;
    *clock = (struct store_clock){
        .waiting_n = 1, .lapsed_n = 1, .pressed = ++rounds < pressed_until};
    return 0;
}

/* A look ends when its time is over, unless the store has too much to keep. */
static void test_pressed(void)
{
    open_all(1);
    const struct store_ops *quick = stores[0]->ops;
    struct store_ops slow = *quick;
    slow.due = due_slowly;
    stores[0]->ops = &slow;
    engine.tick_ms = 1;
    for (size_t i = 0; i < 2; i++) {
        rounds = 0;
        pressed_until = i ? 5 : 0;
        CHECK_INT(engine_look(&engine, &err), 0);
        CHECK_INT(rounds, i ? 5 : 1);
    }
    stores[0]->ops = quick;
    close_all();
}

static size_t due_asked;
static const struct store_ops *asked;

static int count_due(struct window_store *s, size_t limit, bool unproven, struct arena *a,
                     struct window **windows, size_t *n, struct store_clock *clock,
                     struct err *e)
{
    due_asked++;
    return asked->due(s, limit, unproven, a, windows, n, clock, e);
}

/* The store's own batch, as if others had been applied by another process. */
static int apply_alone(struct window_store *s, const struct apply *a, struct arena *arena,
                       struct apply_reply *out, struct err *e)
{
    int result = asked->apply(s, a, arena, out, e);
    out->windows_n = 0;
    return result;
}

/* What three batches brought is judged once, behind the last of them; or when it has waited for long. */
static void test_judged_together(void)
{
    open_all(1);
    asked = stores[0]->ops;
    struct store_ops counting = *asked;
    counting.due = count_due;
    counting.apply = apply_alone;
    stores[0]->ops = &counting;
    engine.ticked_ms = clock_monotonic_ms() + 3600000;
    due_asked = 0;
    more = true;
    CHECK_INT(hand_out(0, 3, "e", "k"), 0);
    CHECK_INT(hand_out(3, 3, "f", "k"), 0);
    CHECK(engine.put_off);
    CHECK_INT(said, 0);
    CHECK_INT(due_asked, 0);
    more = false;
    CHECK_INT(hand_out(6, 3, "g", "l"), 0);
    CHECK(!engine.put_off);
    CHECK_INT(said, 2);
    CHECK_INT(due_asked, 1);
    more = true;
    engine.ticked_ms = clock_monotonic_ms() - 3600000;
    CHECK_INT(hand_out(9, 3, "h", "m"), 0);
    CHECK(!engine.put_off);
    CHECK_INT(said, 3);
    engine.ticked_ms = clock_monotonic_ms() + 3600000;
    CHECK_INT(hand_out(12, 3, "i", "n"), 0);
    CHECK(engine.put_off);
    CHECK_INT(engine_tick(&engine, &err), 0); /* there was no more, after all */
    CHECK(!engine.put_off);
    CHECK_INT(said, 4);
    more = false;
    stores[0]->ops = asked;
    close_all();
}

static int is_away(struct window_store *s, size_t limit, bool unproven, struct arena *a,
                   struct window **windows, size_t *n, struct store_clock *clock,
                   struct err *e)
{
    (void)s, (void)limit, (void)unproven, (void)a, (void)windows, (void)n, (void)clock;
    return err_set(e, ERR_UNAVAILABLE, "away");
}

/* A shard that does not answer keeps nobody waiting but those of its own. */
static void test_put_off_beside_one_that_is_away(void)
{
    open_all(SHARDS);
    const struct store_ops *fine = stores[0]->ops;
    struct store_ops away = *fine;
    away.due = is_away;
    more = true;
    engine.ticked_ms = clock_monotonic_ms() + 3600000;
    CHECK_INT(hand_out(0, EVENTS, "e", NULL), 0); /* keys of both shards */
    CHECK_INT(hand_out(EVENTS, EVENTS, "f", NULL), 0);
    CHECK(engine.put_off);
    stores[0]->ops = &away;
    engine.shards[0].clock.waiting_n = engine.shards[1].clock.waiting_n = 1;
    due_asked = 0;
    asked = fine;
    struct store_ops counting = *fine;
    counting.due = count_due;
    stores[1]->ops = &counting;
    CHECK_INT(engine_tick(&engine, &err), -1);
    CHECK_INT(err.kind, ERR_UNAVAILABLE);
    CHECK(due_asked > 0);
    CHECK(engine.put_off);
    err_clear(&err);
    stores[0]->ops = stores[1]->ops = fine;
    CHECK_INT(engine_tick(&engine, &err), 0);
    CHECK(!engine.put_off);
    more = false;
    close_all();
}

/* Where the journal is too long, or there was no time for all, the next batch is judged at once. */
static void test_not_put_off(void)
{
    open_all(1);
    batch.more = true;
    engine.ticked_ms = clock_monotonic_ms() + 3600000;
    CHECK(engine_may_put_off(&engine, &batch));
    engine.shards[0].clock.pressed = true;
    CHECK(!engine_may_put_off(&engine, &batch));
    engine.shards[0].clock.pressed = false;
    const struct store_ops *quick = stores[0]->ops;
    struct store_ops slow = *quick;
    slow.due = due_slowly;
    stores[0]->ops = &slow;
    rounds = pressed_until = 0;
    engine.tick_ms = 1;
    engine.put_off = true;
    engine.ticked_ms = 0;
    engine.shards[0].clock.waiting_n = 1;
    CHECK_INT(engine_tick(&engine, &err), 0);
    CHECK(engine.put_off);
    CHECK_INT(engine.ticked_ms, 0);
    CHECK(!engine_may_put_off(&engine, &batch));
    stores[0]->ops = quick;
    close_all();
}

int main(void)
{
    struct config_report report = {0};
    buf_init(&report.text, 65536);
    CHECK_INT(config_parse(str_of(yaml), "t.yaml", &config, CONFIG_REPLAY, &report), 0);
    CHECK_STR(buf_str(&report.text), STR(""));
    if (check_failures)
        return check_result();
    test_counts_of_shards();
    test_remade_and_lost();
    test_marks_of_another_log();
    test_ends_unknown();
    test_windows_of_others();
    test_pressed();
    test_judged_together();
    test_put_off_beside_one_that_is_away();
    test_not_put_off();
    buf_deinit(&report.text);
    config_deinit(&config);
    return check_result();
}
