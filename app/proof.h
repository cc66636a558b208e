/* The proof that lets an opening be announced early (docs/once.md, "Early words"): everything that was
 * appended to any partition when its windows had been read is in them. Asked of the brokers and of Redis, at
 * most a few times a second while it fails. */
#ifndef APP_PROOF_H
#define APP_PROOF_H

#include "consumer/source.h"
#include "windows/window_store.h"

struct proof {
    struct partition_end *ends;
    size_t n, cap;
    struct arena names;
    int64_t again_ms; /* clock_monotonic_ms() before which it is not tried again */
};

void proof_init(struct proof *p);
void proof_deinit(struct proof *p);

/* *all_read: proven. Where the brokers do not answer it is not proven; -1 when the store does not. */
int proof_try(struct proof *p, struct source *source, struct window_store *store,
              bool *all_read, struct err *e);

#endif
