/* Random journals: whoever begins in the middle, from bases and the fields that were not dropped, knows the same as who read
 * all of it, whatever was written while it read. The writer is one that drops; another never does. */
#include "tests/check.h"
#include "windows/mirror.h"

enum {
    SLOT_MS = 60,
    RULES = 3,
    KEYS = 30,
    TEXTS = 1000, /* of ids */
    ENTRIES = 600,
    FIELDS = 4 * ENTRIES,
    DROP_AT_ONCE = 16,
    PARTS = 4, /* of a load: where it begins, bases twice, fields */
    SEEDS = 25,
    JOINS_AT = ENTRIES / 2,
    ENTRY_MS = 1000 /* each takes */
};

/* The third rule is the lane's until that joins. */
static const char *const rules[RULES] = {"a", "b", "c L"};

struct stored {
    int64_t number;
    struct str name, bytes;
    bool there;
};

struct entry {
    size_t from, to; /* of the fields */
    struct str dropped[DROP_AT_ONCE];
    size_t dropped_n;
};

struct base {
    bool there;
    int64_t number;
    struct journal_item item;
};

/* What Redis has. */
static struct stored fields[FIELDS];
static size_t fields_n;
static struct entry entries[ENTRIES + 2];
static struct base bases[RULES][KEYS];
static struct window_id window_ids[RULES][KEYS];

/* Who begins in the middle. */
struct reader_on {
    struct mirror m;
    struct base bases[RULES][KEYS]; /* as they were read */
    int64_t begun, at;              /* after which entry; how far it is */
    int parts;                      /* it has read */
    bool passed[2];                 /* a domain's watermark is told with its next entry */
};

static struct mirror all, writer;
static struct reader_on reader;
static struct arena arena;
static struct buf bytes, packed;
static int64_t number, watermark_ms[2];
static bool joined;
static unsigned random_state;

static unsigned draw(unsigned below)
{
    random_state = random_state * 1103515245U + 12345U;
    return (random_state >> 8) % below;
}

static size_t domain_of(size_t rule)
{
    return rule == RULES - 1 && !joined ? 1 : 0;
}

static struct str lane_of(size_t domain)
{
    return domain ? STR("L") : STR("");
}

static struct str key_text(size_t key)
{
    static char texts[TEXTS][4];
    return (struct str){texts[key], (size_t)snprintf(texts[key], 4, "%zu", key)};
}

static void name_windows(void)
{
    for (size_t rule = 0; rule < RULES; rule++)
        for (size_t key = 0; key < KEYS; key++) {
            buf_clear(&bytes);
            buf_str16(&bytes, str_of(rules[rule]));
            buf_put(&bytes, key_text(key));
            window_ids[rule][key] = window_id_of(buf_str(&bytes));
        }
}

/* --- writing --- */

static void field_begin(size_t domain)
{
    struct journal_head head = {lane_of(domain), watermark_ms[domain], 0};
    buf_clear(&bytes);
    journal_put_head(&bytes, &head);
}

static void put_field(const char *kind, const char *rule, struct str value)
{
    char name[64];
    int n = snprintf(name, sizeof name, "%lld %s%s", (long long)number + 1, kind, rule);
    fields[fields_n++] =
        (struct stored){number + 1, arena_str(&arena, (struct str){name, (size_t)n}),
                        arena_str(&arena, value), true};
}

static void field_end(const char *kind, const char *rule)
{
    journal_pack(&writer.codec, buf_str(&bytes), &packed);
    put_field(kind, rule, buf_str(&packed));
}

static void fold(struct mirror *m, const struct entry *e, bool drops)
{
    m->now_ms = number * ENTRY_MS;
    for (size_t i = e->from; i < e->to; i++) {
        CHECK(fields[i].there);
        CHECK(mirror_fold(m, fields[i].number, fields[i].name, fields[i].bytes));
    }
    if (drops)
        CHECK(mirror_trim(m, e->dropped, e->dropped_n));
}

static void drop(struct str name)
{
    for (size_t i = 0; i < fields_n; i++)
        if (str_eq(fields[i].name, name))
            fields[i].there = false;
}

static void write_entry(bool may_drop)
{
    struct entry *e = &entries[++number];
    e->to = fields_n;
    e->dropped_n = 0;
    writer.now_ms = number * ENTRY_MS;
    if (may_drop)
        e->dropped_n = mirror_dead(&writer, DROP_AT_ONCE, &arena, e->dropped);
    for (size_t i = 0; i < e->dropped_n; i++)
        drop(e->dropped[i]);
    fold(&writer, e, true);
    fold(&all, e, false);
    entries[number + 1].from = fields_n;
}

static void apply(size_t domain)
{
    watermark_ms[domain] += draw(4) ? draw(8) : draw(100);
    field_begin(domain);
    int64_t before_ms = 0;
    for (unsigned i = draw(3); i; i--) {
        struct journal_id id = {.time_ms = watermark_ms[domain] + draw(50)};
        journal_hash(key_text(draw(TEXTS)), &id);
        journal_put_id(&bytes, &id, before_ms);
        before_ms = id.time_ms;
    }
    field_end("i", "");
    for (size_t rule = 0; rule < RULES; rule++) {
        if (domain_of(rule) != domain || draw(3) == 0)
            continue;
        field_begin(domain);
        for (size_t key = draw(6); key < KEYS; key += 1 + draw(20)) {
            unsigned n = 1 + draw(2);
            struct journal_item item = {.key = key_text(key),
                                        .lapses = draw(4) > 0,
                                        .n = n,
                                        .bytes = 3 * n,
                                        .judge_at = 3 + draw(3),
                                        .due_ms = watermark_ms[domain] + 1 + draw(90),
                                        .records = {"\1\0r\1\0s", 3 * (size_t)n}};
            journal_put_item(&bytes, &item);
        }
        field_end("w ", rules[rule]);
    }
    write_entry(true);
}

/* What became of a window that was judged. */
static void put_judged(size_t rule, size_t key, const struct mirror_window *w)
{
    bool gone = draw(4) == 0, as_it_was = !gone && !w->waits && draw(2);
    uint32_t kept = gone || as_it_was ? 0 : draw(3);
    struct journal_item item = {
        .key = key_text(key),
        .committed = true,
        .gone = gone,
        .as_it_was = as_it_was,
        .unproven = draw(5) == 0,
        .n = kept,
        .bytes = 3 * kept,
        .due_ms = draw(3) ? watermark_ms[domain_of(rule)] + 1 + draw(200) : STORE_NO_DUE};
    if (as_it_was && item.due_ms < w->due_ms && w->records_n == 0)
        item.due_ms = w->due_ms; /* nothing new makes it due earlier */
    journal_put_item(&bytes, &item);
    item.key = STR_NONE;
    if (!as_it_was)
        bases[rule][key] = (struct base){!gone, number + 1, item};
}

static void commit(size_t domain)
{
    for (size_t rule = 0; rule < RULES; rule++) {
        if (domain_of(rule) != domain)
            continue;
        field_begin(domain);
        for (size_t key = 0; key < KEYS; key++) {
            const struct mirror_window *w = mirror_find(&writer, &window_ids[rule][key]);
            bool due = w && !w->lapses && w->due_ms <= watermark_ms[domain];
            if (w && (due || w->waits || draw(30) == 0) && draw(3))
                put_judged(rule, key, w);
        }
        field_end("w ", rules[rule]);
    }
    write_entry(false);
}

static void join(void)
{
    put_field("j", "", STR("L"));
    joined = true;
    if (watermark_ms[0] < watermark_ms[1])
        watermark_ms[0] = watermark_ms[1];
    write_entry(false);
}

/* --- reading --- */

static void read_bases(struct reader_on *r, size_t first)
{
    for (size_t rule = 0; rule < RULES; rule++)
        for (size_t key = first; key < KEYS; key += 2)
            r->bases[rule][key] = bases[rule][key];
}

static void load_all(struct reader_on *r)
{
    mirror_deinit(&r->m);
    mirror_init(&r->m, SLOT_MS);
    for (size_t rule = 0; rule < RULES; rule++)
        for (size_t key = 0; key < KEYS; key++) {
            const struct base *b = &r->bases[rule][key];
            if (b->there)
                mirror_base(&r->m, b->number, lane_of(rule == RULES - 1),
                            str_of(rules[rule]), &window_ids[rule][key], &b->item);
        }
    for (size_t i = 0; i < fields_n; i++)
        if (fields[i].there && fields[i].number <= r->begun)
            CHECK(mirror_fold(&r->m, fields[i].number, fields[i].name, fields[i].bytes));
    r->at = r->begun;
    r->passed[0] = r->passed[1] = false;
}

static void read_on(struct reader_on *r, size_t domain)
{
    if (r->parts < PARTS && draw(3) == 0) {
        r->parts++;
        if (r->parts == 1)
            r->begun = number;
        else if (r->parts < PARTS)
            read_bases(r, (size_t)r->parts - 2);
        else
            load_all(r);
    }
    while (r->parts == PARTS && r->at < number) {
        r->passed[domain] = r->at + 1 == number;
        fold(&r->m, &entries[++r->at], true);
    }
}

/* --- comparing --- */

static void same_windows(const struct mirror *m, size_t domain, bool exactly)
{
    for (size_t rule = 0; rule < RULES; rule++) {
        if (domain_of(rule) != domain)
            continue;
        CHECK_INT(mirror_count(m, str_of(rules[rule])),
                  mirror_count(&all, str_of(rules[rule])));
        for (size_t key = 0; key < KEYS; key++) {
            const struct mirror_window *w = mirror_find(m, &window_ids[rule][key]),
                                       *x = mirror_find(&all, &window_ids[rule][key]);
            CHECK_INT(w != NULL, x != NULL);
            if (!w || !x)
                continue;
            CHECK_INT(w->records_n, x->records_n);
            CHECK_INT(w->bytes, x->bytes);
            CHECK_INT(w->based, x->based);
            CHECK_INT(w->base_n, x->base_n);
            CHECK_INT(w->base_number, x->base_number);
            CHECK_INT(w->lapses, x->lapses);
            CHECK_INT(w->waits, x->waits);
            /* A judgement that left a window as it was may have been dropped: it is judged once more. */
            CHECK(exactly ? w->due_ms == x->due_ms : w->due_ms <= x->due_ms);
            CHECK(!exactly || (w->unproven == x->unproven && w->touched == x->touched));
        }
    }
}

static void same_ids(struct mirror *m, size_t domain)
{
    for (size_t text = draw(20); text < TEXTS; text += 20)
        for (int64_t ms = 0; ms < 50; ms += 5) {
            struct journal_id id = {.time_ms = watermark_ms[domain] + ms};
            journal_hash(key_text(text), &id);
            CHECK_INT(mirror_seen(m, lane_of(domain), &id),
                      mirror_seen(&all, lane_of(domain), &id));
        }
}

/* What wants judging, or is due, is asked for, and nothing else. */
static void asks_for_all(struct mirror *m, size_t domain)
{
    static struct mirror_window *out[RULES * KEYS];
    struct mirror_domain *d = mirror_domain(m, lane_of(domain));
    int64_t next_ms = STORE_NO_DUE;
    size_t wanted = 0;
    for (size_t rule = 0; rule < RULES; rule++)
        for (size_t key = 0; key < KEYS && domain_of(rule) == domain; key++) {
            const struct mirror_window *w = mirror_find(m, &window_ids[rule][key]);
            if (!w)
                continue;
            wanted += w->waits || (!w->lapses && w->due_ms <= watermark_ms[domain]);
            if (!w->waits && !w->lapses && w->due_ms < next_ms)
                next_ms = w->due_ms;
        }
    CHECK_INT(mirror_judge(m, d, watermark_ms[domain], false, RULES * KEYS, out), wanted);
    CHECK(mirror_next_due(m, d) <= next_ms);
}

static void one_entry(void)
{
    size_t domain = joined ? 0 : draw(2);
    if (number == JOINS_AT) {
        join();
        reader.parts = 0; /* another epoch: who reads begins anew */
        domain = 0;
    } else if (draw(2)) {
        apply(domain);
    } else {
        commit(domain);
    }
    same_windows(&writer, domain, true);
    asks_for_all(&writer, domain);
    read_on(&reader, domain);
    if (reader.parts < PARTS || !reader.passed[domain])
        return;
    same_windows(&reader.m, domain, false);
    same_ids(&reader.m, domain);
    asks_for_all(&reader.m, domain);
    if (draw(10) == 0)
        reader.parts = 0;
}

static void run(unsigned seed)
{
    random_state = seed * 2654435761U;
    fields_n = 0;
    number = 0;
    joined = false;
    watermark_ms[0] = watermark_ms[1] = 1000;
    memset(bases, 0, sizeof bases);
    memset(entries, 0, sizeof entries);
    mirror_init(&all, SLOT_MS);
    mirror_init(&writer, SLOT_MS);
    reader = (struct reader_on){0};
    mirror_init(&reader.m, SLOT_MS);
    writer.recent.room = seed % 3 * 2000; /* nothing, some fields, most */
    while (number < ENTRIES && !check_failures)
        one_entry();
    if (check_failures)
        fprintf(stderr, "seed %u, entry %lld\n", seed, (long long)number);
    mirror_deinit(&all);
    mirror_deinit(&writer);
    mirror_deinit(&reader.m);
    arena_reset(&arena);
}

int main(void)
{
    arena_init(&arena);
    buf_init(&bytes, 1 << 20);
    buf_init(&packed, 1 << 20);
    name_windows();
    for (unsigned seed = 1; seed <= SEEDS && !check_failures; seed++)
        run(seed);
    buf_deinit(&bytes);
    buf_deinit(&packed);
    arena_deinit(&arena);
    return check_result();
}
