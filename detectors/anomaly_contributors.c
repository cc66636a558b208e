/* What an anomaly's events are about: the values of a few fields that made the change. Their share of the bucket is that
 * of its sample; their usual share that of the blocks of its history, each sample counted as much as its block has events.
 *
 * A value of a count is told where it made a tenth of the change or more and its share moved by a twentieth the same way:
 * that all are of a value that all usually have tells nobody anything. Of another metric a value is told where its share
 * is larger by a tenth. First comes the one whose share moved most. */
#include <math.h>

#include "core/index.h"
#include "detectors/anomaly.h"

static const double LEAST_PART = 0.1, LEAST_MOVE = 0.05;

struct candidate {
    struct alert_contributor told;
    double lean; /* how far its share moved, in the alert's direction */
};

/* The values of one field, while they are counted. */
struct candidates {
    struct index by_value;
    struct candidate *items;
    struct str field;
};

static struct candidate *candidate_of(struct candidates *all, struct str value)
{
    struct candidate *c = &all->items[index_put(&all->by_value, value, all->by_value.n)];
    c->told.field = all->field;
    c->told.value = value;
    return c;
}

static void count_now(struct candidates *all, const struct sample *sample, size_t part)
{
    for (size_t i = 0; i < sample->n; i++)
        if (sample->entries[i].parts[part].n)
            candidate_of(all, sample->entries[i].parts[part])->told.share++;
}

/* How many events of the history a block's sample stands for, each of them. */
static double weight(const struct block *b)
{
    return (double)b->n / (double)b->sample.n;
}

static void count_usual(struct candidates *all, const struct series *s, size_t part)
{
    for (size_t b = 0; b < s->blocks_n; b++)
        for (size_t i = 0; i < s->blocks[b].sample.n; i++) {
            struct str value = s->blocks[b].sample.entries[i].parts[part];
            if (value.n)
                candidate_of(all, value)->told.usual += weight(&s->blocks[b]);
        }
}

static int larger_first(double a, double b)
{
    return (a < b) - (a > b);
}

static bool before(const struct candidate *a, const struct candidate *b)
{
    int c = larger_first(a->lean, b->lean);
    c = c ? c : larger_first(a->told.share, b->told.share);
    c = c ? c : str_cmp(a->told.field, b->told.field);
    return (c ? c : str_cmp(a->told.value, b->told.value)) < 0;
}

struct top {
    struct candidate items[ALERT_CONTRIBUTORS_MAX];
    size_t n;
};

static void offer(struct top *top, const struct candidate *c)
{
    size_t at = top->n;
    while (at && before(c, &top->items[at - 1]))
        at--;
    if (at == ALERT_CONTRIBUTORS_MAX)
        return;
    top->n += top->n < ALERT_CONTRIBUTORS_MAX;
    memmove(&top->items[at + 1], &top->items[at], (top->n - at - 1) * sizeof *top->items);
    top->items[at] = *c;
}

static bool worth_telling(const struct alert_anomaly *f, bool counts, struct candidate *c)
{
    double way = f->up || !counts ? 1 : -1;
    double change = way * (c->told.share * f->value - c->told.usual * f->mean);
    c->lean = way * (c->told.share - c->told.usual);
    if (!counts)
        return c->lean >= LEAST_PART;
    return c->lean >= LEAST_MOVE && change >= LEAST_PART * fabs(f->value - f->mean);
}

static void offer_part(const struct anomaly_closing *c, const struct bucket *b,
                       const struct alert_anomaly *f, size_t part, struct top *top)
{
    const struct series *s = &c->series;
    double usual_n = 0;
    size_t most = b->sample.n + 1;
    for (size_t i = 0; i < s->blocks_n; i++) {
        usual_n += (double)s->blocks[i].n;
        most += s->blocks[i].sample.n;
    }
    struct candidates all = {.field = c->settings->part_names[part]};
    all.items = arena_alloc(c->out->arena, most * sizeof *all.items);
    index_init(&all.by_value);
    count_now(&all, &b->sample, part);
    count_usual(&all, s, part);
    for (size_t i = 0; i < all.by_value.n; i++) {
        struct candidate *it = &all.items[i];
        it->told.share /= (double)b->sample.n;
        it->told.usual /= usual_n > 0 ? usual_n : 1;
        bool tell = worth_telling(f, c->settings->metric == METRIC_COUNT, it);
        it->told.usual = usual_n > 0 ? it->told.usual : (double)NAN;
        if (tell)
            offer(top, it);
    }
    index_deinit(&all.by_value);
}

void anomaly_contributors(const struct anomaly_closing *c, const struct bucket *b,
                          struct alert *a)
{
    struct top top = {.n = 0};
    for (size_t part = 0; b->sample.n && part < c->settings->parts_n; part++)
        offer_part(c, b, &a->anomaly, part, &top);
    for (size_t i = 0; i < top.n; i++)
        a->contributors[i] = top.items[i].told;
    a->contributors_n = top.n;
}

void anomaly_put_contributors(const struct alert *a, struct buf *out)
{
    for (size_t i = 0; i < a->contributors_n; i++) {
        const struct alert_contributor *c = &a->contributors[i];
        buf_printf(out, "%s%.0f%% %s%.*s %.*s", i ? ", " : "; ", 100 * c->share,
                   i ? "" : "are ", STR_ARG(c->field), STR_ARG(c->value));
        if (!isnan(c->usual))
            buf_printf(out, " (usually %.0f%%)", 100 * c->usual);
    }
}
