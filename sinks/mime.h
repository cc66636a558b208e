/* Internet messages (RFC 5322, 2045, 2047): headers that no text can break out of, and bodies of ASCII lines. All
 * lines end with CRLF. Pure. */
#ifndef SINKS_MIME_H
#define SINKS_MIME_H

#include "core/buf.h"
#include "core/str.h"

/* "user@host" of the characters that need no quotes, and nothing else: what may go into an envelope or header. */
bool mime_is_address(struct str text);

/* "Name: text", folded; a text that is not plain ASCII as encoded words. Line breaks and other control characters
 * in it become spaces. */
void mime_header(struct buf *out, const char *name, struct str text);

/* "To: a@x, b@y", folded. Addresses as above. */
void mime_addresses(struct buf *out, const char *name, const struct str *list, size_t n);

/* "Date: Mon, 02 Mar 2026 09:20:00 +0000" */
void mime_date(struct buf *out, int64_t ms);

/* A text of LF lines as quoted-printable, which ends with a line break. */
void mime_quoted_printable(struct buf *out, struct str text);

#endif
