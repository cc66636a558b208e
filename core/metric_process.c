/* The figures about the process itself. */
#include "core/metric_families.h"

struct metric_family metric_ready = {
    .name = "ticketwatch_ready",
    .type = METRIC_GAUGE,
    .help = "1 where /readyz answers 200. At 0, /readyz tells the reasons."};

struct metric_family metric_tick_age = {
    .name = "ticketwatch_loop_tick_age_seconds",
    .type = METRIC_GAUGE,
    .help = "Since the loop last came round; below a second when all is well. Beyond "
            "status.stalled_after /healthz fails, and the pod should be restarted.",
    .per = 1000};

struct metric_family metric_build = {
    .name = "ticketwatch_build_info",
    .type = METRIC_GAUGE,
    .help =
        "1, with the program's version. Several versions for long: an upgrade got stuck.",
    .labels = {"version"}};

struct metric_family metric_config = {
    .name = "ticketwatch_config_info",
    .type = METRIC_GAUGE,
    .help =
        "1, with a hash of the configuration file. Several hashes for long: some pods "
        "did not get the new one.",
    .labels = {"hash"}};

struct metric_family metric_reload_success = {
    .name = "ticketwatch_config_last_reload_success",
    .type = METRIC_GAUGE,
    .help = "1 where the configuration file as it was read last is in force. 0: the file "
            "changed and has a mistake, or needs a restart; the one before goes on. The "
            "log's config_mistake and config_refused say what."};

struct metric_family metric_reload_time = {
    .name = "ticketwatch_config_last_reload_success_timestamp_seconds",
    .type = METRIC_GAUGE,
    .per = 1000,
    .help = "When the configuration in force was read, since 1970."};

struct metric_family metric_memory = {
    .name = "ticketwatch_process_resident_memory_bytes",
    .type = METRIC_GAUGE,
    .help =
        "Resident memory. Most of it is what librdkafka fetches ahead: lower "
        "queued.max.messages.kbytes (of a partition) in kafka.properties if it nears the "
        "pod's limit."};

struct metric_family metric_memory_limit = {
    .name = "ticketwatch_memory_limit_bytes",
    .type = METRIC_GAUGE,
    .help = "What the pod, or another control group, may use of memory. Absent where "
            "there is no limit."};

struct metric_family metric_cpu = {
    .name = "ticketwatch_process_cpu_seconds_total",
    .help = "Processor time, of user and system. Near one second a second: add pods.",
    .per = 1000000};

struct metric_family metric_start_time = {
    .name = "ticketwatch_process_start_time_seconds",
    .type = METRIC_GAUGE,
    .help = "When the process began, since 1970. Often new: it restarts; see why with "
            "`kubectl logs --previous`.",
    .per = 1000};
