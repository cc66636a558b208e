#include "sinks/request.h"

#include <assert.h>
#include <stdlib.h>

#include "sinks/words.h"

const char *const http_schemes[] = {"https://", "http://", NULL};

static bool printable(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7F)
            return false;
    return s.n > 0;
}

int request_secret(const struct sink_input *in, size_t index, const char *what,
                   struct str *out, struct err *e)
{
    *out = in->secrets->values[index];
    if (!out->n)
        return err_set(e, ERR_REFUSED, "%s is not set", what);
    if (!printable(*out))
        return err_set(e, ERR_REFUSED, "%s has white space or control characters in it",
                       what);
    return 0;
}

void request_header(struct request *out, struct arena *arena, const char *name,
                    struct str value)
{
    struct buf b;
    assert(out->headers_n < REQUEST_HEADERS_MAX);
    buf_init(&b, 64 * 1024);
    buf_text(&b, name);
    buf_text(&b, ": ");
    buf_put(&b, value);
    out->headers[out->headers_n++] = arena_str(arena, buf_str(&b));
    buf_deinit(&b);
}

struct str request_json(json_t *json, struct arena *arena)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));
    assert(text);
    struct str kept = arena_str(arena, str_of(text));
    free(text);
    json_decref(json);
    return kept;
}

int request_post(struct request *out, struct arena *arena, struct str url,
                 struct str body, struct err *e)
{
    bool http = str_starts(url, STR("https://")) || str_starts(url, STR("http://"));
    *out = (struct request){
        .method = STR("POST"), .url = arena_str(arena, url), .body = body};
    request_header(out, arena, "Content-Type", STR("application/json; charset=utf-8"));
    request_header(out, arena, "User-Agent", STR("ticketwatch/" TICKETWATCH_VERSION));
    return http && printable(url) ? 0
                                  : err_set(e, ERR_REFUSED, "url is no http(s) address");
}

void request_line_of(struct request *out, struct arena *arena, struct str line)
{
    char *p = arena_alloc(arena, line.n + 1);
    memcpy(p, line.p, line.n);
    p[line.n] = '\n';
    *out = (struct request){.body = {p, line.n + 1}};
}

json_t *request_text(struct str text)
{
    json_t *t = json_stringn(text.n ? text.p : "", text.n);
    return t ? t : json_string("\xEF\xBF\xBD");
}

json_t *request_line(struct str text, size_t max_units)
{
    struct buf b;
    request_buf(&b);
    words_text(&b, DIALECT_PLAIN, text, max_units);
    json_t *line = request_text(buf_str(&b));
    buf_deinit(&b);
    return line;
}

void request_set(json_t *object, const char *name, json_t *value)
{
    int rc = json_object_set_new_nocheck(object, name, value);
    assert(rc == 0);
    (void)rc;
}

void request_append(json_t *array, json_t *element)
{
    int rc = json_array_append_new(array, element);
    assert(rc == 0);
    (void)rc;
}

void request_buf(struct buf *b)
{
    buf_init(b, 64 * 1024);
}
