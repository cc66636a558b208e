/* The page of an event: the path of its URL, with ids replaced. Scheme, host, query,
 * matrix parameters and fragment go. A fragment that is a path itself ("#/invoices/7")
 * stays, because where an application routes by fragments it is the page. */
#include "core/fingerprint.h"

#include "core/fingerprint_take.h"
#include "core/fingerprint_word.h"

/* A segment that stands for one thing among many; digits alone are an id however few. */
static bool is_id(const byte *p, size_t n)
{
    size_t digits = 0;
    while (digits < n && scan_classes[p[digits]] & CHAR_DIGIT)
        digits++;
    return digits == n || memchr(p, '@', n) || (n == 3 && memcmp(p, ":id", 3) == 0) ||
           path_varies(p, n, word_is_id);
}

enum { HOST_STOP = CHAR_SLASH | CHAR_QUERY, PATH_STOP = CHAR_QUERY | CHAR_SEMICOLON };

/* The first byte of these classes from p on, or the end. */
static const byte *find(const struct scan *s, const byte *p, unsigned classes)
{
    while (p < s->end && !(scan_classes[*p] & classes))
        p++;
    return p;
}

/* True for "localhost:8080". */
static bool has_port(const struct scan *s, const byte *p, const byte *end)
{
    const byte *colon = p;
    while (colon < end && *colon != ':')
        colon++;
    return colon > p && colon + 1 < end && scan_run(s, colon + 1, CHAR_DIGIT) == end;
}

/* Where the path starts: behind scheme and host, if they are there. */
static const byte *skip_host(const struct scan *s)
{
    const byte *p = s->begin, *slash = find(s, p, HOST_STOP);
    if (slash > p && slash[-1] == ':' && scan_is(s, slash, "//"))
        return find(s, slash + 2, HOST_STOP);
    if (scan_is(s, p, "//"))
        return find(s, p + 2, HOST_STOP);
    if (web_host_end(s, p) == slash || has_port(s, p, slash))
        return slash;
    return p;
}

struct path {
    const byte *p, *end;
    bool goes_on; /* another path follows */
};

/* Up to the end of the path at p, without what separates nothing. */
static struct path path_at(const struct scan *s, const byte *p)
{
    struct path path = {.p = p, .end = find(s, p, PATH_STOP)};
    while (path.end > p &&
           (path.end[-1] == '/' || scan_classes[path.end[-1]] & CHAR_SPACE))
        path.end--;
    return path;
}

/* The path in a fragment: "#/invoices/7", "#!/invoices/7"; empty when there is none. */
static struct path route_after(const struct scan *s, const byte *p)
{
    const byte *hash = p < s->end ? memchr(p, '#', (size_t)(s->end - p)) : NULL;
    p = hash ? hash + 1 + scan_at(s, hash + 1, '!') : s->end;
    return scan_at(s, p, '/') ? path_at(s, p) : (struct path){.p = p, .end = p};
}

/* Writes the segments, each with a slash before it; *before is the one before them. */
static void put_path(struct scan *s, struct path path, struct str *before)
{
    const byte *p = path.p;
    while (p < path.end && !s->out->overflowed) {
        const byte *segment = p + (*p == '/');
        for (p = segment; p < path.end && *p != '/';)
            p++;
        size_t n = (size_t)(p - segment);
        if (n == 0)
            continue;
        bool more = p < path.end || path.goes_on;
        bool member = more && path_is_collection((const byte *)before->p, before->n) &&
                      !path_is_reserved(segment, n);
        scan_put(s, "/");
        if (member || is_id(segment, n))
            scan_put(s, ":id");
        else
            path_copy(s, segment, p);
        *before = (struct str){(const char *)segment, n};
    }
}

static struct str trimmed(struct str s)
{
    while (s.n > 0 && scan_classes[(byte)s.p[0]] & CHAR_SPACE)
        s = (struct str){s.p + 1, s.n - 1};
    while (s.n > 0 && scan_classes[(byte)s.p[s.n - 1]] & CHAR_SPACE)
        s.n--;
    return s;
}

void fingerprint_page(struct str url, struct buf *out)
{
    url = trimmed(url);
    if (url.n == 0)
        return;
    struct scan s = scan_of(url, out);
    struct path path = path_at(&s, skip_host(&s)), route = route_after(&s, path.p);
    struct str before = STR("");
    path.goes_on = route.p < route.end;
    put_path(&s, path, &before);
    put_path(&s, route, &before);
    if (out->n == s.first)
        scan_put(&s, "/");
}
