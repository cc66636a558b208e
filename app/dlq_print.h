/* Dead letters as lines: for people, or JSON. */
#ifndef APP_DLQ_PRINT_H
#define APP_DLQ_PRINT_H

#include <stdio.h>

#include "app/record_order.h"
#include "consumer/kafka_letters.h"
#include "windows/dead_letters.h"

/* The name under which what could not be read stands beside the sinks. */
#define DLQ_INPUT "input"

struct dlq_printer {
    enum record_format format;
    bool whole;       /* everything that is known of each, not one line */
    const char *sink; /* whose letter comes, and of which shard */
    size_t shard;
    uint64_t printed;
    struct arena arena; /* emptied after each */
};

/* For dead_letters_each() and kafka_letters_each(); `printer` is a struct dlq_printer. False: stdout is closed. */
bool dlq_print_delivery(void *printer, const struct dead_letter *letter);
bool dlq_print_input(void *printer, const struct kafka_letter *letter);

#endif
