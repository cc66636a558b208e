/* How many windows there are of each name (a rule's, with its layout), for the store in memory. */
#ifndef WINDOWS_WINDOW_COUNTS_H
#define WINDOWS_WINDOW_COUNTS_H

#include <stdint.h>

#include "core/str.h"

struct window_counts {
    struct window_count *items;
    size_t n;
};

void window_counts_deinit(struct window_counts *c);
int64_t window_counts_of(const struct window_counts *c, struct str name);
/* Copies the name when it is the first of it. */
void window_counts_add(struct window_counts *c, struct str name, int64_t more);

#endif
