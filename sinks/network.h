/* How a sink's requests may reach the network, and which addresses they may not. A name may lead anywhere,
 * and somebody else may decide where: so an address counts when a connection is made, never a name alone.
 *
 *   public    may be reached
 *   private   loopback, RFC 1918, RFC 6598, unique local: where the operator wrote the address itself
 *             into the sink's url, or allows it
 *   special   link-local, multicast, unspecified, reserved, clouds' metadata: only where a network that
 *             holds it is allowed
 * An IPv6 address that carries an IPv4 address is what that one is. Pure. */
#ifndef SINKS_NETWORK_H
#define SINKS_NETWORK_H

#include <sys/socket.h>

#include "core/err.h"
#include "core/option.h"

struct network {
    int64_t connect_timeout_ms, timeout_ms; /* 0: delivery's own */
    struct str ca_file;                     /* n == 0: the system's certificates */
    /* "true": all private ones; a host; an address or network */
    struct texts allow_private;
};

/* A word of allow_private. ERR_INPUT. */
int network_check_word(struct str word, struct err *e);

/* `host` as it stands in the url, IPv6 without brackets. False: the address may not be reached. */
bool network_allows(const struct network *n, struct str host,
                    const struct sockaddr *address);

#endif
