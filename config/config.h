/* The configuration: strict YAML in, rules and sinks out. Every mistake is found in one pass and
 * reported with file:line:column and the nearest known name. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "consumer/event_map.h"
#include "core/arena.h"
#include "core/buf.h"
#include "core/option.h"
#include "core/secret.h"
#include "detectors/accounts.h"
#include "detectors/detector.h"
#include "detectors/known_issues.h"
#include "detectors/releases.h"
#include "sinks/network.h"
#include "sinks/sink.h"

struct kafka_settings {
    struct str brokers, group, dead_letter; /* dead_letter n == 0: count and log only */
    struct texts topics;
    struct pairs properties; /* of librdkafka, as it names them */
};

struct redis_settings {
    struct str url; /* redis://[[user]:password@]host[:port][,...][/db] or unix:///path */
    struct str prefix; /* of every key */
    struct secret password;
    struct str sentinel;                     /* the master's name; n == 0: no Sentinel */
    struct str ca_file, cert_file, key_file; /* of TLS */
    int64_t shards;                          /* 1 to SHARDS_MAX */
    int64_t timeout_ms;                      /* of one command */
};

struct time_settings {
    int64_t lateness_ms, idle_after_ms, max_future_ms;
    struct str zone; /* an IANA name */
};

struct status_settings {
    struct str listen; /* see config/listen_address.h; n == 0: no server */
    int64_t stalled_after_ms;
};

/* How the watcher tells that it is alive. */
struct heartbeat_settings {
    struct str sink; /* n == 0: it does not */
    int64_t every_ms;
};

struct log_settings {
    int level, format; /* enum log_level, enum log_format */
};

struct record_settings {
    int64_t record_for_ms;
};

/* What becomes of an alert whose sink's outbox is full. */
enum when_full {
    WHEN_FULL_DEAD_LETTER, /* it goes to the sink's dead letters */
    WHEN_FULL_PAUSE, /* reading pauses until there is room: every sink waits for this one */
};

struct sink_config {
    struct str name;
    const struct sink *type;
    void *settings;
    struct network network;
    struct secret proxy;
    int64_t concurrency;
    struct str rate;         /* as written; n == 0: the type's */
    int64_t gap_ms;          /* from it: between two requests; 0: any */
    int64_t digest_above;    /* more alerts a minute become one message; 0: never */
    int64_t outbox_max;      /* alerts in a shard's outbox */
    int when_full;           /* enum when_full */
    struct str when_failing; /* the sink that is told; n == 0: none */
};

struct config {
    struct arena arena; /* owns everything below */
    struct kafka_settings kafka;
    struct redis_settings redis;
    struct time_settings time;
    struct record_settings record;
    struct status_settings status;
    struct log_settings log;
    struct heartbeat_settings heartbeat;
    struct accounts_settings accounts;
    struct releases_settings releases;
    struct known_issues_settings known_issues;
    struct event_maps maps; /* `fields`: messages of other shapes */
    struct sink_config *sinks;
    size_t sinks_n;
    struct rule *rules;
    size_t rules_n;
    size_t judged_n;                    /* these, and behind them the program's own */
    bool has_kafka, has_redis, has_log; /* the sections were written */
    uint64_t hash;                      /* of the file's bytes */
};

/* What the configuration is read for. An environment variable that is not set, or a secret's file that
 * cannot be read, is an error where its value is needed, a warning for check, and nothing otherwise:
 * replay needs `time` and `rules`, alerts needs `redis` as well, run needs everything. */
enum config_use { CONFIG_CHECK, CONFIG_REPLAY, CONFIG_ALERTS, CONFIG_RUN };

struct config_mistake {
    size_t line, column; /* from 1, in characters; line 0: the file as a whole */
    bool warning;
    struct str text; /* "rules.r.count.withn: no such option; did you mean 'within'?" */
};

struct config_report {
    size_t errors, warnings; /* all; at most CONFIG_MISTAKES_MAX of them are told */
    struct buf text; /* one "file:line:column: error|warning: ..." a mistake, by line */
    const struct config_mistake *mistakes; /* the same, in memory of `out` */
    size_t mistakes_n;
};

enum {
    CONFIG_BYTES_MAX = 1024 * 1024,
    CONFIG_DEPTH_MAX = 16,
    CONFIG_NODES_MAX = 50000, /* scalars, lists and mappings */
    CONFIG_MISTAKES_MAX = 100,
};

/* Reads and checks a file. -1 when report.errors > 0 (or the file cannot be read); `out` is usable
 * only on 0, and after CONFIG_CHECK only for looking at. Both need no initialisation; free both with
 * config_deinit and buf_deinit(&report.text) in either case. Reads the environment. */
int config_load(const char *path, struct config *out, enum config_use use,
                struct config_report *report);
/* The same from memory; `name` stands for the file in messages. */
int config_parse(struct str yaml, const char *name, struct config *out,
                 enum config_use use, struct config_report *report);
/* What `hash` would be now; 0: the file cannot be read. */
uint64_t config_file_hash(const char *path);
void config_deinit(struct config *c);

/* The reference of every option, made from the tables, as Markdown. */
void config_reference(struct buf *out);

#endif
