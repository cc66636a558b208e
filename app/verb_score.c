/* score: how abnormal each value of a series is to an anomaly rule, by the detector that run uses: to measure it on series
 * that are known, such as the Numenta Anomaly Benchmark's (docs/quality.md). */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/load_config.h"
#include "app/verbs.h"
#include "core/timefmt.h"
#include "detectors/anomaly_score.h"

static int help(FILE *out, int code)
{
    fputs(
        "usage: ticketwatch score -c FILE --rule NAME SERIES.csv\n\n"
        "Reads a series, lines of `timestamp,value` after one header line, and prints "
        "it\n"
        "with a third column, anomaly_score: how abnormal each value is to the anomaly\n"
        "rule NAME by those before it. Every line is a bucket of its own, whatever time\n"
        "lies between; `history` / `bucket` of them are remembered. Times without a\n"
        "zone are UTC; - is stdin. What the series took of memory is said on stderr.\n\n"
        "  -c, --config   the configuration\n"
        "  --rule         a rule of the kind anomaly, with metric: mean\n\n"
        "Exit codes: 0 fine, 1 a line is none, 2 usage, 3 runtime.\n",
        out);
    return code;
}

static const struct rule *find_rule(const struct config *c, const char *name)
{
    for (size_t i = 0; i < c->rules_n; i++)
        if (str_is(c->rules[i].name, name) && c->rules[i].kind == &anomaly_detector)
            return &c->rules[i];
    fprintf(stderr, "ticketwatch score: there is no anomaly rule '%s'\n", name);
    return NULL;
}

/* "2014-04-01 00:05:00" too. */
static bool read_time(struct str text, int64_t *ms)
{
    char iso[64];
    if (text.n < 11 || text.n > sizeof iso - 1)
        return false;
    memcpy(iso, text.p, text.n);
    iso[10] = 'T';
    if (text.n == strlen("2014-04-01 00:05:00"))
        iso[text.n++] = 'Z';
    return time_parse((struct str){iso, text.n}, ms);
}

static bool read_row(char *line, int64_t *ms, double *value)
{
    char *comma = strchr(line, ','), *end;
    if (!comma || !read_time((struct str){line, (size_t)(comma - line)}, ms))
        return false;
    *value = strtod(comma + 1, &end);
    return end > comma + 1 && fabs(*value) <= 1e12;
}

static int score_rows(FILE *in, struct anomaly_scorer *scorer)
{
    char *line = NULL;
    size_t cap = 0, number = 0;
    int code = EXIT_FINE;
    puts("timestamp,value,anomaly_score");
    for (ssize_t n; (n = getline(&line, &cap, in)) >= 0;) {
        int64_t ms;
        double value;
        if (++number == 1)
            continue;
        if (!read_row(line, &ms, &value)) {
            fprintf(stderr, "ticketwatch score: line %zu is no 'timestamp,value'\n",
                    number);
            code = EXIT_FINDINGS;
            break;
        }
        line[strcspn(line, "\r\n")] = '\0';
        printf("%s,%.9g\n", line, anomaly_scorer_next(scorer, ms, value));
    }
    free(line);
    return code == EXIT_FINE && (ferror(in) || fflush(stdout)) ? EXIT_RUNTIME : code;
}

static int score_file(const struct rule *rule, const char *path)
{
    FILE *in = strcmp(path, "-") ? fopen(path, "r") : stdin;
    if (!in) {
        perror(path);
        return EXIT_RUNTIME;
    }
    struct anomaly_scorer *scorer = anomaly_scorer_new(rule);
    int code = score_rows(in, scorer);
    fprintf(stderr, "%s: %zu bytes of window\n", path, anomaly_scorer_bytes(scorer));
    anomaly_scorer_free(scorer);
    if (in != stdin)
        fclose(in);
    return code;
}

static int score(const char *config_path, const char *rule_name, const char *path)
{
    struct config config;
    int code = EXIT_FINDINGS;
    if (load_config(config_path, CONFIG_CHECK, &config) == 0) {
        const struct rule *rule = find_rule(&config, rule_name);
        code = rule ? score_file(rule, path) : EXIT_USAGE;
    }
    config_deinit(&config);
    return code;
}

int verb_score(int argc, char **argv)
{
    static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                            {"rule", required_argument, NULL, 'r'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    const char *config = NULL, *rule = NULL;
    for (int c; (c = getopt_long(argc, argv, "c:h", options, NULL)) != -1;) {
        if (c == 'h')
            return help(stdout, EXIT_FINE);
        if (c != 'c' && c != 'r')
            return help(stderr, EXIT_USAGE);
        *(c == 'c' ? &config : &rule) = optarg;
    }
    if (!config || !rule || optind + 1 != argc)
        return help(stderr, EXIT_USAGE);
    return score(config, rule, argv[optind]);
}
