/* The table of rule kinds. */
#include "detectors/detector.h"

#include <assert.h>
#include <xxhash.h>

const struct detector *const detectors[] = {
    &count_detector, &anomaly_detector,  &new_value_detector, &quiet_detector,
    &ratio_detector, &deadline_detector, &health_detector,    NULL};

const struct detector *detector_named(struct str name)
{
    for (size_t i = 0; detectors[i]; i++)
        if (str_is(name, detectors[i]->name))
            return detectors[i];
    return NULL;
}

uint64_t rule_layout(const char *kind, const int64_t *numbers, size_t n)
{
    XXH64_hash_t seed = XXH3_64bits(kind, strlen(kind));
    return XXH3_64bits_withSeed(numbers, n * sizeof *numbers, seed);
}

int rule_one_severity(struct rule *rule, const char *what, enum severity fallback,
                      struct err *e)
{
    if (rule->steps_n > 1 || (rule->steps_n == 1 && rule->steps[0].at_least))
        return err_set(e, ERR_INPUT, "the severity of %s, for example severity: high",
                       what);
    if (rule->steps_n == 0)
        rule->steps[rule->steps_n++] = (struct severity_step){0, fallback};
    return 0;
}

int64_t usual_min_history(int64_t most)
{
    enum { LEAST = 3, MOST = 24 };
    int64_t half = most / 2;
    return half < LEAST ? LEAST : half > MOST ? MOST : half;
}

/* Which events its windows hold, and under which keys. */
static uint64_t selection_of(const struct rule *rule)
{
    struct buf b;
    buf_init(&b, 64 * 1024);
    buf_i64(&b, (int64_t)rule->layout);
    buf_i64(&b, rule->on);
    buf_str16(&b, rule->where ? where_text(rule->where) : STR_NONE);
    for (size_t i = 0; i < rule->by_n; i++)
        buf_str16(&b, rule->by[i].name);
    if (rule->remind_ms)
        buf_text(&b,
                 "remind"); /* the state begins with what is open (detectors/remind.h) */
    if (rule->verify_ms)
        buf_text(&b, "verify_fixed"); /* so it does with what is over (verify.h) */
    assert(!b.overflowed);
    uint64_t hash = XXH3_64bits(b.p, b.n);
    buf_deinit(&b);
    return hash;
}

struct str rule_window_name(const struct rule *rule, struct arena *arena)
{
    struct buf b;
    buf_init(&b, 1024);
    buf_put(&b, rule->name);
    buf_printf(&b, " %016llx", (unsigned long long)selection_of(rule));
    struct str name = arena_str(arena, buf_str(&b));
    buf_deinit(&b);
    return name;
}
