#include "app/load_config.h"

#include <stdio.h>

#include "core/log.h"

int load_config(const char *path, enum config_use use, struct config *out)
{
    struct config_report report;
    int result = config_load(path, out, use, &report);
    if (report.text.n)
        fwrite(report.text.p, 1, report.text.n, stderr);
    buf_deinit(&report.text);
    return result;
}

void log_mistakes(const char *path, const struct config_report *report)
{
    char file[LOG_VALUE_BYTES], reason[LOG_VALUE_BYTES];
    for (size_t i = 0; i < report->mistakes_n; i++) {
        const struct config_mistake *m = &report->mistakes[i];
        log_event(m->warning ? LOG_WARN : LOG_ERROR, "config_mistake",
                  "file=%s line=%zu column=%zu reason=%s", log_quote(str_of(path), file),
                  m->line, m->column, log_quote(m->text, reason));
    }
}
