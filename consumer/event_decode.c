/* The record is copied and read there in place; the copy and yyjson's values live in memory kept from call to call, and
 * of the record only what somebody reads goes to the batch's arena. Members are looked up in a table made from
 * core/event.h: a new field is a row there and nothing here. yyjson checks UTF-8 strictly and does not recurse. A message
 * that a mapping of the configuration claims is read by that instead. */
#include "consumer/event_decode.h"

#include <assert.h>
#include <stdlib.h>

#include "consumer/event_check.h"
#include "consumer/event_map.h"
#include "consumer/event_value.h"
#include "consumer/names.h"
#include "core/buf.h"

enum {
    POOL_BYTES_MIN = 64 * 1024, /* what is not JSON may need more than what is */
    PADDING_BYTES = NAME_BYTES, /* of which yyjson asks 4 */
    OBJECTS_MAX = 8,
};

enum top {
    TOP_ID,
    TOP_TYPE,
    TOP_TIME,
    TOP_SPECVERSION,
    TOP_DATA,
    TOP_KAFKA,
    TOP_OBJECTS
};
static const char *const top_names[] = {"id",          "type", "time",
                                        "specversion", "data", "kafka"};
enum position { AT_TOPIC, AT_PARTITION, AT_OFFSET, AT_TIMESTAMP, POSITIONS };
enum scope { SCOPE_TOP, SCOPE_POSITION, SCOPE_TYPES, SCOPE_OBJECTS };

struct event_decoder {
    struct names names;
    const struct event_maps *maps; /* NULL: none */
    int64_t max_future_ms;
    size_t objects_n;
    size_t object_of[FIELD_COUNT];
    /* by type, and a bit for each object that is there: somebody reads the fields */
    bool needed[EVENT_TYPE_COUNT][1 << OBJECTS_MAX];
    struct value values[FIELD_COUNT]; /* of the event in hand */
    struct buf pool, copy;            /* used again for the next */
};

/* The record in hand. */
struct record {
    struct event_decoder *decoder;
    struct arena *arena;
    bool deep;
    yyjson_val *top[TOP_OBJECTS + OBJECTS_MAX];
};

static inline int find(const struct record *r, size_t scope, yyjson_val *key)
{
    return names_find(&r->decoder->names, scope, unsafe_yyjson_get_str(key),
                      unsafe_yyjson_get_len(key));
}

static void name_fields(struct event_decoder *d)
{
    for (int f = 0; f < FIELD_COUNT; f++) {
        const struct event_field_info *info = &event_field_infos[f];
        size_t object = (size_t)names_add(&d->names, SCOPE_TOP, info->object,
                                          TOP_OBJECTS + (int)d->objects_n);
        object -= TOP_OBJECTS;
        assert(strlen(info->object) <= NAME_BYTES && strlen(info->member) <= NAME_BYTES);
        d->objects_n += object == d->objects_n;
        assert(d->objects_n <= OBJECTS_MAX);
        d->object_of[f] = object;
        names_add(&d->names, SCOPE_OBJECTS + object, info->member, f);
    }
}

static void note_need(struct event_decoder *d, const struct event_need *need)
{
    size_t objects = 0;
    for (int f = 0; f < FIELD_COUNT; f++)
        if (need->fields >> f & 1)
            objects |= (size_t)1 << d->object_of[f];
    for (int type = 0; type < EVENT_TYPE_COUNT; type++)
        for (size_t there = objects; there < 1 << OBJECTS_MAX; there++)
            if (need->types >> type & 1 && (there & objects) == objects)
                d->needed[type][there] = true;
}

struct event_decoder *event_decoder_new(int64_t max_future_ms,
                                        const struct event_maps *maps)
{
    static const char *const positions[] = {"topic", "partition", "offset", "timestamp"};
    struct event_decoder *d = calloc(1, sizeof *d);
    assert(d);
    d->max_future_ms = max_future_ms;
    d->maps = maps && maps->n ? maps : NULL;
    buf_init(&d->pool, SIZE_MAX / 2);
    buf_init(&d->copy, SIZE_MAX / 2);
    names_init(&d->names);
    for (int i = 0; i < TOP_OBJECTS; i++)
        names_add(&d->names, SCOPE_TOP, top_names[i], i);
    for (int i = 0; i < POSITIONS; i++)
        names_add(&d->names, SCOPE_POSITION, positions[i], i);
    for (int i = 0; i < EVENT_OTHER; i++)
        names_add(&d->names, SCOPE_TYPES, event_type_name((enum event_type)i), i);
    name_fields(d);
    static const struct event_need all = {.types = UINT32_MAX};
    for (size_t i = 0; maps && i < maps->needs_n; i++)
        note_need(d, &maps->needs[i]);
    if (!maps || maps->needs_n == 0)
        note_need(d, &all);
    return d;
}

void event_decoder_free(struct event_decoder *d)
{
    if (!d)
        return;
    buf_deinit(&d->pool);
    buf_deinit(&d->copy);
    free(d);
}

static inline void note_depth(struct record *r, yyjson_val *v)
{
    if (unsafe_yyjson_is_ctn(v) && !value_is_flat(v))
        r->deep = r->deep || value_too_deep(v);
}

static int read_error(const yyjson_read_err *error, size_t bytes_n, struct err *e)
{
    bool utf8 =
        error->code == YYJSON_READ_ERROR_INVALID_STRING && strstr(error->msg, "UTF-8");
    if (utf8)
        return err_set(e, ERR_INPUT,
                       "invalid UTF-8 at byte %zu of %zu: encode it in the producer",
                       error->pos, bytes_n);
    return err_set(e, ERR_INPUT,
                   "not JSON, byte %zu of %zu: %s: send one JSON object a record",
                   error->pos, bytes_n, error->msg);
}

/* The root object; its values are valid until the next call. */
static yyjson_val *read_root(struct record *r, struct str json, struct err *e)
{
    struct event_decoder *d = r->decoder;
    yyjson_read_err error;
    yyjson_alc pool;
    if (json.n == 0 || json.n > EVENT_BYTES_MAX) {
        err_set(e, ERR_INPUT,
                json.n ? "%zu bytes, more than %d: shorten it in the producer"
                       : "empty record (%zu bytes of at most %d)",
                json.n, (int)EVENT_BYTES_MAX);
        return NULL;
    }
    size_t need_bytes = yyjson_read_max_memory_usage(json.n, YYJSON_READ_INSITU);
    size_t pool_bytes = need_bytes > POOL_BYTES_MIN ? need_bytes : POOL_BYTES_MIN;
    yyjson_alc_pool_init(&pool, buf_reserve(&d->pool, pool_bytes), pool_bytes);
    char *copy = buf_reserve(&d->copy, json.n + PADDING_BYTES);
    memcpy(copy, json.p, json.n);
    memset(copy + json.n, 0, PADDING_BYTES);
    yyjson_doc *doc = yyjson_read_opts(
        copy, json.n, YYJSON_READ_INSITU | YYJSON_READ_BIGNUM_AS_RAW, &pool, &error);
    yyjson_val *root = yyjson_doc_get_root(doc);
    if (yyjson_is_obj(root))
        return root;
    if (!doc)
        read_error(&error, json.n, e);
    else
        err_set(e, ERR_INPUT, "a JSON %s, not an object: send one event a record",
                yyjson_get_type_desc(root));
    return NULL;
}

static void collect_top(struct record *r, yyjson_val *object)
{
    size_t i, n;
    yyjson_val *key, *value;
    yyjson_obj_foreach(object, i, n, key, value)
    {
        int top = find(r, SCOPE_TOP, key);
        if (top >= 0 && !r->top[top])
            r->top[top] = value;
        if (top < TOP_OBJECTS || !unsafe_yyjson_is_obj(value))
            note_depth(r, value);
    }
}

/* CloudEvents 1.0: the members are under `data`; id, type and time are the envelope's, where it has
 * them, because they are the event's identity there. */
static void open_envelope(struct record *r)
{
    static const enum top envelope[] = {TOP_ID, TOP_TYPE, TOP_TIME, TOP_KAFKA};
    struct record inner = {.decoder = r->decoder};
    collect_top(&inner, r->top[TOP_DATA]);
    for (size_t i = 0; i < sizeof envelope / sizeof envelope[0]; i++)
        if (r->top[envelope[i]] && !yyjson_is_null(r->top[envelope[i]]))
            inner.top[envelope[i]] = r->top[envelope[i]];
    memcpy(r->top, inner.top, sizeof r->top);
}

static void collect(struct record *r, yyjson_val *root)
{
    collect_top(r, root);
    if (r->top[TOP_SPECVERSION] && yyjson_is_obj(r->top[TOP_DATA]))
        open_envelope(r);
}

/* A value of another type than the table's is absent. */
static void add_field(struct record *r, yyjson_val *v, enum event_field f,
                      struct event *out)
{
    struct value *value = &out->values[out->values_n];
    bool there = false;
    value->type = event_field_infos[f].type;
    if (value->type == VALUE_TEXT) {
        there = value_clean_text(r->arena, v, &value->text);
    } else if (value->type == VALUE_NUMBER) {
        there = value_number(v, &value->number);
    } else if (value->type == VALUE_FLAG) {
        there = yyjson_is_bool(v);
        value->flag = there && yyjson_get_bool(v);
    }
    if (there)
        event_add_next(out, f);
}

static void decode_object(struct record *r, size_t object, struct event *out)
{
    yyjson_val *members = r->top[TOP_OBJECTS + object], *key, *value;
    uint64_t seen = 0;
    size_t i, n;
    yyjson_obj_foreach(members, i, n, key, value)
    {
        int f = find(r, SCOPE_OBJECTS + object, key);
        note_depth(r, value);
        if (f < 0 || (seen >> f & 1))
            continue;
        seen |= UINT64_C(1) << f;
        add_field(r, value, (enum event_field)f, out);
    }
}

/* `id`, `type` or `time` as text. */
static int required(struct record *r, enum top top, struct str *out, struct err *e)
{
    yyjson_val *v = r->top[top];
    if (!v || yyjson_is_null(v))
        return err_set(e, ERR_INPUT, "%s is missing: every event needs id, type and time",
                       top_names[top]);
    if (!value_text(r->arena, v, out))
        return err_set(e, ERR_INPUT, "%s is neither text nor an integer: send it as text",
                       top_names[top]);
    return 0;
}

/* What is one of ours needs no check. Names of up to NAME_BYTES are compared whole where they are looked up. */
static int decode_type(struct record *r, struct event *out, struct err *e)
{
    struct str text;
    if (required(r, TOP_TYPE, &text, e))
        return -1;
    int type = names_find(&r->decoder->names, SCOPE_TYPES, text.p, text.n);
    bool ours = type >= 0 && (text.n <= NAME_BYTES ||
                              str_is(text, event_type_name((enum event_type)type)));
    out->type = ours ? (enum event_type)type : EVENT_OTHER;
    return ours ? 0 : event_check_text("type", text, e);
}

static int decode_head(struct record *r, struct event *out, struct err *e)
{
    struct str time;
    if (required(r, TOP_ID, &out->id, e) || event_check_text("id", out->id, e) ||
        decode_type(r, out, e) || required(r, TOP_TIME, &time, e))
        return -1;
    return event_check_time(time, &out->time_ms, e);
}

static bool integer_in(yyjson_val *v, int64_t max, int64_t *out)
{
    if (!yyjson_is_uint(v) || yyjson_get_uint(v) > (uint64_t)max)
        return false;
    *out = (int64_t)yyjson_get_uint(v);
    return true;
}

static const struct recorded_position nowhere = {
    .partition = -1, .offset = -1, .timestamp_ms = -1};

static void read_position(struct record *r, struct recorded_position *out)
{
    yyjson_val *members = r->top[TOP_KAFKA], *at[POSITIONS] = {0}, *key, *value;
    size_t i, n;
    int64_t partition;
    *out = nowhere;
    if (!yyjson_is_obj(members))
        return;
    yyjson_obj_foreach(members, i, n, key, value)
    {
        int p = find(r, SCOPE_POSITION, key);
        if (p >= 0 && !at[p])
            at[p] = value;
    }
    if (!yyjson_is_str(at[AT_TOPIC]) ||
        !integer_in(at[AT_PARTITION], INT32_MAX, &partition))
        return;
    out->present = true;
    (void)value_clean_text(r->arena, at[AT_TOPIC], &out->topic);
    out->partition = (int32_t)partition;
    (void)integer_in(at[AT_OFFSET], INT64_MAX - 1, &out->offset);
    (void)integer_in(at[AT_TIMESTAMP], INT64_MAX, &out->timestamp_ms);
}

int event_position(struct event_decoder *d, struct str json, struct arena *arena,
                   struct recorded_position *where, struct err *e)
{
    struct record r = {.decoder = d, .arena = arena};
    yyjson_val *root = read_root(&r, json, e);
    if (root)
        collect(&r, root);
    read_position(&r, where);
    return root ? 0 : -1;
}

static int too_deep_error(struct err *e)
{
    return err_set(e, ERR_INPUT,
                   "nested deeper than %d levels: flatten it in the producer",
                   (int)VALUE_DEPTH_MAX);
}

static size_t objects_there(const struct record *r)
{
    size_t there = 0;
    for (size_t i = 0; i < r->decoder->objects_n; i++)
        there |= (size_t)yyjson_is_obj(r->top[TOP_OBJECTS + i]) << i;
    return there;
}

static int decode_own(struct record *r, int64_t timestamp_ms, struct event *out,
                      struct err *e)
{
    if (decode_head(r, out, e) ||
        event_check_future(out->time_ms, timestamp_ms, r->decoder->max_future_ms, e))
        return -1;
    size_t there = objects_there(r);
    bool needed = r->decoder->needed[out->type][there];
    for (size_t i = 0; there; i++, there >>= 1)
        if (there & 1 && (needed || !value_is_flat(r->top[TOP_OBJECTS + i])))
            decode_object(r, i, out);
    return r->deep ? too_deep_error(e) : 0;
}

/* What no mapping claims is ours; where it is not, it may have been meant for one. */
static int decode_by_maps(struct record *r, yyjson_val *root, int64_t timestamp_ms,
                          struct event *out, struct err *e)
{
    struct map_message m = {root, r->arena, timestamp_ms};
    const struct event_map *map = event_map_of(r->decoder->maps, &m);
    struct err own = {0};
    if (!map && decode_own(r, timestamp_ms, out, &own) == 0)
        return 0;
    if (!map)
        return err_set(e, own.kind,
                       "no mapping of `fields` fits it, and as our own: %.400s",
                       own.text);
    if (value_too_deep(root))
        return too_deep_error(e);
    if (event_map_read(map, &m, out, e))
        return -1;
    return event_check_future(out->time_ms, timestamp_ms, r->decoder->max_future_ms, e);
}

int event_decode(struct event_decoder *d, const struct event_record *record,
                 struct arena *arena, struct event *out, struct recorded_position *where,
                 struct err *e)
{
    struct record r = {.decoder = d, .arena = arena};
    struct recorded_position unasked = nowhere;
    bool asked = where || record->timestamp_ms < 0;
    where = where ? where : &unasked;
    yyjson_val *root = read_root(&r, record->json, e);
    if (root)
        collect(&r, root);
    if (asked)
        read_position(&r, where);
    if (!root)
        return -1;
    *out = (struct event){
        .partition = where->partition, .offset = where->offset, .values = d->values};
    int64_t timestamp_ms =
        record->timestamp_ms >= 0 ? record->timestamp_ms : where->timestamp_ms;
    int failed = d->maps ? decode_by_maps(&r, root, timestamp_ms, out, e)
                         : decode_own(&r, timestamp_ms, out, e);
    if (!failed)
        event_keep(out, arena);
    return failed;
}
