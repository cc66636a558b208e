#include "detectors/member.h"

#include <stdlib.h>
#include <xxhash.h>

#include "core/index.h"
#include "core/utf8.h"

enum { SHORT_BYTES = 128, LONG_BYTES = 300 };

/* Every text of a member, in packed order, with the longest it may be. */
#define MEMBER_TEXTS(X, m)                   \
    X((m)->evidence.event, 256)              \
    X((m)->evidence.ticket, SHORT_BYTES)     \
    X((m)->evidence.user, SHORT_BYTES)       \
    X((m)->account.id, SHORT_BYTES)          \
    X((m)->account.name, SHORT_BYTES)        \
    X((m)->account.tier, SHORT_BYTES)        \
    X((m)->account.renewal, SHORT_BYTES)     \
    X((m)->account.owner, SHORT_BYTES)       \
    X((m)->sample.page_url, LONG_BYTES)      \
    X((m)->sample.action, SHORT_BYTES)       \
    X((m)->sample.error_type, SHORT_BYTES)   \
    X((m)->sample.error_code, SHORT_BYTES)   \
    X((m)->sample.error_message, LONG_BYTES) \
    X((m)->sample.subject, LONG_BYTES)       \
    X((m)->sample.version, SHORT_BYTES)

void member_pack(const struct member *m, struct buf *out)
{
    int64_t mrr;
    memcpy(&mrr, &m->account.mrr, sizeof mrr);
    buf_i64(out, m->time_ms);
    buf_u32(out, m->weight);
    buf_i64(out, (int64_t)m->person);
    buf_i64(out, m->value);
    buf_i64(out, mrr);
    buf_u32(out, (uint32_t)m->evidence.partition);
    buf_i64(out, m->evidence.offset);
#define X(text, max) buf_str16(out, utf8_cut(text, max));
    MEMBER_TEXTS(X, m)
#undef X
    if (m->crowd.n)
        buf_str16(out, m->crowd);
}

bool member_unpack(struct str packed, struct member *m)
{
    struct reader r = {.in = packed};
    m->time_ms = reader_i64(&r);
    m->weight = reader_u32(&r);
    m->person = (uint64_t)reader_i64(&r);
    m->value = reader_i64(&r);
    int64_t mrr = reader_i64(&r);
    memcpy(&m->account.mrr, &mrr, sizeof mrr);
    m->evidence.partition = (int32_t)reader_u32(&r);
    m->evidence.offset = reader_i64(&r);
#define X(text, max) text = reader_str16(&r);
    MEMBER_TEXTS(X, m)
#undef X
    m->crowd = r.in.n ? reader_str16(&r) : STR_NONE;
    m->evidence.time_ms = m->time_ms;
    m->evidence.account = m->account.id;
    return !r.failed && r.in.n == 0;
}

/* Without query and fragment, which may carry tokens. */
static struct str without_query(struct str url)
{
    for (size_t i = 0; i < url.n; i++)
        if (url.p[i] == '?' || url.p[i] == '#')
            url.n = i;
    return url;
}

void member_of_event(const struct event *e, struct member *m)
{
    struct str user = event_text(e, FIELD_USER_ID);
    const struct value *mrr = &e->fields[FIELD_ACCOUNT_MRR];
    *m = (struct member){
        .time_ms = e->time_ms,
        .weight = 1,
        .person = user.n ? XXH3_64bits(user.p, user.n)
                         : XXH3_64bits_withSeed(e->id.p, e->id.n, 1),
        .evidence = {.event = e->id,
                     .ticket = event_text(e, FIELD_TICKET_ID),
                     .user = user,
                     .partition = e->partition,
                     .offset = e->offset},
        .account = {.id = event_text(e, FIELD_ACCOUNT_ID),
                    .name = event_text(e, FIELD_ACCOUNT_NAME),
                    .tier = event_text(e, FIELD_ACCOUNT_TIER),
                    .renewal = event_text(e, FIELD_ACCOUNT_RENEWAL),
                    .owner = event_text(e, FIELD_ACCOUNT_OWNER),
                    .mrr = mrr->type == VALUE_NUMBER ? mrr->number : 0},
        .sample = {.page_url = without_query(event_text(e, FIELD_PAGE_URL)),
                   .action = event_text(e, FIELD_PAGE_ACTION),
                   .error_type = event_text(e, FIELD_ERROR_TYPE),
                   .error_code = event_text(e, FIELD_ERROR_CODE),
                   .error_message = event_text(e, FIELD_ERROR_MESSAGE),
                   .subject = event_text(e, FIELD_TICKET_SUBJECT),
                   .version = event_text(e, FIELD_TICKET_PRODUCT_VERSION)},
    };
}

static int in_order(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return str_cmp(x->evidence.event, y->evidence.event);
}

void members_sort(struct member *members, size_t n)
{
    qsort(members, n, sizeof *members, in_order);
}

struct member *members_load(const struct str *records, size_t records_n,
                            struct arena *arena, size_t *n)
{
    struct member *members = arena_alloc(arena, (records_n + 1) * sizeof *members);
    *n = 0;
    for (size_t i = 0; i < records_n; i++)
        if (member_unpack(records[i], &members[*n]))
            ++*n;
    members_sort(members, *n);
    return members;
}

static void list_account(const struct alert_account *account, struct alert *out)
{
    size_t at = out->accounts_listed;
    while (at && alert_account_cmp(account, &out->accounts[at - 1]) < 0)
        at--;
    if (at == ALERT_ACCOUNTS_MAX)
        return;
    if (out->accounts_listed < ALERT_ACCOUNTS_MAX)
        out->accounts_listed++;
    memmove(&out->accounts[at + 1], &out->accounts[at],
            (out->accounts_listed - at - 1) * sizeof *out->accounts);
    out->accounts[at] = *account;
}

/* Each account as its latest event tells it. */
static void list_accounts(const struct member *members, const bool *take, size_t n,
                          struct alert *out)
{
    struct index seen;
    index_init(&seen);
    for (size_t i = n; i-- > 0;) {
        const struct alert_account *a = &members[i].account;
        if ((take && !take[i]) || a->id.n == 0 || index_get(&seen, a->id) != INDEX_NONE)
            continue;
        index_put(&seen, a->id, i);
        list_account(a, out);
    }
    out->accounts_n = (int64_t)seen.n;
    index_deinit(&seen);
}

void members_describe(const struct member *members, const bool *take, size_t n,
                      struct alert *out)
{
    for (size_t i = 0; i < n; i++) {
        if (take && !take[i])
            continue;
        if (out->evidence_n == 0) {
            out->first_seen_ms = members[i].time_ms;
            out->sample = members[i].sample;
        }
        if (out->evidence_n < ALERT_EVIDENCE_MAX)
            out->evidence[out->evidence_n++] = members[i].evidence;
    }
    list_accounts(members, take, n, out);
}

int64_t members_users(const struct member *members, size_t n)
{
    struct index seen;
    index_init(&seen);
    for (size_t i = 0; i < n; i++)
        if (members[i].evidence.user.n)
            index_put(&seen, members[i].evidence.user, i);
    int64_t users = (int64_t)seen.n;
    index_deinit(&seen);
    return users;
}
