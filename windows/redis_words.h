/* What an error reply of Redis means. Pure. Only the link needs it. */
#ifndef WINDOWS_REDIS_WORDS_H
#define WINDOWS_REDIS_WORDS_H

#include <stdbool.h>

/* What a person must do about an error that does not pass, for ever; NULL: it may pass. */
const char *redis_remedy(const char *said);

/* This server is not the one to talk to, or not now: another address may know better. */
bool redis_is_astray(const char *said);

/* How much of the text may be shown: without arguments, which can be secret. */
int redis_harmless(const char *said);

enum { REDIS_HOST_BYTES = 256 };

struct redis_place {
    char host[REDIS_HOST_BYTES]; /* of a unix socket: its path */
    int port;                    /* 0: a unix socket */
};

enum redis_redirect {
    REDIS_STAY,
    REDIS_MOVED, /* the slot is served there, from now on */
    REDIS_ASK,   /* this one command is to be tried there, behind ASKING */
};

/* Reads "MOVED 3999 10.0.0.2:7001" and "ASK 3999 10.0.0.2:7001" (Redis Cluster specification). A text
 * without a host means the one that said it, `here`. What cannot be read is REDIS_STAY. */
enum redis_redirect redis_redirect(const char *said, const struct redis_place *here,
                                   struct redis_place *to);

#endif
