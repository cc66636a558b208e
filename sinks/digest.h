/* Many alerts told in one message: how many, by rule and state, the worst first, and the first ones of each by name. What
 * it says is a function of its alerts alone, so that it is the same whenever and by whom it is sent. Pure. */
#ifndef SINKS_DIGEST_H
#define SINKS_DIGEST_H

#include "core/arena.h"
#include "sinks/words.h"

struct digest {
    struct alert
        face; /* stands for all: the digest's id, the worst severity, resolved where all are, the last time */
    const struct alert *alerts; /* in the order of the outbox; lent */
    size_t n;
};

/* Of at least one alert. The id is made of theirs and of their steps, so it is as good as they are against doing
 * anything twice. */
void digest_make(struct digest *out, const struct alert *alerts, size_t n);

enum digest_row_kind {
    DIGEST_GROUP, /* "🔴 page-error: 150 firing" */
    DIGEST_ALERT, /* "INV_500 on /billing · 3 times from 2 people in 14 min · 5d41402a" */
    DIGEST_MORE, /* "and 145 more" */
};
enum { DIGEST_ROWS_MAX = 40 };

/* Texts are plain and one line each, bounded, and not escaped. */
struct digest_row {
    enum digest_row_kind kind;
    struct str text;
    struct str ticket; /* of an alert, the first; n == 0: none */
};

struct digest_rows {
    struct digest_row items[DIGEST_ROWS_MAX];
    size_t n;
};

/* In the arena. */
void digest_rows(const struct digest *d, struct arena *arena, struct digest_rows *out);

/* "🔴 200 alerts at once: 150 firing, 50 resolved"; the second without the sign. Plain. */
void digest_title(struct buf *out, const struct digest *d);
void digest_count(struct buf *out, const struct digest *d);

/* The rows as people read them; `ticket_url` as words_ticket takes it. What is beyond max_bytes is left out, whole rows. */
void digest_text(struct buf *out, const struct digest *d, enum dialect dialect,
                 struct str ticket_url, size_t max_bytes);

/* "Digest 5d41... · 2026-03-02 09:10 UTC to 2026-03-02 09:41 UTC · `ticketwatch alerts ls` has each" */
void digest_small_print(struct buf *out, const struct digest *d);

#endif
