/* Conversations with a sink, told turn by turn. */
#ifndef TESTS_TALK_H
#define TESTS_TALK_H

#include "tests/check.h"
#include "tests/sink_case.h"

#define TALK_NOW_MS 1772443200000 /* 2026-03-02T09:20:00Z, a Monday */

/* The request has `says` in it; this is the answer, and what the sink makes of it. */
struct turn {
    const char *says;
    int status;
    const char *answer;
    enum verdict verdict;
};

struct talk {
    struct sink_case sink;
    struct arena arena;
    const char *id; /* of the alert; 32 hex digits */
};

static inline void talk_open(struct talk *t, const char *type,
                             const char *const *settings, size_t n)
{
    struct err e = {0};
    *t = (struct talk){.id = "5d41402abc4b2a76b9719d911017c592"};
    arena_init(&t->arena);
    CHECK_INT(sink_case_init(&t->sink, type, settings, n, &t->arena, &e), 0);
    CHECK_STR(str_of(e.text), STR(""));
}

static inline void talk_close(struct talk *t)
{
    arena_deinit(&t->arena);
}

static inline struct str talk_alert(struct talk *t, const char *state,
                                    const char *severity)
{
    char *text = arena_alloc(&t->arena, 2000);
    int n = snprintf(
        text, 2000,
        "{\"id\":\"%s\",\"rule\":\"page-error\",\"kind\":\"count\",\"state\":\"%s\","
        "\"severity\":\"%s\",\"time\":\"2026-03-02T09:14:07.120Z\","
        "\"key\":{\"page\":\"/"
        "billing\",\"error\":\"inv_500\"},\"summary\":\"s\",\"count\":3,"
        "\"users\":3,\"accounts\":[{\"id\":\"31337\",\"name\":\"Acme\",\"tier\":"
        "\"enterprise\","
        "\"mrr\":12000,\"owner\":\"64492917\"}],"
        "\"first_seen\":\"2026-03-02T09:00:00.000Z\","
        "\"last_seen\":\"2026-03-02T09:14:07.120Z\"}",
        t->id, state, severity);
    return (struct str){text, (size_t)n};
}

static inline bool talk_holds(struct str text, const char *part)
{
    return memmem(text.p, text.n, part, strlen(part)) != NULL;
}

/* Each `says` may stand in the body or the address. */
static inline void talk_turns(struct talk *t, struct str alert, const struct turn *turns,
                              size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct request r = {0};
        struct err e = {0};
        int rc = sink_case_format(&t->sink, alert, TALK_NOW_MS, &t->arena, &r, &e);
        CHECK_INT(rc, 1);
        if (rc != 1 ||
            (!talk_holds(r.body, turns[i].says) && !talk_holds(r.url, turns[i].says))) {
            fprintf(stderr, "turn %zu: no \"%s\" in %.*s %.*s\n", i, turns[i].says,
                    STR_ARG(r.url), STR_ARG(r.body));
            check_failures++;
        }
        struct response answer = {.status = turns[i].status,
                                  .body = str_of(turns[i].answer)};
        struct outcome o =
            sink_case_hear(&t->sink, alert, TALK_NOW_MS, &answer, &t->arena);
        if (o.verdict != turns[i].verdict) {
            fprintf(stderr, "turn %zu (%s): %d, %s\n", i, turns[i].says, (int)o.verdict,
                    o.reason);
            check_failures++;
        }
        t->sink.again = o.verdict == RETRY;
    }
}

#define TALK(t, alert, ...)                            \
    talk_turns(t, alert, (struct turn[]){__VA_ARGS__}, \
               sizeof((struct turn[]){__VA_ARGS__}) / sizeof(struct turn))

#endif
