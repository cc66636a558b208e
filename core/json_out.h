/* JSON straight into a buffer: nothing is built first, so that a line costs little more than its bytes. What is written
 * between brackets is the caller's to close, with the bracket itself. */
#ifndef CORE_JSON_OUT_H
#define CORE_JSON_OUT_H

#include "core/buf.h"

/* An object or a list begins, as a member where it has a name (NULL: as an element). */
void json_out_begin(struct buf *out, const char *name, char bracket);

/* Members. Names are plain words. Texts are cut between code points; one that is no UTF-8 becomes U+FFFD. */
void json_out_text(struct buf *out, const char *name, struct str s, size_t max_bytes);
/* Nothing where it is empty. */
void json_out_some(struct buf *out, const char *name, struct str s, size_t max_bytes);
void json_out_word(struct buf *out, const char *name, const char *word);
void json_out_true(struct buf *out, const char *name);
void json_out_int(struct buf *out, const char *name, int64_t v);
void json_out_time(struct buf *out, const char *name, int64_t ms);
/* With at most 4 decimals; nothing where it is not finite. */
void json_out_number(struct buf *out, const char *name, double v);

/* The comma before an element, and what may be one; not finite is null. */
void json_out_next(struct buf *out);
void json_out_string(struct buf *out, struct str s, size_t max_bytes);
void json_out_value(struct buf *out, double v);

#endif
