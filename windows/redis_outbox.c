/* The outbox in Redis. Each step that reads before it writes is one script, so that a
 * crash between the two cannot lose or double an entry. Times a lease is counted in are
 * Redis's own. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "windows/outbox.h"
#include "windows/redis_link.h"
#include "windows/scripts.h"
#include "windows/silences.h"

enum { CONSUMER_GONE_MS = 24 * 3600 * 1000 };
enum { TAKEN_ONE = 4 };            /* id, alert, times taken, last entry */
#define IDLE_FOR_EVER "9999999999" /* ms: longer than any lease */

struct outbox {
    struct redis_link *link;
    struct arena names;
    struct str stem, consumer, unsent; /* unsent: its key */
    struct shard_key key, other_key, digests_key, told_key;
    struct redis_script take, later, pace, ack, dead, hold, figures, remember, mute, tidy,
        storm, compose, apart;
};

struct str outbox_key(struct str stem, struct str sink, struct shard_key *room)
{
    return shard_key(stem, "outbox:", sink, room);
}

/* The script behind what several have in common, kept with the outbox. */
static const char *with_common(struct outbox *o, const char *script)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    buf_text(&b, script_outbox_common);
    buf_text(&b, script);
    const char *kept = arena_str(&o->names, buf_str(&b)).p;
    buf_deinit(&b);
    return kept;
}

struct outbox *outbox_open(const struct redis_target *target, struct str stem,
                           struct str consumer)
{
    struct outbox *o = calloc(1, sizeof *o);
    assert(o);
    o->link = redis_link_new(target);
    arena_init(&o->names);
    o->stem = arena_str(&o->names, stem);
    o->consumer = arena_str(&o->names, consumer);
    o->unsent = arena_str(&o->names, shard_key(stem, "unsent", STR_NONE, &o->key));
    o->take = (struct redis_script){.name = "outbox_take",
                                    .text = with_common(o, script_outbox_take)};
    o->storm = (struct redis_script){.name = "outbox_storm",
                                     .text = with_common(o, script_outbox_storm)};
    o->compose =
        (struct redis_script){.name = "outbox_compose", .text = script_outbox_compose};
    o->apart = (struct redis_script){.name = "outbox_apart", .text = script_outbox_apart};
    o->later = (struct redis_script){.name = "outbox_later", .text = script_outbox_later};
    o->pace = (struct redis_script){.name = "outbox_pace", .text = script_outbox_pace};
    o->ack = (struct redis_script){.name = "outbox_ack", .text = script_outbox_ack};
    o->dead = (struct redis_script){.name = "outbox_dead", .text = script_outbox_dead};
    o->hold = (struct redis_script){.name = "outbox_hold", .text = script_outbox_hold};
    o->figures =
        (struct redis_script){.name = "outbox_figures", .text = script_outbox_figures};
    o->remember =
        (struct redis_script){.name = "outbox_remember", .text = script_outbox_remember};
    o->mute = (struct redis_script){.name = "outbox_mute", .text = script_outbox_mute};
    o->tidy = (struct redis_script){.name = "outbox_tidy", .text = script_outbox_tidy};
    return o;
}

void outbox_close(struct outbox *o)
{
    if (!o)
        return;
    redis_link_free(o->link);
    arena_deinit(&o->names);
    free(o);
}

static struct str key(struct outbox *o, struct str sink)
{
    return outbox_key(o->stem, sink, &o->key);
}

/* All others of a sink have one room: none are asked for together. */
static struct str other_key(struct outbox *o, const char *kind, struct str sink)
{
    return shard_key(o->stem, kind, sink, &o->other_key);
}

static struct str digests_key(struct outbox *o, struct str sink)
{
    return shard_key(o->stem, "digest:", sink, &o->digests_key);
}

static struct str told_key(struct outbox *o, struct str sink)
{
    return shard_key(o->stem, "told:", sink, &o->told_key);
}

/* Ends with the integer that the script answers. */
static int run(struct outbox *o, struct redis_script *script, size_t keys_n, size_t n,
               const struct str *args, struct err *e)
{
    struct redisReply *r = redis_run(o->link, script, keys_n, n, args, e);
    if (!r)
        return -1;
    int64_t answer = redis_reply_int(r);
    redis_reply_free(r);
    return answer > 0;
}

static bool take_id(char out[OUTBOX_ID_BYTES], struct str id)
{
    if (id.n >= OUTBOX_ID_BYTES)
        return false;
    snprintf(out, OUTBOX_ID_BYTES, "%.*s", STR_ARG(id));
    return true;
}

/* The entries behind one, of which only id and alert are told, from the reply's `at`-th element on. */
static bool take_behind(const struct redisReply *r, size_t at, struct arena *arena,
                        struct outbox_entry **out, size_t *n)
{
    bool good = true;
    *n = (redis_reply_n(r) - at) / 2;
    *out = arena_alloc(arena, (*n + 1) * sizeof **out);
    for (size_t i = 0; i < *n; i++, at += 2) {
        (*out)[i] = (struct outbox_entry){
            .body = arena_str(arena, redis_reply_str(redis_reply_at(r, at + 1)))};
        good = take_id((*out)[i].id, redis_reply_str(redis_reply_at(r, at))) && good;
    }
    return good;
}

/* {id, alert, times taken, last entry, id, alert, ...}, or for how long another pod holds one, or nil. */
static int taken(const struct redisReply *r, struct arena *arena,
                 struct outbox_entry *out, struct err *e)
{
    out->held_ms = redis_reply_int(r);
    if (out->held_ms > 0 || redis_reply_is_nil(r))
        return 0;
    if (redis_reply_n(r) < TAKEN_ONE ||
        !take_id(out->id, redis_reply_str(redis_reply_at(r, 0))) || !out->id[0] ||
        !take_id(out->last, redis_reply_str(redis_reply_at(r, 3))) ||
        !take_behind(r, TAKEN_ONE, arena, &out->more, &out->more_n))
        return err_set(e, ERR_UNAVAILABLE,
                       "Redis answers to taking an alert what it never should");
    out->body = arena_str(arena, redis_reply_str(redis_reply_at(r, 1)));
    out->attempts = redis_reply_int(redis_reply_at(r, 2));
    return 1;
}

int outbox_take(struct outbox *o, struct str sink, const struct outbox_want *want,
                struct arena *arena, struct outbox_entry *out, struct err *e)
{
    char lease[24], most[24];
    snprintf(lease, sizeof lease, "%lld", (long long)want->lease_ms);
    snprintf(most, sizeof most, "%lld", (long long)want->most);
    struct str args[] = {key(o, sink),  o->unsent, digests_key(o, sink), o->consumer,
                         str_of(lease), sink,      str_of(most),         want->known};
    struct redisReply *r = redis_run(o->link, &o->take, 3, 8, args, e);
    if (!r)
        return -1;
    int rc = taken(r, arena, out, e);
    redis_reply_free(r);
    return rc;
}

int64_t outbox_pace(struct outbox *o, struct str sink, int64_t gap_ms, struct err *e)
{
    char gap[24];
    snprintf(gap, sizeof gap, "%lld", (long long)gap_ms);
    struct str args[] = {other_key(o, "pace:", sink), str_of(gap)};
    struct redisReply *r = redis_run(o->link, &o->pace, 1, 2, args, e);
    if (!r)
        return -1;
    int64_t wait_ms = redis_reply_int(r);
    redis_reply_free(r);
    return wait_ms < 0 ? 0 : wait_ms > gap_ms ? gap_ms : wait_ms;
}

/* 0, ms to wait, or {1 or 0, id, alert, ...}. */
static int storm_of(const struct redisReply *r, struct outbox_storm *s,
                    struct arena *arena, struct err *e)
{
    bool several = redis_reply_n(r) > 0;
    s->wait_ms = several ? 0 : redis_reply_int(r);
    s->all = several && redis_reply_int(redis_reply_at(r, 0)) == 1;
    if (!take_behind(r, several, arena, &s->behind, &s->behind_n))
        return err_set(e, ERR_UNAVAILABLE,
                       "Redis answers of a storm what it never should");
    return s->behind_n > 0;
}

int outbox_storm(struct outbox *o, struct str sink, const char *id,
                 struct outbox_storm *s, struct arena *arena, struct err *e)
{
    char above[24], within[24], most[24], bytes[24];
    snprintf(above, sizeof above, "%lld", (long long)s->above);
    snprintf(within, sizeof within, "%lld", (long long)s->within_ms);
    snprintf(most, sizeof most, "%d", OUTBOX_DIGEST_MAX);
    snprintf(bytes, sizeof bytes, "%d", OUTBOX_DIGEST_MAX_BYTES);
    struct str args[] = {key(o, sink), digests_key(o, sink), told_key(o, sink),
                         str_of(id),   str_of(above),        str_of(within),
                         str_of(most), str_of(bytes)};
    struct redisReply *r = redis_run(o->link, &o->storm, 3, 8, args, e);
    if (!r)
        return -1;
    int rc = storm_of(r, s, arena, e);
    redis_reply_free(r);
    return rc;
}

enum outbox_composed outbox_compose(struct outbox *o, struct str sink, const char *id,
                                    const char *last, size_t n,
                                    const struct outbox_storm *s, struct err *e)
{
    char entries[24], counted[24], above[24], within[24];
    snprintf(entries, sizeof entries, "%zu", n);
    snprintf(counted, sizeof counted, "%zu", s->all ? n : 0);
    snprintf(above, sizeof above, "%lld", (long long)s->above);
    snprintf(within, sizeof within, "%lld", (long long)s->within_ms);
    struct str args[] = {key(o, sink),    digests_key(o, sink), told_key(o, sink),
                         o->consumer,     str_of(id),           str_of(last),
                         str_of(entries), str_of(counted),      str_of(above),
                         str_of(within)};
    struct redisReply *r = redis_run(o->link, &o->compose, 3, 10, args, e);
    if (!r)
        return COMPOSED_FAILED;
    int64_t answer = redis_reply_int(r);
    redis_reply_free(r);
    return answer == 1 ? COMPOSED : answer == 2 ? COMPOSED_NOT : COMPOSED_LOST;
}

int outbox_apart(struct outbox *o, struct str sink, const char *id, struct err *e)
{
    struct str args[] = {key(o, sink), digests_key(o, sink), o->consumer, str_of(id)};
    return run(o, &o->apart, 2, 4, args, e);
}

int outbox_later(struct outbox *o, struct str sink, const char *id, struct str alert,
                 struct err *e)
{
    struct str args[] = {key(o, sink), str_of(id), alert};
    return run(o, &o->later, 1, 3, args, e);
}

static int hold(struct outbox *o, struct str sink, const char *id, const char *idle_ms,
                struct err *e)
{
    struct str args[] = {key(o, sink), o->consumer, str_of(id), str_of(idle_ms)};
    return run(o, &o->hold, 1, 4, args, e);
}

int outbox_renew(struct outbox *o, struct str sink, const char *id, struct err *e)
{
    return hold(o, sink, id, "0", e);
}

int outbox_release(struct outbox *o, struct str sink, const char *id, struct err *e)
{
    return hold(o, sink, id, IDLE_FOR_EVER, e) < 0 ? -1 : 0;
}

int outbox_ack(struct outbox *o, struct str sink, const struct outbox_entry *entry,
               struct err *e)
{
    struct str args[] = {key(o, sink),      o->unsent, digests_key(o, sink),
                         str_of(entry->id), sink,      str_of(entry->last)};
    return run(o, &o->ack, 3, 6, args, e) < 0 ? -1 : 0;
}

int outbox_dead(struct outbox *o, struct str sink, const struct outbox_entry *entry,
                struct str reason, struct err *e)
{
    char attempts[24];
    snprintf(attempts, sizeof attempts, "%lld", (long long)entry->attempts);
    struct str args[] = {key(o, sink), o->unsent,         other_key(o, "dead:", sink),
                         o->consumer,  str_of(entry->id), sink,
                         reason,       str_of(attempts)};
    return run(o, &o->dead, 3, 8, args, e);
}

bool outbox_answered(const struct outbox *o)
{
    return redis_link_answered(o->link);
}

int outbox_figures(struct outbox *o, struct str sink, struct outbox_figures *out,
                   struct err *e)
{
    struct str args[] = {key(o, sink), o->unsent, other_key(o, "dead:", sink), sink};
    struct redisReply *r = redis_run(o->link, &o->figures, 3, 4, args, e);
    if (!r)
        return -1;
    out->queued = redis_reply_int(redis_reply_at(r, 0));
    out->dead = redis_reply_int(redis_reply_at(r, 1));
    out->oldest_ms = redis_reply_int(redis_reply_at(r, 2));
    redis_reply_free(r);
    return 0;
}

static struct str memory_key(struct outbox *o, struct str sink, struct str topic)
{
    struct str k = other_key(o, "memory:", sink);
    size_t room = sizeof o->other_key.text - k.n;
    int n = snprintf(o->other_key.text + k.n, room, ":%.*s", STR_ARG(topic));
    assert(n > 0 && (size_t)n < room);
    return (struct str){k.p, k.n + (size_t)n};
}

int outbox_recall(struct outbox *o, struct str sink, struct str topic,
                  struct arena *arena, struct str *out, struct err *e)
{
    struct redisReply *r =
        REDIS_COMMAND(o->link, e, STR("GET"), memory_key(o, sink, topic));
    if (!r)
        return -1;
    *out = arena_str(arena, redis_reply_str(r));
    redis_reply_free(r);
    return 0;
}

int outbox_remember(struct outbox *o, struct str sink, const char *id,
                    const struct outbox_memory *memory, struct err *e)
{
    char keep[24];
    snprintf(keep, sizeof keep, "%lld", (long long)memory->keep_ms);
    struct str args[] = {key(o, sink), memory_key(o, sink, memory->topic),
                         o->consumer,  str_of(id),
                         memory->text, str_of(keep)};
    return run(o, &o->remember, 2, 6, args, e);
}

struct redis_link *outbox_link(struct outbox *o, struct str *stem)
{
    *stem = o->stem;
    return o->link;
}

int outbox_silences(struct outbox *o, struct arena *arena, struct silences *out,
                    struct err *e)
{
    return silences_read(o->link, o->stem, arena, out, e);
}

/* The oldest id that the muted stream keeps. */
static struct str oldest_muted(char *out, size_t room)
{
    int n = snprintf(out, room, "%lld", (long long)(clock_wall_ms() - SILENCES_KEPT_MS));
    return (struct str){out, (size_t)n};
}

int outbox_mute(struct outbox *o, struct str sink, const char *id, const struct alert *a,
                const struct silence *s, struct err *e)
{
    char oldest[24];
    struct buf line;
    struct shard_key stream;
    buf_init(&line, 64 * 1024);
    silence_json(s, &line);
    struct str args[] = {key(o, sink),
                         o->unsent,
                         shard_key(o->stem, "muted", STR_NONE, &stream),
                         other_key(o, "muted:", sink),
                         o->consumer,
                         str_of(id),
                         sink,
                         str_of(a->id),
                         str_of(alert_state_name(a->state)),
                         str_of(severity_name(a->severity)),
                         buf_str(&line),
                         oldest_muted(oldest, sizeof oldest)};
    int rc = run(o, &o->mute, 4, sizeof args / sizeof args[0], args, e);
    buf_deinit(&line);
    return rc;
}

int outbox_unmute(struct outbox *o, struct str sink, const char *alert_id, struct err *e)
{
    struct redisReply *r = REDIS_COMMAND(o->link, e, STR("HDEL"),
                                         other_key(o, "muted:", sink), str_of(alert_id));
    int was = r ? redis_reply_int(r) > 0 : -1;
    redis_reply_free(r);
    return was;
}

int outbox_tidy(struct outbox *o, struct str sink, struct err *e)
{
    char gone[24];
    snprintf(gone, sizeof gone, "%d", CONSUMER_GONE_MS);
    struct str args[] = {key(o, sink), o->consumer, str_of(gone)};
    return run(o, &o->tidy, 1, 3, args, e) < 0 ? -1 : 0;
}
