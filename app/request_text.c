#include "app/request_text.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

static void print(json_t *json, size_t flags)
{
    char *text = json_dumps(json, flags | JSON_REAL_PRECISION(15) | JSON_ENCODE_ANY);
    if (!text)
        abort();
    puts(text);
    free(text);
}

static void long_texts(json_t *value, const char *name)
{
    const char *key, *text = json_string_value(value);
    json_t *member;
    size_t i;
    if (text && strchr(text, '\n'))
        printf("\n==== %s\n%s\n", name, text);
    json_object_foreach(value, key, member) long_texts(member, key);
    json_array_foreach(value, i, member) long_texts(member, name);
}

static void print_object(const struct request *r, json_t *body)
{
    json_t *o = json_object();
    json_object_set_new(o, "method", json_stringn(r->method.p, r->method.n));
    json_object_set_new(o, "url", json_stringn(r->url.p, r->url.n));
    json_object_set(o, "body", body);
    print(o, JSON_COMPACT);
    json_decref(o);
}

void request_text_print(const struct request *r, bool json)
{
    json_t *body =
        json_loadb(r->body.n ? r->body.p : "", r->body.n, JSON_ALLOW_NUL, NULL);
    if (!body)
        body = json_stringn_nocheck(r->body.n ? r->body.p : "", r->body.n);
    if (json) {
        print_object(r, body);
    } else {
        if (r->url.n)
            printf("%.*s %.*s\n\n", STR_ARG(r->method), STR_ARG(r->url));
        print(body, JSON_INDENT(2));
        long_texts(body, "");
    }
    json_decref(body);
}
