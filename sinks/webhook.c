/* Any HTTP endpoint: the alert as JSON, signed as https://www.standardwebhooks.com says. The body is
 * the alert itself with the three members in front that the specification recommends (type,
 * timestamp, data); data names the alert, for receivers that look no further. The id of a delivery is
 * made from the alert and never changes, so receivers can tell a repetition; the time of the attempt
 * is in a signed header. */
#include <assert.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/timefmt.h"
#include "core/utf8.h"
#include "sinks/alert_body.h"
#include "sinks/request.h"

enum {
    BODY_MAX_BYTES = 20 * 1024, /* what the specification asks for */
    KEY_MIN_BYTES = 24,         /* so does it of keys */
    KEY_MAX_BYTES = 64,
    ENCODED_KEY_MAX_BYTES = 88, /* KEY_MAX_BYTES in base64 */
    RULE_MAX_BYTES = 256,
    SECOND_MS = 1000,
};

struct webhook_settings {
    struct secret url, secret;
};

/* ---- the body ---- */

static json_t *envelope(const struct alert *a)
{
    char time[TIME_TEXT_BYTES], type[32];
    json_t *front = json_object(), *data = json_object();
    snprintf(type, sizeof type, "alert.%s", alert_state_name(a->state));
    request_set(front, "type", json_string(type));
    request_set(front, "timestamp", request_text(time_text(a->time_ms, time)));
    request_set(data, "id", json_string(a->id));
    request_set(data, "rule", request_text(utf8_cut(a->rule, RULE_MAX_BYTES)));
    request_set(front, "data", data);
    return front;
}

/* {envelope} and {alert} as one object. */
static struct str body(const struct sink_input *in, struct arena *arena)
{
    struct buf whole;
    json_t *front = envelope(in->alert);
    char *text = json_dumps(front, JSON_COMPACT);
    assert(text);
    size_t front_n = strlen(text) - 1;
    struct str alert = alert_body(in, BODY_MAX_BYTES - front_n, arena);
    assert(alert.n > 2);
    buf_init(&whole, ALERT_BODY_ANY);
    buf_mem(&whole, text, front_n);
    buf_char(&whole, ',');
    buf_put(&whole, str_from(alert, 1));
    struct str kept = arena_str(arena, buf_str(&whole));
    buf_deinit(&whole);
    free(text);
    json_decref(front);
    return kept;
}

/* ---- the signature ---- */

struct signing_key {
    unsigned char bytes[ENCODED_KEY_MAX_BYTES];
    int n;
};

/* "whsec_" and base64 of 24 to 64 bytes. */
static bool key_parse(struct str text, struct signing_key *key)
{
    static const struct str prefix = STR("whsec_");
    if (!str_starts(text, prefix))
        return false;
    text.p += prefix.n;
    text.n -= prefix.n;
    if (text.n == 0 || text.n > ENCODED_KEY_MAX_BYTES || text.n % 4)
        return false;
    key->n = EVP_DecodeBlock(key->bytes, (const unsigned char *)text.p, (int)text.n);
    for (size_t i = text.n; i > 0 && text.p[i - 1] == '='; i--)
        key->n--; /* padding, which OpenSSL decodes as zero bytes */
    return key->n >= KEY_MIN_BYTES && key->n <= KEY_MAX_BYTES;
}

static void sign(const struct signing_key *key, struct str text, struct buf *out)
{
    unsigned char mac[EVP_MAX_MD_SIZE], encoded[2 * EVP_MAX_MD_SIZE];
    unsigned n = 0;
    const void *done = HMAC(EVP_sha256(), key->bytes, key->n,
                            (const unsigned char *)text.p, text.n, mac, &n);
    assert(done);
    (void)done;
    int encoded_n = EVP_EncodeBlock(encoded, mac, (int)n);
    buf_text(out, out->n ? " v1," : "v1,");
    buf_mem(out, encoded, (size_t)encoded_n);
}

/* The next word of `text`; n == 0: none. */
static struct str take_word(struct str *text)
{
    size_t from = 0, to;
    while (from < text->n && (unsigned char)text->p[from] <= ' ')
        from++;
    for (to = from; to < text->n && (unsigned char)text->p[to] > ' ';)
        to++;
    struct str word = {text->p + from, to - from};
    text->p += to;
    text->n -= to;
    return word;
}

/* While a key is changed there are two of them: one signature each. */
static int signature(struct str secret, struct str text, struct buf *out, struct err *e)
{
    enum { KEYS_MAX = 4 };
    int keys = 0;
    for (struct str word = take_word(&secret); word.n; word = take_word(&secret)) {
        struct signing_key key;
        if (++keys > KEYS_MAX || !key_parse(word, &key))
            return err_set(
                e, ERR_REFUSED,
                "webhook: secret must be \"whsec_\" and base64 of 24 to 64 bytes (or up "
                "to four such, separated by spaces)");
        sign(&key, text, out);
        OPENSSL_cleanse(&key, sizeof key);
    }
    return 0;
}

static int add_signature(const struct sink_input *in, struct arena *arena,
                         struct request *out, struct str id, struct err *e)
{
    char seconds[32];
    struct buf text, signatures;
    snprintf(seconds, sizeof seconds, "%lld", (long long)(in->now_ms / SECOND_MS));
    request_header(out, arena, "webhook-id", id);
    request_header(out, arena, "webhook-timestamp", str_of(seconds));
    buf_init(&text, 8 << 20);
    request_buf(&signatures);
    buf_printf(&text, "%.*s.%s.", STR_ARG(id), seconds);
    buf_put(&text, out->body);
    int rc = signature(in->secrets->values[1], buf_str(&text), &signatures, e);
    if (rc == 0 && signatures.n)
        request_header(out, arena, "webhook-signature", buf_str(&signatures));
    buf_deinit(&text);
    buf_deinit(&signatures);
    return rc;
}

static int webhook_format(const struct sink_input *in, struct arena *arena,
                          struct request *out, struct err *e)
{
    struct str url, id = alert_step_id(in->alert, arena);
    if (request_secret(in, 0, "webhook: url", &url, e) ||
        request_post(out, arena, url, body(in, arena), e) ||
        add_signature(in, arena, out, id, e))
        return -1;
    request_header(out, arena, "Idempotency-Key", id);
    return 1;
}

static struct outcome webhook_outcome(const void *settings,
                                      const struct response *response)
{
    (void)settings;
    return outcome_by_status(response);
}

#define AT(member) offsetof(struct webhook_settings, member)
static const struct option_row webhook_options[] = {
    {.name = "url",
     .type = OPTION_SECRET,
     .offset = AT(url),
     .words = http_schemes,
     .required = true,
     .help =
         "Where alerts are posted. May stand in a file, since addresses can be secrets."},
    {.name = "secret",
     .type = OPTION_SECRET,
     .offset = AT(secret),
     .help =
         "Signs every request: `whsec_` and base64 of 24 to 64 bytes; several, separated "
         "by spaces, while a key is changed. Without it requests are not signed."},
};

const struct sink webhook_sink = {
    .name = "webhook",
    .help = "The alert as JSON to any HTTP endpoint, signed as Standard Webhooks.",
    .options = webhook_options,
    .options_n = sizeof webhook_options / sizeof webhook_options[0],
    .settings_bytes = sizeof(struct webhook_settings),
    .format = webhook_format,
    .outcome = webhook_outcome,
    .every_step = true,
};
