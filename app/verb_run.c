/* run: the live system. SIGTERM and SIGINT drain and leave the group; a second one ends at once. SIGHUP reads the
 * configuration again. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
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
    else if (atomic_exchange(&orders.stop, true))
        _exit(128 + number);
}

static int help(FILE *out, int code)
{
    fprintf(out,
            "usage: ticketwatch run -c FILE\n\n"
            "Consumes events from Kafka as a member of a consumer group, keeps windows "
            "in Redis, and\n"
            "delivers alerts to the sinks of the configuration. Run as many as the "
            "topics have\n"
            "partitions; each may be killed at any time. Logs go to stderr as logfmt\n"
            "(TICKETWATCH_LOG=debug|info|warn|error). SIGTERM stops it within 25 s.\n\n"
            "  -c, --config   the configuration; `ticketwatch check -c FILE` finds its "
            "mistakes\n");
    return code;
}

static void catch_signals(void)
{
    struct sigaction a = {.sa_handler = on_signal};
    sigaction(SIGTERM, &a, NULL);
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGHUP, &a, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static int run(const char *path)
{
    struct config config;
    struct err e = {0};
    char quoted[LOG_VALUE_BYTES];
    int code = EXIT_FINDINGS;
    if (load_config(path, CONFIG_RUN, &config) == 0) {
        catch_signals();
        code = live_run(&config, path, &orders, &e) ? EXIT_RUNTIME : EXIT_FINE;
        if (code != EXIT_FINE)
            log_error("failed", "reason=%s", log_quote(str_of(e.text), quoted));
    }
    config_deinit(&config);
    return code;
}

int verb_run(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"config", required_argument, NULL, 'c'}, {"help", no_argument, NULL, 'h'}, {0}};
    const char *config = NULL;
    for (int c; (c = getopt_long(argc, argv, "c:h", long_options, NULL)) != -1;) {
        if (c == 'c')
            config = optarg;
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
