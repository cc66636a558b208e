/* An alert as one line for people at a terminal. */
#ifndef APP_ALERT_TEXT_H
#define APP_ALERT_TEXT_H

#include "core/alert.h"

/* "2026-03-03 09:14:07  firing     high      page-error  3 events within 1h: ..." without a newline. */
void alert_text(const struct alert *a, bool colour, struct buf *out);

/* What a person asks next, in lines of their own: the id, since when, accounts, evidence. */
void alert_details(const struct alert *a, struct buf *out);

#endif
