/* HubSpot's three parts: what is asked (hubspot.c), what a task and a company are told (hubspot_task.c), and which
 * request follows which (hubspot_talk.c). Pure but for the time zone (core/zone.h). */
#ifndef SINKS_HUBSPOT_H
#define SINKS_HUBSPOT_H

#include <jansson.h>

#include "core/option.h"
#include "sinks/sink.h"

struct hubspot_settings {
    struct str url, api_version, ticket_url, due_at;
    struct str company_property, marker_property;
    struct str score_property, reasons_property, signal_property;
    struct secret key;
    struct template_file title, body;
    int64_t due_ms; /* from midnight, of due_at */
};

enum hubspot_ask {
    HUBSPOT_FIND_COMPANY,
    HUBSPOT_FIND_TASK,
    HUBSPOT_CREATE, /* the task */
    HUBSPOT_UPDATE, /* the task: its priority and text */
    HUBSPOT_PATCH,  /* the company's properties */
    HUBSPOT_NOTHING,
};

/* ---- hubspot_task.c ---- */

/* The account that the alert is about: the one of its key, else the largest among its accounts. */
struct alert_account hubspot_account(const struct alert *a);
/* Its company: found by the property, or the account's id where that is one. n == 0: not known. */
struct str hubspot_company(const struct hubspot_settings *s, const struct alert *a,
                           const json_t *memory);
/* {"properties", "associations"}: a task for the account's owner. */
json_t *hubspot_task(const struct sink_input *in, const json_t *memory);
/* {"properties"}: what an escalation changes, or a fix that is verified, which makes it a task to do again. */
json_t *hubspot_task_update(const struct sink_input *in, const json_t *memory);
/* {"properties"} of the company. */
json_t *hubspot_company_update(const struct hubspot_settings *s, const struct alert *a);

/* ---- hubspot_talk.c ---- */

enum hubspot_ask hubspot_next(const struct sink_input *in, const json_t *memory);
struct outcome hubspot_hear(const struct sink_input *in, const struct response *response,
                            struct buf *memory);

/* ---- hubspot.c ---- */

struct outcome hubspot_outcome(const void *settings, const struct response *response);

#endif
