/* Keys under which errors, pages and subjects that mean the same are counted together.
 * Letter case is folded first, then whatever differs from one occurrence to the next
 * (numbers, ids, addresses, times, ...) becomes a word in angle brackets.
 * docs/fingerprints.md has the list.
 *
 * All functions append to out, at most up to its ceiling (whole characters, whole
 * placeholders; out->overflowed says that something was left out). They are pure
 * functions of their texts, take time linear in them, use no memory but out's, and may
 * run on any thread. Any bytes are accepted: NUL and broken UTF-8 pass through
 * unchanged. */
#ifndef CORE_FINGERPRINT_H
#define CORE_FINGERPRINT_H

#include "core/buf.h"
#include "core/str.h"

/* As long as a fingerprint need be: the ceiling to give `out`. */
enum { FINGERPRINT_BYTES_MAX = 4096 };

/* "Invoice 8841 could not be rendered (req 6f1c2a9e)" -> "invoice <int> could not be
 * rendered (req <hex>)". Idempotent. White space runs become one space. */
void fingerprint_text(struct str text, struct buf *out);

/* "https://app.example.com/billing/invoices/8841?tab=pdf" -> "/billing/invoices/:id".
 * An empty url gives nothing. Idempotent. */
void fingerprint_page(struct str url, struct buf *out);

/* "HttpError", "INV_500", "Invoice 8841 ..." -> "httperror inv_500 invoice <int> ...".
 * Absent parts are STR_NONE. Type and code name the error: they are only folded,
 * unless they carry something unmistakably unique such as a UUID. In the message
 * quoted values are replaced too. */
void fingerprint_error(struct str type, struct str code, struct str message,
                       struct buf *out);

/* As fingerprint_text, without "Re:", "Fwd:" and their relatives, "[ticket tags]", and
 * punctuation: "Re: [#5512] Cannot download invoice 8841!!" -> "cannot download
 * invoice <int>". */
void fingerprint_subject(struct str subject, struct buf *out);

#endif
