#include "detectors/member.h"

#include <endian.h>
#include <math.h>
#include <stdlib.h>
#include <xxhash.h>

#include "core/index.h"
#include "core/utf8.h"

enum {
    SHORT_BYTES = 128,
    LONG_BYTES = 300,
    /* A packed member without its texts and crowd: the flags, seven numbers, a hash, an MRR. */
    FIXED_BYTES_MAX = 1 + 7 * BUF_NUMBER_MAX + 8 + 8,
};

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

#define X(text, max) +1
enum { TEXTS = 0 MEMBER_TEXTS(X, ), ALL_TEXTS = (1 << (TEXTS)) - 1 };
#undef X
enum { HAS_PERSON = 1, HAS_VALUE = 2, HAS_MRR = 4, HAS_CROWD = 8 };

static uint64_t person_of(struct str user, struct str event)
{
    return user.n ? XXH3_64bits(user.p, user.n)
                  : XXH3_64bits_withSeed(event.p, event.n, 1);
}

/* What its own texts do not say: of a user whose id is so long that it is cut. */
static bool has_person(const struct member *m)
{
    return m->person !=
           person_of(utf8_cut(m->evidence.user, SHORT_BYTES), m->evidence.event);
}

static uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static int64_t unzigzag(uint64_t v)
{
    return (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
}

/* To the bit: a negative zero has a sign to keep. */
static bool is_zero(double x)
{
    return x == 0 && !signbit(x);
}

static uint64_t texts_there(const struct member *m)
{
    uint64_t there = 0, bit = 1;
#define X(text, max)           \
    there |= text.n ? bit : 0; \
    bit <<= 1;
    MEMBER_TEXTS(X, m)
#undef X
    return there;
}

static char *put_text(char *to, struct str text, size_t max)
{
    if (text.n == 0)
        return to;
    text = utf8_cut(text, max);
    to = buf_number_at(to, text.n);
    memcpy(to, text.p, text.n);
    return to + text.n;
}

static size_t texts_bytes_max(const struct member *m)
{
    size_t n = 0;
#define X(text, max) n += text.n ? BUF_NUMBER_MAX + (text.n < max ? text.n : max) : 0;
    MEMBER_TEXTS(X, m)
#undef X
    return n;
}

/* Nothing of it changed since. */
static bool as_read(const struct member *m)
{
    return m->read.bytes.n && m->weight == m->read.weight && m->crowd.p == m->read.crowd;
}

static char *put_8(char *to, uint64_t bits)
{
    uint64_t le = htole64(bits);
    memcpy(to, &le, sizeof le);
    return to + sizeof le;
}

/* All but the crowd; returns where it ends. */
static char *put_member(const struct member *m, char *to)
{
    int flags = (has_person(m) ? HAS_PERSON : 0) | (m->value ? HAS_VALUE : 0) |
                (is_zero(m->account.mrr) ? 0 : HAS_MRR) | (m->crowd.n ? HAS_CROWD : 0);
    *to++ = (char)flags;
    to = buf_number_at(to, zigzag(m->time_ms));
    to = buf_number_at(to, m->weight);
    to = buf_number_at(to, zigzag(m->evidence.partition));
    to = buf_number_at(to, zigzag(m->evidence.offset));
    if (flags & HAS_PERSON)
        to = put_8(to, m->person);
    if (flags & HAS_VALUE)
        to = buf_number_at(to, zigzag(m->value));
    if (flags & HAS_MRR) {
        uint64_t bits;
        memcpy(&bits, &m->account.mrr, sizeof bits);
        to = put_8(to, bits);
    }
    to = buf_number_at(to, texts_there(m));
#define X(text, max) to = put_text(to, text, max);
    MEMBER_TEXTS(X, m)
#undef X
    return to;
}

void member_pack(const struct member *m, struct buf *out)
{
    if (as_read(m)) {
        buf_put(out, m->read.bytes);
        return;
    }
    char *to = buf_reserve(out, FIXED_BYTES_MAX + texts_bytes_max(m));
    if (!to)
        return;
    out->n += (size_t)(put_member(m, to) - to);
    if (m->crowd.n)
        buf_str16(out, m->crowd);
}

static struct str take_text(struct reader *r, uint64_t *there)
{
    bool is_there = *there & 1;
    *there >>= 1;
    return is_there ? reader_bytes(r, reader_number(r)) : STR_NONE;
}

bool member_unpack(struct str packed, struct member *m)
{
    struct reader r = {.in = packed};
    unsigned flags = reader_u8(&r);
    m->time_ms = unzigzag(reader_number(&r));
    m->weight = (uint32_t)reader_number(&r);
    m->evidence.partition = (int32_t)unzigzag(reader_number(&r));
    m->evidence.offset = unzigzag(reader_number(&r));
    m->person = flags & HAS_PERSON ? (uint64_t)reader_i64(&r) : 0;
    m->value = flags & HAS_VALUE ? unzigzag(reader_number(&r)) : 0;
    m->account.mrr = flags & HAS_MRR ? reader_f64(&r) : 0;
    uint64_t there = reader_number(&r);
#define X(text, max) text = take_text(&r, &there);
    MEMBER_TEXTS(X, m)
#undef X
    m->crowd = flags & HAS_CROWD ? reader_str16(&r) : STR_NONE;
    if (!(flags & HAS_PERSON))
        m->person = person_of(m->evidence.user, m->evidence.event);
    m->evidence.time_ms = m->time_ms;
    m->evidence.account = m->account.id;
    m->read.bytes = packed;
    m->read.weight = m->weight;
    m->read.crowd = m->crowd.p;
    return !r.failed && r.in.n == 0;
}

static size_t texts_in(uint64_t there)
{
    size_t n = 0;
    for (; there; there &= there - 1)
        n++;
    return n;
}

bool member_read_head(struct str packed, struct member_head *h)
{
    struct reader r = {.in = packed};
    unsigned flags = reader_u8(&r);
    h->packed = packed;
    h->time_ms = unzigzag(reader_number(&r));
    h->weight = (uint32_t)reader_number(&r);
    (void)reader_number(&r); /* partition, offset */
    (void)reader_number(&r);
    (void)reader_bytes(&r, flags & HAS_PERSON ? 8 : 0);
    h->value = flags & HAS_VALUE ? unzigzag(reader_number(&r)) : 0;
    (void)reader_bytes(&r, flags & HAS_MRR ? 8 : 0);
    uint64_t there = reader_number(&r);
    size_t texts = texts_in(there & ALL_TEXTS);
    h->event = there & 1 ? reader_bytes(&r, reader_number(&r)) : STR_NONE;
    for (size_t i = there & 1; i < texts; i++)
        (void)reader_bytes(&r, reader_number(&r));
    (void)(flags & HAS_CROWD ? reader_str16(&r) : STR_NONE);
    return !r.failed && r.in.n == 0;
}

int64_t member_time_ms(struct str packed)
{
    struct reader r = {.in = packed};
    (void)reader_u8(&r); /* flags */
    int64_t time_ms = unzigzag(reader_number(&r));
    return r.failed ? 0 : time_ms;
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
    const struct value *mrr = event_value(e, FIELD_ACCOUNT_MRR);
    *m = (struct member){
        .time_ms = e->time_ms,
        .weight = 1,
        .person = person_of(user, e->id),
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

void member_pack_event(const struct event *event, struct buf *kept, struct buf *out)
{
    struct member m;
    size_t begin = out->n;
    if (kept && kept->n) {
        buf_put(out, buf_str(kept));
        return;
    }
    member_of_event(event, &m);
    member_pack(&m, out);
    if (kept)
        buf_mem(kept, out->p + begin, out->n - begin);
}

static int by_time(int64_t time_ms, struct str event, int64_t other_ms, struct str other)
{
    if (time_ms != other_ms)
        return time_ms < other_ms ? -1 : 1;
    return str_cmp(event, other);
}

static int in_order(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    return by_time(x->time_ms, x->evidence.event, y->time_ms, y->evidence.event);
}

static int heads_in_order(const void *a, const void *b)
{
    const struct member_head *x = a, *y = b;
    return by_time(x->time_ms, x->event, y->time_ms, y->event);
}

/* Most come in order: what was kept is, and what came since is later. */
static void sort(void *items, size_t n, size_t bytes,
                 int (*order)(const void *, const void *))
{
    size_t i = 1;
    while (i < n &&
           order((char *)items + (i - 1) * bytes, (char *)items + i * bytes) <= 0)
        i++;
    if (i < n)
        qsort(items, n, bytes, order);
}

void members_sort(struct member *members, size_t n)
{
    sort(members, n, sizeof *members, in_order);
}

void member_heads_sort(struct member_head *heads, size_t n)
{
    sort(heads, n, sizeof *heads, heads_in_order);
}

struct member *members_load(const struct str *records, size_t records_n,
                            struct arena *arena, size_t *n)
{
    struct member *members = arena_take(arena, (records_n + 1) * sizeof *members);
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
