/* What the sinks send for the alerts in tests/sinks/golden: each folder has alert.json and, for each
 * sink, the request as people read it. So for all of
 * tests/sinks/digest at once. After a change that is meant, write them anew with
 * TICKETWATCH_WRITE_GOLDEN=1 and read the difference. */
#include <dirent.h>
#include <jansson.h>

#include "tests/check.h"
#include "tests/sink_talk.h"

#define FOLDER "tests/sinks/golden"
#define NOW_MS 1772443200000 /* 2026-03-02T09:20:00Z, a Monday */

static const struct {
    const char *type;
    const char *settings[8];
    const char *name; /* of the file; NULL: the type's */
} cases[] = {
    {.type = "slack",
     .settings = {"url=https://hooks.slack.com/services/T000/B000/secret",
                  "ticket_url=https://help.example.com/tickets/{id}?from=slack&x=1"}},
    {.type = "slack",
     .settings = {"token=xoxb-secret", "channel=C024BE91L",
                  "ticket_url=https://help.example.com/tickets/{id}"},
     .name = "slack_bot"},
    {.type = "linear",
     .settings = {"key=lin_api_secret", "team=9cfb482a-81e3-4154-b5b9-2c805e70a02d",
                  "project=7b1c8e0e-1b53-4a4c-9a5d-9f0a2f5b7c11",
                  "labels=f3b0c7d2-2b7f-4b8f-9d0c-0b5b1a6b2c3d,0b6c1e52-3f0a-4d7b-9c1e-"
                  "2f1a7c1e9b10",
                  "ticket_url=https://help.example.com/tickets/{id}"}},
    {.type = "hubspot",
     .settings = {"key=pat-secret", "ticket_url=https://help.example.com/tickets/{id}"}},
    {.type = "hubspot",
     .settings = {"key=pat-secret", "company_property=account_id",
                  "score_property=churn_score", "reasons_property=churn_reasons",
                  "signal_property=churn_signal_at", "due_at=16:30"},
     .name = "hubspot_company"},
    {.type = "webhook",
     .settings = {"url=https://ops.example.com/hook",
                  "secret=whsec_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc="}},
    {.type = "pagerduty",
     .settings = {"routing_key=R0123456789abcdefghijklmnopqrstu",
                  "ticket_url=https://help.example.com/tickets/{id}?from=pagerduty&x=1"}},
    {.type = "discord",
     .settings = {"url=https://discord.com/api/webhooks/1/secret",
                  "ticket_url=https://help.example.com/tickets/{id}?from=discord&x=1"}},
    {.type = "teams",
     .settings = {"url=https://flow.example.com/hooks/1/paths/invoke?sig=secret",
                  "ticket_url=https://help.example.com/tickets/{id}?from=teams&x=1"}},
    {.type = "stdout", .settings = {NULL}},
    {.type = "file", .settings = {"path=/var/log/alerts.jsonl", "fsync=never"}},
    {.type = "email",
     .settings = {"url=smtp://mail.example.com:587", "from=alerts@example.com",
                  "to=support@example.com,on-call@example.com",
                  "ticket_url=https://help.example.com/tickets/{id}?from=mail&x=1"}},
    {.type = "kafka", .settings = {"topic=alerts", "brokers=localhost:9092"}},
};

static bool read_file(const char *path, struct buf *out)
{
    char part[4096];
    size_t n;
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    while ((n = fread(part, 1, sizeof part, f)) > 0)
        buf_mem(out, part, n);
    fclose(f);
    return true;
}

static void write_file(const char *path, struct str text)
{
    FILE *f = fopen(path, "wb");
    CHECK(f && fwrite(text.p, 1, text.n, f) == text.n);
    if (f)
        fclose(f);
}

/* The alert as one line, as the outbox has it. */
static struct str alert_line(const char *folder, struct arena *arena)
{
    char path[512];
    struct buf file;
    struct str line = STR_NONE;
    buf_init(&file, 1 << 20);
    snprintf(path, sizeof path, FOLDER "/%s/alert.json", folder);
    if (read_file(path, &file)) {
        json_t *json = json_loadb(file.p, file.n, JSON_ALLOW_NUL, NULL);
        char *text =
            json ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15)) : NULL;
        line = text ? arena_str(arena, str_of(text)) : STR_NONE;
        free(text);
        json_decref(json);
    }
    buf_deinit(&file);
    return line;
}

static void compare(const char *path, struct str got)
{
    struct buf want;
    buf_init(&want, 1 << 20);
    if (getenv("TICKETWATCH_WRITE_GOLDEN"))
        write_file(path, got);
    bool there = read_file(path, &want);
    if (!there || !str_eq(got, buf_str(&want))) {
        fprintf(stderr, "%s: not so, but:\n%.*s\n", path, STR_ARG(got));
        check_failures++;
    }
    buf_deinit(&want);
}

/* `line`: the alert, or with `digest` several; NULL: the folder's. */
static void check_case(const char *folder, size_t i, const struct str *line, bool digest)
{
    char path[512];
    struct arena arena;
    struct buf text;
    struct sink_case sink;
    struct request requests[SINK_TALK_MAX];
    struct err e = {0};
    size_t settings_n = 0;
    arena_init(&arena);
    buf_init(&text, 1 << 20);
    while (settings_n < 8 && cases[i].settings[settings_n])
        settings_n++;
    CHECK_INT(
        sink_case_init(&sink, cases[i].type, cases[i].settings, settings_n, &arena, &e),
        0);
    sink.digest = digest;
    struct sink_talk how = {.now_ms = NOW_MS, .arena = &arena};
    int n =
        sink_talk(&sink, &how, line ? *line : alert_line(folder, &arena), requests, &e);
    CHECK_STR(str_of(e.text), STR(""));
    for (int k = 0; k < n; k++) {
        buf_text(&text, k ? "\n-------- then\n\n" : "");
        sink_case_text(&requests[k], &text);
    }
    buf_text(&text, n ? "" : "nothing\n");
    snprintf(path, sizeof path, FOLDER "/%s/%s.txt", folder,
             cases[i].name ? cases[i].name : cases[i].type);
    compare(path, buf_str(&text));
    buf_deinit(&text);
    arena_deinit(&arena);
}

/* A storm, as the sinks tell it that have people for readers. */
static void check_digests(void)
{
    struct buf lines;
    buf_init(&lines, 1 << 20);
    CHECK(read_file(FOLDER "/../digest/alerts.jsonl", &lines));
    struct str all = buf_str(&lines);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (sink_named(str_of(cases[i].type))->digests)
            check_case("../digest", i, &all, true);
    buf_deinit(&lines);
}

int main(void)
{
    int folders = 0;
    DIR *dir = opendir(FOLDER);
    CHECK(dir != NULL);
    for (struct dirent *d = dir ? readdir(dir) : NULL; d; d = readdir(dir)) {
        if (d->d_name[0] == '.')
            continue;
        folders++;
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
            check_case(d->d_name, i, NULL, false);
    }
    if (dir)
        closedir(dir);
    CHECK(folders >= 8);
    check_digests();
    return check_result();
}
