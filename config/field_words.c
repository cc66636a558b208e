/* The texts of a place: a JSON pointer, and what a word means. */
#include "config/fields.h"

/* --- pointers --- */

/* "detail.tags[0]", "$.detail.id" and "#/detail/id" are other ways to say it; false: it is none of them. */
static bool other_spelling(struct str text, struct buf *out)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789_-./[]";
    while (text.n && strchr("#$", text.p[0]))
        text = str_from(text, 1);
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '\0' || !strchr(letters, c))
            return false;
        bool step = c == '.' || c == '[' || c == '/';
        if (out->n == 0 || (step && out->p[out->n - 1] != '/'))
            buf_char(out, '/');
        if (!step && c != ']')
            buf_char(out, c);
    }
    return out->n > 1 && out->p[out->n - 1] != '/';
}

static void not_a_pointer(struct reading *r, const struct node *n, struct str path,
                          struct str pointer)
{
    struct buf other;
    buf_init(&other, 200);
    bool known = n->written.n == pointer.n && other_spelling(pointer, &other);
    complain(r, n->at, path,
             "expected a JSON pointer, which begins with '/', found %s; %s%.*s%s",
             node_found(r, n), known ? "did you mean '" : "", known ? (int)other.n : 0,
             known ? other.p : "", known ? "'?" : "a constant is written {value: ...}");
    buf_deinit(&other);
}

bool pointer_is_good(struct reading *r, const struct node *n, struct str path,
                     struct str pointer)
{
    const char *wrong = NULL;
    if (pointer.n == 0 || pointer.p[0] != '/') {
        not_a_pointer(r, n, path, pointer);
        return false;
    }
    for (size_t i = 0; i < pointer.n; i++) {
        struct str rest = str_from(pointer, i);
        if (rest.p[0] == '~' && (rest.n < 2 || !strchr("01", rest.p[1])))
            wrong = "in a JSON pointer '~' is written ~0, and a '/' within a name ~1";
        if (str_is(rest, "/-") || str_starts(rest, STR("/-/")))
            wrong = "'-' is the element after the last, which is never there";
    }
    if (pointer.p[pointer.n - 1] == '/')
        wrong = "there is no name after the last '/'";
    if (wrong)
        complain(r, n->at, path, "%s: %s", node_found(r, n), wrong);
    return !wrong;
}

/* --- words --- */

static bool read_event_type(struct reading *r, const struct node *n, struct str path,
                            struct str text, struct value *out)
{
    uint32_t bits;
    size_t errors = r->errors;
    out->type = VALUE_TEXT;
    out->text = text;
    if (str_is(text, event_type_name(EVENT_OTHER)))
        return true;
    event_types_read(r, n, path, "an event type", &bits);
    return errors == r->errors;
}

bool meaning_read(struct reading *r, const struct node *n, struct str path,
                  const struct part_use *use, struct value *out)
{
    static const struct option_row number = {.name = "", .type = OPTION_NUMBER},
                                   flag = {.name = "", .type = OPTION_FLAG};
    struct str text;
    out->type = use->type;
    if (use->type == VALUE_NUMBER)
        return value_read(r, &number, n, path, &out->number);
    if (use->type == VALUE_FLAG)
        return value_read(r, &flag, n, path, &out->flag);
    if (!node_text(r, n, path, use->is_event_type ? "an event type" : "a text", &text))
        return false;
    if (use->is_event_type)
        return read_event_type(r, n, path, text, out);
    out->text = text;
    if (text.n == 0)
        complain(r, n->at, path, "must not be empty");
    return text.n > 0;
}
