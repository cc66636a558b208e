/* Any bytes as a text, a URL and a subject: no crash, a fingerprint of a text or page is its own
 * fingerprint, and capitals do not matter. */
#include <assert.h>
#include <stdint.h>

#include "core/fingerprint.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct buf made(void (*make)(struct str, struct buf *), struct str in)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    make(in, &b);
    return b;
}

static void check_twice(void (*make)(struct str, struct buf *), struct str in)
{
    struct buf once = made(make, in), twice = made(make, buf_str(&once));
    assert(str_eq(buf_str(&once), buf_str(&twice)));
    buf_deinit(&once);
    buf_deinit(&twice);
}

static void check_case(struct str in)
{
    struct buf small;
    buf_init(&small, in.n);
    for (size_t i = 0; i < in.n; i++)
        buf_char(&small,
                 in.p[i] >= 'A' && in.p[i] <= 'Z' ? (char)(in.p[i] + 32) : in.p[i]);
    struct buf a = made(fingerprint_text, in),
               b = made(fingerprint_text, buf_str(&small));
    assert(str_eq(buf_str(&a), buf_str(&b)));
    buf_deinit(&small);
    buf_deinit(&a);
    buf_deinit(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str in = {(const char *)data, n};
    check_twice(fingerprint_text, in);
    check_twice(fingerprint_page, in);
    check_case(in);
    struct buf subject = made(fingerprint_subject, in), error;
    buf_init(&error, 64);
    fingerprint_error(in, in, in, &error);
    assert(error.n <= 64);
    buf_deinit(&subject);
    buf_deinit(&error);
    return 0;
}
