/* The sections that are a table and a few checks that no table can express. */
#include "config/sections.h"

#include "config/listen_address.h"
#include "core/zone.h"
#include "windows/redis_link.h"
#include "windows/shard.h"

#define DAY_MS 86400000.0
enum { TOPIC_BYTES_MAX = 249, NAME_BYTES_MAX = 64 };

#define AT(member) offsetof(struct kafka_settings, member)
static const struct option_row kafka_rows[] = {
    {.name = "brokers",
     .type = OPTION_TEXT,
     .offset = AT(brokers),
     .required = true,
     .help = "Where Kafka is: `host:port`, several with commas between them."},
    {.name = "topics",
     .type = OPTION_TEXTS,
     .offset = AT(topics),
     .required = true,
     .help = "The topics with the events."},
    {.name = "group",
     .type = OPTION_TEXT,
     .offset = AT(group),
     .fallback = "ticketwatch",
     .min = 1,
     .max = 249,
     .help = "The consumer group, the same in all processes that share the work."},
    {.name = "dead_letter",
     .type = OPTION_TEXT,
     .offset = AT(dead_letter),
     .max = TOPIC_BYTES_MAX,
     .help = "The topic for what cannot be read; without it that is counted and logged "
             "only."},
    {.name = "properties",
     .type = OPTION_PAIRS,
     .offset = AT(properties),
     .help = "Any property of librdkafka, for example `security.protocol: SASL_SSL`, but "
             "for those that its promises rest on (offsets, commits, group). The value "
             "of NAME may stand in a file: `NAME_file: PATH`."},
};
#undef AT

#define AT(member) offsetof(struct redis_settings, member)
static const struct option_row redis_rows[] = {
    {.name = "url",
     .type = OPTION_TEXT,
     .offset = AT(url),
     .required = true,
     .help = "Where Redis is: `redis://[[user]:password@]host[:port][/database]` or "
             "`unix:///path`. Of a cluster some of its nodes, "
             "`redis://host:port,host:port,...`: they are tried in turn. `rediss://` is "
             "TLS."},
    {.name = "password",
     .type = OPTION_SECRET,
     .offset = AT(password),
     .help = "Its password, if it does not stand in the URL. A file is read again for "
             "every connection."},
    {.name = "sentinel",
     .type = OPTION_TEXT,
     .offset = AT(sentinel),
     .max = NAME_BYTES_MAX,
     .help = "The name of a master that Sentinels watch: the hosts of `url` are theirs, "
             "and one of them says where the master is."},
    {.name = "ca_file",
     .type = OPTION_TEXT,
     .offset = AT(ca_file),
     .max = 4000,
     .help = "With rediss://, a file of certificates (PEM) to trust instead of the "
             "system's."},
    {.name = "cert_file",
     .type = OPTION_TEXT,
     .offset = AT(cert_file),
     .max = 4000,
     .help = "With rediss://, our certificate (PEM), where Redis wants one."},
    {.name = "key_file",
     .type = OPTION_TEXT,
     .offset = AT(key_file),
     .max = 4000,
     .help = "Its key."},
    {.name = "prefix",
     .type = OPTION_TEXT,
     .offset = AT(prefix),
     .fallback = "tw",
     .min = 1,
     .max = NAME_BYTES_MAX,
     .help = "What every key begins with: several systems can share one Redis."},
    {.name = "shards",
     .type = OPTION_INT,
     .offset = AT(shards),
     .fallback = "1",
     .min = 1,
     .max = SHARDS_MAX,
     .help = "In how many parts the state is kept, evenly over the nodes of a cluster. "
             "Fixed when the state is first made: with another number a new state is "
             "made from Kafka."},
    {.name = "timeout",
     .type = OPTION_DURATION,
     .offset = AT(timeout_ms),
     .fallback = "2s",
     .min = 100,
     .max = 60000,
     .help = "How long connecting and one command may take."},
};
#undef AT

#define AT(member) offsetof(struct time_settings, member)
static const struct option_row time_rows[] = {
    {.name = "lateness",
     .type = OPTION_DURATION,
     .offset = AT(lateness_ms),
     .fallback = "10m",
     .max = 30 * DAY_MS,
     .help = "How far behind the newest event of its partition an event may come; what "
             "comes later is counted and left out."},
    {.name = "idle_after",
     .type = OPTION_DURATION,
     .offset = AT(idle_after_ms),
     .fallback = "30s",
     .min = 1000,
     .max = DAY_MS,
     .help = "A partition that is empty for so long holds the others up no more."},
    {.name = "max_future",
     .type = OPTION_DURATION,
     .offset = AT(max_future_ms),
     .fallback = "1h",
     .min = 1000,
     .max = 30 * DAY_MS,
     .help = "Events further ahead of their record's timestamp are dead letters: else "
             "one wrong clock closes every window."},
    {.name = "zone",
     .type = OPTION_TEXT,
     .offset = AT(zone),
     .fallback = "UTC",
     .min = 1,
     .max = 200,
     .help = "The time zone of seasons and business hours, an IANA name such as "
             "`Europe/Berlin`."},
};
#undef AT

#define AT(member) offsetof(struct status_settings, member)
static const struct option_row status_rows[] = {
    {.name = "listen",
     .type = OPTION_TEXT,
     .offset = AT(listen),
     .required = true,
     .help = "Where `/healthz`, `/readyz` and `/metrics` are served: `address:port`, for "
             "example `127.0.0.1:9464` or, for all addresses, `0.0.0.0:9464`."},
    {.name = "stalled_after",
     .type = OPTION_DURATION,
     .offset = AT(stalled_after_ms),
     .fallback = "60s",
     .min = 15000, /* opening Kafka may take 10 s */
     .max = 3600000,
     .help = "`/healthz` fails when the loop has not come round for so long."},
};
#undef AT

static const struct option_row root_rows[] = {
    {.name = "record_for",
     .type = OPTION_DURATION,
     .offset = offsetof(struct config, record.record_for_ms),
     .fallback = "90d",
     .min = 3600000,
     .max = 3650 * DAY_MS,
     .help = "How long the confirmed record is kept, in event time; after a loss of "
             "Redis so much is read again from Kafka."},
};

static const char *const section_names[] = {
    "kafka",     "redis",        "time",        "status",  "log",
    "heartbeat", "sinks",        "rules",       "fields",  "accounts",
    "releases",  "known_issues", "maintenance", "inhibit", NULL};
const struct option_table kafka_table = OPTION_TABLE(kafka_rows, NULL);
const struct option_table redis_table = OPTION_TABLE(redis_rows, NULL);
const struct option_table time_table = OPTION_TABLE(time_rows, NULL);
const struct option_table status_table = OPTION_TABLE(status_rows, NULL);
const struct option_table root_table = OPTION_TABLE(root_rows, section_names);

/* --- names --- */

static bool is_name(struct str s, size_t most)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && !(c >= '0' && c <= '9') && c != '-' && c != '_' && c != '.')
            return false;
    }
    return s.n > 0 && s.n <= most;
}

bool name_is_good(struct reading *r, const struct entry *m, struct str path)
{
    if (is_name(m->name, NAME_BYTES_MAX))
        return true;
    complain(r, m->at, path_join(r, path, m->name),
             "a name is 1 to %d letters, digits, - _ and .", NAME_BYTES_MAX);
    return false;
}

/* What is written for the option; NULL: nothing that is known. */
static const struct node *text_of(const struct node *map, const char *option)
{
    const struct entry *m = node_entry(map, option);
    return m && node_is_known(m->value) && m->value->text.n ? m->value : NULL;
}

/* --- kafka --- */

/* The rule of org.apache.kafka.common.internals.Topic. A '^' would make librdkafka take a pattern. */
static bool topic_is_good(struct reading *r, const struct node *n, struct str path)
{
    bool good = is_name(n->text, TOPIC_BYTES_MAX) && !str_is(n->text, ".") &&
                !str_is(n->text, "..");
    if (!good)
        complain(r, n->at, path,
                 "expected the name of a topic (letters, digits, . _ and -), found %s",
                 node_found(r, n));
    return good;
}

static void check_kafka(struct reading *r, const struct node *map)
{
    const struct entry *topics = node_entry(map, "topics");
    const struct node *n, *dead = text_of(map, "dead_letter");
    bool has_dead = dead && topic_is_good(r, dead, STR("kafka.dead_letter"));
    for (size_t i = 0; topics && (n = node_item(topics->value, i)); i++) {
        if (!node_is_known(n) || n->text.n == 0 ||
            !topic_is_good(r, n, STR("kafka.topics")))
            continue;
        if (has_dead && str_eq(n->text, dead->text))
            complain(
                r, dead->at, STR("kafka.dead_letter"),
                "is one of kafka.topics: what cannot be read would come back for ever");
    }
}

/* --- redis --- */

/* What is between { and } decides where a cluster keeps a key: that is the shard's business. */
static const char *without_braces(struct reading *r, struct str prefix)
{
    struct buf text;
    buf_init(&text, 2 * NAME_BYTES_MAX);
    buf_text(&text, "; { and } mark the shards, did you mean '");
    size_t before = text.n;
    for (size_t i = 0; i < prefix.n; i++)
        if (prefix.p[i] != '{' && prefix.p[i] != '}')
            buf_char(&text, prefix.p[i]);
    struct str left = {text.p + before, text.n - before};
    bool helps = left.n < prefix.n && is_name(left, NAME_BYTES_MAX);
    buf_text(&text, "'?");
    struct str kept = helps ? arena_str(r->arena, buf_str(&text)) : STR("");
    buf_deinit(&text);
    return kept.p;
}

static void check_redis(struct reading *r, const struct node *map)
{
    const struct node *url = text_of(map, "url");
    const struct entry *prefix = node_entry(map, "prefix");
    struct redis_target target;
    struct err e = {0};
    if (url && redis_target_parse(url->text, &target, &e))
        complain(r, url->at, STR_NONE, "%s", e.text);
    if (prefix && node_is_known(prefix->value) &&
        !is_name(prefix->value->text, NAME_BYTES_MAX))
        complain(r, prefix->value->at, STR("redis.prefix"),
                 "expected 1 to %d letters, digits, - _ and ., found %s%s",
                 NAME_BYTES_MAX, node_found(r, prefix->value),
                 without_braces(r, prefix->value->text));
}

/* --- time --- */

static void check_time(struct reading *r, const struct node *map)
{
    const struct node *zone = text_of(map, "zone");
    if (zone && !zone_exists(zone->text))
        complain(r, zone->at, STR("time.zone"),
                 "expected a time zone that this system knows, such as Europe/Berlin, "
                 "America/New_York or UTC, found %s (Debian's zones come with the "
                 "package tzdata)",
                 node_found(r, zone));
}

/* --- status --- */

static void check_status(struct reading *r, const struct node *map)
{
    const struct node *listen = text_of(map, "listen");
    struct listen_address at;
    if (listen && !listen_address_parse(listen->text, &at))
        complain(r, listen->at, STR("status.listen"),
                 "expected an address and a port, such as 127.0.0.1:9464, 0.0.0.0:9464 "
                 "or [::1]:9464, found %s",
                 node_found(r, listen));
}

/* --- all --- */

static const struct section {
    const char *name;
    const struct option_table *table;
    size_t offset;
    enum config_use needed_from;
    void (*check)(struct reading *r, const struct node *map);
    const char *missing; /* why it is needed */
} sections[] = {
    {"kafka", &kafka_table, offsetof(struct config, kafka), CONFIG_RUN, check_kafka,
     "where do events come from? `run` needs kafka: {brokers: ..., topics: [...]}"},
    {"redis", &redis_table, offsetof(struct config, redis), CONFIG_ALERTS, check_redis,
     "where is the state kept? `run` needs redis: {url: ...}"},
    {"time", &time_table, offsetof(struct config, time), CONFIG_REPLAY, check_time, NULL},
    {"status", &status_table, offsetof(struct config, status), CONFIG_RUN, check_status,
     NULL},
    {"log", &log_table, offsetof(struct config, log), CONFIG_RUN, NULL, NULL},
    {"heartbeat", &heartbeat_table, offsetof(struct config, heartbeat), CONFIG_RUN, NULL,
     NULL},
    {"releases", &releases_table, offsetof(struct config, releases), CONFIG_REPLAY, NULL,
     NULL},
    {"known_issues", &known_issues_table, offsetof(struct config, known_issues),
     CONFIG_REPLAY, NULL, NULL},
};
enum { SECTIONS = sizeof sections / sizeof sections[0] };

/* Meant for `run`, and not for replay alone. */
static bool is_live(const struct reading *r)
{
    return node_entry(r->root, "kafka") || node_entry(r->root, "redis") ||
           node_entry(r->root, "sinks");
}

static void read_section(struct reading *r, const struct section *s,
                         const struct entry *m)
{
    void *settings = (char *)r->out + s->offset;
    r->needed_from = s->needed_from;
    if (!m) {
        options_default(r, s->table, settings);
        if (s->missing && (r->use != CONFIG_CHECK || is_live(r)))
            complain_if_needed(r, (struct place){0}, str_of(s->name), "%s", s->missing);
        return;
    }
    options_read(r, s->table, m, str_of(s->name), settings);
    if (s->check && m->value->kind == NODE_MAP)
        s->check(r, m->value);
}

void sections_read(struct reading *r)
{
    for (int i = 0; i < SECTIONS; i++)
        read_section(r, &sections[i], node_entry(r->root, sections[i].name));
    r->out->has_kafka = node_entry(r->root, "kafka") != NULL;
    r->out->has_redis = node_entry(r->root, "redis") != NULL;
    r->out->has_log = node_entry(r->root, "log") != NULL;
}
