/* The table of rule kinds. */
#include "detectors/detector.h"

#include <xxhash.h>

const struct detector *const detectors[] = {&count_detector,
                                            &anomaly_detector,
                                            &new_value_detector,
                                            &quiet_detector,
                                            &ratio_detector,
                                            &deadline_detector,
                                            NULL};

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

struct str rule_window_name(const struct rule *rule, struct arena *arena)
{
    struct buf b;
    buf_init(&b, 1024);
    buf_put(&b, rule->name);
    buf_printf(&b, " %016llx", (unsigned long long)rule->layout);
    struct str name = arena_str(arena, buf_str(&b));
    buf_deinit(&b);
    return name;
}
