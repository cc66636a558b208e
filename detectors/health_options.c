/* The table of the kind `health`. */
#include "detectors/health.h"

#define HOUR_MS 3600000.0
#define POINTS_MAX 1000
#define YEAR_MS (366.0 * 86400000)
#define AT(member) offsetof(struct health_settings, member)
#define POINTS_ROW(at, usual)                                                         \
    {                                                                                 \
        .name = "points", .type = OPTION_INT, .offset = (at), .fallback = (usual),    \
        .max = POINTS_MAX,                                                            \
        .help = "What it adds to the score while it is true; 0: it is not looked at." \
    }

static const struct option_row friction_rows[] = {
    {.name = "on",
     .type = OPTION_EVENTS,
     .offset = AT(counts[PART_FRICTION].on),
     .help = "Which events may show it; by default those of tickets, and "
             "conversation.finished."},
    {.name = "where",
     .type = OPTION_WHERE,
     .offset = AT(counts[PART_FRICTION].where),
     .fallback = "ticket.sentiment < -0.3 or ticket.csat < 3.5",
     .help = "Which of them do."},
    {.name = "at_least",
     .type = OPTION_INT,
     .offset = AT(counts[PART_FRICTION].at_least),
     .fallback = "3",
     .min = 1,
     .max = HEALTH_COUNTED,
     .help = "How many tickets make it true; a ticket counts once, at its latest event."},
    {.name = "within",
     .type = OPTION_DURATION,
     .offset = AT(counts[PART_FRICTION].within_ms),
     .fallback = "14d",
     .min = 1000,
     .max = YEAR_MS,
     .help = "The time in which they must lie."},
    POINTS_ROW(AT(counts[PART_FRICTION].points), "30"),
};

static const struct option_row escalations_rows[] = {
    {.name = "on",
     .type = OPTION_EVENTS,
     .offset = AT(counts[PART_ESCALATIONS].on),
     .fallback = "ticket.escalated",
     .help = "Which events are escalations."},
    {.name = "where",
     .type = OPTION_WHERE,
     .offset = AT(counts[PART_ESCALATIONS].where),
     .help = "Which of them; by default all."},
    {.name = "at_least",
     .type = OPTION_INT,
     .offset = AT(counts[PART_ESCALATIONS].at_least),
     .fallback = "1",
     .min = 1,
     .max = HEALTH_COUNTED,
     .help = "How many tickets make it true; a ticket counts once, at its latest event."},
    {.name = "within",
     .type = OPTION_DURATION,
     .offset = AT(counts[PART_ESCALATIONS].within_ms),
     .fallback = "30d",
     .min = 1000,
     .max = YEAR_MS,
     .help = "The time in which they must lie."},
    POINTS_ROW(AT(counts[PART_ESCALATIONS].points), "20"),
};

static const struct option_row csat_rows[] = {
    {.name = "on",
     .type = OPTION_EVENTS,
     .offset = AT(csat.on),
     .fallback = "ticket.rated",
     .help = "Which events are ratings, where they have a number ticket.csat."},
    {.name = "below",
     .type = OPTION_NUMBER,
     .offset = AT(csat.below),
     .fallback = "3.5",
     .help = "True when their mean is less."},
    {.name = "fall",
     .type = OPTION_NUMBER,
     .offset = AT(csat.fall),
     .fallback = "1",
     .max = 1e6,
     .help = "True also when the mean fell so much below that of the time before, if it "
             "had as many ratings; 0: that does not matter."},
    {.name = "min_ratings",
     .type = OPTION_INT,
     .offset = AT(csat.min_ratings),
     .fallback = "3",
     .min = 1,
     .max = 1e6,
     .help = "Fewer say nothing."},
    {.name = "within",
     .type = OPTION_DURATION,
     .offset = AT(csat.within_ms),
     .fallback = "30d",
     .min = 60000,
     .max = YEAR_MS,
     .help = "The time in which they lie, in 30 cells; the time before is as long."},
    POINTS_ROW(AT(csat.points), "25"),
};

static const struct option_row after_rows[] = {
    {.name = "at_least",
     .type = OPTION_INT,
     .offset = AT(quiet.at_least),
     .fallback = "8",
     .min = 1,
     .max = HEALTH_COUNTED,
     .help = "How many signs of life make an account engaged."},
    {.name = "within",
     .type = OPTION_DURATION,
     .offset = AT(quiet.within_ms),
     .fallback = "30d",
     .min = 1000,
     .max = YEAR_MS,
     .help = "The time before and with the last one in which they must lie."},
};

static const struct option_row quiet_rows[] = {
    {.name = "on",
     .type = OPTION_EVENTS,
     .offset = AT(quiet.on),
     .help = "What is a sign of life; by default ticket.created, ticket.reopened, "
             "ticket.rated, page.error, conversation.finished and usage.activity."},
    {.name = "after",
     OPTION_GROUP_OF(after_rows),
     .help = "What an account must have done before, so that its silence matters."},
    {.name = "silent_for",
     .type = OPTION_DURATION,
     .offset = AT(quiet.silent_for_ms),
     .fallback = "21d",
     .min = 1000,
     .max = YEAR_MS,
     .help = "How long it says nothing before it is true."},
    {.name = "give_up_after",
     .type = OPTION_DURATION,
     .offset = AT(quiet.give_up_after_ms),
     .fallback = "30d",
     .min = 1000,
     .max = YEAR_MS,
     .help = "How long it stays true of an account that never comes back."},
    POINTS_ROW(AT(quiet.points), "30"),
};

static const struct option_row weigh_rows[] = {
    {.name = "tier",
     .type = OPTION_PAIRS,
     .offset = AT(weigh.tier),
     .help =
         "Factors by the account's tier, 0.1 to 100, such as {enterprise: 1.5}; 1 for "
         "others."},
    {.name = "renewal_within",
     .type = OPTION_DURATION,
     .offset = AT(weigh.renewal_within_ms),
     .fallback = "90d",
     .max = 10 * YEAR_MS,
     .help =
         "How long before its renewal date, and on that day, an account weighs more."},
    {.name = "renewal",
     .type = OPTION_NUMBER,
     .offset = AT(weigh.renewal),
     .fallback = "1.25",
     .min = 0.1,
     .max = 100,
     .help = "The factor then."},
    {.name = "mrr_from",
     .type = OPTION_NUMBER,
     .offset = AT(weigh.mrr_from),
     .max = 1e15,
     .help = "From which MRR on an account weighs more; 0: from none."},
    {.name = "mrr",
     .type = OPTION_NUMBER,
     .offset = AT(weigh.mrr),
     .fallback = "1.25",
     .min = 0.1,
     .max = 100,
     .help = "The factor then."},
};

static const struct option_row health_rows[] = {
    {.name = "at_risk",
     .type = OPTION_INT,
     .offset = AT(at_risk),
     .fallback = "50",
     .min = 1,
     .max = 1e6,
     .help = "The score at which it fires."},
    {.name = "resolve_below",
     .type = OPTION_INT,
     .offset = AT(resolve_below),
     .max = 1e6,
     .help = "It resolves when the score falls below; by default 60 % of at_risk."},
    {.name = "friction",
     OPTION_GROUP_OF(friction_rows),
     .help = "Tickets that went badly for the customer."},
    {.name = "escalations",
     OPTION_GROUP_OF(escalations_rows),
     .help = "Tickets that were escalated."},
    {.name = "csat",
     OPTION_GROUP_OF(csat_rows),
     .help = "Ratings that are low, or fell."},
    {.name = "quiet",
     OPTION_GROUP_OF(quiet_rows),
     .help = "An engaged account that says nothing any more."},
    {.name = "weigh",
     OPTION_GROUP_OF(weigh_rows),
     .help = "What the points are multiplied by: what the account is worth, and when it "
             "decides."},
};

const struct detector health_detector = {
    .name = "health",
    .help = "An account at risk: a score of friction, escalations, ratings and silence, "
            "weighted by tier, MRR and renewal.",
    .options = health_rows,
    .options_n = sizeof health_rows / sizeof health_rows[0],
    .settings_bytes = sizeof(struct health_settings),
    .check = health_check,
    .update = health_update,
    .judge = health_judge,
};
