/* What hides what in the confirmed record (`inhibit`, docs/rules.md). Nothing is written down of it: it is a function of the
 * record, which therefore need not be complete when something is confirmed, but is where it is read. */
#ifndef APP_HIDE_H
#define APP_HIDE_H

#include "core/inhibit.h"

struct hider;

struct hide {
    const struct inhibit *all; /* borrowed */
    size_t n;
    struct hider **firing; /* in the order of the record */
    size_t firing_n;
};

void hide_init(struct hide *h, const struct inhibit *all, size_t n);
void hide_deinit(struct hide *h);

/* All steps of one time, in the record's order; calls must come in order of time. Says of each what hides it, and of those
 * that hide what they have hidden so far; *changed[i] is whether it said anything. Texts live until the next call. */
void hide_moment(struct hide *h, struct alert **alerts, size_t n, bool *changed);

#endif
