/* Nobody needs a text of a megabyte whole: a body that is too large is made anew with shorter ones. */
#include "sinks/alert_body.h"

#include <stdio.h>

#include "core/utf8.h"

enum { TEXT_MAX_BYTES = 1024, SHORTER = 4 };

struct str alert_step_id(const struct alert *a, struct arena *arena)
{
    char id[80];
    int n = snprintf(id, sizeof id, "%s_%s", a->id, alert_state_name(a->state));
    if (a->state == ALERT_ESCALATED)
        n += snprintf(id + n, sizeof id - (size_t)n, "_%s", severity_name(a->severity));
    if (a->state == ALERT_REMINDER)
        n += snprintf(id + n, sizeof id - (size_t)n, "_%lld", (long long)a->reminder);
    return arena_str(arena, (struct str){id, (size_t)n});
}

static void cut(struct str *texts, size_t n, size_t max_bytes)
{
    for (size_t i = 0; i < n; i++)
        texts[i] = utf8_cut(texts[i], max_bytes);
}

/* Makes an alert with huge texts small; nobody needs them whole. */
static void shrink(struct alert *a, size_t max_bytes)
{
    struct alert_sample *s = &a->sample;
    struct str *sample[] = {&s->page_url,   &s->action,        &s->error_type,
                            &s->error_code, &s->error_message, &s->subject,
                            &s->version,    &a->summary,       &a->rule};
    for (size_t i = 0; i < sizeof sample / sizeof sample[0]; i++)
        cut(sample[i], 1, max_bytes);
    cut(a->key_values, a->keys_n, max_bytes);
    for (size_t i = 0; i < a->accounts_listed; i++) {
        struct alert_account *account = &a->accounts[i];
        struct str *texts[] = {&account->id, &account->name, &account->tier,
                               &account->renewal, &account->owner};
        for (size_t j = 0; j < sizeof texts / sizeof texts[0]; j++)
            cut(texts[j], 1, max_bytes);
    }
    for (size_t i = 0; i < a->evidence_n; i++) {
        struct alert_evidence *e = &a->evidence[i];
        struct str *texts[] = {&e->event, &e->ticket, &e->user, &e->account};
        for (size_t j = 0; j < sizeof texts / sizeof texts[0]; j++)
            cut(texts[j], 1, max_bytes);
    }
}

static bool is_a_line(struct str json)
{
    return !memchr(json.p, '\n', json.n);
}

struct str alert_body(const struct sink_input *in, size_t max_bytes, struct arena *arena)
{
    struct buf line;
    struct str kept = in->alert_json;
    if (kept.n <= max_bytes && is_a_line(kept))
        return kept;
    buf_init(&line, ALERT_BODY_ANY);
    alert_json(in->alert, true, &line);
    for (size_t text_n = TEXT_MAX_BYTES; line.n > max_bytes && text_n;
         text_n /= SHORTER) {
        struct alert small = *in->alert;
        shrink(&small, text_n);
        buf_clear(&line);
        alert_json(&small, true, &line);
    }
    kept = arena_str(arena, buf_str(&line));
    buf_deinit(&line);
    return kept;
}
