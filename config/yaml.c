/* The tree is built from libyaml's events rather than from its document: so it is bounded while it
 * grows, and every name is checked for a twin as it comes. What YAML can do beyond lists, mappings and
 * texts (anchors, tags, several documents) is refused: it makes a configuration hard to review. */
#include <assert.h>
#include <yaml.h>

#include "config/node.h"
#include "config/yaml_mistakes.h"
#include "core/index.h"

struct yaml {
    struct reading *r;
    yaml_parser_t parser;
    struct str text;
    size_t nodes;
    bool stopped; /* a mistake after which nothing can be read */
};

static struct place place_of(yaml_mark_t mark)
{
    return (struct place){mark.line + 1, mark.column + 1};
}

/* False when there is no next event. */
static bool next(struct yaml *y, yaml_event_t *event)
{
    if (y->stopped)
        return false;
    if (yaml_parser_parse(&y->parser, event))
        return true;
    yaml_explain(y->r, &y->parser, y->text);
    y->stopped = true;
    return false;
}

static struct node *node_new(struct yaml *y, enum node_kind kind,
                             const yaml_event_t *event)
{
    struct node *n = arena_alloc(y->r->arena, sizeof *n);
    n->kind = kind;
    n->at = place_of(event->start_mark);
    if (++y->nodes == CONFIG_NODES_MAX) {
        complain(y->r, n->at, STR_NONE, "more than %d values", CONFIG_NODES_MAX);
        y->stopped = true;
    }
    return n;
}

/* The array with room for one more; capacities are powers of two. */
static void *grown(struct arena *a, void *items, size_t n, size_t item_bytes)
{
    if (n & (n - 1))
        return items;
    void *larger = arena_alloc(a, (n ? 2 * n : 1) * item_bytes);
    if (n)
        memcpy(larger, items, n * item_bytes);
    return larger;
}

static void refuse_extras(struct yaml *y, const struct node *n, const yaml_char_t *anchor,
                          const yaml_char_t *tag)
{
    if (anchor)
        complain(y->r, n->at, STR_NONE,
                 "anchors (&%s) are not supported: write it out where it is used",
                 shown(y->r, str_of((const char *)anchor)).p);
    if (tag)
        complain(y->r, n->at, STR_NONE,
                 "tags are not supported: quote a text that begins with '!'");
}

static struct node *scalar(struct yaml *y, const yaml_event_t *event)
{
    static const char *const nothing[] = {"", "~", "null", "Null", "NULL"};
    struct str text = {(const char *)event->data.scalar.value, event->data.scalar.length};
    struct node *n = node_new(y, NODE_TEXT, event);
    refuse_extras(y, n, event->data.scalar.anchor, event->data.scalar.tag);
    n->text = n->written = arena_str(y->r->arena, text);
    for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
        if (event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
            str_is(text, nothing[i]))
            n->nothing = true;
    if (memchr(text.p, '\0', text.n)) {
        complain(y->r, n->at, STR_NONE,
                 "\"\\0\" stands for a zero byte, which no text can hold");
        n->bad = true;
    }
    return n;
}

static struct node *alias(struct yaml *y, const yaml_event_t *event)
{
    struct node *n = node_new(y, NODE_TEXT, event);
    n->bad = true;
    n->text = n->written = STR("");
    complain(y->r, n->at, STR_NONE,
             "aliases (*%s) are not supported: write it out, or quote a text that begins "
             "with '*'",
             shown(y->r, str_of((const char *)event->data.alias.anchor)).p);
    return n;
}

static struct node *child(struct yaml *y, int depth);

static struct node *list(struct yaml *y, const yaml_event_t *event, int depth)
{
    struct node *n = node_new(y, NODE_LIST, event), *item;
    refuse_extras(y, n, event->data.sequence_start.anchor,
                  event->data.sequence_start.tag);
    while ((item = child(y, depth + 1))) {
        environment_expand(y->r, item);
        n->items = grown(y->r->arena, n->items, n->n, sizeof *n->items);
        n->items[n->n++] = item;
    }
    return n;
}

/* Adds a member. Of twins the first stays. */
static void add_entry(struct yaml *y, struct node *map, struct index *names,
                      struct entry m)
{
    size_t twin = index_put(names, m.name, map->n);
    if (twin < map->n) {
        complain(y->r, m.at, STR_NONE,
                 "'%s' is here twice: it stands on line %zu already",
                 shown(y->r, m.name).p, map->entries[twin].at.line);
        return;
    }
    if (m.value->nothing)
        m.value->at = m.at; /* it would stand on the next line */
    environment_expand(y->r, m.value);
    map->entries = grown(y->r->arena, map->entries, map->n, sizeof *map->entries);
    map->entries[map->n++] = m;
}

static struct node *map(struct yaml *y, const yaml_event_t *event, int depth)
{
    struct node *n = node_new(y, NODE_MAP, event), *name, *value;
    struct index names;
    index_init(&names);
    refuse_extras(y, n, event->data.mapping_start.anchor, event->data.mapping_start.tag);
    while ((name = child(y, depth + 1)) && (value = child(y, depth + 1))) {
        if (name->bad)
            continue;
        if (name->kind == NODE_TEXT)
            add_entry(y, n, &names, (struct entry){name->text, name->at, value});
        else
            complain(y->r, name->at, STR_NONE,
                     "a name must be a word; a text with { or [ in it needs quotes");
    }
    index_deinit(&names);
    return n;
}

static struct node *too_deep(struct yaml *y, const yaml_event_t *event)
{
    complain(y->r, place_of(event->start_mark), STR_NONE,
             "more than %d levels of nesting", CONFIG_DEPTH_MAX);
    y->stopped = true;
    return NULL;
}

/* The next value; NULL at the end of the list or mapping, and when reading stopped. */
static struct node *child(struct yaml *y, int depth)
{
    yaml_event_t event;
    struct node *n = NULL;
    if (!next(y, &event))
        return NULL;
    bool container =
        event.type == YAML_SEQUENCE_START_EVENT || event.type == YAML_MAPPING_START_EVENT;
    if (container && depth > CONFIG_DEPTH_MAX)
        n = too_deep(y, &event);
    else if (event.type == YAML_SCALAR_EVENT)
        n = scalar(y, &event);
    else if (event.type == YAML_ALIAS_EVENT)
        n = alias(y, &event);
    else if (event.type == YAML_SEQUENCE_START_EVENT)
        n = list(y, &event, depth);
    else if (event.type == YAML_MAPPING_START_EVENT)
        n = map(y, &event, depth);
    yaml_event_delete(&event);
    return y->stopped ? NULL : n;
}

/* Reads an event that has no value; answers its type, YAML_NO_EVENT when reading stopped. */
static yaml_event_type_t step(struct yaml *y, struct place *at)
{
    yaml_event_t event;
    if (!next(y, &event))
        return YAML_NO_EVENT;
    yaml_event_type_t type = event.type;
    *at = place_of(event.start_mark);
    yaml_event_delete(&event);
    return type;
}

static struct node *document(struct yaml *y)
{
    struct place at;
    if (step(y, &at) != YAML_STREAM_START_EVENT)
        return NULL;
    if (step(y, &at) != YAML_DOCUMENT_START_EVENT) {
        if (!y->stopped)
            complain(y->r, (struct place){1, 1}, STR_NONE, "there is nothing in it");
        return NULL;
    }
    struct node *root = child(y, 1);
    bool ended = step(y, &at) == YAML_DOCUMENT_END_EVENT;
    if (ended && step(y, &at) == YAML_DOCUMENT_START_EVENT) {
        complain(y->r, at, STR_NONE,
                 "a second document begins here (---); one file is one configuration");
        y->stopped = true;
    }
    return y->stopped ? NULL : root;
}

struct node *yaml_read(struct reading *r, struct str text)
{
    struct str mark = STR("\xEF\xBB\xBF"); /* some editors begin UTF-8 with it */
    if (str_starts(text, mark))
        text = (struct str){text.p + mark.n, text.n - mark.n};
    if (text.n == 0)
        text = STR("");
    if (!yaml_text_valid(r, text))
        return NULL;
    struct yaml y = {.r = r, .text = text};
    int started = yaml_parser_initialize(&y.parser);
    assert(started);
    yaml_parser_set_encoding(&y.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&y.parser, (const unsigned char *)text.p, text.n);
    struct node *root = document(&y);
    yaml_parser_delete(&y.parser);
    return root;
}
