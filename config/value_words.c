/* What can be written for an option, in words: for messages and for the reference. */
#include "config/options.h"
#include "core/event.h"
#include "core/timefmt.h"

static const struct {
    const char *name, *example;
} types[] = {
    [OPTION_TEXT] = {"a text", NULL},
    [OPTION_SECRET] = {"a text", NULL},
    [OPTION_TEXTS] = {"a text or a list of texts", "[one, two]"},
    [OPTION_PAIRS] = {"a mapping of names to texts", "{name: value}"},
    [OPTION_INT] = {"a whole number", "3"},
    [OPTION_NUMBER] = {"a number", "2.5"},
    [OPTION_FLAG] = {"true or false", NULL},
    [OPTION_DURATION] = {"a duration", "90s, 15m, 1h or 14d"},
    [OPTION_PERCENT] = {"a percentage", "30%"},
    [OPTION_WORD] = {"", NULL},
    [OPTION_FIELD] = {"", NULL},
    [OPTION_EVENTS] = {"an event type or a list of them", "ticket.created"},
    [OPTION_TEMPLATE] = {"the path of a template", "templates/bug.md"},
    [OPTION_WHERE] = {"a condition", "\"ticket.csat < 3\""},
    [OPTION_GROUP] = {"a mapping of options", NULL},
};

static const char *separator(bool first, bool last)
{
    return first ? "" : last ? " or " : ", ";
}

static void put_words(const char *const *words, struct buf *out)
{
    for (size_t i = 0; words[i]; i++) {
        buf_text(out, separator(i == 0, !words[i + 1]));
        buf_text(out, words[i]);
    }
}

static void put_number_fields(struct buf *out)
{
    const char *names[FIELD_COUNT + 1] = {0};
    size_t n = 0;
    for (int f = 0; f < FIELD_COUNT; f++)
        if (event_field_infos[f].type == VALUE_NUMBER)
            names[n++] = event_field_infos[f].name;
    put_words(names, out);
}

void value_kind(const struct option_row *row, struct buf *out)
{
    buf_text(out, types[row->type].name);
    if (row->type == OPTION_FIELD)
        put_number_fields(out);
    else if (row->type == OPTION_WORD)
        put_words(row->words, out);
    else if (row->words && row->type != OPTION_DURATION) {
        buf_text(out, " that begins with ");
        put_words(row->words, out);
    }
}

void value_instead(const struct option_row *row, struct buf *out)
{
    if (row->type != OPTION_DURATION || !row->words)
        return;
    buf_text(out, ", or ");
    put_words(row->words, out);
}

void value_wanted(const struct option_row *row, struct buf *out)
{
    const char *example = types[row->type].example;
    value_kind(row, out);
    if (example)
        buf_printf(out, " such as %s", example);
    value_instead(row, out);
}

static void put_bound(const struct option_row *row, double x, struct buf *out)
{
    char text[DURATION_TEXT_BYTES];
    if (row->type == OPTION_DURATION)
        buf_put(out, duration_text((int64_t)x, text));
    else if (row->type == OPTION_PERCENT)
        buf_printf(out, "%.10g%%", 100 * x);
    else
        buf_printf(out, "%.10g", x);
}

bool value_bounds(const struct option_row *row, struct buf *least, struct buf *most)
{
    if (row->min == 0 && row->max == 0)
        return false;
    put_bound(row, row->min, least);
    if (row->max != 0)
        put_bound(row, row->max, most);
    return true;
}
