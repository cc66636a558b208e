#include "app/alert_text.h"

#include "core/timefmt.h"

/* ANSI colours: a resolved line is green, else by severity. */
static const char *colour_of(const struct alert *a)
{
    static const char *const by_severity[SEVERITIES] = {"\033[36m", "\033[33m",
                                                        "\033[31m", "\033[1;31m"};
    return a->state == ALERT_RESOLVED ? "\033[32m" : by_severity[a->severity];
}

/* Control characters of a log must not reach a terminal. */
static void put_printable(struct str s, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++)
        buf_char(out, (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f ? ' ' : s.p[i]);
}

static void put_accounts(const struct alert *a, struct buf *out)
{
    for (size_t i = 0; i < a->accounts_listed && i < 3; i++) {
        const struct alert_account *account = &a->accounts[i];
        buf_text(out, i ? ", " : "  [");
        put_printable(account->name.n ? account->name : account->id, out);
        if (account->tier.n) {
            buf_char(out, ' ');
            put_printable(account->tier, out);
        }
    }
    if (a->accounts_n > 3)
        buf_printf(out, " and %lld more", (long long)a->accounts_n - 3);
    if (a->accounts_listed)
        buf_char(out, ']');
}

void alert_text(const struct alert *a, bool colour, struct buf *out)
{
    char time[TIME_TEXT_BYTES];
    time_text(a->time_ms, time);
    time[10] = ' ';
    buf_printf(out, "%.19s  %s%-9s %-8s%s  %-16.*s ", time, colour ? colour_of(a) : "",
               alert_state_name(a->state), severity_name(a->severity),
               colour ? "\033[0m" : "", STR_ARG(a->rule));
    put_printable(a->summary, out);
    put_accounts(a, out);
}
