/* A message by libcurl, waited for on a courier's thread: libcurl's goodbye to a server (QUIT) waits, and must hold up
 * nobody else. One connection a message. What the server said decides: its replies are seen as they come, since
 * libcurl tells the last one alone. A recipient that is refused does not keep the message from the others.
 * RFC 5321 4.2: 4yz again, 5yz never. */
#include "sinks/smtp.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "sinks/reach.h"

enum {
    GOODBYE_MS = 500, /* so long we wait for the answer to QUIT */
    CODE_BYTES = 16,  /* "550 5.1.1" */
    GOODBYE = 221,    /* the reply to QUIT, and to nothing else */
};

struct letter {
    const struct carriage *carriage;
    struct reach reach;
    struct curl_slist *to;
    size_t sent_n; /* bytes of the message */
    bool late;
    int64_t told_ms;       /* when the reply to the message came; 0: not yet */
    int status;            /* of the last reply that counts */
    char code[CODE_BYTES]; /* of the last refusal, with its enhanced code */
    int refused_n;         /* recipients, while there are others */
};

#define SET(easy, option, value) must(curl_easy_setopt(easy, option, value) == CURLE_OK)

static void must(bool ok)
{
    assert(ok);
}

/* ---- while it is under way ---- */

static size_t give_message(char *out, size_t one, size_t n, void *arg)
{
    struct letter *l = arg;
    struct str left = str_from(l->carriage->request->body, l->sent_n);
    size_t now = left.n < one * n ? left.n : one * n;
    memcpy(out, left.p, now);
    l->sent_n += now;
    return now;
}

static bool is_code(struct str line)
{
    for (size_t i = 0; i < 3; i++)
        if (line.n < 3 || line.p[i] < '0' || line.p[i] > '9')
            return false;
    return line.n == 3 || line.p[3] != '-'; /* a line that more of the reply follow */
}

/* "550 5.1.1 no such user here" -> "550 5.1.1": the words are the server's, and may hold addresses. */
static void keep_code(struct letter *l, struct str line)
{
    size_t n = 3;
    if (line.n > 5 && line.p[3] == ' ' && line.p[5] == '.')
        for (n = 4;
             n < line.n && ((line.p[n] >= '0' && line.p[n] <= '9') || line.p[n] == '.');)
            n++;
    snprintf(l->code, sizeof l->code, "%.*s", (int)(n < CODE_BYTES ? n : CODE_BYTES - 1),
             line.p);
}

static size_t hear_reply(char *bytes, size_t one, size_t n, void *arg)
{
    struct letter *l = arg;
    struct str line = {bytes, one * n};
    if (!is_code(line))
        return one * n;
    int status = (bytes[0] - '0') * 100 + (bytes[1] - '0') * 10 + (bytes[2] - '0');
    if (l->told_ms || status == GOODBYE)
        return one * n;
    l->status = status;
    if (status >= 400) {
        keep_code(l, line);
        l->refused_n++;
    }
    if (l->sent_n)
        l->told_ms = clock_monotonic_ms();
    return one * n;
}

/* Connected, greeted and logged in; the envelope goes out next. */
static int may_send(void *arg, char *there, char *here, int port_there, int port_here)
{
    struct letter *l = arg;
    (void)here, (void)port_there, (void)port_here;
    l->late = clock_monotonic_ms() >= atomic_load(&l->carriage->send_before_ms);
    l->refused_n = 0; /* what the greeting refused was done without */
    bool may = !l->late && reach_may_send(&l->reach, there);
    return may ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static int goes_on(void *arg, curl_off_t down, curl_off_t down_now, curl_off_t up,
                   curl_off_t up_now)
{
    const struct letter *l = arg;
    (void)down, (void)down_now, (void)up, (void)up_now;
    bool goodbye_is_long = l->told_ms && clock_monotonic_ms() > l->told_ms + GOODBYE_MS;
    return goodbye_is_long || carrier_wait_ms(l->carriage) == 0;
}

/* ---- what it is to do ---- */

static char *copy(struct str s)
{
    char *p = strndup(s.n ? s.p : "", s.n);
    assert(p);
    return p;
}

static void say_text(CURL *easy, CURLoption option, struct str text)
{
    char *p = copy(text);
    if (text.n)
        SET(easy, option, p);
    free(p);
}

static void say_to(struct letter *l, CURL *easy, const struct mail *m)
{
    for (size_t i = 0; i < m->to.n; i++) {
        char *p = copy(m->to.items[i]);
        struct curl_slist *longer = curl_slist_append(l->to, p);
        assert(longer);
        l->to = longer;
        free(p);
    }
    SET(easy, CURLOPT_MAIL_RCPT, l->to);
    SET(easy, CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
}

static void say_message(struct letter *l, CURL *easy)
{
    const struct request *r = l->carriage->request;
    const struct mail *m = r->mail;
    static const long tls[] = {
        [MAIL_TLS_ALWAYS] = CURLUSESSL_ALL, [MAIL_TLS_NEVER] = CURLUSESSL_NONE};
    say_text(easy, CURLOPT_URL, r->url);
    say_text(easy, CURLOPT_MAIL_FROM, m->from);
    say_text(easy, CURLOPT_USERNAME, m->user);
    say_text(easy, CURLOPT_PASSWORD, m->password);
    say_to(l, easy, m);
    SET(easy, CURLOPT_USE_SSL, tls[m->starttls]);
    SET(easy, CURLOPT_UPLOAD, 1L);
    SET(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->body.n);
    SET(easy, CURLOPT_READFUNCTION, give_message);
    SET(easy, CURLOPT_READDATA, l);
}

static void say_how(struct letter *l, CURL *easy)
{
    const struct carriage *c = l->carriage;
    SET(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    SET(easy, CURLOPT_HEADERFUNCTION, hear_reply);
    SET(easy, CURLOPT_HEADERDATA, l);
    SET(easy, CURLOPT_PREREQFUNCTION, may_send);
    SET(easy, CURLOPT_PREREQDATA, l);
    SET(easy, CURLOPT_NOPROGRESS, 0L);
    SET(easy, CURLOPT_XFERINFOFUNCTION, goes_on);
    SET(easy, CURLOPT_XFERINFODATA, l);
    SET(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    SET(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    SET(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)c->connect_timeout_ms);
    SET(easy, CURLOPT_TIMEOUT_MS, (long)c->timeout_ms);
    SET(easy, CURLOPT_FORBID_REUSE, 1L);
    SET(easy, CURLOPT_NOSIGNAL, 1L);
    SET(easy, CURLOPT_QUICK_EXIT, 1L);
}

/* ---- what became of it ---- */

/* Wrong or missing names and passwords, which a person will mend: RFC 4954 6. */
static bool is_about_login(int status)
{
    return status == 530 || status == 534 || status == 535 || status == 538;
}

/* Before the message is sent it is about us: the address we write from, those we write to. */
static int status_of_refusal(const struct letter *l)
{
    if (l->status < 500)
        return CARRIED_LATER;
    return l->sent_n && !is_about_login(l->status) ? CARRIED_NEVER : CARRIED_REFUSED;
}

static void judge(const struct letter *l, CURLcode result, struct carried *out)
{
    bool taken = l->told_ms && l->status >= 200 && l->status <= 299;
    if (taken) {
        out->status = CARRIED;
        if (l->refused_n)
            snprintf(out->why, sizeof out->why,
                     "SMTP %d; recipients refused: %d of %zu, the last with %s",
                     l->status, l->refused_n, l->carriage->request->mail->to.n, l->code);
        return;
    }
    bool told = l->status >= 400 && !l->late;
    bool mend = reach_is_refused(&l->reach) || result == CURLE_USE_SSL_FAILED ||
                result == CURLE_LOGIN_DENIED;
    out->status = told ? status_of_refusal(l) : mend ? CARRIED_REFUSED : CARRIED_NOT;
    if (told)
        snprintf(out->why, sizeof out->why, "SMTP %s", l->code);
    else
        snprintf(out->why, sizeof out->why, "%s",
                 reach_is_refused(&l->reach)           ? "its address may not be reached"
                 : l->late                             ? "it was too late to send it"
                 : result == CURLE_ABORTED_BY_CALLBACK ? "no reply in time"
                                                       : curl_easy_strerror(result));
}

static bool send_mail(void *self, const struct carriage *c, struct carried *out)
{
    struct letter l = {.carriage = c};
    struct err e = {0};
    CURL *easy = curl_easy_init();
    (void)self;
    must(easy && c->request->mail);
    if (reach_begin(&l.reach, easy, c->network, c->request->url, c->proxy, &e)) {
        out->status = CARRIED_REFUSED;
        snprintf(out->why, sizeof out->why, "%.199s", e.text);
    } else {
        say_how(&l, easy);
        say_message(&l, easy);
        judge(&l, curl_easy_perform(easy), out);
    }
    curl_easy_cleanup(easy);
    curl_slist_free_all(l.to);
    return false;
}

const struct carrier smtp_carrier = {.send = send_mail};
