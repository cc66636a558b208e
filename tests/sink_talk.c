#include "tests/sink_talk.h"

#include <stdio.h>

/* More than any one request needs. */
static struct str good_answer(const struct sink_case *c, const struct sink_talk *t)
{
    const struct sink *sink = c->sink;
    static const char issue[] = "{\"id\":\"5f0c1e7a-1111-4222-8333-444455556666\","
                                "\"identifier\":\"ENG-12\","
                                "\"url\":\"https://linear.app/acme/issue/ENG-12\"}";
    static char text[2000];
    if (strcmp(sink->name, "slack") == 0 && !c->secrets.values[1].n)
        return STR("ok"); /* a webhook's */
    if (strcmp(sink->name, "linear") == 0)
        snprintf(
            text, sizeof text,
            "{\"data\":{\"issueCreate\":{\"success\":true,\"issue\":%s},"
            "\"issueUpdate\":{\"success\":true},\"commentCreate\":{\"success\":true},"
            "\"issueRelationCreate\":{\"success\":true},"
            "\"issues\":{\"nodes\":[%s]},\"comments\":{\"nodes\":[]}}}",
            issue, t->nothing ? "" : issue);
    else
        snprintf(text, sizeof text,
                 "{\"ok\":true,\"ts\":\"1772443200.000100\",\"channel\":\"C024BE91L\","
                 "\"messages\":[],\"id\":\"77\",\"total\":%d,\"results\":[%s]}",
                 !t->nothing, t->nothing ? "" : "{\"id\":\"4711\",\"properties\":{}}");
    return str_of(text);
}

int sink_talk(struct sink_case *c, const struct sink_talk *t, struct str alert_json,
              struct request *out, struct err *e)
{
    struct outcome o = {.verdict = MORE};
    int n = 0;
    bool again = c->again;
    while (n < SINK_TALK_MAX && o.verdict == MORE) {
        int rc = sink_case_format(c, alert_json, t->now_ms, t->arena, &out[n], e);
        if (rc <= 0) {
            c->again = again;
            return rc < 0 ? -1 : n;
        }
        n++;
        if (!c->sink->hear)
            return n;
        struct response r = {.status = 200, .body = good_answer(c, t)};
        o = sink_case_hear(c, alert_json, t->now_ms, &r, t->arena);
        c->again = false; /* what follows was never sent before */
    }
    c->again = again;
    return o.verdict == DELIVERED ? n
                                  : err_set(e, ERR_INPUT, "not delivered: %s", o.reason);
}
