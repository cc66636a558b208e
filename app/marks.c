#include "app/marks.h"

#include <inttypes.h>
#include <stdlib.h>

enum { STEP_MIN_MS = 60000, STEPS = MARKS_MAX / 2, SPARE = 3, NUMBER_BYTES = 24 };

/* Every second one goes, but for the first and the last. */
static void thin(struct marks *m)
{
    size_t left = 1;
    for (size_t i = 2; i + 1 < m->n; i += 2)
        m->items[left++] = m->items[i];
    m->items[left++] = m->items[m->n - 1];
    m->n = left;
}

/* How far event time moves from mark to mark: the known span in equal steps. */
static int64_t step_ms(const struct marks *m)
{
    size_t first = m->items[0].high_ms == MARK_NONE;
    if (m->n <= first + 1)
        return STEP_MIN_MS;
    int64_t step = (m->items[m->n - 1].high_ms - m->items[first].high_ms) / STEPS;
    return step > STEP_MIN_MS ? step : STEP_MIN_MS;
}

void marks_note(struct marks *m, int64_t offset, int64_t high_ms)
{
    if (m->n) {
        const struct mark *last = &m->items[m->n - 1];
        if (offset <= last->offset || high_ms == MARK_NONE)
            return;
        if (last->high_ms != MARK_NONE && high_ms - step_ms(m) < last->high_ms)
            return;
    }
    if (m->n == MARKS_MAX)
        thin(m);
    m->items[m->n++] = (struct mark){offset, high_ms};
}

const struct mark *marks_before(const struct marks *m, int64_t from_ms)
{
    const struct mark *found = NULL;
    for (size_t i = 0; i < m->n; i++)
        if (m->items[i].high_ms == MARK_NONE || m->items[i].high_ms < from_ms)
            found = &m->items[i];
    return found;
}

void marks_forget(struct marks *m, int64_t from_ms)
{
    int64_t last_ms = m->n ? m->items[m->n - 1].high_ms : MARK_NONE;
    int64_t spare_ms = last_ms > from_ms ? (last_ms - from_ms) / SPARE : 0;
    const struct mark *keep = marks_before(m, from_ms - spare_ms);
    size_t gone = keep && keep > m->items ? (size_t)(keep - m->items) - 1 : 0;
    m->n -= gone;
    memmove(m->items, m->items + gone, m->n * sizeof *m->items);
}

void marks_write(const struct marks *m, struct buf *out)
{
    for (size_t i = 0; i < m->n; i++) {
        buf_printf(out, "%s%" PRId64 ":", i ? " " : "", m->items[i].offset);
        if (m->items[i].high_ms != MARK_NONE)
            buf_printf(out, "%" PRId64, m->items[i].high_ms);
    }
}

/* One number at the text's beginning, taken off it. */
static bool take_number(struct str *text, int64_t *out)
{
    char copy[NUMBER_BYTES], *end;
    size_t n = text->n < sizeof copy - 1 ? text->n : sizeof copy - 1;
    memcpy(copy, text->p, n);
    copy[n] = '\0';
    *out = strtoll(copy, &end, 10);
    *text = str_from(*text, (size_t)(end - copy));
    return end != copy;
}

static bool take_mark(struct str *text, struct mark *out)
{
    if (!take_number(text, &out->offset) || !text->n || text->p[0] != ':')
        return false;
    *text = str_from(*text, 1);
    out->high_ms = MARK_NONE;
    return text->n == 0 || text->p[0] == ' ' || take_number(text, &out->high_ms);
}

static bool in_order(const struct marks *m)
{
    for (size_t i = 1; i < m->n; i++)
        if (m->items[i].offset <= m->items[i - 1].offset ||
            m->items[i].high_ms < m->items[i - 1].high_ms)
            return false;
    return m->n == 0 || m->items[0].offset >= 0;
}

bool marks_read(struct str text, struct marks *out)
{
    bool fine = true;
    out->n = 0;
    while (fine && text.n) {
        fine = out->n < MARKS_MAX && take_mark(&text, &out->items[out->n]) &&
               (text.n == 0 || text.p[0] == ' ');
        out->n += fine;
        text = str_from(text, text.n > 0);
    }
    fine = fine && in_order(out);
    out->n = fine ? out->n : 0;
    return fine;
}
