/* Alerts are sorted once, so that those of one rule and state lie side by side, the worst in front: groups are runs of
 * that order. A reader of a storm wants to know what kinds of things happen and how bad they are, not each; so rows are
 * few, whatever there is. */
#include "sinks/digest.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "sinks/facts.h"
#include "sinks/request.h"

enum {
    GROUPS_SHOWN = 10,
    NAMED_OF_GROUP = 5,
    NAMED_IN_ALL = 16,
    RULE_UNITS = 80,
    TITLE_UNITS = 120,
    ROW_UNITS = 400, /* as written, with escapes */
};

static const char *const states[ALERT_STATES] = {"firing", "escalated", "still firing",
                                                 "resolved", "verified"};

/* ---- the whole ---- */

static void name_digest(struct digest *d)
{
    XXH3_state_t *h = XXH3_createState();
    assert(h);
    XXH3_128bits_reset(h);
    for (size_t i = 0; i < d->n; i++) {
        const struct alert *a = &d->alerts[i];
        char step[96];
        int n = snprintf(step, sizeof step, "%s %d %d %lld;", a->id, (int)a->state,
                         (int)a->severity, (long long)a->reminder);
        XXH3_128bits_update(h, step, (size_t)n);
    }
    XXH128_hash_t x = XXH3_128bits_digest(h);
    XXH3_freeState(h);
    snprintf(d->face.id, sizeof d->face.id, "%016llx%016llx",
             (unsigned long long)x.high64, (unsigned long long)x.low64);
}

static bool is_over(const struct alert *a)
{
    return alert_is_over(a);
}

void digest_make(struct digest *out, const struct alert *alerts, size_t n)
{
    *out = (struct digest){.alerts = alerts, .n = n};
    struct alert *face = &out->face;
    face->state = ALERT_RESOLVED;
    face->rule = STR("digest");
    face->time_ms = alerts[0].time_ms;
    for (size_t i = 0; i < n; i++) {
        const struct alert *a = &alerts[i];
        face->time_ms = a->time_ms > face->time_ms ? a->time_ms : face->time_ms;
        if (is_over(a))
            continue;
        face->state = ALERT_FIRING;
        face->severity = a->severity > face->severity ? a->severity : face->severity;
    }
    name_digest(out);
}

void digest_count(struct buf *out, const struct digest *d)
{
    size_t of[ALERT_STATES] = {0}, told = 0;
    for (size_t i = 0; i < d->n; i++)
        of[d->alerts[i].state]++;
    words_count(out, (int64_t)d->n, "alert", "alerts");
    buf_text(out, " at once: ");
    for (size_t s = 0; s < ALERT_STATES; s++) {
        if (!of[s])
            continue;
        buf_text(out, told++ ? ", " : "");
        words_number(out, (double)of[s]);
        buf_printf(out, " %s", states[s]);
    }
}

void digest_title(struct buf *out, const struct digest *d)
{
    buf_printf(out, "%s ", facts_sign(&d->face));
    digest_count(out, d);
}

void digest_small_print(struct buf *out, const struct digest *d)
{
    int64_t first_ms = d->face.time_ms;
    for (size_t i = 0; i < d->n; i++)
        if (d->alerts[i].time_ms < first_ms)
            first_ms = d->alerts[i].time_ms;
    buf_printf(out, "Digest %s · ", d->face.id);
    words_time(out, first_ms);
    buf_text(out, " to ");
    words_time(out, d->face.time_ms);
    buf_text(out, " · each is in ticketwatch alerts ls");
}

/* ---- its order ---- */

/* What ends comes last; else the worst first, then as it came. */
static int compare_alerts(const struct alert *a, const struct alert *b)
{
    if (is_over(a) != is_over(b))
        return is_over(a) ? 1 : -1;
    return (int)b->severity - (int)a->severity;
}

static int order_of_groups(const struct alert *a, const struct alert *b)
{
    int rules = str_cmp(a->rule, b->rule);
    return rules ? rules : (int)a->state - (int)b->state;
}

struct group {
    const struct alert *worst; /* the first of them */
    size_t first, n;           /* in `order` */
};

struct order {
    const struct alert *
        *alerts;          /* those of a group side by side, in each the worst first */
    struct group *groups; /* the worst first, then the largest */
    size_t groups_n;
};

static int by_group(const void *x, const void *y)
{
    const struct alert *a = *(const struct alert *const *)x,
                       *b = *(const struct alert *const *)y;
    int c = order_of_groups(a, b);
    c = c ? c : compare_alerts(a, b);
    return c ? c : a < b ? -1 : a > b; /* both of one array */
}

static int by_weight(const void *x, const void *y)
{
    const struct group *a = x, *b = y;
    int c = compare_alerts(a->worst, b->worst);
    c = c ? c : (a->n < b->n) - (a->n > b->n);
    return c ? c : order_of_groups(a->worst, b->worst);
}

static void sort(const struct digest *d, struct arena *arena, struct order *out)
{
    out->alerts = arena_alloc(arena, d->n * sizeof *out->alerts);
    out->groups = arena_alloc(arena, d->n * sizeof *out->groups);
    out->groups_n = 0;
    for (size_t i = 0; i < d->n; i++)
        out->alerts[i] = &d->alerts[i];
    qsort(out->alerts, d->n, sizeof *out->alerts, by_group);
    for (size_t i = 0; i < d->n; i++) {
        const struct alert *a = out->alerts[i];
        if (i == 0 || order_of_groups(out->alerts[i - 1], a))
            out->groups[out->groups_n++] = (struct group){.worst = a, .first = i};
        out->groups[out->groups_n - 1].n++;
    }
    qsort(out->groups, out->groups_n, sizeof *out->groups, by_weight);
}

/* ---- its rows ---- */

static void add(struct digest_rows *rows, struct arena *arena, enum digest_row_kind kind,
                struct buf *text)
{
    if (rows->n < DIGEST_ROWS_MAX)
        rows->items[rows->n++] =
            (struct digest_row){.kind = kind, .text = arena_str(arena, buf_str(text))};
    buf_clear(text);
}

static void add_group(struct digest_rows *rows, struct arena *arena,
                      const struct group *g, struct buf *b)
{
    buf_printf(b, "%s ", facts_sign(g->worst));
    words_text(b, DIALECT_PLAIN, g->worst->rule, RULE_UNITS);
    buf_text(b, ": ");
    words_number(b, (double)g->n);
    buf_printf(b, " %s", states[g->worst->state]);
    add(rows, arena, DIGEST_GROUP, b);
}

static struct str first_ticket(const struct alert *a)
{
    for (size_t i = 0; i < a->evidence_n; i++)
        if (a->evidence[i].ticket.n)
            return a->evidence[i].ticket;
    return STR_NONE;
}

static void add_alert(struct digest_rows *rows, struct arena *arena,
                      const struct alert *a, struct buf *b)
{
    struct buf title;
    request_buf(&title);
    words_title(&title, a, false);
    words_text(b, DIALECT_PLAIN, buf_str(&title), TITLE_UNITS);
    buf_text(b, " · ");
    words_how_often(b, a);
    buf_printf(b, " · %.8s", a->id);
    add(rows, arena, DIGEST_ALERT, b);
    rows->items[rows->n - 1].ticket = arena_str(arena, first_ticket(a));
    buf_deinit(&title);
}

static void add_more(struct digest_rows *rows, struct arena *arena, size_t n,
                     struct buf *b)
{
    buf_text(b, "and ");
    words_number(b, (double)n);
    buf_text(b, " more");
    if (n)
        add(rows, arena, DIGEST_MORE, b);
    buf_clear(b);
}

void digest_rows(const struct digest *d, struct arena *arena, struct digest_rows *out)
{
    struct order o;
    struct buf b;
    size_t named = 0, left = d->n;
    request_buf(&b);
    sort(d, arena, &o);
    out->n = 0;
    for (size_t i = 0; i < o.groups_n && i < GROUPS_SHOWN; i++) {
        const struct group *g = &o.groups[i];
        size_t k = 0;
        add_group(out, arena, g, &b);
        for (; k < g->n && k < NAMED_OF_GROUP && named < NAMED_IN_ALL; k++, named++)
            add_alert(out, arena, o.alerts[g->first + k], &b);
        if (k) /* of the last groups only the number is told */
            add_more(out, arena, g->n - k, &b);
        left -= g->n;
    }
    add_more(out, arena, left, &b);
    buf_deinit(&b);
}

/* ---- as text ---- */

/* Before and behind a row of each kind. */
struct manner {
    const char *group[2], *alert[2], *more[2];
};

static const struct manner manners[] = {
    [DIALECT_PLAIN] = {{"\n", "\n"}, {"- ", "\n"}, {"- ", "\n"}},
    [DIALECT_SLACK] = {{"\n*", "*\n"}, {"• ", "\n"}, {"… ", "\n"}},
    [DIALECT_MARKDOWN] = {{"\n**", "**\n\n"}, {"- ", "\n"}, {"- ", "\n"}},
    [DIALECT_HTML] = {{"<p><b>", "</b></p>\n"}, {"<p>• ", "</p>\n"}, {"<p>• ", "</p>\n"}},
    [DIALECT_DISCORD] = {{"\n**", "**\n"}, {"- ", "\n"}, {"- ", "\n"}},
};

static void put_row(struct buf *out, const struct digest_row *r, enum dialect d,
                    struct str ticket_url)
{
    const struct manner *m = &manners[d];
    const char *const *around = r->kind == DIGEST_GROUP   ? m->group
                                : r->kind == DIGEST_ALERT ? m->alert
                                                          : m->more;
    buf_text(out, around[0]);
    words_text(out, d, r->text, ROW_UNITS);
    if (r->ticket.n) {
        buf_text(out, " · ");
        words_ticket(out, d, ticket_url, r->ticket);
        size_t before = out->n;
        buf_char(out, ' ');
        if (d != DIALECT_PLAIN || !words_ticket_url(out, ticket_url, r->ticket))
            out->n = before;
    }
    buf_text(out, around[1]);
}

void digest_text(struct buf *out, const struct digest *d, enum dialect dialect,
                 struct str ticket_url, size_t max_bytes)
{
    struct arena arena;
    struct digest_rows rows;
    struct buf row;
    size_t begin = out->n;
    arena_init(&arena);
    request_buf(&row);
    digest_rows(d, &arena, &rows);
    for (size_t i = 0; i < rows.n; i++) {
        buf_clear(&row);
        put_row(&row, &rows.items[i], dialect, ticket_url);
        if (out->n - begin + row.n > max_bytes)
            break; /* half a link is none */
        struct str text = buf_str(&row);
        buf_put(out, i == 0 && text.p[0] == '\n' ? str_from(text, 1) : text);
    }
    buf_deinit(&row);
    arena_deinit(&arena);
}
