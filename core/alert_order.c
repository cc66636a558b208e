#include "core/alert.h"

int alert_account_cmp(const void *a, const void *b)
{
    const struct alert_account *x = a, *y = b;
    if (x->mrr != y->mrr)
        return x->mrr > y->mrr ? -1 : 1;
    return str_cmp(x->id, y->id);
}

static int cmp_int(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* Two steps of one episode may become true in the same millisecond: then the lower one
 * first. */
int alert_cmp(const struct alert *a, const struct alert *b)
{
    int c = cmp_int(a->time_ms, b->time_ms);
    if (c == 0)
        c = str_cmp(a->rule, b->rule);
    for (size_t i = 0; c == 0 && i < a->keys_n && i < b->keys_n; i++)
        c = str_cmp(a->key_values[i], b->key_values[i]);
    if (c == 0)
        c = cmp_int((int64_t)a->keys_n, (int64_t)b->keys_n);
    if (c == 0)
        c = cmp_int(a->state, b->state);
    if (c == 0)
        c = cmp_int(a->severity, b->severity);
    return c ? c : strcmp(a->id, b->id);
}
