/* No text can look like the end of a line does: within a text a quote has a backslash before it. The last brace that
 * opens is that of the member's object, and the line ends with it and with the event. Lines end alike: so what is known
 * is first looked for where the line before had it. */
#include "consumer/line_places.h"

enum { PLACES_MAX = 4096, TAIL_BYTES = 1024, AT_ONCE = 16 };

/* The object at `brace` ends with the line, but for the brace of the event. */
static bool ends_there(struct str line, const char *brace)
{
    const char *end = line.p + line.n;
    return memchr(brace, '}', (size_t)(end - brace)) == end - 2 && end[-1] == '}';
}

/* Where the member's name begins, its comma included; NULL: the object at `brace` is another. */
static const char *member_begin(struct str line, const char *brace)
{
    static const char with_space[] = ", \"kafka\": ", without[] = ",\"kafka\":";
    size_t before = (size_t)(brace - line.p);
    size_t n = before && brace[-1] == ' ' ? sizeof with_space - 1 : sizeof without - 1;
    const char *name = n == sizeof without - 1 ? without : with_space;
    return before > n && memcmp(brace - n, name, n) == 0 ? brace - n : NULL;
}

/* From there up to the second comma of the object; STR_NONE: it is not written like that. */
static struct str place_of(struct str line)
{
    struct str tail = str_from(line, line.n > TAIL_BYTES ? line.n - TAIL_BYTES : 0);
    const char *brace = tail.n ? memrchr(tail.p, '{', tail.n) : NULL,
               *end = line.p + line.n;
    const char *begin =
        brace && ends_there(line, brace) ? member_begin(line, brace) : NULL;
    const char *comma = begin ? memchr(brace, ',', (size_t)(end - brace)) : NULL;
    comma = comma ? memchr(comma + 1, ',', (size_t)(end - comma - 1)) : NULL;
    return comma ? (struct str){begin, (size_t)(comma - begin)} : STR_NONE;
}

void line_places_init(struct line_places *p)
{
    *p = (struct line_places){.rest_n = 0};
    index_init(&p->slots);
    arena_init(&p->texts);
}

void line_places_deinit(struct line_places *p)
{
    index_deinit(&p->slots);
    arena_deinit(&p->texts);
}

/* Where places that end there are kept; at least two bytes are before it. */
static size_t recent_at(const char *end)
{
    return ((size_t)end[-1] ^ (size_t)end[-2] << 2) % PLACES_RECENT;
}

/* Among AT_ONCE bytes. */
static bool no_brace(const char *p)
{
    unsigned char any = 0;
    for (int i = 0; i < AT_ONCE; i++)
        any |= (unsigned char)(p[i] == '{') | (unsigned char)(p[i] == '}');
    return !any;
}

/* From `rest` on there are no braces but the line's last two bytes. */
static bool is_rest(struct str line, const char *rest)
{
    size_t n = (size_t)(line.p + line.n - rest);
    if (n < AT_ONCE + 2)
        return ends_there(line, rest) && !memchr(rest, '{', n);
    for (size_t at = 0; at < n - 2 - AT_ONCE; at += AT_ONCE)
        if (!no_brace(rest + at))
            return false;
    return no_brace(rest + n - 2 - AT_ONCE) && rest[n - 2] == '}' && rest[n - 1] == '}';
}

/* What place_of() would find, if it ends so many bytes before the line's end. */
static size_t find_recent(const struct line_places *p, struct str line, size_t rest_n)
{
    if (rest_n == 0 || line.n < rest_n + 2)
        return INDEX_NONE;
    const char *end = line.p + line.n - rest_n;
    const struct place *known = &p->recent[recent_at(end)];
    size_t n = known->text.n;
    bool same = *end == ',' && n && n < line.n - rest_n && n + rest_n <= TAIL_BYTES &&
                memcmp(end - n, known->text.p, n) == 0 && is_rest(line, end);
    return same ? known->slot : INDEX_NONE;
}

static void note_rest(struct line_places *p, size_t rest_n)
{
    if (rest_n == p->rest_n)
        return;
    p->other_rest_n = p->rest_n;
    p->rest_n = rest_n;
}

size_t line_places_find(struct line_places *p, struct str line)
{
    size_t slot = find_recent(p, line, p->rest_n);
    if (slot != INDEX_NONE)
        return slot;
    slot = find_recent(p, line, p->other_rest_n);
    if (slot != INDEX_NONE) {
        note_rest(p, p->other_rest_n);
        return slot;
    }
    struct str place = place_of(line);
    if (place.n == 0)
        return INDEX_NONE;
    note_rest(p, (size_t)(line.p + line.n - place.p) - place.n);
    return index_get(&p->slots, place);
}

void line_places_learn(struct line_places *p, struct str line, size_t slot)
{
    struct str place = place_of(line);
    if (place.n == 0 || p->slots.n >= PLACES_MAX ||
        !memmem(place.p, place.n, "\"topic\":", 8) ||
        !memmem(place.p, place.n, "\"partition\":", 12))
        return;
    place = arena_str(&p->texts, place);
    (void)index_put(&p->slots, place, slot);
    p->recent[recent_at(place.p + place.n)] = (struct place){place, slot};
}
