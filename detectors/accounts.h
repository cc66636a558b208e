/* What `account.updated` events tell of an account: name, tier, MRR, renewal and owner, each by the latest update
 * that has it. A field that is absent or null says nothing: what was known of it stays.
 *
 * The updates of an account are kept like those of a rule, in a window per account id, under a name that no rule
 * can have, in every shard: an alert's window and its accounts lie in one shard, and so the watermark that made
 * an alert final has passed every update before it. An alert of time t is told what the updates inside (t - remember, t)
 * say: those at t itself do not count, since a silence or a bucket ends before the events of that
 * moment are known. So it is a function of the set of events, like the alert itself.
 *
 * Which updates may go. Nothing is confirmed any more with a time before `judged_ms` (see struct judge_input), so of the updates before
 * it only those are kept that say something which no later one of them says, until they are forgotten.
 * Those from judged_ms on are all kept: windows that are due are judged in order of their due time, but another window
 * may have to be judged again that somebody changed meanwhile, at a time before that of an update. */
#ifndef DETECTORS_ACCOUNTS_H
#define DETECTORS_ACCOUNTS_H

#include "core/alert.h"
#include "core/event.h"
#include "detectors/detector.h"

/* The section `accounts`. */
struct accounts_settings {
    int64_t remember_ms;
};

/* One update, or what an event said of its account. Texts with n == 0 say nothing. */
struct account_version {
    int64_t time_ms;
    struct str event; /* its id: the order among those of one time */
    struct alert_account account;
    bool has_mrr;
};

/* Texts borrow from the event. False: it names no account, or says nothing of it. */
bool account_version_of(const struct event *event, struct account_version *out);
void account_version_pack(const struct account_version *v, struct buf *out);
/* Texts borrow from `packed`. False: it is none. */
bool account_version_unpack(struct str packed, struct account_version *out);

/* In order of (time, id) bytewise, in the arena. What is none is left out. */
struct account_version *account_versions_load(const struct str *records, size_t records_n,
                                              struct arena *arena, size_t *n);
/* Which of them are still needed by what happens at judged_ms or later; see above. ALWAYS_MS: all. */
void account_versions_fold(const struct account_version *versions, size_t n,
                           int64_t judged_ms, int64_t remember_ms, bool *keep);
/* What those inside (t - remember, t) say is put over what `account` says already. */
void account_overlay(const struct account_version *versions, size_t n, int64_t t_ms,
                     int64_t remember_ms, struct alert_account *account);

/* The rule that keeps updates; `out` is filled, texts live in the arena. */
void accounts_rule(int64_t remember_ms, struct arena *arena, struct rule *out);
/* That rule among them, which is the last; NULL: there is none. */
const struct rule *accounts_rule_of(const struct rule *rules, size_t n);
int64_t accounts_remember_ms(const struct rule *accounts);

#endif
