#include "app/redis_where.h"

int live_redis_target(const struct config *config, struct arena *arena,
                      struct redis_target *out, struct err *e)
{
    if (!config->has_redis)
        return err_set(e, ERR_REFUSED,
                       "the configuration has no `redis` section, for example redis: "
                       "{url: \"redis://127.0.0.1:6379\"}");
    if (redis_target_parse(arena_str(arena, config->redis.url), out, e))
        return -1;
    if (config->redis.password.value.n)
        out->password = config->redis.password.value;
    out->password_file = config->redis.password.file;
    out->sentinel = config->redis.sentinel;
    out->ca_file = config->redis.ca_file;
    out->cert_file = config->redis.cert_file;
    out->key_file = config->redis.key_file;
    out->timeout_ms = (int)config->redis.timeout_ms;
    return 0;
}

size_t live_shards(const struct config *config)
{
    return (size_t)config->redis.shards;
}
