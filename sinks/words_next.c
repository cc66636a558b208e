/* What to do next, by what is known: an alert is worth what its reader can do with it. */
#include "sinks/words.h"

enum { PART_UNITS = 200 };

static bool has_tickets(const struct alert *a)
{
    for (size_t i = 0; i < a->evidence_n; i++)
        if (a->evidence[i].ticket.n)
            return true;
    return false;
}

static void part(struct buf *out, enum dialect d, const char *before, struct str text)
{
    if (!text.n)
        return;
    buf_text(out, before);
    words_code(out, d, text, PART_UNITS);
}

/* "Reproduce it: open `https://...`, action `download`, version `4.2.1`." */
static void reproduce(struct buf *out, enum dialect d, const struct alert *a)
{
    const struct alert_sample *s = &a->sample;
    if (!s->page_url.n && !s->action.n)
        buf_text(out, "Reproduce it with the first ticket");
    else
        buf_text(out, "Reproduce it:");
    part(out, d, " open ", s->page_url);
    part(out, d, s->page_url.n ? ", action " : " action ", s->action);
    part(out, d, ", version ", s->version);
    buf_text(out, has_tickets(a) ? "; then answer the tickets alike." : ".");
}

static void call_account(struct buf *out, enum dialect d, const struct alert *a)
{
    buf_text(out, "Call the account and ask how it is going");
    if (a->accounts_listed && a->accounts[0].owner.n) {
        buf_text(out, "; its owner is ");
        words_text(out, d, a->accounts[0].owner, PART_UNITS);
    }
    buf_char(out, '.');
}

static void look_back(struct buf *out, const struct alert *a)
{
    buf_text(out, "See what changed before ");
    words_time(out, a->anomaly.bucket_ms ? a->time_ms - a->anomaly.bucket_ms
                                         : a->first_seen_ms);
    buf_text(out, ": a release, an outage, a campaign.");
}

void words_explained(struct buf *out, enum dialect d, const struct alert *a)
{
    enum { NAME_UNITS = 60 };
    for (size_t i = 0; i < a->hidden_listed; i++) {
        buf_text(out, i ? ", " : "");
        words_text(out, d, a->hidden[i].rule, NAME_UNITS);
        if (!a->hidden[i].about.n)
            continue;
        buf_text(out, " (");
        words_text(out, d, a->hidden[i].about, NAME_UNITS);
        buf_char(out, ')');
    }
    if (a->hidden_n > (int64_t)a->hidden_listed)
        buf_printf(out, " and %lld more",
                   (long long)a->hidden_n - (long long)a->hidden_listed);
}

void words_releases(struct buf *out, enum dialect d, const struct alert *a)
{
    enum { NAME_UNITS = 60 };
    struct buf name;
    buf_init(&name, 1024);
    for (size_t i = 0; i < a->releases_n; i++) {
        const struct alert_release *r = &a->releases[i];
        buf_clear(&name);
        buf_put(&name, r->service);
        buf_text(&name, r->service.n ? " " : "");
        buf_put(&name, r->version);
        buf_text(out, i ? ", " : "");
        words_link(out, d, r->url, buf_str(&name), NAME_UNITS);
        buf_text(out, " (");
        words_time(out, r->time_ms);
        buf_char(out, ')');
    }
    buf_deinit(&name);
}

void words_known_issue(struct buf *out, enum dialect d, const struct alert *a)
{
    enum { NAME_UNITS = 120, WORKAROUND_UNITS = 400 };
    const struct alert_known_issue *issue = &a->known_issue;
    struct buf name;
    if (!issue->id.n)
        return;
    buf_init(&name, 4096);
    buf_put(&name, issue->id);
    buf_text(&name, issue->title.n ? " " : "");
    buf_put(&name, issue->title);
    buf_text(out, issue->regression ? "a regression of " : "");
    words_link(out, d, issue->url, buf_str(&name), NAME_UNITS);
    buf_deinit(&name);
    if (issue->fixed) {
        buf_text(out, ", fixed ");
        words_time(out, issue->fixed_ms);
    }
    if (issue->workaround.n && a->state != ALERT_VERIFIED) {
        buf_text(out, ". Workaround: ");
        words_text(out, d, issue->workaround, WORKAROUND_UNITS);
    }
}

/* What one does about what is known already. */
static void known_issue_step(struct buf *out, enum dialect d,
                             const struct alert_known_issue *issue)
{
    buf_text(out, issue->regression ? "Tell those who fixed "
                                    : "Answer the customers with the workaround of ");
    words_text(out, d, issue->id, PART_UNITS);
    buf_text(out, issue->regression ? " that it is back." : ".");
}

void words_next_step(struct buf *out, enum dialect d, const struct alert *a)
{
    const struct alert_known_issue *issue = &a->known_issue;
    if (a->state == ALERT_VERIFIED)
        buf_text(out, "Tell the accounts that it is fixed.");
    else if (a->state == ALERT_RESOLVED)
        buf_text(out, has_tickets(a)
                          ? "Tell the customers of the tickets that it is over."
                          : "");
    else if (issue->regression || issue->workaround.n)
        known_issue_step(out, d, issue);
    else if (str_is(a->kind, "deadline"))
        buf_text(out, "Take it up now, or tell the customer when.");
    else if (str_is(a->kind, "quiet") || words_key(a, "account").n)
        call_account(out, d, a);
    else if (words_key(a, "error").n || words_key(a, "page").n)
        reproduce(out, d, a);
    else if (a->anomaly.present)
        look_back(out, a);
    else if (str_is(a->kind, "new_value"))
        buf_text(out, "See what brought it, before more customers meet it.");
    else
        buf_text(out,
                 "Read the tickets, answer them alike, and decide who mends the cause.");
}
