/* What makes a number a measure. Pure. Private to core/fingerprint*.c. */
#ifndef CORE_FINGERPRINT_MEASURE_H
#define CORE_FINGERPRINT_MEASURE_H

#include "core/fingerprint_scan.h"

/* A unit of time, of bytes, or another, written right behind a number. */
bool measure_is_unit(const byte *p, size_t n);

/* 300ms, 1h30m: numbers each with a unit of time. */
bool measure_is_duration(const byte *p, const byte *end);

/* The s of microseconds, whose first letter is none of ASCII's, at p. */
bool measure_is_micro(const struct scan *s, const byte *p);

/* A number's decimal places and exponent, from the dot at p on: where they end, NULL
 * when there are none. */
const byte *measure_fraction(const struct scan *s, const byte *p);

#endif
