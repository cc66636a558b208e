/* Alerts as lines of JSON on standard output, for pipelines; logs go to standard error. */
#include "sinks/alert_body.h"
#include "sinks/line.h"
#include "sinks/request.h"

struct stdout_settings {
    char none; /* it has no options */
};

static int stdout_format(const struct sink_input *in, struct arena *arena,
                         struct request *out, struct err *e)
{
    (void)e;
    request_line_of(out, arena, alert_body(in, ALERT_BODY_ANY, arena));
    out->method = STR("PRINT");
    out->url = STR("stdout");
    out->carrier = &line_to_stdout;
    return 1;
}

const struct sink stdout_sink = {
    .name = "stdout",
    .help = "The alert as a line of JSON on standard output.",
    .settings_bytes = sizeof(struct stdout_settings),
    .every_step = true,
    .format = stdout_format,
    .outcome = carrier_outcome,
};
