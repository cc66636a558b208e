/* One ticket event as the rules see it. Texts are borrowed from the batch that read it.
 * The table below is the only list of members: decoding, `where`, `by` and `field` use it. */
#ifndef CORE_EVENT_H
#define CORE_EVENT_H

#include <assert.h>
#include <stdint.h>

#include "core/arena.h"

/* X(constant, object in the event, member of it, type) */
#define EVENT_FIELDS(X)                                          \
    X(TICKET_ID, "ticket", "id", TEXT)                           \
    X(TICKET_SUBJECT, "ticket", "subject", TEXT)                 \
    X(TICKET_STATUS, "ticket", "status", TEXT)                   \
    X(TICKET_PRIORITY, "ticket", "priority", TEXT)               \
    X(TICKET_CHANNEL, "ticket", "channel", TEXT)                 \
    X(TICKET_CATEGORY, "ticket", "category", TEXT)               \
    X(TICKET_FEATURE, "ticket", "feature", TEXT)                 \
    X(TICKET_PRODUCT_VERSION, "ticket", "product_version", TEXT) \
    X(TICKET_TEAM, "ticket", "team", TEXT)                       \
    X(TICKET_AGENT, "ticket", "agent", TEXT)                     \
    X(TICKET_LOCALE, "ticket", "locale", TEXT)                   \
    X(TICKET_SENTIMENT, "ticket", "sentiment", NUMBER)           \
    X(TICKET_CSAT, "ticket", "csat", NUMBER)                     \
    X(TICKET_ESCALATED, "ticket", "escalated", FLAG)             \
    X(USER_ID, "user", "id", TEXT)                               \
    X(ACCOUNT_ID, "account", "id", TEXT)                         \
    X(ACCOUNT_NAME, "account", "name", TEXT)                     \
    X(ACCOUNT_TIER, "account", "tier", TEXT)                     \
    X(ACCOUNT_MRR, "account", "mrr", NUMBER)                     \
    X(ACCOUNT_RENEWAL, "account", "renewal", TEXT)               \
    X(ACCOUNT_OWNER, "account", "owner", TEXT)                   \
    X(PAGE_URL, "page", "url", TEXT)                             \
    X(PAGE_ACTION, "page", "action", TEXT)                       \
    X(ERROR_TYPE, "error", "type", TEXT)                         \
    X(ERROR_CODE, "error", "code", TEXT)                         \
    X(ERROR_MESSAGE, "error", "message", TEXT)                   \
    X(RELEASE_VERSION, "release", "version", TEXT)               \
    X(RELEASE_SERVICE, "release", "service", TEXT)               \
    X(RELEASE_URL, "release", "url", TEXT)                       \
    X(KNOWN_ISSUE_ID, "known_issue", "id", TEXT)                 \
    X(KNOWN_ISSUE_STATUS, "known_issue", "status", TEXT)         \
    X(KNOWN_ISSUE_TITLE, "known_issue", "title", TEXT)           \
    X(KNOWN_ISSUE_WORKAROUND, "known_issue", "workaround", TEXT) \
    X(KNOWN_ISSUE_URL, "known_issue", "url", TEXT)               \
    X(KNOWN_ISSUE_MUTE, "known_issue", "mute", FLAG)             \
    X(KNOWN_ISSUE_RULE, "known_issue", "rule", TEXT)             \
    X(KNOWN_ISSUE_PAGE, "known_issue", "page", TEXT)             \
    X(KNOWN_ISSUE_ERROR, "known_issue", "error", TEXT)           \
    X(KNOWN_ISSUE_SUBJECT, "known_issue", "subject", TEXT)       \
    X(KNOWN_ISSUE_CATEGORY, "known_issue", "category", TEXT)

enum event_field {
#define X(constant, object, member, type) FIELD_##constant,
    EVENT_FIELDS(X)
#undef X
        FIELD_COUNT
};

enum value_type { VALUE_ABSENT, VALUE_TEXT, VALUE_NUMBER, VALUE_FLAG };

struct value {
    enum value_type type;
    union {
        struct str text;
        double number;
        bool flag;
    };
};

struct event_field_info {
    const char *object, *member; /* "ticket", "category" */
    const char *name;            /* "ticket.category" */
    enum value_type type;
};
extern const struct event_field_info event_field_infos[FIELD_COUNT];

/* The types of DESIGN 2. X(constant, name) */
#define EVENT_TYPES(X)                                \
    X(TICKET_CREATED, "ticket.created")               \
    X(TICKET_UPDATED, "ticket.updated")               \
    X(TICKET_FIRST_RESPONSE, "ticket.first_response") \
    X(TICKET_RESOLVED, "ticket.resolved")             \
    X(TICKET_REOPENED, "ticket.reopened")             \
    X(TICKET_ESCALATED, "ticket.escalated")           \
    X(TICKET_RATED, "ticket.rated")                   \
    X(PAGE_ERROR, "page.error")                       \
    X(CONVERSATION_FINISHED, "conversation.finished") \
    X(ACCOUNT_UPDATED, "account.updated")             \
    X(USAGE_ACTIVITY, "usage.activity")               \
    X(RELEASE_DEPLOYED, "release.deployed")           \
    X(KNOWN_ISSUE_UPDATED, "known_issue.updated")

enum event_type {
#define X(constant, name) EVENT_##constant,
    EVENT_TYPES(X)
#undef X
        EVENT_OTHER, /* a type we do not know: matched only by rules without `on` */
    EVENT_TYPE_COUNT
};

struct event {
    struct str id;
    int64_t time_ms; /* event time */
    int64_t offset;
    int32_t partition; /* -1 where the log does not say */
    enum event_type type;
    struct value *values; /* of the fields that it has, in any order */
    uint8_t values_n;
    uint8_t
        at[FIELD_COUNT]; /* where among them a field's is, counted from 1; 0: absent */
    /* fingerprints, made when a rule asks; p NULL until then */
    struct str page, error, subject;
};

/* Events that somebody reads the fields of: of one of the types, with an object for each of the fields. */
struct event_need {
    uint32_t types; /* bit (1 << enum event_type) */
    uint64_t
        fields; /* bit (1 << enum event_field); one of an object stands for all of them */
};
static_assert(FIELD_COUNT <= 64, "one bit a field");

/* The field called "ticket.category", or FIELD_COUNT. */
enum event_field event_field_named(struct str name);
/* EVENT_OTHER for a name that is not in the table. */
enum event_type event_type_named(struct str name);
const char *event_type_name(enum event_type type);

extern const struct value value_absent;

static inline const struct value *event_value(const struct event *e, enum event_field f)
{
    return e->at[f] ? &e->values[e->at[f] - 1] : &value_absent;
}

/* Adds a field that is not there yet: its value was put at e->values[e->values_n]. */
static inline void event_add_next(struct event *e, enum event_field f)
{
    e->at[f] = ++e->values_n;
}

/* The same; e->values has room for it. */
static inline void event_add(struct event *e, enum event_field f, struct value v)
{
    e->values[e->values_n] = v;
    event_add_next(e, f);
}

/* Puts its id, its values and their texts into the arena, in one piece. Fingerprints stay where they are. */
void event_keep(struct event *e, struct arena *arena);

/* The text of a field, STR_NONE unless it is a text. */
static inline struct str event_text(const struct event *e, enum event_field f)
{
    const struct value *v = event_value(e, f);
    return v->type == VALUE_TEXT ? v->text : STR_NONE;
}

#endif
