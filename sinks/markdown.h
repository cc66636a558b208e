/* An alert as a document for engineers, in Markdown (CommonMark with tables): for sinks
 * whose receivers read that. Pure. `ticket_url` as words_ticket takes it. */
#ifndef SINKS_MARKDOWN_H
#define SINKS_MARKDOWN_H

#include "core/alert.h"

/* What happened, the error, how to reproduce it, where it was seen, who is hit. Below 40
 * KB. */
void markdown_report(struct buf *out, const struct alert *a, struct str ticket_url);

/* The same again, where it was resolved before. */
void markdown_again(struct buf *out, const struct alert *a, struct str ticket_url);

/* What there is to add when an alert has escalated or resolved. */
void markdown_update(struct buf *out, const struct alert *a, struct str ticket_url);

#endif
