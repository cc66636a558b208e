/* ticketwatch: the verbs, and help that teaches. Each verb is a file, app/verb_NAME.c. */
#include <stdio.h>
#include <string.h>

#include "app/verbs.h"
#include "core/suggest.h"

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} verbs[] = {
    {"run", verb_run, "consume events from Kafka, detect, deliver alerts"},
    {"replay", verb_replay,
     "print the alerts of a recorded log; sends nothing, needs no server"},
    {"check", verb_check, "find every mistake in a configuration"},
    {"alerts", verb_alerts, "print the confirmed record of the live system"},
    {"dlq", verb_dlq, "list, show and give back what could not be read or delivered"},
    {"silence", verb_silence, "tell nobody of some alerts for a time"},
    {"sink", verb_sink, "show what a sink would send for an alert; send a test message"},
    {"fingerprint", verb_fingerprint,
     "print the fingerprint of each line of text on stdin"},
    {"score", verb_score, "say how abnormal each value of a series is to a rule"},
    {"bench", verb_bench,
     "measure replay against bare decoding, run against a bare consumer"},
};
enum { VERBS = sizeof verbs / sizeof verbs[0] };

static int help(FILE *out, int code)
{
    fprintf(out, "ticketwatch watches a support queue: three of the same page error "
                 "within an hour,\n"
                 "numbers that leave their range, accounts that are about to leave.\n\n"
                 "usage: ticketwatch VERB [OPTIONS]\n\n");
    for (int i = 0; i < VERBS; i++)
        fprintf(out, "  %-12s %s\n", verbs[i].name, verbs[i].help);
    fprintf(
        out,
        "\nStart with a recorded log:\n"
        "  ticketwatch replay -c examples/week/ticketwatch.yaml --format text "
        "examples/week/week.jsonl.gz\n\n"
        "ticketwatch VERB --help tells more. Exit codes: 0 fine, 1 findings, 2 usage, "
        "3 runtime.\n");
    return code;
}

static int no_such_verb(const char *word)
{
    char meant[SUGGESTION_BYTES];
    struct suggestion s = suggestion_for(str_of(word));
    for (int i = 0; i < VERBS; i++)
        suggestion_offer(&s, str_of(verbs[i].name));
    fprintf(stderr, "ticketwatch: no verb '%s'%s\n`ticketwatch --help` lists them\n",
            word, suggestion_text(&s, meant));
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return help(stderr, EXIT_USAGE);
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
        return help(stdout, EXIT_FINE);
    if (!strcmp(argv[1], "--version")) {
        printf("ticketwatch %s\n", TICKETWATCH_VERSION);
        return EXIT_FINE;
    }
    for (int i = 0; i < VERBS; i++)
        if (!strcmp(argv[1], verbs[i].name))
            return verbs[i].run(argc - 1, argv + 1);
    return no_such_verb(argv[1]);
}
