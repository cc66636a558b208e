/* The accounts of all alerts of a chunk, each once, the releases and known issues -> their windows, in one look at the store
 * -> the alerts. The windows are looked at after the alerts were found, so they hold every event that the alerts' watermark has passed,
 * and none of these goes before the alerts are committed (detectors/accounts.h, detectors/context.h). */
#include "app/enrich.h"

#include <stdlib.h>

#include "core/index.h"
#include "detectors/accounts.h"
#include "detectors/releases.h"

enum { LOOK_AT_ONCE = 500, HEAD_MAX_BYTES = 4096 };

/* A window, of an account or of all events of a type. */
struct known {
    struct window_id id;
    const struct str *records;
    size_t records_n;
    struct account_version *versions; /* of an account */
    size_t n;
};

struct around {
    const struct rule *rule; /* NULL: nothing is kept */
    size_t at;               /* in `known` */
    struct context events;
};

struct lookup {
    struct arena *arena, one; /* of all; of one alert, and forgotten behind it */
    const struct window_store *store;
    const struct rule *rules, *accounts; /* accounts NULL: nothing is known */
    struct around releases, issues;
    struct index by_account, by_window; /* numbers of `known`; texts are the arena's */
    struct known *known;
    size_t n, cap;
    size_t accounts_n; /* the first of `known` */
    bool any;          /* alerts */
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

static void note_window(struct lookup *l, const struct rule *rule, const struct str *key,
                        size_t key_n)
{
    struct str name =
        l->store->names ? l->store->names[rule - l->rules] : rule->window_name;
    struct buf head;
    buf_init(&head, HEAD_MAX_BYTES);
    window_head(&head, name, key, key_n);
    *one_more(l) = (struct known){.id = window_id_of(buf_str(&head))};
    buf_deinit(&head);
}

static void note_alert(struct lookup *l, struct alert *a)
{
    l->any = true;
    for (size_t i = 0; l->accounts && i < a->accounts_listed; i++)
        if (index_put(&l->by_account, a->accounts[i].id, l->n) == l->n)
            note_window(l, l->accounts, &a->accounts[i].id, 1);
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
            k->records = windows[i].records;
            k->records_n = windows[i].records_n;
        }
    }
    return 0;
}

static void note_around(struct lookup *l, struct around *around)
{
    around->at = l->n;
    if (around->rule)
        note_window(l, around->rule, NULL, 0);
}

static void load_around(struct lookup *l, struct around *around)
{
    const struct known *k = &l->known[around->at];
    if (around->rule)
        around->events = context_load(around->rule, k->records, k->records_n, l->arena);
}

static void load(struct lookup *l)
{
    for (size_t i = 0; i < l->accounts_n; i++) {
        struct known *k = &l->known[i];
        k->versions = account_versions_load(k->records, k->records_n, l->arena, &k->n);
    }
    load_around(l, &l->releases);
    load_around(l, &l->issues);
}

static void tell_accounts(const struct lookup *l, struct alert *a)
{
    for (size_t i = 0; i < a->accounts_listed; i++) {
        const struct known *k = &l->known[index_get(&l->by_account, a->accounts[i].id)];
        account_overlay(k->versions, k->n, a->time_ms, accounts_remember_ms(l->accounts),
                        &a->accounts[i]);
    }
    qsort(a->accounts, a->accounts_listed, sizeof *a->accounts, alert_account_cmp);
}

static void tell_alert(struct lookup *l, struct alert *a)
{
    if (l->accounts)
        tell_accounts(l, a);
    if (l->releases.rule)
        releases_name(l->releases.rule, &l->releases.events, a);
    if (l->issues.rule)
        known_issues_attach(l->issues.rule, &l->issues.events, &l->one, a);
    arena_reset(&l->one);
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

/* Nothing is noted yet. */
static void begin(struct lookup *l, const struct window_store *store,
                  const struct rule *rules, size_t rules_n, struct arena *arena)
{
    *l = (struct lookup){
        .arena = arena,
        .store = store,
        .rules = rules,
        .issues = {.rule = context_rule_of(&known_issues_kind, rules, rules_n)}};
    arena_init(&l->one);
    index_init(&l->by_account);
    index_init(&l->by_window);
}

static void end(struct lookup *l)
{
    arena_deinit(&l->one);
    index_deinit(&l->by_account);
    index_deinit(&l->by_window);
}

int enrich_issues(struct window_store *store, const struct rule *rules, size_t rules_n,
                  struct arena *arena, struct known_issues *out, struct err *e)
{
    struct lookup l;
    begin(&l, store, rules, rules_n, arena);
    note_around(&l, &l.issues);
    int result = look(&l, store, e);
    if (result == 0)
        load_around(&l, &l.issues);
    *out = (struct known_issues){l.issues.rule, l.issues.events};
    end(&l);
    return result;
}

int enrich(struct window_store *store, const struct rule *rules, size_t rules_n,
           struct finding *findings, size_t n, struct arena *arena, struct err *e)
{
    struct lookup l;
    begin(&l, store, rules, rules_n, arena);
    l.accounts = accounts_rule_of(rules, rules_n);
    l.releases.rule = context_rule_of(&releases_kind, rules, rules_n);
    each_alert(&l, findings, n, note_alert);
    l.accounts_n = l.n;
    if (l.any) {
        note_around(&l, &l.releases);
        note_around(&l, &l.issues);
    }
    int result = l.n ? look(&l, store, e) : 0;
    if (l.n && result == 0) {
        load(&l);
        each_alert(&l, findings, n, tell_alert);
    }
    end(&l);
    return result;
}
