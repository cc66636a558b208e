/* accounts: {remember}: what account.updated events say is kept by a rule of the program's own, behind those that are
 * written (detectors/accounts.h). */
#include "detectors/accounts.h"

#include "config/sections.h"

#define DAY_MS 86400000.0

static const struct option_row rows[] = {
    {.name = "remember",
     .type = OPTION_DURATION,
     .offset = offsetof(struct accounts_settings, remember_ms),
     .min = 3600000,
     .max = 3650 * DAY_MS,
     .help = "How long an `account.updated` event tells what alerts say of the account; "
             "after a loss of Redis so much more is read again from Kafka. By default "
             "90d, or `record_for` where that is shorter."},
};
const struct option_table accounts_table = OPTION_TABLE(rows, NULL);

int64_t remember_usual_ms(const struct config *c)
{
    int64_t most_ms = (int64_t)(90 * DAY_MS);
    return c->record.record_for_ms < most_ms ? c->record.record_for_ms : most_ms;
}

void accounts_read(struct reading *r)
{
    const struct entry *m = node_entry(r->root, "accounts");
    r->needed_from = CONFIG_REPLAY;
    if (m)
        options_read(r, &accounts_table, m, STR("accounts"), &r->out->accounts);
    else
        options_default(r, &accounts_table, &r->out->accounts);
    if (r->out->accounts.remember_ms == 0)
        r->out->accounts.remember_ms = remember_usual_ms(r->out);
}

void accounts_add(struct reading *r)
{
    accounts_rule(r->out->accounts.remember_ms, r->arena,
                  &r->out->rules[r->out->judged_n++]);
}
