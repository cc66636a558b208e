/* The parts of `where`: what it is compiled into, and the parser. For where.c and where_parse.c only.
 *
 * A condition becomes a short program for a machine of one bit: a comparison sets it, NOT turns it
 * round, SKIP jumps forward if it has a given value. `a and b` is: a, skip if false, b. */
#ifndef CORE_WHERE_PARSE_H
#define CORE_WHERE_PARSE_H

#include "core/err.h"
#include "core/event.h"

enum where_op {
    WHERE_LESS,
    WHERE_LESS_EQUAL,
    WHERE_GREATER,
    WHERE_GREATER_EQUAL,
    WHERE_EQUAL,
    WHERE_NOT_EQUAL,
    WHERE_CONTAINS,
    WHERE_STARTS_WITH,
    WHERE_IN,
    WHERE_NOT_IN,
    WHERE_EXISTS,
    WHERE_NOT,
    WHERE_SKIP,
};

struct where_code {
    enum where_op op;
    enum event_field field;
    bool skip_if;                   /* WHERE_SKIP */
    size_t to;                      /* WHERE_SKIP: the code to go on with */
    size_t literals_at, literals_n; /* comparisons: in where_program.literals */
};

enum {
    WHERE_BYTES_MAX = 8192,
    WHERE_DEPTH_MAX = 32, /* of parentheses and `not` */
    WHERE_CODES_MAX = 512,
    WHERE_LITERALS_MAX = 1024,
};

struct where_program {
    struct where_code codes[WHERE_CODES_MAX];
    size_t codes_n;
    struct value literals[WHERE_LITERALS_MAX]; /* texts are borrowed from the condition */
    size_t literals_n;
};

/* -1 and ERR_INPUT when it does not parse; *at is then the byte of the fault. */
int where_parse(struct str text, struct where_program *out, size_t *at, struct err *e);

#endif
