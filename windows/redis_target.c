/* redis://[[user]:password@]host[:port][,host[:port]...][/db] and unix:///path.
 *
 * Everything before the last '@' is the user and the password, taken as it is: both may
 * hold '/', ':', ',' and '@'. A '%' could mean itself or an escape, and guessing wrong looks like a
 * wrong password; so it is refused and sent to redis.password_file. No message repeats
 * any part of the URL. */
#include "windows/redis_target.h"
#include "windows/redis_words.h"

#include <sys/un.h>

enum { REDIS_PORT = 6379, PORT_MAX = 65535, DB_MAX = 1000000, TIMEOUT_MS = 5000 };

static bool skip(struct str *s, const char *prefix)
{
    struct str p = str_of(prefix);
    if (!str_starts(*s, p))
        return false;
    s->p += p.n;
    s->n -= p.n;
    return true;
}

static struct str after(struct str s, const char *at)
{
    return (struct str){at + 1, (size_t)(s.p + s.n - (at + 1))};
}

static struct str before(struct str s, const char *at)
{
    return (struct str){s.p, (size_t)(at - s.p)};
}

static const char *find(struct str s, char c)
{
    return s.n ? memchr(s.p, c, s.n) : NULL;
}

/* Digits only, at most max. */
static bool number(struct str s, int max, int *out)
{
    int v = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9' || v > max)
            return false;
        v = v * 10 + (s.p[i] - '0');
    }
    *out = v;
    return s.n > 0 && v <= max;
}

static int user_info(struct str s, struct redis_target *out, struct err *e)
{
    if (find(s, '%'))
        return err_set(
            e, ERR_INPUT,
            "redis.url: '%%' in the user or the password is not supported; put "
            "the password into redis.password_file");
    const char *colon = find(s, ':');
    if (!colon)
        return err_set(
            e, ERR_INPUT,
            "redis.url: before '@' stands USER:PASSWORD or :PASSWORD, the colon "
            "is missing");
    out->user = before(s, colon);
    out->password = after(s, colon);
    return 0;
}

/* What follows the host: ":PORT" or nothing. */
static int port_of(struct str s, int *port, struct err *e)
{
    *port = REDIS_PORT;
    if (s.n && (!number(after(s, s.p), PORT_MAX, port) || *port == 0))
        return err_set(e, ERR_INPUT,
                       "redis.url: the port is not a number from 1 to 65535");
    return 0;
}

/* "[::1]:6379", "host:6379", "host" */
static int host_port(struct str s, struct redis_address *out, struct err *e)
{
    const char *close = find(s, ']'), *colon = find(s, ':');
    struct str port;
    if (s.n && s.p[0] == '[' && close) {
        out->host = before(after(s, s.p), close);
        port = after(s, close);
        if (port.n && port.p[0] != ':')
            return err_set(e, ERR_INPUT, "redis.url: after ']' stands :PORT or nothing");
    } else {
        out->host = colon ? before(s, colon) : s;
        port = colon ? (struct str){colon, s.n - out->host.n} : STR_NONE;
    }
    if (out->host.n == 0)
        return err_set(e, ERR_INPUT,
                       "redis.url: the host is missing; write it as "
                       "redis://HOST:6379");
    if (out->host.n >= REDIS_HOST_BYTES)
        return err_set(e, ERR_INPUT, "redis.url: the host is too long");
    return port_of(port, &out->port, e);
}

/* "host:6379,host:6380" */
static int addresses(struct str s, struct redis_target *out, struct err *e)
{
    for (const char *comma = s.p; comma;) {
        comma = find(s, ',');
        if (out->addresses_n == REDIS_ADDRESSES_MAX)
            return err_set(e, ERR_INPUT, "redis.url: has more than %d hosts",
                           REDIS_ADDRESSES_MAX);
        if (host_port(comma ? before(s, comma) : s, &out->addresses[out->addresses_n++],
                      e) < 0)
            return -1;
        if (comma)
            s = after(s, comma);
    }
    return 0;
}

static int network(struct str s, struct redis_target *out, struct err *e)
{
    const char *at = s.n ? memrchr(s.p, '@', s.n) : NULL;
    if (at && user_info(before(s, at), out, e) < 0)
        return -1;
    if (at)
        s = after(s, at);
    if (s.n && memmem(s.p, s.n, ",redis://", strlen(",redis://")))
        return err_set(e, ERR_INPUT,
                       "redis.url: several hosts have one redis:// before them, as in "
                       "redis://HOST1:6379,HOST2:6379");
    const char *slash = find(s, '/');
    struct str db = slash ? after(s, slash) : STR_NONE;
    if (db.n && !number(db, DB_MAX, &out->db))
        return err_set(e, ERR_INPUT,
                       "redis.url: what follows the host is not a database number, as in "
                       "redis://HOST:6379/0");
    return addresses(slash ? before(s, slash) : s, out, e);
}

int redis_target_parse(struct str url, struct redis_target *out, struct err *e)
{
    *out = (struct redis_target){.timeout_ms = TIMEOUT_MS};
    if (find(url, '\0'))
        return err_set(e, ERR_INPUT, "redis.url: has a NUL character");
    if (skip(&url, "redis://"))
        return network(url, out, e);
    if (skip(&url, "rediss://")) {
        out->tls = true;
        return redis_has_tls()
                   ? network(url, out, e)
                   : err_set(e, ERR_INPUT,
                             "redis.url: rediss:// is TLS, which this build has "
                             "not (its hiredis came without): use one with "
                             "hiredis 1.0 or newer, or redis:// through a tunnel");
    }
    if (!skip(&url, "unix://"))
        return err_set(e, ERR_INPUT,
                       "redis.url: must begin with redis://, rediss:// or unix://, as in "
                       "redis://HOST:6379");
    if (url.n == 0 || url.p[0] != '/')
        return err_set(e, ERR_INPUT,
                       "redis.url: the socket's path must be absolute, as in "
                       "unix:///run/redis/redis.sock");
    if (url.n >= sizeof((struct sockaddr_un){0}.sun_path))
        return err_set(e, ERR_INPUT, "redis.url: the socket's path is too long");
    out->path = url;
    return 0;
}
