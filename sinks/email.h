/* E-mail's two parts: the message and its envelope (email.c), and what it says (email_body.c). Pure. */
#ifndef SINKS_EMAIL_H
#define SINKS_EMAIL_H

#include "core/option.h"
#include "sinks/digest.h"
#include "sinks/facts.h"
#include "sinks/sink.h"

enum { EMAIL_SUBJECT_UNITS = 150 };

struct email_settings {
    struct str url, from, ticket_url;
    struct texts to;
    struct secret user, password;
    int starttls; /* enum mail_tls */
    bool html;
    struct template_file title, body, html_body;
};

/* The alert as plain text, and as a page of HTML. */
void email_text(struct buf *out, const struct email_settings *s, const struct alert *a,
                const struct facts *f);
void email_html(struct buf *out, const struct email_settings *s, const struct alert *a,
                const struct facts *f);
/* The same of many. */
void email_digest_text(struct buf *out, const struct email_settings *s,
                       const struct digest *d);
void email_digest_html(struct buf *out, const struct email_settings *s,
                       const struct digest *d);

#endif
