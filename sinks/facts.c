#include "sinks/facts.h"

#include "sinks/request.h"

enum {
    TITLE_FRONT_UNITS = 17,
    RULE_UNITS = 120
}; /* sign and state are shorter than that */

/* ---- single facts ---- */

static void add(struct facts *f, struct arena *arena, struct str label, struct buf *value)
{
    if (value->n && f->n < FACTS_MAX)
        f->items[f->n++] = (struct fact){.label = arena_str(arena, label),
                                         .value = arena_str(arena, buf_str(value))};
    buf_clear(value);
}

/* A text from outside. */
static void add_text(struct facts *f, struct arena *arena, const char *label,
                     struct str text, size_t max_units)
{
    struct buf b;
    request_buf(&b);
    words_text(&b, DIALECT_PLAIN, text, max_units);
    add(f, arena, str_of(label), &b);
    buf_deinit(&b);
}

static void make_last_long(struct facts *f, size_t before)
{
    if (f->n > before)
        f->items[f->n - 1].is_long = true;
}

/* The error has a fact of its own, and so have a subject and an account where more than the key is known. */
static bool is_told_later(const struct alert *a, size_t key)
{
    struct str name = a->key_names[key], value = a->key_values[key];
    bool account = a->accounts_listed && str_eq(value, a->accounts[0].id);
    return str_is(name, "error") || account ||
           (str_is(name, "subject") && a->sample.subject.n);
}

static void add_keys(struct facts *f, const struct alert *a, struct arena *arena)
{
    struct buf label, value;
    request_buf(&label);
    request_buf(&value);
    for (size_t i = 0; i < a->keys_n; i++) {
        if (is_told_later(a, i))
            continue;
        buf_clear(&label);
        words_label(&label, a->key_names[i]);
        words_text(&value, DIALECT_PLAIN, a->key_values[i], FACT_UNITS);
        add(f, arena, buf_str(&label), &value);
    }
    buf_deinit(&label);
    buf_deinit(&value);
}

void facts_accounts(struct buf *b, const struct alert *a)
{
    double mrr = words_mrr(a);
    if (a->accounts_n < 2)
        return; /* one is named */
    words_number(b, (double)a->accounts_n);
    if (mrr == 0)
        return;
    buf_text(b, a->accounts_n > (int64_t)a->accounts_listed ? " (at least " : " (");
    words_number(b, mrr);
    buf_text(b, " MRR)");
}

static void add_figures(struct facts *f, const struct alert *a, struct arena *arena)
{
    bool over = alert_is_over(a);
    struct buf b;
    request_buf(&b);
    buf_text(&b, words_severity(a->severity));
    add(f, arena, STR("Severity"), &b);
    if (a->anomaly.present)
        words_anomaly(&b, DIALECT_PLAIN, a);
    add(f, arena, STR("Value"), &b);
    words_how_often(&b, a);
    add(f, arena, STR("How often"), &b);
    (void)words_trend(&b, a);
    add(f, arena, STR("Trend"), &b);
    facts_accounts(&b, a);
    add(f, arena, STR("Accounts"), &b);
    words_time(&b, a->first_seen_ms);
    add(f, arena, over ? STR("From") : STR("Since"), &b);
    if (over)
        words_time(&b, a->last_seen_ms);
    add(f, arena, STR("Last seen"), &b);
    words_known_issue(&b, DIALECT_PLAIN, a);
    add(f, arena, STR("Known issue"), &b);
    words_releases(&b, DIALECT_PLAIN, a);
    add(f, arena, STR("Deployed before"), &b);
    words_explained(&b, DIALECT_PLAIN, a);
    add(f, arena, STR("Explains"), &b);
    buf_deinit(&b);
}

static void add_sample(struct facts *f, const struct alert *a, struct arena *arena)
{
    struct buf error;
    size_t before = f->n;
    add_text(f, arena, "Action", a->sample.action, FACT_UNITS);
    add_text(f, arena, "Version", a->sample.version, FACT_UNITS);
    if (alert_is_over(a))
        return;
    request_buf(&error);
    if (words_key(a, "error").n || words_key(a, "page").n)
        words_error(&error, a);
    before = f->n;
    add_text(f, arena, "Error", buf_str(&error), FACT_LONG_UNITS);
    make_last_long(f, before);
    before = f->n;
    add_text(f, arena, "First reported as", a->sample.subject, FACT_LONG_UNITS);
    make_last_long(f, before);
    buf_deinit(&error);
}

void facts_of(const struct alert *a, struct arena *arena, struct facts *out)
{
    out->n = 0;
    add_keys(out, a, arena);
    add_figures(out, a, arena);
    add_sample(out, a, arena);
}

/* ---- around them ---- */

const char *facts_sign(const struct alert *a)
{
    static const char *const signs[SEVERITIES] = {"🔵", "🟡", "🟠", "🔴"};
    return alert_is_over(a) ? "✅" : signs[a->severity];
}

const char *facts_state(const struct alert *a)
{
    static const char *const states[ALERT_STATES] = {
        "", "Escalated: ", "Still firing: ", "Resolved: ", "Fix verified: "};
    return states[a->state];
}

void facts_title(struct buf *out, const struct template_file *own, const struct alert *a,
                 enum dialect d, size_t max_units)
{
    struct buf title;
    request_buf(&title);
    if (!own || !template_line(own, a, &title, max_units))
        words_title(&title, a, false);
    buf_printf(out, "%s %s", facts_sign(a), facts_state(a));
    words_text(out, d, buf_str(&title), max_units - TITLE_FRONT_UNITS);
    buf_deinit(&title);
}

void facts_update(struct buf *out, const struct alert *a)
{
    if (a->state == ALERT_ESCALATED)
        buf_printf(out, "Now %s. The same alert as before, %.8s, got worse.",
                   severity_name(a->severity), a->id);
    else if (a->state == ALERT_RESOLVED)
        buf_printf(out, "Over. Alert %.8s is resolved.", a->id);
    else if (a->state == ALERT_VERIFIED)
        buf_printf(
            out, "The fix of alert %.8s is verified: tell the accounts that it is fixed.",
            a->id);
    else if (a->state == ALERT_REMINDER) {
        words_still(out, a);
        buf_printf(out, ": the same alert as before, %.8s.", a->id);
    }
}

struct str facts_summary(const struct alert *a)
{
    return words_says_all(a) ? STR_NONE : a->summary;
}

struct exemplars facts_exemplars(const struct alert *a)
{
    struct exemplars all = {0};
    for (size_t i = 0; i < a->evidence_n; i++)
        all.tickets = all.tickets || a->evidence[i].ticket.n;
    for (size_t i = 0; i < a->evidence_n; i++) {
        struct str id = all.tickets ? a->evidence[i].ticket : a->evidence[i].event;
        if (id.n)
            all.ids[all.n++] = id;
    }
    return all;
}

void facts_small_print(struct buf *out, const struct alert *a)
{
    buf_text(out, "Rule ");
    words_text(out, DIALECT_PLAIN, a->rule, RULE_UNITS);
    buf_printf(out, " · alert %s · ", a->id);
    words_time(out, a->time_ms);
}

int facts_colour(const struct alert *a)
{
    static const int colours[SEVERITIES] = {0x2F80ED, 0xF2C94C, 0xF2994A, 0xD92D20};
    return alert_is_over(a) ? 0x27AE60 : colours[a->severity];
}
