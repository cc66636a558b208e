/* Reads back a line that alert_json wrote. Members that it does not know are ignored, so
 * that an older program reads a newer one's lines; a known member of a wrong type, a
 * missing necessary one or more of something than an alert holds is refused. All texts
 * are copied into the arena. */
#include <math.h>
#include <yyjson.h>

#include "core/alert.h"
#include "core/calendar.h"

enum { DEPTH_MAX = 64, MEMBERS_MAX = 1000 };

struct parse {
    struct arena *arena;
    struct err *e;
};

/* NULL when it is absent or not of that type; the latter is an error. */
static yyjson_val *member(struct parse *p, yyjson_val *object, const char *name,
                          yyjson_type type)
{
    yyjson_val *v = yyjson_obj_get(object, name);
    if (v && yyjson_get_type(v) != type) {
        (void)err_set(p->e, ERR_INPUT, "alert: \"%s\" has the wrong type", name);
        return NULL;
    }
    return v;
}

static struct str value_text(struct parse *p, yyjson_val *v)
{
    struct str s = {yyjson_get_str(v), yyjson_get_len(v)};
    return v ? arena_str(p->arena, s) : STR_NONE;
}

static struct str get_text(struct parse *p, yyjson_val *object, const char *name)
{
    return value_text(p, member(p, object, name, YYJSON_TYPE_STR));
}

static struct str need_text(struct parse *p, yyjson_val *object, const char *name)
{
    struct str s = get_text(p, object, name);
    if (!s.n)
        (void)err_set(p->e, ERR_INPUT, "alert: no \"%s\"", name);
    return s;
}

static int64_t get_int(struct parse *p, yyjson_val *object, const char *name,
                       int64_t fallback)
{
    yyjson_val *v = yyjson_obj_get(object, name);
    bool fits =
        yyjson_is_sint(v) || (yyjson_is_uint(v) && yyjson_get_uint(v) <= INT64_MAX);
    if (v && !fits)
        (void)err_set(p->e, ERR_INPUT, "alert: \"%s\" has the wrong type", name);
    return fits ? yyjson_get_sint(v) : fallback;
}

static double get_number(struct parse *p, yyjson_val *object, const char *name)
{
    yyjson_val *v = yyjson_obj_get(object, name);
    if (v && !yyjson_is_num(v))
        (void)err_set(p->e, ERR_INPUT, "alert: \"%s\" is no number", name);
    return yyjson_get_num(v);
}

static int64_t need_time(struct parse *p, yyjson_val *object, const char *name)
{
    int64_t ms = 0;
    if (!time_parse(need_text(p, object, name), &ms))
        (void)err_set(p->e, ERR_INPUT, "alert: \"%s\" is no time", name);
    return ms;
}

static void read_id(struct parse *p, yyjson_val *line, struct alert *out)
{
    struct str id = need_text(p, line, "id");
    bool good = id.n == sizeof out->id - 1;
    for (size_t i = 0; good && i < id.n; i++)
        good = id.p[i] && strchr("0123456789abcdef", id.p[i]);
    if (good)
        memcpy(out->id, id.p, id.n);
    else
        (void)err_set(p->e, ERR_INPUT, "alert: the id is not 32 hex digits");
}

static void read_state(struct parse *p, yyjson_val *line, struct alert *out)
{
    struct str name = need_text(p, line, "state");
    int s = 0;
    while (s < ALERT_STATES && !str_is(name, alert_state_name((enum alert_state)s)))
        s++;
    if (s == ALERT_STATES)
        (void)err_set(p->e, ERR_INPUT, "alert: unknown state");
    else
        out->state = (enum alert_state)s;
    if (!severity_named(need_text(p, line, "severity"), &out->severity))
        (void)err_set(p->e, ERR_INPUT, "alert: unknown severity");
}

static void read_key(struct parse *p, yyjson_val *line, struct alert *out)
{
    yyjson_val *key = member(p, line, "key", YYJSON_TYPE_OBJ);
    yyjson_obj_iter at = yyjson_obj_iter_with(key);
    for (yyjson_val *name; (name = yyjson_obj_iter_next(&at));) {
        yyjson_val *value = yyjson_obj_iter_get_val(name);
        if (out->keys_n == ALERT_KEYS_MAX || !yyjson_is_str(value)) {
            (void)err_set(p->e, ERR_INPUT, "alert: bad \"key\"");
            return;
        }
        out->key_names[out->keys_n] = value_text(p, name);
        out->key_values[out->keys_n++] = value_text(p, value);
    }
}

/* How many elements the array has; 0 and an error when they are not at most max objects.
 */
static size_t elements(struct parse *p, yyjson_val *line, const char *name, size_t max)
{
    yyjson_val *list = member(p, line, name, YYJSON_TYPE_ARR);
    size_t n = yyjson_arr_size(list);
    bool good = n <= max;
    for (size_t i = 0; good && i < n; i++)
        good = yyjson_is_obj(yyjson_arr_get(list, i));
    if (!good)
        (void)err_set(p->e, ERR_INPUT, "alert: bad \"%s\"", name);
    return good ? n : 0;
}

static void read_accounts(struct parse *p, yyjson_val *line, struct alert *out)
{
    out->accounts_listed = elements(p, line, "accounts", ALERT_ACCOUNTS_MAX);
    for (size_t i = 0; i < out->accounts_listed; i++) {
        yyjson_val *o = yyjson_arr_get(yyjson_obj_get(line, "accounts"), i);
        out->accounts[i] = (struct alert_account){
            .id = get_text(p, o, "id"),
            .name = get_text(p, o, "name"),
            .tier = get_text(p, o, "tier"),
            .renewal = get_text(p, o, "renewal"),
            .owner = get_text(p, o, "owner"),
            .mrr = get_number(p, o, "mrr"),
        };
    }
    out->accounts_n = get_int(p, line, "accounts_total", (int64_t)out->accounts_listed);
}

static void read_trend(struct parse *p, yyjson_val *line, struct alert_trend *out)
{
    yyjson_val *trend = member(p, line, "trend", YYJSON_TYPE_OBJ);
    yyjson_val *list = member(p, trend, "values", YYJSON_TYPE_ARR);
    if (!trend)
        return;
    out->n = yyjson_arr_size(list);
    bool good = out->n > 0 && out->n <= ALERT_TREND_MAX &&
                calendar_parse(get_text(p, trend, "step"), &out->step_ms);
    for (size_t i = 0; good && i < out->n; i++) {
        yyjson_val *v = yyjson_arr_get(list, i);
        good = yyjson_is_num(v) || yyjson_is_null(v);
        out->values[i] = yyjson_is_null(v) ? (double)NAN : yyjson_get_num(v);
    }
    if (!good)
        (void)err_set(p->e, ERR_INPUT, "alert: bad \"trend\"");
}

static void read_evidence(struct parse *p, yyjson_val *line, struct alert *out)
{
    out->evidence_n = elements(p, line, "evidence", ALERT_EVIDENCE_MAX);
    for (size_t i = 0; i < out->evidence_n; i++) {
        yyjson_val *o = yyjson_arr_get(yyjson_obj_get(line, "evidence"), i);
        out->evidence[i] = (struct alert_evidence){
            .event = get_text(p, o, "event"),
            .ticket = get_text(p, o, "ticket"),
            .user = get_text(p, o, "user"),
            .account = get_text(p, o, "account"),
            .time_ms = need_time(p, o, "time"),
            .partition = (int32_t)get_int(p, o, "partition", -1),
            .offset = get_int(p, o, "offset", 0),
        };
    }
}

static void read_sample(struct parse *p, yyjson_val *line, struct alert *out)
{
    yyjson_val *o = member(p, line, "sample", YYJSON_TYPE_OBJ);
    if (!o)
        return;
    out->sample = (struct alert_sample){
        .page_url = get_text(p, o, "page_url"),
        .action = get_text(p, o, "action"),
        .error_type = get_text(p, o, "error_type"),
        .error_code = get_text(p, o, "error_code"),
        .error_message = get_text(p, o, "error_message"),
        .subject = get_text(p, o, "subject"),
        .version = get_text(p, o, "version"),
    };
}

static void read_anomaly(struct parse *p, yyjson_val *line, struct alert *out)
{
    struct str direction = get_text(p, line, "direction");
    if (!direction.n)
        return;
    out->anomaly = (struct alert_anomaly){
        .present = true,
        .value = get_number(p, line, "value"),
        .mean = get_number(p, line, "mean"),
        .stddev = get_number(p, line, "stddev"),
        .z = get_number(p, line, "z"),
        .up = str_is(direction, "up"),
        .novelty = yyjson_obj_get(line, "score") != NULL,
        .lowest = get_number(p, line, "lowest"),
        .highest = get_number(p, line, "highest"),
        .score = get_number(p, line, "score"),
    };
    if (!out->anomaly.up && !str_is(direction, "down"))
        (void)err_set(p->e, ERR_INPUT, "alert: unknown direction");
    if (!calendar_parse(need_text(p, line, "bucket"), &out->anomaly.bucket_ms))
        (void)err_set(p->e, ERR_INPUT, "alert: \"bucket\" is none");
}

/* What only a ratio has. */
static void read_share(struct parse *p, yyjson_val *line, struct alert *out)
{
    struct str against = get_text(p, line, "against");
    if (!against.n || !out->anomaly.present)
        return;
    out->anomaly.share = true;
    out->anomaly.matched = get_int(p, line, "matched", 0);
    out->anomaly.limit = str_is(against, "limit");
    out->anomaly.overall = str_is(against, "overall");
    if (!out->anomaly.limit && !out->anomaly.overall && !str_is(against, "history"))
        (void)err_set(p->e, ERR_INPUT, "alert: unknown \"against\"");
}

/* What only an account's health has. */
static void read_health(struct parse *p, yyjson_val *line, struct alert *out)
{
    if (!yyjson_obj_get(line, "components")) /* novelty has a score, too */
        return;
    out->health.present = true;
    out->health.score = get_number(p, line, "score");
    out->health.weight = get_number(p, line, "weight");
    out->health.components_n = elements(p, line, "components", ALERT_COMPONENTS_MAX);
    for (size_t i = 0; i < out->health.components_n; i++) {
        yyjson_val *o = yyjson_arr_get(yyjson_obj_get(line, "components"), i);
        out->health.components[i] =
            (struct alert_component){.name = get_text(p, o, "name"),
                                     .reason = get_text(p, o, "reason"),
                                     .points = get_number(p, o, "points")};
    }
}

static void read_contributors(struct parse *p, yyjson_val *line, struct alert *out)
{
    out->contributors_n = elements(p, line, "contributors", ALERT_CONTRIBUTORS_MAX);
    for (size_t i = 0; i < out->contributors_n; i++) {
        yyjson_val *o = yyjson_arr_get(yyjson_obj_get(line, "contributors"), i);
        out->contributors[i] = (struct alert_contributor){
            .field = need_text(p, o, "field"),
            .value = need_text(p, o, "value"),
            .share = get_number(p, o, "share"),
            .usual = yyjson_obj_get(o, "usual") ? get_number(p, o, "usual") : (double)NAN,
        };
    }
}

static void read_releases(struct parse *p, yyjson_val *line, struct alert *out)
{
    out->releases_n = elements(p, line, "releases", ALERT_RELEASES_MAX);
    for (size_t i = 0; i < out->releases_n; i++) {
        yyjson_val *o = yyjson_arr_get(yyjson_obj_get(line, "releases"), i);
        out->releases[i] = (struct alert_release){.version = need_text(p, o, "version"),
                                                  .service = get_text(p, o, "service"),
                                                  .url = get_text(p, o, "url"),
                                                  .time_ms = need_time(p, o, "time")};
    }
}

static void read_known_issue(struct parse *p, yyjson_val *line, struct alert *out)
{
    yyjson_val *o = member(p, line, "known_issue", YYJSON_TYPE_OBJ);
    if (!o)
        return;
    out->known_issue = (struct alert_known_issue){
        .id = need_text(p, o, "id"),
        .title = get_text(p, o, "title"),
        .workaround = get_text(p, o, "workaround"),
        .url = get_text(p, o, "url"),
        .muted = yyjson_is_true(yyjson_obj_get(o, "muted")),
        .fixed = str_is(need_text(p, o, "status"), "fixed"),
        .regression = yyjson_is_true(yyjson_obj_get(o, "regression")),
    };
    if (out->known_issue.fixed)
        out->known_issue.fixed_ms = need_time(p, o, "fixed");
}

static void read_silenced(struct parse *p, yyjson_val *line, struct alert *out)
{
    yyjson_val *o = member(p, line, "silenced_by", YYJSON_TYPE_OBJ);
    if (o)
        out->silenced =
            (struct alert_silenced){need_text(p, o, "maintenance"),
                                    get_text(p, o, "author"), get_text(p, o, "reason")};
}

static void read_hidden(struct parse *p, yyjson_val *line, struct alert *out)
{
    yyjson_val *by = member(p, line, "hidden_by", YYJSON_TYPE_OBJ);
    if (by)
        out->hidden_by = (struct alert_hider){
            need_text(p, by, "inhibit"), get_text(p, by, "rule"), get_text(p, by, "id")};
    out->hidden_listed = elements(p, line, "hides", ALERT_HIDDEN_MAX);
    for (size_t i = 0; i < out->hidden_listed; i++) {
        yyjson_val *o = yyjson_arr_get(yyjson_obj_get(line, "hides"), i);
        out->hidden[i] = (struct alert_hidden){
            get_text(p, o, "rule"), get_text(p, o, "id"), get_text(p, o, "about")};
    }
    out->hidden_n = get_int(p, line, "hides_total", (int64_t)out->hidden_listed);
}

static void read_line(struct parse *p, yyjson_val *line, struct alert *out)
{
    read_id(p, line, out);
    out->rule = need_text(p, line, "rule");
    out->kind = need_text(p, line, "kind");
    read_state(p, line, out);
    out->time_ms = need_time(p, line, "time");
    out->reminder = get_int(p, line, "reminder", 0);
    if (out->reminder)
        out->opened_ms = need_time(p, line, "opened");
    read_key(p, line, out);
    out->summary = get_text(p, line, "summary");
    out->count = get_int(p, line, "count", 0);
    out->estimated = yyjson_is_true(yyjson_obj_get(line, "count_estimated"));
    out->users = get_int(p, line, "users", ALERT_NOT_COUNTED);
    read_accounts(p, line, out);
    out->first_seen_ms = need_time(p, line, "first_seen");
    out->last_seen_ms = need_time(p, line, "last_seen");
    read_trend(p, line, &out->trend);
    read_evidence(p, line, out);
    read_sample(p, line, out);
    read_anomaly(p, line, out);
    read_share(p, line, out);
    read_contributors(p, line, out);
    read_health(p, line, out);
    read_releases(p, line, out);
    read_known_issue(p, line, out);
    read_silenced(p, line, out);
    read_hidden(p, line, out);
}

/* A member that is there twice, somewhere, or more depth or members than any alert has. */
static bool is_ambiguous(yyjson_val *v, int depth)
{
    yyjson_val *name, *value;
    bool is = depth > DEPTH_MAX || yyjson_obj_size(v) > MEMBERS_MAX;
    yyjson_arr_iter elements_of = yyjson_arr_iter_with(v);
    while (!is && (value = yyjson_arr_iter_next(&elements_of)))
        is = is_ambiguous(value, depth + 1);
    yyjson_obj_iter members_of = yyjson_obj_iter_with(v);
    while (!is && (name = yyjson_obj_iter_next(&members_of))) {
        value = yyjson_obj_iter_get_val(name);
        is = yyjson_obj_getn(v, yyjson_get_str(name), yyjson_get_len(name)) != value ||
             is_ambiguous(value, depth + 1);
    }
    return is;
}

int alert_parse(struct str json, struct arena *arena, struct alert *out, struct err *e)
{
    struct err own = {0};
    yyjson_read_err fault = {0};
    /* the texts are not written to without YYJSON_READ_INSITU */
    yyjson_doc *doc = yyjson_read_opts((char *)(uintptr_t)(json.n ? json.p : ""), json.n,
                                       0, NULL, &fault);
    yyjson_val *line = yyjson_doc_get_root(doc);
    *out = (struct alert){0};
    if (!doc)
        return err_set(e, ERR_INPUT, "alert: not JSON: %s", fault.msg);
    if (!yyjson_is_obj(line))
        (void)err_set(&own, ERR_INPUT, "alert: not a JSON object");
    else if (is_ambiguous(line, 0))
        (void)err_set(&own, ERR_INPUT,
                      "alert: a member is there twice, or nested too deep");
    else
        read_line(&(struct parse){arena, &own}, line, out);
    yyjson_doc_free(doc);
    return own.kind ? err_set(e, own.kind, "%s", own.text) : 0;
}
