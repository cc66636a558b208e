#include "app/status_visitors.h"

#include <assert.h>
#include <sys/socket.h>

enum { CUT = -1 };

static void cut_oldest(struct visitors *v)
{
    struct visitor *oldest = NULL;
    for (size_t i = 0; i < VISITORS_MAX; i++) {
        struct visitor *one = &v->all[i];
        if (one->number && one->fd != CUT && (!oldest || one->number < oldest->number))
            oldest = one;
    }
    assert(oldest);
    shutdown(oldest->fd, SHUT_RDWR); /* the server reads its end, and closes it */
    oldest->fd = CUT;
    v->welcome--;
}

struct visitor *visitors_come(struct visitors *v, int fd)
{
    size_t i = 0;
    while (i < VISITORS_MAX && v->all[i].number)
        i++;
    assert(i < VISITORS_MAX);
    v->all[i] = (struct visitor){fd, ++v->came};
    if (++v->welcome > VISITORS_WELCOME)
        cut_oldest(v);
    return &v->all[i];
}

void visitors_go(struct visitors *v, struct visitor *one)
{
    v->welcome -= one->fd != CUT;
    *one = (struct visitor){0};
}
