#include "app/alert_text.h"

#include "core/timefmt.h"

/* ANSI colours: what is over is green, else by severity. */
static const char *colour_of(const struct alert *a)
{
    static const char *const by_severity[SEVERITIES] = {"\033[36m", "\033[33m",
                                                        "\033[31m", "\033[1;31m"};
    return alert_is_over(a) ? "\033[32m" : by_severity[a->severity];
}

static void put_printable(struct str s, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++)
        buf_char(out, char_printable(s.p[i]));
}

static void put_accounts(const struct alert *a, struct buf *out)
{
    for (size_t i = 0; i < a->accounts_listed && i < 3; i++) {
        const struct alert_account *account = &a->accounts[i];
        buf_text(out, i ? ", " : "  [");
        put_printable(account->name.n ? account->name : account->id, out);
        if (account->tier.n) {
            buf_char(out, ' ');
            put_printable(account->tier, out);
        }
    }
    if (a->accounts_n > 3)
        buf_printf(out, " and %lld more", (long long)a->accounts_n - 3);
    if (a->accounts_listed)
        buf_char(out, ']');
}

void alert_text(const struct alert *a, bool colour, struct buf *out)
{
    char time[TIME_TEXT_BYTES];
    time_text(a->time_ms, time);
    time[10] = ' ';
    buf_printf(out, "%.19s  %s%-9s %-8s%s  %-16.*s ", time, colour ? colour_of(a) : "",
               alert_state_name(a->state), severity_name(a->severity),
               colour ? "\033[0m" : "", STR_ARG(a->rule));
    put_printable(a->summary, out);
    put_accounts(a, out);
    if (a->known_issue.regression)
        buf_text(out, "  (regression of ");
    else if (a->known_issue.id.n)
        buf_text(out, a->known_issue.muted ? "  (muted as " : "  (known as ");
    put_printable(a->known_issue.id, out);
    buf_text(out, a->known_issue.id.n ? ")" : "");
    if (a->silenced.maintenance.n)
        buf_printf(out, "  (silenced: %.*s)", STR_ARG(a->silenced.maintenance));
    if (a->hidden_by.inhibit.n)
        buf_printf(out, "  (hidden by %.*s %.8s)", STR_ARG(a->hidden_by.rule),
                   a->hidden_by.id.p);
    if (a->hidden_n)
        buf_printf(out, "  (hides %lld)", (long long)a->hidden_n);
}

static void put_named(const char *name, struct str text, struct buf *out)
{
    if (text.n == 0)
        return;
    buf_printf(out, "  %s ", name);
    put_printable(text, out);
}

static void put_account_line(const struct alert_account *account, struct buf *out)
{
    buf_text(out, "\n    account ");
    put_printable(account->id, out);
    put_named("name", account->name, out);
    put_named("tier", account->tier, out);
    if (account->mrr > 0)
        buf_printf(out, "  mrr %.10g", account->mrr);
    put_named("renewal", account->renewal, out);
    put_named("owner", account->owner, out);
}

static void put_evidence_line(const struct alert_evidence *evidence, struct buf *out)
{
    char time[TIME_TEXT_BYTES];
    time_text(evidence->time_ms, time);
    buf_printf(out, "\n    %s", time);
    put_named("event", evidence->event, out);
    put_named("ticket", evidence->ticket, out);
    put_named("user", evidence->user, out);
    put_named("account", evidence->account, out);
}

static void put_known_issue(const struct alert_known_issue *issue, struct buf *out)
{
    if (!issue->id.n)
        return;
    buf_text(out, issue->muted ? "\n    was not told:" : "\n   ");
    put_named(issue->regression ? "regression of known issue" : "known issue", issue->id,
              out);
    put_named("title", issue->title, out);
    put_named("workaround", issue->workaround, out);
}

static void put_releases(const struct alert *a, struct buf *out)
{
    for (size_t i = 0; i < a->releases_n; i++) {
        char time[TIME_TEXT_BYTES];
        time_text(a->releases[i].time_ms, time);
        buf_printf(out, "\n    %s  deployed", time);
        put_named("version", a->releases[i].version, out);
        put_named("service", a->releases[i].service, out);
    }
}

static void put_silenced(const struct alert_silenced *s, struct buf *out)
{
    if (!s->maintenance.n)
        return;
    buf_text(out, "\n    was not told: maintenance ");
    put_printable(s->maintenance, out);
    buf_text(out, " by ");
    put_printable(s->author, out);
    buf_text(out, ": ");
    put_printable(s->reason, out);
}

static void put_hidden(const struct alert *a, struct buf *out)
{
    if (a->hidden_by.inhibit.n)
        buf_printf(out, "\n    was not told: explained by %.*s %.*s (%.*s)",
                   STR_ARG(a->hidden_by.rule), STR_ARG(a->hidden_by.id),
                   STR_ARG(a->hidden_by.inhibit));
    for (size_t i = 0; i < a->hidden_listed; i++) {
        buf_printf(out, "\n    explains %.*s %.8s ", STR_ARG(a->hidden[i].rule),
                   a->hidden[i].id.p);
        put_printable(a->hidden[i].about, out);
    }
    if (a->hidden_n > (int64_t)a->hidden_listed)
        buf_printf(out, "\n    and %lld more",
                   (long long)a->hidden_n - (long long)a->hidden_listed);
}

void alert_details(const struct alert *a, struct buf *out)
{
    char first[TIME_TEXT_BYTES], last[TIME_TEXT_BYTES];
    time_text(a->first_seen_ms, first);
    time_text(a->last_seen_ms, last);
    buf_printf(out, "    id %s  count %lld", a->id, (long long)a->count);
    if (a->users != ALERT_NOT_COUNTED)
        buf_printf(out, "  people %lld", (long long)a->users);
    buf_printf(out, "  from %s to %s", first, last);
    for (size_t i = 0; i < a->accounts_listed; i++)
        put_account_line(&a->accounts[i], out);
    if (a->accounts_n > (int64_t)a->accounts_listed)
        buf_printf(out, "\n    and %lld more accounts",
                   (long long)a->accounts_n - (long long)a->accounts_listed);
    for (size_t i = 0; i < a->evidence_n; i++)
        put_evidence_line(&a->evidence[i], out);
    put_known_issue(&a->known_issue, out);
    put_releases(a, out);
    put_silenced(&a->silenced, out);
    put_hidden(a, out);
}
