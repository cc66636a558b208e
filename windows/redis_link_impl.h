/* What the link's two files share: redis_connect.c has the connection, redis_link.c the commands. */
#ifndef WINDOWS_REDIS_LINK_IMPL_H
#define WINDOWS_REDIS_LINK_IMPL_H

#include <hiredis/hiredis.h>

#include "core/buf.h"
#include "windows/redis_target.h"
#include "windows/redis_words.h"

enum { REDIS_PLACE_BYTES = 300 };

struct redis_link {
    struct redis_target target; /* its texts lie in `texts`, each with a NUL after it */
    char *texts;
    size_t texts_bytes;
    size_t turn; /* of the configured addresses: which is next */
    bool sent;   /* a cluster sent us to `goal` */
    struct redis_place here, goal;
    char place[REDIS_PLACE_BYTES]; /* `here`, for messages */
    redisContext *context;         /* NULL: not connected */
    bool asking;                   /* here for one command: ASKING goes before it */
    bool entered;                  /* the password was right once */
    bool answered;                 /* the last failure was an error reply */
    const char **argv;
    size_t *lengths;
    size_t argv_cap;
};

/* Connects where a cluster sent us; or to one of the configured addresses, in turn, but to no further one once a
 * time-out has passed. */
int redis_connect(struct redis_link *l, struct err *e);
/* To that place, for one command, which ASKING precedes. */
int redis_connect_to_ask(struct redis_link *l, const struct redis_place *to,
                         struct err *e);
/* Where the master is, by the next sentinel. ERR_REFUSED: it knows of none with that name. */
int redis_ask_sentinel(struct redis_link *l, struct redis_place *out, struct err *e);
/* TLS on a connection that was just made. -1: refused; or the error is the context's, and *e untouched. */
int redis_secure(const struct redis_target *target, redisContext *c, const char *host,
                 struct err *e);
/* The next connection goes there. */
void redis_send_to(struct redis_link *l, const struct redis_place *to);
/* Copies the words to where hiredis wants them. */
void redis_arrange(struct redis_link *l, size_t n, const struct str *args);
/* Sends and waits. The reply, also an error reply; NULL: the connection is lost. */
redisReply *redis_converse(struct redis_link *l, size_t n, const struct str *args,
                           struct err *e);
/* An error reply as an error, which ends the connection; others as they are. */
redisReply *redis_checked(struct redis_link *l, redisReply *r, struct err *e);
/* Ends the connection and says so; -1. */
int redis_lose(struct redis_link *l, const char *what, struct err *e);

#endif
