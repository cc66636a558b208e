/* fields: {when: PLACE, id: PLACE, type: PLACE, time: PLACE, ticket.id: PLACE, ...}, or a list of such
 * mappings. A mapping with a mistake is read to its end, so that all its mistakes are told. */
#include "config/fields.h"

#include "config/sections.h"
#include "core/suggest.h"

enum head { HEAD_WHEN, HEAD_ID, HEAD_TYPE, HEAD_TIME, HEADS };
static const struct part_use heads[HEADS] = {
    [HEAD_WHEN] = {.name = "when", .type = VALUE_TEXT},
    [HEAD_ID] = {.name = "id", .type = VALUE_TEXT, .differs = true},
    [HEAD_TYPE] = {.name = "type", .type = VALUE_TEXT, .is_event_type = true},
    [HEAD_TIME] = {.name = "time", .type = VALUE_TEXT, .differs = true, .is_time = true},
};
static const char *const needed[HEADS] = {
    [HEAD_WHEN] = NULL,
    [HEAD_ID] = "what no two messages share, such as /id, or {join: [/ticket_id, /time]}",
    [HEAD_TYPE] = "what happened, such as {from: /type, words: {their.word: "
                  "ticket.created}}, or {value: ticket.created}",
    [HEAD_TIME] = "when it happened, such as /time, or {from: /created_at, epoch: "
                  "seconds}; /kafka/timestamp is the record's own",
};
static const char wanted_map[] =
    "a mapping such as {id: /id, type: /type, time: /time, ticket.id: /ticket/id}, or a "
    "list of them";

/* What is made of one mapping. */
struct filling {
    struct event_map *map;
    bool meant[HEADS]; /* written, or probably meant by an unknown name */
};

static struct map_part *head_of(struct event_map *map, enum head h)
{
    struct map_part *const parts[HEADS] = {&map->when, &map->id, &map->type, &map->time};
    return parts[h];
}

static void no_such_part(struct reading *r, const struct entry *m, struct str path,
                         struct filling *f)
{
    char meant[SUGGESTION_BYTES];
    struct suggestion near = suggestion_for(m->name);
    for (int h = 0; h < HEADS; h++)
        suggestion_offer(&near, str_of(heads[h].name));
    for (int i = 0; i < FIELD_COUNT; i++) {
        struct str name = str_of(event_field_infos[i].name);
        suggestion_offer(&near, name);
        suggestion_offer_as(&near, str_of(event_field_infos[i].member), name);
    }
    for (int h = 0; h < HEADS; h++)
        f->meant[h] = f->meant[h] || str_is(near.best, heads[h].name);
    complain(r, m->at, path_join(r, path, m->name), "an event has no such field%s",
             near.best.n ? suggestion_text(&near, meant)
                         : "; `ticketwatch check --reference` lists them");
}

static void read_part(struct reading *r, const struct entry *m, struct str path,
                      struct filling *f)
{
    struct str own = path_join(r, path, m->name);
    for (int h = 0; h < HEADS; h++)
        if (str_is(m->name, heads[h].name)) {
            f->meant[h] = true;
            places_read(r, m->value, own, &heads[h], head_of(f->map, (enum head)h));
            return;
        }
    enum event_field field = event_field_named(m->name);
    if (field == FIELD_COUNT) {
        no_such_part(r, m, path, f);
        return;
    }
    struct part_use use = {.name = event_field_infos[field].name,
                           .type = event_field_infos[field].type};
    places_read(r, m->value, own, &use, &f->map->fields[field]);
}

static void read_map(struct reading *r, const struct node *n, struct str path,
                     struct event_map *map)
{
    struct filling f = {.map = map};
    if (!node_is_map(r, n, path, wanted_map))
        return;
    for (size_t i = 0; i < n->n; i++)
        read_part(r, &n->entries[i], path, &f);
    for (int h = 0; h < HEADS; h++)
        if (needed[h] && !f.meant[h])
            complain(r, n->at, path, "'%s' is missing: %s", heads[h].name, needed[h]);
}

static struct str path_of(struct reading *r, const struct node *list, size_t i)
{
    struct buf b;
    if (list->kind != NODE_LIST)
        return STR("fields");
    buf_init(&b, 40);
    buf_printf(&b, "fields.%zu", i + 1);
    struct str path = arena_str(r->arena, buf_str(&b));
    buf_deinit(&b);
    return path;
}

void fields_read(struct reading *r)
{
    const struct entry *m = node_entry(r->root, "fields");
    const struct node *n;
    r->needed_from = CONFIG_REPLAY;
    if (!m)
        return;
    size_t most = m->value->kind == NODE_LIST ? m->value->n : 1;
    struct event_map *maps = arena_alloc(r->arena, (most + 1) * sizeof *maps);
    if (most == 0)
        complain(r, m->value->at, STR("fields"), "expected %s, found an empty list",
                 wanted_map);
    for (size_t i = 0; (n = node_item(m->value, i)); i++) {
        struct str path = path_of(r, m->value, i);
        if (i > 0 && maps[i - 1].when.n == 0 && maps[i - 1].id.n > 0)
            complain(r, n->at, path,
                     "is never looked at: the one before it has no `when`, so that it "
                     "takes every message");
        read_map(r, n, path, &maps[i]);
    }
    r->out->maps = (struct event_maps){.items = maps, .n = most};
}
