/* Secrets are read when they are needed: a mounted file may change while we run. */
#ifndef CORE_SECRET_H
#define CORE_SECRET_H

#include "core/arena.h"
#include "core/err.h"
#include "core/option.h"

/* The value of a secret now: the text itself or the file's content without trailing newlines, into
 * `arena`. ERR_REFUSED with the path when the file cannot be read, is empty or has several lines. */
int secret_read(const struct secret *s, struct arena *arena, struct str *out,
                struct err *e);

#endif
