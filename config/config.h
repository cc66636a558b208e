/* The configuration: strict YAML in, rules and sinks out. Every mistake is found in one pass and
 * reported with file:line:column and the nearest known name. */
#ifndef CONFIG_CONFIG_H
#define CONFIG_CONFIG_H

#include "core/arena.h"
#include "core/buf.h"
#include "core/option.h"
#include "detectors/detector.h"
#include "sinks/sink.h"

struct kafka_settings {
    struct str brokers, group, dead_letter; /* dead_letter n == 0: count and log only */
    struct texts topics;
    struct pairs properties; /* any librdkafka property; `topic.` and others as librdkafka names them */
};

struct redis_settings {
    struct str url;    /* redis://[[user]:password@]host[:port][/db], rediss:// is refused for now, unix:///path */
    struct str prefix; /* of every key */
    struct secret password;
    int64_t timeout_ms; /* of one command */
};

struct time_settings {
    int64_t lateness_ms, idle_after_ms, max_future_ms;
    struct str zone; /* an IANA name */
};

struct record_settings {
    int64_t record_for_ms;
};

struct sink_config {
    struct str name;
    const struct sink *type;
    void *settings;
};

struct config {
    struct arena arena; /* owns everything below */
    struct kafka_settings kafka;
    struct redis_settings redis;
    struct time_settings time;
    struct record_settings record;
    struct sink_config *sinks;
    size_t sinks_n;
    struct rule *rules;
    size_t rules_n;
    bool has_kafka, has_redis; /* the sections were written */
};

struct config_report {
    size_t errors, warnings;
    struct buf text; /* one "file:line:column: error|warning: ..." a mistake, suggestions included */
};

/* Reads and checks a file. -1 when report.errors > 0 (or the file cannot be read); `out` is usable
 * only on 0. Free both with config_deinit and buf_deinit(&report.text) in either case. */
int config_load(const char *path, struct config *out, struct config_report *report);
/* The same from memory; `name` stands for the file in messages. */
int config_parse(struct str yaml, const char *name, struct config *out, struct config_report *report);
void config_deinit(struct config *c);

/* The value of a secret now: the text itself or the file's content without trailing newlines, into
 * `arena`. ERR_REFUSED with the path when the file cannot be read or is empty. */
int secret_read(const struct secret *s, struct arena *arena, struct str *out, struct err *e);

/* The reference of every option, made from the tables, as Markdown. */
void config_reference(struct buf *out);

#endif
