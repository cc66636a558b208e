/* The section `fields`: how messages of other shapes become events (consumer/event_map.h). */
#ifndef CONFIG_FIELDS_H
#define CONFIG_FIELDS_H

#include "config/options.h"

/* What a part may be made of. */
struct part_use {
    const char *name;
    enum value_type type;
    bool differs;       /* from message to message: no constant, and no words for it */
    bool is_time;       /* may be in seconds, or the record's own */
    bool is_event_type; /* words mean one of our types, or `other` */
};

/* The options of a place that is a mapping. */
extern const struct option_table place_table;

/* Reads one place or a list of them; `path` is the part's own. Notes what is wrong. */
void places_read(struct reading *r, const struct node *n, struct str path,
                 const struct part_use *use, struct map_part *out);

/* False after saying why this is no JSON pointer that we can use. */
bool pointer_is_good(struct reading *r, const struct node *n, struct str path,
                     struct str pointer);

/* What a word means, or a constant is: of the part's type. False after saying what was expected, and where it
 * is not known. */
bool meaning_read(struct reading *r, const struct node *n, struct str path,
                  const struct part_use *use, struct value *out);

#endif
