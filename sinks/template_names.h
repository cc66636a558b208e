/* The names a template may use (docs/templates.md). Pure. */
#ifndef SINKS_TEMPLATE_NAMES_H
#define SINKS_TEMPLATE_NAMES_H

#include <jansson.h>

#include "core/suggest.h"
#include "sinks/words.h"

/* Inside the section `list` (n == 0: anywhere). */
bool template_name_known(struct str list, struct str name);
void template_names_offer(struct str list, struct suggestion *s);

/* A name without a value is false. */
json_t *template_values(const struct alert *a, enum dialect d, struct str ticket_url);

#endif
