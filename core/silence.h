/* A silence: for a time, alerts that it matches are recorded and told to nobody. Made by a person, with a reason. */
#ifndef CORE_SILENCE_H
#define CORE_SILENCE_H

#include "core/alert.h"

enum { SILENCE_ID_BYTES = 17 };

/* Patterns are a shell's (`*`, `?`, fnmatch(3)); n == 0 matches anything. */
struct silence {
    char id[SILENCE_ID_BYTES]; /* 16 hex digits */
    struct str rule, sink;
    struct str key_names[ALERT_KEYS_MAX], key_values[ALERT_KEYS_MAX]; /* all must match */
    size_t keys_n;
    enum severity most; /* alerts more severe than this are told all the same */
    struct str author, reason;
    int64_t from_ms, until_ms; /* by the clock on the wall, half-open: [from, until) */
};

/* Whether it may stand in a silence: UTF-8, 1 to 500 bytes. */
bool silence_text_good(struct str text);

/* Whether the alert, about to be told to `sink` at now_ms, is silenced. */
bool silence_matches(const struct silence *s, const struct alert *a, struct str sink,
                     int64_t now_ms);

/* Appends it as one line of JSON without a newline. */
void silence_json(const struct silence *s, struct buf *out);
/* The opposite, into memory of `arena`. ERR_INPUT when it is none. */
int silence_parse(struct str json, struct arena *arena, struct silence *out,
                  struct err *e);

#endif
