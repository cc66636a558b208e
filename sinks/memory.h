/* What a sink remembers of a rule and key (sinks/sink.h, hear): a flat JSON object of texts. Of the episode at hand
 *   alert  its id      step   the transition that is being told      stage  how far the telling of it is
 * and what the sink adds; `former` holds the same of the episode before. Pure. */
#ifndef SINKS_MEMORY_H
#define SINKS_MEMORY_H

#include <jansson.h>

#include "sinks/sink.h"

/* The memory for this alert: of another episode it becomes `former`, of another step `stage` and what begins with
 * "step_" are forgotten. Never NULL; json_decref. */
json_t *memory_of(const struct sink_input *in);

/* A text of an object; STR_NONE where there is none. Borrowed. */
struct str member_text(const json_t *object, const char *name);

/* STR_NONE: not known. Borrowed from the memory. */
struct str memory_get(const json_t *memory, const char *name);
/* Of the episode before. */
struct str memory_former(const json_t *memory, const char *name);
/* Copies; n == 0 forgets. At most 500 bytes. */
void memory_set(json_t *memory, const char *name, struct str value);
bool memory_is(const json_t *memory, const char *name, const char *value);

/* Takes the reference. */
void memory_write(json_t *memory, struct buf *out);

#endif
