/* fingerprint: shows under which key a text is counted, one line of stdin a line of
 * stdout, so that anybody can try, measure and compare. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/verbs.h"
#include "core/fingerprint.h"

/* As long as a key can get before it is cut and hashed. */

static int help(FILE *out, int code)
{
    fputs("usage: ticketwatch fingerprint [--kind text|page|subject|error]\n\n"
          "Reads texts from stdin, one a line, and prints the fingerprint of each: what\n"
          "stays the same when the same thing happens again. Rules count by it\n"
          "(`by: [page, error]`).\n\n"
          "  --kind text      a message or any text (the default)\n"
          "  --kind page      a URL: its path, with :id for ids\n"
          "  --kind subject   a ticket's subject, without Re:, [tags] and punctuation\n"
          "  --kind error     type, code and message with tabs between them; type and\n"
          "                   code may be empty; a line without tabs is a message\n\n"
          "  $ echo 'Invoice 8841 is late (req 6f1c2a9e)' | ticketwatch fingerprint\n"
          "  invoice <int> is late (req <hex>)\n",
          out);
    return code;
}

static struct str cut(struct str *rest)
{
    const char *tab = rest->n ? memchr(rest->p, '\t', rest->n) : NULL;
    if (!tab)
        return STR_NONE;
    struct str field = {rest->p, (size_t)(tab - rest->p)};
    *rest = (struct str){tab + 1, rest->n - field.n - 1};
    return field;
}

static void fingerprint_fields(struct str line, struct buf *out)
{
    struct str type = cut(&line), code = cut(&line);
    fingerprint_error(type, code, line, out);
}

static const struct kind {
    const char *name;
    void (*make)(struct str line, struct buf *out);
} kinds[] = {
    {"text", fingerprint_text},
    {"page", fingerprint_page},
    {"subject", fingerprint_subject},
    {"error", fingerprint_fields},
};

static const struct kind *find_kind(const char *name)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(name, kinds[i].name) == 0)
            return &kinds[i];
    fprintf(stderr, "ticketwatch: no kind '%s': text, page, subject or error\n", name);
    return NULL;
}

static int print_all(const struct kind *kind)
{
    char *line = NULL;
    size_t cap = 0;
    struct buf out;
    buf_init(&out, FINGERPRINT_BYTES_MAX);
    for (ssize_t n; (n = getline(&line, &cap, stdin)) >= 0;) {
        buf_clear(&out);
        n -= n > 0 && line[n - 1] == '\n';
        kind->make((struct str){line, (size_t)n}, &out);
        if (out.n > 0)
            fwrite(out.p, 1, out.n, stdout);
        putchar('\n');
    }
    free(line);
    buf_deinit(&out);
    if (ferror(stdin) || fflush(stdout) || ferror(stdout)) {
        perror("ticketwatch: fingerprint");
        return EXIT_RUNTIME;
    }
    return EXIT_FINE;
}

int verb_fingerprint(int argc, char **argv)
{
    static const struct option options[] = {
        {"kind", required_argument, NULL, 'k'}, {"help", no_argument, NULL, 'h'}, {0}};
    const struct kind *kind = &kinds[0];
    for (int c; (c = getopt_long(argc, argv, "k:h", options, NULL)) != -1;) {
        if (c == 'h')
            return help(stdout, EXIT_FINE);
        kind = c == 'k' ? find_kind(optarg) : NULL;
        if (!kind)
            return help(stderr, EXIT_USAGE);
    }
    if (optind < argc)
        return help(stderr, EXIT_USAGE);
    return print_all(kind);
}
