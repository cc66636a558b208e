/* Reading replies. A reply of another type than expected reads as nothing, which callers
 * refuse. */
#include <hiredis/hiredis.h>
#include <stdlib.h>

#include "windows/redis_link.h"

void redis_reply_free(struct redisReply *r)
{
    if (r)
        freeReplyObject(r);
}

static bool is_array(const struct redisReply *r)
{
    return r && r->type == REDIS_REPLY_ARRAY;
}

size_t redis_reply_n(const struct redisReply *r)
{
    return is_array(r) ? r->elements : 0;
}

const struct redisReply *redis_reply_at(const struct redisReply *r, size_t i)
{
    return i < redis_reply_n(r) ? r->element[i] : NULL;
}

struct str redis_reply_str(const struct redisReply *r)
{
    if (!r || (r->type != REDIS_REPLY_STRING && r->type != REDIS_REPLY_STATUS))
        return STR_NONE;
    return (struct str){r->str, r->len};
}

const struct redisReply *redis_reply_field(const struct redisReply *entry,
                                           const char *name)
{
    const struct redisReply *fields = redis_reply_at(entry, 1);
    for (size_t i = 0; i + 1 < redis_reply_n(fields); i += 2)
        if (str_is(redis_reply_str(redis_reply_at(fields, i)), name))
            return redis_reply_at(fields, i + 1);
    return NULL;
}

int64_t redis_reply_int(const struct redisReply *r)
{
    if (r && r->type == REDIS_REPLY_INTEGER)
        return r->integer;
    struct str s = redis_reply_str(r);
    if (s.n == 0)
        return 0;
    char *end;
    long long v = strtoll(s.p, &end, 10); /* hiredis ends texts with NUL */
    return end == s.p + s.n ? v : 0;
}

bool redis_reply_is_nil(const struct redisReply *r)
{
    return r && r->type == REDIS_REPLY_NIL;
}
