/* What an e-mail says: the same as text and as HTML. */
#include "sinks/email.h"
#include "sinks/request.h"

enum { SUMMARY_UNITS = 400 };

/* ---- as text ---- */

static void text_accounts(struct buf *b, const struct alert *a)
{
    for (size_t i = 0; i < a->accounts_listed && i < FACTS_ACCOUNTS; i++) {
        buf_text(b, i ? "- " : "\nAccounts:\n- ");
        words_account(b, DIALECT_PLAIN, &a->accounts[i]);
        buf_char(b, '\n');
    }
}

static void text_exemplars(struct buf *b, const struct email_settings *s,
                           const struct alert *a)
{
    struct exemplars all = facts_exemplars(a);
    if (all.n)
        buf_text(b, all.tickets ? "\nTickets:\n" : "\nEvents:\n");
    for (size_t i = 0; i < all.n; i++) {
        buf_text(b, "- ");
        words_text(b, DIALECT_PLAIN, all.ids[i], FACT_UNITS);
        size_t before = b->n;
        buf_char(b, ' ');
        if (!all.tickets || !words_ticket_url(b, s->ticket_url, all.ids[i]))
            b->n = before;
        buf_char(b, '\n');
    }
}

static void own_text(struct buf *b, const struct email_settings *s, const struct alert *a,
                     const struct facts *f)
{
    struct str summary = facts_summary(a);
    facts_title(b, &s->title, a, DIALECT_PLAIN, EMAIL_SUBJECT_UNITS);
    buf_text(b, "\n\n");
    facts_update(b, a);
    buf_text(b, a->state == ALERT_FIRING ? "" : "\n\n");
    words_text(b, DIALECT_PLAIN, summary, SUMMARY_UNITS);
    buf_text(b, summary.n ? "\n\n" : "");
    for (size_t i = 0; i < f->n; i++)
        buf_printf(b, "%.*s: %.*s\n", STR_ARG(f->items[i].label),
                   STR_ARG(f->items[i].value));
    text_accounts(b, a);
    text_exemplars(b, s, a);
}

void email_text(struct buf *out, const struct email_settings *s, const struct alert *a,
                const struct facts *f)
{
    if (template_text(&s->body, a, DIALECT_PLAIN, s->ticket_url, out))
        buf_char(out, '\n');
    else
        own_text(out, s, a, f);
    buf_text(out, "\n-- \n");
    facts_small_print(out, a);
    buf_char(out, '\n');
}

/* ---- as HTML ---- */

static void html_paragraph(struct buf *b, struct str text, size_t max_units)
{
    if (!text.n)
        return;
    buf_text(b, "<p>");
    words_text(b, DIALECT_HTML, text, max_units);
    buf_text(b, "</p>\n");
}

static void html_facts(struct buf *b, const struct facts *f)
{
    buf_text(b, "<table cellpadding=\"4\" style=\"border-collapse:collapse\">\n");
    for (size_t i = 0; i < f->n; i++) {
        buf_text(b, "<tr><th align=\"left\" valign=\"top\">");
        words_text(b, DIALECT_HTML, f->items[i].label, FACT_UNITS);
        buf_text(b, "</th><td>");
        words_text(b, DIALECT_HTML, f->items[i].value, 2 * FACT_LONG_UNITS);
        buf_text(b, "</td></tr>\n");
    }
    buf_text(b, "</table>\n");
}

static void html_accounts(struct buf *b, const struct alert *a)
{
    for (size_t i = 0; i < a->accounts_listed && i < FACTS_ACCOUNTS; i++) {
        buf_text(b, i ? "<li>" : "<p>Accounts</p>\n<ul>\n<li>");
        words_account(b, DIALECT_HTML, &a->accounts[i]);
        buf_text(b, "</li>\n");
    }
    buf_text(b, a->accounts_listed ? "</ul>\n" : "");
}

static void html_exemplars(struct buf *b, const struct email_settings *s,
                           const struct alert *a)
{
    struct exemplars all = facts_exemplars(a);
    for (size_t i = 0; i < all.n; i++) {
        buf_text(b, i ? ", " : all.tickets ? "<p>Tickets: " : "<p>Events: ");
        words_ticket(b, DIALECT_HTML, all.tickets ? s->ticket_url : STR_NONE, all.ids[i]);
    }
    buf_text(b, all.n ? "</p>\n" : "");
}

static void own_html(struct buf *b, const struct email_settings *s, const struct alert *a,
                     const struct facts *f)
{
    struct buf plain;
    request_buf(&plain);
    buf_printf(b, "<h3 style=\"border-left:6px solid #%06X;padding-left:8px\">",
               (unsigned)facts_colour(a));
    facts_title(b, &s->title, a, DIALECT_HTML, 2 * EMAIL_SUBJECT_UNITS);
    buf_text(b, "</h3>\n");
    facts_update(&plain, a);
    html_paragraph(b, buf_str(&plain), SUMMARY_UNITS);
    html_paragraph(b, facts_summary(a), SUMMARY_UNITS);
    html_facts(b, f);
    html_accounts(b, a);
    html_exemplars(b, s, a);
    buf_deinit(&plain);
}

static void html_small(struct buf *b, struct str plain)
{
    buf_text(b, "<p style=\"color:#777\"><small>");
    words_text(b, DIALECT_HTML, plain, SUMMARY_UNITS);
    buf_text(b, "</small></p>\n");
}

static void html_small_print(struct buf *b, const struct alert *a)
{
    struct buf plain;
    request_buf(&plain);
    facts_small_print(&plain, a);
    html_small(b, buf_str(&plain));
    buf_deinit(&plain);
}

void email_html(struct buf *out, const struct email_settings *s, const struct alert *a,
                const struct facts *f)
{
    buf_text(out, "<!DOCTYPE html>\n<html><body>\n");
    if (template_text(&s->html_body, a, DIALECT_HTML, s->ticket_url, out))
        buf_char(out, '\n');
    else
        own_html(out, s, a, f);
    html_small_print(out, a);
    buf_text(out, "</body></html>\n");
}

/* ---- of many ---- */

enum { LIST_BYTES = 60000 };

void email_digest_text(struct buf *out, const struct email_settings *s,
                       const struct digest *d)
{
    digest_title(out, d);
    buf_text(out, "\n\n");
    digest_text(out, d, DIALECT_PLAIN, s->ticket_url, LIST_BYTES);
    buf_text(out, "\n-- \n");
    digest_small_print(out, d);
    buf_char(out, '\n');
}

void email_digest_html(struct buf *out, const struct email_settings *s,
                       const struct digest *d)
{
    struct buf plain;
    request_buf(&plain);
    buf_printf(out,
               "<!DOCTYPE html>\n<html><body>\n"
               "<h3 style=\"border-left:6px solid #%06X;padding-left:8px\">",
               (unsigned)facts_colour(&d->face));
    digest_title(out, d);
    buf_text(out, "</h3>\n");
    digest_text(out, d, DIALECT_HTML, s->ticket_url, LIST_BYTES);
    digest_small_print(&plain, d);
    html_small(out, buf_str(&plain));
    buf_text(out, "</body></html>\n");
    buf_deinit(&plain);
}
