#include "detectors/accounts.h"

#include <stdlib.h>

#include "core/utf8.h"

enum {
    TEXT_BYTES = 128, /* as members have it */
    EVENT_BYTES = 256,
    /* Of more for one account between two judgements the oldest go: 10,000 updates in the time that events may
     * be late are no account's. */
    VERSIONS_MAX = 10000,
};
#define FOLD_AFTER_MS 3600000LL /* event time; nothing waits for it */
#define NAME "$accounts"        /* names of rules are letters, digits, - _ and . */

/* --- versions --- */

static double number(const struct event *e, enum event_field f)
{
    const struct value *v = event_value(e, f);
    return v->type == VALUE_NUMBER ? v->number : 0;
}

bool account_version_of(const struct event *e, struct account_version *out)
{
    *out = (struct account_version){
        .time_ms = e->time_ms,
        .event = utf8_cut(e->id, EVENT_BYTES),
        .account = {.id = event_text(e, FIELD_ACCOUNT_ID),
                    .name = utf8_cut(event_text(e, FIELD_ACCOUNT_NAME), TEXT_BYTES),
                    .tier = utf8_cut(event_text(e, FIELD_ACCOUNT_TIER), TEXT_BYTES),
                    .renewal = utf8_cut(event_text(e, FIELD_ACCOUNT_RENEWAL), TEXT_BYTES),
                    .owner = utf8_cut(event_text(e, FIELD_ACCOUNT_OWNER), TEXT_BYTES),
                    .mrr = number(e, FIELD_ACCOUNT_MRR)},
        .has_mrr = event_value(e, FIELD_ACCOUNT_MRR)->type == VALUE_NUMBER,
    };
    const struct alert_account *a = &out->account;
    return a->id.n &&
           (a->name.n || a->tier.n || a->renewal.n || a->owner.n || out->has_mrr);
}

void account_version_pack(const struct account_version *v, struct buf *out)
{
    buf_i64(out, v->time_ms);
    buf_str16(out, v->event);
    buf_str16(out, v->account.name);
    buf_str16(out, v->account.tier);
    buf_str16(out, v->account.renewal);
    buf_str16(out, v->account.owner);
    buf_u8(out, v->has_mrr);
    buf_f64(out, v->account.mrr);
}

bool account_version_unpack(struct str packed, struct account_version *v)
{
    struct reader r = {.in = packed};
    *v = (struct account_version){.time_ms = reader_i64(&r)};
    v->event = reader_str16(&r);
    v->account.name = reader_str16(&r);
    v->account.tier = reader_str16(&r);
    v->account.renewal = reader_str16(&r);
    v->account.owner = reader_str16(&r);
    v->has_mrr = reader_u8(&r);
    v->account.mrr = reader_f64(&r);
    return !r.failed && r.in.n == 0;
}

static int in_order(const void *a, const void *b)
{
    const struct account_version *x = a, *y = b;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return str_cmp(x->event, y->event);
}

struct account_version *account_versions_load(const struct str *records, size_t records_n,
                                              struct arena *arena, size_t *n)
{
    struct account_version *versions =
        arena_alloc(arena, (records_n + 1) * sizeof *versions);
    *n = 0;
    for (size_t i = 0; i < records_n; i++)
        if (account_version_unpack(records[i], &versions[*n]))
            ++*n;
    qsort(versions, *n, sizeof *versions, in_order);
    return versions;
}

enum { SAYS_NAME = 1, SAYS_TIER = 2, SAYS_RENEWAL = 4, SAYS_OWNER = 8, SAYS_MRR = 16 };

static unsigned says(const struct account_version *v)
{
    const struct alert_account *a = &v->account;
    return (a->name.n ? SAYS_NAME : 0u) | (a->tier.n ? SAYS_TIER : 0u) |
           (a->renewal.n ? SAYS_RENEWAL : 0u) | (a->owner.n ? SAYS_OWNER : 0u) |
           (v->has_mrr ? SAYS_MRR : 0u);
}

void account_versions_fold(const struct account_version *versions, size_t n,
                           int64_t judged_ms, int64_t remember_ms, bool *keep)
{
    unsigned said = 0;
    for (size_t i = n; i-- > 0;) {
        const struct account_version *v = &versions[i];
        keep[i] = judged_ms == ALWAYS_MS || v->time_ms >= judged_ms;
        if (keep[i])
            continue;
        keep[i] = (says(v) & ~said) && v->time_ms > judged_ms - remember_ms;
        said |= says(v);
    }
}

static void lay_over(const struct account_version *v, struct alert_account *out)
{
    const struct alert_account *a = &v->account;
    out->name = a->name.n ? a->name : out->name;
    out->tier = a->tier.n ? a->tier : out->tier;
    out->renewal = a->renewal.n ? a->renewal : out->renewal;
    out->owner = a->owner.n ? a->owner : out->owner;
    out->mrr = v->has_mrr ? a->mrr : out->mrr;
}

void account_overlay(const struct account_version *versions, size_t n, int64_t t_ms,
                     int64_t remember_ms, struct alert_account *account)
{
    for (size_t i = 0; i < n && versions[i].time_ms < t_ms; i++)
        if (versions[i].time_ms > t_ms - remember_ms)
            lay_over(&versions[i], account);
}

/* --- the window that keeps them --- */

static bool accounts_update(const struct rule *rule, const struct event *event,
                            struct update *out)
{
    struct account_version v;
    (void)rule;
    if (!account_version_of(event, &v))
        return false;
    account_version_pack(&v, out->record);
    out->due_ms = event->time_ms + FOLD_AFTER_MS;
    return true;
}

/* When something can go: versions that later ones make needless, or one that is forgotten. In no hurry: also
 * where the time has come and others are not judged yet, it is tried again some time later. */
static int64_t due_ms(const struct judge_input *in, const struct account_version *first,
                      int64_t unfolded_ms)
{
    const struct accounts_settings *s = in->rule->settings;
    int64_t due = first->time_ms + s->remember_ms + 2;
    if (unfolded_ms != NEVER_MS && unfolded_ms + FOLD_AFTER_MS < due)
        due = unfolded_ms + FOLD_AFTER_MS;
    if (due > in->watermark_ms)
        return due;
    return in->watermark_ms < NEVER_MS - FOLD_AFTER_MS ? in->watermark_ms + FOLD_AFTER_MS
                                                       : NEVER_MS;
}

static void keep_version(struct judgement *out, const struct account_version *v)
{
    size_t begin = buf_str16_begin(out->kept);
    account_version_pack(v, out->kept);
    buf_str16_end(out->kept, begin);
    out->kept_n++;
}

static void accounts_judge(const struct judge_input *in, struct judgement *out)
{
    const struct accounts_settings *s = in->rule->settings;
    const struct account_version *first = NULL;
    int64_t unfolded_ms = NEVER_MS;
    size_t n;
    struct account_version *versions =
        account_versions_load(in->records, in->records_n, out->arena, &n);
    bool *keep = arena_alloc(out->arena, n + 1);
    account_versions_fold(versions, n, in->judged_ms, s->remember_ms, keep);
    for (size_t i = n > VERSIONS_MAX ? n - VERSIONS_MAX : 0; i < n; i++) {
        if (!keep[i])
            continue;
        if (first && versions[i].time_ms >= in->judged_ms && unfolded_ms == NEVER_MS)
            unfolded_ms = versions[i].time_ms;
        first = first ? first : &versions[i];
        keep_version(out, &versions[i]);
    }
    if (first)
        out->due_ms = due_ms(in, first, unfolded_ms);
}

static const struct detector accounts_detector = {
    .name = "accounts",
    .help = "What is known of accounts; the program's own.",
    .settings_bytes = sizeof(struct accounts_settings),
    .update = accounts_update,
    .judge = accounts_judge,
};

void accounts_rule(int64_t remember_ms, struct arena *arena, struct rule *out)
{
    struct accounts_settings *s = arena_alloc(arena, sizeof *s);
    s->remember_ms = remember_ms;
    *out = (struct rule){
        .name = STR(NAME),
        .on = 1u << EVENT_ACCOUNT_UPDATED,
        .by = {{STR("account"), KEY_FIELD, FIELD_ACCOUNT_ID}},
        .by_n = 1,
        .kind = &accounts_detector,
        .settings = s,
        .steps = {{0, SEVERITY_LOW}},
        .steps_n = 1,
        .layout = rule_layout("accounts", &remember_ms, 1),
        .everywhere = true,
        .lookback_ms = remember_ms,
    };
    out->window_name = rule_window_name(out, arena);
}

const struct rule *accounts_rule_of(const struct rule *rules, size_t n)
{
    return n && rules[n - 1].kind == &accounts_detector ? &rules[n - 1] : NULL;
}

int64_t accounts_remember_ms(const struct rule *accounts)
{
    const struct accounts_settings *s = accounts->settings;
    return s->remember_ms;
}
