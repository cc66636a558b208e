/* What a line of the log looks like, and how many are written. */
#include "core/log.h"

#include <unistd.h>

#include "core/log_json.h"
#include "core/log_rate.h"
#include "tests/check.h"

static char written[1 << 16];

/* What is written to stderr between begin() and end(). */
static int begin(int pipes[2])
{
    CHECK_INT(pipe(pipes), 0);
    int before = dup(STDERR_FILENO);
    dup2(pipes[1], STDERR_FILENO);
    return before;
}

static struct str end(int before, int pipes[2])
{
    dup2(before, STDERR_FILENO);
    close(before);
    close(pipes[1]);
    ssize_t n = read(pipes[0], written, sizeof written - 1);
    close(pipes[0]);
    return (struct str){written, n > 0 ? (size_t)n : 0};
}

static struct str line(enum log_format format, const char *event)
{
    int pipes[2], before = begin(pipes);
    char quoted[LOG_VALUE_BYTES];
    log_use(LOG_INFO, format);
    log_info(event, "n=%d reason=%s", -3, log_quote(STR("a \"b\" \\ c\n"), quoted));
    log_debug(event, "n=%d", 4);
    log_use(LOG_INFO, LOG_LOGFMT);
    return end(before, pipes);
}

static struct str without_time(struct str s)
{
    const char *z = memchr(s.p, 'Z', s.n);
    return z ? (struct str){z, (size_t)(s.p + s.n - z)} : s;
}

static void test_formats(void)
{
    CHECK_STR(without_time(line(LOG_LOGFMT, "e1")),
              STR("Z level=info event=e1 n=-3 reason=\"a \\\"b\\\" \\\\ c \"\n"));
    CHECK_STR(without_time(line(LOG_TEXT, "e2")),
              STR("Z info  e2 n=-3 reason=\"a \\\"b\\\" \\\\ c \"\n"));
    CHECK_STR(without_time(line(LOG_JSON, "e3")),
              STR("Z\",\"level\":\"info\",\"event\":\"e3\",\"n\":-3,\"reason\":\"a "
                  "\\\"b\\\" \\\\ c \"}\n"));
}

static void check_json(const char *pairs, const char *want)
{
    char *text = log_json("T", "warn", "e", str_of(pairs));
    CHECK_STR(str_from(str_of(text),
                       strlen("{\"ts\":\"T\",\"level\":\"warn\",\"event\":\"e\"")),
              str_of(want));
    free(text);
}

static void test_json(void)
{
    check_json("", "}");
    check_json("a=1 b=x", ",\"a\":1,\"b\":\"x\"}");
    check_json("hash=0012 big=1234567890123456 minus=-",
               ",\"hash\":\"0012\",\"big\":\"1234567890123456\",\"minus\":\"-\"}");
    check_json("a=\"b c=d\" e=", ",\"a\":\"b c=d\",\"e\":\"\"}");
    check_json("a=\"cut off \\", ",\"a\":\"cut off \\\\\"}");
    check_json("a=\"f\xc3\xbcr \xff\"", ",\"a\":\"f??r ?\"}");
    check_json("a=\"f\xc3\xbcr\"", ",\"a\":\"f\xc3\xbcr\"}");
    check_json("lonely", ",\"lonely\":\"\"}");
}

static void test_level(void)
{
    log_use(LOG_WARN, LOG_LOGFMT);
    CHECK(log_enabled(LOG_WARN) && !log_enabled(LOG_INFO));
    log_all(true);
    CHECK(log_enabled(LOG_DEBUG));
    log_all(false);
    CHECK(!log_enabled(LOG_INFO));
}

static void test_rate(void)
{
    static struct log_rate r;
    unsigned lines = 0, passed = 0;
    for (int i = 0; i < LOG_RATE_LINES + 7; i++)
        passed += log_rate_pass(&r, "loud", 1000);
    CHECK_INT(passed, LOG_RATE_LINES);
    CHECK(log_rate_pass(&r, "quiet", 1000));
    CHECK(!log_rate_left_out(&r, 1000 + LOG_RATE_MS - 1, &lines));
    const char *event = log_rate_left_out(&r, 1000 + LOG_RATE_MS, &lines);
    CHECK_STR(str_of(event ? event : ""), STR("loud"));
    CHECK_INT(lines, 7);
    CHECK(!log_rate_left_out(&r, 1000 + LOG_RATE_MS, &lines));
    CHECK(log_rate_pass(&r, "loud", 1000 + LOG_RATE_MS));
}

static void test_a_flood_is_cut(void)
{
    int pipes[2], before = begin(pipes);
    log_use(LOG_INFO, LOG_LOGFMT);
    for (int i = 0; i < LOG_RATE_LINES * 2; i++)
        log_info("flood", "i=%d", i);
    struct str all = end(before, pipes);
    size_t n = 0;
    for (size_t i = 0; i < all.n; i++)
        n += all.p[i] == '\n';
    CHECK_INT(n, LOG_RATE_LINES);
}

int main(void)
{
    test_formats();
    test_json();
    test_level();
    test_rate();
    test_a_flood_is_cut();
    return check_result();
}
