/* A window that is in memory whole: records one after the other, the state as the kind wrote it. */
#include "tests/kind_window.h"

#include "tests/check.h"

void kind_window_init(struct kind_window *w)
{
    arena_init(&w->arena);
    buf_init(&w->state, 1 << 20);
    buf_init(&w->kept, 1 << 24);
    w->records_n = 0;
}

void kind_window_begin(struct kind_window *w)
{
    w->records_n = 0;
    buf_clear(&w->state);
}

void kind_window_add(struct kind_window *w, const struct rule *rule,
                     const struct event *e)
{
    struct buf record;
    buf_init(&record, UINT16_MAX);
    CHECK(rule->kind->update(rule, e, &(struct update){.record = &record}));
    CHECK(w->records_n < KIND_WINDOW_RECORDS);
    w->records[w->records_n++] = arena_str(&w->arena, buf_str(&record));
    buf_deinit(&record);
}

static void keep(struct kind_window *w)
{
    struct reader r = {.in = arena_str(&w->arena, buf_str(&w->kept))};
    w->records_n = w->found.kept_n;
    for (size_t i = 0; i < w->records_n; i++)
        w->records[i] = reader_str16(&r);
    CHECK(!r.failed && r.in.n == 0);
}

void kind_window_judge(struct kind_window *w, const struct rule *rule,
                       const struct str *key, int64_t watermark_ms, int64_t judge_from_ms)
{
    struct judge_input in = {.rule = rule,
                             .key = key,
                             .state = arena_str(&w->arena, buf_str(&w->state)),
                             .records = w->records,
                             .records_n = w->records_n,
                             .watermark_ms = watermark_ms,
                             .settled_ms = watermark_ms,
                             .judge_from_ms = judge_from_ms,
                             .quiet_until_ms = ALWAYS_MS};
    buf_clear(&w->state);
    buf_clear(&w->kept);
    w->found = (struct judgement){
        .arena = &w->arena, .state = &w->state, .kept = &w->kept, .due_ms = NEVER_MS};
    rule->kind->judge(&in, &w->found);
    CHECK(w->found.due_ms > watermark_ms);
    keep(w);
}

void kind_window_deinit(struct kind_window *w)
{
    buf_deinit(&w->state);
    buf_deinit(&w->kept);
    arena_deinit(&w->arena);
}
