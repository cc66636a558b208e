#include "core/pattern.h"

#include <fnmatch.h>
#include <stdio.h>

enum { PATTERN_BYTES = 1024 };

bool pattern_fits(struct str pattern, struct str text)
{
    char p[PATTERN_BYTES], t[PATTERN_BYTES];
    snprintf(p, sizeof p, "%.*s", STR_ARG(pattern));
    snprintf(t, sizeof t, "%.*s", STR_ARG(text));
    return fnmatch(p, t, 0) == 0;
}
