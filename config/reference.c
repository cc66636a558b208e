/* The reference, written from the tables that do the reading: it cannot say what is not so. Prose about
 * the grammar stands in docs/configuration.md, above a copy of this. */
#include "config/fields.h"
#include "config/sections.h"

#include <stdio.h>

#include "core/event.h"

/* In a cell of a table a | would end it. */
static void put_cell(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '|')
            buf_char(out, '\\');
        buf_char(out, text.p[i]);
    }
}

static void put_value(const struct option_row *row, struct buf *out)
{
    struct buf kind, least, most;
    buf_init(&kind, 500);
    buf_init(&least, 50);
    buf_init(&most, 50);
    bool text = row->type == OPTION_TEXT || row->type == OPTION_SECRET;
    value_kind(row, &kind);
    put_cell(out, buf_str(&kind));
    if (!text && value_bounds(row, &least, &most)) {
        buf_printf(out, ", %.*s", STR_ARG(buf_str(&least)));
        if (most.n)
            buf_printf(out, " to %.*s", STR_ARG(buf_str(&most)));
        else
            buf_text(out, " or more");
    }
    value_instead(row, out);
    buf_deinit(&kind);
    buf_deinit(&least);
    buf_deinit(&most);
}

static void put_row(const char *group, const struct option_row *row, struct buf *out)
{
    buf_printf(out, "| `%s%s`", group, row->name);
    if (row->type == OPTION_SECRET)
        buf_printf(out, " or `%s_file`", row->name);
    buf_text(out, " | ");
    put_value(row, out);
    if (row->required)
        buf_text(out, " | required | ");
    else if (row->fallback)
        buf_printf(out, " | `%s` | ", row->fallback);
    else
        buf_text(out, " | | ");
    put_cell(out, str_of(row->help));
    buf_text(out, " |\n");
}

/* The options of a group stand below it as group.option. */
static void put_rows(const char *group, const struct option_row *rows, size_t n,
                     struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        char inner[60];
        put_row(group, &rows[i], out);
        snprintf(inner, sizeof inner, "%s%s.", group, rows[i].name);
        put_rows(inner, rows[i].rows, rows[i].rows_n, out);
    }
}

static void put_table(const struct option_row *rows, size_t n, struct buf *out)
{
    buf_text(out, "| option | value | default | |\n|---|---|---|---|\n");
    put_rows("", rows, n, out);
}

static void put_section(const char *name, const struct option_table *t, struct buf *out)
{
    buf_printf(out, "### %s\n\n", name);
    put_table(t->rows, t->n, out);
    buf_char(out, '\n');
}

static void put_event_types(struct buf *out)
{
    for (int t = 0; t < EVENT_OTHER; t++)
        buf_printf(out, "%s`%s`", t ? ", " : "", event_type_name((enum event_type)t));
}

static void put_fields(struct buf *out)
{
    static const char *const names[] = {[VALUE_ABSENT] = "",
                                        [VALUE_TEXT] = "text",
                                        [VALUE_NUMBER] = "number",
                                        [VALUE_FLAG] = "true or false"};
    buf_text(out, "| field | type |\n|---|---|\n");
    for (int f = 0; f < FIELD_COUNT; f++)
        buf_printf(out, "| `%s` | %s |\n", event_field_infos[f].name,
                   names[event_field_infos[f].type]);
}

static void put_rules(struct buf *out)
{
    buf_text(
        out,
        "### rules\n\n"
        "| part of a rule | value | default | |\n|---|---|---|---|\n"
        "| `on` | an event type, or a list of them | all | Which events count. |\n"
        "| `where` | a condition | every event | Which of them, by their fields. |\n"
        "| `by` | a list of up to 4 of `page`, `error`, `subject`, `account`, `user` and "
        "fields | one key for all | What is counted separately. An event without one of "
        "them does not count. |\n"
        "| `max_keys` | a whole number, 1 to 1000000000 | `250000` | How many keys it "
        "may have at a time, in all shards. Events of further ones are left out, counted "
        "and logged. |\n"
        "| `severity` | `low`, `medium`, `high` or `critical`; for `count` also counts, "
        "and for `health` scores, such as `{medium: 5, high: 10}` | `low`; of a "
        "`deadline` `high` | How bad it is. |\n"
        "| `send` | the name of a sink, or a list of them | nobody | Who is told. |\n"
        "| `remind` | a duration, 1m to 30d | never | While it is still firing so long "
        "after its last step, it is told again, then after twice as long, and so on. "
        "|\n"
        "| `verify_fixed` | whole days, 1d to 60d | never | After a known issue was "
        "fixed "
        "and nothing came for so long, that is told, with the accounts that met it; of "
        "`count` and `new_value`. |\n");
    for (size_t i = 0; detectors[i]; i++)
        buf_printf(out,
                   "| `%s` | its options, below | one of the kinds is needed | %s |\n",
                   detectors[i]->name, detectors[i]->help);
    buf_text(out, "\nEvent types: ");
    put_event_types(out);
    buf_text(out, ". An event of another type counts for rules without `on`.\n\n");
    for (size_t i = 0; detectors[i]; i++) {
        buf_printf(out, "#### kind %s\n\n%s\n\n", detectors[i]->name, detectors[i]->help);
        put_table(detectors[i]->options, detectors[i]->options_n, out);
        buf_char(out, '\n');
    }
    buf_text(out, "#### fields\n\nFor `where`, `by` and `field`.\n\n");
    put_fields(out);
}

static void put_sinks(struct buf *out)
{
    buf_text(
        out,
        "### sinks\n\nEach has a name, which `send` uses, a `type`, the type's options, "
        "and for every type:\n\n");
    put_table(sink_table.rows, sink_table.n, out);
    buf_char(out, '\n');
    for (size_t i = 0; sinks[i]; i++) {
        buf_printf(out, "#### type %s\n\n%s\n\n", sinks[i]->name, sinks[i]->help);
        put_table(sinks[i]->options, sinks[i]->options_n, out);
        buf_char(out, '\n');
    }
}

static void put_shapes(struct buf *out)
{
    buf_text(
        out,
        "### fields\n\n"
        "How messages of another shape become events: a mapping of an event's parts to "
        "where they stand in the message, or a list of such mappings, of which the first "
        "that a message fits reads it. Without `fields`, and where none fits, a message "
        "is of our own shape. See [helpdesks.md](helpdesks.md).\n\n"
        "| part | value | default | |\n|---|---|---|---|\n"
        "| `when` | a place | every message | Messages that have a value there are of "
        "this shape. |\n"
        "| `id` | a place | required | What no two messages share: an id that comes "
        "again is a duplicate. |\n"
        "| `type` | a place | required | What happened: one of the event types; what "
        "nothing names is `other`. |\n"
        "| `time` | a place | required | When: RFC 3339, or a number (`epoch`). "
        "`/kafka/timestamp` is the record's own time, in live streams, too. |\n"
        "| any field, listed below | a place | | What is not mapped is absent. |\n\n"
        "A place is a JSON pointer such as `/ticket/id`, a mapping of the options below "
        "(`from`, `join` or `value` is needed), or a list of these: the first with a "
        "value counts. Null and the empty text are no value.\n\n");
    put_table(place_table.rows, place_table.n, out);
    buf_char(out, '\n');
}

void config_reference(struct buf *out)
{
    put_section("kafka", &kafka_table, out);
    put_section("redis", &redis_table, out);
    put_section("time", &time_table, out);
    put_section("status", &status_table, out);
    put_section("log", &log_table, out);
    put_section("heartbeat", &heartbeat_table, out);
    put_section("accounts", &accounts_table, out);
    put_section("releases", &releases_table, out);
    put_section("known_issues", &known_issues_table, out);
    buf_text(out, "### maintenance\n\nPlanned silences, each with a name "
                  "([rules.md](rules.md#maintenance)).\n\n");
    put_table(maintenance_table.rows, maintenance_table.n, out);
    buf_text(out, "\n### inhibit\n\nWhich alerts explain which, each with a name "
                  "([rules.md](rules.md#inhibition)).\n\n");
    put_table(inhibit_table.rows, inhibit_table.n, out);
    buf_char(out, '\n');
    buf_text(out, "### at the top level\n\n");
    put_table(root_table.rows, root_table.n, out);
    buf_char(out, '\n');
    put_shapes(out);
    put_sinks(out);
    put_rules(out);
}
