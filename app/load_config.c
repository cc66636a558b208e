#include "app/load_config.h"

#include <stdio.h>

enum { REPORT_BYTES = 1 << 20 };

int load_config(const char *path, enum config_use use, struct config *out)
{
    struct config_report report = {0};
    buf_init(&report.text, REPORT_BYTES);
    int result = config_load(path, out, use, &report);
    if (report.text.n)
        fwrite(report.text.p, 1, report.text.n, stderr);
    buf_deinit(&report.text);
    return result;
}
