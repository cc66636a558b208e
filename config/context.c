/* releases: {within}: what release.deployed events say is kept by a rule of the program's own, as with accounts. */
#include "config/sections.h"

#define HOUR_MS 3600000.0

static const struct option_row release_rows[] = {
    {.name = "within",
     .type = OPTION_DURATION,
     .offset = offsetof(struct releases_settings, within_ms),
     .fallback = "1h",
     .max = 24 * HOUR_MS,
     .help = "An alert that begins so long after a `release.deployed` event, or earlier, "
             "names it; 0s: alerts name no releases."},
};
const struct option_table releases_table = {
    release_rows, sizeof release_rows / sizeof release_rows[0], NULL, NULL};

void context_add(struct reading *r)
{
    if (r->out->releases.within_ms)
        releases_rule(r->out->releases.within_ms, r->arena,
                      &r->out->rules[r->out->judged_n++]);
}
