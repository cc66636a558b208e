/* libcurl's part of sinks/network.h: one request's way to its receiver. Beside http.c the only file with libcurl. */
#ifndef SINKS_REACH_H
#define SINKS_REACH_H

#include <curl/curl.h>

#include "sinks/network.h"

enum { REACH_HOST_BYTES = 256 };

struct reach {
    const struct network *network;
    char host[REACH_HOST_BYTES]; /* of the url */
    bool proxied;                /* then the proxy chooses the address */
    bool refused, allowed;       /* one of its addresses, or more */
};

/* Sets what the network's options say on a handle that is new or reset. `proxy` n == 0: none, whatever the
 * environment says. The reach, and what it borrows, must outlive the request. ERR_REFUSED when the url is none. */
int reach_begin(struct reach *r, CURL *easy, const struct network *network,
                struct str url, struct str proxy, struct err *e);

/* Connected to that address, perhaps by an older request: whether this one may use it. */
bool reach_may_send(struct reach *r, const char *address);

/* It failed because no address of its receiver may be reached. */
bool reach_is_refused(const struct reach *r);

#endif
