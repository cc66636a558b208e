/* The parts of a configuration, one file each. All of them note mistakes and go on. */
#ifndef CONFIG_SECTIONS_H
#define CONFIG_SECTIONS_H

#include "config/options.h"

/* What alerts are told of the world around. */
extern const struct option_table releases_table, known_issues_table;
/* Adds the rules that keep it behind those that were read. */
/* What `known_issues` has where nothing is written; needs record_for. */
void context_read(struct reading *r);
void context_add(struct reading *r);

/* kafka, redis, time, status; the root with the sections' names and record_for. */
extern const struct option_table kafka_table, redis_table, time_table, status_table,
    log_table, heartbeat_table, root_table;

/* A section that is not written has its defaults. All of them read the root's members. */
void sections_read(struct reading *r);

/* The shapes of messages that are not our own. */
void fields_read(struct reading *r);

/* Of every sink, whatever its type. */
extern const struct option_table sink_table;
/* The sinks, by name. */
void sinks_read(struct reading *r);
/* Warns of sinks that no rule sends to. */
void sinks_check_use(struct reading *r);

/* How long `accounts` and `known_issues` remember where nothing is written: who keeps a short record wants little to be read
 * again. */
int64_t remember_usual_ms(const struct config *c);

extern const struct option_table accounts_table;
void accounts_read(struct reading *r);
/* Adds the rule that keeps accounts behind those that were read. */
void accounts_add(struct reading *r);

/* Needs time.lateness, accounts and known_issues. */
void rules_read(struct reading *r);

extern const struct option_table maintenance_table;
/* Gives them to the rules that were read. */
void maintenance_read(struct reading *r);
extern const struct option_table inhibit_table;
void inhibit_read(struct reading *r);

/* False after saying that this is no name for a rule or a sink: letters, digits, - _ and . */
bool name_is_good(struct reading *r, const struct entry *m, struct str path);

/* The program's own rules, behind those that are written. */
enum { OWN_RULES = 3 };

/* Where a rule does not say it: some 150 MB of Redis, at 600 bytes a key with one event. */
enum { RULE_MAX_KEYS = 250000 };

/* The parts of a rule: `on`, `where`, `by`, `max_keys`, `severity`, `send`, ... `path` is the part's own. */
void rule_on(struct reading *r, const struct entry *m, struct str path,
             struct rule *rule);
void rule_where(struct reading *r, const struct entry *m, struct str path,
                struct rule *rule);
void rule_by(struct reading *r, const struct entry *m, struct str path,
             struct rule *rule);
void rule_max_keys(struct reading *r, const struct entry *m, struct str path,
                   struct rule *rule);
void rule_remind(struct reading *r, const struct entry *m, struct str path,
                 struct rule *rule);
void rule_verify_fixed(struct reading *r, const struct entry *m, struct str path,
                       struct rule *rule);
void rule_severity(struct reading *r, const struct entry *m, struct str path,
                   struct rule *rule);
void rule_send(struct reading *r, const struct entry *m, struct str path,
               struct rule *rule);

#endif
