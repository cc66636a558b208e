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

struct carrier;

enum mail_tls { MAIL_TLS_ALWAYS, MAIL_TLS_NEVER }; /* behind smtp://: STARTTLS, or in the clear */

/* The envelope of an e-mail. Addresses as mime_is_address takes them. */
struct mail {
    struct str from;
    struct texts to;
    struct str user, password; /* n == 0: no login */
    enum mail_tls starttls;
};

/* Everything in it lives in the arena given to format(), or is the sink's own. */
struct request {
    struct str method; /* "POST" */
    struct str url;
    struct str headers[REQUEST_HEADERS_MAX]; /* "Name: value" */
    size_t headers_n;
    struct str body;
    struct str key;                /* of a carrier that knows keys */
    const struct carrier *carrier; /* what takes it there (sinks/carrier.h); NULL: HTTP */
    const void *settings;          /* the sink's, for the carrier */
    const struct mail *mail;       /* of a request that is one */
};

struct response {
    int status;              /* HTTP status; 0: no answer, and `reason` says why */
    struct str retry_after;  /* header value, n == 0: none */
    struct str limit_reset;  /* when a used-up limit begins anew, in ms since 1970; n == 0: unknown */
    struct str body;         /* at most RESPONSE_MAX_BYTES of it */
    bool body_cut;
    int64_t now_ms;          /* wall clock when it came; 0: unknown, and a Retry-After date is not read */
};
enum { RESPONSE_MAX_BYTES = 256 * 1024 };

enum verdict {
    DELIVERED,
    RETRY,   /* it may go well later */
    DEAD,    /* this alert, never */
    REFUSED, /* the endpoint refuses us, whatever we say: the sink pauses until a person mends it */
    MORE,    /* of a conversation: understood, and another request follows at once */
};

struct outcome {
    enum verdict verdict;
    int64_t retry_after_ms;  /* RETRY: the receiver's wish; 0: ours to choose */
    char reason[200];        /* for the log and the dead-letter record; never a URL or a body */
};

/* Secrets as read just now, in the order of the sink's OPTION_SECRET rows; n == 0 where unset. */
struct sink_secrets {
    struct str values[4];
    struct str proxy; /* what requests go through; not the sink's own */
};

struct digest;

struct sink_input {
    const void *settings;
    const struct sink_secrets *secrets;
    const struct alert *alert;
    struct str alert_json; /* the alert as DESIGN 2 writes it, exactly as in the outbox */
    const struct digest *digest; /* many at once (sinks/digest.h), then `alert` is its face; NULL: one */
    int64_t now_ms;        /* wall clock, for request timestamps only */
    struct str memory;     /* of a conversation: what hear() wrote last; n == 0: nothing */
    bool again;            /* this request may have arrived before, unknown to us */
};
enum { MEMORY_MAX_BYTES = 4096 };

/* What of the configuration a sink may fall back to. */
struct sink_surroundings {
    struct str kafka_brokers;
    struct pairs kafka_properties;
    struct texts kafka_topics; /* that are consumed */
};

struct sink {
    const char *name; /* `type` in the configuration */
    const char *help;
    const struct option_row *options;
    size_t options_n;
    size_t settings_bytes;
    bool digests;    /* people read it: many alerts at once may come as a digest */
    bool every_step; /* programs read it: an escalation is sent also where a later step waits */
    const char *rate; /* how often it may be asked unless the configuration says: "1/s"; NULL: any */
    /* Completes and checks settings that were read. ERR_INPUT: says what is wrong, as in "topic: ..." NULL: nothing
     * to do. */
    int (*complete)(void *settings, const struct sink_surroundings *s, struct err *e);
    /* 1: a request; 0: this sink has nothing to say for this alert (counts as delivered);
     * -1: it cannot be said (dead). */
    int (*format)(const struct sink_input *in, struct arena *arena, struct request *out, struct err *e);
    struct outcome (*outcome)(const void *settings, const struct response *response);
    /* A sink that holds a conversation: it may need several requests for one alert (MORE), and keeps a
     * memory of each rule and key (sinks/memory.h), kept beside the outbox for some days after the end of an
     * episode. Then this judges an answer to the request that format() made of the same input; what it writes
     * to `memory` replaces what was there, nothing leaves it. Losing the memory, and hearing twice, must be
     * safe. NULL: one request, judged by outcome. */
    struct outcome (*hear)(const struct sink_input *in, const struct response *response,
                           struct buf *memory);
};

/* NULL-terminated. */
extern const struct sink *const sinks[];
const struct sink *sink_named(struct str name);

/* What the sink makes of an answer to the request that format() made of the same input. */
struct outcome sink_hear(const struct sink *sink, const struct sink_input *in,
                         const struct response *response, struct buf *memory);

struct outcome outcome_of(enum verdict verdict, const char *reason);

/* The common reading of an HTTP answer: 2xx delivered; 408, 425, 429, 5xx and no answer retry
 * (Retry-After in seconds or as an HTTP date); 401, 403, 404, 407, 410 and 3xx refused; else dead. */
struct outcome outcome_by_status(const struct response *response);

#endif
