/* A sink's secrets as delivery has them now. They are in files that change while we run: read anew every
 * minute, and sooner where asked. Old ones still serve while new ones cannot be read. One thread. */
#ifndef SINKS_LANE_SECRETS_H
#define SINKS_LANE_SECRETS_H

#include "sinks/delivery_settings.h"

struct lane_secrets {
    const struct delivery_sink *sink;
    struct arena arenas[2]; /* the new ones are read beside the old ones */
    struct sink_secrets values;
    int64_t read_ms; /* when they were read last, be it in vain */
    bool stale;      /* to be read before the next request: the last one failed */
};

/* Reads them. ERR_REFUSED. lane_secrets_deinit in either case. */
int lane_secrets_init(struct lane_secrets *s, const struct delivery_sink *sink,
                      int64_t now_ms, struct err *e);
void lane_secrets_deinit(struct lane_secrets *s);

/* Reads them where they are older than that, or stale. True: they have changed. Logs what fails. */
bool lane_secrets_refresh(struct lane_secrets *s, int64_t now_ms, int64_t older_than_ms);

#endif
