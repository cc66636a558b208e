/* The hours of a week in which work is done, by the clock on the wall in time.zone (core/zone.h). Pure but for
 * the zone. */
#ifndef CORE_WORKWEEK_H
#define CORE_WORKWEEK_H

#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

enum { WORKWEEK_SPANS_MAX = 28 };

/* Local time from one moment of the week to another; 0 is Monday 00:00. */
struct workweek_span {
    int64_t from_ms, to_ms;
};

/* Ascending, without overlaps; where one ends the next may begin. */
struct workweek {
    struct workweek_span spans[WORKWEEK_SPANS_MAX];
    size_t n; /* 0: always open */
};

/* "Mon-Thu 09:00-17:00, Fri 09:00-15:00". ERR_INPUT says what is wrong with it. */
int workweek_parse(struct str text, struct workweek *out, struct err *e);

/* Whether it is open at that instant. */
bool workweek_open(const struct workweek *w, int64_t time_ms);

/* The earliest instant at which the week was open for span_ms since start_ms. Open is an instant whose
 * local time lies in a span: so the hour that a clock skips is none, and one that it repeats is two. */
int64_t workweek_after(const struct workweek *w, int64_t start_ms, int64_t span_ms);

/* No workweek_after() lies farther from its start than this, whatever the zone does. */
int64_t workweek_longest_ms(const struct workweek *w, int64_t span_ms);

#endif
