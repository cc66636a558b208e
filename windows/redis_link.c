/* Commands and scripts on a connection that is made when the first of them needs it.
 *
 * Nothing is repeated but what Redis refused before doing anything (NOSCRIPT, MOVED, ASK), for who does not
 * know whether a write happened must ask Redis first. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/fault.h"
#include "core/metric_families.h"
#include "windows/redis_link.h"
#include "windows/redis_link_impl.h"

enum { HOPS_MAX = 5 };

struct call {
    struct redis_script *script; /* NULL: a plain command */
    size_t n;
    const struct str *args; /* of a script: numkeys, keys, arguments */
};

static int load(struct redis_link *l, struct redis_script *script, struct err *e)
{
    struct str args[] = {STR("SCRIPT"), STR("LOAD"), str_of(script->text)};
    redisReply *r = redis_checked(l, redis_converse(l, 3, args, e), e);
    if (!r)
        return -1;
    struct str sha1 = redis_reply_str(r);
    int rc = 0;
    if (sha1.n == sizeof script->sha1 - 1)
        memcpy(script->sha1, sha1.p, sha1.n);
    else
        rc = redis_lose(l, "gave no name for a script", e);
    freeReplyObject(r);
    return rc;
}

static redisReply *evaluate(struct redis_link *l, const struct call *c, struct err *e)
{
    if (!c->script->sha1[0] && load(l, c->script, e) < 0)
        return NULL;
    redisReply *r = redis_converse(l, c->n, c->args, e);
    if (!r || r->type != REDIS_REPLY_ERROR || strncmp(r->str, "NOSCRIPT", 8) != 0)
        return r;
    freeReplyObject(r);
    return load(l, c->script, e) < 0 ? NULL : redis_converse(l, c->n, c->args, e);
}

static redisReply *attempt(struct redis_link *l, const struct call *c, struct err *e)
{
    FAULT_POINT_OF("redis.before", c->script ? str_of(c->script->name) : c->args[0]);
    redisReply *r = c->script ? evaluate(l, c, e) : redis_converse(l, c->n, c->args, e);
    FAULT_POINT_OF("redis.after", c->script ? str_of(c->script->name) : c->args[0]);
    return r;
}

static enum redis_redirect redirect_of(const struct redis_link *l, const redisReply *r,
                                       struct redis_place *to)
{
    return r && r->type == REDIS_REPLY_ERROR ? redis_redirect(r->str, &l->here, to)
                                             : REDIS_STAY;
}

static int follow(struct redis_link *l, enum redis_redirect where,
                  const struct redis_place *to, struct err *e)
{
    if (where == REDIS_ASK)
        return redis_connect_to_ask(l, to, e);
    redis_send_to(l, to);
    return 0;
}

/* Nodes that disagree about a slot would send us to and fro: so many hops, and no longer than a command. */
static redisReply *perform(struct redis_link *l, const struct call *c, struct err *e)
{
    struct redis_place to;
    int64_t until_ms = clock_monotonic_ms() + l->target.timeout_ms;
    for (int hops = 0;; hops++) {
        if (!l->context && redis_connect(l, e) < 0)
            return NULL;
        redisReply *r = attempt(l, c, e);
        enum redis_redirect where = redirect_of(l, r, &to);
        if (where == REDIS_STAY || hops == HOPS_MAX || clock_monotonic_ms() > until_ms) {
            bool guest = l->asking;
            r = redis_checked(l, r, e);
            if (guest)
                redis_link_drop(l);
            return r;
        }
        freeReplyObject(r);
        if (follow(l, where, &to, e) < 0)
            return NULL;
    }
}

/* A script, at /metrics. Failures are counted elsewhere: their times say nothing. */
static redisReply *measured(struct redis_link *l, const struct call *c, struct err *e)
{
    int64_t begin_us = clock_monotonic_us();
    redisReply *r = perform(l, c, e);
    struct metric **seconds = &c->script->seconds;
    if (!*seconds)
        *seconds = metric_of(&metric_script_seconds, str_of(c->script->name), STR_NONE);
    if (r)
        metric_observe(*seconds, clock_monotonic_us() - begin_us);
    return r;
}

struct redisReply *redis_command(struct redis_link *l, struct err *e, size_t n,
                                 const struct str *args)
{
    return perform(l, &(struct call){.n = n, .args = args}, e);
}

int redis_tell(struct redis_link *l, struct err *e, size_t n, const struct str *args)
{
    struct redisReply *r = redis_command(l, e, n, args);
    redis_reply_free(r);
    return r ? 0 : -1;
}

/* Behind KEYS[1]; NULL where there is one key or none. */
static char *key_that_never_is(size_t keys_n, const struct str *args)
{
    char *never = NULL;
    if (keys_n > 1 && asprintf(&never, "%.*s:never", STR_ARG(args[0])) < 0)
        abort();
    return never;
}

struct redisReply *redis_run(struct redis_link *l, struct redis_script *script,
                             size_t keys_n, size_t n, const struct str *args,
                             struct err *e)
{
    char *never = key_that_never_is(keys_n, args), keys[24];
    struct str *all = malloc((n + 4) * sizeof *all), *to = all + 3;
    assert(all);
    snprintf(keys, sizeof keys, "%zu", keys_n + (never != NULL));
    all[0] = STR("EVALSHA");
    all[1] = (struct str){script->sha1, sizeof script->sha1 - 1}; /* once it is known */
    all[2] = str_of(keys);
    for (size_t i = 0; i < n; i++) {
        if (i == keys_n && never)
            *to++ = str_of(never);
        *to++ = args[i];
    }
    if (n == keys_n && never)
        *to++ = str_of(never);
    redisReply *r = measured(l, &(struct call){script, (size_t)(to - all), all}, e);
    free(all);
    free(never);
    return r;
}

int redis_send(struct redis_link *l, struct err *e, size_t n, const struct str *args)
{
    if (!l->context && redis_connect(l, e) < 0)
        return -1;
    redis_arrange(l, n, args);
    FAULT_POINT_OF("redis.before", args[0]);
    int done = 0;
    if (redisAppendCommandArgv(l->context, (int)n, l->argv, l->lengths) != REDIS_OK)
        return redis_lose(l, "does not answer", e);
    while (!done)
        if (redisBufferWrite(l->context, &done) != REDIS_OK)
            return redis_lose(l, "does not answer", e);
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
        redis_lose(l, "does not answer", e);
    return redis_checked(l, r, e);
}

bool redis_link_answered(const struct redis_link *l)
{
    return l->answered;
}
