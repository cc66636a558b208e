/* The memory belongs to a rule and key, not to an episode: the next episode may want to know what the last one
 * left behind. It is written before the next request goes out and before the entry is acknowledged, so who takes
 * over an entry knows at least what the answered requests told. */
#include "sinks/lane_talk.h"

#include <assert.h>
#include <stdio.h>
#include <xxhash.h>

#include "sinks/lane_gate.h"

enum { TURNS_MAX = 20 };
#define DAY_MS INT64_C(86400000)
#define KEEP_OPEN_MS (180 * DAY_MS)
#define KEEP_RESOLVED_MS (30 * DAY_MS)
#define KEEP_DIGEST_MS (4 * DAY_MS) /* it is given up before */

static void hash_text(XXH3_state_t *h, struct str s)
{
    uint64_t n = s.n;
    XXH3_128bits_update(h, &n, sizeof n);
    XXH3_128bits_update(h, s.n ? s.p : "", s.n);
}

/* Rule and key. */
static void name_topic(const struct alert *a, char out[33])
{
    XXH3_state_t *h = XXH3_createState();
    assert(h);
    XXH3_128bits_reset(h);
    hash_text(h, a->rule);
    for (size_t i = 0; i < a->keys_n; i++) {
        hash_text(h, a->key_names[i]);
        hash_text(h, a->key_values[i]);
    }
    XXH128_hash_t d = XXH3_128bits_digest(h);
    XXH3_freeState(h);
    snprintf(out, 33, "%016llx%016llx", (unsigned long long)d.high64,
             (unsigned long long)d.low64);
}

void lane_talk_begin(struct lane *l)
{
    l->talk = (struct lane_talk){0};
    if (l->digest.n)
        snprintf(l->talk.topic, sizeof l->talk.topic, "%s", l->alert.id);
    else if (l->sink->type->hear)
        name_topic(&l->alert, l->talk.topic);
}

int lane_talk_recall(struct lane *l, struct err *e)
{
    struct lane_talk *t = &l->talk;
    if (!l->sink->type->hear || t->known)
        return 0;
    if (outbox_recall(l->world->outbox, l->sink->name, str_of(t->topic), &l->entry_arena,
                      &t->memory, e) < 0)
        return -1;
    t->known = true;
    return 1;
}

/* Whether the request was sent before, by this pod (`tries` of the entry so far) or by the one that held the entry
 * before: what a later turn asks was decided after that one had gone. */
static bool is_repeated(const struct lane *l, int64_t tries)
{
    return (l->entry.attempts > 1 && l->talk.turns == 0) || tries > l->talk.tries;
}

struct sink_input lane_talk_input(const struct lane *l)
{
    return (struct sink_input){.settings = l->sink->settings,
                               .secrets = &l->gate->secrets.values,
                               .alert = &l->alert,
                               .alert_json = l->entry.body,
                               .digest = l->digest.n ? &l->digest : NULL,
                               .now_ms = l->world->wall_ms,
                               .memory = l->talk.memory,
                               .again = is_repeated(l, l->tries)};
}

static void keep(struct lane *l, const struct buf *memory)
{
    struct lane_talk *t = &l->talk;
    if (!memory->n || memory->overflowed || str_eq(buf_str(memory), t->memory))
        return;
    t->memory = arena_str(&l->entry_arena, buf_str(memory));
    t->changed = true;
}

struct outcome lane_talk_hear(struct lane *l, const struct response *response)
{
    struct buf memory;
    buf_init(&memory, MEMORY_MAX_BYTES);
    struct sink_input in = lane_talk_input(l);
    in.again = is_repeated(l, l->tries - 1); /* as format() had it */
    struct outcome o = sink_hear(l->sink->type, &in, response, &memory);
    keep(l, &memory);
    buf_deinit(&memory);
    if (o.verdict == MORE && l->talk.turns >= TURNS_MAX) {
        o.verdict = RETRY;
        snprintf(o.reason, sizeof o.reason, "a conversation without end");
    }
    return o;
}

int lane_talk_remember(struct lane *l, struct err *e)
{
    struct lane_talk *t = &l->talk;
    bool over = alert_is_over(&l->alert) && l->outcome.verdict == DELIVERED;
    struct outbox_memory m = {str_of(t->topic), t->memory,
                              l->digest.n ? KEEP_DIGEST_MS
                              : over      ? KEEP_RESOLVED_MS
                                          : KEEP_OPEN_MS};
    if (!t->changed || l->outcome.verdict == DEAD)
        return 1;
    int rc = outbox_remember(l->world->outbox, l->sink->name, l->entry.id, &m, e);
    t->changed = t->changed && rc < 0;
    return rc;
}

void lane_talk_turn(struct lane *l)
{
    l->talk.turns++;
    l->talk.tries = l->tries;
}
