/* A sample of events: all of few, the same in whatever order, uniform, and back from its bytes. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "detectors/sample.h"
#include "tests/check.h"

enum { MANY = 5000, TRIALS = 400 };
static struct arena arena;
static struct sample_entry events[MANY];

/* Event i of a trial; one in `every` says "rare". */
static struct sample_entry event(int trial, int i, int every)
{
    char id[40];
    snprintf(id, sizeof id, "t%d-e%d", trial, i);
    return (struct sample_entry){
        .hash = sample_hash(str_of(id), 1000 + i),
        .parts = {i % every ? STR("common") : STR("rare"), STR_NONE, STR("x")}};
}

static struct str packed(const struct sample *s, size_t n)
{
    struct buf b;
    struct sample_writer w;
    buf_init(&b, 1 << 20);
    sample_writer_begin(&w, 3);
    for (size_t i = 0; i < n; i++)
        sample_put(&w, &s[i]);
    sample_writer_end(&w, &b);
    struct str kept = arena_str(&arena, buf_str(&b));
    buf_deinit(&b);
    return kept;
}

static void holds_all_of_few(void)
{
    struct sample s = {0};
    for (int i = 0; i < SAMPLE_MOST; i++) {
        struct sample_entry e = event(0, i, 4);
        sample_add(&s, SAMPLE_MOST, &e, &arena);
    }
    size_t rare = 0;
    for (size_t i = 0; i < s.n; i++)
        rare += str_is(s.entries[i].parts[0], "rare");
    CHECK_INT(s.n, SAMPLE_MOST);
    CHECK_INT(rare, SAMPLE_MOST / 4);
}

static void order_does_not_matter(void)
{
    struct sample up = {0}, down = {0};
    for (int i = 0; i < MANY; i++)
        events[i] = event(1, i, 3);
    events[MANY - 1].hash = events[0].hash = 0; /* two of one hash, and the smallest */
    for (int i = 0; i < MANY; i++) {
        sample_add(&up, 32, &events[i], &arena);
        sample_add(&down, 32, &events[MANY - 1 - i], &arena);
    }
    CHECK_INT(up.n, 32);
    CHECK_STR(packed(&up, 1), packed(&down, 1));
}

/* A sample of samples is one of all events: buckets are made into blocks. */
static void may_be_merged(void)
{
    struct sample all = {0}, part[2] = {{0}, {0}};
    for (int i = 0; i < MANY; i++) {
        struct sample_entry e = event(2, i, 3);
        sample_add(&all, 32, &e, &arena);
        sample_add(&part[i % 2], SAMPLE_MOST, &e, &arena);
    }
    struct sample merged = {0};
    for (size_t p = 0; p < 2; p++)
        for (size_t i = 0; i < part[p].n; i++)
            sample_add(&merged, 32, &part[p].entries[i], &arena);
    CHECK_STR(packed(&merged, 1), packed(&all, 1));
}

/* Of a share of one fifth: the mean of many samples, and how far they are off. */
static void is_uniform(void)
{
    double sum = 0, squares = 0;
    for (int t = 0; t < TRIALS; t++) {
        struct sample s = {0};
        int rare = 0;
        for (int i = 0; i < 1000; i++) {
            struct sample_entry e = event(10 + t, i, 5);
            sample_add(&s, SAMPLE_MOST, &e, &arena);
        }
        for (size_t i = 0; i < s.n; i++)
            rare += str_is(s.entries[i].parts[0], "rare");
        double share = (double)rare / SAMPLE_MOST;
        sum += share;
        squares += (share - 0.2) * (share - 0.2);
    }
    CHECK(fabs(sum / TRIALS - 0.2) < 0.01);
    CHECK(sqrt(squares / TRIALS) < 1.1 * sqrt(0.2 * 0.8 / SAMPLE_MOST));
}

static void comes_back_from_its_bytes(void)
{
    struct sample s[3] = {{0}, {0}, {0}}, back;
    for (int i = 0; i < 300; i++) {
        struct sample_entry e = event(3, i, 7);
        char text[20];
        snprintf(text, sizeof text, "value %d", i);
        e.parts[1] = arena_str(&arena, str_of(text)); /* numbers of two bytes */
        sample_add(&s[i % 2], SAMPLE_MOST, &e, &arena);
    }
    struct reader in = {.in = packed(s, 3)};
    struct sample_reader r = {.in = &in, .arena = &arena, .parts_n = 3};
    sample_reader_begin(&r);
    for (size_t i = 0; i < 3; i++) {
        sample_take(&r, &back);
        CHECK_STR(packed(&back, 1), packed(&s[i], 1));
    }
    CHECK(!in.failed && in.in.n == 0);
}

static void broken_bytes_fail(void)
{
    struct sample s = {0}, back;
    for (int i = 0; i < 20; i++) {
        struct sample_entry e = event(4, i, 7);
        sample_add(&s, SAMPLE_MOST, &e, &arena);
    }
    struct str whole = packed(&s, 1);
    for (size_t n = 0; n < whole.n; n++) {
        struct reader in = {.in = {whole.p, n}};
        struct sample_reader r = {.in = &in, .arena = &arena, .parts_n = 3};
        sample_reader_begin(&r);
        sample_take(&r, &back);
        CHECK(in.failed);
    }
}

int main(void)
{
    arena_init(&arena);
    holds_all_of_few();
    order_does_not_matter();
    may_be_merged();
    is_uniform();
    comes_back_from_its_bytes();
    broken_bytes_fail();
    arena_deinit(&arena);
    return check_result();
}
