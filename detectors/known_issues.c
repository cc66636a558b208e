#include "detectors/known_issues.h"

#include "core/fingerprint.h"
#include "core/index.h"
#include "core/pattern.h"

enum {
    ID,
    STATUS,
    TITLE,
    WORKAROUND,
    URL,
    MUTE,
    RULE,
    PAGE,
    ERROR,
    SUBJECT,
    CATEGORY,
    FIELDS
};

static void as_it_is(struct str text, struct buf *out)
{
    buf_put(out, text);
}

const struct context_kind known_issues_kind = {
    .name = "$known_issues",
    .type = EVENT_KNOWN_ISSUE_UPDATED,
    .fields = {[ID] = {FIELD_KNOWN_ISSUE_ID, NULL},
               [STATUS] = {FIELD_KNOWN_ISSUE_STATUS, NULL},
               [TITLE] = {FIELD_KNOWN_ISSUE_TITLE, NULL},
               [WORKAROUND] = {FIELD_KNOWN_ISSUE_WORKAROUND, NULL},
               [URL] = {FIELD_KNOWN_ISSUE_URL, NULL},
               [MUTE] = {FIELD_KNOWN_ISSUE_MUTE, NULL},
               [RULE] = {FIELD_KNOWN_ISSUE_RULE, NULL},
               [PAGE] = {FIELD_KNOWN_ISSUE_PAGE, fingerprint_page},
               [ERROR] = {FIELD_KNOWN_ISSUE_ERROR, NULL},
               [SUBJECT] = {FIELD_KNOWN_ISSUE_SUBJECT, fingerprint_subject},
               [CATEGORY] = {FIELD_KNOWN_ISSUE_CATEGORY, as_it_is}},
    .fields_n = FIELDS,
    .kept = 500,
};

/* The parts of a key that an issue may name. */
static const struct {
    const char *name;
    int field;
} parts[] = {{"page", PAGE},
             {"error", ERROR},
             {"subject", SUBJECT},
             {"ticket.category", CATEGORY}};

enum standing { OPEN, FIXED, CLOSED };

/* All that is said of one, by updates before a time. */
struct issue {
    struct str texts[CONTEXT_TEXTS];
    int64_t fixed_ms; /* since when it counts as fixed */
};

static enum standing standing_of(struct str status)
{
    if (str_is(status, "fixed") || str_is(status, "resolved"))
        return FIXED;
    return str_is(status, "closed") ? CLOSED : OPEN;
}

static void lay_over(struct issue *issue, const struct context_event *e)
{
    bool was = standing_of(issue->texts[STATUS]) == FIXED;
    for (size_t i = 0; i < FIELDS; i++)
        if (e->texts[i].n)
            issue->texts[i] = e->texts[i];
    if (!was)
        issue->fixed_ms = e->time_ms;
}

/* What is known at a time. */
static size_t issues_at(const struct rule *rule, const struct context *all,
                        int64_t time_ms, struct arena *arena, struct issue **out)
{
    struct context known = context_before(rule, all, time_ms);
    struct issue *issues = arena_take(arena, (known.n + 1) * sizeof *issues);
    struct index ids;
    size_t n = 0;
    index_init(&ids);
    for (size_t i = 0; i < known.n; i++) {
        const struct context_event *e = &known.events[i];
        if (e->time_ms <= time_ms - context_look_ms(rule))
            continue;
        size_t at = index_put(&ids, e->texts[ID], n);
        if (at == n)
            issues[n++] = (struct issue){0};
        lay_over(&issues[at], e);
    }
    index_deinit(&ids);
    *out = issues;
    return n;
}

static struct str key_part(const struct alert *a, const char *name)
{
    for (size_t i = 0; i < a->keys_n; i++)
        if (str_is(a->key_names[i], name))
            return a->key_values[i];
    return STR_NONE;
}

/* How closely it says what the alert is about: 0, it is not of it. */
static size_t closeness(const struct issue *issue, const struct alert *a)
{
    struct str rule = issue->texts[RULE];
    size_t close = rule.n > 0;
    if (standing_of(issue->texts[STATUS]) == CLOSED ||
        (rule.n && !pattern_fits(rule, a->rule)))
        return 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct str said = issue->texts[parts[i].field];
        if (said.n && !str_eq(said, key_part(a, parts[i].name)))
            return 0;
        close += said.n > 0;
    }
    return close;
}

static bool is_better(const struct issue *one, size_t close, const struct issue *other,
                      size_t other_close)
{
    bool open = standing_of(one->texts[STATUS]) == OPEN;
    bool other_open = standing_of(other->texts[STATUS]) == OPEN;
    if (open != other_open)
        return open;
    if (close != other_close)
        return close > other_close;
    return str_cmp(one->texts[ID], other->texts[ID]) < 0;
}

void known_issues_attach(const struct rule *rule, const struct context *all,
                         struct arena *arena, struct alert *a)
{
    struct issue *issues;
    const struct issue *best = NULL;
    size_t best_close = 0;
    size_t n =
        a->state == ALERT_RESOLVED ? 0 : issues_at(rule, all, a->time_ms, arena, &issues);
    for (size_t i = 0; i < n; i++) {
        size_t close = closeness(&issues[i], a);
        if (!close || (best && !is_better(&issues[i], close, best, best_close)))
            continue;
        best = &issues[i];
        best_close = close;
    }
    a->known_issue = (struct alert_known_issue){0};
    if (!best)
        return;
    bool fixed = standing_of(best->texts[STATUS]) == FIXED;
    int64_t opened_ms = a->state == ALERT_FIRING ? a->time_ms : a->opened_ms;
    a->known_issue = (struct alert_known_issue){
        .id = best->texts[ID],
        .title = best->texts[TITLE],
        .workaround = best->texts[WORKAROUND],
        .url = best->texts[URL],
        .muted = !fixed && str_is(best->texts[MUTE], "true"),
        .fixed = fixed,
        .fixed_ms = fixed ? best->fixed_ms : 0,
        .regression = fixed && best->fixed_ms < opened_ms,
    };
}
