/* Where a Redis is, and how it is spoken to: what redis.url and the options beside it say. */
#ifndef WINDOWS_REDIS_TARGET_H
#define WINDOWS_REDIS_TARGET_H

#include "core/err.h"
#include "core/str.h"

enum { REDIS_ADDRESSES_MAX = 16 };

struct redis_address {
    struct str host;
    int port;
};

struct redis_target {
    struct redis_address addresses[REDIS_ADDRESSES_MAX]; /* tried in turn */
    size_t addresses_n;                                  /* 0: unix socket at `path` */
    struct str path;
    struct str user, password; /* n == 0: none */
    struct str
        password_file; /* n > 0: read for every connection, instead of `password` */
    struct str
        sentinel; /* n > 0: the addresses are sentinels', which know the master by this name */
    bool tls;
    struct str ca_file, cert_file,
        key_file; /* of TLS; n == 0: the system's CAs, no certificate of ours */
    int db;
    int timeout_ms; /* of connecting and of one command */
};

/* redis://[[user]:password@]host[:port][,host[:port]...][/db], rediss:// for the same with TLS, or unix:///path. ERR_INPUT
 * names what is wrong; also TLS where this build has none. Borrows from url. The time-out is 5 s until the caller sets another. */
int redis_target_parse(struct str url, struct redis_target *out, struct err *e);

bool redis_has_tls(void);

#endif
