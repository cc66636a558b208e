/* The configuration as settings: what values become, what each use needs, which bounds hold. What is
 * said of mistakes is tested on files, in tests/config. */
#include "config/config.h"

#include <stdlib.h>
#include <unistd.h>

#include "config/options.h"
#include "detectors/anomaly.h"
#include "detectors/count.h"
#include "tests/check.h"

#define RULES "rules:\n  r:\n    count: {at_least: 3, within: 1h}\n"

static struct config config;
static struct config_report report;

static int parse_for(enum config_use use, const char *yaml)
{
    return config_parse(str_of(yaml), "t.yaml", &config, use, &report);
}

static void done(void)
{
    config_deinit(&config);
    buf_deinit(&report.text);
}

/* `said` must be the whole report. */
static void expect(enum config_use use, const char *yaml, const char *said)
{
    CHECK_INT(parse_for(use, yaml), strstr(said, ": error: ") ? -1 : 0);
    CHECK_STR(buf_str(&report.text), str_of(said));
    done();
}

static void defaults_are_set(void)
{
    CHECK_INT(parse_for(CONFIG_REPLAY, RULES), 0);
    CHECK_INT(config.time.lateness_ms, 600000);
    CHECK_INT(config.time.idle_after_ms, 30000);
    CHECK_INT(config.time.max_future_ms, 3600000);
    CHECK_STR(config.time.zone, STR("UTC"));
    CHECK_STR(config.redis.prefix, STR("tw"));
    CHECK_INT(config.redis.timeout_ms, 2000);
    CHECK_STR(config.kafka.group, STR("ticketwatch"));
    CHECK_INT(config.record.record_for_ms, 90LL * 86400000);
    CHECK(!config.has_kafka && !config.has_redis);
    CHECK_INT(config.status.listen.n, 0);
    CHECK_INT(config.status.stalled_after_ms, 60000);
    CHECK_INT(config.rules_n, 1);
    const struct rule *rule = &config.rules[0];
    CHECK_STR(rule->name, STR("r"));
    CHECK_INT(rule->on, UINT32_MAX);
    CHECK(!rule->where);
    CHECK_INT(rule->by_n, 0);
    CHECK_INT(rule->send.n, 0);
    CHECK_INT(rule->lateness_ms, 600000);
    CHECK_INT(rule->steps_n, 1);
    CHECK_INT(rule->steps[0].at_least, 3);
    CHECK_INT(rule->steps[0].severity, SEVERITY_LOW);
    done();
}

static void sections_are_read(void)
{
    CHECK_INT(
        parse_for(CONFIG_RUN,
                  "kafka: {brokers: 'a:1,b:2', topics: [x, y], dead_letter: z,\n"
                  "        properties: {security.protocol: SSL, fetch.wait.max.ms: 50}}\n"
                  "redis: {url: 'redis://h', prefix: p, timeout: 1s, password: s}\n"
                  "time: {lateness: 1h30m, zone: UTC}\nrecord_for: 2d\n"
                  "status: {listen: '127.0.0.1:9464', stalled_after: 90s}\n"
                  "sinks:\n  hook: {type: webhook, url: 'http://h/'}\n"
                  "  chat: {type: slack, url: 'http://h/', outbox_max: 100,\n"
                  "         when_full: pause}\n" RULES "    send: [hook, chat]\n"),
        0);
    CHECK_STR(config.kafka.brokers, STR("a:1,b:2"));
    CHECK_INT(config.kafka.topics.n, 2);
    CHECK_STR(config.kafka.topics.items[1], STR("y"));
    CHECK_INT(config.kafka.properties.n, 2);
    CHECK_STR(config.kafka.properties.names[1], STR("fetch.wait.max.ms"));
    CHECK_STR(config.kafka.properties.values[1], STR("50"));
    CHECK_STR(config.redis.url, STR("redis://h"));
    CHECK_STR(config.redis.password.value, STR("s"));
    CHECK_INT(config.time.lateness_ms, 5400000);
    CHECK_INT(config.record.record_for_ms, 2LL * 86400000);
    CHECK(config.has_kafka && config.has_redis);
    CHECK_STR(config.status.listen, STR("127.0.0.1:9464"));
    CHECK_INT(config.status.stalled_after_ms, 90000);
    CHECK_INT(config.sinks_n, 2);
    CHECK_STR(config.sinks[0].name, STR("hook"));
    CHECK(config.sinks[0].type == sink_named(STR("webhook")));
    CHECK_INT(config.sinks[0].outbox_max, 20000);
    CHECK_INT(config.sinks[0].when_full, WHEN_FULL_DEAD_LETTER);
    CHECK_INT(config.sinks[1].outbox_max, 100);
    CHECK_INT(config.sinks[1].when_full, WHEN_FULL_PAUSE);
    CHECK_STR(config.rules[0].send.items[0], STR("hook"));
    done();
}

static void rules_are_read(void)
{
    CHECK_INT(
        parse_for(
            CONFIG_REPLAY,
            "time: {lateness: 20m}\nrules:\n"
            "  a:\n    on: [ticket.created, page.error]\n"
            "    where: ticket.csat < 3\n"
            "    by: [page, error, account, ticket.category]\n"
            "    severity: {high: 10, medium: 5}\n"
            "    count: {at_least: 3, within: 1h, distinct: user}\n"
            "  b:\n    severity: high\n    by: subject\n"
            "    anomaly: {metric: mean, field: ticket.csat, bucket: 1d, history: 28d,\n"
            "      min_change: 12.5%, z: 2.5}\n"),
        0);
    const struct rule *a = &config.rules[0], *b = &config.rules[1];
    CHECK_INT(a->on, 1u << EVENT_TICKET_CREATED | 1u << EVENT_PAGE_ERROR);
    CHECK(a->where);
    CHECK_INT(a->by_n, 4);
    CHECK_INT(a->by[0].source, KEY_PAGE);
    CHECK_INT(a->by[1].source, KEY_ERROR);
    CHECK_INT(a->by[2].field, FIELD_ACCOUNT_ID);
    CHECK_STR(a->by[2].name, STR("account"));
    CHECK_INT(a->by[3].field, FIELD_TICKET_CATEGORY);
    CHECK_INT(a->lateness_ms, 1200000);
    const struct count_settings *count = a->settings;
    CHECK_INT(count->at_least, 3);
    CHECK_INT(count->within_ms, 3600000);
    CHECK_INT(count->distinct, DISTINCT_USER);
    CHECK_INT(a->steps_n, 3); /* low at 3, medium at 5, high at 10 */
    CHECK_INT(a->steps[1].at_least, 5);
    CHECK_INT(a->steps[1].severity, SEVERITY_MEDIUM);
    CHECK_INT(a->steps[2].at_least, 10);
    CHECK_INT(b->by[0].source, KEY_SUBJECT);
    CHECK_INT(b->steps[0].severity, SEVERITY_HIGH);
    const struct anomaly_settings *anomaly = b->settings;
    CHECK_INT(anomaly->metric, METRIC_MEAN);
    CHECK_INT(anomaly->field, FIELD_TICKET_CSAT);
    CHECK(anomaly->min_change == 0.125);
    CHECK(anomaly->z == 2.5);
    CHECK_INT(anomaly->direction, DIRECTION_BOTH);
    done();
}

/* --- the environment --- */

static void environment_is_put_in(void)
{
    setenv("TW_TEST", "x: [y]", 1);
    setenv("TW_EMPTY", "", 1);
    unsetenv("TW_UNSET");
    CHECK_INT(parse_for(CONFIG_RUN,
                        "kafka:\n  brokers: \"a${TW_TEST}b\"\n"
                        "  topics: [\"${TW_UNSET:-t}\", \"${TW_EMPTY:-e}${TW_EMPTY}\"]\n"
                        "  properties: {a: '$${TW_TEST}', b: '$$ $TW_TEST $', c: "
                        "'${TW_UNSET:-}', '${TW_TEST}': d}\n"
                        "redis: {url: 'redis://h'}\n" RULES),
              0);
    CHECK_STR(buf_str(&report.text), STR(""));
    CHECK_STR(config.kafka.brokers, STR("ax: [y]b"));
    CHECK_STR(config.kafka.topics.items[0], STR("t"));
    CHECK_STR(config.kafka.topics.items[1], STR("e"));
    CHECK_STR(config.kafka.properties.values[0], STR("${TW_TEST}"));
    CHECK_STR(config.kafka.properties.values[1], STR("$$ $TW_TEST $"));
    CHECK_STR(config.kafka.properties.values[2], STR(""));
    CHECK_STR(config.kafka.properties.names[3],
              STR("${TW_TEST}")); /* names are as they are */
    done();
}

/* Which uses mind that a value is not known: one line a place, errors for replay, alerts, run. */
static void each_use_needs_its_values(void)
{
    static const struct {
        const char *yaml;
        int replay, alerts, run;
    } cases[] = {
        {"kafka: {brokers: \"${TW_UNSET}\", topics: [t]}\nredis: {url: "
         "'redis://h'}\n" RULES,
         0, 0, 1},
        {"kafka: {brokers: b, topics: [t]}\nredis: {url: \"${TW_UNSET}\"}\n" RULES, 0, 1,
         1},
        {"kafka: {brokers: b, topics: [t]}\nredis: {url: 'redis://h', password_file: "
         "no/file}\n" RULES,
         0, 1, 1},
        {"kafka: {brokers: b, topics: [t]}\nredis: {url: 'redis://h'}\n"
         "sinks:\n  s: {type: slack, url_file: no/file}\n" RULES "    send: s\n",
         0, 0, 1},
        {"kafka: {brokers: b, topics: [t]}\nredis: {url: 'redis://h'}\n"
         "time: {lateness: \"${TW_UNSET}\"}\n" RULES,
         1, 1, 1},
        {"kafka: {brokers: b, topics: [t]}\nredis: {url: 'redis://h'}\n" RULES
         "    where: \"${TW_UNSET}\"\n",
         1, 1, 1},
        {"redis: {url: 'redis://h'}\n" RULES, 0, 0, 1},
        {"kafka: {brokers: b, topics: [t]}\n" RULES, 0, 1, 1},
    };
    unsetenv("TW_UNSET");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const int errors[] = {[CONFIG_CHECK] = 0,
                              [CONFIG_REPLAY] = cases[i].replay,
                              [CONFIG_ALERTS] = cases[i].alerts,
                              [CONFIG_RUN] = cases[i].run};
        for (int use = CONFIG_CHECK; use <= CONFIG_RUN; use++) {
            CHECK_INT(parse_for((enum config_use)use, cases[i].yaml), -errors[use]);
            CHECK_INT(report.errors, errors[use]);
            CHECK_INT(report.warnings, use == CONFIG_CHECK);
            CHECK_INT(report.mistakes_n, report.errors + report.warnings);
            done();
        }
    }
}

static void secrets_are_not_told(void)
{
    setenv("TW_TEST", "hunter2", 1);
    CHECK_INT(
        parse_for(CONFIG_RUN,
                  "kafka: {brokers: \"a\\n${TW_TEST}\", topics: \"${TW_TEST} x\"}\n"
                  "redis: {url: \"rediss://:${TW_TEST}@h\", timeout: \"${TW_TEST}\"}\n"
                  "sinks:\n  a: {type: slack, url: 'hunter2'}\n"
                  "  b: {type: linear, key: \"hunter2\\n\", team: \"${TW_TEST}\"}\n" RULES
                  "    where: \"ticket.csat ${TW_TEST}\"\n    on: \"${TW_TEST}\"\n"
                  "    by: \"${TW_TEST}\"\n    severity: \"${TW_TEST}\"\n"
                  "    send: \"${TW_TEST}\"\n"),
        -1);
    CHECK(report.errors >= 12);
    struct str text = buf_str(&report.text);
    const char *found = memmem(text.p, text.n, "hunter2", 7);
    if (found)
        fprintf(stderr, "a secret is told: %.*s", STR_ARG(text));
    CHECK(!found);
    done();
}

/* --- secrets in files --- */

static void write_file(const char *path, struct str text)
{
    FILE *f = fopen(path, "w");
    CHECK(f && fwrite(text.p, 1, text.n, f) == text.n);
    if (f)
        fclose(f);
}

static void expect_secret(const char *path, const char *value, const char *refused)
{
    struct secret s = {.file = str_of(path)};
    struct arena arena;
    struct str got;
    struct err e = {0};
    arena_init(&arena);
    CHECK_INT(secret_read(&s, &arena, &got, &e), value ? 0 : -1);
    CHECK_INT(e.kind, value ? ERR_NONE : ERR_REFUSED);
    if (value)
        CHECK_STR(got, str_of(value));
    else
        CHECK(strstr(e.text, path) && strstr(e.text, refused));
    arena_deinit(&arena);
}

static void secrets_are_read_from_files(void)
{
    char path[] = "/tmp/config_test.XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    expect_secret(path, NULL, "is empty");
    write_file(path, STR("hunter2\r\n\n"));
    expect_secret(path, "hunter2", NULL);
    write_file(path, STR(" with spaces "));
    expect_secret(path, " with spaces ", NULL);
    write_file(path, STR("\n"));
    expect_secret(path, NULL, "is empty");
    write_file(path, STR("a\nb\n"));
    expect_secret(path, NULL, "more than one line");
    write_file(path, STR("a\0b"));
    expect_secret(path, NULL, "zero byte");
    static char large[70000];
    memset(large, 'x', sizeof large);
    write_file(path, (struct str){large, sizeof large});
    expect_secret(path, NULL, "larger than");
    unlink(path);
    expect_secret(path, NULL, "No such file");
    expect_secret("/tmp", NULL, "Is a directory");
    expect_secret("/dev/zero", NULL, "larger than");
}

/* --- bounds --- */

static char *repeated(const char *before, const char *one, size_t n, const char *after)
{
    char *text = malloc(strlen(before) + n * strlen(one) + strlen(after) + 1);
    char *to = stpcpy(text, before);
    for (size_t i = 0; i < n; i++)
        to = stpcpy(to, one);
    stpcpy(to, after);
    return text;
}

static void expect_refused(char *yaml, const char *said)
{
    CHECK_INT(parse_for(CONFIG_REPLAY, yaml), -1);
    if (!memmem(report.text.p, report.text.n, said, strlen(said)))
        fprintf(stderr, "not \"%s\" but %.*s\n", said,
                (int)(report.text.n < 500 ? report.text.n : 500), report.text.p);
    CHECK(memmem(report.text.p, report.text.n, said, strlen(said)));
    done();
    free(yaml);
}

static void bounds_hold(void)
{
    expect_refused(repeated("", "[", 100000, ""),
                   "t.yaml:1:17: error: more than 16 levels of nesting");
    expect_refused(repeated("", "{a: ", 100000, ""), "more than 16 levels of nesting");
    expect_refused(repeated("", "- ", 100000, ""), "more than 16 levels of nesting");
    expect_refused(repeated("[", "a, ", 60000, "]"), "more than 50000 values");
    expect_refused(repeated("# ", "x", 1024 * 1024, "\n" RULES),
                   "t.yaml: error: larger than 1048576 bytes");
    expect_refused(repeated("x: 'a\n", "\n", 500000, "b' c"), "t.yaml:500002:4: error: ");
    expect_refused(repeated("r: {", "a: 1, ", 20000, "}"), "t.yaml: and 19901 more");
    expect_refused(repeated("rules: {r: {where: '", "(", 50, "'}}"),
                   "more than 32 parentheses");
    expect_refused(
        repeated("rules: {r: {count: {at_least: ", "9", 400, ", within: 1h}}}"),
        "rules.r.count.at_least: expected a whole number such as 3, found '9999999999");
    expect_refused(
        repeated("rules: {", "n", 1000, ": {count: {at_least: 3, within: 1h}}}"),
        "nnn: a name is 1 to 64 letters, digits, - _ and .");
}

/* The report must be plain lines of UTF-8 whatever stands in the file. */
static void reports_are_clean(void)
{
    static const char yaml[] =
        "rules:\n  \"\\e[31m\\n\":\n    count: 3\n  r:\n    by: \"\\u0085\\u009b\\x01\"\n"
        "    \"\\e\": 1\n    where: \"x\\e\\ty\"\n    count: {at_least: \"\\e\", within: "
        "1h}\n";
    CHECK_INT(parse_for(CONFIG_CHECK, yaml), -1);
    for (size_t i = 0; i < report.text.n; i++) {
        unsigned char c = (unsigned char)report.text.p[i];
        CHECK(c == '\n' || (c >= ' ' && c != 0x7F));
        CHECK(c != 0xC2 || (unsigned char)report.text.p[i + 1] >= 0xA0);
    }
    done();
}

/* --- option tables --- */

struct own_settings {
    struct str text;
    struct secret secret;
    struct texts texts;
    struct pairs pairs;
    int64_t whole, duration_ms;
    double number, share;
    bool flag;
    int word, field;
};
#define AT(member) offsetof(struct own_settings, member)
static const char *const own_words[] = {"red", "green", NULL}, *const own_beginnings[] = {
                                                                   "a:", NULL};
static const struct option_row own_rows[] = {
    {.name = "text",
     .type = OPTION_TEXT,
     .offset = AT(text),
     .fallback = "a:b",
     .words = own_beginnings},
    {.name = "secret", .type = OPTION_SECRET, .offset = AT(secret)},
    {.name = "texts", .type = OPTION_TEXTS, .offset = AT(texts), .fallback = "one"},
    {.name = "pairs", .type = OPTION_PAIRS, .offset = AT(pairs)},
    {.name = "whole",
     .type = OPTION_INT,
     .offset = AT(whole),
     .min = -5,
     .max = 5,
     .fallback = "-5"},
    {.name = "duration",
     .type = OPTION_DURATION,
     .offset = AT(duration_ms),
     .fallback = "1m"},
    {.name = "number",
     .type = OPTION_NUMBER,
     .offset = AT(number),
     .min = 0.5,
     .fallback = "1e3"},
    {.name = "share",
     .type = OPTION_PERCENT,
     .offset = AT(share),
     .max = 1,
     .fallback = "2.5%"},
    {.name = "flag", .type = OPTION_FLAG, .offset = AT(flag), .fallback = "true"},
    {.name = "word",
     .type = OPTION_WORD,
     .offset = AT(word),
     .words = own_words,
     .fallback = "green"},
    {.name = "field", .type = OPTION_FIELD, .offset = AT(field)},
};
static const struct option_table own_table = OPTION_TABLE(own_rows, NULL);

/* Reads yaml by the table; `said` must be the whole report. */
static void read_own(const char *yaml, struct own_settings *out, const char *said)
{
    static struct reading r;
    r = (struct reading){.use = CONFIG_CHECK, .out = &config};
    arena_init(&config.arena);
    r.arena = &config.arena;
    report = (struct config_report){0};
    buf_init(&report.text, 100000);
    *out = (struct own_settings){0};
    struct entry m = {STR(""), {1, 1}, yaml_read(&r, str_of(yaml))};
    CHECK(m.value);
    options_read(&r, &own_table, &m, STR("own"), out);
    report_mistakes(&r, "t", &report);
    CHECK_STR(buf_str(&report.text), str_of(said));
}

static void tables_give_defaults(void)
{
    struct own_settings s;
    read_own("{}", &s, "");
    CHECK_STR(s.text, STR("a:b"));
    CHECK_INT(s.secret.value.n + s.secret.file.n + s.pairs.n, 0);
    CHECK_INT(s.texts.n, 1);
    CHECK_INT(s.whole, -5);
    CHECK_INT(s.duration_ms, 60000);
    CHECK(s.number == 1000 && s.share == 0.025 && s.flag);
    CHECK_INT(s.word, 1);
    CHECK_INT(s.field, FIELD_COUNT);
    done();
}

static void tables_read_values(void)
{
    struct own_settings s;
    read_own("{text: 'a:ü', secret: s, texts: [x, y z], pairs: {b: 2, c: ''}, whole: "
             "'5', duration: 1w,\n"
             " number: .5, share: 100%, flag: false, word: red, field: account.mrr}",
             &s, "");
    CHECK_STR(s.text, STR("a:ü"));
    CHECK_STR(s.secret.value, STR("s"));
    CHECK_STR(s.texts.items[1], STR("y z"));
    CHECK_STR(s.pairs.values[0], STR("2"));
    CHECK_INT(s.pairs.n, 2);
    CHECK_INT(s.whole, 5);
    CHECK_INT(s.duration_ms, 7LL * 86400000);
    CHECK(s.number == 0.5 && s.share == 1 && !s.flag);
    CHECK_INT(s.word, 0);
    CHECK_INT(s.field, FIELD_ACCOUNT_MRR);
    done();
}

static void tables_refuse_the_rest(void)
{
    struct own_settings s;
    read_own("text: b:a\nsecret: \"x\\ty\"\ntexts: {}\npairs: [b]\nwhole: 6\nduration: "
             "5x\nnumber: 0.1\nshare: 101%\n"
             "flag: yes\nword: blue\nfield: ticket.id\nflagg: 1\n",
             &s,
             "t:1:7: error: own.text: expected a text that begins with a:\n"
             "t:2:9: error: own.secret: must not have control characters or line breaks "
             "in it\n"
             "t:3:8: error: own.texts: expected a text or a list of texts such as [one, "
             "two], found a mapping\n"
             "t:4:8: error: own.pairs: expected a mapping of names to texts such as "
             "{name: value}, found a list\n"
             "t:5:8: error: own.whole: must be -5 to 5, found '6'\n"
             "t:6:11: error: own.duration: expected a duration such as 90s, 15m, 1h or "
             "14d, found '5x'\n"
             "t:7:9: error: own.number: must be 0.5 or more, found '0.1'\n"
             "t:8:8: error: own.share: must be 0% to 100%, found '101%'\n"
             "t:9:7: error: own.flag: expected true or false, found 'yes'\n"
             "t:10:7: error: own.word: expected red or green, found 'blue'\n"
             "t:11:8: error: own.field: expected ticket.sentiment, ticket.csat or "
             "account.mrr, found 'ticket.id'\n"
             "t:12:1: error: own.flagg: no such option; did you mean 'flag'?\n");
    done();
}

/* --- files --- */

static void files_are_read(void)
{
    char path[] = "/tmp/config_test.XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    close(fd);
    write_file(path, STR(RULES));
    CHECK_INT(config_load(path, &config, CONFIG_REPLAY, &report), 0);
    CHECK_INT(config.rules_n, 1);
    done();
    unlink(path);
    CHECK_INT(config_load(path, &config, CONFIG_REPLAY, &report), -1);
    CHECK_INT(report.errors, 1);
    CHECK_INT(report.mistakes[0].line, 0);
    CHECK_STR(report.mistakes[0].text, STR("cannot be read: No such file or directory"));
    done();
}

/* Told at /metrics: equal files, equal hashes. */
static void files_are_told_apart(void)
{
    CHECK_INT(parse_for(CONFIG_REPLAY, RULES), 0);
    uint64_t hash = config.hash;
    done();
    CHECK_INT(parse_for(CONFIG_RUN, RULES "#"), -1);
    CHECK(config.hash != hash);
    done();
    CHECK_INT(parse_for(CONFIG_CHECK, RULES), 0);
    CHECK(config.hash == hash);
    done();
}

static void mistakes_are_sorted(void)
{
    expect(CONFIG_REPLAY,
           "rules:\n  r: {count: {at_least: 0, within: 1x}}\ntime: {zone: nowhere, "
           "idle_after: 1}\n",
           "t.yaml:2:25: error: rules.r.count.at_least: must be 1 to 10000, found '0'\n"
           "t.yaml:2:36: error: rules.r.count.within: expected a duration such as 90s, "
           "15m, 1h or 14d, found '1x'\n"
           "t.yaml:3:14: error: time.zone: expected a time zone that this system knows, "
           "such as Europe/Berlin, America/New_York or UTC, found 'nowhere' (Debian's "
           "zones come with the package tzdata)\n"
           "t.yaml:3:35: error: time.idle_after: expected a duration such as 90s, 15m, "
           "1h or 14d, found '1'; the unit is missing\n");
}

int main(void)
{
    defaults_are_set();
    sections_are_read();
    rules_are_read();
    environment_is_put_in();
    each_use_needs_its_values();
    secrets_are_not_told();
    secrets_are_read_from_files();
    bounds_hold();
    reports_are_clean();
    tables_give_defaults();
    tables_read_values();
    tables_refuse_the_rest();
    files_are_read();
    files_are_told_apart();
    mistakes_are_sorted();
    return check_result();
}
