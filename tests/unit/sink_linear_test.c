/* Linear: one issue an episode, whatever answer is lost, memory forgotten or issue thrown away. */
#include "tests/talk.h"

#define OWN_ID "5d41402a-bc4b-4a76-b971-9d911017c592"
#define ISSUE(id)   \
    "{\"id\":\"" id \
    "\",\"identifier\":\"ENG-12\",\"url\":\"https://linear.app/x/issue/ENG-12\"}"
#define CREATED \
    "{\"data\":{\"issueCreate\":{\"success\":true,\"issue\":" ISSUE(OWN_ID) "}}}"
#define SAID                                                                             \
    "{\"data\":{\"issueUpdate\":{\"success\":true},\"commentCreate\":{\"success\":true}" \
    "}}"
#define COMMENTED "{\"data\":{\"commentCreate\":{\"success\":true}}}"
#define LINKED "{\"data\":{\"issueRelationCreate\":{\"success\":true}}}"
#define FOUND(issues, comments)                                                         \
    "{\"data\":{\"issues\":{\"nodes\":[" issues "]},\"comments\":{\"nodes\":[" comments \
    "]}}}"
#define NOTHING FOUND("", "")
#define ERROR(message)                                \
    "{\"errors\":[{\"message\":\"" message            \
    "\",\"extensions\":{\"code\":\"INPUT_ERROR\"}}]," \
    "\"data\":null}"
#define TAKEN(what) ERROR("conflict on insert of " what)
#define GONE ERROR("Entity not found: Issue")

static const char *const link_settings[] = {"key=k",
                                            "team=9cfb482a-81e3-4154-b5b9-2c805e70a02d"};
static const char *const reopen_settings[] = {
    "key=k", "team=9cfb482a-81e3-4154-b5b9-2c805e70a02d", "regression=reopen",
    "reopened_state=0b6c1e52-3f0a-4d7b-9c1e-2f1a7c1e9b10",
    "resolved_state=f3b0c7d2-2b7f-4b8f-9d0c-0b5b1a6b2c3d"};

static struct talk linking(void)
{
    struct talk t;
    talk_open(&t, "linear", link_settings, 2);
    return t;
}

static struct talk reopening(void)
{
    struct talk t;
    talk_open(&t, "linear", reopen_settings, 5);
    return t;
}

static struct str firing(struct talk *t)
{
    return talk_alert(t, "firing", "high");
}

static struct str escalated(struct talk *t)
{
    return talk_alert(t, "escalated", "critical");
}

static struct str resolved(struct talk *t)
{
    return talk_alert(t, "resolved", "critical");
}

static void an_episode(void)
{
    struct talk t = linking();
    TALK(&t, firing(&t), {"\"id\":\"" OWN_ID, 200, CREATED, DELIVERED});
    TALK(&t, escalated(&t), {"\"priority\":1", 200, SAID, DELIVERED});
    TALK(&t, resolved(&t), {"\"issueId\":\"" OWN_ID, 200, COMMENTED, DELIVERED});
    CHECK(talk_holds(t.sink.memory, "ENG-12"));
    talk_close(&t);
}

/* "Taken" is success only once the issue was seen. */
static void a_lost_answer(void)
{
    struct talk t = linking();
    TALK(&t, firing(&t), {"issueCreate", 0, "", RETRY},
         {"issueCreate", 200, TAKEN("Issue"), MORE},
         {"issues(filter", 200, FOUND(ISSUE(OWN_ID), ""), DELIVERED});
    CHECK(talk_holds(t.sink.memory, "\"issue\":\"" OWN_ID));
    talk_close(&t);
    t = linking();
    TALK(&t, firing(&t), {"issueCreate", 200, TAKEN("Issue"), MORE},
         {"issues(filter", 502, "", RETRY}, {"issues(filter", 200, NOTHING, DEAD});
    talk_close(&t);
}

static void a_lost_answer_to_a_comment(void)
{
    struct talk t = linking();
    TALK(&t, firing(&t), {"issueCreate", 200, CREATED, DELIVERED});
    TALK(&t, escalated(&t), {"commentCreate", 0, "", RETRY},
         {"commentCreate", 200, TAKEN("Comment"), MORE},
         {"comments(filter", 200,
          FOUND(ISSUE(OWN_ID),
                "{\"id\":\"73b3e997-2886-4296-b84c-5312e3b9bcbb\",\"issue\":" ISSUE(
                    OWN_ID) "}"),
          DELIVERED});
    talk_close(&t);
    t = linking();
    TALK(&t, firing(&t), {"issueCreate", 200, CREATED, DELIVERED});
    TALK(&t, escalated(&t), {"commentCreate", 200, TAKEN("Comment"), MORE},
         {"comments(filter", 200, FOUND(ISSUE(OWN_ID), ""), DEAD});
    talk_close(&t);
}

/* Found again by its id; where it never was, it is made first; an end of nothing needs no words. */
static void without_memory(void)
{
    struct talk t = linking();
    TALK(&t, escalated(&t), {"\"issue\":\"" OWN_ID, 200, FOUND(ISSUE(OWN_ID), ""), MORE},
         {"commentCreate", 200, SAID, DELIVERED});
    talk_close(&t);
    t = linking();
    TALK(&t, escalated(&t), {"issues(filter", 200, NOTHING, MORE},
         {"issueCreate", 200, CREATED, MORE}, {"commentCreate", 200, SAID, DELIVERED});
    talk_close(&t);
    t = linking();
    TALK(&t, resolved(&t), {"issues(filter", 200, NOTHING, DELIVERED});
    talk_close(&t);
    t = linking();
    t.sink.memory = STR("[\"of another version\"]");
    TALK(&t, resolved(&t), {"issues(filter", 200, NOTHING, DELIVERED});
    talk_close(&t);
}

static void thrown_away(void)
{
    struct talk t = linking();
    TALK(&t, firing(&t), {"issueCreate", 200, CREATED, DELIVERED});
    TALK(&t, escalated(&t), {"commentCreate", 200, GONE, MORE},
         {"issues(filter", 200, NOTHING, MORE}, {"issueCreate", 200, CREATED, MORE},
         {"commentCreate", 200, SAID, DELIVERED});
    TALK(&t, resolved(&t), {"commentCreate", 200, GONE, MORE},
         {"issues(filter", 200, FOUND(ISSUE(OWN_ID), ""), MORE},
         {"commentCreate", 200, GONE, DEAD});
    talk_close(&t);
}

#define NEXT_ID "6d41402abc4b2a76b9719d911017c592"
#define NEXT_UUID "6d41402a-bc4b-4a76-b971-9d911017c592"
#define NEXT_CREATED \
    "{\"data\":{\"issueCreate\":{\"success\":true,\"issue\":" ISSUE(NEXT_UUID) "}}}"

static void comes_back(struct talk *t)
{
    TALK(t, firing(t), {"issueCreate", 200, CREATED, DELIVERED});
    TALK(t, resolved(t), {"commentCreate", 200, SAID, DELIVERED});
    t->id = NEXT_ID;
}

static void a_regression_is_linked(void)
{
    struct talk t = linking();
    comes_back(&t);
    TALK(&t, firing(&t),
         {"Seen before: [ENG-12](https://linear.app/x/issue/ENG-12)", 200, NEXT_CREATED,
          MORE},
         {"\"issueId\":\"" NEXT_UUID "\",\"relatedIssueId\":\"" OWN_ID, 0, "", RETRY},
         {"issueRelationCreate", 200, LINKED, DELIVERED});
    TALK(&t, escalated(&t), {"\"issueId\":\"" NEXT_UUID, 200, SAID, DELIVERED});
    talk_close(&t);
    t = linking();
    comes_back(&t);
    TALK(&t, firing(&t), {"issueCreate", 200, NEXT_CREATED, MORE},
         {"issueRelationCreate", 200, GONE, DELIVERED});
    talk_close(&t);
}

static void a_regression_reopens(void)
{
    struct talk t = reopening();
    comes_back(&t);
    TALK(&t, firing(&t), {"\"stateId\":\"0b6c1e52", 200, SAID, DELIVERED});
    TALK(&t, escalated(&t), {"\"issueId\":\"" OWN_ID, 200, SAID, DELIVERED});
    TALK(&t, resolved(&t), {"\"stateId\":\"f3b0c7d2", 200, SAID, DELIVERED});
    talk_close(&t);
    t = reopening();
    comes_back(&t);
    TALK(&t, firing(&t), {"It is back", 200, GONE, MORE},
         {"issueCreate", 200, NEXT_CREATED, DELIVERED});
    talk_close(&t);
}

/* The comment that reopened it leads back to it. */
static void a_regression_without_memory(void)
{
    struct talk t = reopening();
    comes_back(&t);
    t.sink.again = true;
    t.sink.memory = STR_NONE;
    TALK(&t, firing(&t),
         {"comments(filter", 200, FOUND("", "{\"id\":\"x\",\"issue\":" ISSUE(OWN_ID) "}"),
          DELIVERED});
    TALK(&t, escalated(&t), {"\"issueId\":\"" OWN_ID, 200, SAID, DELIVERED});
    t.sink.memory = STR_NONE;
    TALK(&t, resolved(&t),
         {"comments(filter", 200, FOUND("", "{\"id\":\"x\",\"issue\":" ISSUE(OWN_ID) "}"),
          MORE},
         {"\"issueId\":\"" OWN_ID, 200, SAID, DELIVERED});
    talk_close(&t);
}

static void much_at_stake(void)
{
    static const char *const settings[] = {
        "key=k", "team=9cfb482a-81e3-4154-b5b9-2c805e70a02d", "mrr_raises=10000"};
    struct talk t;
    talk_open(&t, "linear", settings, 3);
    TALK(&t, firing(&t), {"\"priority\":1", 200, CREATED, DELIVERED});
    talk_close(&t);
    t = linking();
    TALK(&t, firing(&t), {"\"priority\":2", 200, CREATED, DELIVERED});
    talk_close(&t);
}

int main(void)
{
    an_episode();
    a_lost_answer();
    a_lost_answer_to_a_comment();
    without_memory();
    thrown_away();
    a_regression_is_linked();
    a_regression_reopens();
    a_regression_without_memory();
    much_at_stake();
    return check_result();
}
