#include "core/log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log_json.h"
#include "core/log_rate.h"
#include "core/timefmt.h"

enum { PAIRS_BYTES = 2048, LINE_BYTES = 4096, NOT_SET = -1 };
const char *const log_levels[] = {"debug", "info", "warn", "error", NULL};
const char *const log_formats[] = {"logfmt", "json", "text", NULL};

static atomic_int least = NOT_SET, chosen_format;
static atomic_bool all;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct log_rate rate; /* under the lock */

enum log_level log_level_of_environment(void)
{
    const char *wanted = getenv("TICKETWATCH_LOG");
    for (int i = 0; wanted && log_levels[i]; i++)
        if (!strcmp(wanted, log_levels[i]))
            return (enum log_level)i;
    return LOG_INFO;
}

void log_use(enum log_level level, enum log_format format)
{
    atomic_store(&least, (int)level);
    atomic_store(&chosen_format, (int)format);
}

void log_all(bool on)
{
    atomic_store(&all, on);
}

bool log_enabled(enum log_level level)
{
    int l = atomic_load_explicit(&least, memory_order_relaxed);
    if (l == NOT_SET) {
        l = (int)log_level_of_environment();
        atomic_store_explicit(&least, l, memory_order_relaxed);
    }
    return (int)level >= l || atomic_load_explicit(&all, memory_order_relaxed);
}

/* One write a line, so that lines of threads and processes do not mix; a cut line keeps its end. */
static void write_line(const char *line, size_t n)
{
    ssize_t ignored = write(STDERR_FILENO, line, n);
    (void)ignored; /* nowhere to say it */
}

static void write_json(const char *ts, enum log_level level, const char *event,
                       const char *pairs)
{
    char *text = log_json(ts, log_levels[level], event, str_of(pairs));
    size_t n = strlen(text);
    text[n] = '\n';
    write_line(text, n + 1);
    free(text);
}

static void put(enum log_level level, const char *event, const char *pairs)
{
    char line[LINE_BYTES], ts[TIME_TEXT_BYTES];
    const char *name = log_levels[level], *gap = pairs[0] ? " " : "";
    int n = 0;
    time_text(clock_wall_ms(), ts);
    switch ((enum log_format)atomic_load(&chosen_format)) {
    case LOG_JSON:
        write_json(ts, level, event, pairs);
        return;
    case LOG_TEXT:
        n = snprintf(line, sizeof line, "%s %-5s %s%s%s\n", ts, name, event, gap, pairs);
        break;
    case LOG_LOGFMT:
        n = snprintf(line, sizeof line, "ts=%s level=%s event=%s%s%s\n", ts, name, event,
                     gap, pairs);
        break;
    }
    write_line(line, (size_t)n);
}

static bool may_write(const char *event, int64_t now_ms)
{
    pthread_mutex_lock(&lock);
    bool pass = log_rate_pass(&rate, event, now_ms);
    pthread_mutex_unlock(&lock);
    return pass;
}

static const char *left_out(int64_t now_ms, unsigned *lines)
{
    pthread_mutex_lock(&lock);
    const char *event = log_rate_left_out(&rate, now_ms, lines);
    pthread_mutex_unlock(&lock);
    return event;
}

static void tell_left_out(int64_t now_ms)
{
    char pairs[128];
    unsigned lines;
    for (const char *event; (event = left_out(now_ms, &lines));) {
        snprintf(pairs, sizeof pairs, "of=%s lines=%u", event, lines);
        put(LOG_WARN, "log_left_out", pairs);
    }
}

void log_event(enum log_level level, const char *event, const char *format, ...)
{
    char pairs[PAIRS_BYTES];
    int64_t now_ms = clock_monotonic_ms();
    if (!log_enabled(level))
        return;
    tell_left_out(now_ms);
    if (!may_write(event, now_ms))
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(pairs, sizeof pairs, format, args);
    va_end(args);
    put(level, event, pairs);
}

const char *log_quote(struct str text, char out[LOG_VALUE_BYTES])
{
    size_t at = 0;
    out[at++] = '"';
    for (size_t i = 0; i < text.n && at < LOG_VALUE_BYTES - 4; i++) {
        char c = text.p[i];
        if (c == '"' || c == '\\')
            out[at++] = '\\';
        out[at++] = char_printable(c);
    }
    out[at++] = '"';
    out[at] = '\0';
    return out;
}
