/* What a fingerprint keeps and what it replaces, kind by kind, each alone, behind and
 * before other words, in capitals, and again. The values are ours. */
#include "core/fingerprint.h"

#include "tests/check.h"
#include "tests/fingerprint_cases.h"

/* Texts that are one error, and below each list one that is another. */
static const char *const one_error[][8] = {
    /* an id of digits only, of letters only */
    {"Job 9f3a12bc failed", "Job 12345678 failed", "Job deadbeef failed",
     "Job 1234e567 failed", "JOB DEADBEEF FAILED"},
    {"9f3a12bc failed", "12345678 failed", "feedface failed"},
    {"session 9f3a lost", "session 1234 lost", "session bcde lost", "session 7 lost"},
    {"commit 1f4e9ab", "commit 1234567", "commit abcdeff"},
    {"Widget@1f4e9ab gone", "Widget@1234567 gone", "Widget@abcdeff gone",
     "Widget@12345 gone"},
    {"request id: k9x2m4q7", "request id: kxqwzmtr", "request id: 12345678"},
    {"charge ch_3MtwBwLkdIwHu7ix28a3tqPa", "charge ch_1NqzXkvJw8QpLmTzRbYcWdFe"},
    {"trace 01HV3Z8QK5J9X2M4N6P7R8S9T0", "trace 01J9ZZZZZZZZZZZZZZZZZZZZZZ"},
    {"key 9f3a-0c11-77e0-5b2d", "key 1234-5678-9012-3456", "key abcd-efab-cdef-abcd"},
    /* an amount of any size, in any base where = says that it is one */
    {"size 67108864 of it", "size 3553 of it"},
    {"12345678 wrong rows.", "17 wrong rows."},
    {"took 12345678 ms", "took 8 ms"},
    {"took 12345678 milliseconds", "took 8 milliseconds"},
    {"mask=ffffffff", "mask=0", "mask=40000500", "mask=2b000002"},
    {"peer=10.3.4.5", "peer=db7.example.net"},
    {"from 10.3.4.5 (db7.example.net)", "from 10.3.4.6 ()", "from 10.3.4.7"},
    {"used 1.5 GB of 2 GB", "used 512 MB of 1.5 TB", "used 512MB of 70 KiB",
     "used 12 bytes of 1,204 bytes"},
    {"built in 19.84 seconds", "built in 20 sec", "built in 3 hours", "built in 300ms",
     "built in 1h30m", "built in 1,204 ms", "built in 12.5µs"},
    {"at 93.5% of it", "at 9% of it", "at 1,009.5% of it"},
    {"price of $12 wrong", "price of $1,012.50 wrong", "price of $0.5 wrong"},
    {"took: 12", "took: 12.5", "took: -7"},
    {"write=2.402, sync=0", "write=2, sync=0.001"},
    {"no lock name=android", "no lock name=com.example.app/.Main", "no lock name=a:b"},
    /* lists of any length */
    {"ids [12, 7, 9f3a]", "ids [4711]", "ids [1;2]"},
    {"lost blk_8821 blk_77 blk_4", "lost blk_9"},
    {"in /data/part7/12/34", "in /data/12"},
    /* whoever it happens to */
    {"Permission denied for user cyrus", "permission denied for user jane.doe"},
    {"Login of user 'ana' failed", "Login of user 'root' failed"},
    /* as it is written */
    {"a  b\tc", "A B C", " a b c "},
    {"ÄRGER mit ΣΊΣΥΦΟΣ und ЖЁЛТЫЙ", "ärger mit σίσυφοσ und жёлтый"},
    {"Rechnung ١٧ fehlt", "Rechnung ７ fehlt", "Rechnung 4711 fehlt"},
};

static const char *const two_errors[][2] = {
    {"request failed with status code 404", "request failed with status code 500"},
    {"HTTP/1.1 502 from upstream", "HTTP/1.1 503 from upstream"},
    {"exit code 137", "exit code 1"},
    {"error TS2304 in build", "error TS1005 in build"},
    {"reading 'map'", "reading 'length'"},
    {"Vec::push() panicked", "Vec::pop() panicked"},
    {"denied for user input", "denied for user settings"},
    {"waited for reply from 10.3.4.5", "waited for heartbeat from 10.3.4.5"},
    {"map-4f2a91c3-value", "map-4f2a91c3-index"},
    {"user=root", "user=guest"},
    {"name=TypeError", "name=RangeError"},
    {"step 3 a", "step 3 c"},
    {"3D view", "3G view"},
    {"at a.b.c:17", "at d.e.f:17"},
    {"com.example.Cart failed", "com.example.Invoice failed"},
    {"utf8 expected", "utf16 expected"},
    {"base64 expected", "base32 expected"},
    {"http://a.example.com down", "a.example.com down"},
    {"token rejected", "token expired"},
    {"request added", "request faded"},
    {"cannot open /etc/app/a.conf", "cannot open /etc/app/b.conf"},
};

static void gives_one_key_to_one_error(void)
{
    for (size_t i = 0; i < sizeof one_error / sizeof *one_error; i++) {
        struct buf first = made(fingerprint_text, str_of(one_error[i][0]));
        for (size_t k = 1; k < 8 && one_error[i][k]; k++) {
            struct buf other = made(fingerprint_text, str_of(one_error[i][k]));
            CHECK_STR(buf_str(&other), buf_str(&first));
            buf_deinit(&other);
        }
        buf_deinit(&first);
    }
}

static void keeps_two_errors_apart(void)
{
    for (size_t i = 0; i < sizeof two_errors / sizeof *two_errors; i++) {
        struct buf a = made(fingerprint_text, str_of(two_errors[i][0]));
        struct buf b = made(fingerprint_text, str_of(two_errors[i][1]));
        if (str_eq(buf_str(&a), buf_str(&b)))
            fprintf(stderr, "both are \"%.*s\"\n", STR_ARG(buf_str(&a)));
        CHECK(!str_eq(buf_str(&a), buf_str(&b)));
        buf_deinit(&a);
        buf_deinit(&b);
    }
}

static void replaces_what_varies(void)
{
    for (size_t i = 0; i < sizeof text_cases / sizeof *text_cases; i++)
        check_four_ways(text_cases[i].in, text_cases[i].want);
}

static void makes_pages(void)
{
    for (size_t i = 0; i < sizeof page_cases / sizeof *page_cases; i++) {
        struct buf once = made(fingerprint_page, str_of(page_cases[i].in));
        CHECK_STR(buf_str(&once), str_of(page_cases[i].want));
        struct buf twice = made(fingerprint_page, buf_str(&once));
        CHECK_STR(buf_str(&twice), buf_str(&once));
        buf_deinit(&once);
        buf_deinit(&twice);
    }
}

static void makes_subjects(void)
{
    for (size_t i = 0; i < sizeof subject_cases / sizeof *subject_cases; i++) {
        struct buf b = made(fingerprint_subject, str_of(subject_cases[i].in));
        CHECK_STR(buf_str(&b), str_of(subject_cases[i].want));
        buf_deinit(&b);
    }
}

static void check_error(const char *type, const char *code, const char *message,
                        const char *want)
{
    struct buf b;
    buf_init(&b, 4096);
    fingerprint_error(str_of(type), str_of(code), str_of(message), &b);
    CHECK_STR(buf_str(&b), str_of(want));
    buf_deinit(&b);
}

static void makes_errors(void)
{
    check_error("HttpError", "INV_500",
                "Invoice 8841 could not be rendered (req 6f1c2a9e)",
                "httperror inv_500 invoice <int> could not be rendered (req <hex>)");
    check_error(NULL, NULL, "Field \"e mail\" is bad", "field <quoted_str> is bad");
    check_error("", "", "", "");
    check_error("TypeError", NULL, "x is 'undefined' in 'file 1'",
                "typeerror x is 'undefined' in <quoted_str>");
    check_error(NULL, "0x80070057", NULL, "0x80070057");
    check_error("E", "3f2b6c1e-9a4d-4e57-8b21-0c9d7f6a5e43", "“Müller” «x» „y“ fehlt",
                "e <uuid> <quoted_str> fehlt");
    check_error("A", NULL, "don't, can't or won't", "a don't, can't or won't");
}

int main(void)
{
    replaces_what_varies();
    gives_one_key_to_one_error();
    keeps_two_errors_apart();
    makes_pages();
    makes_subjects();
    makes_errors();
    return check_result();
}
