/* Messages that no text can break out of. */
#include "sinks/mime.h"
#include "tests/check.h"

static struct buf b;

static void knows_addresses(void)
{
    static const char *const good[] = {"a@b", "alerts@example.com",
                                       "x.y+z@mail-1.example.com", "o'neil@example.com"};
    static const char *const bad[] = {"",
                                      "a",
                                      "@b",
                                      "a@",
                                      "a@b@c",
                                      "a b@c",
                                      "a@b c",
                                      "<a@b>",
                                      "a@b>",
                                      "a@b\r\nX: y",
                                      "\"a b\"@c",
                                      "a@[127.0.0.1]",
                                      "a@b,c",
                                      "a@b;c@d",
                                      "ä@example",
                                      "a\n@b",
                                      "a@b\nDATA\nSubject"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        CHECK(mime_is_address(str_of(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        CHECK(!mime_is_address(str_of(bad[i])));
    CHECK(!mime_is_address(STR("a@b\0c")));
}

static struct str header(const char *text, size_t n)
{
    buf_clear(&b);
    mime_header(&b, "Subject", (struct str){text, n});
    return buf_str(&b);
}

static struct str subject(const char *text)
{
    return header(text, strlen(text));
}

static void writes_headers(void)
{
    CHECK_STR(subject("[High] HttpError on /x"),
              STR("Subject: [High] HttpError on /x\r\n"));
    CHECK_STR(subject(""), STR("Subject: \r\n"));
    CHECK_STR(subject("a\r\nBcc: x@y"), STR("Subject: =?UTF-8?Q?a__Bcc=3A_x=40y?=\r\n"));
    CHECK_STR(header("a\0b", 3), STR("Subject: =?UTF-8?Q?a_b?=\r\n"));
    CHECK_STR(subject("=?UTF-8?Q?x?="),
              STR("Subject: =?UTF-8?Q?=3D=3FUTF=2D8=3FQ=3Fx=3F=3D?=\r\n"));
    CHECK_STR(subject("größer"), STR("Subject: =?UTF-8?Q?gr=C3=B6=C3=9Fer?=\r\n"));
}

/* Between code points, and no word longer than a mail system must take. */
static void cuts_encoded_words(void)
{
    CHECK_STR(
        subject("請求書請求書請求書"),
        STR("Subject: =?UTF-8?Q?=E8=AB=8B=E6=B1=82=E6=9B=B8=E8=AB=8B=E6=B1=82=E6=9B=B8?="
            "\r\n =?UTF-8?Q?=E8=AB=8B=E6=B1=82=E6=9B=B8?=\r\n"));
}

static void folds_at_spaces(void)
{
    const char *word = "0123456789012345678901234567890123456789";
    char text[100];
    snprintf(text, sizeof text, "%s %s", word, word);
    buf_clear(&b);
    mime_header(&b, "Subject", str_of(text));
    CHECK(memmem(b.p, b.n, "9\r\n 0", 5) != NULL);
}

static void writes_lists_and_dates(void)
{
    const struct str to[] = {STR("a@x"), STR("b@y")};
    buf_clear(&b);
    mime_addresses(&b, "To", to, 2);
    mime_date(&b, 1772443200000);
    CHECK_STR(buf_str(&b),
              STR("To: a@x,\r\n b@y\r\nDate: Mon, 02 Mar 2026 09:20:00 +0000\r\n"));
}

static struct str body(const char *text)
{
    buf_clear(&b);
    mime_quoted_printable(&b, str_of(text));
    return buf_str(&b);
}

static void writes_bodies(void)
{
    CHECK_STR(body(""), STR(""));
    CHECK_STR(body("a=b"), STR("a=3Db\r\n"));
    CHECK_STR(body("a \nb\t\n"), STR("a=20\r\nb=09\r\n"));
    CHECK_STR(body(".\n..a\nFrom x\n"), STR("=2E\r\n=2E.a\r\n=46rom x\r\n"));
    CHECK_STR(body("a\r\n"), STR("a=0D\r\n"));
    CHECK_STR(body("ü🔥"), STR("=C3=BC=F0=9F=94=A5\r\n"));
    CHECK_STR(body("\n\n"), STR("\r\n\r\n"));
}

static void breaks_long_lines(void)
{
    char text[301];
    memset(text, '=', 300);
    text[300] = '\0';
    struct str s = body(text);
    size_t line_n = 0, equals = 0;
    for (size_t i = 0; i < s.n; i++) {
        line_n = s.p[i] == '\n' ? 0 : line_n + (s.p[i] != '\r');
        CHECK(line_n <= 76);
        equals += i + 2 < s.n && memcmp(s.p + i, "=3D", 3) == 0;
    }
    CHECK_INT(equals, 300);
}

int main(void)
{
    buf_init(&b, 65536);
    knows_addresses();
    writes_headers();
    cuts_encoded_words();
    folds_at_spaces();
    writes_lists_and_dates();
    writes_bodies();
    breaks_long_lines();
    buf_deinit(&b);
    return check_result();
}
