#include "app/record_order.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/alert_text.h"

bool record_format_named(const char *name, enum record_format *format)
{
    *format = strcmp(name, "text") == 0 ? RECORD_TEXT : RECORD_JSON;
    return *format == RECORD_TEXT || strcmp(name, "json") == 0;
}

void record_order_init(struct record_order *r, FILE *out, enum record_format format)
{
    *r = (struct record_order){.out = out,
                               .format = format,
                               .colour = isatty(fileno(out)) && !getenv("NO_COLOR")};
    arena_init(&r->texts);
    arena_init(&r->spare);
}

void record_order_deinit(struct record_order *r)
{
    free(r->held);
    arena_deinit(&r->texts);
    arena_deinit(&r->spare);
}

int record_order_add(struct record_order *r, struct str json, struct err *e)
{
    struct held_line line = {.json = arena_str(&r->texts, json)};
    if (alert_parse(line.json, &r->texts, &line.alert, e))
        return -1;
    if (r->only && strncmp(line.alert.id, r->only, strlen(r->only)) != 0)
        return 0;
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

static void write_line(struct record_order *r, const struct held_line *line)
{
    struct buf text;
    buf_init(&text, 1 << 20);
    if (r->format == RECORD_TEXT)
        alert_text(&line->alert, r->colour, &text);
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

void record_order_write(struct record_order *r, int64_t before_ms)
{
    size_t n = 0, left = 0;
    if (r->held_n == 0)
        return;
    qsort(r->held, r->held_n, sizeof *r->held, by_order);
    while (n < r->held_n && r->held[n].alert.time_ms < before_ms)
        write_line(r, &r->held[n++]);
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
