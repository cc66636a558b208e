/* How many people: a bottom-k sketch of the hashes of who was seen (Z. Bar-Yossef, T. S. Jayram, R. Kumar, D. Sivakumar,
 * L. Trevisan, Counting Distinct Elements in a Data Stream, RANDOM 2002; the unbiased estimate is that of K. Beyer,
 * P. J. Haas, B. Reinwald, Y. Sismanis, R. Gemulla, On Synopses for Distinct-Value Estimation, SIGMOD 2007).
 *
 * It keeps the k = PEOPLE_KEPT smallest hashes. Below k people it is exact; beyond, where the k smallest fill the
 * share u of all possible hashes, there are about (k - 1) / u people, with a standard error of
 * 1 / sqrt(k - 2) = 3.1 %. What is kept is a function of the set of people: order, repetitions, and how parts
 * were merged, change nothing. */
#ifndef DETECTORS_PEOPLE_H
#define DETECTORS_PEOPLE_H

#include "core/arena.h"
#include "core/buf.h"

enum { PEOPLE_KEPT = 1024 };

/* Zeroed: nobody. */
struct people {
    uint64_t *hashes; /* ascending, no two the same; the arena's */
    size_t n, cap;
};

void people_add(struct people *p, uint64_t person, struct arena *arena);

/* Adds those of a packed sketch; one that is cut short adds what is there. */
void people_merge(struct people *p, struct str packed, struct arena *arena);

/* 8 bytes a kept hash, at most 8 KB. */
void people_pack(const struct people *p, struct buf *out);

int64_t people_count(const struct people *p);

/* Whether the count is an estimate. */
static inline bool people_estimated(const struct people *p)
{
    return p->n >= PEOPLE_KEPT;
}

#endif
