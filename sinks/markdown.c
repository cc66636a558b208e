/* What engineers read. First one paragraph with the facts, then what the error was and how to get
 * there, then the cases and the accounts as tables, at the end what was taken for the same error and
 * by which rule. Sections without content are left out. */
#include "sinks/markdown.h"
#include "core/timefmt.h"
#include "sinks/words.h"

enum {
    CODE_UNITS = 2000,
    CELL_UNITS = 120,
};

static void code(struct buf *out, const char *before, struct str text, const char *after)
{
    if (!text.n)
        return;
    buf_text(out, before);
    words_code(out, DIALECT_MARKDOWN, text, CODE_UNITS);
    buf_text(out, after);
}

static void rate(struct buf *out, const struct alert *a)
{
    size_t start = out->n;
    buf_text(out, ", ");
    if (!words_rate(out, a))
        out->n = start;
}

static void trend(struct buf *out, const struct alert *a)
{
    size_t start = out->n;
    buf_text(out, "\nTrend ");
    if (words_trend(out, a))
        buf_text(out, ", the newest last.\n");
    else
        out->n = start;
}

static void facts(struct buf *out, const struct alert *a)
{
    words_how_often(out, a);
    rate(out, a);
    if (a->accounts_n > 0) {
        buf_text(out, ", ");
        words_count(out, a->accounts_n, "account", "accounts");
    }
    buf_text(out, ". First seen ");
    words_time(out, a->first_seen_ms);
    buf_text(out, ", last seen ");
    words_time(out, a->last_seen_ms);
    buf_text(out, ".\n");
    if (a->anomaly.present) {
        buf_text(out, "\nValue ");
        words_anomaly(out, DIALECT_MARKDOWN, a);
        buf_text(out, ".\n");
    }
    trend(out, a);
    if (a->known_issue.id.n) {
        buf_text(out, "\nKnown issue: ");
        words_known_issue(out, DIALECT_MARKDOWN, a);
        buf_char(out, '\n');
    }
    if (a->releases_n) {
        buf_text(out, "\nDeployed before it began: ");
        words_releases(out, DIALECT_MARKDOWN, a);
        buf_text(out, ".\n");
    }
    if (!words_says_all(a)) {
        buf_text(out, "\n\u201c");
        words_text(out, DIALECT_MARKDOWN, a->summary, 2 * CELL_UNITS);
        buf_text(out, "\u201d\n");
    }
}

static void error(struct buf *out, const struct alert *a)
{
    struct buf text;
    buf_init(&text, 16 * 1024);
    words_error(&text, a);
    code(out, "\n## Error\n\n", buf_str(&text), "\n");
    buf_deinit(&text);
}

/* How the first exemplar got there. */
static void reproduce(struct buf *out, const struct alert *a)
{
    const struct alert_sample *s = &a->sample;
    if (!s->page_url.n && !s->action.n && !s->version.n && !s->subject.n)
        return;
    bool place = s->page_url.n || s->action.n;
    buf_text(out, place ? "\n## Reproduce\n\n" : "\n## First case\n\n");
    code(out, "- Open ", s->page_url, "\n");
    code(out, "- Action ", s->action, "\n");
    code(out, "- Product version ", s->version, "\n");
    code(out, "- First reported as ", s->subject, "\n");
    if (!a->evidence_n)
        return;
    buf_text(out, "- Seen ");
    words_time(out, a->evidence[0].time_ms);
    code(out, " by user ", a->evidence[0].user, "");
    code(out, " of account ", a->evidence[0].account, "");
    buf_text(out, "\n");
}

static void cell(struct buf *out, struct str text)
{
    buf_char(out, ' ');
    words_text(out, DIALECT_MARKDOWN, text, CELL_UNITS);
    buf_text(out, " |");
}

static void cases(struct buf *out, const struct alert *a, struct str ticket_url)
{
    char time[TIME_TEXT_BYTES];
    if (!a->evidence_n)
        return;
    buf_text(out, "\n## Seen\n\n| Time | Ticket | User | Account | Event |\n"
                  "| --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < a->evidence_n; i++) {
        const struct alert_evidence *e = &a->evidence[i];
        time_text(e->time_ms, time);
        buf_printf(out, "| %s | ", time);
        words_ticket(out, DIALECT_MARKDOWN, ticket_url, e->ticket);
        buf_text(out, " |");
        cell(out, e->user);
        cell(out, e->account);
        cell(out, e->event);
        buf_char(out, '\n');
    }
    if (a->count > (int64_t)a->evidence_n)
        buf_printf(out, "\n%zu of %lld.\n", a->evidence_n, (long long)a->count);
}

static void accounts(struct buf *out, const struct alert *a)
{
    if (!a->accounts_listed)
        return;
    buf_text(out, "\n## Accounts\n\n| Account | Name | Tier | MRR | Renewal | Owner |\n"
                  "| --- | --- | --- | ---: | --- | --- |\n");
    for (size_t i = 0; i < a->accounts_listed; i++) {
        const struct alert_account *account = &a->accounts[i];
        buf_char(out, '|');
        cell(out, account->id);
        cell(out, account->name);
        cell(out, account->tier);
        buf_char(out, ' ');
        if (account->mrr != 0)
            words_number(out, account->mrr);
        buf_text(out, " |");
        cell(out, account->renewal);
        cell(out, account->owner);
        buf_char(out, '\n');
    }
    if (a->accounts_n > (int64_t)a->accounts_listed)
        buf_printf(out, "\nand %lld more.\n",
                   (long long)(a->accounts_n - (int64_t)a->accounts_listed));
}

/* By what these were counted as one. */
static void grouping(struct buf *out, const struct alert *a)
{
    buf_text(out, a->keys_n ? "\n## Counted as the same\n\n" : "");
    for (size_t i = 0; i < a->keys_n; i++) {
        buf_text(out, "- ");
        words_label(out, a->key_names[i]);
        code(out, " ", a->key_values[i], "");
        buf_char(out, '\n');
    }
    buf_text(out, "\n---\n\nticketwatch rule ");
    words_code(out, DIALECT_MARKDOWN, a->rule, CELL_UNITS);
    buf_printf(out, ", alert `%s`\n", a->id);
}

static void explained(struct buf *out, const struct alert *a)
{
    if (!a->hidden_listed)
        return;
    buf_text(out, "\nIt explains, and nobody was told of: ");
    words_explained(out, DIALECT_MARKDOWN, a);
    buf_text(out, ".\n");
}

void markdown_report(struct buf *out, const struct alert *a, struct str ticket_url)
{
    buf_printf(out, "**%s**: ", words_severity(a->severity));
    facts(out, a);
    error(out, a);
    reproduce(out, a);
    cases(out, a, ticket_url);
    accounts(out, a);
    grouping(out, a);
}

void markdown_again(struct buf *out, const struct alert *a, struct str ticket_url)
{
    buf_printf(out, "It is back, **%s**: ", severity_name(a->severity));
    facts(out, a);
    error(out, a);
    reproduce(out, a);
    cases(out, a, ticket_url);
    accounts(out, a);
    buf_printf(out, "\nticketwatch alert `%s`\n", a->id);
}

/* "The fix is verified, nothing for 9 days: KI-41 ..., fixed 2026-03-02 09:02 UTC." */
static void verified(struct buf *out, const struct alert *a)
{
    buf_text(out, "The fix is **verified**, ");
    words_how_often(out, a);
    buf_text(out, ": ");
    words_known_issue(out, DIALECT_MARKDOWN, a);
    buf_text(out, ".\n\n");
    words_next_step(out, DIALECT_MARKDOWN, a);
    buf_char(out, '\n');
}

void markdown_update(struct buf *out, const struct alert *a, struct str ticket_url)
{
    if (a->state == ALERT_RESOLVED) {
        buf_text(out, "Quiet since ");
        words_time(out, a->last_seen_ms);
        buf_text(
            out,
            ": this counts as over; should it come back, a new alert follows. It came ");
        words_how_often(out, a);
        buf_text(out, ".\n");
    } else if (a->state == ALERT_VERIFIED) {
        verified(out, a);
        cases(out, a, ticket_url);
        accounts(out, a);
    } else {
        if (a->state == ALERT_REMINDER)
            words_still(out, a);
        else
            buf_printf(out, "It got worse, now **%s**", severity_name(a->severity));
        buf_text(out, ": ");
        facts(out, a);
        cases(out, a, ticket_url);
        accounts(out, a);
    }
    explained(out, a);
    buf_printf(out, "\nticketwatch alert `%s`\n", a->id);
}
