/* Optimal string alignment: insert, delete, replace and swap of neighbours cost an edit each; another
 * case, or - for _, half of one. Near enough is a third of the longer word. */
#include "core/suggest.h"

#include <stdint.h>
#include <stdio.h>

enum { WORD_BYTES_MAX = 60, EDIT = 2 };

struct suggestion suggestion_for(struct str word)
{
    return (struct suggestion){.word = word, .distance = SIZE_MAX};
}

static char folded(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return c == '-' ? '_' : c;
}

static size_t replacing(char a, char b)
{
    if (a == b)
        return 0;
    return folded(a) == folded(b) ? EDIT / 2 : EDIT;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Only the last three rows of the table are kept. */
static size_t edits(struct str a, struct str b)
{
    size_t rows[3][WORD_BYTES_MAX + 1];
    for (size_t j = 0; j <= b.n; j++)
        rows[0][j] = j * EDIT;
    for (size_t i = 1; i <= a.n; i++) {
        size_t *now = rows[i % 3], *above = rows[(i + 2) % 3], *swap = rows[(i + 1) % 3];
        now[0] = i * EDIT;
        for (size_t j = 1; j <= b.n; j++) {
            now[j] = least(above[j] + EDIT, now[j - 1] + EDIT);
            now[j] = least(now[j], above[j - 1] + replacing(a.p[i - 1], b.p[j - 1]));
            if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
                now[j] = least(now[j], swap[j - 2] + EDIT);
        }
    }
    return rows[a.n % 3][b.n];
}

void suggestion_offer_as(struct suggestion *s, struct str spelling, struct str name)
{
    size_t longer = spelling.n > s->word.n ? spelling.n : s->word.n;
    if (longer > WORD_BYTES_MAX || s->word.n == 0)
        return;
    size_t far = edits(s->word, spelling), near_enough = least(longer, 12) * EDIT / 3;
    if (s->word.n >= 3 && str_starts(spelling, s->word))
        far = least(far, EDIT / 2); /* a word cut short */
    if (far > near_enough || far >= s->distance)
        return;
    s->distance = far;
    s->best = name;
}

void suggestion_offer(struct suggestion *s, struct str name)
{
    suggestion_offer_as(s, name, name);
}

const char *suggestion_text(const struct suggestion *s, char *out)
{
    out[0] = '\0';
    if (s->best.n)
        snprintf(out, SUGGESTION_BYTES, "; did you mean '%.*s'?", STR_ARG(s->best));
    return out;
}
