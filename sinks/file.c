/* Alerts as lines of JSON at the end of a file, for pipelines. Delivered is what is on the disk. Whoever rotates the
 * file need not tell us: see line.c. */
#include "sinks/alert_body.h"
#include "sinks/line.h"
#include "sinks/request.h"

enum { FSYNC_ALWAYS, FSYNC_NEVER };
static const char *const policies[] = {
    [FSYNC_ALWAYS] = "always", [FSYNC_NEVER] = "never", NULL};
static const char *const paths[] = {"/", "./", NULL};

struct file_settings {
    struct str path;
    int fsync; /* of enum above */
};

static int file_format(const struct sink_input *in, struct arena *arena,
                       struct request *out, struct err *e)
{
    const struct file_settings *s = in->settings;
    (void)e;
    request_line_of(out, arena, alert_body(in, ALERT_BODY_ANY, arena));
    out->method = s->fsync == FSYNC_ALWAYS ? STR(LINE_DURABLY) : STR(LINE_LOOSELY);
    out->url = arena_str(arena, s->path);
    out->carrier = &line_to_file;
    return 1;
}

#define AT(member) offsetof(struct file_settings, member)
static const struct option_row file_options[] = {
    {.name = "path",
     .type = OPTION_TEXT,
     .offset = AT(path),
     .words = paths,
     .required = true,
     .max = 1000,
     .help = "The file. It is made where there is none, and opened anew for every alert, "
             "so it may be rotated at any time. Processes that share it take turns."},
    {.name = "fsync",
     .type = OPTION_WORD,
     .offset = AT(fsync),
     .words = policies,
     .fallback = "always",
     .help = "When a line counts as delivered: when it is on the disk, or when the "
             "system has it."},
};

const struct sink file_sink = {
    .name = "file",
    .help = "The alert as a line of JSON at the end of a file.",
    .options = file_options,
    .options_n = sizeof file_options / sizeof file_options[0],
    .settings_bytes = sizeof(struct file_settings),
    .every_step = true,
    .format = file_format,
    .outcome = carrier_outcome,
};
