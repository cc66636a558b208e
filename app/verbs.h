/* The verbs of the command line: each takes its own argv (argv[0] is the verb) and returns the exit
 * code: 0 fine, 1 findings, 2 usage, 3 runtime. */
#ifndef APP_VERBS_H
#define APP_VERBS_H

enum { EXIT_FINE = 0, EXIT_FINDINGS = 1, EXIT_USAGE = 2, EXIT_RUNTIME = 3 };

int verb_run(int argc, char **argv);
int verb_replay(int argc, char **argv);
int verb_check(int argc, char **argv);
int verb_alerts(int argc, char **argv);
int verb_dlq(int argc, char **argv);
int verb_silence(int argc, char **argv);
int verb_sink(int argc, char **argv);
int verb_fingerprint(int argc, char **argv);
int verb_score(int argc, char **argv);
int verb_bench(int argc, char **argv);

#endif
