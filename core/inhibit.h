/* What another alert explains: while one of rule `source` fires, steps of alerts of the rules in `hides` that have with it in
 * common what `equal` says are hidden. Pure. */
#ifndef CORE_INHIBIT_H
#define CORE_INHIBIT_H

#include "core/alert.h"
#include "core/option.h"

struct inhibit {
    struct str name, source; /* a rule's name, or a pattern as a shell's (fnmatch(3)) */
    struct texts hides;      /* the same, of the rules that are hidden */
    struct texts equal;      /* account, page, ticket.category ...; none: nothing */
};

bool inhibit_is_source(const struct inhibit *i, struct str rule);
/* Of any of n. */
bool inhibit_any_source(const struct inhibit *all, size_t n, struct str rule);
bool inhibit_is_hidden(const struct inhibit *i, struct str rule);

/* The first of n by which `source`, as its last step has it, hides `alert`; NULL: none does. Both fire. */
const struct inhibit *inhibit_of(const struct inhibit *all, size_t n,
                                 const struct alert *source, const struct alert *alert);

/* The alert as a list of hidden ones names it: "acme", the values of its key. */
void inhibit_about(const struct alert *a, struct buf *out);

#endif
