/* What a digest says, and what it is called. */
#include "sinks/digest.h"

#include <stdio.h>

#include "tests/check.h"

enum { MANY = 500 };

static struct arena arena;
static struct alert alerts[MANY];
static struct buf b;

/* n alerts that fire, of as many rules as there are letters in `rules`. */
static void make(size_t n, const char *rules)
{
    for (size_t i = 0; i < n; i++) {
        struct alert *a = &alerts[i];
        *a = (struct alert){.state = ALERT_FIRING,
                            .severity = SEVERITY_MEDIUM,
                            .rule = {rules + i % strlen(rules), 1},
                            .kind = STR("count"),
                            .time_ms = 1772442847000 + (int64_t)i * 1000,
                            .count = 3,
                            .users = 2};
        snprintf(a->id, sizeof a->id, "%08x%024d", (unsigned)i, 0);
    }
}

static struct str text(const struct digest *d, enum dialect dialect, size_t max_bytes)
{
    buf_clear(&b);
    digest_text(&b, d, dialect, STR("https://x.example/{id}"), max_bytes);
    return buf_str(&b);
}

static void the_worst_comes_first(void)
{
    struct digest d;
    struct digest_rows rows;
    make(20, "abc");
    alerts[7].severity = SEVERITY_CRITICAL; /* of b */
    for (size_t i = 2; i < 20; i += 3)
        alerts[i].state = ALERT_RESOLVED; /* of c: critical as it was, it is over */
    alerts[2].severity = SEVERITY_CRITICAL;
    alerts[0].state = ALERT_ESCALATED;
    digest_make(&d, alerts, 20);
    digest_rows(&d, &arena, &rows);
    CHECK_STR(rows.items[0].text, STR("🔴 b: 7 firing"));
    CHECK_STR(rows.items[1].text, STR("b · 3 times from 2 people · 00000007"));
    CHECK_STR(rows.items[2].text, STR("b · 3 times from 2 people · 00000001"));
    CHECK_STR(rows.items[6].text, STR("and 2 more"));
    CHECK_STR(rows.items[7].text, STR("🟡 a: 6 firing"));
    CHECK_STR(rows.items[14].text, STR("🟡 a: 1 escalated"));
    CHECK_STR(rows.items[16].text, STR("✅ c: 6 resolved"));
    buf_clear(&b);
    digest_title(&b, &d);
    CHECK_STR(buf_str(&b),
              STR("🔴 20 alerts at once: 13 firing, 1 escalated, 6 resolved"));
    CHECK_INT(d.face.severity, SEVERITY_CRITICAL);
}

static void what_is_over_is_green(void)
{
    struct digest d;
    make(2, "a");
    alerts[0].state = alerts[1].state = ALERT_RESOLVED;
    digest_make(&d, alerts, 2);
    buf_clear(&b);
    digest_title(&b, &d);
    CHECK_STR(buf_str(&b), STR("✅ 2 alerts at once: 2 resolved"));
}

/* Many rules, many alerts: a bounded number of rows, and all are counted. */
static void stays_short(void)
{
    struct digest d;
    struct digest_rows rows;
    make(MANY, "abcdefghijklmnopqrstuvwxyz");
    digest_make(&d, alerts, MANY);
    digest_rows(&d, &arena, &rows);
    size_t groups = 0, named = 0;
    for (size_t i = 0; i < rows.n; i++) {
        groups += rows.items[i].kind == DIGEST_GROUP;
        named += rows.items[i].kind == DIGEST_ALERT;
    }
    CHECK_INT(groups, 10);
    CHECK_INT(named, 16);
    CHECK_STR(rows.items[rows.n - 1].text, STR("and 304 more"));
    for (size_t most = 0; most < 3000; most += 100) {
        struct str t = text(&d, DIALECT_DISCORD, most);
        CHECK(t.n <= most);
        CHECK(t.n == 0 || t.p[t.n - 1] == '\n');
    }
}

/* The id is that of just these steps, whoever composes them. */
static void has_an_id(void)
{
    struct digest one, other;
    make(3, "a");
    digest_make(&one, alerts, 3);
    digest_make(&other, alerts, 3);
    CHECK_STR(str_of(one.face.id), str_of(other.face.id));
    CHECK_INT(strlen(one.face.id), 32);
    digest_make(&other, alerts, 2);
    CHECK(strcmp(one.face.id, other.face.id) != 0);
    alerts[1].state = ALERT_RESOLVED;
    digest_make(&other, alerts, 3);
    CHECK(strcmp(one.face.id, other.face.id) != 0);
}

static void links_the_first_ticket(void)
{
    struct digest d;
    make(2, "a");
    alerts[0].evidence[0] = (struct alert_evidence){.event = STR("e")};
    alerts[0].evidence[1] = (struct alert_evidence){.ticket = STR("T-1")};
    alerts[0].evidence_n = 2;
    digest_make(&d, alerts, 2);
    CHECK_STR(
        text(&d, DIALECT_SLACK, 10000),
        STR("*🟡 a: 2 firing*\n• a · 3 times from 2 people · 00000000 · "
            "<https://x.example/T-1|T-1>\n• a · 3 times from 2 people · 00000001\n"));
    CHECK_STR(text(&d, DIALECT_PLAIN, 10000),
              STR("🟡 a: 2 firing\n- a · 3 times from 2 people · 00000000 · T-1 "
                  "https://x.example/T-1\n- a · 3 times from 2 people · 00000001\n"));
}

int main(void)
{
    arena_init(&arena);
    buf_init(&b, 1 << 20);
    the_worst_comes_first();
    what_is_over_is_green();
    stays_short();
    has_an_id();
    links_the_first_ticket();
    buf_deinit(&b);
    arena_deinit(&arena);
    return check_result();
}
