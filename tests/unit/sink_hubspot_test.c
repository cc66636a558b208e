/* HubSpot: one task an episode, its company found and told, whatever answer is lost. */
#include "core/zone.h"
#include "tests/talk.h"

#define ID "5d41402abc4b2a76b9719d911017c592"
#define CREATED "{\"id\":\"77\"}"
#define NONE "{\"total\":0,\"results\":[]}"
#define ONE(id) "{\"total\":1,\"results\":[{\"id\":\"" id "\"}]}"
#define TWO "{\"total\":2,\"results\":[{\"id\":\"1\"},{\"id\":\"2\"}]}"

static struct talk plain(void)
{
    static const char *const settings[] = {"key=k"};
    struct talk t;
    talk_open(&t, "hubspot", settings, 1);
    return t;
}

static struct talk telling(void)
{
    static const char *const settings[] = {"key=k", "company_property=account_id",
                                           "score_property=churn_score"};
    struct talk t;
    talk_open(&t, "hubspot", settings, 3);
    return t;
}

static struct str step(struct talk *t, const char *state, const char *severity)
{
    return talk_alert(t, state, severity);
}

static void says_nothing(struct talk *t, struct str alert)
{
    struct request r;
    struct err e = {0};
    CHECK_INT(sink_case_format(&t->sink, alert, TALK_NOW_MS, &t->arena, &r, &e), 0);
}

static void an_episode(void)
{
    struct talk t = plain();
    TALK(&t, step(&t, "firing", "low"),
         {"\"to\":{\"id\":\"31337\"}", 201, CREATED, DELIVERED});
    TALK(&t, step(&t, "escalated", "high"),
         {"/objects/tasks/77", 200, CREATED, DELIVERED});
    says_nothing(&t, step(&t, "resolved", "high"));
    talk_close(&t);
}

/* Before a task is made that may be there, it is searched. */
static void lost_answers(void)
{
    struct talk t = plain();
    TALK(&t, step(&t, "firing", "low"), {"hs_task_subject", 0, "", RETRY},
         {"\"value\":\"" ID, 200, ONE("77"), DELIVERED});
    CHECK(talk_holds(t.sink.memory, "\"task\":\"77\""));
    talk_close(&t);
    t = plain();
    TALK(&t, step(&t, "firing", "low"), {"hs_task_subject", 502, "", RETRY},
         {"/tasks/search", 429, "", RETRY}, {"/tasks/search", 200, NONE, MORE},
         {"hs_task_subject", 0, "", RETRY}, {"/tasks/search", 200, NONE, MORE},
         {"hs_task_subject", 201, CREATED, DELIVERED});
    talk_close(&t);
}

static void a_new_task_is_searched_late(void)
{
    struct talk t = plain();
    struct request r;
    struct err e = {0};
    struct str alert = step(&t, "firing", "low");
    CHECK_INT(sink_case_format(&t.sink, alert, TALK_NOW_MS, &t.arena, &r, &e), 1);
    struct response lost = {.status = 0};
    struct outcome o = sink_case_hear(&t.sink, alert, TALK_NOW_MS, &lost, &t.arena);
    CHECK(o.verdict == RETRY && o.retry_after_ms >= 10000);
    talk_close(&t);
}

static void without_memory(void)
{
    struct talk t = plain();
    TALK(&t, step(&t, "escalated", "high"), {"/tasks/search", 200, ONE("78"), MORE},
         {"/objects/tasks/78", 200, CREATED, DELIVERED});
    talk_close(&t);
    t = plain();
    TALK(&t, step(&t, "escalated", "high"), {"/tasks/search", 200, NONE, MORE},
         {"hs_task_subject", 201, CREATED, DELIVERED});
    talk_close(&t);
}

static void a_company_is_found_and_told(void)
{
    struct talk t = telling();
    TALK(&t, step(&t, "firing", "low"),
         {"\"propertyName\":\"account_id\"", 200, ONE("4711"), MORE},
         {"\"to\":{\"id\":\"4711\"}", 201, CREATED, MORE},
         {"/companies/4711", 200, "{}", DELIVERED});
    TALK(&t, step(&t, "escalated", "critical"), {"/tasks/77", 200, CREATED, MORE},
         {"\"churn_score\":\"100\"", 200, "{}", DELIVERED});
    TALK(&t, step(&t, "resolved", "critical"),
         {"\"churn_score\":\"0\"", 200, "{}", DELIVERED});
    talk_close(&t);
    t = telling(); /* the same again: a lost answer, and a memory lost with it */
    t.sink.again = true;
    TALK(&t, step(&t, "firing", "low"), {"account_id", 200, ONE("4711"), MORE},
         {"/tasks/search", 200, ONE("77"), MORE},
         {"/companies/4711", 200, "{}", DELIVERED});
    talk_close(&t);
}

static void companies_that_are_none(void)
{
    struct talk t = telling();
    TALK(&t, step(&t, "firing", "low"), {"account_id", 200, TWO, MORE},
         {"is linked to no company", 201, CREATED, DELIVERED});
    talk_close(&t);
    t = telling();
    TALK(&t, step(&t, "firing", "low"), {"account_id", 200, ONE("1/../x"), MORE},
         {"is linked to no company", 201, CREATED, DELIVERED});
    talk_close(&t);
    t = plain(); /* HubSpot knows no such company: the task is made without */
    TALK(&t, step(&t, "firing", "low"), {"\"id\":\"31337\"", 400, "{}", MORE},
         {"is linked to no company", 201, CREATED, DELIVERED});
    TALK(&t, step(&t, "escalated", "high"), {"/tasks/77", 404, "{}", DELIVERED});
    talk_close(&t);
    t = telling();
    TALK(&t, step(&t, "firing", "low"), {"account_id", 200, ONE("4711"), MORE},
         {"hs_task_subject", 201, CREATED, MORE},
         {"/companies/4711", 404, "{}", DELIVERED});
    talk_close(&t);
}

static void check_due(int64_t now_ms, const char *due)
{
    struct talk t = plain();
    struct request r = {0};
    struct err e = {0};
    CHECK_INT(
        sink_case_format(&t.sink, step(&t, "firing", "low"), now_ms, &t.arena, &r, &e),
        1);
    if (!talk_holds(r.body, due))
        fprintf(stderr, "no %s\n", due);
    CHECK(talk_holds(r.body, due));
    talk_close(&t);
}

/* By the clock on the wall, which is set forward in New York on 8 March 2026. */
static void due_the_same_working_day(void)
{
    check_due(INT64_C(1772443200000),
              "\"hs_timestamp\":\"2026-03-02T17:00:00.000Z"); /* Monday 09:20 */
    check_due(INT64_C(1772470800000),
              "\"hs_timestamp\":\"2026-03-03T17:00:00.000Z"); /* 17:00: over */
    check_due(INT64_C(1772875200000),
              "\"hs_timestamp\":\"2026-03-09T17:00:00.000Z"); /* Saturday */
    CHECK(zone_use(STR("America/New_York")));
    check_due(INT64_C(1772470800000),
              "\"hs_timestamp\":\"2026-03-02T22:00:00.000Z"); /* 12:00 there */
    check_due(INT64_C(1772838000000),
              "\"hs_timestamp\":\"2026-03-09T21:00:00.000Z"); /* Friday 18:00 there */
    CHECK(zone_use(STR("UTC")));
}

int main(void)
{
    due_the_same_working_day();
    an_episode();
    lost_answers();
    a_new_task_is_searched_late();
    without_memory();
    a_company_is_found_and_told();
    companies_that_are_none();
    return check_result();
}
