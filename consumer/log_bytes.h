/* The bytes of a log: a file or stdin, plain, gzip or zstd by its first bytes; members and frames
 * may follow one another. One owner, one thread. */
#ifndef CONSUMER_LOG_BYTES_H
#define CONSUMER_LOG_BYTES_H

#include <stdbool.h>
#include <stdint.h>

#include "core/err.h"
#include "core/str.h"

enum read_result {
    READ_ERROR = -1,
    READ_END = 0,
    READ_GOT = 1,
    READ_WAIT = 2, /* a pipe that said nothing for wait_ms, or a signal came */
};

struct log_bytes;
/* "-" is stdin. ERR_INPUT says what is wrong with the file. */
struct log_bytes *log_bytes_open(const char *path, struct err *e);
void log_bytes_close(struct log_bytes *b);

/* Some of what comes next, at most n bytes. ERR_INPUT: a file that is damaged or cut, with the byte;
 * all that could be read was given before, and READ_END follows. */
enum read_result log_bytes_read(struct log_bytes *b, char *out, size_t n, int wait_ms,
                                size_t *got, struct err *e);

/* Compressed bytes read, and the file's size; 0 where there is none. */
void log_bytes_progress(const struct log_bytes *b, int64_t *read_bytes,
                        int64_t *total_bytes);
/* Before anything is read: begins at that byte of a file of plain text. ERR_INPUT: it is no such file. */
int log_bytes_begin_at(struct log_bytes *b, int64_t at, struct err *e);
/* The first byte of a plain text that was not given yet; -1: the log is no plain text. */
int64_t log_bytes_at(const struct log_bytes *b);

/* A regular file: it can be opened again from its start. */
bool log_bytes_regular(const struct log_bytes *b);

#endif
