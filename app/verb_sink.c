/* sink: what a sink would send, without sending it; and one test message to it. */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/load_config.h"
#include "app/request_text.h"
#include "app/sink_try.h"
#include "app/verbs.h"
#include "core/clock.h"
#include "core/suggest.h"

struct preview {
    const char *verb, *sink, *config, *alert;
    bool json;
};

static int help(FILE *out, int code)
{
    fputs(
        "usage: ticketwatch sink preview NAME -c FILE --alert FILE [--format "
        "text|json]\n"
        "       ticketwatch sink test NAME -c FILE [--format text|json]\n\n"
        "preview shows what a sink of the configuration would send for an alert, "
        "templates\n"
        "filled in. Sends nothing; needs no network and no secrets. Of a conversation it "
        "is the\n"
        "first request, an update as if what it updates were there.\n\n"
        "test sends one message that says it is a test, and shows the answer: whether "
        "address\n"
        "and key are right. Where the receiver makes something of an alert (an issue, a "
        "task,\n"
        "an incident) it makes that of the test, too. Exit codes: 0 delivered, 1 "
        "refused, 3 no\n"
        "answer, or one that says to try later.\n\n"
        "  -c, --config   the configuration\n"
        "  --alert        an alert as `replay` and `alerts show` print it; the first of\n"
        "                 several; - is stdin\n"
        "  --format       text (for people, the default) or json (an object)\n\n"
        "  $ ticketwatch replay -c ticketwatch.yaml week.jsonl.gz |\n"
        "    ticketwatch sink preview bugs -c ticketwatch.yaml --alert -\n",
        out);
    return code;
}

static const struct sink_config *find_sink(const struct config *c, struct str name)
{
    char meant[SUGGESTION_BYTES];
    struct suggestion near = suggestion_for(name);
    for (size_t i = 0; i < c->sinks_n; i++) {
        if (str_eq(c->sinks[i].name, name))
            return &c->sinks[i];
        suggestion_offer(&near, c->sinks[i].name);
    }
    fprintf(stderr, "ticketwatch sink: there is no sink '%.*s'%s\n", STR_ARG(name),
            suggestion_text(&near, meant));
    return NULL;
}

/* The first JSON of the file as one line. */
static int read_alert(const char *path, struct arena *arena, struct alert *alert,
                      struct str *line, struct err *e)
{
    json_error_t wrong;
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *f = is_stdin ? stdin : fopen(path, "r");
    if (!f)
        return err_set(e, ERR_INPUT, "%s cannot be read", path);
    json_t *json = json_loadf(f, JSON_DISABLE_EOF_CHECK | JSON_ALLOW_NUL, &wrong);
    if (!is_stdin)
        fclose(f);
    if (!json)
        return err_set(e, ERR_INPUT, "%s:%d: %s", path, wrong.line, wrong.text);
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(15));
    *line = arena_str(arena, str_of(text ? text : ""));
    free(text);
    json_decref(json);
    return alert_parse(*line, arena, alert, e);
}

/* Stand for what is secret: an address, or a key that is one to every receiver. */
static void hide_secrets(const struct sink *type, const void *settings,
                         struct sink_secrets *out)
{
    static const char address[] = "https://hidden.example.com/";
    static const char key[] = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const char *letters = strchr(key, 'A'); /* for a key that has a length */
    size_t n = 0;
    for (size_t i = 0; i < type->options_n; i++) {
        const struct option_row *row = &type->options[i];
        const struct secret *s = (const void *)((const char *)settings + row->offset);
        if (row->type != OPTION_SECRET)
            continue;
        if (s->value.n || s->file.n)
            out->values[n] = str_of(row->words ? address : row->max > 0 ? letters : key);
        n++;
    }
}

/* What is updated is there, and so is the company. */
static struct str memory_of_all(const struct alert *a, struct arena *arena)
{
    static const char there[] = ",\"issue\":\"00000000-0000-4000-8000-000000000000\","
                                "\"ts\":\"0.000000\",\"task\":\"1\"";
    struct buf b;
    buf_init(&b, 1000);
    buf_text(&b, "{\"alert\":\"");
    buf_text(&b, a->id);
    buf_text(&b, "\",\"company\":\"1\"");
    buf_text(&b, a->state == ALERT_FIRING ? "" : there);
    buf_char(&b, '}');
    struct str kept = arena_str(arena, buf_str(&b));
    buf_deinit(&b);
    return kept;
}

static int make(const struct sink_config *c, const struct preview *p, struct arena *arena,
                struct request *out, struct err *e)
{
    struct alert *alert = arena_alloc(arena, sizeof *alert);
    struct sink_secrets secrets = {0};
    struct str line;
    if (read_alert(p->alert, arena, alert, &line, e))
        return -1;
    hide_secrets(c->type, c->settings, &secrets);
    struct sink_input in = {.settings = c->settings,
                            .secrets = &secrets,
                            .alert = alert,
                            .alert_json = line,
                            .now_ms = clock_wall_ms(),
                            .memory = memory_of_all(alert, arena)};
    return c->type->format(&in, arena, out, e);
}

static int show(const struct sink_config *c, const struct preview *p)
{
    struct arena arena;
    struct request request = {0};
    struct err e = {0};
    arena_init(&arena);
    int rc = make(c, p, &arena, &request, &e);
    if (rc < 0)
        fprintf(stderr, "ticketwatch sink preview: %s\n", e.text);
    else if (rc == 0)
        puts(p->json ? "null" : "This sink says nothing about that.");
    else
        request_text_print(&request, p->json);
    arena_deinit(&arena);
    return rc < 0 ? EXIT_FINDINGS : EXIT_FINE;
}

static bool is_test(const struct preview *p)
{
    return strcmp(p->verb, "test") == 0;
}

static int act(const struct preview *p)
{
    struct config config;
    int rc = EXIT_FINDINGS;
    const struct sink_config *c = NULL;
    if (load_config(p->config, CONFIG_REPLAY, &config) == 0)
        c = find_sink(&config, str_of(p->sink));
    if (c)
        rc = is_test(p) ? sink_try(c, p->json) : show(c, p);
    config_deinit(&config);
    return rc;
}

/* What is wrong with the wish; NULL: nothing. */
static const char *mistake(const struct preview *p)
{
    if (!p->verb || !p->sink || (strcmp(p->verb, "preview") && !is_test(p)))
        return "say `sink preview NAME` or `sink test NAME`";
    if (!p->config)
        return "-c FILE is missing";
    if (is_test(p))
        return p->alert ? "`sink test` takes no --alert" : NULL;
    return p->alert ? NULL : "--alert FILE is missing";
}

int verb_sink(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"alert", required_argument, NULL, 'a'},
                                            {"format", required_argument, NULL, 'f'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct preview p = {0};
    for (int c; (c = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        if (c == 'c')
            p.config = optarg;
        else if (c == 'a')
            p.alert = optarg;
        else if (c == 'f' && (!strcmp(optarg, "json") || !strcmp(optarg, "text")))
            p.json = optarg[0] == 'j';
        else
            return help(c == 'h' ? stdout : stderr, c == 'h' ? EXIT_FINE : EXIT_USAGE);
    }
    if (argc - optind == 2) {
        p.verb = argv[optind];
        p.sink = argv[optind + 1];
    }
    const char *wrong = mistake(&p);
    if (!wrong)
        return act(&p);
    fprintf(stderr, "ticketwatch sink: %s\n\n", wrong);
    return help(stderr, EXIT_USAGE);
}
