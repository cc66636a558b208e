/* Fingerprints that were made lately, by their texts: errors come again and again, and to know one costs a tenth of
 * reading it. A fingerprint is a function of its texts, so nobody can tell where it came from.
 *
 * A fixed table: a text has one place in it, by its hash, and takes it from whatever was there before. */
#ifndef CORE_FINGERPRINT_CACHE_H
#define CORE_FINGERPRINT_CACHE_H

#include "core/arena.h"
#include "core/fingerprint.h"

enum fingerprint_kind { FINGERPRINT_PAGE, FINGERPRINT_ERROR, FINGERPRINT_SUBJECT };
enum { FINGERPRINT_TEXTS_MAX = 3 };

struct fingerprint_cache;

/* 128 KiB. One owner, one thread. */
struct fingerprint_cache *fingerprint_cache_new(void);
/* NULL: nothing. */
void fingerprint_cache_free(struct fingerprint_cache *c);

/* The fingerprint in the arena: of a page's url, of an error's type, code and message, of a subject (the other
 * texts STR_NONE). */
struct str fingerprint_cached(struct fingerprint_cache *c, enum fingerprint_kind kind,
                              const struct str texts[FINGERPRINT_TEXTS_MAX],
                              struct arena *arena);

#endif
