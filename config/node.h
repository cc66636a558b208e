/* The YAML as a tree in which every node knows where it stands. In memory of the reading's arena. */
#ifndef CONFIG_NODE_H
#define CONFIG_NODE_H

#include "config/reading.h"

enum node_kind { NODE_TEXT, NODE_LIST, NODE_MAP };

struct node {
    enum node_kind kind;
    struct place at;
    struct str text; /* NODE_TEXT, with environment variables put in */
    /* the same as it stands in the file: only this is shown to people */
    struct str written;
    /* the variable without a value; n == 0: none. `text` is unknown then */
    struct str unset;
    bool bad;              /* a mistake in it was told already */
    bool nothing;          /* `name:` with nothing after it, ~ or null */
    struct node **items;   /* NODE_LIST */
    struct entry *entries; /* NODE_MAP; every name once */
    size_t n;
};

struct entry {
    struct str name;
    struct place at; /* of the name */
    struct node *value;
};

/* The document's root; NULL when it is no YAML or not the YAML we take (the reading knows why).
 * Anchors, aliases, tags, second documents and doubled keys are refused. */
struct node *yaml_read(struct reading *r, struct str text);

/* Puts the environment into a scalar: ${NAME}, ${NAME:-default}; $${ is ${. */
void environment_expand(struct reading *r, struct node *n);

/* NULL where there is none of that name. */
struct entry *node_entry(const struct node *map, const char *name);

/* A text that stands there and is known; what is none was told of when the options were read. */
bool node_is_known(const struct node *n);

/* What stands there, for "expected ..., found ...": "'three'", "a list", "nothing". */
const char *node_found(struct reading *r, const struct node *n);

/* The i-th of a list, where a single one may stand for a list of it; NULL after the last. */
const struct node *node_item(const struct node *n, size_t i);

/* The text of a scalar. False when it is none, after saying that `wanted` was expected; and when its
 * value is not known, which was said if it matters. */
bool node_text(struct reading *r, const struct node *n, struct str path,
               const char *wanted, struct str *out);
/* True for a mapping, else says what was expected. */
bool node_is_map(struct reading *r, const struct node *n, struct str path,
                 const char *wanted);

#endif
