/* Messages of another shape: where in them an event's parts stand, and reading them by it. A mapping is
 * made once, from the section `fields` of the configuration, and read only from then on. For each part it
 * has a list of places, of which the first that has a value counts. */
#ifndef CONSUMER_EVENT_MAP_H
#define CONSUMER_EVENT_MAP_H

#include "core/arena.h"
#include "core/err.h"
#include "core/event.h"

/* A word of theirs and what it is to us: a value of the part's type; for `type` the name of one of ours. */
struct map_word {
    struct str word; /* case does not count (ASCII); one '*' in it stands for anything */
    struct value means;
};

struct map_place {
    const struct str *pointers; /* RFC 6901; the texts of several are joined with ':' */
    size_t pointers_n;          /* 0: it is `constant`, or the record's own time */
    struct value constant;
    bool record_time;
    bool seconds;                 /* a number is a time in seconds, else in ms */
    const struct map_word *words; /* what none of them fits is no value */
    size_t words_n;               /* 0: the value as it is */
    const struct str *except;     /* texts that are no value, written as words are */
    size_t except_n;
};

struct map_part {
    const struct map_place *places;
    size_t n;
};

struct event_map {
    struct map_part when; /* messages that have it are of this shape; n == 0: all are */
    struct map_part id, type, time, fields[FIELD_COUNT];
};

/* How messages are read. */
struct event_maps {
    const struct event_map *items; /* the first that a message fits */
    size_t n;
    const struct event_need
        *needs;     /* where none is met, an event of our own shape has no fields */
    size_t needs_n; /* 0: all fields are read */
};

struct yyjson_val;
/* A message in hand. */
struct map_message {
    struct yyjson_val *root;
    struct arena *arena;  /* for texts that do not stand in the message */
    int64_t timestamp_ms; /* of its record; -1: not known */
};

/* NULL: it is of none of the shapes, but of our own. */
const struct event_map *event_map_of(const struct event_maps *maps,
                                     const struct map_message *m);

/* Fills in id, type, time_ms and adds the fields, for all of which out->values has room; a part that is not mapped is
 * absent, null and the empty text are no value. A type that nothing names is EVENT_OTHER. ERR_INPUT names the pointers where id, type or time is
 * missing, or not what such a thing must be. */
int event_map_read(const struct event_map *map, const struct map_message *m,
                   struct event *out, struct err *e);

#endif
