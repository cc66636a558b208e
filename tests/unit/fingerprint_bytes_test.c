/* Any bytes at all: nothing is read beyond the text (the copies below end where the
 * text does, so that a sanitizer sees it), a fingerprint's fingerprint is itself, a
 * ceiling is kept, and a long text takes a time in proportion (else this test runs
 * into its time limit). */
#include <stdint.h>

#include "tests/fingerprint_cases.h"

static uint64_t dice_state = 1;

static size_t dice(size_t n)
{
    dice_state = dice_state * 6364136223846793005u + 1442695040888963407u;
    return (size_t)(dice_state >> 33) % n;
}

static void check_idempotent(struct str in)
{
    char *copy = malloc(in.n ? in.n : 1);
    memcpy(copy, in.p, in.n);
    struct buf once = made(fingerprint_text, (struct str){copy, in.n});
    struct buf twice = made(fingerprint_text, buf_str(&once));
    if (!str_eq(buf_str(&once), buf_str(&twice)))
        fprintf(stderr, "of \"%.*s\":\n", STR_ARG(in));
    CHECK_STR(buf_str(&twice), buf_str(&once));
    struct buf page = made(fingerprint_page, (struct str){copy, in.n});
    struct buf page_again = made(fingerprint_page, buf_str(&page));
    CHECK_STR(buf_str(&page_again), buf_str(&page));
    struct buf subject = made(fingerprint_subject, (struct str){copy, in.n});
    buf_deinit(&subject);
    buf_deinit(&page);
    buf_deinit(&page_again);
    buf_deinit(&once);
    buf_deinit(&twice);
    free(copy);
}

static const char *const pieces[] = {" ",
                                     "  ",
                                     ".",
                                     ",",
                                     ", ",
                                     ":",
                                     "::",
                                     "/",
                                     "-",
                                     "_",
                                     "=",
                                     "=\"",
                                     "='",
                                     "\"",
                                     "'",
                                     "@",
                                     "#",
                                     "%20",
                                     "(",
                                     ")",
                                     "[",
                                     "]",
                                     "{",
                                     "<",
                                     ">",
                                     "*",
                                     "|",
                                     "\\",
                                     "\xC3\xA9",
                                     "\xC3\x89",
                                     "\xC2\xB5s",
                                     "\xFF",
                                     "\xE4",
                                     "id",
                                     "key",
                                     "commit",
                                     "size",
                                     "status",
                                     "code",
                                     "error",
                                     "for",
                                     "user",
                                     "of",
                                     "users",
                                     "home",
                                     "Jul",
                                     "Fri",
                                     "may",
                                     "pm",
                                     "GMT",
                                     "T",
                                     "Z",
                                     "ms",
                                     "kb",
                                     "com",
                                     "a.example.com",
                                     "HTTP/1.1",
                                     "0x",
                                     "0",
                                     "7",
                                     "12",
                                     "404",
                                     "2031",
                                     "12345678",
                                     "a",
                                     "f",
                                     "g",
                                     "x",
                                     "9fa",
                                     "feed",
                                     "feedface",
                                     "1f4e9ab",
                                     "qzxj",
                                     "<int>",
                                     "<hex>",
                                     "<name>",
                                     "true",
                                     "v2",
                                     "utf8",
                                     "bytes",
                                     "fe80",
                                     "10.3.4.5",
                                     "2031-07-04",
                                     "09:10:11",
                                     "http://a.b/c",
                                     "j@b.co",
                                     "jo-7",
                                     "٣"};

static void survives_chance(void)
{
    for (int round = 0; round < 30000; round++) {
        char text[256];
        size_t n = 0;
        for (size_t k = 1 + dice(9); k > 0; k--) {
            const char *piece = pieces[dice(sizeof pieces / sizeof *pieces)];
            memcpy(text + n, piece, strlen(piece));
            n += strlen(piece);
        }
        if (dice(4) == 0) {
            size_t at = dice(n);
            text[at] = (char)dice(256);
        }
        check_idempotent((struct str){text, n});
    }
}

static void survives_being_cut(void)
{
    for (size_t i = 0; i < sizeof text_cases / sizeof *text_cases; i++)
        for (size_t n = 0; n <= strlen(text_cases[i].in); n++)
            check_idempotent((struct str){text_cases[i].in, n});
}

static void passes_odd_bytes_through(void)
{
    struct str odd = STR("a\0b \xFF\xC3 \xED\xA0\x80 \xF5\x80 c");
    check_text(odd, odd);
    check_text(STR_NONE, STR_NONE);
    /* letters whose small form is ASCII are left, so that folding makes no new words */
    check_text(STR("4\xE2\x84\xAA \xC4\xB0"), STR("<int>\xE2\x84\xAA \xC4\xB0"));
}

static void keeps_its_ceiling(void)
{
    struct str text = STR("Ünï 4711 für ana@example.com in /x/77/y: ÄÖÜ 0x1f");
    struct buf whole = made(fingerprint_text, text);
    for (size_t max = 0; max <= whole.n + 1; max++) {
        struct buf b;
        buf_init(&b, max);
        fingerprint_text(text, &b);
        CHECK(b.n <= max);
        CHECK(str_starts(buf_str(&whole), buf_str(&b)));
        CHECK_INT(b.overflowed, max < whole.n);
        for (size_t i = 0; i < b.n; i++) /* no placeholder is cut */
            CHECK(b.p[i] != '<' || memchr(b.p + i, '>', b.n - i));
        CHECK(b.n == 0 || (b.p[b.n - 1] & 0xC0) != 0xC0);
        buf_deinit(&b);
    }
    buf_deinit(&whole);
}

static void appends(void)
{
    struct buf b;
    buf_init(&b, 100);
    buf_text(&b, "7 <int>");
    fingerprint_text(STR("7, 8"), &b);
    fingerprint_page(STR("/7"), &b);
    fingerprint_subject(STR("Re: 7!"), &b);
    CHECK_STR(buf_str(&b), STR("7 <int><int>/:id<int>"));
    buf_deinit(&b);
}

enum { LONG_BYTES = 300000 };

static void takes_time_in_proportion(void)
{
    static const char *const patterns[] = {
        "a",         "a.",   "a-",   "a:",  "a@",       "1.",  "1 ",   "ab-ab-",
        "abcd-",     "/a",   "/1",   "=\"", "='",       "'a ", "\"a ", "<int",
        "for user ", "id (", "a://", "::",  "\xFF",     "é",   "%",    "_",
        "0x",        "Jul ", "7 , ", "[",   "http/1.1 "};
    char *text = malloc(LONG_BYTES);
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++) {
        size_t n = strlen(patterns[i]);
        for (size_t k = 0; k < LONG_BYTES; k++)
            text[k] = patterns[i][k % n];
        struct buf b;
        buf_init(&b, 4 * LONG_BYTES);
        fingerprint_text((struct str){text, LONG_BYTES}, &b);
        CHECK(!b.overflowed);
        buf_clear(&b);
        fingerprint_error(STR_NONE, STR_NONE, (struct str){text, LONG_BYTES}, &b);
        buf_clear(&b);
        fingerprint_subject((struct str){text, LONG_BYTES}, &b);
        buf_clear(&b);
        fingerprint_page((struct str){text, LONG_BYTES}, &b);
        buf_deinit(&b);
    }
    free(text);
}

int main(void)
{
    survives_chance();
    survives_being_cut();
    passes_odd_bytes_through();
    keeps_its_ceiling();
    appends();
    takes_time_in_proportion();
    return check_result();
}
