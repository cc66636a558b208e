/* The link's connection: where to, log-in, one exchange, and what ends it.
 *
 * Every failure ends the connection: a reply that comes too late must never be taken for the reply to the
 * next command. Texts name the server and what to do, never a password. */
#include "windows/redis_link.h"
#include "windows/redis_link_impl.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "core/clock.h"
#include "core/metric_families.h"
#include "core/secret.h"

/* --- life --- */

static void keep(struct redis_link *l, struct str *s)
{
    char *to = l->texts + l->texts_bytes;
    if (s->n)
        memcpy(to, s->p, s->n);
    to[s->n] = '\0';
    l->texts_bytes += s->n + 1;
    s->p = to;
}

static void keep_target(struct redis_link *l)
{
    struct redis_target *t = &l->target;
    struct str *const texts[] = {&t->path,          &t->user,     &t->password,
                                 &t->password_file, &t->sentinel, &t->ca_file,
                                 &t->cert_file,     &t->key_file};
    enum { TEXTS = sizeof texts / sizeof texts[0] };
    size_t bytes = 0;
    for (int i = 0; i < TEXTS; i++)
        bytes += texts[i]->n + 1;
    for (size_t i = 0; i < t->addresses_n; i++)
        bytes += t->addresses[i].host.n + 1;
    l->texts = malloc(bytes);
    assert(l->texts);
    for (size_t i = 0; i < t->addresses_n; i++)
        keep(l, &t->addresses[i].host);
    for (int i = 0; i < TEXTS; i++)
        keep(l, texts[i]);
}

struct redis_link *redis_link_new(const struct redis_target *target)
{
    struct redis_link *l = calloc(1, sizeof *l);
    assert(l);
    l->target = *target;
    keep_target(l);
    return l;
}

void redis_link_drop(struct redis_link *l)
{
    if (l->context)
        redisFree(l->context);
    l->context = NULL;
    l->asking = false;
}

void redis_link_free(struct redis_link *l)
{
    if (!l)
        return;
    redis_link_drop(l);
    explicit_bzero(l->texts, l->texts_bytes);
    free(l->texts);
    free(l->argv);
    free(l->lengths);
    free(l);
}

/* --- failures --- */

/* The next connection goes to the next of the configured addresses. */
static void turn_away(struct redis_link *l)
{
    l->sent = false;
    if (l->target.addresses_n)
        l->turn = (l->turn + 1) % l->target.addresses_n;
}

void redis_send_to(struct redis_link *l, const struct redis_place *to)
{
    redis_link_drop(l);
    l->goal = *to;
    l->sent = true;
}

static void count(struct str kind)
{
    metric_add(metric_of(&metric_redis_errors, kind, STR_NONE), 1);
}

static int refuse(struct redis_link *l, const char *said, struct err *e)
{
    const char *todo = redis_remedy(said);
    struct redis_place to;
    size_t word = strspn(said, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    count(word ? (struct str){said, word} : STR("unknown"));
    l->answered = true;
    redis_link_drop(l);
    if (redis_redirect(said, &l->here, &to) == REDIS_MOVED)
        redis_send_to(l, &to);
    else if (redis_is_astray(said))
        turn_away(l);
    if (todo)
        return err_set(e, ERR_REFUSED, "Redis at %s: %s (it says: %.*s)", l->place, todo,
                       redis_harmless(said), said);
    return err_set(e, ERR_UNAVAILABLE, "Redis at %s is not ready (it says: %.*s)",
                   l->place, redis_harmless(said), said);
}

int redis_lose(struct redis_link *l, const char *what, struct err *e)
{
    char why[128] = "no memory";
    if (l->context)
        snprintf(why, sizeof why, "%s", l->context->errstr);
    count(str_is(str_of(what), "cannot be reached") ? STR("unreachable")
                                                    : STR("no_answer"));
    l->answered = false;
    redis_link_drop(l);
    turn_away(l);
    return err_set(e, ERR_UNAVAILABLE,
                   "Redis at %s %s (%s): is it running, and is redis.url "
                   "right?",
                   l->place, what, why);
}

redisReply *redis_checked(struct redis_link *l, redisReply *r, struct err *e)
{
    if (!r || r->type != REDIS_REPLY_ERROR)
        return r;
    refuse(l, r->str, e);
    freeReplyObject(r);
    return NULL;
}

/* --- words --- */

static void reserve(struct redis_link *l, size_t n)
{
    if (n <= l->argv_cap)
        return;
    l->argv = realloc(l->argv, n * sizeof *l->argv);
    l->lengths = realloc(l->lengths, n * sizeof *l->lengths);
    assert(l->argv && l->lengths);
    l->argv_cap = n;
}

void redis_arrange(struct redis_link *l, size_t n, const struct str *args)
{
    reserve(l, n);
    for (size_t i = 0; i < n; i++) {
        l->argv[i] = args[i].n ? args[i].p : "";
        l->lengths[i] = args[i].n;
    }
}

/* The reply, also an error reply; NULL: the connection is lost. */
redisReply *redis_converse(struct redis_link *l, size_t n, const struct str *args,
                           struct err *e)
{
    redis_arrange(l, n, args);
    redisReply *r = NULL;
    if (!l->asking || redisAppendCommand(l->context, "ASKING") == REDIS_OK)
        r = redisCommandArgv(l->context, (int)n, l->argv, l->lengths);
    if (r && l->asking) { /* that was the reply to ASKING */
        freeReplyObject(r);
        void *next = NULL;
        r = redisGetReply(l->context, &next) == REDIS_OK ? next : NULL;
    }
    if (!r)
        redis_lose(l, "does not answer", e);
    return r;
}

static int greet(struct redis_link *l, size_t n, const struct str *args, struct err *e)
{
    redisReply *r = redis_checked(l, redis_converse(l, n, args, e), e);
    redis_reply_free(r);
    return r ? 0 : -1;
}

/* --- connecting --- */

static int log_in(struct redis_link *l, struct str password, struct err *e)
{
    struct str user = l->target.user;
    if (password.n == 0)
        return 0;
    if (user.n)
        return greet(l, 3, (struct str[]){STR("AUTH"), user, password}, e);
    return greet(l, 2, (struct str[]){STR("AUTH"), password}, e);
}

/* While a password is being changed, its file may be behind the server for a while. */
static int authenticate(struct redis_link *l, struct err *e)
{
    const struct secret secret = {l->target.password, l->target.password_file};
    struct str password;
    struct arena arena;
    arena_init(&arena);
    int rc = secret_read(&secret, &arena, &password, e);
    if (rc == 0)
        rc = log_in(l, password, e);
    arena_deinit(&arena);
    if (rc == 0)
        l->entered = true;
    else if (l->entered && secret.file.n)
        e->kind = ERR_UNAVAILABLE;
    return rc;
}

static int enter(struct redis_link *l, struct err *e)
{
    if (authenticate(l, e) < 0)
        return -1;
    char db[16];
    snprintf(db, sizeof db, "%d", l->target.db);
    if (l->target.db && greet(l, 2, (struct str[]){STR("SELECT"), str_of(db)}, e) < 0)
        return -1;
    /* A name helps who looks at CLIENT LIST; a user without the right to it works as
     * well. */
    redisReply *r = redis_converse(
        l, 3, (struct str[]){STR("CLIENT"), STR("SETNAME"), STR("ticketwatch")}, e);
    redis_reply_free(r);
    return r ? 0 : -1;
}

static int choose(struct redis_link *l, struct err *e)
{
    const struct redis_target *t = &l->target;
    const struct redis_address *a = &t->addresses[l->turn];
    if (l->sent) {
        l->here = l->goal;
        return 0;
    }
    if (t->sentinel.n)
        return redis_ask_sentinel(l, &l->here, e);
    l->here.port = t->addresses_n ? a->port : 0;
    snprintf(l->here.host, sizeof l->here.host, "%s",
             t->addresses_n ? a->host.p : t->path.p);
    return 0;
}

/* A peer that is gone without a word is noticed also while nothing is sent, or not acknowledged. */
static int guard_socket(const struct redis_link *l)
{
    unsigned timeout_ms = (unsigned)l->target.timeout_ms;
    if (l->here.port == 0)
        return 0;
    if (redisEnableKeepAlive(l->context) != REDIS_OK)
        return -1;
    return setsockopt(l->context->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout_ms,
                      sizeof timeout_ms);
}

static void name_place(struct redis_link *l)
{
    if (l->here.port)
        snprintf(l->place, sizeof l->place, "%s:%d", l->here.host, l->here.port);
    else
        snprintf(l->place, sizeof l->place, "%s", l->here.host);
}

static int connect_here(struct redis_link *l, struct err *e)
{
    int ms = l->target.timeout_ms;
    struct timeval wait = {ms / 1000, (ms % 1000) * 1000L};
    /* hiredis writes to sockets that the other side may have closed. */
    signal(SIGPIPE, SIG_IGN);
    name_place(l);
    l->context = l->here.port ? redisConnectWithTimeout(l->here.host, l->here.port, wait)
                              : redisConnectUnixWithTimeout(l->here.host, wait);
    if (!l->context || l->context->err)
        return redis_lose(l, "cannot be reached", e);
    if (redisSetTimeout(l->context, wait) != REDIS_OK || guard_socket(l) < 0 ||
        (l->target.tls && redis_secure(&l->target, l->context, l->here.host, e)))
        return redis_lose(l, "cannot be reached", e);
    if (enter(l, e) == 0)
        return 0;
    redis_link_drop(l);
    return -1;
}

int redis_connect(struct redis_link *l, struct err *e)
{
    struct err last = {0};
    int64_t until_ms = clock_monotonic_ms() + l->target.timeout_ms;
    size_t tries = l->sent ? 1 : l->target.addresses_n;
    do {
        err_clear(&last);
        if (choose(l, &last))
            turn_away(l);
        else if (connect_here(l, &last) == 0)
            return 0;
    } while (last.kind == ERR_UNAVAILABLE && tries-- > 1 &&
             clock_monotonic_ms() < until_ms);
    return err_set(e, last.kind, "%s", last.text);
}

int redis_connect_to_ask(struct redis_link *l, const struct redis_place *to,
                         struct err *e)
{
    redis_link_drop(l);
    l->here = *to;
    if (connect_here(l, e) < 0)
        return -1;
    l->asking = true;
    return 0;
}
