/* Mistakes are collected while reading goes on, so that one pass finds them all, and sorted by line at
 * the end: sections are read in the order we need them, not in the order they are written. */
#include "config/reading.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/utf8.h"

enum { MESSAGE_BYTES_MAX = 2000, SHOWN_BYTES_MAX = 60, PATH_PART_BYTES_MAX = 80 };

/* Texts of the file end up on terminals and in logs. U+0080 to U+009F are control characters too. */
static struct str cleaned(struct reading *r, struct str text, bool one_line)
{
    struct str copy = arena_str(r->arena, text);
    char *p = arena_alloc(r->arena, copy.n + 1);
    memcpy(p, copy.p, copy.n);
    for (size_t i = 0; i < copy.n; i++) {
        unsigned char c = (unsigned char)p[i];
        bool c1 = i > 0 && (unsigned char)p[i - 1] == 0xC2 && c < 0xA0;
        if (c1)
            p[i - 1] = p[i] = '?';
        else if (c == 0x7F || (c < ' ' && (c != '\n' || one_line)))
            p[i] = c == '\n' || c == '\t' || c == '\r' ? ' ' : '?';
    }
    return (struct str){p, copy.n};
}

struct str shown(struct reading *r, struct str text)
{
    struct str cut = utf8_cut(text, SHOWN_BYTES_MAX);
    struct buf b;
    buf_init(&b, SHOWN_BYTES_MAX + 4);
    buf_put(&b, cut);
    if (cut.n < text.n)
        buf_text(&b, "…");
    struct str clean = cleaned(r, buf_str(&b), true);
    buf_deinit(&b);
    return clean;
}

struct str path_join(struct reading *r, struct str path, struct str name)
{
    struct buf b;
    buf_init(&b, MESSAGE_BYTES_MAX);
    buf_put(&b, path);
    if (path.n)
        buf_char(&b, '.');
    buf_put(&b, utf8_cut(name, PATH_PART_BYTES_MAX));
    struct str joined = cleaned(r, buf_str(&b), true);
    buf_deinit(&b);
    return joined;
}

__attribute__((format(printf, 4, 0))) static void note(struct reading *r,
                                                       struct config_mistake m,
                                                       struct str path,
                                                       const char *format, va_list args)
{
    char message[MESSAGE_BYTES_MAX];
    struct buf b;
    if (m.warning)
        r->warnings++;
    else
        r->errors++;
    if (r->mistakes_n == CONFIG_MISTAKES_MAX)
        return;
    buf_init(&b, 2 * MESSAGE_BYTES_MAX);
    buf_put(&b, path);
    if (path.n)
        buf_text(&b, ": ");
    vsnprintf(message, sizeof message, format, args);
    buf_put(&b, utf8_cut(str_of(message), strlen(message)));
    m.text = cleaned(r, buf_str(&b), false);
    buf_deinit(&b);
    r->mistakes[r->mistakes_n++] = m;
}

void complain(struct reading *r, struct place at, struct str path, const char *format,
              ...)
{
    va_list args;
    va_start(args, format);
    note(r, (struct config_mistake){.line = at.line, .column = at.column}, path, format,
         args);
    va_end(args);
}

static bool warnings_wanted(const struct reading *r)
{
    return r->use == CONFIG_CHECK || r->use == CONFIG_RUN;
}

void warn(struct reading *r, struct place at, struct str path, const char *format, ...)
{
    va_list args;
    if (!warnings_wanted(r))
        return;
    va_start(args, format);
    note(r, (struct config_mistake){at.line, at.column, true, STR_NONE}, path, format,
         args);
    va_end(args);
}

void complain_if_needed(struct reading *r, struct place at, struct str path,
                        const char *format, ...)
{
    va_list args;
    bool check = r->use == CONFIG_CHECK;
    if (!check && r->use < r->needed_from)
        return;
    va_start(args, format);
    note(r, (struct config_mistake){at.line, at.column, check, STR_NONE}, path, format,
         args);
    va_end(args);
}

const char *needed_words(const struct reading *r)
{
    static const char *const words[] = {[CONFIG_CHECK] = "",
                                        [CONFIG_REPLAY] = "; replay and run need it",
                                        [CONFIG_ALERTS] = "; alerts and run need it",
                                        [CONFIG_RUN] = "; run needs it"};
    return r->use == CONFIG_CHECK ? words[r->needed_from] : "";
}

static int by_place(const void *a, const void *b)
{
    const struct config_mistake *x = a, *y = b;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    return str_cmp(x->text, y->text);
}

static void write_mistake(struct buf *out, const char *file,
                          const struct config_mistake *m)
{
    buf_text(out, file);
    if (m->line)
        buf_printf(out, ":%zu:%zu", m->line, m->column);
    buf_text(out, m->warning ? ": warning: " : ": error: ");
    buf_put(out, m->text);
    buf_char(out, '\n');
}

void report_mistakes(struct reading *r, const char *file, struct config_report *report)
{
    size_t more = r->errors + r->warnings - r->mistakes_n;
    struct config_mistake *kept = arena_alloc(r->arena, sizeof r->mistakes);
    qsort(r->mistakes, r->mistakes_n, sizeof *r->mistakes, by_place);
    memcpy(kept, r->mistakes, sizeof r->mistakes);
    report->errors = r->errors;
    report->warnings = r->warnings;
    report->mistakes = kept;
    report->mistakes_n = r->mistakes_n;
    for (size_t i = 0; i < r->mistakes_n; i++)
        write_mistake(&report->text, file, &kept[i]);
    if (more)
        buf_printf(&report->text, "%s: and %zu more\n", file, more);
}
