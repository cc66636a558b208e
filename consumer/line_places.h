/* Which partition a recorded line names, by how it ends: `,"kafka":{"topic":"t","partition":3,` and two more numbers. A
 * line that ends like one that was decoded is of the same partition, and need not be decoded to know that. A line with
 * two members "kafka" is of the partition that its end names. */
#ifndef CONSUMER_LINE_PLACES_H
#define CONSUMER_LINE_PLACES_H

#include "core/arena.h"
#include "core/index.h"

enum { PLACES_RECENT = 64 };

struct line_places {
    struct index slots; /* by what stands there up to the partition's number */
    struct arena texts;
    /* the same, by the last two bytes; of several with the same ones the latest */
    struct place {
        struct str text;
        size_t slot;
    } recent[PLACES_RECENT];
    /* so many bytes followed it in the line before, and in the last one where it was another number */
    size_t rest_n, other_rest_n;
};

void line_places_init(struct line_places *p);
void line_places_deinit(struct line_places *p);
/* The slot of the line's partition; INDEX_NONE: that is not known. */
size_t line_places_find(struct line_places *p, struct str line);
/* The line's partition has that slot, as decoding told. */
void line_places_learn(struct line_places *p, struct str line, size_t slot);

#endif
