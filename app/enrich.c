/* The accounts of all alerts of a chunk, each once -> their windows, in one look at the store -> the alerts. The
 * windows are looked at after the alerts were found, so they hold every update that the alerts' watermark has passed,
 * and none of these goes before the alerts are committed (detectors/accounts.h). */
#include "app/enrich.h"

#include <stdlib.h>

#include "core/index.h"
#include "detectors/accounts.h"

enum { LOOK_AT_ONCE = 500, HEAD_MAX_BYTES = 4096 };

/* An account, and what is known of it. */
struct known {
    struct window_id id;
    struct account_version *versions;
    size_t n;
};

struct lookup {
    struct arena *arena;
    struct index by_account, by_window; /* numbers of `known`; texts are the arena's */
    struct known *known;
    size_t n, cap;
    int64_t remember_ms;
    struct str name; /* of accounts' windows */
};

typedef void alert_fn(struct lookup *l, struct alert *a);

static struct known *one_more(struct lookup *l)
{
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 16;
        struct known *more = arena_alloc(l->arena, l->cap * sizeof *more);
        if (l->n)
            memcpy(more, l->known, l->n * sizeof *more);
        l->known = more;
    }
    return &l->known[l->n++];
}

/* The rule that keeps accounts is the last of all (detectors/accounts.h). */
static struct str accounts_name(const struct window_store *store, const struct rule *rule)
{
    return store->names ? store->names[store->rules_n - 1] : rule->window_name;
}

static void note_accounts(struct lookup *l, struct alert *a)
{
    struct buf head;
    buf_init(&head, HEAD_MAX_BYTES);
    for (size_t i = 0; i < a->accounts_listed; i++) {
        if (index_put(&l->by_account, a->accounts[i].id, l->n) < l->n)
            continue;
        buf_clear(&head);
        window_head(&head, l->name, &a->accounts[i].id, 1);
        *one_more(l) = (struct known){.id = window_id_of(buf_str(&head))};
    }
    buf_deinit(&head);
}

static int look(struct lookup *l, struct window_store *store, struct err *e)
{
    struct window_id ids[LOOK_AT_ONCE];
    struct window *windows;
    size_t found;
    for (size_t i = 0; i < l->n; i++)
        index_put(&l->by_window, window_id_str(&l->known[i].id), i);
    for (size_t at = 0, some; at < l->n; at += some) {
        some = l->n - at < LOOK_AT_ONCE ? l->n - at : LOOK_AT_ONCE;
        for (size_t i = 0; i < some; i++)
            ids[i] = l->known[at + i].id;
        if (store->ops->peek(store, ids, some, l->arena, &windows, &found, e))
            return -1;
        for (size_t i = 0; i < found; i++) {
            struct known *k =
                &l->known[index_get(&l->by_window, window_id_str(&windows[i].id))];
            k->versions = account_versions_load(windows[i].records, windows[i].records_n,
                                                l->arena, &k->n);
        }
    }
    return 0;
}

static void tell_alert(struct lookup *l, struct alert *a)
{
    for (size_t i = 0; i < a->accounts_listed; i++) {
        const struct known *k = &l->known[index_get(&l->by_account, a->accounts[i].id)];
        account_overlay(k->versions, k->n, a->time_ms, l->remember_ms, &a->accounts[i]);
    }
    qsort(a->accounts, a->accounts_listed, sizeof *a->accounts, alert_account_cmp);
}

static void each_alert(struct lookup *l, struct finding *findings, size_t n, alert_fn *fn)
{
    for (size_t i = 0; i < n; i++) {
        struct judgement *j = &findings[i].found;
        for (size_t a = 0; a < j->announced_n; a++)
            fn(l, &j->announced[a]);
        for (size_t a = 0; a < j->confirmed_n; a++)
            fn(l, &j->confirmed[a]);
    }
}

int enrich(struct window_store *store, const struct rule *accounts,
           struct finding *findings, size_t n, struct arena *arena, struct err *e)
{
    struct lookup l = {.arena = arena};
    if (!accounts)
        return 0;
    index_init(&l.by_account);
    index_init(&l.by_window);
    l.name = accounts_name(store, accounts);
    l.remember_ms = accounts_remember_ms(accounts);
    each_alert(&l, findings, n, note_accounts);
    int result = l.n ? look(&l, store, e) : 0;
    if (l.n && result == 0)
        each_alert(&l, findings, n, tell_alert);
    index_deinit(&l.by_account);
    index_deinit(&l.by_window);
    return result;
}
