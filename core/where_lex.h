/* The words of a condition. For where_parse.c only. */
#ifndef CORE_WHERE_LEX_H
#define CORE_WHERE_LEX_H

#include "core/str.h"

enum where_token_kind {
    TOKEN_END,
    TOKEN_NAME, /* letters, digits, _ and . */
    TOKEN_NUMBER,
    TOKEN_TEXT,     /* its quotes included */
    TOKEN_UNCLOSED, /* a text whose quote does not close */
    TOKEN_SYMBOL,   /* one of ours */
    TOKEN_BAD, /* anything else: one code point, a symbol or number that is none of ours */
};

struct where_token {
    enum where_token_kind kind;
    struct str text; /* where it stands */
};

/* The token at or after text.p + at. */
struct where_token where_lex(struct str text, size_t at);

#endif
