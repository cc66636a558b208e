/* The ring of bytes: what it still has is whole, and what it has not it says. */
#include "windows/recent.h"

#include <stdlib.h>

#include "tests/check.h"

enum { ROOM = 1000, PIECES = 5000 };

struct piece {
    uint64_t place;
    size_t n;
    unsigned char fill;
};

static bool is_whole(struct str s, const struct piece *p)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] != p->fill)
            return false;
    return s.n == p->n;
}

/* Of pieces of all lengths the last are there, as far as they fill the room but for what the end of the ring left over. */
static void test_ring(void)
{
    static struct piece pieces[PIECES];
    char bytes[ROOM];
    struct recent r = {.room = ROOM};
    srand(7);
    for (size_t i = 0; i < PIECES; i++) {
        struct piece *p = &pieces[i];
        *p = (struct piece){.n = (size_t)rand() % (ROOM / 4) + 1,
                            .fill = (unsigned char)(i % 251)};
        memset(bytes, p->fill, p->n);
        p->place = recent_put(&r, (struct str){bytes, p->n});
        CHECK(p->place != 0);
        size_t behind_n = 0;
        for (size_t k = i + 1; k-- > 0 && i - k < 2 * ROOM;) {
            behind_n += pieces[k].n;
            struct str s = recent_at(&r, pieces[k].place, pieces[k].n);
            CHECK(s.p == NULL || is_whole(s, &pieces[k]));
            if (behind_n <= ROOM - ROOM / 4)
                CHECK(s.p != NULL);
            if (behind_n > ROOM)
                CHECK(s.p == NULL);
        }
    }
    recent_deinit(&r);
    CHECK_INT(r.room, ROOM);
}

static void test_not_kept(void)
{
    char bytes[ROOM] = "x";
    struct recent none = {0}, r = {.room = ROOM};
    CHECK_INT(recent_put(&none, STR("abc")), 0);
    CHECK(recent_at(&none, 0, 3).p == NULL);
    CHECK_INT(recent_put(&r, (struct str){bytes, ROOM / 4 + 1}), 0);
    CHECK_INT(recent_put(&r, STR_NONE), 0);
    CHECK(recent_at(&r, 0, 3).p == NULL);
    recent_deinit(&r);
    recent_deinit(&none);
}

int main(void)
{
    test_ring();
    test_not_kept();
    return check_result();
}
