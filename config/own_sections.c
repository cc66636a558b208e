/* The sections about what the process tells of itself. */
#include "config/sections.h"

#include "core/log.h"

#define DAY_MS 86400000.0

#define AT(member) offsetof(struct log_settings, member)
static const struct option_row log_rows[] = {
    {.name = "level",
     .type = OPTION_WORD,
     .offset = AT(level),
     .fallback = "info",
     .words = log_levels,
     .help = "From which level on `run` logs."},
    {.name = "format",
     .type = OPTION_WORD,
     .offset = AT(format),
     .fallback = "logfmt",
     .words = log_formats,
     .help = "What a line is: pairs, an object of JSON, or text for people."},
};
#undef AT

#define AT(member) offsetof(struct heartbeat_settings, member)
static const struct option_row heartbeat_rows[] = {
    {.name = "sink",
     .type = OPTION_TEXT,
     .offset = AT(sink),
     .required = true,
     .help = "The sink that is told again and again that `run` is at work: when it is "
             "not told, something is wrong. One process tells it for all, and only while "
             "events are read and Redis answers."},
    {.name = "every",
     .type = OPTION_DURATION,
     .offset = AT(every_ms),
     .fallback = "1m",
     .min = 1000,
     .max = DAY_MS,
     .help = "How often."},
};
#undef AT

const struct option_table log_table = OPTION_TABLE(log_rows, NULL);
const struct option_table heartbeat_table = OPTION_TABLE(heartbeat_rows, NULL);
