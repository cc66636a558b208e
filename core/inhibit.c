/* What an alert says of a field stands in its key, of accounts also in the list of them, and of an anomaly also in what it
 * is about (contributors). */
#include "core/inhibit.h"

#include "core/pattern.h"

enum { SAID_MAX = ALERT_ACCOUNTS_MAX + ALERT_CONTRIBUTORS_MAX + 1 };

bool inhibit_is_source(const struct inhibit *i, struct str rule)
{
    return pattern_fits(i->source, rule);
}

bool inhibit_any_source(const struct inhibit *all, size_t n, struct str rule)
{
    for (size_t i = 0; i < n; i++)
        if (inhibit_is_source(&all[i], rule))
            return true;
    return false;
}

bool inhibit_is_hidden(const struct inhibit *i, struct str rule)
{
    for (size_t k = 0; k < i->hides.n; k++)
        if (pattern_fits(i->hides.items[k], rule))
            return true;
    return false;
}

/* All values that the alert has for the field. */
static size_t said_of(const struct alert *a, struct str field, struct str out[SAID_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < a->keys_n; i++)
        if (str_eq(a->key_names[i], field))
            out[n++] = a->key_values[i];
    for (size_t i = 0; i < a->contributors_n; i++)
        if (str_eq(a->contributors[i].field, field))
            out[n++] = a->contributors[i].value;
    for (size_t i = 0; i < a->accounts_listed && str_is(field, "account"); i++)
        out[n++] = a->accounts[i].id;
    return n;
}

static bool share(const struct alert *a, const struct alert *b, struct str field)
{
    struct str of_a[SAID_MAX], of_b[SAID_MAX];
    size_t a_n = said_of(a, field, of_a), b_n = said_of(b, field, of_b);
    for (size_t i = 0; i < a_n; i++)
        for (size_t k = 0; k < b_n; k++)
            if (str_eq(of_a[i], of_b[k]))
                return true;
    return false;
}

static bool hides(const struct inhibit *i, const struct alert *source,
                  const struct alert *alert)
{
    if (!inhibit_is_source(i, source->rule) || !inhibit_is_hidden(i, alert->rule))
        return false;
    for (size_t k = 0; k < i->equal.n; k++)
        if (!share(source, alert, i->equal.items[k]))
            return false;
    return true;
}

const struct inhibit *inhibit_of(const struct inhibit *all, size_t n,
                                 const struct alert *source, const struct alert *alert)
{
    for (size_t i = 0; i < n; i++)
        if (hides(&all[i], source, alert))
            return &all[i];
    return NULL;
}

void inhibit_about(const struct alert *a, struct buf *out)
{
    for (size_t i = 0; i < a->keys_n; i++) {
        buf_text(out, i ? ", " : "");
        buf_put(out, a->key_values[i]);
    }
}
