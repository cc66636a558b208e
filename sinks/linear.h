/* Linear's three parts: what is asked (linear.c), how an answer reads (linear_answer.c), and which request follows
 * which (linear_talk.c). Pure. */
#ifndef SINKS_LINEAR_H
#define SINKS_LINEAR_H

#include <jansson.h>

#include "core/option.h"
#include "sinks/sink.h"

enum { UUID_BYTES = 37 };

enum linear_regression { REGRESSION_LINK, REGRESSION_REOPEN };

struct linear_settings {
    struct str url, team, project, state, resolved_state, reopened_state, ticket_url;
    struct secret key;
    struct texts labels;
    struct template_file title, body, update;
    int64_t priorities[SEVERITIES];
    double mrr_raises;
    int regression;
};

enum linear_ask {
    ASK_CREATE, /* the issue */
    ASK_FIND,   /* what is there of this episode: the issue, the comments */
    ASK_SAY,    /* priority or state, and a comment */
    ASK_REOPEN, /* the issue of the episode before, with a comment */
    ASK_LINK,   /* relate the issue to that of the episode before */
};

/* Ids of ours, each a UUID of version 4. */
void linear_issue_id(const struct alert *a, char out[UUID_BYTES]);
/* The same for every attempt to tell this transition, another for every other. */
void linear_comment_id(const struct alert *a, char out[UUID_BYTES]);
/* Of the comment that reopens an issue for this episode. */
void linear_reopening_id(const struct alert *a, char out[UUID_BYTES]);
void linear_relation_id(const struct alert *a, char out[UUID_BYTES]);

/* ---- linear_answer.c ---- */

enum linear_reading {
    READ_DONE,      /* all of it succeeded */
    READ_DUPLICATE, /* an id of ours is taken */
    READ_ABSENT,    /* what it refers to is not there */
    READ_REFUSED,   /* any other error that stays */
    READ_OTHER,     /* `outcome` says: later, or the key is refused */
};

struct linear_answer {
    enum linear_reading reading;
    struct outcome outcome;
    json_t *data; /* READ_DONE; json_decref */
};

struct linear_answer linear_read(const struct response *response);

/* ---- linear_talk.c ---- */

/* What comes next for this alert. */
enum linear_ask linear_next(const struct sink_input *in, const json_t *memory);
struct outcome linear_hear(const struct sink_input *in, const struct response *response,
                           struct buf *memory);

#endif
