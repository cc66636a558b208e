/* Sentinel: the addresses are those of sentinels, and one of them says for every connection where the master is now. */
#include <stdlib.h>

#include "windows/redis_link.h"
#include "windows/redis_link_impl.h"

static int take_answer(const struct redis_link *l, const redisReply *r,
                       struct redis_place *out, struct err *e)
{
    const struct redis_address *a = &l->target.addresses[l->turn];
    struct str host = redis_reply_str(redis_reply_at(r, 0));
    long port = redis_reply_int(redis_reply_at(r, 1));
    if (redis_reply_is_nil(r))
        return err_set(e, ERR_REFUSED,
                       "the Sentinel at %s:%d watches no master named '%.*s': mend "
                       "redis.sentinel",
                       a->host.p, a->port, STR_ARG(l->target.sentinel));
    if (host.n == 0 || host.n >= sizeof out->host || port < 1 || port > UINT16_MAX)
        return err_set(
            e, ERR_UNAVAILABLE,
            "the Sentinel at %s:%d does not say where the master is: is that a "
            "Sentinel?",
            a->host.p, a->port);
    memcpy(out->host, host.p, host.n);
    out->host[host.n] = '\0';
    out->port = (int)port;
    return 0;
}

int redis_ask_sentinel(struct redis_link *l, struct redis_place *out, struct err *e)
{
    const struct redis_address *a = &l->target.addresses[l->turn];
    int ms = l->target.timeout_ms;
    struct timeval wait = {ms / 1000, (ms % 1000) * 1000L};
    redisContext *c = redisConnectWithTimeout(a->host.p, a->port, wait);
    redisReply *r = NULL;
    if (c && !c->err && redisSetTimeout(c, wait) == REDIS_OK &&
        (!l->target.tls || redis_secure(&l->target, c, a->host.p, e) == 0))
        r = redisCommand(c, "SENTINEL get-master-addr-by-name %b", l->target.sentinel.p,
                         l->target.sentinel.n);
    int result =
        r ? take_answer(l, r, out, e)
          : err_set(e, ERR_UNAVAILABLE,
                    "the Sentinel at %s:%d does not answer (%s): is it running, and "
                    "is redis.url right?",
                    a->host.p, a->port, c ? c->errstr : "no memory");
    if (r)
        freeReplyObject(r);
    if (c)
        redisFree(c);
    return result;
}
