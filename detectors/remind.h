/* Reminders (`remind: 4h`): what is still firing so long after its last step is told again, then after twice as long,
 * and so on (docs/rules.md, "Reminders").
 *
 * For every kind alike: the kind judges its window as ever, and what it confirms says which episodes are open. Of these the
 * window's state keeps the last step, in front of the kind's own state, and when its reminder is due. A reminder of time t is
 * made of what is settled up to t, so it depends on nothing but the events; it is confirmed and announced at once. */
#ifndef DETECTORS_REMIND_H
#define DETECTORS_REMIND_H

#include "detectors/detector.h"

/* Judges the window as its rule's kind does, and reminds where the rule says so. */
void remind_judge(const struct judge_input *in, struct judgement *out);

#endif
