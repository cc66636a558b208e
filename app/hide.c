#include "app/hide.h"

#include <assert.h>
#include <stdlib.h>

#include "core/index.h"
#include "core/utf8.h"

enum { STEP_MAX_BYTES = 2 << 20, ABOUT_MAX_BYTES = 200 };

/* An episode that is firing and may hide others. */
struct hider {
    struct alert step;   /* its last one, */
    struct arena texts;  /* and where its texts are */
    struct arena hidden; /* names of what it hid */
    struct index ids;    /* of all episodes that it hid */
    struct alert_hidden listed[ALERT_HIDDEN_MAX];
    bool over;
};

static void hider_free(struct hider *h)
{
    arena_deinit(&h->texts);
    arena_deinit(&h->hidden);
    index_deinit(&h->ids);
    free(h);
}

void hide_init(struct hide *h, const struct inhibit *all, size_t n)
{
    *h = (struct hide){.all = all, .n = n};
}

void hide_deinit(struct hide *h)
{
    for (size_t i = 0; i < h->firing_n; i++)
        hider_free(h->firing[i]);
    free(h->firing);
}

static struct hider *firing_as(const struct hide *h, const char *id)
{
    for (size_t i = 0; i < h->firing_n; i++)
        if (!h->firing[i]->over && strcmp(h->firing[i]->step.id, id) == 0)
            return h->firing[i];
    return NULL;
}

static struct hider *one_more(struct hide *h)
{
    struct hider *one = calloc(1, sizeof *one);
    h->firing = realloc(h->firing, (h->firing_n + 1) * sizeof(struct hider *));
    assert(one && h->firing);
    arena_init(&one->texts);
    arena_init(&one->hidden);
    index_init(&one->ids);
    return h->firing[h->firing_n++] = one;
}

/* A copy: the lines of the record go before the episode is over. */
static void keep_step(struct hider *one, const struct alert *a)
{
    struct buf line;
    struct err e = {0};
    buf_init(&line, STEP_MAX_BYTES);
    alert_json(a, false, &line);
    arena_reset(&one->texts);
    int ok = alert_parse(buf_str(&line), &one->texts, &one->step, &e);
    assert(ok == 0);
    (void)ok;
    buf_deinit(&line);
}

static void drop_over(struct hide *h)
{
    size_t left = 0;
    for (size_t i = 0; i < h->firing_n; i++) {
        if (h->firing[i]->over)
            hider_free(h->firing[i]);
        else
            h->firing[left++] = h->firing[i];
    }
    h->firing_n = left;
}

/* What ends at that moment hides nothing any more, what begins at it does. */
static void take_step(struct hide *h, const struct alert *a)
{
    if (!inhibit_any_source(h->all, h->n, a->rule))
        return;
    struct hider *one = firing_as(h, a->id);
    if (alert_is_over(a)) {
        if (one)
            one->over = true;
        return;
    }
    keep_step(one ? one : one_more(h), a);
}

static void note_hidden(struct hider *one, const struct alert *a)
{
    size_t n = one->ids.n;
    struct buf about;
    if (index_get(&one->ids, str_of(a->id)) != INDEX_NONE)
        return;
    struct str id = arena_str(&one->hidden, str_of(a->id));
    (void)index_put(&one->ids, id, n);
    if (n >= ALERT_HIDDEN_MAX)
        return;
    buf_init(&about, ABOUT_MAX_BYTES);
    inhibit_about(a, &about);
    one->listed[n] = (struct alert_hidden){
        .rule = arena_str(&one->hidden, a->rule),
        .id = id,
        .about = arena_str(&one->hidden, utf8_cut(buf_str(&about), ABOUT_MAX_BYTES - 4))};
    buf_deinit(&about);
}

static bool hide_one(struct hide *h, struct alert *a)
{
    for (size_t i = 0; i < h->firing_n && !alert_is_over(a); i++) {
        struct hider *one = h->firing[i];
        const struct inhibit *by =
            one->over ? NULL : inhibit_of(h->all, h->n, &one->step, a);
        if (!by)
            continue;
        a->hidden_by =
            (struct alert_hider){by->name, one->step.rule, str_of(one->step.id)};
        note_hidden(one, a);
        return true;
    }
    return false;
}

/* The episode whose step it is, over or not. */
static bool list_hidden(const struct hide *h, struct alert *a)
{
    for (size_t i = 0; i < h->firing_n; i++) {
        const struct hider *one = h->firing[i];
        if (strcmp(one->step.id, a->id) != 0 || !one->ids.n)
            continue;
        a->hidden_n = (int64_t)one->ids.n;
        a->hidden_listed =
            one->ids.n < ALERT_HIDDEN_MAX ? one->ids.n : (size_t)ALERT_HIDDEN_MAX;
        memcpy(a->hidden, one->listed, sizeof a->hidden);
        return true;
    }
    return false;
}

void hide_moment(struct hide *h, struct alert **alerts, size_t n, bool *changed)
{
    drop_over(h);
    for (size_t i = 0; i < n; i++)
        take_step(h, alerts[i]);
    for (size_t i = 0; i < n; i++)
        changed[i] = hide_one(h, alerts[i]);
    for (size_t i = 0; i < n; i++)
        changed[i] = (alerts[i]->state != ALERT_VERIFIED && list_hidden(h, alerts[i])) ||
                     changed[i];
}
