#include "app/live_delivery.h"

#include <assert.h>

#include "core/fault.h"

enum { SECRETS_MAX = sizeof((struct sink_secrets *)0)->values / sizeof(struct str) };

/* In the order of the sink's rows; those that are not written stay empty. */
int live_sink_secrets(const struct sink_config *c, struct arena *arena,
                      struct sink_secrets *out, struct err *e)
{
    size_t n = 0;
    *out = (struct sink_secrets){0};
    for (size_t i = 0; i < c->type->options_n; i++) {
        const struct option_row *row = &c->type->options[i];
        if (row->type != OPTION_SECRET)
            continue;
        const struct secret *s = (const void *)((const char *)c->settings + row->offset);
        assert(n < SECRETS_MAX);
        if ((s->value.n || s->file.n) && secret_read(s, arena, &out->values[n], e))
            return -1;
        n++;
    }
    if (c->proxy.value.n || c->proxy.file.n)
        return secret_read(&c->proxy, arena, &out->proxy, e);
    return 0;
}

static int read_secrets(void *arg, struct arena *arena, struct sink_secrets *out,
                        struct err *e)
{
    return live_sink_secrets(arg, arena, out, e);
}

struct delivery *live_delivery_start(const struct config *config,
                                     const struct redis_target *redis,
                                     struct str consumer, struct arena *arena,
                                     struct err *e)
{
    struct delivery_sink *rows = arena_alloc(arena, (config->sinks_n + 1) * sizeof *rows);
    for (size_t i = 0; i < config->sinks_n; i++)
        rows[i] =
            (struct delivery_sink){.name = config->sinks[i].name,
                                   .type = config->sinks[i].type,
                                   .settings = config->sinks[i].settings,
                                   .network = config->sinks[i].network,
                                   .gap_ms = config->sinks[i].gap_ms,
                                   .digest_above = config->sinks[i].digest_above,
                                   .every_step = config->sinks[i].type->every_step,
                                   .concurrency = (size_t)config->sinks[i].concurrency,
                                   .secrets = read_secrets,
                                   .secrets_arg = &config->sinks[i]};
    struct delivery_settings *s = arena_alloc(arena, sizeof *s);
    *s = (struct delivery_settings){.redis = redis,
                                    .prefix = config->redis.prefix,
                                    .shards_n = (size_t)config->redis.shards,
                                    .consumer = consumer,
                                    .digest_within_ms = FAULT_NUMBER("digest_within_ms"),
                                    .inhibits = config->rules->inhibits,
                                    .inhibits_n = config->rules->inhibits_n,
                                    .sinks = rows,
                                    .sinks_n = config->sinks_n};
    return delivery_start(s, e);
}
