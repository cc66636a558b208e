/* The lines of a log, one after the other. One owner, one thread. */
#ifndef CONSUMER_LOG_READER_H
#define CONSUMER_LOG_READER_H

#include "consumer/log_bytes.h"

enum {
    LOG_LINE_BYTES_MAX = 16 << 20, /* of a longer line only the head is given */
    LOG_LINE_HEAD_BYTES = 4096,
};

/* Without its end ("\n" or "\r\n"); valid until the next call. */
struct log_line {
    struct str text;
    size_t bytes_n; /* the line's length; more than text.n: it was too long */
    int64_t number; /* from 1; empty lines are not given, but counted */
};

struct log_reader;
/* "-" is stdin. ERR_INPUT: the file cannot be read, and why. */
struct log_reader *log_reader_open(const char *path, struct err *e);
/* The lines that begin at that byte of a file of plain text, or behind it; line 1 is the rest of one that begins before. */
struct log_reader *log_reader_open_at(const char *path, int64_t at, struct err *e);
void log_reader_close(struct log_reader *r);

/* The next line that is not empty. A last line needs no newline, unless the file is cut off in the
 * compressed data: what came of it then is not given. Errors and waiting as in log_bytes_read. */
enum read_result log_reader_next(struct log_reader *r, int wait_ms, struct log_line *out,
                                 struct err *e);

/* The byte of a plain text where the next line begins. */
int64_t log_reader_at(const struct log_reader *r);

const struct log_bytes *log_reader_bytes(const struct log_reader *r);

#endif
