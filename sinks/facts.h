/* An alert as a title, a sentence and labelled facts, each said once and in the order people read: for receivers
 * that show such lists. Texts are plain and one line each, bounded, and not escaped. Pure. */
#ifndef SINKS_FACTS_H
#define SINKS_FACTS_H

#include "sinks/template.h"

enum {
    FACTS_MAX = 20,
    FACT_UNITS = 200,      /* a value's length */
    FACT_LONG_UNITS = 400, /* the error's */
    FACTS_ACCOUNTS = 5,    /* accounts to name */
};

struct fact {
    struct str label, value;
    bool is_long; /* a line of its own */
};

struct facts {
    struct fact items[FACTS_MAX];
    size_t n;
};

/* In the arena. */
void facts_of(const struct alert *a, struct arena *arena, struct facts *out);

/* The severity as a sign, or that of an end; "Escalated: ", nothing where it fires. */
const char *facts_sign(const struct alert *a);
const char *facts_state(const struct alert *a);

/* These two, and what broke: by the template, if there is one. */
void facts_title(struct buf *out, const struct template_file *own, const struct alert *a,
                 enum dialect d, size_t max_units);

/* "14 (at least 12,049.5 MRR)"; nothing of a single one, which is named. */
void facts_accounts(struct buf *b, const struct alert *a);

/* Of an update: which alert it belongs to, and what is new; nothing when it fires. */
void facts_update(struct buf *out, const struct alert *a);

/* What an update leaves to say where the facts do not say all: the summary; n == 0: nothing. */
struct str facts_summary(const struct alert *a);

/* What a reader can look up: the tickets of an alert's exemplars; where none has one, their events. */
struct exemplars {
    bool tickets;
    struct str ids[ALERT_EVIDENCE_MAX];
    size_t n;
};
struct exemplars facts_exemplars(const struct alert *a);

/* "Rule page-error · alert 5d41... · 2026-03-02 09:41 UTC" */
void facts_small_print(struct buf *out, const struct alert *a);

/* 0xRRGGBB of the severity, or of an end. */
int facts_colour(const struct alert *a);

#endif
