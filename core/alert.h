/* One transition of one episode, as people and machines get it (DESIGN 2 and 2a).
 * Texts and arrays are borrowed from the arena or batch it was made in. */
#ifndef CORE_ALERT_H
#define CORE_ALERT_H

#include <stdint.h>

#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"

enum {
    ALERT_KEYS_MAX = 4,      /* parts of `by` */
    ALERT_ACCOUNTS_MAX = 10, /* named in an alert; accounts_n counts all */
    ALERT_EVIDENCE_MAX = 5,  /* exemplars; count counts all */
    ALERT_COMPONENTS_MAX = 4,
    ALERT_CONTRIBUTORS_MAX = 3,
    ALERT_HIDDEN_MAX = 10, /* named in an alert; hidden_n counts all */
    ALERT_TREND_MAX = 12,
    ALERT_RELEASES_MAX = 3,
    ALERT_NOT_COUNTED = -1, /* users: the kind does not know */
};

enum alert_state {
    ALERT_FIRING,
    ALERT_ESCALATED,
    ALERT_REMINDER, /* nothing new: it is still firing, with all that its last step said */
    ALERT_RESOLVED,
    ALERT_VERIFIED, /* it is fixed: nothing came for long (detectors/verify.h) */
    ALERT_STATES
};
enum severity {
    SEVERITY_LOW,
    SEVERITY_MEDIUM,
    SEVERITY_HIGH,
    SEVERITY_CRITICAL,
    SEVERITIES
};

struct alert_account {
    struct str id, name, tier, renewal, owner; /* n == 0: not known */
    double mrr; /* a month, in the account's currency; 0: not known */
};

struct alert_evidence {
    struct str event, ticket, user, account;
    int64_t time_ms;
    int32_t partition; /* -1: not known; never in the confirmed record (see alert_json) */
    int64_t offset;
};

/* What the first exemplar said, so that an engineer can reproduce it. No bodies, no e-mail. */
struct alert_sample {
    struct str page_url, action, error_type, error_code, error_message, subject, version;
};

/* A value that many of the events have, and that made the change. */
struct alert_contributor {
    struct str field, value;
    double share, usual; /* of the events, and before; NAN: not known */
};

struct alert_anomaly {
    bool present;
    double value, mean, stddev, z;
    bool up; /* direction */
    /* of the judged bucket, as core/calendar.h has it; it ends at the alert's time */
    int64_t bucket_ms;
    bool share;      /* of a ratio: value and mean are shares, 0 to 1, and ... */
    int64_t matched; /* of `count` events so many match */
    bool limit;      /* mean is a limit that was set, not what is usual */
    bool overall;    /* mean is that of all other keys in the bucket */
    /* judged by the range seen, lowest to highest: value is beyond it by ... */
    bool novelty;
    double lowest, highest, score; /* ... so many times that range */
};

/* How it went, in equal stretches up to the alert's time or that of its last event, the newest last. */
struct alert_trend {
    size_t n;                       /* 0: not known */
    int64_t step_ms;                /* of each, as core/calendar.h has buckets */
    double values[ALERT_TREND_MAX]; /* NAN: there was none */
};

/* What makes a score, in words. */
struct alert_component {
    struct str name, reason;
    double points;
};

/* Of an account's health: score = the sum of the components' points * weight. */
struct alert_health {
    bool present;
    double score, weight;
    struct alert_component components[ALERT_COMPONENTS_MAX];
    size_t components_n;
};

/* Deployed shortly before the episode began. */
struct alert_release {
    struct str version, service, url; /* n == 0: not known; the version is */
    int64_t time_ms;
};

/* The known issue that it is of. */
struct alert_known_issue {
    struct str id, title, workaround, url; /* id.n == 0: it is of none */
    bool muted;                            /* while that is open, it is told to nobody */
    bool fixed;                            /* since ... */
    int64_t fixed_ms;                      /* ... then */
    bool regression;                       /* and the episode began after that */
};

/* Why it was told to nobody: a planned silence of the configuration. */
struct alert_silenced {
    struct str maintenance, author, reason; /* maintenance.n == 0: none */
};

/* Which one explains it, by which `inhibit`. */
struct alert_hider {
    struct str inhibit, rule, id; /* inhibit.n == 0: none does */
};

/* Another episode that this one explains; `about` is its key. */
struct alert_hidden {
    struct str rule, id, about;
};

struct alert {
    char id[33]; /* 32 lower-case hex digits; one episode keeps one id */
    struct str rule, kind;
    enum alert_state state;
    enum severity severity;
    int64_t time_ms;   /* event time at which it became true */
    int64_t reminder;  /* the how-manieth of its episode; 0: it is none */
    int64_t opened_ms; /* when the episode began: of an escalation and a reminder */
    size_t keys_n;
    struct str key_names[ALERT_KEYS_MAX], key_values[ALERT_KEYS_MAX];
    struct str summary; /* one line for people */
    /* firing, escalated: the window's count; resolved: the episode's events */
    int64_t count;
    bool estimated; /* count is an estimate */
    int64_t users;  /* people among them; ALERT_NOT_COUNTED */
    struct alert_account accounts[ALERT_ACCOUNTS_MAX]; /* largest mrr first, then id */
    size_t accounts_listed;
    int64_t accounts_n;
    int64_t first_seen_ms, last_seen_ms;
    struct alert_trend trend;
    struct alert_evidence evidence[ALERT_EVIDENCE_MAX]; /* in (time, event) order */
    size_t evidence_n;
    struct alert_sample sample;
    struct alert_anomaly anomaly;
    struct alert_health health;
    /* the most important first */
    struct alert_contributor contributors[ALERT_CONTRIBUTORS_MAX];
    size_t contributors_n;
    struct alert_release releases[ALERT_RELEASES_MAX]; /* the latest first */
    size_t releases_n;
    struct alert_known_issue known_issue;
    struct alert_silenced silenced;
    struct alert_hider hidden_by;
    struct alert_hidden hidden[ALERT_HIDDEN_MAX]; /* until its time, the first ones */
    size_t hidden_listed;
    int64_t hidden_n;
};

/* Nothing burns any more: neither silences nor other alerts have to keep it from anybody. */
static inline bool alert_is_over(const struct alert *a)
{
    return a->state == ALERT_RESOLVED || a->state == ALERT_VERIFIED;
}

const char *alert_state_name(enum alert_state s);
const char *severity_name(enum severity s);
/* False when it is none of low, medium, high, critical. */
bool severity_named(struct str name, enum severity *s);
/* The value of a part of the key; n == 0 where the key has no such part. */
struct str alert_key(const struct alert *a, struct str name);

/* Appends the alert as one line of JSON without a newline. With `positions` the evidence says
 * partition and offset; the confirmed record leaves them out, because they belong to one copy
 * of an event and not to the event: the record must not depend on how a topic is partitioned.
 * Numbers have at most 4 decimals. Cut are, between code points: ids at 512 bytes, names at 256,
 * summary and sample at 2,048; the key is not. The line is some 2 KB, 2 MB
 * in the worst case: let `out` hold that much, or ask it whether it overflowed. */
void alert_json(const struct alert *a, bool positions, struct buf *out);

/* The opposite, into memory of `arena`. ERR_INPUT when it is not such a line. */
int alert_parse(struct str json, struct arena *arena, struct alert *out, struct err *e);

/* The order of an alert's accounts: largest mrr first, then id. For qsort. */
int alert_account_cmp(const void *a, const void *b);

/* The order of the confirmed record: time, rule, key, state; then severity and id, so that no two
 * different transitions are equal. */
int alert_cmp(const struct alert *a, const struct alert *b);

#endif
