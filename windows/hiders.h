/* What delivery knows of alerts that explain others (core/inhibit.h), in Redis, a shard: STEM hiders, a hash of the id of an
 * alert -> "OPENED OVER WHEN STEP": its event times, when that it is over was told, and its last step that was told, as a line;
 * STEM hidden, a hash of the ids of two alerts, who hides and who is hidden -> when, rule and key. Each shard has those that it
 * told and hid itself; they are forgotten HIDERS_KEPT_MS after they are over. Every -1 is ERR_UNAVAILABLE or ERR_REFUSED
 * (windows/redis_link.h). */
#ifndef WINDOWS_HIDERS_H
#define WINDOWS_HIDERS_H

#include "core/alert.h"

#define HIDERS_KEPT_MS (7 * INT64_C(86400000))

struct redis_link;

struct hidden_one {
    struct str hider; /* id */
    struct alert_hidden what;
};

struct hiding {
    struct alert step;
    int64_t opened_ms,
        over_ms; /* it hides what has a time between; INT64_MAX: it fires */
};

struct hiders {
    struct hiding *hiding;
    size_t hiding_n;
    struct hidden_one *hidden; /* by hider and id */
    size_t hidden_n;
};

/* All there are, in memory of `arena`; what cannot be read is passed over. */
int hiders_read(struct redis_link *link, struct str stem, int64_t now_ms,
                struct arena *arena, struct hiders *out, struct err *e);
/* A step of an alert that hides others is about to be told, or it is over. What comes behind its end changes nothing. */
int hiders_told(struct redis_link *link, struct str stem, const struct alert *a,
                int64_t now_ms, struct err *e);
/* `a` was not told, because of a->hidden_by. */
int hiders_hid(struct redis_link *link, struct str stem, const struct alert *a,
               int64_t now_ms, struct err *e);

#endif
