/* check: every mistake of a configuration, without network. */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/check_events.h"
#include "app/verbs.h"
#include "config/config.h"

enum { REFERENCE_BYTES_MAX = 1024 * 1024 };

static int help(FILE *out, int code)
{
    fprintf(
        out,
        "usage: ticketwatch check -c FILE [--format text|json]\n"
        "       ticketwatch check -c FILE --events LOG\n"
        "       ticketwatch check --reference\n\n"
        "Finds every mistake of a configuration in one pass, each with its line and, "
        "where there\n"
        "is one, the word that was probably meant. Needs no network, no secrets and no\n"
        "environment: what `run` would miss of those is a warning.\n\n"
        "  -c, --config   the configuration\n"
        "  --format       text (for people, the default) or json (an object a line, a "
        "summary last)\n"
        "  --events       print what each message of a recorded log is to the rules, one "
        "event a\n"
        "                 line: to see what `fields` makes of it; - is stdin\n"
        "  --reference    print what can be configured, as Markdown\n\n"
        "Exit codes: 0 no mistakes, 1 mistakes (or the file cannot be read), 2 usage.\n\n"
        "  $ ticketwatch check -c ticketwatch.yaml\n"
        "  ticketwatch.yaml:18:27: error: rules.page-error.count.withn: no such option; "
        "did you mean 'within'?\n"
        "  1 mistake\n\n"
        "Before a change goes live: ticketwatch replay -c FILE last-week.jsonl.gz\n");
    return code;
}

static int reference(void)
{
    struct buf b;
    buf_init(&b, REFERENCE_BYTES_MAX);
    config_reference(&b);
    fwrite(b.p, 1, b.n, stdout);
    buf_deinit(&b);
    return EXIT_FINE;
}

static void print_json(json_t *line)
{
    char *text = json_dumps(line, JSON_COMPACT);
    if (!text)
        abort();
    puts(text);
    free(text);
    json_decref(line);
}

/* False alarms a week that a rule is expected to give at most; false where nothing is known. */
static bool odds_of(const struct rule *rule, double *a_week, int64_t *keys)
{
    if (rule->kind->odds)
        *a_week = rule->kind->odds(rule, keys);
    return rule->kind->odds;
}

static json_t *odds_json(const struct config *c)
{
    json_t *all = json_array();
    double a_week;
    int64_t keys;
    for (size_t i = 0; i < c->rules_n; i++)
        if (odds_of(&c->rules[i], &a_week, &keys))
            json_array_append_new(all,
                                  json_pack("{s:s%, s:f, s:I}", "rule",
                                            c->rules[i].name.p, c->rules[i].name.n,
                                            "a_week", a_week, "keys", (json_int_t)keys));
    return all;
}

static void tell_odds(const char *file, const struct config *c)
{
    double a_week;
    int64_t keys;
    for (size_t i = 0; i < c->rules_n; i++)
        if (odds_of(&c->rules[i], &a_week, &keys))
            printf("%s: rules.%.*s: at most %.2g false alarms a week expected of %lld "
                   "key%s\n",
                   file, STR_ARG(c->rules[i].name), a_week, (long long)keys,
                   keys == 1 ? "" : "s");
}

static void tell_json(const char *file, const struct config *c,
                      const struct config_report *report)
{
    for (size_t i = 0; i < report->mistakes_n; i++) {
        const struct config_mistake *m = &report->mistakes[i];
        print_json(json_pack("{s:s, s:I, s:I, s:s, s:s%}", "file", file, "line",
                             (json_int_t)m->line, "column", (json_int_t)m->column,
                             "level", m->warning ? "warning" : "error", "message",
                             m->text.p, m->text.n));
    }
    print_json(json_pack("{s:s, s:b, s:I, s:I, s:I, s:I, s:o}", "file", file, "fine",
                         report->errors == 0, "errors", (json_int_t)report->errors,
                         "warnings", (json_int_t)report->warnings, "rules",
                         (json_int_t)c->rules_n, "sinks", (json_int_t)c->sinks_n,
                         "false_alarms", report->errors ? json_array() : odds_json(c)));
}

static void print_count(size_t n, const char *what)
{
    printf("%zu %s%s", n, what, n == 1 ? "" : "s");
}

static void tell_text(const char *file, const struct config *c,
                      const struct config_report *report)
{
    if (report->text.n)
        fwrite(report->text.p, 1, report->text.n, stdout);
    if (report->errors) {
        print_count(report->errors, "mistake");
    } else {
        printf("%s: fine: ", file);
        print_count(c->rules_n, "rule");
        printf(", ");
        print_count(c->sinks_n, "sink");
    }
    if (report->warnings) {
        printf(", ");
        print_count(report->warnings, "warning");
    }
    printf("\n");
    if (report->errors == 0)
        tell_odds(file, c);
}

static int check(const char *path, bool json)
{
    struct config config;
    struct config_report report;
    int failed = config_load(path, &config, CONFIG_CHECK, &report);
    if (json)
        tell_json(path, &config, &report);
    else
        tell_text(path, &config, &report);
    buf_deinit(&report.text);
    config_deinit(&config);
    return failed ? EXIT_FINDINGS : EXIT_FINE;
}

static int check_one(const char *path, const char *events, bool json, bool more)
{
    if (path && !more)
        return events ? check_events(path, events) : check(path, json);
    fprintf(stderr, "ticketwatch check: %s\n\n",
            path ? "one configuration, after -c" : "-c FILE is missing");
    return help(stderr, EXIT_USAGE);
}

int verb_check(int argc, char **argv)
{
    static const struct option long_options[] = {{"config", required_argument, NULL, 'c'},
                                                 {"format", required_argument, NULL, 'f'},
                                                 {"events", required_argument, NULL, 'e'},
                                                 {"reference", no_argument, NULL, 'r'},
                                                 {"help", no_argument, NULL, 'h'},
                                                 {0}};
    const char *config = NULL, *events = NULL;
    bool json = false;
    for (int c; (c = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1;) {
        if (c == 'c')
            config = optarg;
        else if (c == 'e')
            events = optarg;
        else if (c == 'f' && (!strcmp(optarg, "json") || !strcmp(optarg, "text")))
            json = optarg[0] == 'j';
        else if (c == 'r')
            return reference();
        else
            return help(c == 'h' ? stdout : stderr, c == 'h' ? EXIT_FINE : EXIT_USAGE);
    }
    return check_one(config, events, json, optind < argc);
}
