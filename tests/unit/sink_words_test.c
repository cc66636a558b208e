/* Texts from outside as each receiver must get them, and the words around them. */
#include "core/utf8.h"
#include <math.h>

#include "core/calendar.h"
#include "sinks/words.h"
#include "tests/check.h"

static struct buf b;

static struct str as(enum dialect d, const char *text, size_t max_units)
{
    buf_clear(&b);
    words_text(&b, d, str_of(text), max_units);
    return buf_str(&b);
}

static void escapes_for_the_receiver(void)
{
    const char *text = "<!channel> & `x` *b* \"q\" @here";
    CHECK_STR(as(DIALECT_PLAIN, text, 100), str_of(text));
    CHECK_STR(as(DIALECT_SLACK, text, 100),
              STR("&lt;!channel&gt; &amp; 'x' *b* \"q\" @here"));
    CHECK_STR(as(DIALECT_HTML, text, 100),
              STR("&lt;!channel&gt; &amp; `x` *b* &quot;q&quot; @here"));
    CHECK_STR(as(DIALECT_MARKDOWN, text, 100),
              STR("\\<\\!channel\\> \\& \\`x\\` \\*b\\* \"q\" @\xE2\x81\xA0here"));
    CHECK_STR(as(DIALECT_DISCORD, text, 100),
              STR("\\<!channel> & \\`x\\` \\*b\\* \"q\" \\@here"));
    CHECK_STR(as(DIALECT_DISCORD, "# a #b https://x :y: [z](u) ||s|| 3-4", 100),
              STR("\\# a #b https\\://x :y: \\[z\\](u) \\|\\|s\\|\\| 3-4"));
    CHECK_STR(as(DIALECT_DISCORD, " > a", 100), STR("\\> a"));
    CHECK_STR(as(DIALECT_DISCORD, "a**", 4), STR("a\\*…"));
    CHECK_STR(as(DIALECT_MARKDOWN, "a|b_c[d]\\#~$", 100),
              STR("a\\|b\\_c\\[d\\]\\\\\\#\\~\\$"));
}

static void makes_one_line(void)
{
    CHECK_STR(as(DIALECT_PLAIN,
                 "  a \r\n\t b\x01\x7F\xC2\x85"
                 "c\xE2\x80\xA8"
                 "d  ",
                 100),
              STR("a b c d"));
    CHECK_STR(as(DIALECT_PLAIN, " \n\t ", 100), STR(""));
    CHECK_STR(as(DIALECT_PLAIN, "", 1), STR(""));
    CHECK_STR(as(DIALECT_PLAIN,
                 "a\xE2\x80\xAE"
                 "b\xE2\x81\xA6"
                 "c\xEF\xBB\xBF",
                 100),
              STR("abc"));
    buf_clear(&b);
    words_text(&b, DIALECT_PLAIN, STR("a\0b"), 10);
    CHECK_STR(buf_str(&b), STR("a b"));
}

static void cuts_at_exactly_the_limit(void)
{
    CHECK_STR(as(DIALECT_PLAIN, "abcd", 4), STR("abcd"));
    CHECK_STR(as(DIALECT_PLAIN, "abcde", 4), STR("abc…"));
    CHECK_STR(as(DIALECT_PLAIN, "abcde", 1), STR("…"));
    CHECK_STR(as(DIALECT_PLAIN, "ab🔥", 4), STR("ab🔥"));
    CHECK_STR(as(DIALECT_PLAIN, "ab🔥d", 4), STR("ab…"));
    CHECK_STR(as(DIALECT_SLACK, "a<<", 9), STR("a&lt;&lt;"));
    CHECK_STR(as(DIALECT_SLACK, "a<<", 8), STR("a&lt;…"));
    CHECK_STR(as(DIALECT_SLACK, "a<<", 5), STR("a…"));
    CHECK_STR(as(DIALECT_MARKDOWN, "a**", 4), STR("a\\*…"));
}

/* Whatever the text, the limit holds in every dialect. */
static void keeps_every_limit(void)
{
    static const char *const texts[] = {"&&&&&&&&", "🔥🔥🔥🔥", "é<é>é\"é`", "שלום עולם",
                                        "@@@@@@"};
    for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++)
        for (int d = DIALECT_PLAIN; d <= DIALECT_HTML; d++)
            for (size_t max = 1; max < 60; max++) {
                struct str s = as((enum dialect)d, texts[t], max);
                CHECK(utf8_units(s) <= max);
                CHECK(utf8_cut(s, s.n).n == s.n);
            }
}

static struct str code(enum dialect d, const char *text, size_t max_units)
{
    buf_clear(&b);
    words_code(&b, d, str_of(text), max_units);
    return buf_str(&b);
}

static void sets_code(void)
{
    CHECK_STR(code(DIALECT_SLACK, "a `b` <c>", 99), STR("`a 'b' &lt;c&gt;`"));
    CHECK_STR(code(DIALECT_HTML, "a <c>", 99), STR("<code>a &lt;c&gt;</code>"));
    CHECK_STR(code(DIALECT_MARKDOWN, "a <c>", 99), STR("`a <c>`"));
    CHECK_STR(code(DIALECT_MARKDOWN, "a `b` ``c``", 99), STR("``` a `b` ``c`` ```"));
    CHECK_STR(code(DIALECT_MARKDOWN, "````", 2), STR("``` `… ```"));
}

static struct str ticket(enum dialect d, const char *url, const char *id)
{
    buf_clear(&b);
    words_ticket(&b, d, str_of(url), str_of(id));
    return buf_str(&b);
}

static void links_tickets(void)
{
    const char *url = "https://h.example/t/{id}?a=1&b=2";
    CHECK_STR(ticket(DIALECT_SLACK, url, "T-1"),
              STR("<https://h.example/t/T-1?a=1&amp;b=2|T-1>"));
    CHECK_STR(ticket(DIALECT_MARKDOWN, url, "T-1"),
              STR("[T-1](https://h.example/t/T-1?a=1&amp;b=2)"));
    CHECK_STR(ticket(DIALECT_DISCORD, url, "T_1"),
              STR("[T\\_1](https://h.example/t/T_1?a=1&b=2)"));
    CHECK_STR(ticket(DIALECT_HTML, url, "T-1"),
              STR("<a href=\"https://h.example/t/T-1?a=1&amp;b=2\">T-1</a>"));
    CHECK_STR(ticket(DIALECT_PLAIN, url, "T-1"), STR("T-1"));
    CHECK_STR(ticket(DIALECT_SLACK, "https://h/{id}", "a b|c>é"),
              STR("<https://h/a%20b%7Cc%3E%C3%A9|a b|c&gt;é>"));
    CHECK_STR(ticket(DIALECT_SLACK, "", "T-1"), STR("T-1"));
    CHECK_STR(ticket(DIALECT_HTML, "javascript:{id}", "T-1"), STR("T-1"));
    CHECK_STR(ticket(DIALECT_HTML, "http://h/\"><b>(x)", "T"),
              STR("<a href=\"http://h/%22%3E%3Cb%3E%28x%29\">T</a>"));
}

static void a_long_id_is_no_link(void)
{
    char id[200];
    memset(id, 'x', sizeof id - 1);
    id[sizeof id - 1] = '\0';
    struct str s = ticket(DIALECT_SLACK, "https://h/{id}", id);
    CHECK(s.n < 70 && s.p[0] == 'x');
}

#define SAYS(call, want)                   \
    do {                                   \
        buf_clear(&b);                     \
        call;                              \
        CHECK_STR(buf_str(&b), STR(want)); \
    } while (0)

static void says_numbers_times_and_spans(void)
{
    SAYS(words_number(&b, 0), "0");
    SAYS(words_number(&b, 999), "999");
    SAYS(words_number(&b, 12000), "12,000");
    SAYS(words_number(&b, 1234567.891), "1,234,567.89");
    SAYS(words_number(&b, -1234.5), "-1,234.5");
    SAYS(words_number(&b, 0.999), "1");
    SAYS(words_number(&b, -0.001), "0");
    SAYS(words_number(&b, 100), "100");
    SAYS(words_number(&b, 1e300), "1e+300");
    SAYS(words_count(&b, 1, "person", "people"), "1 person");
    SAYS(words_count(&b, 2000, "person", "people"), "2,000 people");
    SAYS(words_time(&b, 1772442847120), "2026-03-02 09:14 UTC");
    SAYS(words_span(&b, 119999), "119 s");
    SAYS(words_span(&b, 120000), "2 min");
    SAYS(words_span(&b, 7200000), "2 h");
    SAYS(words_span(&b, 172800000), "2 days");
    SAYS(words_label(&b, STR("ticket.product_version")), "Product version");
    SAYS(words_label(&b, STR("page")), "Page");
    SAYS(words_label(&b, STR("")), "");
}

static void gives_titles(void)
{
    struct alert a = {.rule = STR("page-error"),
                      .kind = STR("count"),
                      .keys_n = 2,
                      .key_names = {STR("page"), STR("error")},
                      .key_values = {STR("/a/:id"), STR("typeerror x <int>")}};
    SAYS(words_title(&b, &a, true), "typeerror x <int> on /a/:id");
    SAYS(words_error(&b, &a), "typeerror x <int>");
    a.sample.error_message = STR("X 7");
    SAYS(words_title(&b, &a, true), "X 7 on /a/:id");
    a.sample.error_type = STR("TypeError");
    SAYS(words_title(&b, &a, true), "TypeError on /a/:id: X 7");
    SAYS(words_title(&b, &a, false), "TypeError on /a/:id");
    SAYS(words_error(&b, &a), "TypeError: X 7");
    a.sample.error_code = STR("E1");
    a.keys_n = 1; /* by page alone */
    SAYS(words_title(&b, &a, true), "page-error: /a/:id");
    a.keys_n = 0;
    SAYS(words_title(&b, &a, true), "page-error");
    a.anomaly = (struct alert_anomaly){.present = true, .value = 3.126, .mean = 4};
    SAYS(words_title(&b, &a, true), "page-error: 3.13, usually 4");
}

static void says_shares_in_percent(void)
{
    struct alert a = {.rule = STR("escalation"),
                      .kind = STR("ratio"),
                      .count = 120,
                      .anomaly = {.present = true,
                                  .value = 0.25833,
                                  .mean = 0.2,
                                  .stddev = 0.0365,
                                  .z = 1.6,
                                  .up = true,
                                  .bucket_ms = 86400000,
                                  .share = true,
                                  .matched = 31,
                                  .limit = true}};
    SAYS(words_title(&b, &a, true), "escalation: 25.83%, limit 20%");
    SAYS(words_how_often(&b, &a), "31 of 120 events");
    SAYS(words_anomaly(&b, DIALECT_PLAIN, &a),
         "25.83% in 1d, limit 20% ± 3.65% (1.6 standard errors higher)");
    a.anomaly.limit = false;
    SAYS(words_title(&b, &a, true), "escalation: 25.83%, usually 20%");
    a.anomaly.overall = true;
    SAYS(words_title(&b, &a, true), "escalation: 25.83%, elsewhere 20%");
}

static void says_what_was_seen_before(void)
{
    struct alert a = {.anomaly = {.present = true,
                                  .value = 61,
                                  .mean = 3,
                                  .stddev = 1.75,
                                  .z = 12.5,
                                  .up = true,
                                  .bucket_ms = CALENDAR_MONTH,
                                  .novelty = true,
                                  .lowest = 0,
                                  .highest = 9,
                                  .score = 5.8}};
    SAYS(words_anomaly(&b, DIALECT_PLAIN, &a),
         "61 in a month, usually 3 ± 1.75 (12.5 standard deviations higher), before that "
         "0 to 9");
}

static void says_what_it_is_about(void)
{
    struct alert a = {
        .anomaly = {.present = true, .value = 24, .mean = 8, .bucket_ms = 3600000},
        .contributors = {{STR("ticket.product_version"), STR("4.2 *beta*"), 0.754, 0.25},
                         {STR("account"), STR("acme"), 0.1, (double)NAN}},
        .contributors_n = 2};
    SAYS(words_anomaly(&b, DIALECT_MARKDOWN, &a),
         "24 in 1h, usually 8 ± 0 (0 standard deviations lower); 75% are product version "
         "4.2 \\*beta\\* (usually 25%), 10% account acme");
}

static void titles_what_is_new(void)
{
    struct alert a = {.rule = STR("emerging"),
                      .kind = STR("new_value"),
                      .keys_n = 1,
                      .key_names = {STR("ticket.category")},
                      .key_values = {STR("exports")},
                      .summary = STR("3 events within 24h, none in the 30d before")};
    SAYS(words_title(&b, &a, true), "New: emerging: exports");
    CHECK(!words_says_all(&a)); /* that it was unseen stands in the summary */
    a.state = ALERT_RESOLVED;
    SAYS(words_title(&b, &a, true), "emerging: exports");
}

static void says_how_often(void)
{
    struct alert a = {.kind = STR("count"), .count = 1};
    SAYS(words_how_often(&b, &a), "once");
    a.count = 3;
    a.users = 1;
    a.last_seen_ms = 60000;
    SAYS(words_how_often(&b, &a), "3 times from 1 person in 60 s");
    a.state = ALERT_RESOLVED;
    a.users = 0;
    SAYS(words_how_often(&b, &a), "3 times in all, over 60 s");
}

static void says_how_long(void)
{
    enum { DAY = 86400000 };
    struct alert a = {.kind = STR("quiet"), .count = 8, .last_seen_ms = 20LL * DAY};
    a.time_ms = 41LL * DAY;
    SAYS(words_how_often(&b, &a), "silent for 21 days, before that 8 events in 20 days");
    a.state = ALERT_RESOLVED;
    a.first_seen_ms = 20LL * DAY;
    SAYS(words_how_often(&b, &a), "silent for 21 days, given up");
    a.last_seen_ms = a.time_ms;
    SAYS(words_how_often(&b, &a), "silent for 21 days");
    a = (struct alert){.kind = STR("deadline"), .count = 1, .time_ms = DAY / 8};
    SAYS(words_how_often(&b, &a), "open for 3 h");
    a.state = ALERT_RESOLVED;
    SAYS(words_how_often(&b, &a), "over after 3 h, given up");
    a.last_seen_ms = a.time_ms;
    SAYS(words_how_often(&b, &a), "over after 3 h");
}

static void knows_when_a_summary_says_more(void)
{
    struct alert a = {.kind = STR("deadline"), .summary = STR("due at 17:00")};
    CHECK(!words_says_all(&a));
    a.kind = STR("quiet");
    CHECK(words_says_all(&a));
    a.kind = STR("count");
    CHECK(words_says_all(&a));
}

static struct str trend_of(const struct alert *a)
{
    buf_clear(&b);
    return words_trend(&b, a) ? buf_str(&b) : STR("none");
}

static void draws_a_trend(void)
{
    const double none = (double)NAN;
    struct alert a = {.trend = {.step_ms = 300000}};
    CHECK_STR(trend_of(&a), STR("none"));
    a.trend.n = 1;
    CHECK_STR(trend_of(&a), STR("none"));
    a.trend = (struct alert_trend){4, 300000, {0, 1, 25, 700}};
    CHECK_STR(trend_of(&a), STR("▁▂▂█ (4 × 5m)"));
    a.trend = (struct alert_trend){3, 300000, {7, 7, 7}};
    CHECK_STR(trend_of(&a), STR("███ (3 × 5m)"));
    a.trend = (struct alert_trend){3, 300000, {-1e308, 0, 1e308}};
    CHECK_STR(trend_of(&a), STR("▁▅█ (3 × 5m)"));
    a.anomaly.present = true;
    a.trend = (struct alert_trend){4, CALENDAR_MONTH, {4.5, none, 4.25, 2}};
    CHECK_STR(trend_of(&a), STR("█·▇▁ (4 × month)"));
    a.trend = (struct alert_trend){3, 86400000, {-1, -1, -1}};
    CHECK_STR(trend_of(&a), STR("▄▄▄ (3 × 1d)"));
    a.trend = (struct alert_trend){3, 86400000, {none, none, none}};
    CHECK_STR(trend_of(&a), STR("none"));
}

int main(void)
{
    buf_init(&b, 1 << 20);
    escapes_for_the_receiver();
    makes_one_line();
    cuts_at_exactly_the_limit();
    keeps_every_limit();
    sets_code();
    links_tickets();
    a_long_id_is_no_link();
    says_numbers_times_and_spans();
    gives_titles();
    titles_what_is_new();
    says_shares_in_percent();
    says_what_was_seen_before();
    says_what_it_is_about();
    says_how_often();
    says_how_long();
    knows_when_a_summary_says_more();
    draws_a_trend();
    buf_deinit(&b);
    return check_result();
}
