/* Where a server listens: "127.0.0.1:9464", "0.0.0.0:9464", "[::1]:9464". Names are not looked up: `check`
 * uses no network, and what a name means may change. */
#ifndef CONFIG_LISTEN_ADDRESS_H
#define CONFIG_LISTEN_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

#include "core/str.h"

struct listen_address {
    struct sockaddr_storage socket;
    socklen_t bytes; /* of it */
};

/* False: no such address, or no port of 1 to 65535. */
bool listen_address_parse(struct str text, struct listen_address *out);

#endif
