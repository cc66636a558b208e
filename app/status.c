/* libmicrohttpd does the HTTP in one thread of its own. Every answer ends its connection, a connection that is
 * silent is closed after some seconds, and the number of connections is bounded (status_visitors.h). The
 * socket is made here, not there, so that what is wrong with the address can be said. */
#include "app/status.h"

#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/process_metrics.h"
#include "app/status_ready.h"
#include "app/status_visitors.h"
#include "config/listen_address.h"
#include "core/clock.h"
#include "core/log.h"
#include "core/metric_families.h"

enum {
    SILENCE_S = 5,                  /* a connection may be so long without a byte */
    REQUEST_BYTES = 16 * 1024,      /* memory of a connection: its request's head */
    ANSWER_BYTES = 8 * 1024 * 1024, /* 1,000 partitions make half a megabyte */
};

struct status {
    struct MHD_Daemon *daemon; /* NULL: no server */
    _Atomic int64_t stalled_after_ms;
    const struct sink_config *sinks;
    size_t sinks_n;
    _Atomic int64_t ticked_ms;
    atomic_bool draining;
    struct visitors visitors; /* of the server's thread */
    struct metric *ready, *tick_age;
    pthread_mutex_t lock; /* for what follows */
    bool told, redis_answers, group_joined, rules_replaced;
    char waiting[sizeof((struct err *)0)->text]; /* why nothing is done yet */
    char refused[sizeof((struct err *)0)->text]; /* why the file is not in force */
    bool *sinks_full;                            /* by sink */
};

/* --- what the loop tells --- */

void status_tick(struct status *s)
{
    atomic_store_explicit(&s->ticked_ms, clock_monotonic_ms(), memory_order_relaxed);
}

void status_tell(struct status *s, const struct status_facts *facts)
{
    pthread_mutex_lock(&s->lock);
    s->told = true;
    s->waiting[0] = '\0';
    s->redis_answers = facts->redis_answers;
    s->group_joined = facts->group_joined;
    s->rules_replaced = facts->rules_replaced;
    for (size_t i = 0; i < s->sinks_n; i++)
        s->sinks_full[i] = facts->sinks_full && facts->sinks_full[i];
    pthread_mutex_unlock(&s->lock);
}

void status_config(struct status *s, const char *why)
{
    pthread_mutex_lock(&s->lock);
    snprintf(s->refused, sizeof s->refused, "%s", why);
    pthread_mutex_unlock(&s->lock);
}

void status_use(struct status *s, const struct config *config)
{
    bool *full = calloc(config->sinks_n + 1, sizeof *full);
    assert(full);
    pthread_mutex_lock(&s->lock);
    free(s->sinks_full);
    s->sinks_full = full;
    s->sinks = config->sinks;
    s->sinks_n = config->sinks_n;
    pthread_mutex_unlock(&s->lock);
    atomic_store(&s->stalled_after_ms, config->status.stalled_after_ms);
}

void status_wait(struct status *s, const char *reason)
{
    pthread_mutex_lock(&s->lock);
    snprintf(s->waiting, sizeof s->waiting, "%s", reason);
    pthread_mutex_unlock(&s->lock);
}

void status_drain(struct status *s)
{
    atomic_store(&s->draining, true);
}

/* --- the pages --- */

struct page {
    unsigned code;
    const char *type;
    struct buf body;
};

static int64_t tick_age_ms(struct status *s)
{
    return clock_monotonic_ms() -
           atomic_load_explicit(&s->ticked_ms, memory_order_relaxed);
}

static void healthz(struct status *s, struct page *out)
{
    int64_t age_ms = tick_age_ms(s), most_ms = atomic_load(&s->stalled_after_ms);
    if (age_ms < most_ms || atomic_load(&s->draining)) {
        buf_text(&out->body, "ok\n");
        return;
    }
    out->code = MHD_HTTP_SERVICE_UNAVAILABLE;
    buf_printf(&out->body,
               "the loop came round %lld s ago; status.stalled_after is %lld s\n",
               (long long)age_ms / 1000, (long long)most_ms / 1000);
}

/* Whether it is ready, by what is known now; the reasons as well, where `out` is given. */
static bool ready_now(struct status *s, struct buf *out)
{
    pthread_mutex_lock(&s->lock);
    struct ready_view v = {.told = s->told,
                           .draining = atomic_load(&s->draining),
                           .ticks = tick_age_ms(s) < atomic_load(&s->stalled_after_ms),
                           .waiting = s->waiting,
                           .refused = s->refused,
                           .redis_answers = s->redis_answers,
                           .group_joined = s->group_joined,
                           .rules_replaced = s->rules_replaced,
                           .sinks_full = s->sinks_full,
                           .sinks = s->sinks,
                           .sinks_n = s->sinks_n};
    bool ready = status_ready(&v);
    if (out)
        status_ready_write(&v, out);
    pthread_mutex_unlock(&s->lock);
    return ready;
}

static void readyz(struct status *s, struct page *out)
{
    out->type = "application/json";
    if (!ready_now(s, &out->body))
        out->code = MHD_HTTP_SERVICE_UNAVAILABLE;
}

static void metrics(struct status *s, struct page *out)
{
    process_metrics_update();
    metric_set(s->tick_age, tick_age_ms(s));
    metric_set(s->ready, ready_now(s, NULL));
    out->type = METRICS_CONTENT_TYPE;
    metrics_write(metric_families, &out->body);
    if (!out->body.overflowed)
        return;
    buf_clear(&out->body);
    out->type = "text/plain; charset=utf-8";
    out->code = MHD_HTTP_INTERNAL_SERVER_ERROR;
    buf_text(&out->body, "the figures do not fit into the answer\n");
}

static const struct {
    const char *path;
    void (*make)(struct status *s, struct page *out);
} pages[] = {{"/healthz", healthz}, {"/readyz", readyz}, {"/metrics", metrics}};
enum { PAGES = sizeof pages / sizeof pages[0] };

static void make_page(struct status *s, const char *method, const char *path,
                      struct page *out)
{
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
        strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
        out->code = MHD_HTTP_METHOD_NOT_ALLOWED;
        buf_text(&out->body, "only GET and HEAD\n");
        return;
    }
    for (int i = 0; i < PAGES; i++) {
        if (strcmp(path, pages[i].path) == 0) {
            pages[i].make(s, out);
            return;
        }
    }
    out->code = MHD_HTTP_NOT_FOUND;
    buf_text(&out->body, "there are /healthz, /readyz and /metrics\n");
}

/* --- the server --- */

/* libmicrohttpd leaves out the body where the method is HEAD. */
static enum MHD_Result send_page(struct MHD_Connection *connection, struct page *page)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(page->body.n, page->body.p,
                                                             MHD_RESPMEM_MUST_COPY);
    if (!r)
        return MHD_NO;
    MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, page->type);
    MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
    if (page->code == MHD_HTTP_METHOD_NOT_ALLOWED)
        MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(connection, page->code, r);
    MHD_destroy_response(r);
    return result;
}

/* Called when a request's head is there. A body is not waited for: nothing here takes one. So many parameters
 * are libmicrohttpd's. */
static enum MHD_Result answer(void *arg, struct MHD_Connection *connection,
                              const char *path, const char *method, const char *version,
                              const char *body, size_t *body_n, void **request)
{
    struct page page = {.code = MHD_HTTP_OK, .type = "text/plain; charset=utf-8"};
    (void)version;
    (void)body;
    (void)body_n;
    (void)request;
    buf_init(&page.body, ANSWER_BYTES);
    make_page(arg, method, path, &page);
    enum MHD_Result result = send_page(connection, &page);
    buf_deinit(&page.body);
    return result;
}

static void on_connection(void *arg, struct MHD_Connection *connection, void **mark,
                          enum MHD_ConnectionNotificationCode what)
{
    struct status *s = arg;
    if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
        visitors_go(&s->visitors, *mark);
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    assert(info);
    *mark = visitors_come(&s->visitors, info->connect_fd);
}

/* --- starting and stopping --- */

static const char *remedy(int why)
{
    if (why == EADDRINUSE)
        return ": another process listens there; stop it, or choose another port";
    if (why == EADDRNOTAVAIL)
        return ": this machine has no such address; 0.0.0.0 stands for all it has";
    return why == EACCES ? ": choose a port from 1024 on" : "";
}

static int open_socket(struct str listen_at, struct err *e)
{
    struct listen_address at;
    int on = 1;
    bool good = listen_address_parse(listen_at, &at);
    assert(good);
    int fd = socket(at.socket.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
        bind(fd, (const void *)&at.socket, at.bytes) == 0 && listen(fd, SOMAXCONN) == 0)
        return fd;
    int why = errno;
    if (fd >= 0)
        close(fd);
    return err_set(e, ERR_REFUSED, "status.listen: %.*s: %s%s", STR_ARG(listen_at),
                   strerror(why), remedy(why));
}

/* Signals are for the threads of the caller. The socket is closed with the daemon. */
static struct MHD_Daemon *start_daemon(struct status *s, int fd)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    struct MHD_Daemon *daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_AUTO, 0, NULL, NULL, answer, s,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)VISITORS_MAX,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_S,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_BYTES,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_END);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return daemon;
}

static int serve(struct status *s, struct str listen_at, struct err *e)
{
    int fd = open_socket(listen_at, e);
    if (fd < 0)
        return -1;
    s->daemon = start_daemon(s, fd);
    if (!s->daemon) {
        close(fd);
        return err_set(e, ERR_REFUSED,
                       "status.listen: %.*s: the server cannot be started",
                       STR_ARG(listen_at));
    }
    log_info("status_listens", "address=%.*s", STR_ARG(listen_at));
    return 0;
}

struct status *status_start(const struct config *config, struct err *e)
{
    struct status *s = calloc(1, sizeof *s);
    assert(s);
    pthread_mutex_init(&s->lock, NULL);
    status_use(s, config);
    s->ready = metric_of(&metric_ready, STR_NONE, STR_NONE);
    s->tick_age = metric_of(&metric_tick_age, STR_NONE, STR_NONE);
    process_metrics_init();
    status_tick(s);
    if (config->status.listen.n == 0 || serve(s, config->status.listen, e) == 0)
        return s;
    status_stop(s);
    return NULL;
}

void status_stop(struct status *s)
{
    if (!s)
        return;
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    pthread_mutex_destroy(&s->lock);
    free(s->sinks_full);
    free(s);
}
