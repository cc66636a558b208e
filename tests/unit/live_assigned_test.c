/* What the live loop answers when a partition becomes ours: which record is to be seen again, and what it does
 * while no store tells where the partition stands. */
#include "app/live_state.h"
#include "tests/check.h"

enum { SHARDS = 2 };

/* A store that tells one place, or none while it is away. */
struct place_store {
    struct window_store base;
    struct store_place place;
    bool away;
};

static int tell_place(struct window_store *s, struct str partition, struct arena *arena,
                      struct store_place *out, struct err *e)
{
    struct place_store *p = (struct place_store *)s;
    (void)partition, (void)arena;
    if (p->away)
        return err_set(e, ERR_UNAVAILABLE, "away");
    *out = p->place;
    return 0;
}

static const struct store_ops ops = {.cursor = tell_place};
static struct place_store stores[SHARDS];
static struct live live;

static void open_all(void)
{
    static struct source source;
    struct window_store *all[SHARDS];
    for (size_t i = 0; i < SHARDS; i++) {
        stores[i] = (struct place_store){.base.ops = &ops};
        all[i] = &stores[i].base;
    }
    live = (struct live){0};
    engine_init(&live.engine, NULL, 0, 1000, &source, all, SHARDS);
}

static struct source_place assigned(void)
{
    live.unknown_until_ms = 0;
    return live_assigned(&live, 0, STR("t/0"));
}

/* The first shard is ahead: its last record lies behind where reading begins, so that it would never be seen. */
static void test_record_of_the_shard_behind(void)
{
    open_all();
    stores[0].place =
        (struct store_place){.cursor = 9, .last_offset = 8, .last_hash = 88};
    stores[1].place =
        (struct store_place){.cursor = 5, .last_offset = 4, .last_hash = 44};
    struct source_place at = assigned();
    CHECK_INT(at.offset, 5);
    CHECK_INT(at.last_offset, 4);
    CHECK_INT(at.last_hash, 44);
    CHECK(live.engine.partitions[0].owned);
    engine_deinit(&live.engine);
}

static void test_asked_again(void)
{
    open_all();
    stores[1].away = true;
    CHECK_INT(assigned().offset, SOURCE_ASK_AGAIN);
    CHECK(!live.engine.partitions[0].owned);
    CHECK(live.unknown_until_ms > 0);
    stores[1].away = false;
    CHECK_INT(live_assigned(&live, 0, STR("t/0")).offset,
              SOURCE_ASK_AGAIN); /* a little later */
    CHECK_INT(assigned().offset, 0);
    CHECK(live.engine.partitions[0].owned);
    engine_deinit(&live.engine);
}

int main(void)
{
    test_record_of_the_shard_behind();
    test_asked_again();
    return check_result();
}
