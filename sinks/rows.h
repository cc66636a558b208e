/* Rows of options that several sinks have. */
#ifndef SINKS_ROWS_H
#define SINKS_ROWS_H

#include "core/option.h"

#define TICKET_URL_ROW(at)                                                           \
    {                                                                                \
        .name = "ticket_url", .type = OPTION_TEXT, .offset = (at), .max = 400,       \
        .help = "Where a ticket can be read; {id} stands for its id. Makes tickets " \
                "links."                                                             \
    }

/* One text of the operator's own, and all of a sink's. */
#define TEMPLATE_ROW(text, at, is)                                            \
    {                                                                         \
        .name = (text), .type = OPTION_TEMPLATE, .offset = (at), .help = (is) \
    }
#define TEMPLATES_ROW(texts)                             \
    {                                                    \
        .name = "templates", OPTION_GROUP_OF(texts),     \
        .help = "Texts of your own (docs/templates.md)." \
    }

#endif
