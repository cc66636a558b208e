/* A sink: where alerts go. Pure: alert -> request, response -> outcome; sinks/delivery.c alone talks
 * HTTP. To add one: its file, one row in sinks.c, its golden requests. */
#ifndef SINKS_SINK_H
#define SINKS_SINK_H

#include "core/alert.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/err.h"
#include "core/option.h"

enum { REQUEST_HEADERS_MAX = 12 };

/* Everything in it lives in the arena given to format(). */
struct request {
    struct str method; /* "POST" */
    struct str url;
    struct str headers[REQUEST_HEADERS_MAX]; /* "Name: value" */
    size_t headers_n;
    struct str body;
};

struct response {
    int status;              /* HTTP status; 0: no answer, and `reason` says why */
    struct str retry_after;  /* header value, n == 0: none */
    struct str body;         /* at most RESPONSE_MAX_BYTES of it */
    bool body_cut;
    int64_t now_ms;          /* wall clock when it came; 0: unknown, and a Retry-After date is not read */
};
enum { RESPONSE_MAX_BYTES = 64 * 1024 };

enum verdict { DELIVERED, RETRY, DEAD };

struct outcome {
    enum verdict verdict;
    int64_t retry_after_ms;  /* RETRY: the receiver's wish; 0: ours to choose */
    char reason[200];        /* for the log and the dead-letter record; never a URL or a body */
};

/* Secrets as read just now, in the order of the sink's OPTION_SECRET rows; n == 0 where unset. */
struct sink_secrets {
    struct str values[4];
};

struct sink_input {
    const void *settings;
    const struct sink_secrets *secrets;
    const struct alert *alert;
    struct str alert_json; /* the alert as DESIGN 2 writes it, exactly as in the outbox */
    int64_t now_ms;        /* wall clock, for request timestamps only */
};

struct sink {
    const char *name; /* `type` in the configuration */
    const char *help;
    const struct option_row *options;
    size_t options_n;
    size_t settings_bytes;
    /* 1: a request; 0: this sink has nothing to say for this alert (counts as delivered);
     * -1: it cannot be said (dead). */
    int (*format)(const struct sink_input *in, struct arena *arena, struct request *out, struct err *e);
    struct outcome (*outcome)(const void *settings, const struct response *response);
};

/* NULL-terminated. */
extern const struct sink *const sinks[];
const struct sink *sink_named(struct str name);

/* The common reading of an HTTP answer: 2xx delivered; 408, 425, 429, 5xx and no answer retry
 * (Retry-After in seconds or as an HTTP date); everything else dead. */
struct outcome outcome_by_status(const struct response *response);

#endif
