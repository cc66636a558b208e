/* The recognisers. Each looks at s->at, and either writes what stands for the text
 * there and returns how many bytes of it that was, or writes nothing and returns 0.
 * Where a word starts, s->word_n and s->seen describe it. To stay linear, a recogniser
 * that scans a run of some class only starts where the run starts. Private to
 * core/fingerprint*.c. */
#ifndef CORE_FINGERPRINT_TAKE_H
#define CORE_FINGERPRINT_TAKE_H

#include "core/fingerprint_scan.h"

struct recogniser {
    unsigned starts; /* classes of the first byte */
    unsigned then;   /* of the one behind the word; where no word is, of the first, too */
    size_t (*take)(struct scan *s);
};

/* Reads all of the text by a table, which ends with an empty row. core/fingerprint.c */
void scan_all(struct scan *s, const struct recogniser *table);
/* The table for texts. */
extern const struct recogniser text_recognisers[];

/* core/fingerprint_web.c */
size_t take_url(struct scan *s);
size_t take_email(struct scan *s);
size_t take_hostname(struct scan *s);
size_t take_ipv4(struct scan *s);
size_t take_colons(struct scan *s); /* IPv6 and hardware addresses */

/* core/fingerprint_date.c */
size_t take_date(struct scan *s);

/* core/fingerprint_id.c */
size_t take_placeholder(struct scan *s);
size_t take_value(struct scan *s); /* a quoted text or a truth value after = */
size_t take_quote(struct scan *s); /* quoted texts elsewhere, where s->quotes says so */
size_t take_traceparent(struct scan *s);
size_t take_uuid(struct scan *s);
size_t take_hex_groups(struct scan *s);

/* core/fingerprint_number.c */
size_t take_http(struct scan *s); /* HTTP/1.1 */
size_t take_float(struct scan *s);
size_t take_negative(struct scan *s);
size_t take_other_digits(struct scan *s); /* of scripts that have their own */
size_t take_long_hex(struct scan *s); /* 16 hexadecimal digits or more, nothing else */
size_t take_word(struct scan *s);     /* whatever word is left; always takes it */

/* core/fingerprint_measure.c */
size_t take_measure(struct scan *s); /* 5 MB, 12.5 seconds, 93.5% */

/* core/fingerprint_name.c */
size_t take_name(struct scan *s); /* "for user ana" */
bool name_holder(const byte *p, size_t n);

/* core/fingerprint_path.c */
size_t take_path(struct scan *s);
size_t take_drive(struct scan *s); /* C:\Users\ana\x.txt */

/* What decides about the segments of a path. */
bool path_is_collection(const byte *p, size_t n); /* "users" */
bool path_is_reserved(const byte *p, size_t n);   /* "new", which is no user */
/* True when a word of the segment varies, by the given judgement of words. */
bool path_varies(const byte *p, size_t n, bool (*word)(const byte *, size_t));

/* Writes a segment, folded. */
void path_copy(struct scan *s, const byte *p, const byte *end);

/* The end of a host name at p that ends in a known domain, or NULL. */
const byte *web_host_end(const struct scan *s, const byte *p);

/* True when the word at p, n bytes of letters, is a month's or weekday's name. */
bool date_word(const byte *p, size_t n);

#endif
