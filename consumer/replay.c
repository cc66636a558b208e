/* Lines are read ahead, a window of some thousand at most, each into the batch of its partition
 * (a lane); when one lane is full, or the window is, all are handed out in turn. So a log whose
 * lines change the partition every time still comes in batches. A line is decoded into the lane that
 * its end tells; where that tells nothing into that of the line before, and again if it names another.
 * With two threads lines are only put into their lanes: decoding a batch is work for whoever has time
 * (read_ahead.h). */
#include <assert.h>
#include <stdlib.h>

#include "consumer/batch_fill.h"
#include "consumer/read_ahead.h"
#include "consumer/replay_files.h"
#include "consumer/source.h"

enum {
    WINDOW_LINES = 4096,
    WINDOW_BYTES = 8 << 20,
    REJECT_BYTES = 4096, /* enough to know the line by */
};

struct lane {
    struct batch batch;
    struct batch_fill fill;
    size_t records, bytes, usual; /* in it now; events of the batch before */
    int64_t given, read;          /* positions after the last line handed out, and read */
};

struct replay {
    struct source source;
    struct event_decoder *decoder;
    struct event_decoder *callers; /* with two threads: the other one's */
    struct partitions partitions;
    struct replay_files *files;
    struct lane *lanes; /* by slot */
    size_t lanes_n;
    size_t slot;           /* of the line before */
    size_t records, bytes; /* in the window */
    bool draining;         /* the window is handed out, lane by lane */
    size_t drained;        /* lanes below this are */
    /* Of the files: READ_END or READ_ERROR come after what was read. */
    enum read_result ended;
    struct err failure, wrong; /* of the files; with the line in hand */
    int64_t again_until; /* after a seek: lines below this may have been handed out */
    struct arena scratch;
};

static struct replay *self(struct source *s)
{
    return (struct replay *)s;
}

/* --- lanes --- */

static struct lane *lane_of(struct replay *r, size_t slot)
{
    if (slot < r->lanes_n)
        return &r->lanes[slot];
    size_t n = r->partitions.n;
    r->lanes = realloc(r->lanes, n * sizeof *r->lanes);
    assert(r->lanes && slot < n);
    for (; r->lanes_n < n; r->lanes_n++) {
        r->lanes[r->lanes_n] = (struct lane){0};
        batch_init(&r->lanes[r->lanes_n].batch);
    }
    return &r->lanes[slot];
}

/* The lane's batch, ready for one more record. */
static struct batch_fill *fill_of(struct replay *r, size_t slot)
{
    struct lane *lane = lane_of(r, slot);
    lane->fill.batch = &lane->batch; /* lanes move as they get more */
    lane->fill.decoder = r->decoder;
    if (lane->records == 0 && !r->callers) /* a little more, since what grows is copied */
        batch_fill_reserve(&lane->fill, lane->usual + lane->usual / 4);
    return &lane->fill;
}

static void empty(struct lane *lane)
{
    batch_reset(&lane->batch);
    lane->fill = (struct batch_fill){0};
    lane->records = lane->bytes = 0;
}

static void hand_out(struct replay *r, size_t slot, struct batch *out)
{
    struct lane *lane = &r->lanes[slot];
    struct batch other = *out;
    *out = lane->batch;
    lane->batch = other;
    out->slot = slot;
    out->name = r->partitions.names[slot];
    out->start = lane->given;
    out->next = lane->given = lane->read;
    lane->usual = lane->records;
    empty(lane);
}

/* --- lines --- */

static void note(struct replay *r, const struct replay_line *l)
{
    struct lane *lane = lane_of(r, r->slot);
    lane->records++;
    lane->bytes += l->line.text.n;
    /* It grows also where the same file is named twice. */
    lane->read = (l->position > lane->read ? l->position : lane->read) + 1;
    r->records++;
    r->bytes += l->line.text.n;
    r->draining = lane->records >= BATCH_EVENTS || lane->bytes >= BATCH_BYTES ||
                  r->records >= WINDOW_LINES || r->bytes >= WINDOW_BYTES;
}

/* As event_decode; but a line that is too long names no partition. */
static int decode(struct batch_fill *fill, const struct raw_record *record,
                  struct event **event, struct recorded_position *where, struct err *e)
{
    if (record->bytes.n == record->bytes_n)
        return batch_fill_decode(fill, record, event, where, e);
    where->present = false;
    return err_set(e, ERR_INPUT,
                   "a line of %zu bytes, more than %d: shorten it in the producer",
                   record->bytes_n, (int)LOG_LINE_BYTES_MAX);
}

/* What decoding gave. */
static void keep(struct batch_fill *fill, const struct raw_record *record,
                 struct event *event, struct err *wrong)
{
    if (wrong->kind != ERR_NONE) {
        batch_fill_reject(fill, record, REJECT_BYTES, wrong->text);
        err_clear(wrong);
        return;
    }
    event->offset = event->offset >= 0 ? event->offset : record->offset;
    batch_fill_keep(fill);
}

static void take_event(struct replay *r, const struct replay_line *l,
                       const struct raw_record *record)
{
    struct recorded_position where;
    struct event *event = NULL;
    size_t before = r->slot;
    int failed = decode(fill_of(r, before), record, &event, &where, &r->wrong);
    if (l->slot == INDEX_NONE && where.present)
        r->slot = partitions_slot(&r->partitions, where.topic, where.partition);
    if (r->slot != before && !failed)
        (void)decode(fill_of(r, r->slot), record, &event, &where, &r->wrong);
    keep(fill_of(r, r->slot), record, event, &r->wrong);
}

/* The partition that a line names whose end tells none. */
static void find_slot(struct replay *r, const struct replay_line *l)
{
    struct recorded_position where = {.present = false};
    arena_reset(&r->scratch);
    if (l->line.text.n == l->line.bytes_n)
        (void)event_position(r->decoder, l->line.text, &r->scratch, &where, &r->wrong);
    err_clear(&r->wrong);
    if (where.present)
        r->slot = partitions_slot(&r->partitions, where.topic, where.partition);
}

static void take_line(struct replay *r, const struct replay_line *l)
{
    struct raw_record record = {.bytes = l->line.text,
                                .bytes_n = l->line.bytes_n,
                                .file = l->file,
                                .offset = l->line.number,
                                .timestamp_ms = -1};
    bool again = l->position < r->again_until; /* after a seek */
    r->slot = l->slot == INDEX_NONE ? r->slot : l->slot;
    if (l->slot == INDEX_NONE && (again || r->callers))
        find_slot(r, l);
    if (again && l->position < lane_of(r, r->slot)->given)
        return;
    if (r->callers)
        batch_fill_raw(fill_of(r, r->slot), &record);
    else
        take_event(r, l, &record);
    note(r, l);
}

/* The batch's lines, once it is handed out; by the caller or by the thread that reads. */
static void decode_lines(void *arg, bool caller, struct batch *b)
{
    struct replay *r = arg;
    struct batch_fill fill = {.batch = b, .decoder = caller ? r->callers : r->decoder};
    struct recorded_position where;
    struct event *event = NULL;
    struct err wrong = {0};
    batch_fill_reserve(&fill, b->raw_n);
    for (size_t i = 0; i < b->raw_n; i++) {
        (void)decode(&fill, &b->raw[i], &event, &where, &wrong);
        keep(&fill, &b->raw[i], event, &wrong);
    }
    b->raw = NULL;
    b->raw_n = 0;
}

/* Reads until a lane or the window is full, or nothing more comes now. */
static void read_window(struct replay *r, int wait_ms)
{
    struct replay_line l;
    while (!r->draining) {
        enum read_result result =
            replay_files_next(r->files, r->records ? 0 : wait_ms, &l, &r->failure);
        if (result == READ_GOT) {
            take_line(r, &l);
            continue;
        }
        if (result != READ_WAIT)
            r->ended = result;
        r->draining = true;
    }
}

static void new_window(struct replay *r)
{
    r->draining = false;
    r->drained = r->records = r->bytes = 0;
}

static bool drain(struct replay *r, struct batch *out)
{
    for (; r->drained < r->lanes_n; r->drained++)
        if (r->lanes[r->drained].records) {
            hand_out(r, r->drained++, out);
            return true;
        }
    new_window(r);
    return false;
}

/* --- the source --- */

static enum source_result replay_next(struct source *s, struct batch *out, int wait_ms,
                                      struct err *e)
{
    struct replay *r = self(s);
    if (r->draining && drain(r, out))
        return SOURCE_BATCH;
    if (r->ended == READ_WAIT)
        read_window(r, wait_ms);
    if (r->draining && drain(r, out))
        return SOURCE_BATCH;
    if (r->ended == READ_ERROR) {
        r->ended = READ_WAIT;
        err_set(e, r->failure.kind, "%s", r->failure.text);
        err_clear(&r->failure);
        return SOURCE_ERROR;
    }
    return r->ended == READ_END ? SOURCE_END : SOURCE_NOTHING;
}

/* Reads everything again and passes over what was handed out. */
static int replay_seek(struct source *s, size_t slot, int64_t offset, struct err *e)
{
    struct replay *r = self(s);
    struct lane *sought = lane_of(r, slot);
    if (sought->given == offset && sought->records == 0 && !r->draining)
        return 0;
    if (replay_files_rewind(r->files, e))
        return -1;
    for (size_t i = 0; i < r->lanes_n; i++) {
        struct lane *lane = &r->lanes[i];
        empty(lane);
        lane->read = lane->given;
        r->again_until = lane->given > r->again_until ? lane->given : r->again_until;
    }
    new_window(r);
    err_clear(&r->failure);
    r->ended = READ_WAIT;
    sought->given = sought->read = offset;
    return 0;
}

static void replay_commit(struct source *s, size_t slot, int64_t offset,
                          struct str metadata)
{
    (void)s;
    (void)slot;
    (void)offset;
    (void)metadata;
}

static int replay_dead_letter(struct source *s, const struct batch *b, struct err *e)
{
    (void)s;
    (void)b;
    (void)e;
    return 0;
}

static int replay_partitions(struct source *s, const struct str **names, size_t *n,
                             struct err *e)
{
    (void)e;
    *names = self(s)->partitions.names;
    *n = self(s)->partitions.n;
    return 0;
}

static void replay_progress(struct source *s, int64_t *read_bytes, int64_t *total_bytes)
{
    replay_files_progress(self(s)->files, read_bytes, total_bytes);
}

static void replay_close(struct source *s)
{
    struct replay *r = self(s);
    for (size_t i = 0; i < r->lanes_n; i++)
        batch_deinit(&r->lanes[i].batch);
    free(r->lanes);
    arena_deinit(&r->scratch);
    replay_files_close(r->files);
    partitions_deinit(&r->partitions);
    event_decoder_free(r->decoder);
    event_decoder_free(r->callers);
    free(r);
}

static const struct source_ops replay_ops = {
    .next = replay_next,
    .seek = replay_seek,
    .commit = replay_commit,
    .dead_letter = replay_dead_letter,
    .committed = NULL,
    .pause = NULL,
    .partitions = replay_partitions,
    .known_end = NULL,
    .joined = NULL,
    .progress = replay_progress,
    .close = replay_close,
};

struct source *replay_source_open(const char *const *paths, size_t n,
                                  int64_t max_future_ms, const struct event_maps *maps,
                                  int threads, struct err *e)
{
    struct replay *r = calloc(1, sizeof *r);
    assert(r);
    r->source.ops = &replay_ops;
    r->ended = READ_WAIT;
    r->decoder = event_decoder_new(max_future_ms, maps);
    if (threads > 1)
        r->callers = event_decoder_new(max_future_ms, maps);
    partitions_init(&r->partitions);
    r->files = replay_files_open(paths, n, r->decoder, &r->partitions, threads, e);
    if (r->files && r->callers)
        return read_ahead_open(&r->source, (struct batch_work){decode_lines, r});
    if (r->files)
        return &r->source;
    replay_close(&r->source);
    return NULL;
}
