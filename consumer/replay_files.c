/* A regular file is looked at when the source is opened, closed, and opened again when its turn
 * comes; a pipe stays open, with its first line in hand. A pipe whose lines name their partitions is
 * copied into a nameless temporary file first: what is confirmed must not depend on how a log is
 * handed over, and all partitions must be known before the first event counts. */
#include "consumer/replay_files.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "consumer/line_places.h"

struct file {
    struct str path;
    FILE *copy;                /* of a recorded pipe */
    struct err damage;         /* what ended the pipe; told behind its last line */
    struct log_reader *reader; /* while it is read; of a pipe from the start */
    struct log_line first;     /* of a pipe: read already */
    enum read_result peeked;   /* of a pipe: how reading that went; else READ_WAIT */
    bool pipe, recorded;
    size_t slot; /* if not recorded; INDEX_NONE: not known yet */
};

struct replay_files {
    struct file *files;
    size_t n, at;         /* files[at] is being read */
    int64_t lines_before; /* of the files before it */
    int64_t lines;        /* of it */
    int64_t total_bytes, done_bytes;
    struct event_decoder *decoder;
    struct partitions *partitions;
    struct line_places places;
    struct arena scratch;
};

/* --- looking at them first --- */

/* Makes the partition that the line names; false: it names none. */
static bool name_partition(struct replay_files *f, const struct log_line *line)
{
    struct recorded_position where;
    if (line_places_find(&f->places, line->text) != INDEX_NONE)
        return true;
    struct err ignored = {0}; /* the line is reported when it is read for good */
    arena_reset(&f->scratch);
    (void)event_position(f->decoder, line->text, &f->scratch, &where, &ignored);
    if (where.present)
        line_places_learn(&f->places, line->text,
                          partitions_slot(f->partitions, where.topic, where.partition));
    return where.present;
}

static void scan(struct replay_files *f, struct file *file)
{
    struct log_line line;
    struct err ignored = {0};
    enum read_result result;
    while ((result = log_reader_next(file->reader, -1, &line, &ignored)) > READ_END)
        if (result == READ_GOT)
            (void)name_partition(f, &line);
}

static struct log_reader *open_reader(const struct file *file, struct err *e)
{
    char copy[64];
    if (!file->copy)
        return log_reader_open(file->path.p, e);
    snprintf(copy, sizeof copy, "/proc/self/fd/%d", fileno(file->copy));
    return log_reader_open(copy, e);
}

/* Lines keep their numbers: empty ones were counted too. */
static int copy_lines(struct replay_files *f, struct file *file)
{
    struct log_line line = file->first;
    int64_t number = 1;
    enum read_result result = READ_GOT;
    do {
        if (result != READ_GOT)
            continue;
        (void)name_partition(f, &line);
        for (; number < line.number; number++)
            fputc('\n', file->copy);
        fwrite(line.text.p, 1, line.text.n, file->copy);
        number++;
        fputc('\n', file->copy);
    } while ((result = log_reader_next(file->reader, -1, &line, &file->damage)) >
             READ_END);
    return fflush(file->copy) || ferror(file->copy) ? -1 : 0;
}

static int copy_pipe(struct replay_files *f, struct file *file, struct err *e)
{
    int64_t read_bytes, total_bytes;
    file->copy = tmpfile();
    if (!file->copy || copy_lines(f, file))
        return err_set(e, ERR_INPUT,
                       "%s: cannot copy it to a temporary file: %s; make room, or give "
                       "the log as a file",
                       file->path.p, strerror(errno));
    log_reader_close(file->reader);
    file->pipe = false;
    file->peeked = READ_WAIT;
    file->reader = open_reader(file, e);
    if (!file->reader)
        return -1;
    log_bytes_progress(log_reader_bytes(file->reader), &read_bytes, &total_bytes);
    f->total_bytes += total_bytes;
    return 0;
}

static int look_at(struct replay_files *f, struct file *file, struct err *e)
{
    struct err later = {0}; /* a damaged file is reported when it is read for good */
    int64_t read_bytes, total_bytes;
    file->reader = log_reader_open(file->path.p, e);
    if (!file->reader)
        return -1;
    file->pipe = !log_bytes_regular(log_reader_bytes(file->reader));
    do
        file->peeked = log_reader_next(file->reader, -1, &file->first, &later);
    while (file->peeked == READ_WAIT);
    file->recorded = file->peeked == READ_GOT && name_partition(f, &file->first);
    if (file->peeked == READ_GOT && !file->recorded)
        file->slot = partitions_file_slot(f->partitions, file->path);
    log_bytes_progress(log_reader_bytes(file->reader), &read_bytes, &total_bytes);
    f->total_bytes += total_bytes;
    if (file->pipe)
        return file->recorded ? copy_pipe(f, file, e) : 0;
    if (file->recorded)
        scan(f, file);
    log_reader_close(file->reader);
    file->reader = NULL;
    file->peeked = READ_WAIT;
    return 0;
}

struct replay_files *replay_files_open(const char *const *paths, size_t n,
                                       struct event_decoder *decoder,
                                       struct partitions *partitions, struct err *e)
{
    struct replay_files *f = calloc(1, sizeof *f);
    assert(f);
    f->files = calloc(n + 1, sizeof *f->files);
    assert(f->files);
    f->decoder = decoder;
    f->partitions = partitions;
    line_places_init(&f->places);
    arena_init(&f->scratch);
    for (; f->n < n; f->n++) {
        char *path = strdup(paths[f->n]);
        assert(path);
        f->files[f->n] = (struct file){.path = str_of(path), .slot = INDEX_NONE};
        if (look_at(f, &f->files[f->n], e)) {
            f->n++;
            replay_files_close(f);
            return NULL;
        }
    }
    return f;
}

void replay_files_close(struct replay_files *f)
{
    if (!f)
        return;
    for (size_t i = 0; i < f->n; i++) {
        log_reader_close(f->files[i].reader);
        if (f->files[i].copy)
            fclose(f->files[i].copy);
        free((char *)(uintptr_t)f->files[i].path.p);
    }
    free(f->files);
    line_places_deinit(&f->places);
    arena_deinit(&f->scratch);
    free(f);
}

/* --- reading them --- */

static void close_file(struct replay_files *f)
{
    struct file *file = &f->files[f->at++];
    int64_t read_bytes, total_bytes;
    if (file->reader) {
        log_bytes_progress(log_reader_bytes(file->reader), &read_bytes, &total_bytes);
        f->done_bytes += read_bytes;
    }
    log_reader_close(file->reader);
    file->reader = NULL;
    f->lines_before += f->lines;
    f->lines = 0;
}

static enum read_result read_line(struct file *file, int wait_ms, struct log_line *out,
                                  struct err *e)
{
    enum read_result peeked = file->peeked;
    file->peeked = READ_WAIT;
    *out = file->first;
    if (peeked == READ_GOT)
        return READ_GOT;
    if (!file->reader)
        file->reader = open_reader(file, e);
    if (!file->reader)
        return READ_ERROR;
    enum read_result result = log_reader_next(file->reader, wait_ms, out, e);
    if (result != READ_END || file->damage.kind == ERR_NONE)
        return result;
    return (enum read_result)err_set(e, file->damage.kind, "%s", file->damage.text);
}

enum read_result replay_files_next(struct replay_files *f, int wait_ms,
                                   struct replay_line *out, struct err *e)
{
    while (f->at < f->n) {
        struct file *file = &f->files[f->at];
        enum read_result result = read_line(file, wait_ms, &out->line, e);
        if (result == READ_WAIT)
            return result;
        if (result != READ_GOT)
            close_file(f);
        if (result == READ_ERROR)
            return result;
        if (result == READ_END)
            continue;
        if (!file->recorded && file->slot == INDEX_NONE)
            file->slot = partitions_file_slot(f->partitions, file->path);
        f->lines = out->line.number;
        out->file = file->path;
        out->recorded = file->recorded;
        out->slot =
            file->recorded ? line_places_find(&f->places, out->line.text) : file->slot;
        out->position = f->lines + (file->recorded ? f->lines_before : 0);
        return READ_GOT;
    }
    return READ_END;
}

int replay_files_rewind(struct replay_files *f, struct err *e)
{
    for (size_t i = 0; i < f->n; i++)
        if (f->files[i].pipe)
            return err_set(e, ERR_REFUSED,
                           "%s cannot be read a second time: give the log as a file",
                           f->files[i].path.p);
    if (f->at < f->n)
        close_file(f);
    f->at = 0;
    f->lines_before = f->done_bytes = 0;
    return 0;
}

void replay_files_progress(const struct replay_files *f, int64_t *read_bytes,
                           int64_t *total_bytes)
{
    int64_t of_this = 0, size;
    if (f->at < f->n && f->files[f->at].reader)
        log_bytes_progress(log_reader_bytes(f->files[f->at].reader), &of_this, &size);
    *read_bytes = f->done_bytes + of_this;
    *total_bytes = f->total_bytes;
}
