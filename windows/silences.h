/* The silences of one shard, in Redis: STEM silences, a hash of id -> JSON (core/silence.h). Each shard has all of them,
 * so that its delivery needs no other. They are forgotten SILENCES_KEPT_MS after they end.
 * Every -1 is ERR_UNAVAILABLE or ERR_REFUSED (windows/redis_link.h). */
#ifndef WINDOWS_SILENCES_H
#define WINDOWS_SILENCES_H

#include "core/silence.h"

#define SILENCES_KEPT_MS (30 * INT64_C(86400000))

struct redis_link;

struct silences {
    struct silence *items; /* by from, then id */
    size_t n;
};

/* All there are, in memory of `arena`; what cannot be read is passed over. */
int silences_read(struct redis_link *link, struct str stem, struct arena *arena,
                  struct silences *out, struct err *e);
/* Adds it, or takes the place of the one with its id. Forgets what ended long before now_ms. */
int silences_put(struct redis_link *link, struct str stem, const struct silence *s,
                 int64_t now_ms, struct err *e);

/* What was kept back of alerts: the stream STEM muted (outbox_mute). */
struct muted {
    struct str sink, alert, state; /* alert: its id */
    struct silence silence;
};
/* Calls `take` for each of the alerts whose id begins so, the oldest first; texts live until it returns. */
typedef void muted_fn(void *arg, const struct muted *m);
int silences_muted(struct redis_link *link, struct str stem, const char *alert,
                   muted_fn *take, void *arg, struct err *e);

/* The one that silences the alert, told to `sink` at now_ms; NULL: none does. */
const struct silence *silences_match(const struct silences *all, const struct alert *a,
                                     struct str sink, int64_t now_ms);

#endif
