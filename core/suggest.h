/* The name that somebody probably meant: the nearest by edits, for "did you mean". Pure. */
#ifndef CORE_SUGGEST_H
#define CORE_SUGGEST_H

#include "core/str.h"

struct suggestion {
    struct str word;
    struct str best; /* n == 0: nothing is near enough */
    size_t distance; /* of best, in half edits */
};

struct suggestion suggestion_for(struct str word);

/* Offers a name; the nearest stays, the first of equally near ones. Names are borrowed. */
void suggestion_offer(struct suggestion *s, struct str name);
/* The same for a name that people also write in another way. */
void suggestion_offer_as(struct suggestion *s, struct str spelling, struct str name);

enum { SUGGESTION_BYTES = 100 };
/* "; did you mean 'within'?", or nothing where nothing is near, into out (SUGGESTION_BYTES). */
const char *suggestion_text(const struct suggestion *s, char *out);

#endif
