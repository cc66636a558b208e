#include "tests/store_event.h"

#include "tests/check.h"

struct window_id store_event_window(const char *key)
{
    struct buf head;
    struct str value = str_of(key);
    buf_init(&head, 1000);
    window_head(&head, STR("rule"), &value, 1);
    struct window_id id = window_id_of(buf_str(&head));
    buf_deinit(&head);
    return id;
}

void store_event_apply(struct window_store *store, const struct store_event *event,
                       struct arena *arena, struct apply_reply *reply)
{
    struct err err = {0};
    struct buf head, records;
    buf_init(&head, 1000);
    buf_init(&records, 1000);
    struct str key = event->window.p ? event->window : STR("");
    window_head(&head, STR("rule"), &key, 1);
    buf_str16(&records, STR("r"));
    struct window_change change = {.id = window_id_of(buf_str(&head)),
                                   .head = buf_str(&head),
                                   .records = buf_str(&records),
                                   .records_n = 1,
                                   .first_ms = event->time_ms,
                                   .judge_at = event->judge_at ? event->judge_at : 1,
                                   .due_ms = event->due_ms,
                                   .lapses = event->lapses};
    struct apply a = {.partition = event->partition,
                      .start = event->offset,
                      .next = event->offset + 1,
                      .last_offset = -1,
                      .high_ms = event->time_ms,
                      .has_events = true,
                      .ids = &event->name,
                      .times_ms = &event->time_ms,
                      .events_n = 1,
                      .changes = &change,
                      .changes_n = event->window.p != NULL};
    CHECK_INT(store->ops->apply(store, &a, arena, reply, &err), 0);
    CHECK_INT(reply->outcome, APPLIED);
    buf_deinit(&head);
    buf_deinit(&records);
}
