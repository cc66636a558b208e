/* A rule as the configuration made it: which events, by which key, judged by which kind. */
#ifndef DETECTORS_RULE_H
#define DETECTORS_RULE_H

#include "core/alert.h"
#include "core/event.h"
#include "core/option.h"
#include "core/where.h"

struct detector;
struct inhibit;
struct maintenance;

/* A part of `by`: a field of the event, an account or user, or a fingerprint. */
enum key_source { KEY_FIELD, KEY_PAGE, KEY_ERROR, KEY_SUBJECT };

struct key_part {
    struct str name; /* as written in `by`, and in the alert's key */
    enum key_source source;
    enum event_field field; /* KEY_FIELD; `account` and `user` stand for their ids */
};

/* What a count must reach for each severity; ascending. steps[0].at_least is the rule's own. */
struct severity_step {
    int64_t at_least;
    enum severity severity;
};

struct rule {
    struct str name;
    uint32_t on; /* bit (1 << enum event_type); all bits where `on` is not written */
    struct where *where; /* NULL: every event */
    struct key_part by[ALERT_KEYS_MAX];
    size_t by_n;
    const struct detector *kind;
    void *settings; /* kind->settings_bytes, as its options say */
    struct severity_step steps[SEVERITIES];
    size_t steps_n;  /* at least 1 after the kind's check */
    uint64_t layout; /* what its windows are made of; the kind's check makes it */
    /* name and layout: windows of another layout are not its own */
    struct str window_name;
    /* All its keys lie in one window, so that one judgement sees them all: the window's head has no key, and the
     * kind puts it into its records; the kind's check says so. */
    bool one_window;
    bool everywhere;   /* its windows lie in every shard, not in one */
    int64_t max_keys;  /* windows it may have, over all shards; 0: any number */
    struct texts send; /* names of sinks */
    int64_t remind_ms; /* after so long it is said that it is still firing; 0: never */
    int64_t verify_ms; /* so long after a fix without an event that is told; 0: never */
    int64_t issues_ms; /* known_issues.remember */
    const struct maintenance *maintenance; /* planned silences, of all rules */
    size_t maintenance_n;
    const struct inhibit *inhibits; /* what hides what, among all rules */
    size_t inhibits_n;
    int64_t lateness_ms; /* time.lateness */
    int64_t remember_ms; /* accounts.remember */
    struct str zone;     /* time.zone */
    /* Events of so long before a time make the same alerts from that time on, and no others; the kind's check. */
    int64_t lookback_ms;
};

/* The values of the key in the head of each of its windows. */
static inline size_t rule_window_keys(const struct rule *rule)
{
    return rule->one_window ? 0 : rule->by_n;
}

static inline bool rule_takes(const struct rule *rule, enum event_type type)
{
    return rule->on >> type & 1;
}

#endif
