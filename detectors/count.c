/* The kind `count`: at least N of the same within a window (DESIGN 2a, docs/rules.md).
 *
 * The definition is a small machine over the key's events in (time, id) order. settle() runs it over
 * events that the watermark has passed: what it finds is confirmed. look_ahead() goes on over those that
 * are not settled yet, and what it finds is announced, early: one more event could only raise counts
 * and move an opening earlier. It stops at a resolution, because an event still to come may bridge the gap. */
#include "detectors/count.h"
#include "core/timefmt.h"
#include "detectors/judgement.h"

/* One walk of the machine. */
struct walk {
    const struct judge_input *in;
    struct count_window *w;
    struct judgement *out;
    struct episode now;
    /* settled events: confirm, then announce what was not; else announce only */
    bool confirm;
    int64_t due_ms; /* the earliest watermark at which something found becomes final */
    int64_t
        rose_ms; /* when the episode reached its last step, where that is not settled */
};

static void earlier(int64_t *due_ms, int64_t ms)
{
    if (ms < *due_ms)
        *due_ms = ms;
}

static bool counts_people(const struct walk *k)
{
    return k->w->settings->distinct == DISTINCT_USER;
}

/* The alert of the member that made the transition. */
static void describe_rise(const struct walk *k, size_t at, struct alert *a)
{
    const struct count_window *w = k->w;
    size_t from = w->from[at], n = at + 1 - from;
    bool *take = arena_alloc(k->out->arena, w->n + 1);
    count_window_candidates(w, take);
    a->count = w->counts[at];
    a->users = members_users(w->members + from, n);
    a->last_seen_ms = w->members[at].time_ms;
    members_describe(w->members + from, take + from, n, a);
    count_window_trend(w, at, take, &a->trend);
}

/* "3 events within 1h: page /billing/invoices/:id, error ..." */
static void summarise(const struct walk *k, struct alert *a)
{
    char within[DURATION_TEXT_BYTES], last[TIME_TEXT_BYTES];
    const char *what = counts_people(k) ? "people" : a->count == 1 ? "event" : "events";
    struct buf key;
    buf_init(&key, 600);
    key_text(k->in, &key);
    struct str colon = key.n ? STR(": ") : STR("");
    duration_text(k->w->settings->within_ms, within);
    time_text(a->last_seen_ms, last);
    if (a->state == ALERT_RESOLVED)
        a->summary =
            judgement_text(k->out, "%.*s%.*squiet since %s after %s%lld %s",
                           STR_ARG(buf_str(&key)), STR_ARG(colon), last,
                           a->estimated ? "about " : "", (long long)a->count, what);
    else
        a->summary =
            judgement_text(k->out, "%lld %s within %s%.*s%.*s", (long long)a->count, what,
                           within, STR_ARG(colon), STR_ARG(buf_str(&key)));
    buf_deinit(&key);
}

/* While events older than the opening minus resolve_after are still on their way (a partition is far
 * behind the others), a whole episode could slip in before this one and take its name: it waits. */
static bool too_early(struct walk *k)
{
    int64_t known_ms = k->now.opened_ms - k->w->settings->resolve_after_ms;
    bool waits =
        k->w->state.said_level < 0 && !k->in->all_read && k->in->watermark_ms <= known_ms;
    bool quiet = k->in->watermark_ms < k->in->quiet_until_ms;
    if (k->confirm || (!waits && !quiet))
        return false;
    k->out->unproven = k->out->unproven || !quiet;
    earlier(&k->due_ms, quiet ? k->in->quiet_until_ms : known_ms + 1);
    return true;
}

/* Announces what was not said yet; the id was fixed when the episode was first announced. */
static void announce(struct walk *k, struct alert a)
{
    struct count_state *s = &k->w->state;
    int level = k->now.level;
    if (too_early(k) || (a.state != ALERT_RESOLVED && level <= s->said_level))
        return;
    if (s->said_level < 0) {
        if (a.state == ALERT_RESOLVED)
            return;
        s->said_cell = time_cell(k->now.opened_ms, k->w->settings->resolve_after_ms);
    }
    s->said_level = a.state == ALERT_RESOLVED ? -1 : level;
    alert_name(&a, s->said_cell);
    judgement_announce(k->out, &a);
}

static void tell(struct walk *k, struct alert *a)
{
    summarise(k, a);
    a->opened_ms = k->now.opened_ms;
    alert_name(a, time_cell(k->now.opened_ms, k->w->settings->resolve_after_ms));
    if (k->confirm)
        judgement_confirm(k->out, a);
    announce(k, *a);
}

static enum severity severity_of(const struct walk *k)
{
    return k->w->rule->steps[k->now.level].severity;
}

static int64_t resolves_ms(const struct walk *k)
{
    return k->now.last_ms + k->w->settings->resolve_after_ms;
}

static void resolve(struct walk *k)
{
    struct alert a = alert_begin(k->in, ALERT_RESOLVED, severity_of(k), resolves_ms(k));
    a.count = counts_people(k) ? people_count(&k->now.people) : k->now.total;
    a.estimated = people_estimated(&k->now.people);
    a.first_seen_ms = k->now.first_seen_ms;
    a.last_seen_ms = k->now.last_ms;
    tell(k, &a);
    k->now = (struct episode){.level = -1};
}

/* The members belong to the episode. Of events that are not settled people are not needed: they are told when
 * it resolves. */
static void total(struct walk *k, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        k->now.total += k->w->members[i].weight;
        if (k->confirm && counts_people(k))
            count_people_add(&k->now.people, &k->w->members[i], k->out->arena);
    }
}

/* Whether anybody hears of the step that the episode has reached: a step that was announced is looked at again by
 * every judgement until the watermark passes it. */
static bool is_news(struct walk *k)
{
    return k->confirm || (!too_early(k) && k->now.level > k->w->state.said_level);
}

/* The member raises the episode to `level`, or opens it. */
static void rise(struct walk *k, size_t at, int level)
{
    const struct member *m = &k->w->members[at];
    bool opens = !k->now.open;
    if (opens)
        k->now = (struct episode){.open = true, .opened_ms = m->time_ms};
    k->now.level = level;
    k->rose_ms = m->time_ms;
    earlier(&k->due_ms, m->time_ms + 1);
    if (!is_news(k))
        return;
    struct alert a = alert_begin(k->in, opens ? ALERT_FIRING : ALERT_ESCALATED,
                                 severity_of(k), m->time_ms);
    describe_rise(k, at, &a);
    if (opens) {
        k->now.first_seen_ms = a.first_seen_ms;
        total(k, k->w->from[at], at);
    }
    tell(k, &a);
}

/* One event of the machine. */
static void step(struct walk *k, size_t at)
{
    const struct member *m = &k->w->members[at];
    int level = count_level(k->w->rule, k->w->counts[at]);
    if (level >= 0 && level > k->now.level)
        rise(k, at, level);
    k->now.last_ms = m->time_ms;
    if (k->now.open)
        total(k, at, at + 1);
}

static bool silence_before(const struct walk *k, size_t at)
{
    return k->now.open && k->w->members[at].time_ms >= resolves_ms(k);
}

/* Folds what the watermark has passed. Returns the first member that is not settled. */
static size_t settle(struct walk *k)
{
    size_t at = k->w->settled_n;
    k->confirm = true;
    for (; at < k->w->n && k->w->members[at].time_ms < k->in->settled_ms; at++) {
        if (silence_before(k, at))
            resolve(k);
        step(k, at);
    }
    if (k->now.open && resolves_ms(k) <= k->in->watermark_ms)
        resolve(k);
    if (!k->now.open)
        k->now = (struct episode){.level = -1};
    k->w->state.settled = k->now;
    if (k->in->settled_ms > k->w->state.settled_ms)
        k->w->state.settled_ms = k->in->settled_ms;
    return at;
}

static void look_ahead(struct walk *k, size_t at)
{
    k->confirm = false;
    k->due_ms = NEVER_MS;
    for (; at < k->w->n && !silence_before(k, at); at++)
        step(k, at);
    if (k->now.open)
        earlier(&k->due_ms, resolves_ms(k));
}

/* The most that any window holds which ends where events may still come. */
static int64_t most_counted(const struct count_window *w)
{
    int64_t most = 0;
    for (size_t i = w->n; i-- > 0;) {
        most = w->counts[i] > most ? w->counts[i] : most;
        if (w->members[i].time_ms < w->state.settled_ms)
            break;
    }
    return most;
}

/* Each event to come raises no count by more than one; one of before the last step may move that step. While it is too early
 * to tell a step it is told when that is over. */
static void say_calm(const struct walk *k)
{
    size_t next = (size_t)(k->now.level + 1);
    k->out->calm_from_ms = k->rose_ms == ALWAYS_MS ? ALWAYS_MS : k->rose_ms + 1;
    k->out->calm_n = UINT32_MAX;
    if (next == k->w->rule->steps_n || k->now.level > k->w->state.said_level)
        return;
    int64_t more = k->w->rule->steps[next].at_least - most_counted(k->w);
    k->out->calm_n = (uint32_t)k->w->n + (uint32_t)(more > 1 ? more : 1);
}

static void count_judge(const struct judge_input *in, struct judgement *out)
{
    struct count_window w;
    count_window_load(&w, in, out->arena);
    struct walk k = {.in = in,
                     .w = &w,
                     .out = out,
                     .now = w.state.settled,
                     .due_ms = NEVER_MS,
                     .rose_ms = ALWAYS_MS};
    look_ahead(&k, settle(&k));
    count_window_prune(&w, in->watermark_ms);
    out->due_ms = k.due_ms;
    say_calm(&k);
    if (!k.now.open)
        earlier(&out->due_ms, count_window_gone_ms(&w));
    /* must not count again */
    bool folded = w.n && w.members[0].time_ms < w.state.settled_ms;
    if (w.state.settled.open || w.state.said_level >= 0 || folded)
        count_state_pack(&w.state, out->state);
    for (size_t i = 0; i < w.n; i++)
        judgement_keep(out, &w.members[i]);
}

static bool count_update(const struct rule *rule, const struct event *event,
                         struct update *out)
{
    const struct count_settings *s = rule->settings;
    member_pack_event(event, out->member, out->record);
    out->judge_at = (uint32_t)s->at_least;
    out->due_ms = event->time_ms + s->within_ms;
    out->lapses = s->at_least > 1 && s->distinct == DISTINCT_NONE;
    return true;
}

/* What a window keeps below the top step is bounded by it. */
enum { STEP_MAX = 10000, STEP_MAX_DISTINCT = 1000 };

static int check_top(const struct rule *rule, struct err *e)
{
    const struct count_settings *s = rule->settings;
    int64_t top = rule->steps[rule->steps_n - 1].at_least;
    int64_t most = s->distinct == DISTINCT_USER ? STEP_MAX_DISTINCT : STEP_MAX;
    return top <= most
               ? 0
               : err_set(e, ERR_INPUT,
                         "a step at %lld is too high: at most %lld %s are kept below the "
                         "highest step",
                         (long long)top, (long long)most,
                         s->distinct == DISTINCT_USER ? "people" : "events");
}

/* `severity` may name steps above at_least only; below the first one it is low. */
static int merge_steps(struct rule *rule, int64_t at_least, struct err *e)
{
    if (rule->steps_n == 0)
        rule->steps[rule->steps_n++] = (struct severity_step){at_least, SEVERITY_LOW};
    if (rule->steps[0].at_least == 0)
        rule->steps[0].at_least = at_least; /* one word */
    if (rule->steps[0].at_least < at_least)
        return err_set(e, ERR_INPUT,
                       "severity %s at %lld is never reached below at_least: %lld",
                       severity_name(rule->steps[0].severity),
                       (long long)rule->steps[0].at_least, (long long)at_least);
    if (rule->steps[0].at_least == at_least)
        return 0;
    if (rule->steps[0].severity == SEVERITY_LOW) {
        rule->steps[0].at_least = at_least; /* low from the start */
        return 0;
    }
    memmove(rule->steps + 1, rule->steps, rule->steps_n * sizeof *rule->steps);
    rule->steps[0] = (struct severity_step){at_least, SEVERITY_LOW};
    rule->steps_n++;
    return 0;
}

static int count_check(struct rule *rule, struct err *e)
{
    struct count_settings *s = rule->settings;
    char wanted[DURATION_TEXT_BYTES], least[DURATION_TEXT_BYTES];
    if (s->resolve_after_ms == 0)
        s->resolve_after_ms =
            s->within_ms > rule->lateness_ms ? s->within_ms : rule->lateness_ms;
    int64_t floor_ms =
        s->within_ms > rule->lateness_ms ? s->within_ms : rule->lateness_ms;
    if (s->resolve_after_ms < floor_ms) {
        duration_text(s->resolve_after_ms, wanted);
        duration_text(floor_ms, least);
        return err_set(
            e, ERR_INPUT,
            "resolve_after: %s is too short: it must be at least %s, the longer of "
            "`within` and time.lateness",
            wanted, least);
    }
    if (merge_steps(rule, s->at_least, e) || check_top(rule, e))
        return -1;
    rule->lookback_ms = count_lookback_ms(s);
    int64_t layout[] = {s->within_ms,
                        s->resolve_after_ms,
                        s->distinct,
                        (int64_t)rule->steps_n,
                        0,
                        0,
                        0,
                        0};
    for (size_t i = 0; i < rule->steps_n; i++)
        layout[4 + i] = rule->steps[i].at_least;
    rule->layout = rule_layout("count", layout, sizeof layout / sizeof layout[0]);
    return 0;
}

static const char *const distinct_words[] = {"none", "user", NULL};

#define AT(member) offsetof(struct count_settings, member)
static const struct option_row count_options[] = {
    {.name = "at_least",
     .type = OPTION_INT,
     .offset = AT(at_least),
     .required = true,
     .min = 1,
     .max = 10000,
     .help = "How many make it fire."},
    {.name = "within",
     .type = OPTION_DURATION,
     .offset = AT(within_ms),
     .required = true,
     .min = 1000,
     .max = 366.0 * 86400000,
     .help = "Length of the window, which is half-open: (t - within, t]."},
    {.name = "distinct",
     .type = OPTION_WORD,
     .offset = AT(distinct),
     .fallback = "none",
     .words = distinct_words,
     .help = "`user` counts people instead of events."},
    {.name = "resolve_after",
     .type = OPTION_DURATION,
     .offset = AT(resolve_after_ms),
     .min = 0,
     .max = 366.0 * 86400000,
     .help = "Silence that ends an episode; at least `within` and time.lateness, which "
             "is the default."},
};

const struct detector count_detector = {
    .name = "count",
    .help = "At least so many of the same within a window.",
    .options = count_options,
    .options_n = sizeof count_options / sizeof count_options[0],
    .settings_bytes = sizeof(struct count_settings),
    .check = count_check,
    .update = count_update,
    .judge = count_judge,
};
