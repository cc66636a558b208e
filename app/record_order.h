/* The confirmed record in its order: time, rule, key, state. Lines come as windows are judged; they
 * are held until no earlier one can come. */
#ifndef APP_RECORD_ORDER_H
#define APP_RECORD_ORDER_H

#include <stdio.h>

#include "app/hide.h"
#include "core/alert.h"

enum record_format { RECORD_JSON, RECORD_TEXT };

/* False when it is neither json nor text. */
bool record_format_named(const char *name, enum record_format *format);

struct held_line {
    struct alert alert;
    struct str json;
};

struct record_order {
    FILE *out;
    enum record_format format;
    bool colour;
    const char *only; /* only the episode whose id begins so, in detail; NULL: all */
    struct held_line *held;
    size_t held_n, held_cap;
    struct arena texts,
        spare;        /* of the held lines; what stays moves from one to the other */
    struct hide hide; /* all lines pass it, also those that are not written */
    uint64_t written;
};

/* Borrows the inhibits. */
void record_order_init(struct record_order *r, FILE *out, enum record_format format,
                       const struct inhibit *inhibits, size_t inhibits_n);
void record_order_deinit(struct record_order *r);
/* ERR_INPUT when it is no line of a record. */
int record_order_add(struct record_order *r, struct str json, struct err *e);
/* Writes all lines with a time before `before_ms`, in order. */
void record_order_write(struct record_order *r, int64_t before_ms);

#endif
