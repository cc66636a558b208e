/* E-mail: one message a transition, as text and HTML. Its Message-ID is made from the alert and its step, so a message
 * that comes twice can be told, and mail programs show it once or in one thread: an escalation and a resolution answer
 * the first message (RFC 5322 3.6.4). RFC 3834 keeps automatic answers away. */
#include "sinks/email.h"

#include <stdio.h>

#include "sinks/alert_body.h"
#include "sinks/mime.h"
#include "sinks/request.h"
#include "sinks/rows.h"
#include "sinks/smtp.h"

enum {
    MESSAGE_MAX_BYTES = 512 * 1024, /* more than its bounded texts make */
    RECIPIENTS_MAX = 50,
};

static const char *const schemes[] = {"smtps://", "smtp://", NULL};
static const char *const tls_words[] = {
    [MAIL_TLS_ALWAYS] = "always", [MAIL_TLS_NEVER] = "never", NULL};

/* ---- the message ---- */

static struct str digest_subject(const struct digest *d, struct buf *b)
{
    buf_printf(b, "[%s] ",
               d->face.state == ALERT_RESOLVED ? "Resolved"
                                               : words_severity(d->face.severity));
    digest_count(b, d);
    return buf_str(b);
}

static struct str subject(const struct email_settings *s, const struct alert *a,
                          struct buf *b)
{
    static const char *const states[ALERT_STATES] = {
        "", "Escalated: ", "Still firing: ", "", "Fix verified: "};
    struct buf title;
    request_buf(&title);
    if (!template_line(&s->title, a, &title, EMAIL_SUBJECT_UNITS))
        words_title(&title, a, false);
    buf_printf(b, "[%s] %s", alert_is_over(a) ? "Resolved" : words_severity(a->severity),
               states[a->state]);
    words_text(b, DIALECT_PLAIN, buf_str(&title), EMAIL_SUBJECT_UNITS);
    buf_deinit(&title);
    return buf_str(b);
}

/* "<5d41..._firing@example.com>" */
static void message_id(struct buf *out, const char *name, struct str step,
                       struct str from)
{
    const char *at = memchr(from.p, '@', from.n);
    struct str domain = str_from(from, (size_t)(at - from.p) + 1);
    buf_printf(out, "%s: <%.*s@%.*s>\r\n", name, STR_ARG(step), STR_ARG(domain));
}

/* A digest begins a thread of its own that nothing answers. */
static void put_thread(struct buf *out, const struct sink_input *in, struct arena *arena)
{
    const struct email_settings *s = in->settings;
    const struct alert *a = in->alert;
    struct alert first = *a;
    if (in->digest) {
        char step[48];
        snprintf(step, sizeof step, "%s_digest", a->id);
        message_id(out, "Message-ID", str_of(step), s->from);
        return;
    }
    first.state = ALERT_FIRING;
    struct str opening = alert_step_id(&first, arena);
    message_id(out, "Message-ID", alert_step_id(a, arena), s->from);
    if (a->state == ALERT_FIRING)
        return;
    message_id(out, "In-Reply-To", opening, s->from);
    message_id(out, "References", opening, s->from);
}

static void put_headers(struct buf *out, const struct sink_input *in, struct arena *arena)
{
    const struct email_settings *s = in->settings;
    struct buf b;
    request_buf(&b);
    mime_date(out, in->now_ms);
    buf_printf(out, "From: ticketwatch <%.*s>\r\n", STR_ARG(s->from));
    mime_addresses(out, "To", s->to.items, s->to.n);
    mime_header(out, "Subject",
                in->digest ? digest_subject(in->digest, &b) : subject(s, in->alert, &b));
    put_thread(out, in, arena);
    if (in->alert->severity >= SEVERITY_HIGH && !alert_is_over(in->alert))
        buf_text(out, "Importance: high\r\n");
    buf_text(out, "Auto-Submitted: auto-generated\r\n"
                  "X-Auto-Response-Suppress: All\r\n"
                  "MIME-Version: 1.0\r\n");
    buf_deinit(&b);
}

static void put_part(struct buf *out, const char *type, struct str text)
{
    buf_printf(out,
               "Content-Type: %s; charset=utf-8\r\n"
               "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
               type);
    mime_quoted_printable(out, text);
}

/* Who wrote the text alone wants no other words beside it. */
static bool has_html(const struct email_settings *s)
{
    return s->html && (!s->body.path.n || s->html_body.path.n);
}

static void put_text(struct buf *out, const struct sink_input *in, const struct facts *f)
{
    if (in->digest)
        email_digest_text(out, in->settings, in->digest);
    else
        email_text(out, in->settings, in->alert, f);
}

static void put_html(struct buf *out, const struct sink_input *in, const struct facts *f)
{
    if (in->digest)
        email_digest_html(out, in->settings, in->digest);
    else
        email_html(out, in->settings, in->alert, f);
}

/* No encoded line begins with two hyphens and an id as long as the boundary: it has a '=', which none may. */
static void put_parts(struct buf *out, const struct sink_input *in, const struct facts *f)
{
    const struct email_settings *s = in->settings;
    struct buf b;
    buf_init(&b, MESSAGE_MAX_BYTES);
    put_text(&b, in, f);
    if (!has_html(s)) {
        put_part(out, "text/plain", buf_str(&b));
    } else {
        buf_printf(
            out,
            "Content-Type: multipart/alternative; boundary=\"=_%s\"\r\n\r\n--=_%s\r\n",
            in->alert->id, in->alert->id);
        put_part(out, "text/plain", buf_str(&b));
        buf_printf(out, "--=_%s\r\n", in->alert->id);
        buf_clear(&b);
        put_html(&b, in, f);
        put_part(out, "text/html", buf_str(&b));
        buf_printf(out, "--=_%s--\r\n", in->alert->id);
    }
    buf_deinit(&b);
}

static struct str message(const struct sink_input *in, struct arena *arena)
{
    struct facts f;
    struct buf out;
    buf_init(&out, MESSAGE_MAX_BYTES);
    facts_of(in->alert, arena, &f);
    put_headers(&out, in, arena);
    put_parts(&out, in, &f);
    struct str kept = arena_str(arena, buf_str(&out));
    buf_deinit(&out);
    return kept;
}

/* ---- the sink ---- */

/* What stands in the envelope and in headers is checked here: nothing else can end a line there. */
static int check(const struct email_settings *s, struct err *e)
{
    if (!mime_is_address(s->from))
        return err_set(e, ERR_REFUSED,
                       "from: must be an address such as alerts@example.com");
    for (size_t i = 0; i < s->to.n; i++)
        if (!mime_is_address(s->to.items[i]))
            return err_set(e, ERR_REFUSED,
                           "to: must be addresses such as support@example.com");
    if (s->to.n == 0 || s->to.n > RECIPIENTS_MAX)
        return err_set(e, ERR_REFUSED, "to: must be 1 to %d addresses", RECIPIENTS_MAX);
    if (s->starttls == MAIL_TLS_NEVER && str_starts(s->url, STR("smtp://")) &&
        (s->user.value.n || s->user.file.n || s->password.value.n || s->password.file.n))
        return err_set(e, ERR_REFUSED, "starttls: a password is not sent in the clear");
    return 0;
}

static int email_complete(void *settings, const struct sink_surroundings *surroundings,
                          struct err *e)
{
    const struct email_settings *s = settings;
    struct err wrong = {0};
    (void)surroundings;
    if (!s->url.n || !s->from.n || !s->to.n || check(s, &wrong) == 0)
        return 0; /* what is missing is told already */
    return err_set(e, ERR_INPUT, "%s", wrong.text);
}

static int credentials(const struct sink_input *in, struct mail *m, struct err *e)
{
    const struct email_settings *s = in->settings;
    m->user = in->secrets->values[0];
    m->password = in->secrets->values[1];
    if ((m->user.n > 0) != (m->password.n > 0))
        return err_set(e, ERR_REFUSED, "email: user and password go together");
    if (m->user.n && s->starttls == MAIL_TLS_NEVER && str_starts(s->url, STR("smtp://")))
        return err_set(e, ERR_REFUSED, "email: a password is not sent in the clear");
    return 0;
}

static int email_format(const struct sink_input *in, struct arena *arena,
                        struct request *out, struct err *e)
{
    const struct email_settings *s = in->settings;
    struct mail *m = arena_alloc(arena, sizeof *m);
    *m = (struct mail){
        .from = s->from, .to = s->to, .starttls = (enum mail_tls)s->starttls};
    if (check(s, e) || credentials(in, m, e))
        return -1;
    *out = (struct request){.method = STR("SEND"),
                            .url = arena_str(arena, s->url),
                            .body = message(in, arena),
                            .mail = m,
                            .carrier = &smtp_carrier};
    return 1;
}

#define AT(member) offsetof(struct email_settings, member)
static const struct option_row template_rows[] = {
    TEMPLATE_ROW("title", AT(title), "The subject behind severity and state, plain."),
    TEMPLATE_ROW("body", AT(body),
                 "The message as plain text; without `html` beside it there is no HTML "
                 "part."),
    TEMPLATE_ROW("html", AT(html_body),
                 "The message as HTML: what stands in the page's body."),
};
static const struct option_row email_options[] = {
    {.name = "url",
     .type = OPTION_TEXT,
     .offset = AT(url),
     .words = schemes,
     .required = true,
     .max = 1000,
     .help = "The mail server: `smtp://mail.example.com:587`, or with TLS from the first "
             "byte `smtps://mail.example.com`."},
    {.name = "from",
     .type = OPTION_TEXT,
     .offset = AT(from),
     .required = true,
     .max = 320,
     .help = "The sender's address."},
    {.name = "to",
     .type = OPTION_TEXTS,
     .offset = AT(to),
     .required = true,
     .help = "The recipients' addresses, up to 50; all see each other."},
    {.name = "user",
     .type = OPTION_SECRET,
     .offset = AT(user),
     .help = "Who logs in; without it nobody does."},
    {.name = "password",
     .type = OPTION_SECRET,
     .offset = AT(password),
     .help = "The user's password."},
    {.name = "starttls",
     .type = OPTION_WORD,
     .offset = AT(starttls),
     .words = tls_words,
     .fallback = "always",
     .help = "Behind `smtp://`: nothing is sent before TLS has begun, or all in the "
             "clear, then without a password."},
    {.name = "html",
     .type = OPTION_FLAG,
     .offset = AT(html),
     .fallback = "true",
     .help = "Whether the message has an HTML part beside the text."},
    TICKET_URL_ROW(AT(ticket_url)),
    TEMPLATES_ROW(template_rows),
};

const struct sink email_sink = {
    .name = "email",
    .help = "A message by SMTP, one thread an episode.",
    .options = email_options,
    .options_n = sizeof email_options / sizeof email_options[0],
    .settings_bytes = sizeof(struct email_settings),
    .complete = email_complete,
    .digests = true,
    .format = email_format,
    .outcome = carrier_outcome,
};
