/* The common reading of HTTP answers. Retry-After (RFC 9110 10.2.3) is seconds or an HTTP
 * date in one of three shapes (5.6.7); a date needs a clock, which the response brings
 * along. What a receiver wishes is bounded, so that a typo of its does not silence a sink
 * for a month. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "sinks/carrier.h"
#include "sinks/request.h"

enum { RETRY_AFTER_MAX_MS = 24 * 3600 * 1000, SECOND_MS = 1000 };

static bool seconds(const char *text, int64_t *ms)
{
    int64_t s = 0;
    if (!*text)
        return false;
    for (; *text >= '0' && *text <= '9'; text++)
        if (s <= RETRY_AFTER_MAX_MS)
            s = s * 10 + (*text - '0');
    *ms = s * SECOND_MS;
    return *text == '\0';
}

static bool date(const char *text, int64_t now_ms, int64_t *ms)
{
    static const char *const shapes[] = {
        "%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"};
    for (size_t i = 0; now_ms && i < sizeof shapes / sizeof shapes[0]; i++) {
        struct tm tm = {0};
        const char *end = strptime(text, shapes[i], &tm);
        if (end && *end == '\0') {
            *ms = (int64_t)timegm(&tm) * SECOND_MS - now_ms;
            return true;
        }
    }
    return false;
}

static int64_t retry_after_ms(const struct response *r)
{
    char text[64];
    int64_t ms = 0;
    if (!r->retry_after.n || r->retry_after.n >= sizeof text)
        return 0;
    memcpy(text, r->retry_after.p, r->retry_after.n);
    text[r->retry_after.n] = '\0';
    if (!seconds(text, &ms) && !date(text, r->now_ms, &ms))
        return 0;
    return ms < 0 ? 0 : ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : ms;
}

json_t *response_json(const struct response *r)
{
    return json_loadb(r->body.n ? r->body.p : "", r->body.n, 0, NULL);
}

int64_t response_wish_ms(const struct response *r)
{
    char text[64], *end;
    int64_t ms = retry_after_ms(r);
    if (ms || !r->now_ms || !r->limit_reset.n || r->limit_reset.n >= sizeof text)
        return ms;
    memcpy(text, r->limit_reset.p, r->limit_reset.n);
    text[r->limit_reset.n] = '\0';
    long long reset_ms = strtoll(text, &end, 10);
    if (*end || reset_ms <= r->now_ms)
        return 0;
    ms = reset_ms - r->now_ms;
    return ms > RETRY_AFTER_MAX_MS ? RETRY_AFTER_MAX_MS : ms;
}

static bool is_retried(int status)
{
    return status == 0 || status == 408 || status == 425 || status == 429 ||
           (status >= 500 && status <= 599);
}

/* Of the endpoint: its key, its address. A redirect says that it is not there. */
static bool is_refusal(int status)
{
    return status == 401 || status == 403 || status == 404 || status == 407 ||
           status == 410 || (status >= 300 && status <= 399);
}

struct outcome outcome_of(enum verdict verdict, const char *reason)
{
    struct outcome o = {.verdict = verdict};
    snprintf(o.reason, sizeof o.reason, "%s", reason);
    return o;
}

struct outcome outcome_by_status(const struct response *response)
{
    struct outcome o = {.verdict = DEAD};
    if (response->status >= 200 && response->status <= 299)
        o.verdict = DELIVERED;
    else if (is_retried(response->status))
        o.verdict = RETRY;
    else if (is_refusal(response->status))
        o.verdict = REFUSED;
    if (o.verdict != DELIVERED) /* a sink may know that its DEAD is not */
        o.retry_after_ms = response->status == 429 ? response_wish_ms(response)
                                                   : retry_after_ms(response);
    if (response->status == 0)
        snprintf(o.reason, sizeof o.reason, "no answer");
    else
        snprintf(o.reason, sizeof o.reason, "HTTP %d", response->status);
    return o;
}

struct outcome carrier_outcome(const void *settings, const struct response *response)
{
    struct outcome o = outcome_by_status(response);
    (void)settings;
    if (response->body.n)
        snprintf(o.reason, sizeof o.reason, "%.*s", STR_ARG(response->body));
    else if (o.verdict == DELIVERED)
        snprintf(o.reason, sizeof o.reason, "done");
    return o;
}

void outcome_word(struct outcome *o, struct str word)
{
    enum { WORD_BYTES = 40 };
    size_t at = strlen(o->reason);
    for (size_t i = 0; i < word.n; i++) {
        char c = word.p[i], low = (char)(c | 0x20);
        if (!(low >= 'a' && low <= 'z') && c != '_')
            return;
    }
    if (word.n && word.n <= WORD_BYTES)
        snprintf(o->reason + at, sizeof o->reason - at, " %.*s", STR_ARG(word));
}
