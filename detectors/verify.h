/* A fix of a known issue is verified (`verify_fixed: 7d`): it is fixed, no episode is open, the latest was no regression, and no
 * event of the key came for so long. That is told once, with the accounts that have been waiting for it (docs/rules.md, "Verified fixes").
 *
 * For the kinds whose windows see each event alike: the kind judges its window as ever. In front of its state stand the last step of the
 * latest episode, with the accounts that steps named since the last such word, and when the last event was. It is looked at each midnight,
 * UTC: when an issue becomes fixed nothing wakes the windows it is about. All that is looked at is settled by then, so that it depends on
 * nothing but the events. */
#ifndef DETECTORS_VERIFY_H
#define DETECTORS_VERIFY_H

#include "detectors/detector.h"

/* Judges the window as its rule's kind does, reminds, and says that a fix is verified where the rule wants it. */
void verify_judge(const struct judge_input *in, struct judgement *out);

/* ERR_INPUT where the rule, which wants it, cannot know that nothing came, or what was fixed. */
int verify_check(const struct rule *rule, struct err *e);

#endif
