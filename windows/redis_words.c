/* Error replies are sorted by their first word into what may pass, what a person must change, and
 * where a cluster sends us. A word we do not know may pass, and is never taken for done. */
#include "windows/redis_words.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAID_BYTES = 150, PORT_MAX = 65535 };

static bool begins(const char *text, const char *word)
{
    return strncmp(text, word, strlen(word)) == 0;
}

static bool holds_one(const char *said, const char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        if (strstr(said, words[i]))
            return true;
    return false;
}

/* Redis 6.2 reports an error inside a script as ERR with the original words behind. */
static bool may_pass(const char *said)
{
    static const char *const words[] = {"LOADING",    "BUSY",
                                        "OOM",        "MISCONF",
                                        "READONLY",   "MASTERDOWN",
                                        "NOREPLICAS", "CLUSTERDOWN",
                                        "TRYAGAIN",   "max number of clients",
                                        "UNBLOCKED",  "MOVED",
                                        "ASK ",       "non local key",
                                        NULL};
    return holds_one(said, words);
}

bool redis_is_astray(const char *said)
{
    static const char *const words[] = {"LOADING",     "READONLY",  "MASTERDOWN",
                                        "CLUSTERDOWN", "UNBLOCKED", NULL};
    return holds_one(said, words);
}

const char *redis_remedy(const char *said)
{
    static const struct {
        const char *word, *todo;
    } rows[] = {
        {"NOAUTH", "it wants a password: put it into redis.url or redis.password_file"},
        {"WRONGPASS", "the user or the password is wrong: mend redis.url or "
                      "redis.password_file"},
        {"ERR invalid password", "the password is wrong: mend redis.url or "
                                 "redis.password_file"},
        {"ERR AUTH",
         "it wants no password, but one is given: take it out of redis.url and "
         "redis.password_file"},
        {"ERR Client sent AUTH", "it wants no password, but one is given: take it out of "
                                 "redis.url and redis.password_file"},
        {"NOPERM", "this user may not do that: give it more rights with ACL SETUSER"},
        {"DENIED", "protected mode: set a password (requirepass) or bind it to a private "
                   "address"},
        {"ERR DB index", "there is no such database: mend the number in redis.url"},
        {"ERR SELECT is not allowed",
         "it is a cluster, which has no database but 0: take the number out of "
         "redis.url, and tell systems apart by redis.prefix"},
        {"CROSSSLOT",
         "keys of one command lie in several slots, which is a bug: please report it"},
        {"WRONGTYPE",
         "a key of another program is in the way: choose another redis.prefix"},
        {"ERR user_script", "a script failed, which is a bug: please report it"},
        {"ERR Error running script", "a script failed, which is a bug: please report it"},
        {"ERR unknown command", "it cannot do what is asked: is it Redis 6.2 or newer?"},
        {"ERR Unknown", "it cannot do what is asked: is it Redis 6.2 or newer?"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (begins(said, rows[i].word))
            return may_pass(said) ? NULL : rows[i].todo;
    return NULL;
}

/* "unknown command 'AUTH', with args beginning with: ..." would repeat the password. */
int redis_harmless(const char *said)
{
    const char *args = strstr(said, ", with args");
    size_t n = args ? (size_t)(args - said) : strlen(said);
    return n < SAID_BYTES ? (int)n : SAID_BYTES;
}

/* "SLOT HOST:PORT"; an IPv6 host has colons of its own and no brackets. */
static bool read_place(const char *text, const struct redis_place *here,
                       struct redis_place *to)
{
    const char *host = strchr(text, ' ');
    const char *colon = host ? strrchr(host, ':') : NULL;
    if (!colon)
        return false;
    char *end;
    long port = strtol(colon + 1, &end, 10);
    size_t n = (size_t)(colon - ++host);
    if (end == colon + 1 || *end || port < 1 || port > PORT_MAX || n >= sizeof to->host)
        return false;
    *to = (struct redis_place){.port = (int)port};
    if (n)
        memcpy(to->host, host, n);
    else
        snprintf(to->host, sizeof to->host, "%s", here->port ? here->host : "127.0.0.1");
    return true;
}

enum redis_redirect redis_redirect(const char *said, const struct redis_place *here,
                                   struct redis_place *to)
{
    if (begins(said, "MOVED ") && read_place(said + strlen("MOVED "), here, to))
        return REDIS_MOVED;
    if (begins(said, "ASK ") && read_place(said + strlen("ASK "), here, to))
        return REDIS_ASK;
    return REDIS_STAY;
}
