/* Batches own their memory, so they change hands. The thread queues them as they are read; then each gets its work, the
 * oldest first, from the thread when the queue is full, or from the caller when the one that he needs is not ready. He
 * takes the oldest when it is, for the one that he has done with.
 * One lock, held a moment, some times a batch. Never do both wait, so that one condition does. Whoever wants the inner
 * source for himself ends the thread first: it keeps nothing, the next next() starts another. */
#include "consumer/read_ahead.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum {
    QUEUE_LENGTH = 64,
    QUEUE_BYTES = 1 << 20, /* of batches as they were read; the last may go beyond */
    SLICE_MS =
        100, /* so often a thread that waits for a pipe looks whether it shall end */
};

enum progress { READ, AT_WORK, READY };

/* What a call of the inner source told, and how far it had read then. */
struct told {
    enum progress progress; /* of a batch; an error is READY */
    enum source_result result;
    struct batch batch;
    size_t bytes;
    struct err error;
    int64_t read_bytes, total_bytes;
};

struct read_ahead {
    struct source source;
    struct source *inner; /* the thread's, while there is one */
    struct batch_work work;
    bool running;
    pthread_t thread;
    int64_t read_bytes, total_bytes;
    pthread_mutex_t lock; /* of all below, but for a batch AT_WORK */
    pthread_cond_t changed;
    bool ending; /* the thread shall end */
    bool at_end; /* all was read */
    struct told queue[QUEUE_LENGTH];
    size_t first, queued, queued_bytes;
    struct batch
        spare[QUEUE_LENGTH]; /* done with; the last one's memory is the warmest */
    size_t spare_n;
};

static struct read_ahead *self(struct source *s)
{
    return (struct read_ahead *)s;
}

/* --- with the lock --- */

static struct told *nth(struct read_ahead *r, size_t n)
{
    return &r->queue[(r->first + n) % QUEUE_LENGTH];
}

static void put(struct read_ahead *r, const struct told *t)
{
    *nth(r, r->queued++) = *t;
    r->queued_bytes += t->bytes;
}

static struct told take(struct read_ahead *r)
{
    struct told t = *nth(r, 0);
    r->first = (r->first + 1) % QUEUE_LENGTH;
    r->queued--;
    r->queued_bytes -= t.bytes;
    return t;
}

static bool has_room(const struct read_ahead *r)
{
    return r->queued < QUEUE_LENGTH && r->queued_bytes < QUEUE_BYTES;
}

/* Then the thread is woken, if it waits for room: to fill the queue, not to wait again after one batch. */
static bool is_half_empty(const struct read_ahead *r)
{
    return r->queued < QUEUE_LENGTH / 2 && r->queued_bytes < QUEUE_BYTES / 2;
}

static void give_back(struct read_ahead *r, struct batch *b)
{
    batch_reset(b);
    if (r->spare_n < QUEUE_LENGTH)
        r->spare[r->spare_n++] = *b;
    else
        batch_deinit(b);
}

/* Works on the oldest batch that nobody did, without the lock meanwhile. False: there is none. */
static bool work(struct read_ahead *r, bool caller)
{
    size_t n = 0;
    while (n < r->queued && nth(r, n)->progress != READ)
        n++;
    if (n == r->queued)
        return false;
    struct told *t = nth(r, n); /* stays where it is until it is ready */
    t->progress = AT_WORK;
    pthread_mutex_unlock(&r->lock);
    r->work.fn(r->work.arg, caller, &t->batch);
    pthread_mutex_lock(&r->lock);
    t->progress = READY;
    pthread_cond_signal(&r->changed);
    return true;
}

/* --- the thread --- */

/* Without the lock meanwhile. */
static void read_one(struct read_ahead *r)
{
    struct told t = {.progress = READY};
    if (r->spare_n)
        t.batch = r->spare[--r->spare_n];
    else
        batch_init(&t.batch);
    pthread_mutex_unlock(&r->lock);
    t.result = r->inner->ops->next(r->inner, &t.batch, SLICE_MS, &t.error);
    r->inner->ops->progress(r->inner, &t.read_bytes, &t.total_bytes);
    pthread_mutex_lock(&r->lock);
    t.bytes = t.batch.arena.used_bytes;
    if (t.result == SOURCE_BATCH)
        t.progress = READ;
    if (t.result == SOURCE_BATCH || t.result == SOURCE_ERROR)
        put(r, &t);
    else
        give_back(r, &t.batch);
    r->at_end = t.result == SOURCE_END;
    pthread_cond_signal(&r->changed);
}

static void *read_on(void *arg)
{
    struct read_ahead *r = arg;
    pthread_mutex_lock(&r->lock);
    while (!r->ending) {
        if (!r->at_end && has_room(r))
            read_one(r);
        else if (work(r, false))
            continue;
        else if (r->at_end)
            break;
        else
            pthread_cond_wait(&r->changed, &r->lock);
    }
    pthread_mutex_unlock(&r->lock);
    return NULL;
}

/* --- the caller's --- */

static int run(struct read_ahead *r, struct err *e)
{
    if (r->running || r->at_end)
        return 0;
    if (pthread_create(&r->thread, NULL, read_on, r))
        return err_set(e, ERR_UNAVAILABLE,
                       "no second thread can be started: do with one");
    r->running = true;
    return 0;
}

static void end(struct read_ahead *r)
{
    if (!r->running)
        return;
    pthread_mutex_lock(&r->lock);
    r->ending = true;
    pthread_cond_signal(&r->changed);
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    r->running = r->ending = false;
}

static struct timespec in_ms(int ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += ms % 1000 * 1000000L;
    t.tv_sec += t.tv_nsec / 1000000000L;
    t.tv_nsec %= 1000000000L;
    return t;
}

/* With the lock. Works rather than waits. True: the oldest is ready. */
static bool wait_for_oldest(struct read_ahead *r, int wait_ms)
{
    struct timespec until = in_ms(wait_ms);
    int timeout = 0;
    while (!(r->queued && nth(r, 0)->progress == READY) &&
           !(r->queued == 0 && r->at_end) && timeout != ETIMEDOUT)
        if (!work(r, true))
            timeout = pthread_cond_timedwait(&r->changed, &r->lock, &until);
    return r->queued && nth(r, 0)->progress == READY;
}

/* With the lock. */
static enum source_result hand_out(struct read_ahead *r, struct batch *out, struct err *e)
{
    struct told t = take(r);
    struct batch *done_with = t.result == SOURCE_ERROR ? &t.batch : out;
    r->read_bytes = t.read_bytes;
    r->total_bytes = t.total_bytes;
    give_back(r, done_with);
    if (is_half_empty(r))
        pthread_cond_signal(&r->changed);
    if (t.result == SOURCE_ERROR)
        err_set(e, t.error.kind, "%s", t.error.text);
    else
        *out = t.batch;
    return t.result;
}

static enum source_result read_ahead_next(struct source *s, struct batch *out,
                                          int wait_ms, struct err *e)
{
    struct read_ahead *r = self(s);
    enum source_result result;
    if (run(r, e))
        return SOURCE_ERROR;
    pthread_mutex_lock(&r->lock);
    if (wait_for_oldest(r, wait_ms))
        result = hand_out(r, out, e);
    else
        result = r->queued == 0 && r->at_end ? SOURCE_END : SOURCE_NOTHING;
    pthread_mutex_unlock(&r->lock);
    return result;
}

/* Of the other partitions all that is queued was handed out as the inner source sees it, and is to be, still. */
static int read_ahead_seek(struct source *s, size_t slot, int64_t offset, struct err *e)
{
    struct read_ahead *r = self(s);
    end(r);
    if (r->inner->ops->seek(r->inner, slot, offset, e))
        return -1;
    r->at_end = false;
    for (size_t n = r->queued; n; n--) {
        struct told t = take(r);
        if (t.result == SOURCE_BATCH && t.batch.slot == slot)
            give_back(r, &t.batch);
        else
            put(r, &t);
    }
    return 0;
}

static void read_ahead_commit(struct source *s, size_t slot, int64_t offset,
                              struct str metadata)
{
    struct source *inner = self(s)->inner;
    inner->ops->commit(inner, slot, offset, metadata);
}

static int read_ahead_dead_letter(struct source *s, const struct batch *b, struct err *e)
{
    struct source *inner = self(s)->inner;
    return inner->ops->dead_letter(inner, b, e);
}

static int read_ahead_partitions(struct source *s, const struct str **names, size_t *n,
                                 struct err *e)
{
    struct source *inner = self(s)->inner;
    end(self(s));
    return inner->ops->partitions(inner, names, n, e);
}

static void read_ahead_progress(struct source *s, int64_t *read_bytes,
                                int64_t *total_bytes)
{
    *read_bytes = self(s)->read_bytes;
    *total_bytes = self(s)->total_bytes;
}

static void read_ahead_close(struct source *s)
{
    struct read_ahead *r = self(s);
    end(r);
    while (r->queued) {
        struct told t = take(r);
        batch_deinit(&t.batch);
    }
    for (size_t i = 0; i < r->spare_n; i++)
        batch_deinit(&r->spare[i]);
    pthread_cond_destroy(&r->changed);
    pthread_mutex_destroy(&r->lock);
    r->inner->ops->close(r->inner);
    free(r);
}

static const struct source_ops read_ahead_ops = {
    .next = read_ahead_next,
    .seek = read_ahead_seek,
    .commit = read_ahead_commit,
    .dead_letter = read_ahead_dead_letter,
    .partitions = read_ahead_partitions,
    .progress = read_ahead_progress,
    .close = read_ahead_close,
};

struct source *read_ahead_open(struct source *inner, struct batch_work by)
{
    struct read_ahead *r = calloc(1, sizeof *r);
    pthread_condattr_t monotonic;
    assert(r);
    *r = (struct read_ahead){.source.ops = &read_ahead_ops, .inner = inner, .work = by};
    inner->ops->progress(inner, &r->read_bytes, &r->total_bytes);
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&r->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return &r->source;
}
