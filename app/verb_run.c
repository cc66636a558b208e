/* run: the live system. SIGTERM and SIGINT drain and leave the group; a second one ends at once. SIGHUP reads the
 * configuration again. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "app/live.h"
#include "app/load_config.h"
#include "app/verbs.h"
#include "core/log.h"

static struct live_orders orders;

static void on_signal(int number)
{
    if (number == SIGHUP)
        atomic_store(&orders.reload, true);
    else if (number == SIGUSR1 || number == SIGUSR2)
        log_all(number == SIGUSR1);
    else if (atomic_exchange(&orders.stop, true))
        _exit(128 + number);
}

static int help(FILE *out, int code)
{
    fprintf(
        out,
        "usage: ticketwatch run -c FILE [--log-level LEVEL] [--log-format FORMAT]\n\n"
        "Consumes events from Kafka as a member of a consumer group, keeps windows "
        "in Redis, and\n"
        "delivers alerts to the sinks of the configuration. Run as many as the "
        "topics have\n"
        "partitions; each may be killed at any time. While Kafka or Redis is away it "
        "waits. A\n"
        "configuration that changes is taken at once, and one with mistakes is not.\n\n"
        "  -c, --config   the configuration; `ticketwatch check -c FILE` finds its "
        "mistakes\n"
        "  --log-level    debug, info, warn or error, instead of the configuration's "
        "log.level\n"
        "                 or, where there is none, TICKETWATCH_LOG\n"
        "  --log-format   logfmt, json or text, instead of log.format; to stderr\n\n"
        "Signals: SIGTERM and SIGINT end it within 25 s, a second one at once; SIGHUP "
        "reads the\n"
        "configuration again; SIGUSR1 logs everything, until SIGUSR2.\n");
    return code;
}

static void catch_signals(void)
{
    struct sigaction a = {.sa_handler = on_signal};
    sigaction(SIGTERM, &a, NULL);
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGHUP, &a, NULL);
    sigaction(SIGUSR1, &a, NULL);
    sigaction(SIGUSR2, &a, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* For people as they stand in the file; as lines of the log for who reads JSON. */
static int load(const char *path, struct config *out)
{
    struct config_report report;
    if (!orders.log_format || *orders.log_format != LOG_JSON)
        return load_config(path, CONFIG_RUN, out);
    log_use(LOG_INFO, LOG_JSON);
    int result = config_load(path, out, CONFIG_RUN, &report);
    log_mistakes(path, &report);
    buf_deinit(&report.text);
    return result;
}

static int run(const char *path)
{
    struct config config;
    struct err e = {0};
    char quoted[LOG_VALUE_BYTES];
    int code = EXIT_FINDINGS;
    if (load(path, &config) == 0) {
        catch_signals();
        code = live_run(&config, path, &orders, &e) ? EXIT_RUNTIME : EXIT_FINE;
        if (code != EXIT_FINE)
            log_error("failed", "reason=%s", log_quote(str_of(e.text), quoted));
    }
    config_deinit(&config);
    return code;
}

static bool read_word(const char *word, const char *const *words, int *value,
                      const int **out)
{
    for (*value = 0; words[*value]; (*value)++)
        if (strcmp(word, words[*value]) == 0)
            break;
    *out = value;
    return words[*value];
}

int verb_run(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"config", required_argument, NULL, 'c'},
        {"log-level", required_argument, NULL, 'l'},
        {"log-format", required_argument, NULL, 'f'},
        {"help", no_argument, NULL, 'h'},
        {0}};
    static int level, format;
    const char *config = NULL;
    for (int c; (c = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1;) {
        if (c == 'c')
            config = optarg;
        else if (c == 'l' && read_word(optarg, log_levels, &level, &orders.log_level))
            continue;
        else if (c == 'f' && read_word(optarg, log_formats, &format, &orders.log_format))
            continue;
        else
            return help(c == 'h' ? stdout : stderr, c == 'h' ? EXIT_FINE : EXIT_USAGE);
    }
    if (!config || optind != argc) {
        fprintf(stderr, "ticketwatch run: %s\n\n",
                config ? "only options are taken" : "-c FILE is missing");
        return help(stderr, EXIT_USAGE);
    }
    return run(config);
}
