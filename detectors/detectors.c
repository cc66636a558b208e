/* The table of rule kinds. */
#include "detectors/detector.h"

const struct detector *const detectors[] = {&count_detector, &anomaly_detector, NULL};

const struct detector *detector_named(struct str name)
{
    for (size_t i = 0; detectors[i]; i++)
        if (str_is(name, detectors[i]->name))
            return detectors[i];
    return NULL;
}
