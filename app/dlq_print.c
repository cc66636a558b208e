/* What stands in a dead letter came from outside: on a terminal no control character of it takes effect. */
#include "app/dlq_print.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

#include "core/alert.h"
#include "core/timefmt.h"

static void put(struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        putchar(char_printable(text.p[i]));
}

static void print_json(json_t *object)
{
    char *text = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
    if (text)
        puts(text);
    free(text);
    json_decref(object);
}

static json_t *text_json(struct str s)
{
    json_t *text = json_stringn(s.p ? s.p : "", s.n);
    return text ? text : json_stringn_nocheck("(not UTF-8)", 11);
}

static void print_delivery_json(const struct dlq_printer *d, const char *id,
                                const char *time, const struct dead_letter *l)
{
    json_error_t why;
    json_t *alert = json_loadb(l->alert.p, l->alert.n, 0, &why);
    print_json(json_pack("{s:s, s:s, s:s, s:o, s:I, s:o}", "id", id, "sink", d->sink,
                         "time", time, "reason", text_json(l->reason), "attempts",
                         (json_int_t)l->attempts, "alert",
                         alert ? alert : text_json(l->alert)));
}

static void print_delivery_text(struct dlq_printer *d, const char *id, const char *time,
                                const struct dead_letter *l)
{
    struct alert a;
    struct err e = {0};
    bool known = alert_parse(l->alert, &d->arena, &a, &e) == 0;
    printf("%s  %.19s  ", id, time);
    put(l->reason);
    printf(" (%" PRId64 " attempt%s)  ", l->attempts, l->attempts == 1 ? "" : "s");
    if (known) {
        put(a.rule);
        printf(" %s %s: ", alert_state_name(a.state), severity_name(a.severity));
        put(a.summary);
    }
    putchar('\n');
    if (d->whole) {
        put(l->alert);
        putchar('\n');
    }
    arena_reset(&d->arena);
}

bool dlq_print_delivery(void *arg, const struct dead_letter *l)
{
    struct dlq_printer *d = arg;
    char id[200], time[TIME_TEXT_BYTES];
    snprintf(id, sizeof id, "%s/%zu/%.*s", d->sink, d->shard, STR_ARG(l->id));
    time_text(l->dead_ms, time);
    if (d->format == RECORD_JSON)
        print_delivery_json(d, id, time, l);
    else
        print_delivery_text(d, id, time, l);
    d->printed++;
    return !ferror(stdout);
}

static void print_input_json(const struct dlq_printer *d, const char *id,
                             const char *time, const struct kafka_letter *l)
{
    json_t *o =
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:I, s:I, s:b}", "id", id, "sink", DLQ_INPUT,
                  "time", time, "reason", text_json(l->reason), "topic",
                  text_json(l->topic), "partition", (json_int_t)l->from_partition,
                  "offset", (json_int_t)l->from_offset, "cut", l->truncated);
    if (d->whole && o)
        json_object_set_new(o, "record", text_json(l->value));
    print_json(o);
}

static void print_input_text(const struct dlq_printer *d, const char *id,
                             const char *time, const struct kafka_letter *l)
{
    printf("%s  %.19s  ", id, time);
    put(l->reason);
    printf("  (");
    put(l->topic);
    printf("/%" PRId32 " offset %" PRId64 "%s)\n", l->from_partition, l->from_offset,
           l->truncated ? ", cut" : "");
    if (d->whole) {
        put(l->value);
        putchar('\n');
    }
}

bool dlq_print_input(void *arg, const struct kafka_letter *l)
{
    struct dlq_printer *d = arg;
    char id[64], time[TIME_TEXT_BYTES];
    snprintf(id, sizeof id, DLQ_INPUT "/%" PRId32 "/%" PRId64, l->partition, l->offset);
    time_text(l->timestamp_ms, time);
    if (d->format == RECORD_JSON)
        print_input_json(d, id, time, l);
    else
        print_input_text(d, id, time, l);
    d->printed++;
    return !ferror(stdout);
}
