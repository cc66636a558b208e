/* One connection, commands with bounded waits, scripts by name, loaded again after NOSCRIPT. Any error
 * means nothing is known: the connection is dropped, and the next command makes another.
 *
 * In a cluster a link serves the keys of one slot: it goes where MOVED sends it and stays there, follows ASK for
 * one command, and begins again at the configured addresses, in turn, when that place fails.
 *
 * Only redis_link.c, redis_connect.c and redis_reply.c include hiredis. One thread a link. Connecting makes the process
 * ignore SIGPIPE. */
#ifndef WINDOWS_REDIS_LINK_H
#define WINDOWS_REDIS_LINK_H

#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "windows/redis_target.h"

struct metric;
struct redisReply;

struct redis_link;
/* Copies the target. No connection yet. */
struct redis_link *redis_link_new(const struct redis_target *target);
void redis_link_free(struct redis_link *l);

/* One command; connects first when there is no connection. The reply is the caller's
 * (redis_reply_free). NULL: ERR_UNAVAILABLE (no connection, time-out, LOADING, READONLY, OOM, CLUSTERDOWN, a slot
 * that is being moved, ...: back off and start from what Redis says) or ERR_REFUSED (wrong password, no permission;
 * a password from a file that was right once is ERR_UNAVAILABLE: the file may be behind). A server
 * that says nothing costs timeout_ms, also where there are several; a cluster that sends us to and fro at most
 * three times as much. */
struct redisReply *redis_command(struct redis_link *l, struct err *e, size_t n,
                                 const struct str *args);
#define REDIS_COMMAND(link, err, ...)                                                  \
    redis_command(link, err, sizeof((struct str[]){__VA_ARGS__}) / sizeof(struct str), \
                  (struct str[]){__VA_ARGS__})

struct redis_script {
    const char *name, *text; /* for messages; the Lua source, NUL-terminated */
    char sha1[41];           /* filled at first use: one thread a script */
    struct metric *seconds;  /* the same */
};
/* Runs a script: args are KEYS then ARGV. Where there are several keys, another one that never exists is added
 * behind them (KEYS[1] and ":never"): so a cluster refuses the script, with TRYAGAIN, as long as the slot is being
 * moved. Else a key that becomes empty in the middle of the script would end it there, its writes done by half. */
struct redisReply *redis_run(struct redis_link *l, struct redis_script *script,
                             size_t keys_n, size_t n, const struct str *args,
                             struct err *e);

/* The same where the reply says nothing but that it was done: 0, or -1 as where redis_command is NULL. */
int redis_tell(struct redis_link *l, struct err *e, size_t n, const struct str *args);
#define REDIS_TELL(link, err, ...)                                                  \
    redis_tell(link, err, sizeof((struct str[]){__VA_ARGS__}) / sizeof(struct str), \
               (struct str[]){__VA_ARGS__})

/* A command whose reply is waited for elsewhere, such as a blocking read: send it, poll redis_fd for
 * reading (-1: the connection is gone), receive the reply. Nothing else may be sent in between. Sent
 * elsewhere by a cluster it fails, and goes there the next time. */
int redis_send(struct redis_link *l, struct err *e, size_t n, const struct str *args);
int redis_fd(const struct redis_link *l);
struct redisReply *redis_receive(struct redis_link *l, struct err *e);
/* Whether the last failure was Redis's own word (no memory, no permission), not its silence. */
bool redis_link_answered(const struct redis_link *l);
/* Ends the connection, whatever is under way. */
void redis_link_drop(struct redis_link *l);

void redis_reply_free(struct redisReply *r);
/* Reading replies; wrong types give 0, STR_NONE, NULL. */
size_t redis_reply_n(const struct redisReply *r);
const struct redisReply *redis_reply_at(const struct redisReply *r, size_t i);
struct str redis_reply_str(const struct redisReply *r);
/* Of a stream's entry, [id, [name, value, ...]], the value of that name. */
const struct redisReply *redis_reply_field(const struct redisReply *entry,
                                           const char *name);
int64_t
redis_reply_int(const struct redisReply *r); /* integers, and texts that are integers */
bool redis_reply_is_nil(const struct redisReply *r);

#endif
