/* Asking a sink for its request in a test, without configuration file and network. */
#ifndef TESTS_SINK_CASE_H
#define TESTS_SINK_CASE_H

#include "sinks/sink.h"

/* A sink with settings, secrets as values. */
struct sink_case {
    const struct sink *sink;
    void *settings;
    struct sink_secrets secrets;
    struct str memory; /* of a conversation */
    bool again;
    bool digest; /* what is told are several alerts, a line each, in one message */
};

/* Settings are "name=value", a list's parts separated by commas; what is not said takes its default.
 * Texts are borrowed. -1: there is no such sink or option. */
int sink_case_init(struct sink_case *c, const char *type, const char *const *settings,
                   size_t n, struct arena *arena, struct err *e);

/* What the sink's format() says to an alert as JSON, or to several. U+E000 in its texts stands for bytes that are no UTF-8, which
 * JSON cannot hold. */
int sink_case_format(const struct sink_case *c, struct str alert_json, int64_t now_ms,
                     struct arena *arena, struct request *out, struct err *e);

/* What it makes of an answer to that; its memory stays in the case, in the arena. */
struct outcome sink_case_hear(struct sink_case *c, struct str alert_json, int64_t now_ms,
                              const struct response *response, struct arena *arena);

/* The request for people: method, address, headers, the body indented, and every text of it that has
 * several lines once more as it reads. */
void sink_case_text(const struct request *request, struct buf *out);

#endif
