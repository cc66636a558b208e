/* Places count all bytes since the beginning, which is one room from 0; a piece that does not fit before the ring's end begins
 * at its start. */
#include "windows/recent.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void recent_deinit(struct recent *r)
{
    free(r->bytes);
    *r = (struct recent){.room = r->room};
}

uint64_t recent_put(struct recent *r, struct str piece)
{
    if (piece.n == 0 || piece.n > r->room / 4)
        return 0;
    if (!r->bytes) {
        r->bytes = malloc(r->room);
        assert(r->bytes);
        r->end = r->room;
    }
    size_t behind = (size_t)(r->end % r->room);
    if (behind + piece.n > r->room)
        r->end += r->room - behind;
    uint64_t place = r->end;
    memcpy(r->bytes + place % r->room, piece.p, piece.n);
    r->end += piece.n;
    return place;
}

struct str recent_at(const struct recent *r, uint64_t place, size_t n)
{
    if (place == 0 || !r->bytes || place + r->room < r->end)
        return STR_NONE;
    return (struct str){r->bytes + place % r->room, n};
}
