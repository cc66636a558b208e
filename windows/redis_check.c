/* Everything is asked with INFO, which managed servers allow where they forbid CONFIG. An
 * evicted key cannot be noticed later, so a server that may evict is refused. */
#include "windows/redis_check.h"

#include <stdlib.h>

/* The value of "name:value\r\n" in the text of INFO. */
static struct str field(struct str info, const char *name)
{
    struct str prefix = str_of(name);
    while (info.n) {
        const char *end = memchr(info.p, '\n', info.n);
        size_t n = end ? (size_t)(end - info.p) : info.n;
        struct str line = {info.p, n && info.p[n - 1] == '\r' ? n - 1 : n};
        if (str_starts(line, prefix) && line.n > prefix.n && line.p[prefix.n] == ':')
            return (struct str){line.p + prefix.n + 1, line.n - prefix.n - 1};
        n += end != NULL;
        info.p += n;
        info.n -= n;
    }
    return STR_NONE;
}

static int check_version(struct str info, struct err *e)
{
    struct str v = field(info, "redis_version");
    char *end = NULL;
    long major = v.n ? strtol(v.p, &end, 10) : 0;
    long minor = v.n && *end == '.' ? strtol(end + 1, NULL, 10) : 0;
    if (major > 6 || (major == 6 && minor >= 2))
        return 0;
    return err_set(
        e, ERR_REFUSED,
        "Redis is version %.*s, but 6.2 or newer is needed: upgrade it, or point "
        "redis.url to another server",
        STR_ARG(v));
}

/* Not every user may ask for it; then commands will tell. */
static int check_cluster(struct redis_link *l, struct str info, struct err *e)
{
    struct err ignored = {0};
    if (!str_is(field(info, "cluster_enabled"), "1"))
        return 0;
    struct redisReply *r = REDIS_COMMAND(l, &ignored, STR("CLUSTER"), STR("INFO"));
    bool fails = str_is(field(redis_reply_str(r), "cluster_state"), "fail");
    redis_reply_free(r);
    if (!fails)
        return 0;
    return err_set(e, ERR_UNAVAILABLE,
                   "the Redis Cluster is down (cluster_state:fail): are all its slots "
                   "served, and do its nodes see each other? redis-cli --cluster check "
                   "tells");
}

static int check_eviction(struct str info, struct err *e)
{
    struct str policy = field(info, "maxmemory_policy");
    if (policy.n == 0 || str_is(policy, "noeviction"))
        return 0;
    return err_set(e, ERR_REFUSED,
                   "Redis may throw windows away when its memory is full "
                   "(maxmemory-policy is %.*s). Mend it with: CONFIG SET "
                   "maxmemory-policy noeviction, and the same in redis.conf",
                   STR_ARG(policy));
}

/* INFO does not tell whether RDB is on. Where CONFIG is forbidden, we cannot know. */
static bool saves_snapshots(struct redis_link *l)
{
    struct err ignored = {0};
    struct redisReply *r =
        REDIS_COMMAND(l, &ignored, STR("CONFIG"), STR("GET"), STR("save"));
    bool off = redis_reply_n(r) == 2 && redis_reply_str(redis_reply_at(r, 1)).n == 0;
    redis_reply_free(r);
    return !off;
}

static const char *warning_of(struct redis_link *l, struct str info)
{
    struct str evicted = field(info, "evicted_keys");
    if (evicted.n && !str_is(evicted, "0"))
        return "Redis has thrown keys away since it was started (INFO: evicted_keys). If "
               "they were of ours, counts are too low: delete all keys under "
               "redis.prefix, and they are made from Kafka again. CONFIG RESETSTAT ends "
               "this warning";
    if (!str_is(field(info, "aof_enabled"), "1") && !saves_snapshots(l))
        return "Redis keeps nothing on disk (neither AOF nor RDB): when it restarts, all "
               "windows are rebuilt from Kafka; better: CONFIG SET appendonly yes";
    return NULL;
}

int redis_check(struct redis_link *l, const char **warning, struct err *e)
{
    *warning = NULL;
    struct redisReply *r = REDIS_COMMAND(l, e, STR("INFO"));
    if (!r)
        return -1;
    struct str info = redis_reply_str(r);
    int rc = check_version(info, e);
    if (rc == 0)
        rc = check_cluster(l, info, e);
    if (rc == 0)
        rc = check_eviction(info, e);
    if (rc == 0)
        *warning = warning_of(l, info);
    redis_reply_free(r);
    return rc;
}
