/* `where`: a condition over an event's fields, compiled once.
 *
 *   condition  = and-part { "or" and-part }
 *   and-part   = not-part { "and" not-part }
 *   not-part   = "not" not-part | "(" condition ")" | comparison
 *   comparison = "exists" "(" field ")" | field op literal | field ["not"] "in" "[" literals "]"
 *              | field ("contains" | "starts_with") text
 *   op         = "<" "<=" ">" ">=" "==" "!="        literal = number | 'text' | "text" | true | false
 *
 * A comparison with an absent field is false, `!=` and `not in` included; so `not (x < 1)` is true of
 * an event without x, and `exists(x)` asks for it. Texts compare bytewise, case counts. A text has no
 * escapes: one kind of quote may stand inside the other. Bounds stand in where_parse.h. */
#ifndef CORE_WHERE_H
#define CORE_WHERE_H

#include "core/arena.h"
#include "core/err.h"
#include "core/event.h"

struct where;

/* In the arena's memory. NULL and ERR_INPUT when it does not parse or the types do not fit; *at is then the
 * byte of the fault, for a caret. */
struct where *where_compile(struct arena *arena, struct str text, size_t *at,
                            struct err *e);
/* The condition as it was written; as long as `w` lives. */
struct str where_text(const struct where *w);

/* Pure and thread-safe. */
bool where_matches(const struct where *w, const struct event *e);

#endif
