/* A pattern as a shell's: `*`, `?` and [...] (fnmatch(3)). Pure. */
#ifndef CORE_PATTERN_H
#define CORE_PATTERN_H

#include "core/str.h"

/* Of either only the first 1023 bytes count. */
bool pattern_fits(struct str pattern, struct str text);

#endif
