/* What could not be delivered, for people: a shard's dead streams (windows/outbox.h), read and given back.
 * A connection of its own; one thread. Every -1 is ERR_UNAVAILABLE or ERR_REFUSED (windows/redis_link.h). */
#ifndef WINDOWS_DEAD_LETTERS_H
#define WINDOWS_DEAD_LETTERS_H

#include <stdint.h>

#include "core/arena.h"
#include "core/err.h"
#include "core/str.h"

struct redis_target;
struct dead_letters;

struct dead_letter {
    struct str id;     /* in the dead stream */
    struct str alert;  /* the alert's JSON */
    struct str reason; /* the receiver's own word */
    int64_t attempts;  /* 0: it was never tried */
    int64_t dead_ms;   /* when it died, by Redis's clock */
};

/* Copies the stem. Connects lazily. */
struct dead_letters *dead_letters_open(const struct redis_target *target,
                                       struct str stem);
void dead_letters_close(struct dead_letters *d);

/* Calls `take` for each of the sink's, oldest first; texts live until it returns. Where it says false no more is read. */
typedef bool dead_letter_fn(void *arg, const struct dead_letter *letter);
int dead_letters_each(struct dead_letters *d, struct str sink, dead_letter_fn *take,
                      void *arg, struct err *e);
/* Only that one. 1; 0: there is none; -1. */
int dead_letters_find(struct dead_letters *d, struct str sink, struct str id,
                      dead_letter_fn *take, void *arg, struct err *e);
/* It goes to the end of the sink's outbox, once. 1; 0: it is gone; -1. */
int dead_letters_redrive(struct dead_letters *d, struct str sink, struct str id,
                         struct err *e);

#endif
