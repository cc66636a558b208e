/* releases: {within} and known_issues: {remember}: what release.deployed and known_issue.updated events say is kept by rules of the
 * program's own, as with accounts. */
#include "config/sections.h"

#define HOUR_MS 3600000.0
#define DAY_MS (24 * HOUR_MS)

static const struct option_row release_rows[] = {
    {.name = "within",
     .type = OPTION_DURATION,
     .offset = offsetof(struct releases_settings, within_ms),
     .fallback = "1h",
     .max = 24 * HOUR_MS,
     .help = "An alert that begins so long after a `release.deployed` event, or earlier, "
             "names it; 0s: alerts name no releases."},
};
const struct option_table releases_table = OPTION_TABLE(release_rows, NULL);

static const struct option_row issue_rows[] = {
    {.name = "remember",
     .type = OPTION_DURATION,
     .offset = offsetof(struct known_issues_settings, remember_ms),
     .min = HOUR_MS,
     .max = 3650 * DAY_MS,
     .help = "How long a `known_issue.updated` event counts for alerts that come after "
             "it; after a loss of Redis so much more is read again from Kafka. By "
             "default 90d, or `record_for` where that is shorter."},
};
const struct option_table known_issues_table = OPTION_TABLE(issue_rows, NULL);

void context_read(struct reading *r)
{
    struct config *c = r->out;
    if (c->known_issues.remember_ms == 0)
        c->known_issues.remember_ms = remember_usual_ms(c);
}

void context_add(struct reading *r)
{
    struct config *c = r->out;
    if (c->releases.within_ms)
        context_rule(&releases_kind, c->releases.within_ms, r->arena,
                     &r->out->rules[r->out->judged_n++]);
    context_rule(&known_issues_kind, c->known_issues.remember_ms, r->arena,
                 &r->out->rules[r->out->judged_n++]);
}
