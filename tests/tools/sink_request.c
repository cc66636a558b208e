/* Shows what a sink would send: sink_request TYPE [--now MS] [--json] [--talk] [--again] [--nothing] [--digest N]
 * [name=value ...] < ALERTS
 * reads alerts, one JSON object a line, and prints each request as people read it, or with --json
 * as one object a line ({"method", "url", "headers", "body"}, or null where the sink says nothing). --talk: all
 * requests of a conversation, as an array, and the memory is kept from line to line; --again: as if each may have been
 * sent before; --nothing: searches find nothing; --digest: N alerts at a time in one message. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/sink_talk.h"

struct tool {
    struct sink_case sink;
    int64_t now_ms;
    bool json, talk, nothing;
    int64_t digest; /* so many alerts in one message; 0: each alone */
    struct arena memory;
};

static json_t *request_object(const struct request *r)
{
    json_t *o = json_object(), *headers = json_object();
    for (size_t i = 0; i < r->headers_n; i++) {
        struct str h = r->headers[i];
        const char *colon = memchr(h.p, ':', h.n);
        size_t name_n = (size_t)(colon - h.p);
        json_object_setn_new(headers, h.p, name_n,
                             json_stringn(h.p + name_n + 2, h.n - name_n - 2));
    }
    json_object_set_new(o, "method", json_stringn(r->method.p, r->method.n));
    json_object_set_new(o, "url", json_stringn(r->url.p, r->url.n));
    json_object_set_new(o, "headers", headers);
    json_object_set_new(o, "body", json_stringn(r->body.p, r->body.n));
    return o;
}

static void print_json(json_t *o)
{
    json_dumpf(o, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(o);
}

static void print_text(const struct request *r)
{
    struct buf text;
    buf_init(&text, 1 << 22);
    sink_case_text(r, &text);
    fwrite(text.p, 1, text.n, stdout);
    buf_deinit(&text);
}

static int show_talk(struct tool *t, struct str line)
{
    struct request requests[SINK_TALK_MAX];
    struct err e = {0};
    struct sink_talk how = {t->nothing, t->now_ms, &t->memory};
    json_t *all = json_array();
    int n = sink_talk(&t->sink, &how, line, requests, &e);
    if (n < 0)
        fprintf(stderr, "%s\n", e.text);
    for (int i = 0; i < n; i++)
        json_array_append_new(all, request_object(&requests[i]));
    print_json(all);
    return n;
}

static int show_one(const struct tool *t, struct str line, struct arena *arena)
{
    struct request request;
    struct err e = {0};
    int rc = sink_case_format(&t->sink, line, t->now_ms, arena, &request, &e);
    if (rc < 0)
        fprintf(stderr, "%s\n", e.text);
    else if (rc == 0)
        puts(t->json ? "null" : "nothing");
    else if (t->json)
        print_json(request_object(&request));
    else
        print_text(&request);
    return rc;
}

static int show(struct tool *t, struct str text)
{
    struct arena arena;
    arena_init(&arena);
    int rc = t->talk ? show_talk(t, text) : show_one(t, text, &arena);
    arena_deinit(&arena);
    return rc;
}

static int show_all(struct tool *t)
{
    struct buf lines;
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    int status = EXIT_SUCCESS;
    int64_t held = 0;
    buf_init(&lines, (size_t)1 << 30);
    while ((n = getline(&line, &cap, stdin)) > 0) {
        buf_mem(&lines, line, (size_t)n);
        if (++held < t->digest)
            continue;
        if (show(t, buf_str(&lines)) < 0)
            status = EXIT_FAILURE;
        buf_clear(&lines);
        held = 0;
    }
    if (held && show(t, buf_str(&lines)) < 0)
        status = EXIT_FAILURE;
    buf_deinit(&lines);
    free(line);
    return status;
}

/* True: it was an option without a value. */
static bool take_flag(struct tool *t, const char *arg, bool *again)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {{"--json", &t->json},
                 {"--talk", &t->talk},
                 {"--nothing", &t->nothing},
                 {"--again", again}};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (strcmp(arg, flags[i].name) == 0)
            return *flags[i].flag = true;
    return false;
}

int main(int argc, char **argv)
{
    struct tool t = {.now_ms = (int64_t)time(NULL) * 1000};
    struct arena arena;
    struct err e = {0};
    const char *settings[32];
    size_t n = 0;
    bool again = false;
    for (int i = 2; i < argc && n < sizeof settings / sizeof settings[0]; i++) {
        if (take_flag(&t, argv[i], &again))
            continue;
        if (strcmp(argv[i], "--now") == 0 && i + 1 < argc)
            t.now_ms = strtoimax(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--digest") == 0 && i + 1 < argc)
            t.digest = strtoimax(argv[++i], NULL, 10);
        else
            settings[n++] = argv[i];
    }
    arena_init(&arena);
    arena_init(&t.memory);
    int rc = sink_case_init(&t.sink, argc > 1 ? argv[1] : "", settings, n, &arena, &e);
    t.sink.again = again;
    t.sink.digest = t.digest > 0;
    if (rc)
        fprintf(stderr, "sink_request: %s\n", e.text);
    int status = rc ? 2 : show_all(&t);
    arena_deinit(&t.memory);
    arena_deinit(&arena);
    return status;
}
