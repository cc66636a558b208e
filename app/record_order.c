#include "app/record_order.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/alert_text.h"

enum { LINE_MAX_BYTES = 2 << 20 };

bool record_format_named(const char *name, enum record_format *format)
{
    *format = strcmp(name, "text") == 0 ? RECORD_TEXT : RECORD_JSON;
    return *format == RECORD_TEXT || strcmp(name, "json") == 0;
}

void record_order_init(struct record_order *r, FILE *out, enum record_format format,
                       const struct inhibit *inhibits, size_t inhibits_n)
{
    *r = (struct record_order){.out = out,
                               .format = format,
                               .colour = isatty(fileno(out)) && !getenv("NO_COLOR")};
    arena_init(&r->texts);
    arena_init(&r->spare);
    hide_init(&r->hide, inhibits, inhibits_n);
}

void record_order_deinit(struct record_order *r)
{
    free(r->held);
    arena_deinit(&r->texts);
    arena_deinit(&r->spare);
    hide_deinit(&r->hide);
}

int record_order_add(struct record_order *r, struct str json, struct err *e)
{
    struct held_line line = {.json = arena_str(&r->texts, json)};
    if (alert_parse(line.json, &r->texts, &line.alert, e))
        return -1;
    if (r->held_n == r->held_cap) {
        r->held_cap = r->held_cap ? r->held_cap * 2 : 64;
        r->held = realloc(r->held, r->held_cap * sizeof *r->held);
        assert(r->held);
    }
    r->held[r->held_n++] = line;
    return 0;
}

static int by_order(const void *a, const void *b)
{
    return alert_cmp(&((const struct held_line *)a)->alert,
                     &((const struct held_line *)b)->alert);
}

static bool is_wanted(const struct record_order *r, const struct alert *a)
{
    return !r->only || strncmp(a->id, r->only, strlen(r->only)) == 0;
}

static void write_line(struct record_order *r, const struct held_line *line, bool changed)
{
    struct buf text;
    if (!is_wanted(r, &line->alert))
        return;
    buf_init(&text, LINE_MAX_BYTES);
    if (r->format == RECORD_TEXT)
        alert_text(&line->alert, r->colour, &text);
    else if (changed)
        alert_json(&line->alert, false, &text);
    else
        buf_put(&text, line->json);
    if (r->format == RECORD_TEXT && r->only) {
        buf_char(&text, '\n');
        alert_details(&line->alert, &text);
    }
    buf_char(&text, '\n');
    fwrite(text.p, 1, text.n, r->out);
    buf_deinit(&text);
    r->written++;
}

/* Lines of one time; how many there are. */
static size_t write_moment(struct record_order *r, struct held_line *lines, size_t n)
{
    size_t same = 1;
    struct arena arena;
    while (same < n && lines[same].alert.time_ms == lines->alert.time_ms)
        same++;
    arena_init(&arena);
    struct alert **alerts = arena_alloc(&arena, same * sizeof(struct alert *));
    bool *changed = arena_alloc(&arena, same);
    for (size_t i = 0; i < same; i++)
        alerts[i] = &lines[i].alert;
    hide_moment(&r->hide, alerts, same, changed);
    for (size_t i = 0; i < same; i++)
        write_line(r, &lines[i], changed[i]);
    arena_deinit(&arena);
    return same;
}

void record_order_write(struct record_order *r, int64_t before_ms)
{
    size_t n = 0, left = 0;
    if (r->held_n == 0)
        return;
    qsort(r->held, r->held_n, sizeof *r->held, by_order);
    while (n < r->held_n && r->held[n].alert.time_ms < before_ms)
        n += write_moment(r, r->held + n, r->held_n - n);
    if (n == 0)
        return;
    struct arena old = r->texts;
    r->texts = r->spare;
    for (; n < r->held_n; n++) {
        struct err e = {0};
        struct held_line *to = &r->held[left++];
        to->json = arena_str(&r->texts, r->held[n].json);
        int ok = alert_parse(to->json, &r->texts, &to->alert, &e);
        assert(ok == 0);
    }
    r->held_n = left;
    arena_reset(&old);
    r->spare = old;
}
