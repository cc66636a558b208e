/* The journal's fields, and what a mirror makes of them. */
#include "windows/mirror.h"

#include "tests/check.h"

enum { SLOT_MS = 60000 };

static struct mirror m;
static struct buf field, packed;
static struct arena arena;

static void begin(const char *lane, int64_t watermark_ms)
{
    struct journal_head head = {str_of(lane), watermark_ms, 5};
    buf_clear(&field);
    journal_put_head(&field, &head);
}

static bool fold(int64_t number, const char *name)
{
    journal_pack(&m.codec, buf_str(&field), &packed);
    m.next = number + 1;
    return mirror_fold(&m, number, str_of(name), buf_str(&packed));
}

static struct journal_item records(const char *key, int64_t due_ms, bool lapses)
{
    return (struct journal_item){.key = str_of(key),
                                 .lapses = lapses,
                                 .n = 1,
                                 .bytes = 3,
                                 .judge_at = 3,
                                 .due_ms = due_ms,
                                 .records = STR("\1\0r")};
}

static void put(struct journal_item item)
{
    journal_put_item(&field, &item);
}

static struct mirror_window *window(const char *key)
{
    struct buf head;
    buf_init(&head, 1000);
    buf_str16(&head, STR("rule"));
    buf_text(&head, key);
    struct window_id id = window_id_of(buf_str(&head));
    buf_deinit(&head);
    return mirror_find(&m, &id);
}

static size_t to_judge(int64_t watermark_ms)
{
    struct mirror_window *out[100];
    return mirror_judge(&m, mirror_domain(&m, STR_NONE), watermark_ms, false, 100, out);
}

static void test_lapses_at_the_watermark_of_a_field(void)
{
    begin("", STORE_NO_TIME);
    put(records("a", 1000, true));
    put(records("b", 1000, true));
    put(records("d", 1000, true));
    CHECK(fold(1, "1 w rule"));
    CHECK_INT(mirror_count(&m, STR("rule")), 3);
    CHECK_INT(mirror_next_due(&m, mirror_domain(&m, STR_NONE)), STORE_NO_DUE);
    begin("", 999);
    put(records("b", 2000, false)); /* it does not lapse any more */
    put(records("d", 1500, true));  /* when the last of them does */
    CHECK(fold(2, "2 w rule"));
    CHECK(window("a") != NULL);
    begin("", 1000);
    put(records("c", 9000, true));
    CHECK(fold(3, "3 w rule"));
    CHECK(window("a") == NULL);
    CHECK_INT(window("b")->records_n, 2);
    CHECK_INT(mirror_next_due(&m, mirror_domain(&m, STR_NONE)), 1000);
    CHECK_INT(to_judge(999), 0);
    CHECK_INT(to_judge(1000), 1);
    CHECK_INT(to_judge(1000), 1); /* until it is committed */
    CHECK_INT(window("d")->records_n, 2);
    begin("", 1500);
    CHECK(fold(4, "4 i"));
    CHECK(window("d") == NULL);
}

static void test_does_not_lapse_with_enough_records(void)
{
    begin("", STORE_NO_TIME);
    for (int i = 0; i < 3; i++)
        put(records("a", 1000 + i, true)); /* judge_at of them */
    CHECK(fold(1, "1 w rule"));
    CHECK_INT(to_judge(0), 1);
    begin("", 5000);
    CHECK(fold(2, "2 i"));
    CHECK_INT(to_judge(5000), 1);
}

static void test_wants_judging_until_it_is_committed(void)
{
    for (int64_t i = 1; i <= 3; i++) {
        char name[] = "0 w rule";
        name[0] = (char)('0' + i);
        begin("", STORE_NO_TIME);
        put(records("k", 1000, false));
        CHECK(fold(i, name));
        CHECK_INT(to_judge(STORE_NO_TIME), i == 3);
    }
    CHECK_INT(mirror_waits_from(mirror_domain(&m, STR_NONE)), 5);
    begin("", STORE_NO_TIME);
    put((struct journal_item){
        .key = STR("k"), .committed = true, .as_it_was = true, .due_ms = 7});
    CHECK(fold(4, "4 w rule"));
    CHECK_INT(to_judge(STORE_NO_TIME), 0);
    CHECK_INT(window("k")->records_n, 3);
    CHECK_INT(window("k")->due_ms, 7);
    begin("", STORE_NO_TIME);
    put((struct journal_item){
        .key = STR("k"), .committed = true, .n = 2, .bytes = 6, .due_ms = 9});
    CHECK(fold(5, "5 w rule"));
    CHECK(window("k")->based);
    CHECK_INT(window("k")->records_n, 0);
    CHECK_INT(window("k")->base_n, 2);
    CHECK_INT(window("k")->touched, 5);
    begin("", STORE_NO_TIME);
    put((struct journal_item){.key = STR("k"), .committed = true, .gone = true});
    CHECK(fold(6, "6 w rule"));
    CHECK(window("k") == NULL);
    CHECK_INT(mirror_count(&m, STR("rule")), 0);
}

static void test_fields_go_in_order(void)
{
    struct str dead[8];
    begin("", STORE_NO_TIME);
    put(records("a", 1000, true));
    CHECK(fold(1, "1 w rule"));
    begin("", STORE_NO_TIME);
    put((struct journal_item){.key = STR("z"), .committed = true, .gone = true});
    CHECK(fold(2, "2 w rule"));
    m.now_ms = 100000;
    CHECK_INT(mirror_dead(&m, 8, &arena, dead), 0); /* the first is needed */
    dead[0] = STR("1 w rule");
    CHECK(!mirror_trim(&m, dead, 1)); /* whoever says so */
    begin("", 1000);
    CHECK(fold(3, "3 w rule"));
    CHECK_INT(mirror_dead(&m, 8, &arena, dead), 2); /* the third has just come */
    CHECK_STR(dead[0], STR("1 w rule"));
    CHECK(mirror_trim(&m, dead, 2));
    CHECK_INT(mirror_dead(&m, 8, &arena, dead), 0);
    m.now_ms = 200000;
    CHECK_INT(mirror_dead(&m, 8, &arena, dead), 1);
}

static void test_ids_and_lanes(void)
{
    struct journal_id id = {.time_ms = 100};
    journal_hash(STR("evt-1"), &id);
    begin("lane", STORE_NO_TIME);
    journal_put_id(&field, &id, 0);
    CHECK(fold(1, "1 i"));
    begin("lane", STORE_NO_TIME);
    put(records("k", 1000, false));
    CHECK(fold(1, "1 w rule"));
    CHECK(mirror_seen(&m, STR("lane"), &id));
    CHECK(!mirror_seen(&m, STR_NONE, &id));
    CHECK_INT(to_judge(1000), 0);
    CHECK(mirror_fold(&m, 2, STR("2 j"), STR("lane")));
    CHECK(mirror_seen(&m, STR_NONE, &id));
    CHECK_INT(to_judge(1000), 1);
    begin("", SLOT_MS);
    CHECK(fold(3, "3 i"));
    CHECK(!mirror_seen(&m, STR_NONE, &id));
}

/* Empty frames, zstd's and one that zstd skips, before those of a field: they would stand in the others' places. */
static void test_refuses_empty_frames(void)
{
    static const struct str empty[] = {{"\x28\xb5\x2f\xfd\x20\0\1\0\0", 9},
                                       {"\x50\x2a\x4d\x18\0\0\0\0", 8}};
    begin("", STORE_NO_TIME);
    for (int i = 0; i < 100; i++)
        put(records("k", 1000, false));
    CHECK(fold(1, "1 w rule"));
    for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
        struct buf with;
        buf_init(&with, 1 << 20);
        buf_char(&with, packed.p[0]);
        buf_put(&with, empty[i]);
        buf_put(&with, str_from(buf_str(&packed), 1));
        CHECK(!mirror_fold(&m, 2, STR("2 w rule"), buf_str(&with)));
        buf_deinit(&with);
    }
}

static void test_what_is_damaged(void)
{
    CHECK(!mirror_fold(&m, 1, STR("1 w rule"), STR("\2no frame")));
    CHECK(!mirror_fold(&m, 1, STR("1 x"), STR("")));
    begin("", STORE_NO_TIME);
    put(records("k", 1000, false));
    field.n--;
    CHECK(!fold(1, "1 w rule"));
}

/* Windows come and go: each is found, or not, whatever else is there. */
static void test_many(void)
{
    static const int64_t many = 5000;
    char key[24];
    for (int64_t round = 0; round < 2; round++) {
        begin("", STORE_NO_TIME);
        for (int64_t i = 0; i < many; i++) {
            snprintf(key, sizeof key, "%lld", (long long)i);
            struct journal_item item = records(key, 1000, false);
            if (i % 3 == round)
                item = (struct journal_item){
                    .key = str_of(key), .committed = true, .gone = true};
            put(item);
        }
        CHECK(fold(round + 1, round ? "2 w rule" : "1 w rule"));
    }
    for (int64_t i = 0; i < many; i++) {
        snprintf(key, sizeof key, "%lld", (long long)i);
        const struct mirror_window *w = window(key);
        CHECK_INT(w ? w->records_n : 0, i % 3 == 1 ? 0 : i % 3 == 0 ? 1 : 2);
    }
}

/* One record of a length between nothing and three frames, told by its key's number. */
static struct str long_record(int64_t i)
{
    static char bytes[2 + (3 * JOURNAL_FRAME_BYTES)];
    size_t n = (size_t)(i * i * i * 7919 % (i % 16 ? 600 : 3 * JOURNAL_FRAME_BYTES));
    bytes[0] = (char)(n & 0xff);
    bytes[1] = (char)(n >> 8);
    for (size_t k = 0; k < n; k++)
        bytes[2 + k] = (char)('a' + (k * 31 + (size_t)i) % 23 % 5);
    return (struct str){bytes, 2 + n};
}

static void test_reads_records_frame_by_frame(void)
{
    enum { MANY = 1000, STEP = 389 };
    char key[24];
    begin("", STORE_NO_TIME);
    for (int64_t i = 0; i < MANY; i++) {
        snprintf(key, sizeof key, "%lld", (long long)i);
        struct journal_item item = records(key, 1000, false);
        item.records = long_record(i);
        item.bytes = (uint32_t)item.records.n;
        put(item);
    }
    CHECK(fold(1, "1 w rule"));
    CHECK(packed.n * 2 < field.n); /* it is compressed */
    for (int64_t n = 0, i = 0; n < 2 * MANY; n++, i = (i + STEP) % MANY) {
        snprintf(key, sizeof key, "%lld", (long long)i);
        struct journal_item item;
        uint32_t at = 0;
        CHECK(mirror_next_piece(&m, window(key), &at, &arena, &item));
        CHECK(str_is(item.key, key));
        CHECK(str_eq(item.records, long_record(i)));
        CHECK(!mirror_next_piece(&m, window(key), &at, &arena, &item));
    }
}

/* Fields that end where a frame does, or beside that, and items that begin there. */
static void test_reads_whole_frames(void)
{
    static char text[2 + 2 * JOURNAL_FRAME_BYTES];
    for (size_t bytes = JOURNAL_FRAME_BYTES - 3; bytes <= JOURNAL_FRAME_BYTES + 5;
         bytes++)
        for (size_t rest = 0; rest < 2; rest++) {
            begin("", STORE_NO_TIME);
            struct journal_item item = records("a", 1000, false);
            size_t with_one = field.n;
            put(item);
            with_one = field.n - with_one;
            size_t n = bytes - field.n - with_one - 4; /* numbers of two bytes for it */
            text[0] = (char)(n & 0xff);
            text[1] = (char)(n >> 8);
            item = (struct journal_item){.key = STR("b"),
                                         .n = 1,
                                         .due_ms = 1000,
                                         .bytes = (uint32_t)n + 2,
                                         .records = {text, n + 2}};
            put(item);
            if (rest)
                put(records("c", 1000, false));
            mirror_deinit(&m);
            mirror_init(&m, SLOT_MS);
            CHECK(fold(1, "1 w rule"));
            uint32_t at = 0;
            CHECK(mirror_next_piece(&m, window("b"), &at, &arena, &item));
            CHECK_INT(item.records.n, n + 2);
            at = 0;
            CHECK(!rest || mirror_next_piece(&m, window("c"), &at, &arena, &item));
            CHECK(str_eq(item.records, rest ? STR("\1\0r") : (struct str){text, n + 2}));
        }
}

static bool is_recent(const struct mirror_field *f)
{
    return recent_at(&m.recent, f->recent_place, f->plain_n).p != NULL;
}

/* The last fields are read as they are; those that others took the room of from their frames. */
static void test_reads_what_is_recent(void)
{
    enum { FIELDS = 12, ROOM = 8000, TEXT_BYTES = 1000 };
    char name[16];
    uint32_t at = 0;
    struct journal_item item;
    m.recent.room = ROOM;
    for (int i = 1; i <= FIELDS; i++) {
        char text[2 + TEXT_BYTES] = {(char)(TEXT_BYTES & 0xff), (char)(TEXT_BYTES >> 8)};
        memset(text + 2, 'a' + i, TEXT_BYTES);
        item = records("k", 1000, false);
        item.bytes = sizeof text;
        item.records = (struct str){text, sizeof text};
        begin("", STORE_NO_TIME);
        put(item);
        snprintf(name, sizeof name, "%d w rule", i);
        CHECK(fold(i, name));
    }
    CHECK(!is_recent(m.names[0]->fields.first));
    CHECK(is_recent(m.names[0]->fields.last));
    for (int i = 1; i <= FIELDS; i++) {
        CHECK(mirror_next_piece(&m, window("k"), &at, &arena, &item));
        CHECK_INT(item.records.n, 2 + TEXT_BYTES);
        CHECK_INT(item.records.p[2], 'a' + i);
        CHECK_INT(item.records.p[1 + TEXT_BYTES], 'a' + i);
    }
}

static void (*const tests[])(void) = {test_lapses_at_the_watermark_of_a_field,
                                      test_does_not_lapse_with_enough_records,
                                      test_wants_judging_until_it_is_committed,
                                      test_fields_go_in_order,
                                      test_ids_and_lanes,
                                      test_what_is_damaged,
                                      test_refuses_empty_frames,
                                      test_many,
                                      test_reads_records_frame_by_frame,
                                      test_reads_whole_frames,
                                      test_reads_what_is_recent};

int main(void)
{
    buf_init(&field, 4 << 20);
    buf_init(&packed, 4 << 20);
    arena_init(&arena);
    for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++) {
        mirror_init(&m, SLOT_MS);
        tests[i]();
        mirror_deinit(&m);
    }
    arena_deinit(&arena);
    buf_deinit(&field);
    buf_deinit(&packed);
    return check_result();
}
