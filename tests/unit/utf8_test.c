#include "core/utf8.h"
#include "tests/check.h"

#define E_ACUTE "\xC3\xA9"      /* 2 bytes, 1 unit */
#define EURO "\xE2\x82\xAC"     /* 3 bytes, 1 unit */
#define FIRE "\xF0\x9F\x94\xA5" /* 4 bytes, 2 units */

static void cuts_before_a_code_point(void)
{
    struct str s = STR("a" E_ACUTE EURO FIRE);
    static const size_t want[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
    for (size_t n = 0; n < sizeof want / sizeof want[0]; n++)
        CHECK_INT(utf8_cut(s, n).n, want[n]);
    CHECK_INT(utf8_cut(STR_NONE, 5).n, 0);
    CHECK_STR(utf8_cut(STR("plain"), 3), STR("pla"));
}

static void drops_what_others_cut_in_two(void)
{
    CHECK_STR(utf8_cut(STR("a\xF0\x9F\x94"), 100), STR("a"));
    CHECK_STR(utf8_cut(STR("ab\xC3"), 100), STR("ab"));
    CHECK_STR(utf8_cut_units(STR("a\xF0\x9F\x94"), 100), STR("a"));
}

static void counts_utf16_units(void)
{
    struct str s = STR("a" E_ACUTE EURO FIRE);
    CHECK_INT(utf8_units(s), 5);
    CHECK_INT(utf8_units(STR_NONE), 0);
    static const size_t want[] = {0, 1, 3, 6, 6, 10, 10};
    for (size_t n = 0; n < sizeof want / sizeof want[0]; n++)
        CHECK_INT(utf8_cut_units(s, n).n, want[n]);
}

int main(void)
{
    cuts_before_a_code_point();
    drops_what_others_cut_in_two();
    counts_utf16_units();
    return check_result();
}
