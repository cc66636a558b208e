/* The lines of several logs as one stream, and the partitions that they belong to. Owned by the
 * replay source. */
#ifndef CONSUMER_REPLAY_FILES_H
#define CONSUMER_REPLAY_FILES_H

#include "consumer/event_decode.h"
#include "consumer/log_reader.h"
#include "consumer/partitions.h"

struct replay_line {
    struct log_line line; /* number: in its file */
    struct str file;
    bool recorded; /* of a file whose lines name their partitions */
    /* the file's partition; if recorded, the line's, as its end tells, or INDEX_NONE */
    size_t slot;
    /* the number of the line in its partition's files; only ever grows */
    int64_t position;
};

struct replay_files;
/* Reads the first line of each file, and all lines of recorded ones, to know the partitions; by so many threads.
 * Borrows decoder and partitions. ERR_INPUT: a file cannot be read. */
struct replay_files *replay_files_open(const char *const *paths, size_t n,
                                       struct event_decoder *decoder,
                                       struct partitions *partitions, int threads,
                                       struct err *e);
void replay_files_close(struct replay_files *f);

/* The next line of all files; valid until the next call. READ_ERROR: this file is given up, the next
 * call goes on with the next one. */
enum read_result replay_files_next(struct replay_files *f, int wait_ms,
                                   struct replay_line *out, struct err *e);
/* From the first line again. ERR_REFUSED: one of them is a pipe. */
int replay_files_rewind(struct replay_files *f, struct err *e);
void replay_files_progress(const struct replay_files *f, int64_t *read_bytes,
                           int64_t *total_bytes);

#endif
