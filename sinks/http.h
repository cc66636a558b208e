/* Requests side by side, one a slot: by HTTP, or given to a courier. No redirects, no cookies, no other
 * protocols than http and https, certificates always verified, every wait and all that is read bounded, only
 * addresses that the sink may reach (sinks/network.h), only the proxy that it was given: the environment has
 * no say. One thread, but for http_wake. */
#ifndef SINKS_HTTP_H
#define SINKS_HTTP_H

#include "sinks/network.h"
#include "sinks/sink.h"

struct http;

struct http_settings {
    size_t slots;
    int64_t connect_timeout_ms, timeout_ms; /* of the whole request; where a network has none */
};

struct http_way {
    const struct network *network;
    struct str proxy; /* n == 0: none */
};

/* The first one must be opened before other threads start (curl_global_init). */
struct http *http_open(const struct http_settings *settings);
/* Requests under way are broken off. */
void http_close(struct http *h);

/* Begins a request in a free slot; copies all of it but the network. ERR_REFUSED when it has a control
 * character where it would change the request's meaning, or its url is none. */
int http_start(struct http *h, size_t slot, const struct request *request,
               const struct http_way *way, struct err *e);
/* Not one byte of the slot's request is sent after that (monotonic; 0: ever): connecting takes its time, and a
 * stopped process more. Then it fails, unless its sending has begun. */
void http_send_before(struct http *h, size_t slot, int64_t monotonic_ms);
/* Breaks it off: whether it arrived is unknown. */
void http_cancel(struct http *h, size_t slot);

/* Moves what bytes can be moved now. */
void http_push(struct http *h);
/* Moves bytes until something finished, `fd` (-1: none) is readable, http_wake was called, or wait_ms
 * passed. True: fd is readable. */
bool http_wait(struct http *h, int fd, int64_t wait_ms);
/* Any thread. */
void http_wake(struct http *h);

struct http_answer {
    size_t slot;              /* free again */
    struct response response; /* borrowed until the slot's next start */
    bool refused;        /* no address of its receiver may be reached */
    const char *failure; /* why there is no answer, or only part of it; NULL: all came */
    int64_t took_ms;
};
/* The next finished request; false: none. */
bool http_finished(struct http *h, struct http_answer *out);

#endif
