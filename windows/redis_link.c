/* One connection to Redis, made when the first command needs it.
 *
 * Every failure ends the connection: a reply that comes too late must never be taken for
 * the reply to the next command. Nothing is repeated here, for who does not know whether
 * a write happened must ask Redis first. Error replies are sorted by their first word
 * into what may pass and what a person must change; a word we do not know may pass, and
 * is never taken for done. Texts name the server and what to do, never a password. */
#include "windows/redis_link.h"

#include <assert.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/fault.h"

enum { PLACE_BYTES = 300, SAID_BYTES = 150 };

struct redis_link {
    struct redis_target target; /* its texts lie in `texts`, each with a NUL after it */
    char *texts;
    size_t texts_bytes;
    char place[PLACE_BYTES]; /* "HOST:PORT", for messages */
    redisContext *context;   /* NULL: not connected */
    bool answered;           /* the last failure was an error reply */
    const char **argv;
    size_t *lengths;
    size_t argv_cap;
};

static void keep(struct redis_link *l, struct str *s)
{
    char *to = l->texts + l->texts_bytes;
    if (s->n)
        memcpy(to, s->p, s->n);
    to[s->n] = '\0';
    l->texts_bytes += s->n + 1;
    s->p = to;
}

struct redis_link *redis_link_new(const struct redis_target *target)
{
    struct redis_link *l = calloc(1, sizeof *l);
    assert(l);
    struct redis_target *t = &l->target;
    *t = *target;
    l->texts = malloc(t->host.n + t->path.n + t->user.n + t->password.n + 4);
    assert(l->texts);
    keep(l, &t->host);
    keep(l, &t->path);
    keep(l, &t->user);
    keep(l, &t->password);
    if (t->host.n)
        snprintf(l->place, sizeof l->place, "%s:%d", t->host.p, t->port);
    else
        snprintf(l->place, sizeof l->place, "%s", t->path.p);
    return l;
}

static void drop(struct redis_link *l)
{
    if (l->context)
        redisFree(l->context);
    l->context = NULL;
}

void redis_link_free(struct redis_link *l)
{
    if (!l)
        return;
    drop(l);
    explicit_bzero(l->texts, l->texts_bytes);
    free(l->texts);
    free(l->argv);
    free(l->lengths);
    free(l);
}

static bool begins(const char *text, const char *word)
{
    return strncmp(text, word, strlen(word)) == 0;
}

/* Redis 6.2 reports an error inside a script as ERR with the original words behind. */
static bool may_pass(const char *said)
{
    static const char *const words[] = {
        "LOADING",    "BUSY",       "OOM",         "MISCONF",  "READONLY",
        "MASTERDOWN", "NOREPLICAS", "CLUSTERDOWN", "TRYAGAIN", "max number of clients",
        NULL};
    for (size_t i = 0; words[i]; i++)
        if (strstr(said, words[i]))
            return true;
    return false;
}

/* What a person must do about an error that does not pass; NULL: it may pass. */
static const char *remedy(const char *said)
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
        {"MOVED", "it is a cluster, which is not supported yet: use one Redis server"},
        {"ASK ", "it is a cluster, which is not supported yet: use one Redis server"},
        {"CROSSSLOT",
         "it is a cluster, which is not supported yet: use one Redis server"},
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
static int harmless(const char *said)
{
    const char *args = strstr(said, ", with args");
    size_t n = args ? (size_t)(args - said) : strlen(said);
    return n < SAID_BYTES ? (int)n : SAID_BYTES;
}

static int refuse(struct redis_link *l, const char *said, struct err *e)
{
    const char *todo = remedy(said);
    l->answered = true;
    drop(l);
    if (todo)
        return err_set(e, ERR_REFUSED, "Redis at %s: %s (it says: %.*s)", l->place, todo,
                       harmless(said), said);
    return err_set(e, ERR_UNAVAILABLE, "Redis at %s is not ready (it says: %.*s)",
                   l->place, harmless(said), said);
}

static int lose(struct redis_link *l, const char *what, struct err *e)
{
    char why[128] = "no memory";
    if (l->context)
        snprintf(why, sizeof why, "%s", l->context->errstr);
    l->answered = false;
    drop(l);
    return err_set(e, ERR_UNAVAILABLE,
                   "Redis at %s %s (%s): is it running, and is redis.url "
                   "right?",
                   l->place, what, why);
}

static void reserve(struct redis_link *l, size_t n)
{
    if (n <= l->argv_cap)
        return;
    l->argv = realloc(l->argv, n * sizeof *l->argv);
    l->lengths = realloc(l->lengths, n * sizeof *l->lengths);
    assert(l->argv && l->lengths);
    l->argv_cap = n;
}

static void arrange(struct redis_link *l, size_t n, const struct str *args)
{
    reserve(l, n);
    for (size_t i = 0; i < n; i++) {
        l->argv[i] = args[i].n ? args[i].p : "";
        l->lengths[i] = args[i].n;
    }
}

/* The reply, also an error reply; NULL: the connection is lost. */
static redisReply *converse(struct redis_link *l, size_t n, const struct str *args,
                            struct err *e)
{
    arrange(l, n, args);
    redisReply *r = redisCommandArgv(l->context, (int)n, l->argv, l->lengths);
    if (!r)
        lose(l, "does not answer", e);
    return r;
}

static int greet(struct redis_link *l, size_t n, const struct str *args, struct err *e)
{
    redisReply *r = converse(l, n, args, e);
    if (!r)
        return -1;
    int rc = r->type == REDIS_REPLY_ERROR ? refuse(l, r->str, e) : 0;
    freeReplyObject(r);
    return rc;
}

static int authenticate(struct redis_link *l, struct err *e)
{
    const struct redis_target *t = &l->target;
    struct str args[] = {STR("AUTH"), t->user, t->password};
    if (t->password.n == 0)
        return 0;
    if (t->user.n)
        return greet(l, 3, args, e);
    args[1] = t->password;
    return greet(l, 2, args, e);
}

static int enter(struct redis_link *l, struct err *e)
{
    if (authenticate(l, e) < 0)
        return -1;
    char db[16];
    snprintf(db, sizeof db, "%d", l->target.db);
    if (l->target.db && greet(l, 2, (struct str[]){STR("SELECT"), str_of(db)}, e) < 0)
        return -1;
    /* A name helps who looks at CLIENT LIST; a user without the right to it works as
     * well. */
    redisReply *r = converse(
        l, 3, (struct str[]){STR("CLIENT"), STR("SETNAME"), STR("ticketwatch")}, e);
    redis_reply_free(r);
    return r ? 0 : -1;
}

static int connect_to(struct redis_link *l, struct err *e)
{
    const struct redis_target *t = &l->target;
    struct timeval wait = {t->timeout_ms / 1000, (t->timeout_ms % 1000) * 1000L};
    /* hiredis writes to sockets that the other side may have closed. */
    signal(SIGPIPE, SIG_IGN);
    l->context = t->host.n ? redisConnectWithTimeout(t->host.p, t->port, wait)
                           : redisConnectUnixWithTimeout(t->path.p, wait);
    if (!l->context || l->context->err)
        return lose(l, "cannot be reached", e);
    if (redisSetTimeout(l->context, wait) != REDIS_OK)
        return lose(l, "cannot be reached", e);
    if (t->host.n)
        redisEnableKeepAlive(l->context);
    return enter(l, e);
}

static redisReply *checked(struct redis_link *l, redisReply *r, struct err *e)
{
    if (!r || r->type != REDIS_REPLY_ERROR)
        return r;
    refuse(l, r->str, e);
    freeReplyObject(r);
    return NULL;
}

struct redisReply *redis_command(struct redis_link *l, struct err *e, size_t n,
                                 const struct str *args)
{
    if (!l->context && connect_to(l, e) < 0)
        return NULL;
    FAULT_POINT_OF("redis.before", args[0]);
    redisReply *r = converse(l, n, args, e);
    FAULT_POINT_OF("redis.after", args[0]);
    return checked(l, r, e);
}

static int load(struct redis_link *l, struct redis_script *script, struct err *e)
{
    redisReply *r = REDIS_COMMAND(l, e, STR("SCRIPT"), STR("LOAD"), str_of(script->text));
    if (!r)
        return -1;
    struct str sha1 = redis_reply_str(r);
    int rc = 0;
    if (sha1.n == sizeof script->sha1 - 1)
        memcpy(script->sha1, sha1.p, sha1.n);
    else
        rc = lose(l, "gave no name for a script", e);
    freeReplyObject(r);
    return rc;
}

static redisReply *evaluate(struct redis_link *l, struct redis_script *script, size_t n,
                            struct str *args, struct err *e)
{
    if (!script->sha1[0] && load(l, script, e) < 0)
        return NULL;
    args[1] = str_of(script->sha1);
    redisReply *r = converse(l, n, args, e);
    if (!r || r->type != REDIS_REPLY_ERROR || !begins(r->str, "NOSCRIPT"))
        return r;
    /* This is said before anything is done: the only error that is safe to repeat here.
     */
    freeReplyObject(r);
    return load(l, script, e) < 0 ? NULL : converse(l, n, args, e);
}

struct redisReply *redis_run(struct redis_link *l, struct redis_script *script,
                             size_t keys_n, size_t n, const struct str *args,
                             struct err *e)
{
    if (!l->context && connect_to(l, e) < 0)
        return NULL;
    char keys[24];
    snprintf(keys, sizeof keys, "%zu", keys_n);
    struct str *all = malloc((n + 3) * sizeof *all);
    assert(all);
    all[0] = STR("EVALSHA");
    all[2] = str_of(keys);
    if (n)
        memcpy(all + 3, args, n * sizeof *args);
    FAULT_POINT_OF("redis.before", str_of(script->name));
    redisReply *r = evaluate(l, script, n + 3, all, e);
    FAULT_POINT_OF("redis.after", str_of(script->name));
    free(all);
    return checked(l, r, e);
}

int redis_send(struct redis_link *l, struct err *e, size_t n, const struct str *args)
{
    if (!l->context && connect_to(l, e) < 0)
        return -1;
    arrange(l, n, args);
    FAULT_POINT_OF("redis.before", args[0]);
    int done = 0;
    if (redisAppendCommandArgv(l->context, (int)n, l->argv, l->lengths) != REDIS_OK)
        return lose(l, "does not answer", e);
    while (!done)
        if (redisBufferWrite(l->context, &done) != REDIS_OK)
            return lose(l, "does not answer", e);
    FAULT_POINT_OF("redis.after", args[0]);
    return 0;
}

int redis_fd(const struct redis_link *l)
{
    return l->context ? l->context->fd : -1;
}

struct redisReply *redis_receive(struct redis_link *l, struct err *e)
{
    void *r = NULL;
    if (redisGetReply(l->context, &r) != REDIS_OK)
        lose(l, "does not answer", e);
    return checked(l, r, e);
}

bool redis_link_answered(const struct redis_link *l)
{
    return l->answered;
}

void redis_link_drop(struct redis_link *l)
{
    drop(l);
}
