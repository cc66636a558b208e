/* A row of an option table. One table per thing (a rule kind, a sink, the Kafka section) parses it,
 * gives defaults, checks it and prints its reference: config/options.c does all four.
 * (`struct option` is getopt's.) */
#ifndef CORE_OPTION_H
#define CORE_OPTION_H

#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

enum option_type {
    OPTION_TEXT,       /* struct str */
    OPTION_SECRET,     /* struct secret: the option NAME, or NAME_file with a path */
    OPTION_TEXTS,      /* struct texts: a word or a list of them */
    OPTION_PAIRS,      /* struct pairs: a mapping of words to words */
    OPTION_INT,        /* int64_t */
    OPTION_NUMBER,     /* double */
    OPTION_FLAG,       /* bool */
    OPTION_DURATION,   /* int64_t, ms; the first of `words` is -1, the second -2 */
    OPTION_PERCENT,    /* double, "30%" is 0.3 */
    OPTION_WORD,       /* int: index into `words` */
    OPTION_FIELD,      /* int: enum event_field of a NUMBER field; FIELD_COUNT where not written */
    OPTION_EVENTS,     /* uint32_t: bits (1 << enum event_type); one or a list of them */
    OPTION_WHERE,      /* struct where *, of the configuration's arena; NULL where not written */
    OPTION_TEMPLATE,   /* struct template_file: the path of one */
    OPTION_GROUP,      /* a mapping of the options in `rows`; their offsets are in the same struct */
};

struct texts {
    struct str *items;
    size_t n;
};

struct pairs {
    struct str *names, *values;
    size_t n;
};

/* A secret is read when `run` needs it, and again after it was refused: `check` and `replay`
 * work without it. Either value or file is set. */
struct secret {
    struct str value, file;
};

/* A template (sinks/template.h), read with the configuration. */
struct template_file {
    struct str path, text; /* path.n == 0: none */
};

struct option_row {
    const char *name;
    enum option_type type;
    size_t offset;        /* of the member in the settings struct */
    bool required;
    const char *fallback; /* as one would write it; NULL: empty, zero */
    double min, max;      /* of the number, the duration in ms, or the text's length; 0,0: any */
    const char *const *words; /* OPTION_WORD: the words; OPTION_DURATION: what may stand instead; texts
                                 and secrets: what one of them begins with; NULL-terminated */
    const char *help;     /* one sentence */
    const struct option_row *rows; /* OPTION_GROUP */
    size_t rows_n;
};

/* For a row that is a group of others. */
#define OPTION_GROUP_OF(table) \
    .type = OPTION_GROUP, .rows = (table), .rows_n = sizeof(table) / sizeof(table)[0]

#endif
