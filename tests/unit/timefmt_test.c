/* Times: what nearly all are written like is read in a way of its own, which must not differ from the other. */
#include "core/timefmt.h"

#include "tests/check.h"

static const int64_t HOUR_MS = 3600000;

/* The same time with its offset in digits. */
static struct str with_offset(struct str usual, char out[TIME_TEXT_BYTES])
{
    int n = snprintf(out, TIME_TEXT_BYTES, "%.*s+00:00", (int)usual.n - 1, usual.p);
    return (struct str){out, (size_t)n};
}

static void check_same(struct str usual)
{
    char other[TIME_TEXT_BYTES];
    int64_t a = -1, b = -1;
    bool usual_is = time_parse(usual, &a);
    bool is = time_parse(with_offset(usual, other), &b);
    if (usual_is != is || (is && a != b)) {
        fprintf(stderr, "%.*s: %d %lld, not %d %lld\n", STR_ARG(usual), usual_is,
                (long long)a, is, (long long)b);
        check_failures++;
    }
}

static void every_time_is_read_back(void)
{
    char text[TIME_TEXT_BYTES];
    int64_t got;
    for (int64_t ms = 946684800000 + 123; ms < 4102444800000;
         ms += 7919 * HOUR_MS + 59999) {
        struct str s = time_text(ms, text);
        CHECK(time_parse(s, &got));
        CHECK_INT(got, ms);
        check_same(s);
    }
}

/* Any byte at any place but the last one, which tells the two ways apart; NUL ends the other text. */
static void every_wrong_byte_is_refused_alike(void)
{
    static const char *const times[] = {"2026-03-02T09:14:07.120Z",
                                        "2024-02-29T23:59:59.999Z",
                                        "2000-12-31T00:00:00.000Z"};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        for (size_t at = 0; at + 1 < strlen(times[i]); at++)
            for (int c = 1; c < 256; c++) {
                char text[TIME_TEXT_BYTES];
                snprintf(text, sizeof text, "%s", times[i]);
                text[at] = (char)c;
                check_same(str_of(text));
            }
}

/* Known days, also of centuries that have a leap day and that have none (Howard Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms": days from civil). */
static void days_of_other_centuries(void)
{
    static const struct {
        const char *text;
        int64_t days;
    } known[] = {
        {"0000-01-01T00:00:00.000Z", -719528}, {"0000-03-01T00:00:00.000Z", -719468},
        {"0400-02-29T00:00:00.000Z", -573372}, {"1600-02-29T00:00:00.000Z", -135081},
        {"1970-01-01T00:00:00.000Z", 0},       {"9999-12-31T00:00:00.000Z", 2932896}};
    int64_t ms;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        CHECK(time_parse(str_of(known[i].text), &ms));
        CHECK_INT(ms, known[i].days * 24 * HOUR_MS);
    }
    CHECK(!time_parse(STR("1900-02-29T00:00:00.000Z"), &ms));
    CHECK(!time_parse(STR("2026-04-31T00:00:00.000Z"), &ms));
}

int main(void)
{
    days_of_other_centuries();
    every_time_is_read_back();
    every_wrong_byte_is_refused_alike();
    return check_result();
}
