/* Any bytes as a configuration, for every use: no crash, an answer that agrees with its report, and a
 * report that any terminal may see. What is taken keeps what the rest of the program relies on. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check_report(const struct config_report *report, bool failed)
{
    struct str text = buf_str(&report->text);
    size_t told = report->mistakes_n, all = report->errors + report->warnings;
    assert(failed == (report->errors > 0));
    assert(told == (all < CONFIG_MISTAKES_MAX ? all : CONFIG_MISTAKES_MAX));
    assert(!report->text.overflowed && (text.n > 0) == (all > 0));
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        assert(c == '\n' || (c >= ' ' && c != 0x7F));
    }
    for (size_t i = 1; i < told; i++)
        assert(report->mistakes[i].line >= report->mistakes[i - 1].line);
}

static void check_rule(const struct rule *rule)
{
    assert(rule->name.n > 0 && rule->name.n <= 64);
    assert(rule->on && rule->kind && rule->settings);
    assert(rule->by_n <= ALERT_KEYS_MAX);
    assert(rule->steps_n >= 1 && rule->steps_n <= SEVERITIES);
    for (size_t i = 1; i < rule->steps_n; i++) {
        assert(rule->steps[i].at_least > rule->steps[i - 1].at_least);
        assert(rule->steps[i].severity > rule->steps[i - 1].severity);
    }
    struct event e = {.type = EVENT_TICKET_CREATED};
    if (rule->where)
        (void)where_matches(rule->where, &e);
}

static void check_config(const struct config *c, enum config_use use)
{
    assert(c->rules_n > 0);
    assert(c->time.idle_after_ms > 0 && c->time.zone.n > 0);
    assert(use != CONFIG_RUN ||
           (c->kafka.brokers.n && c->kafka.topics.n && c->redis.url.n));
    for (size_t i = 0; i < c->rules_n; i++)
        check_rule(&c->rules[i]);
    for (size_t i = 0; i < c->sinks_n; i++)
        assert(c->sinks[i].type && c->sinks[i].settings);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct str yaml = {(const char *)data, n};
    for (int use = CONFIG_CHECK; use <= CONFIG_RUN; use++) {
        struct config config;
        struct config_report report;
        int failed =
            config_parse(yaml, "fuzz.yaml", &config, (enum config_use)use, &report);
        check_report(&report, failed != 0);
        if (!failed && use != CONFIG_CHECK)
            check_config(&config, (enum config_use)use);
        buf_deinit(&report.text);
        config_deinit(&config);
    }
    return 0;
}
