/* A place of a mapping: a JSON pointer, {from: ..., words: ...} and the like, or a list of these. `from` with
 * several pointers becomes as many places, which share their words. */
#include "config/fields.h"

enum { EPOCH_MILLISECONDS, EPOCH_SECONDS };
static const char *const epochs[] = {
    [EPOCH_MILLISECONDS] = "milliseconds", [EPOCH_SECONDS] = "seconds", NULL};

struct place_settings {
    struct texts from, join, except;
    struct str value;
    struct pairs words;
    int epoch;
};

#define AT(member) offsetof(struct place_settings, member)
static const struct option_row place_rows[] = {
    {.name = "from",
     .type = OPTION_TEXTS,
     .offset = AT(from),
     .help = "A JSON pointer (RFC 6901), or several: the first that is there counts."},
    {.name = "join",
     .type = OPTION_TEXTS,
     .offset = AT(join),
     .help =
         "Several JSON pointers whose texts are joined with `:`, for messages without "
         "an id; all of them must be there."},
    {.name = "value",
     .type = OPTION_TEXT,
     .offset = AT(value),
     .help = "A constant, the same for every message."},
    {.name = "words",
     .type = OPTION_PAIRS,
     .offset = AT(words),
     .help = "Their words and what they are here, the first that fits. Case does not "
             "count, one `*` stands for anything, `*word*` is found anywhere. A word "
             "that is not there is no value; as `type` it is `other`."},
    {.name = "except",
     .type = OPTION_TEXTS,
     .offset = AT(except),
     .help = "Texts that are no value, such as the `0` that some write for nobody; in "
             "them, too, one `*` stands for anything, `*word*` is found anywhere."},
    {.name = "epoch",
     .type = OPTION_WORD,
     .offset = AT(epoch),
     .fallback = "milliseconds",
     .words = epochs,
     .help = "For `time`: what a number counts, since 1970. RFC 3339 is understood "
             "either way."},
};
#undef AT
const struct option_table place_table = OPTION_TABLE(place_rows, NULL);

/* One reading of one part. */
struct placing {
    struct reading *r;
    struct str path;
    const struct part_use *use;
    struct map_place *to;
    size_t n;
};

static bool is_record_time(struct str pointer)
{
    return str_is(pointer, "/kafka/timestamp");
}

/* What stands beside the event in a recorded log is not in the live message. */
static bool is_in_message(struct placing *p, const struct node *n, struct str pointer)
{
    if (!str_is(pointer, "/kafka") && !str_starts(pointer, STR("/kafka/")))
        return true;
    complain(p->r, n->at, p->path,
             "%s is in recorded logs only%s; /kafka/timestamp may be the `time`",
             node_found(p->r, n), p->use->is_time ? "" : ", and not in live messages");
    return false;
}

/* --- pointers --- */

static void add_pointer(struct placing *p, const struct node *n, struct str pointer,
                        const struct map_place *like)
{
    struct map_place *to = &p->to[p->n];
    if (!pointer_is_good(p->r, n, p->path, pointer))
        return;
    *to = *like;
    p->n++;
    if (p->use->is_time && is_record_time(pointer)) {
        to->record_time = true;
        return;
    }
    (void)is_in_message(p, n, pointer);
    struct str *kept = arena_alloc(p->r->arena, sizeof *kept);
    *kept = pointer;
    to->pointers = kept;
    to->pointers_n = 1;
}

static void add_each(struct placing *p, const struct node *from,
                     const struct map_place *like)
{
    const struct node *n;
    for (size_t i = 0; (n = node_item(from, i)); i++)
        if (node_is_known(n))
            add_pointer(p, n, n->text, like);
}

static void add_joined(struct placing *p, const struct node *join,
                       const struct texts *pointers, const struct map_place *like)
{
    const struct node *n;
    bool good = true;
    for (size_t i = 0; (n = node_item(join, i)); i++)
        if (node_is_known(n))
            good = pointer_is_good(p->r, n, p->path, n->text) &&
                   is_in_message(p, n, n->text) && good;
    if (pointers->n < 2 || p->use->is_time ||
        (p->use->type != VALUE_TEXT && like->words_n == 0))
        complain(p->r, join->at, p->path,
                 "`join` makes one text of two or more, for example {join: [/ticket_id, "
                 "/updated_at]}");
    else if (good) {
        p->to[p->n] = *like;
        p->to[p->n].pointers = pointers->items;
        p->to[p->n++].pointers_n = pointers->n;
    }
}

/* --- words --- */

static void check_word(struct placing *p, struct str word, struct place at,
                       const char *option)
{
    const char *star = word.n ? memchr(word.p, '*', word.n) : NULL;
    struct str behind = star ? str_from(word, (size_t)(star - word.p) + 1) : STR_NONE;
    const char *next = behind.n ? memchr(behind.p, '*', behind.n) : NULL;
    bool inside = star == word.p && behind.n > 1 && next == behind.p + behind.n - 1;
    if (word.n == 0 || (next && !inside))
        complain(p->r, at, path_join(p->r, p->path, str_of(option)),
                 word.n ? "there is more than one '*' in '%s', and not at both ends"
                        : "'%s' is no word: what is empty counts as not there",
                 shown(p->r, word).p);
}

static void check_except(struct placing *p, const struct entry *m)
{
    const struct node *n;
    for (size_t i = 0; m && (n = node_item(m->value, i)); i++)
        if (node_is_known(n))
            check_word(p, n->text, n->at, m->name.p);
}

static void read_words(struct placing *p, const struct entry *m, struct map_place *out)
{
    struct str path = path_join(p->r, p->path, m->name);
    const struct node *map = m->value;
    if (p->use->differs)
        complain(p->r, m->at, path, "%s is taken as it is: words are for other fields",
                 p->use->name);
    if (map->kind != NODE_MAP || p->use->differs)
        return;
    struct map_word *words = arena_alloc(p->r->arena, (map->n + 1) * sizeof *words);
    for (size_t i = 0; i < map->n; i++) {
        const struct entry *word = &map->entries[i];
        check_word(p, word->name, word->at, "words");
        words[i].word = word->name;
        if (node_is_known(word->value))
            (void)meaning_read(p->r, word->value, path_join(p->r, path, word->name),
                               p->use, &words[i].means);
    }
    if (map->n == 0)
        complain(p->r, map->at, path, "there are none");
    out->words = words;
    out->words_n = map->n;
}

/* --- a place --- */

static void add_constant(struct placing *p, const struct entry *m)
{
    struct str path = path_join(p->r, p->path, m->name);
    struct map_place *to = &p->to[p->n];
    if (p->use->differs)
        complain(p->r, m->at, path, "%s differs from message to message", p->use->name);
    else if (node_is_known(m->value) &&
             meaning_read(p->r, m->value, path, p->use, &to->constant))
        p->n++;
}

/* Exactly one of the three says where. */
static bool says_where(struct placing *p, const struct node *n, const struct entry *from,
                       const struct entry *join, const struct entry *value)
{
    int written = (from != NULL) + (join != NULL) + (value != NULL);
    if (written != 1)
        complain(p->r, n->at, p->path, "expected %s `from`, `join` and `value`",
                 written ? "only one of" : "one of");
    return written == 1;
}

static void read_place(struct placing *p, const struct node *n)
{
    struct place_settings s = {0};
    struct map_place like = {0};
    struct node copy = *n;
    struct entry m = {.name = str_of(p->use->name), .at = n->at, .value = &copy};
    const struct entry *from = node_entry(n, "from"), *join = node_entry(n, "join"),
                       *value = node_entry(n, "value"), *words = node_entry(n, "words"),
                       *epoch = node_entry(n, "epoch");
    size_t errors = p->r->errors;
    options_read(p->r, &place_table, &m, p->path, &s);
    if (epoch && !p->use->is_time)
        complain(p->r, epoch->at, path_join(p->r, p->path, epoch->name),
                 "is for `time` only");
    if (words && value)
        complain(p->r, words->at, path_join(p->r, p->path, words->name),
                 "a constant needs no words");
    else if (words)
        read_words(p, words, &like);
    check_except(p, node_entry(n, "except"));
    like.except = s.except.items;
    like.except_n = s.except.n;
    like.seconds = s.epoch == EPOCH_SECONDS;
    bool bad = errors != p->r->errors;
    if ((bad && !from) || !says_where(p, n, from, join, value))
        return;
    if (from)
        add_each(p, from->value, &like);
    else if (join)
        add_joined(p, join->value, &s.join, &like);
    else
        add_constant(p, value);
}

static void read_item(struct placing *p, const struct node *n)
{
    static const struct map_place plain = {.pointers = NULL};
    struct str pointer;
    if (n->kind == NODE_MAP && !n->bad)
        read_place(p, n);
    else if (node_text(p->r, n, p->path,
                       "a JSON pointer such as /ticket/id, {from: /ticket/id, words: "
                       "...}, {value: ...}, or a list of these",
                       &pointer))
        add_pointer(p, n, pointer, &plain);
}

/* At most so many places become of it. */
static size_t count(const struct node *n)
{
    const struct node *item;
    size_t most = 0;
    for (size_t i = 0; (item = node_item(n, i)); i++) {
        const struct entry *from = node_entry(item, "from");
        bool list = from && from->value->kind == NODE_LIST;
        most += list ? from->value->n + 1 : 1;
    }
    return most;
}

void places_read(struct reading *r, const struct node *n, struct str path,
                 const struct part_use *use, struct map_part *out)
{
    const struct node *item;
    struct placing p = {r, path, use, NULL, 0};
    p.to = arena_alloc(r->arena, (count(n) + 1) * sizeof *p.to);
    size_t noted = r->errors + r->warnings;
    for (size_t i = 0; (item = node_item(n, i)); i++)
        read_item(&p, item);
    if (p.n == 0 && noted == r->errors + r->warnings)
        complain(r, n->at, path, "expected a place to take it from, found an empty list");
    *out = (struct map_part){p.to, p.n};
}
