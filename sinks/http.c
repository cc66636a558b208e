/* One easy handle a slot, kept for its options; connections are kept by the multi handle. HTTP 1.1
 * only: two sinks at one host must not share a connection that hangs. A body longer than we read is
 * cut and the connection closed; once the header has come, whatever befalls the body, the status
 * counts, for the receiver has answered. */
#include "sinks/http.h"

#include <assert.h>
#include <curl/curl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/clock.h"
#include "sinks/courier.h"
#include "sinks/reach.h"

enum { HEADER_VALUE_BYTES = 64 };

struct slot {
    CURL *easy;
    struct courier *courier; /* for what goes by a carrier; NULL: nothing did yet */
    bool carried;            /* the request under way does */
    struct curl_slist *headers;
    struct buf body;
    bool busy, answered, cut, late;
    int64_t send_before_ms;
    struct reach reach;
    char retry_after[HEADER_VALUE_BYTES], limit_reset[HEADER_VALUE_BYTES];
};

struct http {
    struct http_settings settings;
    CURLM *multi;
    struct slot *slots;
};

/* Wrong options are bugs. */
#define SET(easy, option, value) must(curl_easy_setopt(easy, option, value) == CURLE_OK)

static void must(bool ok)
{
    assert(ok);
}

struct http *http_open(const struct http_settings *settings)
{
    struct http *h = calloc(1, sizeof *h);
    must(h && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
    h->settings = *settings;
    h->multi = curl_multi_init();
    h->slots = calloc(settings->slots, sizeof *h->slots);
    must(h->multi && h->slots);
    for (size_t i = 0; i < settings->slots; i++) {
        h->slots[i].easy = curl_easy_init();
        must(h->slots[i].easy);
        buf_init(&h->slots[i].body, RESPONSE_MAX_BYTES);
    }
    return h;
}

void http_close(struct http *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < h->settings.slots; i++) {
        http_cancel(h, i);
        courier_free(h->slots[i].courier);
        curl_easy_cleanup(h->slots[i].easy);
        buf_deinit(&h->slots[i].body);
    }
    curl_multi_cleanup(h->multi);
    free(h->slots);
    free(h);
}

static size_t take_body(char *bytes, size_t one, size_t n, void *arg)
{
    struct slot *s = arg;
    buf_mem(&s->body, bytes, n);
    s->cut = s->body.overflowed;
    return s->cut ? CURL_WRITEFUNC_ERROR : n * one;
}

/* The empty line ends a header; those of 1xx are not the answer yet. How long a header may be,
 * libcurl bounds itself (300 KB). */
static size_t take_header(char *bytes, size_t one, size_t n, void *arg)
{
    struct slot *s = arg;
    long status = 0;
    curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && n && (bytes[0] == '\r' || bytes[0] == '\n'))
        s->answered = true;
    return n * one;
}

/* Connected; the request goes out next. */
static int may_send(void *arg, char *there, char *here, int port_there, int port_here)
{
    struct slot *s = arg;
    (void)here, (void)port_there, (void)port_here;
    s->late = clock_monotonic_ms() >= s->send_before_ms;
    bool may = reach_may_send(&s->reach, there);
    return s->late || !may ? CURL_PREREQFUNC_ABORT : CURL_PREREQFUNC_OK;
}

static bool harmless(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    return true;
}

static bool all_harmless(const struct request *r)
{
    for (size_t i = 0; i < r->headers_n; i++)
        if (!harmless(r->headers[i]))
            return false;
    return harmless(r->url) && harmless(r->method);
}

static char *copy(struct str s)
{
    char *p = strndup(s.n ? s.p : "", s.n);
    assert(p);
    return p;
}

static void add_header(struct slot *s, struct str line)
{
    char *text = copy(line);
    struct curl_slist *longer = curl_slist_append(s->headers, text);
    assert(longer);
    s->headers = longer;
    free(text);
}

static void say_what(struct slot *s, const struct request *r)
{
    char *url = copy(r->url), *method = copy(r->method);
    SET(s->easy, CURLOPT_URL, url);
    SET(s->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.n);
    SET(s->easy, CURLOPT_COPYPOSTFIELDS, r->body.n ? r->body.p : "");
    SET(s->easy, CURLOPT_CUSTOMREQUEST, method);
    SET(s->easy, CURLOPT_USERAGENT, "ticketwatch/" TICKETWATCH_VERSION);
    for (size_t i = 0; i < r->headers_n; i++)
        add_header(s, r->headers[i]);
    add_header(s, STR("Expect:")); /* no waiting for 100 Continue */
    SET(s->easy, CURLOPT_HTTPHEADER, s->headers);
    free(url);
    free(method);
}

static int64_t or_else(int64_t ms, int64_t fallback_ms)
{
    return ms ? ms : fallback_ms;
}

static void say_how(struct slot *s, const struct http_settings *settings)
{
    const struct network *n = s->reach.network;
    SET(s->easy, CURLOPT_PRIVATE, s);
    SET(s->easy, CURLOPT_WRITEFUNCTION, take_body);
    SET(s->easy, CURLOPT_WRITEDATA, s);
    SET(s->easy, CURLOPT_HEADERFUNCTION, take_header);
    SET(s->easy, CURLOPT_HEADERDATA, s);
    SET(s->easy, CURLOPT_PREREQFUNCTION, may_send);
    SET(s->easy, CURLOPT_PREREQDATA, s);
    SET(s->easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(s->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    SET(s->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    SET(s->easy, CURLOPT_FOLLOWLOCATION, 0L);
    SET(s->easy, CURLOPT_SSL_VERIFYPEER, 1L);
    SET(s->easy, CURLOPT_SSL_VERIFYHOST, 2L);
    SET(s->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(s->easy, CURLOPT_CONNECTTIMEOUT_MS,
        (long)or_else(n->connect_timeout_ms, settings->connect_timeout_ms));
    SET(s->easy, CURLOPT_TIMEOUT_MS, (long)or_else(n->timeout_ms, settings->timeout_ms));
    SET(s->easy, CURLOPT_NOSIGNAL, 1L);
    /* A name server that hangs is not waited for, else it would hold up the other sinks. */
    SET(s->easy, CURLOPT_QUICK_EXIT, 1L);
}

static void forget(struct slot *s)
{
    curl_easy_reset(s->easy);
    curl_slist_free_all(s->headers);
    s->headers = NULL;
    s->busy = s->carried = false;
}

static void wake(void *http)
{
    http_wake(http);
}

static int start_courier(struct http *h, struct slot *s, const struct request *request,
                         const struct http_way *way, struct err *e)
{
    const struct network *n = way->network;
    struct courier_way by = {
        .network = n,
        .proxy = way->proxy,
        .connect_timeout_ms =
            or_else(n->connect_timeout_ms, h->settings.connect_timeout_ms),
        .timeout_ms = or_else(n->timeout_ms, h->settings.timeout_ms)};
    if (!s->courier)
        s->courier = courier_new(wake, h);
    if (courier_start(s->courier, request, &by, e))
        return -1;
    s->busy = s->carried = true;
    return 0;
}

int http_start(struct http *h, size_t slot, const struct request *request,
               const struct http_way *way, struct err *e)
{
    struct slot *s = &h->slots[slot];
    assert(slot < h->settings.slots && !s->busy);
    if (request->carrier)
        return start_courier(h, s, request, way, e);
    if (!all_harmless(request))
        return err_set(e, ERR_REFUSED, "a control character in the address or a header");
    if (reach_begin(&s->reach, s->easy, way->network, request->url, way->proxy, e))
        return -1;
    buf_clear(&s->body);
    s->answered = s->cut = s->late = false;
    s->send_before_ms = INT64_MAX;
    s->retry_after[0] = s->limit_reset[0] = '\0';
    say_how(s, &h->settings);
    say_what(s, request);
    must(curl_multi_add_handle(h->multi, s->easy) == CURLM_OK);
    s->busy = true;
    return 0;
}

void http_send_before(struct http *h, size_t slot, int64_t monotonic_ms)
{
    struct slot *s = &h->slots[slot];
    s->send_before_ms = monotonic_ms;
    if (s->carried)
        courier_send_before(s->courier, monotonic_ms);
}

void http_cancel(struct http *h, size_t slot)
{
    struct slot *s = &h->slots[slot];
    if (!s->busy)
        return;
    if (s->carried)
        courier_cancel(s->courier);
    else
        curl_multi_remove_handle(h->multi, s->easy);
    forget(s);
}

void http_push(struct http *h)
{
    int running = 0;
    curl_multi_perform(h->multi, &running);
}

bool http_wait(struct http *h, int fd, int64_t wait_ms)
{
    struct curl_waitfd extra = {.fd = fd, .events = CURL_WAIT_POLLIN};
    int running = 0, left = 0;
    curl_multi_perform(h->multi, &running);
    int wait = wait_ms < 0 ? 0 : wait_ms > INT_MAX ? INT_MAX : (int)wait_ms;
    for (size_t i = 0; i < h->settings.slots; i++)
        left += h->slots[i].busy && !h->slots[i].carried;
    if (running < left)
        wait = 0; /* something finished already */
    curl_multi_poll(h->multi, &extra, fd >= 0, wait, NULL);
    curl_multi_perform(h->multi, &running);
    return fd >= 0 && extra.revents != 0;
}

void http_wake(struct http *h)
{
    curl_multi_wakeup(h->multi);
}

/* True: the answer has it, and it is no longer than it may be. */
static bool header_of(struct slot *s, const char *name, char out[HEADER_VALUE_BYTES])
{
    struct curl_header *header;
    if (curl_easy_header(s->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK ||
        strlen(header->value) >= HEADER_VALUE_BYTES)
        return false;
    memcpy(out, header->value, strlen(header->value) + 1);
    return true;
}

/* Linear has several limits, and says of each what remains and when it begins anew. That of requests counts
 * where none is said to be used up. https://linear.app/developers/rate-limiting */
static void keep_limit_reset(struct slot *s)
{
    static const char *const limits[] = {"X-RateLimit-Complexity",
                                         "X-RateLimit-Endpoint-Requests"};
    char name[64], remaining[HEADER_VALUE_BYTES];
    (void)header_of(s, "X-RateLimit-Requests-Reset", s->limit_reset);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        snprintf(name, sizeof name, "%s-Remaining", limits[i]);
        if (!header_of(s, name, remaining) || strcmp(remaining, "0") != 0)
            continue;
        snprintf(name, sizeof name, "%s-Reset", limits[i]);
        if (header_of(s, name, s->limit_reset))
            return;
    }
}

static const char *failure_of(const struct slot *s, CURLcode result)
{
    if (result == CURLE_OK)
        return NULL;
    if (s->cut)
        return "the body is too long";
    if (s->late)
        return "it was too late to send it";
    if (reach_is_refused(&s->reach))
        return "its address is private, and allow_private does not name it";
    return curl_easy_strerror(result);
}

static void answer(struct slot *s, CURLcode result, struct http_answer *out)
{
    long status = 0;
    curl_off_t took_us = 0;
    curl_easy_getinfo(s->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(s->easy, CURLINFO_TOTAL_TIME_T, &took_us);
    bool whole = result == CURLE_OK, answered = whole || s->answered;
    if (answered) {
        (void)header_of(s, "Retry-After", s->retry_after);
        keep_limit_reset(s);
    }
    out->took_ms = took_us / 1000;
    out->refused = !answered && !s->late && reach_is_refused(&s->reach);
    out->failure = failure_of(s, result);
    out->response = (struct response){
        .status = answered ? (int)status : 0,
        .retry_after = str_of(s->retry_after),
        .limit_reset = str_of(s->limit_reset),
        .body = answered ? buf_str(&s->body) : STR_NONE,
        .body_cut = !whole,
        .now_ms = clock_wall_ms(),
    };
}

static bool courier_has_finished(struct http *h, struct http_answer *out)
{
    for (size_t i = 0; i < h->settings.slots; i++) {
        struct slot *s = &h->slots[i];
        const struct carried *end;
        int64_t took_ms;
        if (!s->carried || !courier_finished(s->courier, &end, &took_ms))
            continue;
        s->busy = s->carried = false;
        *out = (struct http_answer){.slot = i,
                                    .failure = end->status ? NULL : end->why,
                                    .took_ms = took_ms,
                                    .response = {.status = end->status,
                                                 .body = str_of(end->why),
                                                 .now_ms = clock_wall_ms()}};
        return true;
    }
    return false;
}

bool http_finished(struct http *h, struct http_answer *out)
{
    int left;
    if (courier_has_finished(h, out))
        return true;
    CURLMsg *m = curl_multi_info_read(h->multi, &left);
    if (!m)
        return false;
    assert(m->msg == CURLMSG_DONE);
    CURLcode result = m->data.result;
    void *private = NULL;
    must(curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &private) == CURLE_OK);
    struct slot *s = private;
    out->slot = (size_t)(s - h->slots);
    answer(s, result, out);
    curl_multi_remove_handle(h->multi, s->easy);
    forget(s);
    return true;
}
