/* The 42 kinds of the shared quality folder: kind, text and fingerprint, tab between.
 * Each alone, behind a word, before one and between two, and again. Case is folded
 * first, so the fingerprints there are compared folded. Skipped where the folder is
 * absent; fingerprint_test.c has the same kinds with values of our own. */
#include "core/fold.h"
#include "tests/fingerprint_cases.h"

enum { KINDS = 42, SKIPPED = 77 };

static FILE *open_kinds(void)
{
    const char *shared = getenv("TICKETWATCH_SHARED");
    struct buf path;
    buf_init(&path, 4096);
    buf_printf(&path, "%s/quality/fingerprint_kinds.tsv", shared ? shared : "../shared");
    buf_char(&path, '\0');
    FILE *f = fopen(path.p, "r");
    buf_deinit(&path);
    return f;
}

static void check_row(char *line)
{
    char *text = strchr(line, '\t'), *want = text ? strchr(text + 1, '\t') : NULL;
    CHECK(want);
    if (!want)
        return;
    *text++ = *want++ = '\0';
    want[strcspn(want, "\n")] = '\0';
    for (char *p = want; *p; p++)
        *p = (char)fold_ascii((unsigned char)*p);
    int before = check_failures;
    check_four_ways(text, want);
    if (check_failures > before)
        fprintf(stderr, "kind: %s\n", line);
}

int main(void)
{
    FILE *f = open_kinds();
    if (!f) {
        puts("skipped: no ../shared/quality (or $TICKETWATCH_SHARED/quality)");
        return SKIPPED;
    }
    char *line = NULL;
    size_t cap = 0, rows = 0;
    while (getline(&line, &cap, f) > 0) {
        if (*line == '#')
            continue;
        check_row(line);
        rows++;
    }
    CHECK_INT(rows, KINDS);
    free(line);
    fclose(f);
    return check_result();
}
