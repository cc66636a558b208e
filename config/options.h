/* Option tables at work: a table and a mapping make a settings struct. */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include "config/node.h"

struct option_table {
    const struct option_row *rows;
    size_t n;
    const char *const *also; /* further names, read by the caller; NULL-terminated */
};
#define OPTION_TABLE(rows, also) {(rows), sizeof(rows) / sizeof(rows)[0], (also)}

/* Sets every member of `settings` to its default. Texts of defaults are borrowed from the table. */
void options_default(struct reading *r, const struct option_table *table, void *settings);

/* Reads `m`, whose name stands at the end of `path`, over the defaults. Every mistake in it is noted;
 * `settings` is usable only without one. */
void options_read(struct reading *r, const struct option_table *table,
                  const struct entry *m, struct str path, void *settings);

/* The same for a mapping that other tables read as well: names that this one does not have are theirs. */
void options_read_part(struct reading *r, const struct option_table *table,
                       const struct entry *m, struct str path, void *settings);

/* "no such option; did you mean ..." for a name that nothing reads. */
void no_such_option(struct reading *r, const struct entry *m, struct str path,
                    const struct option_table *table);

/* The value of one row; false after noting what is wrong with it, and where it is not known. */
bool value_read(struct reading *r, const struct option_row *row, const struct node *n,
                struct str path, void *settings);
/* A condition, in the arena; NULL after saying what is wrong, with a caret under it. */
struct where *where_read(struct reading *r, const struct node *n, struct str path);
/* A row's default, which must be right: assert. */
void value_default(struct reading *r, const struct option_row *row, void *settings);

/* The path of a template, which is read and checked. False after saying what is wrong with it. */
bool template_file_read(struct reading *r, const struct node *n, struct str path,
                        struct template_file *out);

/* An event type, or a list of them, as bits (1 << enum event_type). Notes what is wrong. */
void event_types_read(struct reading *r, const struct node *types, struct str path,
                      const char *wanted, uint32_t *out);

/* What can be written for it: "a duration". */
void value_kind(const struct option_row *row, struct buf *out);
/* With an example: "a duration such as 90s, 15m, 1h or 14d". */
void value_wanted(const struct option_row *row, struct buf *out);
/* What may stand instead of a duration: ", or month"; nothing where nothing may. */
void value_instead(const struct option_row *row, struct buf *out);
/* Its bounds as one would write them: "1s", "1000"; false where there are none. */
bool value_bounds(const struct option_row *row, struct buf *least, struct buf *most);

#endif
