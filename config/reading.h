/* What the parts of one reading share: what for, what was found wrong. One thread. */
#ifndef CONFIG_READING_H
#define CONFIG_READING_H

#include "config/config.h"

struct place {
    size_t line, column; /* from 1; line 0: nowhere */
};

struct node;

struct reading {
    enum config_use use;
    /* the values read now are needed for this use and those after it */
    enum config_use needed_from;
    struct config *out;
    struct arena *arena;     /* out's */
    const struct node *root; /* the whole configuration */
    size_t errors, warnings;
    struct config_mistake mistakes[CONFIG_MISTAKES_MAX];
    size_t mistakes_n;
};

/* Notes a mistake. `path` says whose, as "rules.page-error.count"; n == 0: nothing in particular. */
void complain(struct reading *r, struct place at, struct str path, const char *format,
              ...) __attribute__((format(printf, 4, 5)));
/* The same for what may be meant so. Only check and run hear of it. */
void warn(struct reading *r, struct place at, struct str path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* What stops `use` where the value is needed, is a warning for check, and nothing otherwise. */
void complain_if_needed(struct reading *r, struct place at, struct str path,
                        const char *format, ...) __attribute__((format(printf, 4, 5)));

/* For check, to end such a message with: "; run needs it". */
const char *needed_words(const struct reading *r);

/* Somebody's text in a message: one line, cut, without control characters. Lives in the arena. */
struct str shown(struct reading *r, struct str text);
/* "rules" and "page-error" make "rules.page-error". */
struct str path_join(struct reading *r, struct str path, struct str name);

/* Sorts the mistakes by place and writes them down. */
void report_mistakes(struct reading *r, const char *file, struct config_report *report);

#endif
