#include "app/past.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { HASH_BYTES = 16 };

static void hash_text(struct str prefix, char out[HASH_BYTES + 1])
{
    snprintf(out, HASH_BYTES + 1, "%016" PRIx64,
             (uint64_t)XXH3_64bits(prefix.p, prefix.n));
}

void past_init(struct past *p, struct str prefix)
{
    *p = (struct past){.prefix = prefix,
                       .times = {STORE_NO_TIME, STORE_NO_TIME, STORE_NO_TIME}};
    arena_init(&p->arena);
    index_init(&p->by_name);
}

void past_deinit(struct past *p)
{
    index_deinit(&p->by_name);
    arena_deinit(&p->arena);
    free(p->marks);
}

/* --- writing --- */

static void put_time(struct buf *out, int64_t ms)
{
    if (ms == STORE_NO_TIME)
        buf_text(out, " -");
    else
        buf_printf(out, " %" PRId64, ms);
}

void past_write(struct str prefix, const struct store_times *times,
                const struct marks *marks, struct buf *out)
{
    char hash[HASH_BYTES + 1];
    hash_text(prefix, hash);
    buf_printf(out, "tw2 %s", hash);
    bool known = times->said_ms != STORE_NO_TIME && times->record_ms != STORE_NO_TIME &&
                 times->from_ms != STORE_NO_TIME;
    put_time(out, known ? times->said_ms : STORE_NO_TIME);
    put_time(out, known ? times->record_ms : STORE_NO_TIME);
    put_time(out, known ? times->from_ms : STORE_NO_TIME);
    buf_char(out, ' ');
    marks_write(marks, out);
}

/* --- reading --- */

static struct str take_word(struct str *text)
{
    const char *space = memchr(text->p, ' ', text->n);
    size_t n = space ? (size_t)(space - text->p) : text->n;
    struct str word = {text->p, n};
    *text = str_from(*text, n + (space != NULL));
    return word;
}

static int64_t take_time(struct str *text)
{
    char copy[24];
    struct str word = take_word(text);
    if (word.n == 0 || word.n >= sizeof copy || str_is(word, "-"))
        return STORE_NO_TIME;
    memcpy(copy, word.p, word.n);
    copy[word.n] = '\0';
    return strtoll(copy, NULL, 10);
}

/* The three belong together; the commit that knows most counts. Of two that know the same, both hold. */
static void take_times(struct store_times *best, const struct store_times *other)
{
    if (other->said_ms > best->said_ms)
        *best = *other;
    else if (other->said_ms == best->said_ms && other->from_ms < best->from_ms)
        *best = *other;
}

static void add_marks(struct past *p, struct str name, const struct marks *marks)
{
    size_t at = index_put(&p->by_name, arena_str(&p->arena, name), p->n);
    if (at == p->n) {
        p->marks = realloc(p->marks, (p->n + 1) * sizeof *p->marks);
        assert(p->marks);
        p->marks[p->n++] = arena_alloc(&p->arena, sizeof **p->marks);
    }
    *p->marks[at] = *marks;
}

static void take_commit(void *arg, struct str name, int64_t offset, struct str metadata)
{
    struct past *p = arg;
    char hash[HASH_BYTES + 1];
    struct marks marks;
    (void)offset; /* Redis is the truth for positions; a state made anew has none */
    hash_text(p->prefix, hash);
    if (!metadata.n || !str_is(take_word(&metadata), "tw2") ||
        !str_is(take_word(&metadata), hash))
        return;
    struct store_times times;
    times.said_ms = take_time(&metadata);
    times.record_ms = take_time(&metadata);
    times.from_ms = take_time(&metadata);
    if (!marks_read(metadata, &marks))
        return;
    take_times(&p->times, &times);
    add_marks(p, name, &marks);
}

int past_read(struct past *p, struct source *source, struct err *e)
{
    struct str prefix = p->prefix;
    past_deinit(p);
    past_init(p, prefix);
    return source->ops->committed ? source->ops->committed(source, take_commit, p, e) : 0;
}

const struct marks *past_marks(const struct past *p, struct str partition)
{
    size_t at = index_get(&p->by_name, partition);
    return at == INDEX_NONE ? NULL : p->marks[at];
}
