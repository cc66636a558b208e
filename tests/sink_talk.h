/* A sink's conversation about one alert, with a receiver that says that all is well. */
#ifndef TESTS_SINK_TALK_H
#define TESTS_SINK_TALK_H

#include "tests/sink_case.h"

enum { SINK_TALK_MAX = 20 };

struct sink_talk {
    bool nothing; /* searches find nothing */
    int64_t now_ms;
    struct arena *arena; /* of what is made, and of the case's memory */
};

/* All its requests, at most SINK_TALK_MAX, and how many; one where the sink holds no conversation. -1 where
 * it was not delivered at the end. */
int sink_talk(struct sink_case *c, const struct sink_talk *t, struct str alert_json,
              struct request *out, struct err *e);

#endif
