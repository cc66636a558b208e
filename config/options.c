/* A mapping is read name by name, a table row by row; together they find what is unknown and what is
 * missing. A secret row has two names: NAME, and NAME_file with a path. */
#include "config/options.h"

#include "core/suggest.h"

static const char file_suffix[] = "_file";

static bool names_file_of(struct str name, const struct option_row *row)
{
    size_t n = strlen(row->name);
    return row->type == OPTION_SECRET && str_starts(name, str_of(row->name)) &&
           str_is((struct str){name.p + n, name.n - n}, file_suffix);
}

static const struct option_row *row_named(const struct option_table *t, struct str name)
{
    for (size_t i = 0; i < t->n; i++)
        if (str_is(name, t->rows[i].name) || names_file_of(name, &t->rows[i]))
            return &t->rows[i];
    return NULL;
}

static bool is_among(const char *const *names, struct str name)
{
    for (size_t i = 0; names && names[i]; i++)
        if (str_is(name, names[i]))
            return true;
    return false;
}

/* --- unknown names --- */

static struct suggestion nearest(struct reading *r, const struct option_table *t,
                                 struct str name)
{
    struct suggestion s = suggestion_for(name);
    struct buf file;
    buf_init(&file, 100);
    for (size_t i = 0; t->also && t->also[i]; i++)
        suggestion_offer(&s, str_of(t->also[i]));
    for (size_t i = 0; i < t->n; i++) {
        suggestion_offer(&s, str_of(t->rows[i].name));
        buf_clear(&file);
        buf_printf(&file, "%s%s", t->rows[i].name, file_suffix);
        if (t->rows[i].type == OPTION_SECRET)
            suggestion_offer(&s, arena_str(r->arena, buf_str(&file)));
    }
    buf_deinit(&file);
    return s;
}

static struct str all_names(struct reading *r, const struct option_table *t)
{
    struct buf all;
    buf_init(&all, 1000);
    for (size_t i = 0; t->also && t->also[i]; i++)
        buf_printf(&all, "%s%s", all.n ? ", " : "", t->also[i]);
    for (size_t i = 0; i < t->n; i++)
        buf_printf(&all, "%s%s", all.n ? ", " : "", t->rows[i].name);
    struct str kept = arena_str(r->arena, buf_str(&all));
    buf_deinit(&all);
    return kept;
}

/* "at_least:3" without the space is one word to YAML. */
static bool lacks_space(const struct entry *m)
{
    return m->value->nothing && memchr(m->name.p, ':', m->name.n);
}

void no_such_option(struct reading *r, const struct entry *m, struct str path,
                    const struct option_table *table)
{
    char meant[SUGGESTION_BYTES];
    struct suggestion near = nearest(r, table, m->name);
    path = path_join(r, path, m->name);
    if (lacks_space(m))
        complain(r, m->at, path, "a space is missing after the ':'");
    else if (near.best.n)
        complain(r, m->at, path, "no such option%s", suggestion_text(&near, meant));
    else
        complain(r, m->at, path, "no such option; there are: %s", all_names(r, table).p);
}

/* --- secrets --- */

/* Read only to find out: `run` reads it again whenever it is needed. */
static void try_secret_file(struct reading *r, const struct secret *s,
                            const struct node *n, struct str path)
{
    struct err e = {0};
    struct arena content;
    struct str ignored;
    if (r->use != CONFIG_CHECK && r->use < r->needed_from)
        return;
    arena_init(&content);
    if (secret_read(s, &content, &ignored, &e))
        complain_if_needed(r, n->at, path, "%s%s", e.text, needed_words(r));
    arena_deinit(&content);
}

static void read_secret_file(struct reading *r, const struct option_row *row,
                             const struct entry *m, struct str path, void *settings)
{
    struct secret *s = (struct secret *)((char *)settings + row->offset);
    path = path_join(r, path, m->name);
    if (!node_text(r, m->value, path, "the path of a file", &s->file))
        return;
    if (s->file.n == 0)
        complain(r, m->value->at, path, "must not be empty");
    else
        try_secret_file(r, s, m->value, path);
}

/* --- a mapping --- */

void options_default(struct reading *r, const struct option_table *table, void *settings)
{
    for (size_t i = 0; i < table->n; i++)
        value_default(r, &table->rows[i], settings);
}

/* False: no row has the name. */
static bool read_entry(struct reading *r, const struct option_table *t,
                       const struct entry *m, struct str path, void *settings)
{
    const struct option_row *row = row_named(t, m->name);
    if (row && names_file_of(m->name, row))
        read_secret_file(r, row, m, path, settings);
    else if (row)
        (void)value_read(r, row, m->value, path_join(r, path, m->name), settings);
    return row != NULL;
}

/* How often the row was written: as NAME, as NAME_file. */
static const struct entry *written_as(const struct node *map,
                                      const struct option_row *row, bool as_file)
{
    for (size_t i = 0; i < map->n; i++) {
        struct str name = map->entries[i].name;
        if (as_file ? names_file_of(name, row) : str_is(name, row->name))
            return &map->entries[i];
    }
    return NULL;
}

static void say_missing(struct reading *r, const struct option_row *row,
                        const struct entry *m, struct str path)
{
    struct buf wanted;
    buf_init(&wanted, 300);
    value_wanted(row, &wanted);
    if (row->type == OPTION_SECRET)
        complain(r, m->at, path,
                 "'%s' is missing: %.*s; or '%s%s': the path of a file that holds it. %s",
                 row->name, STR_ARG(buf_str(&wanted)), row->name, file_suffix, row->help);
    else
        complain(r, m->at, path, "'%s' is missing: %.*s. %s", row->name,
                 STR_ARG(buf_str(&wanted)), row->help);
    buf_deinit(&wanted);
}

/* True when a name that is unknown was told to be meant for the row. */
static bool is_misspelt(struct reading *r, const struct option_table *t,
                        const struct node *map, const struct option_row *row)
{
    struct str wanted = str_of(row->name);
    for (size_t i = 0; i < map->n; i++) {
        const struct entry *m = &map->entries[i];
        if (row_named(t, m->name) || is_among(t->also, m->name))
            continue;
        if (str_starts(lacks_space(m) ? m->name : nearest(r, t, m->name).best, wanted))
            return true;
    }
    return false;
}

static void check_written(struct reading *r, const struct option_table *t,
                          const struct option_row *row, const struct entry *m,
                          struct str path)
{
    const struct entry *plain = written_as(m->value, row, false);
    const struct entry *file = written_as(m->value, row, true);
    if (plain && file)
        complain(r, file->at, path_join(r, path, file->name),
                 "'%s' stands on line %zu already: write one of the two", row->name,
                 plain->at.line);
    else if (row->required && !plain && !file && !is_misspelt(r, t, m->value, row))
        say_missing(r, row, m, path);
}

void options_read_part(struct reading *r, const struct option_table *table,
                       const struct entry *m, struct str path, void *settings)
{
    options_default(r, table, settings);
    for (size_t i = 0; i < m->value->n; i++)
        (void)read_entry(r, table, &m->value->entries[i], path, settings);
    for (size_t i = 0; i < table->n; i++)
        check_written(r, table, &table->rows[i], m, path);
}

void options_read(struct reading *r, const struct option_table *table,
                  const struct entry *m, struct str path, void *settings)
{
    options_default(r, table, settings);
    if (!node_is_map(r, m->value, path, "a mapping of options"))
        return;
    options_read_part(r, table, m, path, settings);
    for (size_t i = 0; i < m->value->n; i++) {
        const struct entry *one = &m->value->entries[i];
        if (!row_named(table, one->name) && !is_among(table->also, one->name))
            no_such_option(r, one, path, table);
    }
}
