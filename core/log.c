#include "core/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/timefmt.h"

enum { LINE_BYTES = 2048 };
static const char *const level_names[] = {"debug", "info", "warn", "error"};
enum { LEVELS = sizeof level_names / sizeof level_names[0] };

static int level_from_environment(void)
{
    const char *wanted = getenv("TICKETWATCH_LOG");
    for (int i = 0; wanted && i < LEVELS; i++)
        if (!strcmp(wanted, level_names[i]))
            return i;
    return LOG_INFO;
}

bool log_enabled(enum log_level level)
{
    static atomic_int least = -1;
    int l = atomic_load_explicit(&least, memory_order_relaxed);
    if (l < 0) {
        l = level_from_environment();
        atomic_store_explicit(&least, l, memory_order_relaxed);
    }
    return (int)level >= l;
}

/* One write a line, so that lines of threads and processes do not mix; a cut line keeps its end. */
void log_event(enum log_level level, const char *event, const char *format, ...)
{
    char line[LINE_BYTES], ts[TIME_TEXT_BYTES];
    if (!log_enabled(level))
        return;
    time_text(clock_wall_ms(), ts);
    int n = snprintf(line, sizeof line, "ts=%s level=%s event=%s%s", ts,
                     level_names[level], event, format[0] ? " " : "");
    size_t at = (size_t)n;
    va_list args;
    va_start(args, format);
    n = vsnprintf(line + at, sizeof line - at, format, args);
    va_end(args);
    at += n > 0 ? (size_t)n : 0;
    if (at > sizeof line - 2)
        at = sizeof line - 2;
    line[at++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line, at);
    (void)ignored; /* nowhere to say it */
}

const char *log_quote(struct str text, char out[LOG_VALUE_BYTES])
{
    size_t at = 0;
    out[at++] = '"';
    for (size_t i = 0; i < text.n && at < LOG_VALUE_BYTES - 4; i++) {
        char c = text.p[i];
        if (c == '"' || c == '\\')
            out[at++] = '\\';
        out[at++] = (unsigned char)c < ' ' || c == 0x7f ? ' ' : c;
    }
    out[at++] = '"';
    out[at] = '\0';
    return out;
}
