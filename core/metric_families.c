/* One entry a family: what it is, then what to do about it. Sums over pods are meant, unless it says of
 * what all pods see the same. */
#include "core/metric_families.h"

/* Of requests, in us: 100 us to 2.5 s. */
static const int64_t request_us[] = {100,    250,    500,     1000,   2500,
                                     5000,   10000,  25000,   50000,  100000,
                                     250000, 500000, 1000000, 2500000};
#define REQUEST_BOUNDS \
    .bounds = request_us, .bounds_n = sizeof request_us / sizeof *request_us
enum { MS = 1000, US = 1000000, KINDS_MAX = 64 };

/* --- what comes in --- */

struct metric_family metric_events = {
    .name = "ticketwatch_events_total",
    .help =
        "Events read, by fate. late: behind time.lateness in its partition; duplicate: "
        "an id seen before; behind: older than the watermark (both only of events that a "
        "rule looks at); rejected: no event, to the dead-letter topic. If late or behind "
        "rise, producers are slow: raise time.lateness. If rejected rises, look at that "
        "topic's tw-reason headers.",
    .labels = {"fate"}};

struct metric_family metric_events_by_type = {
    .name = "ticketwatch_events_by_type_total",
    .type = METRIC_COUNTER,
    .help = "Events read, by type, whatever their fate; without those that were "
            "rejected. A type that stops while others go on: its producer.",
    .labels = {"type"}};

struct metric_family metric_batches = {
    .name = "ticketwatch_batches_total",
    .help =
        "Batches applied. Flat while lag grows: the store or the group is in trouble, "
        "see ticketwatch_redis_errors_total and ticketwatch_rebalances_total."};

struct metric_family metric_batch_seconds = {
    .name = "ticketwatch_batch_seconds",
    .type = METRIC_HISTOGRAM,
    .help =
        "From a batch in hand to its windows judged and committed. If it rises, compare "
        "ticketwatch_redis_script_seconds: Redis is slow or far away, or too many rules "
        "match.",
    .per = US,
    REQUEST_BOUNDS};

struct metric_family metric_repositions = {
    .name = "ticketwatch_repositions_total",
    .help =
        "Times that a partition was sought back to where Redis stands. Some come with "
        "every rebalance; steadily rising, two processes fight for one partition or "
        "Redis loses writes: look at its persistence and fail-overs."};

struct metric_family metric_records_lost = {
    .name = "ticketwatch_records_lost_total",
    .help =
        "Records that retention deleted before they were read. They are gone: raise the "
        "topic's retention, and find out what held the group up."};

struct metric_family metric_logs_remade = {
    .name = "ticketwatch_logs_remade_total",
    .help =
        "Partitions whose log was made anew or cut back, and is read from its beginning. "
        "Expected when somebody deleted and made the topic; else a broker lost data."};

struct metric_family metric_rewinds = {
    .name = "ticketwatch_rewinds_total",
    .help =
        "States that were made, by cause. first: nothing was there before; wiped: Redis "
        "lost it, and what windows need is read again. If wiped rises, look after "
        "Redis: its persistence, its memory, who runs FLUSHALL.",
    .labels = {"cause"},
    .series_max = KINDS_MAX};

/* --- Kafka --- */

struct metric_family metric_partitions = {
    .name = "ticketwatch_partitions",
    .type = METRIC_GAUGE,
    .help = "Partitions that all topics have, as the brokers last told; the same in all "
            "pods. The sum of ticketwatch_partitions_owned should be as many."};

struct metric_family metric_partitions_owned = {
    .name = "ticketwatch_partitions_owned",
    .type = METRIC_GAUGE,
    .help =
        "Partitions that this process reads. The sum over pods should be the number of "
        "partitions; less for longer than the session timeout: see the pods' logs."};

struct metric_family metric_partition_lag = {
    .name = "ticketwatch_partition_lag_records",
    .type = METRIC_GAUGE,
    .help = "Records of an owned partition that are not applied yet, as the broker last "
            "told. If it keeps rising, add pods up to the number of partitions.",
    .labels = {"partition"}};

struct metric_family metric_partition_lag_age = {
    .name = "ticketwatch_partition_lag_age_seconds",
    .type = METRIC_GAUGE,
    .help =
        "How long ago this process first saw the oldest record that is not applied yet. "
        "Alerts are late by as much: add pods, or look at ticketwatch_batch_seconds.",
    .per = MS,
    .labels = {"partition"},
    .largest = true};

struct metric_family metric_reading_paused = {
    .name = "ticketwatch_reading_paused",
    .type = METRIC_GAUGE,
    .help =
        "1 while this process reads nothing, because the outbox of a sink with "
        "`when_full: pause` is full: all rules and sinks wait for that one. Mend it."};

struct metric_family metric_rebalances = {
    .name = "ticketwatch_rebalances_total",
    .help =
        "Changes of the assignment, by what. lost: the group had given this process up. "
        "Rising without a deployment: pods die, or are stopped for longer than "
        "session.timeout.ms.",
    .labels = {"what"},
    .series_max = KINDS_MAX};

struct metric_family metric_kafka_errors = {
    .name = "ticketwatch_kafka_errors_total",
    .help =
        "Errors of librdkafka, by code. It repeats by itself what can be repeated; if it "
        "goes on, the code says what: _TRANSPORT and _ALL_BROKERS_DOWN are brokers or "
        "network, *_AUTHORIZATION_FAILED are rights.",
    .labels = {"code"},
    .series_max = KINDS_MAX};

/* --- event time and windows --- */

struct metric_family metric_watermark = {
    .name = "ticketwatch_watermark_seconds",
    .type = METRIC_GAUGE,
    .help =
        "The event time, since 1970, up to which everything was seen; the same in all "
        "pods. Absent while some partition was never read.",
    .per = MS};

struct metric_family metric_watermark_lag = {
    .name = "ticketwatch_watermark_lag_seconds",
    .type = METRIC_GAUGE,
    .help =
        "How far the watermark is behind the clock; time.lateness and time.idle_after "
        "are normal. What is confirmed or resolved is late by as much: find the "
        "partition with the greatest lag age, or one that nobody owns.",
    .per = MS};

struct metric_family metric_next_due = {
    .name = "ticketwatch_next_due_seconds",
    .type = METRIC_GAUGE,
    .help =
        "The event time, since 1970, at which the next window is to be judged; the same "
        "in all pods. Behind the watermark for long: judging is held up, see "
        "ticketwatch_windows_waiting.",
    .per = MS};

struct metric_family metric_windows_waiting = {
    .name = "ticketwatch_windows_waiting",
    .type = METRIC_GAUGE,
    .help =
        "Windows that want judging at once; the same in all pods. More than 0 for long: "
        "pods die while they judge, or too few pods for the load."};

/* --- what goes out --- */

struct metric_family metric_rule_matches = {
    .name = "ticketwatch_rule_matches_total",
    .help =
        "Accepted events that a rule counted. 0 for a day: its `on`, `where` or `by` may "
        "fit no event; try them with `ticketwatch replay`.",
    .labels = {"rule"}};

struct metric_family metric_keys = {
    .name = "ticketwatch_keys",
    .help =
        "Keys that a rule keeps something of; the same in all pods. Near its max_keys: "
        "is `by` too fine, or made of what never comes twice? Else raise max_keys.",
    .type = METRIC_GAUGE,
    .labels = {"rule"}};

struct metric_family metric_keys_refused = {
    .name = "ticketwatch_keys_refused_total",
    .help =
        "Events that were not kept under their key, because the rule has max_keys "
        "already (or a bucket of a ratio max_segments). What they would have shown is "
        "missing: the log's keys_overflow names a key.",
    .labels = {"rule"}};

struct metric_family metric_windows_judged = {
    .name = "ticketwatch_windows_judged_total",
    .type = METRIC_COUNTER,
    .help =
        "Windows, one a key, that were judged and committed. What a rule costs goes with "
        "it: for one that is far above the others, see what its `by` is made of.",
    .labels = {"rule"}};

struct metric_family metric_alerts = {
    .name = "ticketwatch_alerts_total",
    .help =
        "Transitions of alerts that were confirmed, written to the record as the "
        "watermark passed, by rule and by the state that they lead to: firing, "
        "escalated, reminder, resolved, verified. A sudden rise of one rule is what it "
        "is there for; of all, look at what was deployed.",
    .labels = {"rule", "state"}};

struct metric_family metric_announced = {
    .name = "ticketwatch_alerts_announced_total",
    .help = "Alerts put into the outboxes of a rule's sinks, as early as can be, one for "
            "each transition and sink.",
    .labels = {"rule"}};

struct metric_family metric_outbox_entries = {
    .name = "ticketwatch_outbox_entries",
    .type = METRIC_GAUGE,
    .help =
        "Alerts that wait for a sink; the same in all pods. If it rises, the sink is "
        "down or refuses: see ticketwatch_deliveries_total and the log's alert_retry.",
    .labels = {"sink"}};

struct metric_family metric_outbox_full = {
    .name = "ticketwatch_outbox_full",
    .type = METRIC_GAUGE,
    .help =
        "1 where a sink's outbox holds outbox_max alerts; the same in all pods. What "
        "comes then is a dead letter, or reading pauses (when_full): mend the sink, or "
        "take it out of the rules' `send`.",
    .labels = {"sink"},
    .largest = true};

struct metric_family metric_outbox_oldest = {
    .name = "ticketwatch_outbox_oldest_age_seconds",
    .type = METRIC_GAUGE,
    .help =
        "How long the oldest alert of a sink has been waiting; 0 where none does; the "
        "same in all pods. Beyond a minute the sink's people hear late: see "
        "ticketwatch_outbox_entries.",
    .per = MS,
    .labels = {"sink"},
    .largest = true};

struct metric_family metric_outbox_overflows = {
    .name = "ticketwatch_outbox_overflows_total",
    .help =
        "Alerts that found their sink's outbox full and are dead letters. The sink is "
        "down for too long: mend it, then see its dead stream."};

struct metric_family metric_dead_letters = {
    .name = "ticketwatch_dead_letters",
    .type = METRIC_GAUGE,
    .help =
        "Alerts in a sink's dead stream; the same in all pods. If it rises, the log's "
        "alert_dead says why the sink never takes them.",
    .labels = {"sink"}};

struct metric_family metric_sink_circuit_open = {
    .name = "ticketwatch_sink_circuit_open",
    .type = METRIC_GAUGE,
    .help = "1 while a sink fails again and again, and this process only probes it; see "
            "the log's circuit_open. Its alerts wait: look after the receiver.",
    .labels = {"sink"},
    .largest = true};

struct metric_family metric_sink_paused = {
    .name = "ticketwatch_sink_paused",
    .type = METRIC_GAUGE,
    .help = "1 while a sink's endpoint refuses this process (401, 403, 404, 410, a "
            "redirect, a private address): the log's sink_paused says why. Its alerts "
            "wait until somebody mends the key or the address.",
    .labels = {"sink"},
    .largest = true};

struct metric_family metric_deliveries = {
    .name = "ticketwatch_deliveries_total",
    .help = "Requests to sinks by outcome. digested: alerts told together in one message "
            "(digest_above); retried: failed and will be repeated; dead: can "
            "never be delivered and was moved to the sink's dead stream: the log's "
            "alert_dead says why; superseded: not sent, since a later step of the same "
            "alert waited behind it; silenced: not sent, since a silence matched.",
    .labels = {"sink", "outcome"}};

/* --- Redis --- */

struct metric_family metric_notices = {
    .name = "ticketwatch_notices_total",
    .type = METRIC_COUNTER,
    .help = "What this process said of the watcher itself, for all pods. heartbeat: that "
            "it is at work; sink_fails, sink_works: to another sink (when_failing).",
    .labels = {"what"}};

struct metric_family metric_redis_errors = {
    .name = "ticketwatch_redis_errors_total",
    .help =
        "Failed commands, by kind: unreachable, no_answer, or the first word that Redis "
        "said. Nothing is lost by it, but nothing goes on: OOM wants more memory, "
        "READONLY and MASTERDOWN are fail-overs, NOPERM is the ACL.",
    .labels = {"kind"},
    .series_max = KINDS_MAX};

struct metric_family metric_redis_refused = {
    .name = "ticketwatch_redis_refused_total",
    .help =
        "Writes that Redis refused because another process had written meanwhile; they "
        "were decided anew and sent again. Some come with every further pod. Several for "
        "each batch: the pods wait for each other, and fewer pods, or larger batches "
        "(fetch.min.bytes in kafka.properties), help."};

struct metric_family metric_script_seconds = {
    .name = "ticketwatch_redis_script_seconds",
    .type = METRIC_HISTOGRAM,
    .help =
        "One call of a script, way and back. If all rise, Redis or the network is slow; "
        "if one, its SLOWLOG tells more.",
    .per = US,
    .labels = {"script"},
    .series_max = KINDS_MAX,
    REQUEST_BOUNDS};

/* --- the process --- */

struct metric_family *const metric_families[] = {&metric_events,
                                                 &metric_events_by_type,
                                                 &metric_batches,
                                                 &metric_batch_seconds,
                                                 &metric_repositions,
                                                 &metric_records_lost,
                                                 &metric_logs_remade,
                                                 &metric_rewinds,
                                                 &metric_partitions,
                                                 &metric_partitions_owned,
                                                 &metric_partition_lag,
                                                 &metric_partition_lag_age,
                                                 &metric_reading_paused,
                                                 &metric_rebalances,
                                                 &metric_kafka_errors,
                                                 &metric_watermark,
                                                 &metric_watermark_lag,
                                                 &metric_next_due,
                                                 &metric_windows_waiting,
                                                 &metric_rule_matches,
                                                 &metric_keys,
                                                 &metric_keys_refused,
                                                 &metric_windows_judged,
                                                 &metric_alerts,
                                                 &metric_announced,
                                                 &metric_outbox_entries,
                                                 &metric_outbox_full,
                                                 &metric_outbox_oldest,
                                                 &metric_outbox_overflows,
                                                 &metric_dead_letters,
                                                 &metric_sink_circuit_open,
                                                 &metric_sink_paused,
                                                 &metric_deliveries,
                                                 &metric_notices,
                                                 &metric_redis_errors,
                                                 &metric_redis_refused,
                                                 &metric_script_seconds,
                                                 &metric_ready,
                                                 &metric_tick_age,
                                                 &metric_build,
                                                 &metric_config,
                                                 &metric_reload_success,
                                                 &metric_reload_time,
                                                 &metric_memory,
                                                 &metric_memory_limit,
                                                 &metric_cpu,
                                                 &metric_start_time,
                                                 NULL};
