/* Connections to the status server, bounded: beyond the bound the oldest is cut, so that those who
 * connect and say nothing, or a byte a second, only crowd out each other. Called by the server's thread. */
#ifndef APP_STATUS_VISITORS_H
#define APP_STATUS_VISITORS_H

#include <stddef.h>
#include <stdint.h>

enum {
    VISITORS_WELCOME = 32,
    VISITORS_MAX = 64, /* those that were cut and are not closed yet count, too */
};

struct visitor {
    int fd;
    uint64_t number; /* of its coming; 0: nobody */
};

struct visitors {
    struct visitor all[VISITORS_MAX];
    uint64_t came;
    size_t welcome; /* that were not cut */
};

/* At most VISITORS_MAX may be there at a time. Cuts the oldest where there are too many. */
struct visitor *visitors_come(struct visitors *v, int fd);
/* Before its socket is closed. */
void visitors_go(struct visitors *v, struct visitor *one);

#endif
