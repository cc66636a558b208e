/* The same request, way and judgement as in delivery; only that nothing is kept or tried again. */
#include "app/sink_try.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/live_delivery.h"
#include "app/own_alert.h"
#include "app/verbs.h"
#include "core/clock.h"
#include "sinks/http.h"

enum { TURNS_MAX = 20, TIMEOUT_MS = 15000, CONNECT_MS = 5000, BODY_SHOWN = 500 };

struct attempt {
    const struct sink_config *sink;
    struct arena arena;
    struct sink_secrets secrets;
    struct alert alert;
    struct sink_input in;
    struct http *http;
    struct response response; /* the last one */
    struct outcome outcome;
    int64_t took_ms;
    int requests;
};

/* --- what is sent --- */

static int make_input(struct attempt *t, struct err *e)
{
    struct buf line;
    own_alert(
        &t->alert, STR("ticketwatch-test"), STR("page"), STR("/a/test"),
        STR("A test message of ticketwatch, sent by `sink test`: nothing is wrong"));
    buf_init(&line, 64 * 1024);
    alert_json(&t->alert, true, &line);
    t->in = (struct sink_input){.settings = t->sink->settings,
                                .secrets = &t->secrets,
                                .alert = &t->alert,
                                .alert_json = arena_str(&t->arena, buf_str(&line)),
                                .now_ms = clock_wall_ms()};
    buf_deinit(&line);
    return live_sink_secrets(t->sink, &t->arena, &t->secrets, e);
}

/* --- sending --- */

static struct outcome judge(struct attempt *t)
{
    struct buf memory;
    buf_init(&memory, MEMORY_MAX_BYTES);
    struct outcome o = sink_hear(t->sink->type, &t->in, &t->response, &memory);
    if (memory.n)
        t->in.memory = arena_str(&t->arena, buf_str(&memory));
    buf_deinit(&memory);
    return o;
}

static int send_one(struct attempt *t, const struct request *request, struct err *e)
{
    struct http_answer answer;
    struct http_way way = {&t->sink->network, t->secrets.proxy};
    int64_t until_ms = clock_monotonic_ms() + TIMEOUT_MS;
    if (http_start(t->http, 0, request, &way, e))
        return -1;
    while (!http_finished(t->http, &answer)) {
        if (clock_monotonic_ms() >= until_ms)
            return err_set(e, ERR_UNAVAILABLE, "no answer within %d s",
                           TIMEOUT_MS / 1000);
        (void)http_wait(t->http, -1, 100);
    }
    t->requests++;
    t->took_ms = answer.took_ms;
    t->response = answer.response;
    t->response.body = arena_str(&t->arena, answer.response.body);
    t->outcome = judge(t);
    if (answer.refused)
        t->outcome.verdict = REFUSED;
    if (answer.failure && t->outcome.verdict != DELIVERED)
        return err_set(e, answer.refused ? ERR_REFUSED : ERR_UNAVAILABLE, "%s",
                       answer.failure);
    return 0;
}

/* Until the receiver has it, or will not. */
static int converse(struct attempt *t, struct err *e)
{
    do {
        struct request request = {0};
        int rc = t->sink->type->format(&t->in, &t->arena, &request, e);
        if (rc < 0 || (rc > 0 && send_one(t, &request, e)))
            return -1;
        if (rc == 0)
            t->outcome = (struct outcome){.verdict = DELIVERED};
    } while (t->outcome.verdict == MORE && t->requests < TURNS_MAX);
    return 0;
}

/* --- saying --- */

static void put_body(struct str body)
{
    size_t n = body.n < BODY_SHOWN ? body.n : BODY_SHOWN;
    for (size_t i = 0; i < n; i++)
        putchar(char_printable(body.p[i]));
    puts(body.n > n ? "..." : "");
}

static void say_text(const struct attempt *t, bool delivered)
{
    printf("%s: %s", t->sink->name.p, delivered ? "delivered" : "not delivered");
    if (t->outcome.reason[0])
        printf(": %s", t->outcome.reason);
    printf("\nrequests %d, the last one took %lld ms", t->requests,
           (long long)t->took_ms);
    if (t->response.status)
        printf(" and was answered %d", t->response.status);
    printf("\nthe alert's id is %s\n", t->alert.id);
    if (t->response.body.n) {
        printf("the answer: ");
        put_body(t->response.body);
    }
}

static void say_json(const struct attempt *t, bool delivered)
{
    struct str body = t->response.body;
    json_t *text = json_stringn(body.p ? body.p : "", body.n);
    json_t *o = json_pack("{s:s, s:b, s:i, s:i, s:I, s:s, s:s, s:o}", "sink",
                          t->sink->name.p, "delivered", delivered, "requests",
                          t->requests, "status", t->response.status, "took_ms",
                          (json_int_t)t->took_ms, "reason", t->outcome.reason, "alert",
                          t->alert.id, "answer", text ? text : json_null());
    char *line = json_dumps(o, JSON_COMPACT);
    puts(line ? line : "{}");
    free(line);
    json_decref(o);
}

int sink_try(const struct sink_config *sink, bool json)
{
    struct err e = {0};
    struct attempt t = {.sink = sink};
    arena_init(&t.arena);
    t.http = http_open(&(struct http_settings){
        .slots = 1, .connect_timeout_ms = CONNECT_MS, .timeout_ms = TIMEOUT_MS});
    int rc = make_input(&t, &e) || converse(&t, &e) ? -1 : 0;
    bool delivered = rc == 0 && t.outcome.verdict == DELIVERED;
    if (rc)
        snprintf(t.outcome.reason, sizeof t.outcome.reason, "%.199s", e.text);
    if (json)
        say_json(&t, delivered);
    else
        say_text(&t, delivered);
    http_close(t.http);
    arena_deinit(&t.arena);
    if (delivered)
        return EXIT_FINE;
    bool away = e.kind == ERR_UNAVAILABLE || t.outcome.verdict == RETRY;
    return away ? EXIT_RUNTIME : EXIT_FINDINGS;
}
