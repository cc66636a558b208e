/* Events are printed partition by partition, as the source hands them out, with the members that they
 * have and no others. */
#include "app/check_events.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "app/load_config.h"
#include "app/verbs.h"
#include "consumer/source.h"
#include "core/timefmt.h"

static json_t *value_json(const struct value *v)
{
    if (v->type == VALUE_NUMBER)
        return json_real(v->number);
    if (v->type == VALUE_FLAG)
        return json_boolean(v->flag);
    return json_stringn(v->text.p, v->text.n);
}

/* Into "ticket", "user" and so on. */
static void add_field(json_t *event, const struct event_field_info *info,
                      const struct value *v)
{
    json_t *object = json_object_get(event, info->object);
    if (v->type == VALUE_ABSENT)
        return;
    if (!object) {
        object = json_object();
        json_object_set_new(event, info->object, object);
    }
    json_object_set_new(object, info->member, value_json(v));
}

static void print_event(const struct event *e)
{
    char time[TIME_TEXT_BYTES];
    time_text(e->time_ms, time);
    json_t *event = json_pack("{s:s%, s:s, s:s}", "id", e->id.p, e->id.n, "type",
                              event_type_name(e->type), "time", time);
    for (int f = 0; f < FIELD_COUNT; f++)
        add_field(event, &event_field_infos[f], event_value(e, (enum event_field)f));
    char *text = json_dumps(event, JSON_COMPACT);
    if (!text)
        abort();
    puts(text);
    free(text);
    json_decref(event);
}

static void print_batch(const struct batch *b)
{
    for (size_t i = 0; i < b->events_n; i++)
        print_event(&b->events[i]);
    for (size_t i = 0; i < b->rejects_n; i++)
        fprintf(stderr, "%.*s:%" PRId64 ": no event: %s\n", STR_ARG(b->rejects[i].file),
                b->rejects[i].offset, b->rejects[i].reason);
}

static int print_all(struct source *source, struct err *e)
{
    enum source_result got;
    int code = EXIT_FINE;
    struct batch batch;
    batch_init(&batch);
    while ((got = source->ops->next(source, &batch, 1000, e)) != SOURCE_END) {
        if (got == SOURCE_ERROR) {
            code = EXIT_RUNTIME;
            break;
        }
        print_batch(&batch);
        code = batch.rejects_n ? EXIT_FINDINGS : code;
        batch_reset(&batch);
    }
    batch_deinit(&batch);
    return code;
}

int check_events(const char *config_path, const char *log_path)
{
    struct config config;
    struct err e = {0};
    int code = EXIT_FINDINGS;
    struct source *source = NULL;
    struct event_maps maps;
    if (load_config(config_path, CONFIG_REPLAY, &config) == 0) {
        maps = config.maps;
        maps.needs_n = 0; /* whatever rules there are */
        source =
            replay_source_open(&log_path, 1, config.time.max_future_ms, &maps, 1, &e);
        code = source ? print_all(source, &e) : EXIT_RUNTIME;
    }
    if (code == EXIT_RUNTIME)
        fprintf(stderr, "ticketwatch: %s\n", e.text);
    if (source)
        source->ops->close(source);
    config_deinit(&config);
    return code;
}
