/* A file is opened for every line: alerts are few, and so a file that was renamed, removed or cut back by whoever
 * rotates it is never written to by mistake. Writers of one file, in whichever process, take turns by its lock. A
 * line that was written in part, by us or by a process that died, never becomes part of the next: of a file it is
 * cut off again, or ended where that fails; in a pipe it is ended. A pipe is written to in small steps, since one
 * whose reader rests would hold us for ever. */
#include "sinks/line.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.h"

enum { FILE_MODE = 0640, LOCK_POLL_MS = 5 };

static pthread_mutex_t stdout_lock = PTHREAD_MUTEX_INITIALIZER;
static bool stdout_torn; /* under the lock: half a line stands there */

static void fail(struct carried *out, int status, const char *why)
{
    out->status = status;
    snprintf(out->why, sizeof out->why, "%s", why);
}

/* What only a person can mend is told apart from what passes. */
static void fail_errno(struct carried *out)
{
    bool passes = errno != EACCES && errno != EPERM && errno != ENOENT &&
                  errno != ENOTDIR && errno != EISDIR && errno != EROFS &&
                  errno != ENAMETOOLONG && errno != ELOOP;
    fail(out, passes ? CARRIED_NOT : CARRIED_REFUSED, strerror(errno));
}

/* ---- pipes and terminals ---- */

/* How much was written before time was up, or -1 with errno. */
static ssize_t write_waiting(int fd, struct str bytes, const struct carriage *c)
{
    size_t done = 0;
    for (int wait; done < bytes.n && (wait = carrier_wait_ms(c)) > 0;) {
        struct pollfd p = {.fd = fd, .events = POLLOUT};
        size_t left = bytes.n - done;
        if (poll(&p, 1, wait) <= 0)
            continue;
        /* So much goes into a pipe that can be written to at all. */
        ssize_t n = write(fd, bytes.p + done, left < PIPE_BUF ? left : PIPE_BUF);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return done ? (ssize_t)done : -1;
        done += n > 0 ? (size_t)n : 0;
    }
    return (ssize_t)done;
}

/* True: half a line was left there. */
static bool print(int fd, struct str line, bool torn, const struct carriage *c,
                  struct carried *out)
{
    if (torn && write_waiting(fd, STR("\n"), c) != 1) {
        fail(out, CARRIED_NOT, "the reader does not take the rest of the line before");
        return true;
    }
    ssize_t n = write_waiting(fd, line, c);
    if (n == (ssize_t)line.n)
        out->status = CARRIED;
    else
        fail(out, CARRIED_NOT, n < 0 ? strerror(errno) : "the reader does not take it");
    return n > 0 && n < (ssize_t)line.n;
}

static bool send_to_stdout(void *self, const struct carriage *c, struct carried *out)
{
    (void)self;
    pthread_mutex_lock(&stdout_lock); /* held for one line's time at most */
    stdout_torn = print(STDOUT_FILENO, c->request->body, stdout_torn, c, out);
    pthread_mutex_unlock(&stdout_lock);
    return false;
}

/* ---- files ---- */

static int lock(int fd, const struct carriage *c)
{
    int wait;
    while ((wait = carrier_wait_ms(c)) > 0) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return 0;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return -1;
        poll(NULL, 0, wait < LOCK_POLL_MS ? wait : LOCK_POLL_MS);
    }
    errno = ETIMEDOUT;
    return -1;
}

/* Between the opening and the lock it may have been renamed. */
static bool is_still_there(const char *path, const struct stat *opened)
{
    struct stat now;
    return stat(path, &now) == 0 && now.st_dev == opened->st_dev &&
           now.st_ino == opened->st_ino;
}

/* Whoever wrote before us died while writing. */
static bool is_torn(int fd, off_t size)
{
    char last;
    return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

static int write_all(int fd, struct str bytes)
{
    for (size_t done = 0; done < bytes.n;) {
        ssize_t n = write(fd, bytes.p + done, bytes.n - done);
        if (n < 0 && errno != EINTR)
            return -1;
        done += n > 0 ? (size_t)n : 0;
    }
    return 0;
}

/* A file's name is on the disk when its folder is. */
static int sync_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    int n = slash ? (int)(slash - path) + 1 : 0;
    snprintf(folder, sizeof folder, "%.*s", n ? n : 1, n ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int rc = fsync(fd), why = errno;
    close(fd);
    errno = why;
    return rc;
}

static int append(int fd, const struct request *r, const struct stat *before)
{
    bool durably = str_is(r->method, LINE_DURABLY);
    if ((is_torn(fd, before->st_size) && write_all(fd, STR("\n"))) ||
        write_all(fd, r->body)) {
        int why = errno;
        (void)!ftruncate(fd, before->st_size); /* else the next line ends it */
        errno = why;
        return -1;
    }
    if (durably && fsync(fd))
        return -1;
    return durably && before->st_size == 0 ? sync_folder(r->url.p) : 0;
}

/* 1: done, 0: once more, -1: errno. */
static int append_locked(int fd, const struct request *r, const struct carriage *c)
{
    struct stat opened;
    if (lock(fd, c) || fstat(fd, &opened))
        return -1;
    if (!is_still_there(r->url.p, &opened))
        return 0;
    return append(fd, r, &opened) ? -1 : 1;
}

/* True: once more. */
static bool write_to(int fd, const struct request *r, const struct carriage *c,
                     struct carried *out)
{
    struct stat kind;
    if (fstat(fd, &kind) == 0 && !S_ISREG(kind.st_mode)) {
        fail(out, CARRIED_REFUSED, "it is no regular file");
        return false;
    }
    int rc = append_locked(fd, r, c);
    if (rc < 0)
        fail_errno(out);
    else if (rc > 0)
        out->status = CARRIED;
    return rc == 0;
}

/* Without O_NONBLOCK a pipe of that name would hold us. */
static bool send_to_file(void *self, const struct carriage *c, struct carried *out)
{
    const struct request *r = c->request;
    enum { HOW = O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | O_NOCTTY };
    (void)self;
    for (bool again = true; again;) {
        int fd = open(r->url.p, HOW, FILE_MODE);
        if (fd < 0) {
            fail_errno(out);
            break;
        }
        again = write_to(fd, r, c, out);
        close(fd);
    }
    return false;
}

const struct carrier line_to_file = {.send = send_to_file};
const struct carrier line_to_stdout = {.send = send_to_stdout};
