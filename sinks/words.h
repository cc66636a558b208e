/* Alerts in people's words: what every sink for people says alike. Pure. Text from
 * outside goes through words_text, words_code or words_ticket, which make it harmless and
 * bounded; everything else appended here is ours. Lengths are UTF-16 units, the strictest
 * reading of "characters". */
#ifndef SINKS_WORDS_H
#define SINKS_WORDS_H

#include "core/alert.h"
#include "core/buf.h"

/* How the receiver reads a text.
 * https://docs.slack.dev/messaging/formatting-message-text#escaping , CommonMark 0.31,
 * HTML 5. */
enum dialect {
    DIALECT_PLAIN,
    DIALECT_SLACK,
    DIALECT_MARKDOWN,
    DIALECT_HTML,
    DIALECT_DISCORD,
};

/* A text as one line that the receiver shows as it is: escaped; white space and control
 * characters become one space; characters that turn the writing direction around are
 * dropped. At most max_units as written (at least 1), cut between code points and
 * entities and then ended by "…". In Markdown it must not begin a line. */
void words_text(struct buf *out, enum dialect d, struct str text, size_t max_units);

/* The same set as code. In Slack a backtick becomes an apostrophe: nothing else can be
 * said there. In Discord it is text. */
void words_code(struct buf *out, enum dialect d, struct str text, size_t max_units);

/* "2026-03-02 09:14 UTC". */
void words_time(struct buf *out, int64_t ms);

/* "12 s", "14 min", "30 h", "6 days". */
void words_span(struct buf *out, int64_t ms);

/* "12,000", "4.25", "-0.3": at most two decimals. */
void words_number(struct buf *out, double v);

/* "1 account", "12,000 accounts". */
void words_count(struct buf *out, int64_t n, const char *one, const char *many);

/* "ticket.product_version" -> "Product version". Plain. */
void words_label(struct buf *out, struct str key_name);

/* "High". */
const char *words_severity(enum severity s);

/* What broke, in one plain line without an end: not escaped, for words_text. `with_message` adds what
 * the error says to what and where it is. */
void words_title(struct buf *out, const struct alert *a, bool with_message);

/* The error as the first exemplar had it, "HttpError INV_500: Invoice 8841 ...", else its
 * fingerprint; plain, not escaped. Nothing when the alert has none. */
void words_error(struct buf *out, const struct alert *a);

/* False when there is a summary that says more than the functions here: of a kind they know nothing
 * of. */
bool words_says_all(const struct alert *a);

/* "3 times from 2 people in 14 min"; resolved: "31 times in all, over 90 min"; of an anomaly the events
 * behind the value: "38 events from 35 people in 23 h"; of a silence "silent for 21 days, before that 8 events
 * in 26 days", of a deadline "open for 3 h", of an account's health "score 84", of a fix that is verified "nothing for 9 days". */
void words_how_often(struct buf *out, const struct alert *a);

/* "3.1 in 1d, usually 4.4 ± 0.3 (4.2 standard deviations lower)"; of a ratio "25.8% in 1d, limit 20% ± 3.65% (1.6
 * standard errors higher)"; of a novelty with ", before that 2 to 9"; with
 * contributors "; 75% are feature invoices (usually 25%)". */
void words_anomaly(struct buf *out, enum dialect d, const struct alert *a);

/* "▁▁▂▁▁▁▃▅█ (9 × 5m)": how it went, the newest last; "·" where there was nothing to measure. Counts are drawn from
 * zero, where any is more than none; other values from the lowest to the highest. False, and nothing is written,
 * where that is not known. */
bool words_trend(struct buf *out, const struct alert *a);

/* "Acme (enterprise, 12,000 MRR, renewal 2026-06-30, owner csm-3)": what is known of it.
 */
void words_account(struct buf *out, enum dialect d, const struct alert_account *account);

/* Its name, else its id. */
struct str words_account_name(const struct alert_account *account);

/* The ticket's id, as a link where `url` is an http(s) address; {id} in it stands for the
 * id. */
void words_ticket(struct buf *out, enum dialect d, struct str url, struct str ticket);

/* The address alone, as a URL is written where no dialect is. False: none, and nothing is written. */
bool words_ticket_url(struct buf *out, struct str url, struct str ticket);

/* The MRR of the accounts an alert names; all of them where it names all. */
double words_mrr(const struct alert *a);

/* "4.5 a minute": of what has been counted, while it was seen. False, and nothing is written, where
 * that says nothing. */
bool words_rate(struct buf *out, const struct alert *a);

/* Of a reminder "Still firing after 12 h". */
void words_still(struct buf *out, const struct alert *a);

/* Words about an alert; nothing where there is nothing to say. */
typedef void words_writer(struct buf *out, enum dialect d, const struct alert *a);

/* "churn-friction (acme), ticket-rush and 3 more": which other alerts it explains. Nothing where it explains none. */
void words_explained(struct buf *out, enum dialect d, const struct alert *a);

/* "billing 4.2.2 (2026-03-02 09:02 UTC), web 7.1 (...)": what was deployed shortly before it began. Nothing where nothing was. */
void words_releases(struct buf *out, enum dialect d, const struct alert *a);

/* "KI-41 Invoice PDFs fail to render. Workaround: print the page.", "a regression of KI-41 ..., fixed 2026-03-02 09:02 UTC": of
 * which known issue it is. Nothing where it is of none. */
void words_known_issue(struct buf *out, enum dialect d, const struct alert *a);

/* What the reader does next, one sentence; none where there is nothing to do. */
void words_next_step(struct buf *out, enum dialect d, const struct alert *a);

/* A text as a link where `url` is an http(s) address, which was made by a receiver and is not trusted. */
void words_link(struct buf *out, enum dialect d, struct str url, struct str text,
                size_t max_units);

/* The value of a part of the key; n == 0 when the key has no such part. */
struct str words_key(const struct alert *a, const char *name);

#endif
