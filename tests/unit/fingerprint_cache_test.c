/* What comes out of the cache is what is made without it, whatever was asked before. */
#include <stdio.h>

#include "core/fingerprint_cache.h"
#include "tests/check.h"

static struct arena arena;
static struct fingerprint_cache *cache;

static struct str made(enum fingerprint_kind kind, const struct str *texts)
{
    struct buf b;
    buf_init(&b, FINGERPRINT_BYTES_MAX);
    if (kind == FINGERPRINT_PAGE)
        fingerprint_page(texts[0], &b);
    else if (kind == FINGERPRINT_SUBJECT)
        fingerprint_subject(texts[0], &b);
    else
        fingerprint_error(texts[0], texts[1], texts[2], &b);
    struct str kept = arena_str(&arena, buf_str(&b));
    buf_deinit(&b);
    return kept;
}

static void ask(enum fingerprint_kind kind, struct str first, struct str second,
                struct str third)
{
    const struct str texts[FINGERPRINT_TEXTS_MAX] = {first, second, third};
    for (int again = 0; again < 2; again++)
        CHECK_STR(fingerprint_cached(cache, kind, texts, &arena), made(kind, texts));
}

static void parts_are_told_apart(void)
{
    ask(FINGERPRINT_ERROR, STR("ab"), STR("c"), STR("Invoice 8841 failed"));
    ask(FINGERPRINT_ERROR, STR("a"), STR("bc"), STR("Invoice 8841 failed"));
    ask(FINGERPRINT_ERROR, STR_NONE, STR("abc"), STR("Invoice 8841 failed"));
    ask(FINGERPRINT_ERROR, STR("/a/17"), STR_NONE, STR_NONE);
    ask(FINGERPRINT_PAGE, STR("/a/17"), STR_NONE, STR_NONE);
    ask(FINGERPRINT_SUBJECT, STR("/a/17"), STR_NONE, STR_NONE);
    ask(FINGERPRINT_PAGE, STR_NONE, STR_NONE, STR_NONE);
}

/* Many more than there are places, twice, and as long as none is kept. */
static void places_change_hands(void)
{
    char page[700];
    for (int i = 0; i < 8000; i++) {
        int n = snprintf(page, sizeof page, "/page-of-%c/%0*d", 'a' + i % 26, 1 + i % 600,
                         i % 4000);
        ask(FINGERPRINT_PAGE, (struct str){page, (size_t)n}, STR_NONE, STR_NONE);
        arena_reset(&arena);
    }
}

int main(void)
{
    arena_init(&arena);
    cache = fingerprint_cache_new();
    parts_are_told_apart();
    places_change_hands();
    fingerprint_cache_free(cache);
    arena_deinit(&arena);
    return check_result();
}
