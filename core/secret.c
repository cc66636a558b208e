/* A file is read whole and refused whole: half a secret looks like a wrong one. */
#include "core/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/buf.h"

enum { SECRET_BYTES_MAX = 64 * 1024 };

static int read_all(const char *path, struct buf *out)
{
    char part[4096];
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    do { /* up to the ceiling: /dev/zero has no end */
        n = read(fd, part, sizeof part);
        if (n > 0)
            buf_mem(out, part, (size_t)n);
    } while ((n > 0 && !out->overflowed) || (n < 0 && errno == EINTR));
    int why = errno;
    close(fd);
    errno = why;
    return n < 0 ? -1 : 0;
}

static struct str without_newlines(struct str s)
{
    while (s.n && (s.p[s.n - 1] == '\n' || s.p[s.n - 1] == '\r'))
        s.n--;
    return s;
}

static int read_file(const char *path, struct buf *content, struct err *e)
{
    if (read_all(path, content))
        return err_set(e, ERR_REFUSED, "%s cannot be read: %s", path, strerror(errno));
    if (content->overflowed)
        return err_set(e, ERR_REFUSED, "%s is larger than %d bytes, which is no secret",
                       path, SECRET_BYTES_MAX);
    struct str s = without_newlines(buf_str(content));
    if (s.n == 0)
        return err_set(e, ERR_REFUSED, "%s is empty", path);
    if (memchr(s.p, '\n', s.n) || memchr(s.p, '\0', s.n))
        return err_set(e, ERR_REFUSED, "%s has more than one line, or a zero byte", path);
    content->n = s.n;
    return 0;
}

int secret_read(const struct secret *s, struct arena *arena, struct str *out,
                struct err *e)
{
    struct buf content;
    *out = s->value;
    if (s->file.n == 0)
        return 0;
    buf_init(&content, SECRET_BYTES_MAX);
    struct str path = arena_str(arena, s->file);
    int result = read_file(path.p, &content, e);
    *out = arena_str(arena, buf_str(&content));
    if (content.p)
        explicit_bzero(content.p, content.cap);
    buf_deinit(&content);
    return result;
}
