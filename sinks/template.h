/* Texts for people out of template files: Mustache with the names of docs/templates.md. Values are made harmless for
 * their reader before they are filled in, so no template can let a customer's text take effect. Pure. */
#ifndef SINKS_TEMPLATE_H
#define SINKS_TEMPLATE_H

#include <jansson.h>

#include "core/option.h"
#include "sinks/words.h"

/* What is wrong with it, and on which line. ERR_INPUT. */
int template_check(struct str text, size_t *line, struct err *e);

/* The text for an alert; values as the dialect wants them, `ticket_url` as words_ticket takes it. ERR_INPUT. */
int template_fill(struct str text, const struct alert *a, enum dialect d,
                  struct str ticket_url, struct buf *out, struct err *e);

/* Appends one harmless plain line of at most max_units; false where there is no such template, or it says nothing. */
bool template_line(const struct template_file *t, const struct alert *a, struct buf *out,
                   size_t max_units);
/* The same as a whole text; one above 60 kB counts as none. */
bool template_text(const struct template_file *t, const struct alert *a, enum dialect d,
                   struct str ticket_url, struct buf *out);

/* How many bytes of a text make a piece of at most so many: to the last line break, else the last blank outside of
 * <...>, else between two code points. */
size_t template_piece(struct str text, size_t max_bytes);

#endif
