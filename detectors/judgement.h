/* What every kind does alike with a judgement: begin an alert, name an episode, hand alerts over. */
#ifndef DETECTORS_JUDGEMENT_H
#define DETECTORS_JUDGEMENT_H

#include "detectors/detector.h"
#include "detectors/member.h"

/* An alert of the rule and key: rule, kind, keys, state, severity, time; the rest is empty. */
struct alert alert_begin(const struct judge_input *in, enum alert_state state,
                         enum severity severity, int64_t time_ms);

/* The episode's id: 128 bits of XXH3 over rule name, key and the cell of its opening time. */
void alert_name(struct alert *a, int64_t opened_cell);

/* Copies the alert into the judgement. */
void judgement_announce(struct judgement *j, const struct alert *a);
/* The same, in order of time among what was announced: a later step may have been found in the same judgement. */
void judgement_announce_among(struct judgement *j, const struct alert *a);
void judgement_confirm(struct judgement *j, const struct alert *a);

/* Both: for what is said only when it is settled. */
void judgement_tell(struct judgement *j, const struct alert *a);

/* Leaves the member in the window. */
void judgement_keep(struct judgement *j, const struct member *m);

/* "httperror inv_500 ... at /billing/invoices/:id": the key for people. */
void key_text(const struct judge_input *in, struct buf *out);
/* The same and ": "; nothing where the rule has no key. */
void key_prefix(const struct judge_input *in, struct buf *out);

/* A text that lives in the judgement's arena. */
struct str judgement_text(struct judgement *j, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
