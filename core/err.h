/* What went wrong, for a person. A function that can fail returns -1 and fills its last
 * argument; the first error stays. Bugs and lack of memory abort instead: a restart is a
 * tested path. */
#ifndef CORE_ERR_H
#define CORE_ERR_H

enum err_kind {
    ERR_NONE,
    ERR_INPUT,       /* what we were given is wrong: count it, skip it, say so */
    ERR_UNAVAILABLE, /* a server does not answer as it should: back off, repeat */
    ERR_REFUSED,     /* it will not work until a person changes something: stop, say so */
};

struct err {
    enum err_kind kind;
    char text[512];
};

/* Sets kind and text unless an error is there already; always returns -1. */
int err_set(struct err *e, enum err_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

void err_clear(struct err *e);

#endif
