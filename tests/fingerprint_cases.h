/* Texts and their fingerprints, and how they are checked. */
#ifndef TESTS_FINGERPRINT_CASES_H
#define TESTS_FINGERPRINT_CASES_H

#include "core/fingerprint.h"
#include "tests/check.h"

struct fingerprint_case {
    const char *in, *want;
};

static const struct fingerprint_case text_cases[] = {
    {"mail to jo.b+x@post.example.com bounced", "mail to <email> bounced"},
    {"POST https://api.example.com/v1/pay?id=9#x timed out", "post <url> timed out"},
    {"see (http://example.com/a).", "see (<url>)."},
    {"no route to cache3.us.example.net", "no route to <hostname>"},
    {"refused by 192.0.2.14", "refused by <ip>"},
    {"refused by 192.0.2.14:443", "refused by <ip>:<int>"},
    {"refused by 2001:db8::17", "refused by <ip>"},
    {"refused by ::1", "refused by <ip>"},
    {"std::vector::at failed", "std::vector::at failed"},
    {"seen 5c:50:15:4c:18:13", "seen <hex>"},
    {"seen ab:cd:ef:ab:cd:ef", "seen <hex>"},
    {"tp 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "tp <traceparent>"},
    {"cart 0d9a1f77-93c2-4e21-b0a8-6e3c55d3a002 empty", "cart <uuid> empty"},
    {"cart 12345678-1234-1234-1234-123456789012", "cart <uuid>"},
    {"blob 2fd4e1c67a2d28fced849ee1bb76e7391b93eb12", "blob <sha1>"},
    {"sum 9e107d9d372bb6826bd81d3542a419d6", "sum <md5>"},
    {"revision 8c2d1fe broke", "revision <git_sha> broke"},
    {"due 2031-07-04T09:10:11.123Z", "due <date>"},
    {"due 2031-07-04 09:10", "due <date>"},
    {"due 2031/7/4", "due <date>"},
    {"due 4.7.2031", "due <date>"},
    {"due 12/31/2031", "due <date>"},
    {"Mon, 07 Jul 2031 09:10:11 +0200", "<date>"},
    {"Monday, 07-Jul-31 09:10:11 GMT", "<date>"},
    {"Mon Jul 7 09:10:11 CEST 2031", "<date>"},
    {"on July 7, 2031 early", "on <date> early"},
    {"Jul 7 09:10:11 host", "<date> host"},
    {"20310707T0910Z", "<date>"},
    {"at 23:59:60", "at <date>"},
    {"at 9:10 am", "at <date>"},
    {"line 9:10", "line <int>:<int>"},
    {"ratio 23:61", "ratio <int>:<int>"},
    {"2031-13-01", "<int>-<int>-<int>"},
    {"May 5 people march 12 times", "may <int> people march <int> times"},
    {"took 2.5s then 40ms or 1h30m or 300µs", "took <duration> then <duration> or "
                                              "<duration> or <duration>"},
    {"fault at 0xDEAD01", "fault at <hex>"},
    {"key 0c11", "key <hex>"},
    {"lock cafebabe held", "lock <hex> held"},
    {"code 7fb", "code 7fb"},
    {"decade of facades", "decade of facades"},
    {"order 987654321", "order <hex>"},
    {"row 3 of -9", "row <int> of <int>"},
    {"got 2.75", "got <float>"},
    {"got 1.5e-7 and 6.02E23", "got <float> and <float>"},
    {"version 4.2.1", "version <int>.<int>.<int>"},
    {"task-17", "task-<int>"},
    {"storage442 root14_local worker7", "storage<int> root<int>_local worker<int>"},
    {"126MB of 5.5 MB", "<size> of <size>"},
    {"1536 bytes (1.5 KB) in 90 s (1.5 min)", "<size> in <duration>"},
    {"4096 bytes (12 lost)", "<size> (<int> lost)"},
    {"uptime 00:05, elapsed: 2:10:15.5", "uptime <duration>, elapsed: <duration>"},
    {"taskID[4711] orderId=9f", "taskid[<hex>] orderid=<hex>"},
    {"invalid 17, android 5", "invalid <int>, android <int>"},
    {"invalid user 0101 from 10.1.2.3", "invalid user <name> from <ip>"},
    {"in 3 days or 20.5 seconds", "in <duration> or <duration>"},
    {"at 93.5%, 12.5V for €12.50", "at <int>%, <int>v for €<int>"},
    {"late=0.25 \"ms\": 1.5", "late=<int> \"ms\": <int>"},
    {"pod web-7d9f8c6b5-x2x4l", "pod web-<hex>-<hex>"},
    {"attempt_1445144423722_0020_m_000000", "attempt_<hex>_<int>_<hex>_<int>"},
    {"oeb-7d9f_m_inz3E33l", "oeb-<hex>_m_<hex>"},
    {"(name=com.example.shop, x)", "(name=<name>, x)"},
    {"login failure for ana from 10.1.2.3", "login failure for <name> from <ip>"},
    {"at a.b.c:17 d.e.f:42 g.h.i:7", "at a.b.c:<int>"},
    {"blk_-4411589101766563890", "blk_<hex>"},
    {"utf8 sha256 x509 v2 b2b", "utf8 sha256 x509 v2 b2b"},
    {"title=\"a b 7\"", "title=<quoted_str>"},
    {"title='a \\' b'", "title=<quoted_str>"},
    {"title = '7'", "title = '<int>'"},
    {"fast=false", "fast=<bool>"},
    {"that is false", "that is false"},
    {"A plain Sentence.", "a plain sentence."},
    {"/orders/4711/lines", "/orders/*/lines"},
    {"/v3/orders/8", "/v3/orders/8"},
    {"/v12/orders", "/v12/orders"},
    {"/news/recap-2030-b", "/news/*"},
    {"/a/caf%C3%A9%20bar", "/a/caf%c3%a9%20bar"},
    {"/x/0d9a1f77-93c2-4e21-b0a8-6e3c55d3a002/y", "/x/*/y"},
    {"/members/jo-doe/badges", "/members/*/badges"},
    {"/members/new/badges", "/members/new/badges"},
    {"/members/jo-doe", "/members/jo-doe"},
    {"open C:\\Users\\jo\\a.txt", "open c:\\users\\*\\a.txt"},
    {"open C://^22=b", "open c://^<int>=b"},
    {"GET /x HTTP/1.1", "get /x http/1.1"},
    {"1,2,3 and 4", "<int> and <int>"},
    {"for account acme by user jo-7", "for account <name> by user <name>"},
    {"for user creation of account number 7",
     "for user creation of account number <int>"},
    {"订单12345失败", "订单<int>失败"},
};

static const struct fingerprint_case page_cases[] = {
    {"https://app.example.com/billing/invoices/8841?tab=pdf", "/billing/invoices/:id"},
    {"https://app.example.com/Billing/Invoices/7#top", "/billing/invoices/:id"},
    {"https://user:pw@app.example.com:8443/a", "/a"},
    {"//cdn.example.com/a//b/", "/a/b"},
    {"app.example.com/a", "/a"},
    {"localhost:3000/a", "/a"},
    {"https://app.example.com", "/"},
    {"https://app.example.com?x=1", "/"},
    {"/", "/"},
    {"", ""},
    {"  ", ""},
    {"checkout", "/checkout"},
    {"/v2/users/7", "/v2/users/:id"},
    {"/users/jo-doe/settings", "/users/:id/settings"},
    {"/users/new/settings", "/users/new/settings"},
    {"/home/settings/profile", "/home/settings/profile"},
    {"/x/0d9a1f77-93c2-4e21-b0a8-6e3c55d3a002", "/x/:id"},
    {"/x/FFFFFFFF-93c2-4e21-b0a8-6e3c55d3a002/", "/x/:id"},
    {"/x/jo@example.com/y", "/x/:id/y"},
    {"/blog/post-2031-x", "/blog/:id"},
    {"/step1/oauth2/base64", "/step1/oauth2/base64"},
    {"/a/hello%20world", "/a/hello%20world"},
    {"/a;jsessionid=77/b", "/a"},
    {"https://app.example.com/#/invoices/7?x=1", "/invoices/:id"},
    {"https://app.example.com/app#!/invoices/7", "/app/invoices/:id"},
    {"/Ünïcode/ÄÖ", "/ünïcode/äö"},
};

static const struct fingerprint_case subject_cases[] = {
    {"Cannot download invoice", "cannot download invoice"},
    {"RE: Fwd: [#5512] Cannot download  invoice 8841!!", "cannot download invoice <int>"},
    {"AW: Re[2]: cannot download invoice 7 ...", "cannot download invoice <int>"},
    {"[EXTERNAL] Can’t log in", "can't log in"},
    {"can't log in [ticket 77]", "can't log in"},
    {"回复：订单 999 失败", "订单 <int> 失败"},
    {"E-Mail - geht nicht?", "email geht nicht"},
    {"[a long remark that says something] x", "a long remark that says something x"},
    {"[urgent]", "[urgent]"},
    {"???", "???"},
    {"", ""},
    {"請求書 12 が開けません 😱", "請求書 <int> が開けません 😱"},
    {"'quoted' `words`", "quoted words"},
};

static inline struct buf made(void (*make)(struct str, struct buf *), struct str in)
{
    struct buf b;
    buf_init(&b, 1 << 16);
    make(in, &b);
    return b;
}

/* The text gives the fingerprint; that one's is itself; and capitals change nothing. */
static inline void check_text(struct str in, struct str want)
{
    struct buf once = made(fingerprint_text, in);
    struct buf twice = made(fingerprint_text, buf_str(&once));
    CHECK_STR(buf_str(&once), want);
    CHECK_STR(buf_str(&twice), want);
    struct buf capitals;
    buf_init(&capitals, 1 << 16);
    for (size_t i = 0; i < in.n; i++)
        buf_char(&capitals,
                 in.p[i] >= 'a' && in.p[i] <= 'z' ? (char)(in.p[i] - 32) : in.p[i]);
    struct buf loud = made(fingerprint_text, buf_str(&capitals));
    CHECK_STR(buf_str(&loud), want);
    buf_deinit(&once);
    buf_deinit(&twice);
    buf_deinit(&capitals);
    buf_deinit(&loud);
}

/* Alone, behind a word, before one, between two. */
static inline void check_four_ways(const char *in, const char *want)
{
    for (int way = 0; way < 4; way++) {
        const char *before = way & 1 ? "foo " : "", *behind = way & 2 ? " bar" : "";
        struct buf text, key;
        buf_init(&text, 4096);
        buf_init(&key, 4096);
        buf_printf(&text, "%s%s%s", before, in, behind);
        buf_printf(&key, "%s%s%s", before, want, behind);
        check_text(buf_str(&text), buf_str(&key));
        buf_deinit(&text);
        buf_deinit(&key);
    }
}

#endif
