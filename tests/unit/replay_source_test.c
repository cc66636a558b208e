/* The source on recorded logs: positions, partitions, batches, broken lines and files. All of it twice: by itself, and
 * with a thread that reads ahead. */
#include <unistd.h>
#include <zlib.h>

#include "consumer/batch_fill.h"
#include "consumer/source.h"
#include "core/buf.h"
#include "tests/check.h"

#define EVENT(id, more) \
    "{\"id\":\"" id "\",\"type\":\"t\",\"time\":1772442847120" more "}\n"
#define AT(partition, offset) \
    ",\"kafka\":{\"topic\":\"t\",\"partition\":" #partition ",\"offset\":" #offset "}"

static char dir[] = "/tmp/replay-source-XXXXXX";
static int ahead_ms; /* > 0: a thread reads ahead, and is waited for so long */

static const char *path_of(const char *name)
{
    static char paths[8][64];
    static int at;
    char *path = paths[at++ % 8];
    snprintf(path, 64, "%s/%s", dir, name);
    return path;
}

static const char *write_file(const char *name, struct str bytes, const char *mode)
{
    const char *path = path_of(name);
    gzFile f = gzopen(path, mode); /* "wT": as it is */
    if (!f || (bytes.n && gzwrite(f, bytes.p, (unsigned)bytes.n) != (int)bytes.n))
        abort();
    gzclose(f);
    return path;
}

static void describe(const struct batch *b, struct buf *out)
{
    const char *slash =
        b->name.n > sizeof dir && memcmp(b->name.p, dir, sizeof dir - 1) == 0
            ? b->name.p + sizeof dir
            : b->name.p;
    buf_printf(out, "%zu %s %lld..%lld:", b->slot, slash, (long long)b->start,
               (long long)b->next);
    for (size_t i = 0; i < b->events_n; i++)
        buf_printf(out, " %.*s@%lld", STR_ARG(b->events[i].id),
                   (long long)b->events[i].offset);
    for (size_t i = 0; i < b->rejects_n; i++)
        buf_printf(out, " !%lld", (long long)b->rejects[i].offset);
    buf_char(out, '\n');
}

/* Everything that comes until there is nothing more, an error is "error". */
static struct str read_all(struct source *s, struct err *e)
{
    static struct buf text;
    struct batch batch;
    enum source_result result;
    if (!text.p)
        buf_init(&text, 1 << 20);
    buf_clear(&text);
    batch_init(&batch);
    while ((result = s->ops->next(s, &batch, ahead_ms, e)) == SOURCE_BATCH) {
        describe(&batch, &text);
        batch_reset(&batch);
    }
    buf_text(&text, result == SOURCE_END     ? "end"
                    : result == SOURCE_ERROR ? "error"
                                             : "nothing");
    batch_deinit(&batch);
    return buf_str(&text);
}

static struct source *open_logs(const char *a, const char *b)
{
    struct err e = {0};
    const char *paths[] = {a, b};
    struct source *s =
        replay_source_open(paths, b ? 2 : 1, 3600000, NULL, ahead_ms ? 2 : 1, &e);
    if (!s) {
        fprintf(stderr, "%s\n", e.text);
        abort();
    }
    return s;
}

static void check_names(struct source *s, const char *want)
{
    const struct str *names;
    size_t n;
    struct err e = {0};
    struct buf text;
    buf_init(&text, 4096);
    CHECK_INT(s->ops->partitions(s, &names, &n, &e), 0);
    for (size_t i = 0; i < n; i++)
        buf_printf(&text, "%.*s ", STR_ARG(names[i]));
    CHECK_STR(buf_str(&text), str_of(want));
    buf_deinit(&text);
}

static void check_logs(const char *a, const char *b, const char *want)
{
    struct err e = {0};
    struct source *s = open_logs(a, b);
    CHECK_STR(read_all(s, &e), str_of(want));
    CHECK_STR(read_all(s, &e), STR("end"));
    s->ops->close(s);
}

/* --- positions --- */

static void check_plain(void)
{
    const char *a = write_file(
        "a", STR(EVENT("1", "") "\n" EVENT("2", "") "broken\n" EVENT("3", "")), "wT");
    const char *b = write_file("b", STR(EVENT("4", AT(0, 77))), "w");
    check_logs(a, NULL, "0 a 0..6: 1@1 2@3 3@5 !4\nend");
    check_logs(a, a, "0 a 0..10: 1@1 2@3 3@5 1@1 2@3 3@5 !4 !4\nend");
    const char *c = write_file("c", STR("broken\n" EVENT("5", "")), "w");
    check_logs(c, a, "0 c 0..3: 5@2 !1\n1 a 0..6: 1@1 2@3 3@5 !4\nend");
    const char *none = write_file("none", STR_NONE, "wT");
    check_logs(none, NULL, "end");
    check_logs(none, a, "0 a 0..6: 1@1 2@3 3@5 !4\nend");
    struct source *s = open_logs(none, c);
    check_names(s, path_of("c "));
    s->ops->close(s);
    check_logs(b, NULL, "0 t/0 0..2: 4@77\nend");
    /* the first line decides: this is no recorded log, though its second line says so */
    const char *d = write_file("d", STR(EVENT("6", "") EVENT("7", AT(3, 9))), "wT");
    check_logs(d, NULL, "0 d 0..3: 6@1 7@9\nend");
}

static void check_recorded(void)
{
    const char *a = write_file(
        "r1",
        STR(EVENT("1", AT(0, 10)) EVENT("2", AT(2, 5))
                EVENT("3", AT(0, 12)) "broken\n" EVENT(
                    "4", "") "{\"id\":1,\"kafka\":{\"topic\":\"t\",\"partition\":2}}\n"),
        "w");
    const char *b =
        write_file("r2", STR(EVENT("5", AT(2, 4)) EVENT("6", AT(1, 0))), "wT");
    const char *plain = write_file("p", STR(EVENT("7", "")), "wT");
    struct source *s = open_logs(a, b);
    check_names(s, "t/0 t/2 t/1 ");
    struct err e = {0};
    CHECK_STR(read_all(s, &e),
              STR("0 t/0 0..6: 1@10 3@12 4@5 !4\n1 t/2 0..8: 2@5 5@4 !6\n"
                  "2 t/1 0..9: 6@0\nend"));
    s->ops->close(s);
    check_logs(plain, b, "0 p 0..2: 7@1\n1 t/2 0..3: 5@4\n2 t/1 0..4: 6@0\nend");
}

static void check_reject(void)
{
    struct batch batch;
    struct err e = {0};
    const char *a = write_file("x", STR(EVENT("1", AT(0, 10)) "{\"id\":\n"), "w");
    struct source *s = open_logs(a, NULL);
    batch_init(&batch);
    CHECK_INT(s->ops->next(s, &batch, ahead_ms, &e), SOURCE_BATCH);
    CHECK_INT(batch.rejects_n, 1);
    CHECK_STR(batch.rejects[0].file, str_of(a));
    CHECK_STR(batch.rejects[0].bytes, STR("{\"id\":"));
    CHECK_INT(batch.rejects[0].bytes_n, 6);
    CHECK_INT(batch.rejects[0].offset, 2);
    CHECK(strstr(batch.rejects[0].reason, "not JSON"));
    CHECK_INT(batch.events[0].partition, 0);
    batch_deinit(&batch);
    s->ops->close(s);
}

/* --- sizes --- */

static const char *write_many(size_t n, int partitions, size_t padding)
{
    struct buf text;
    char *pad = calloc(1, padding + 1);
    memset(pad, 'x', padding);
    buf_init(&text, 1 << 28);
    for (size_t i = 0; i < n; i++) {
        buf_printf(&text,
                   "{\"id\":\"%zu\",\"type\":\"t\",\"time\":1772442847120,\"pad\":\"%s\"",
                   i, pad);
        if (partitions)
            buf_printf(&text,
                       ",\"kafka\":{\"topic\":\"t\",\"partition\":%d,\"offset\":%zu}",
                       (int)i % partitions, i / (size_t)partitions);
        buf_text(&text, "}\n");
    }
    const char *path = write_file("many", buf_str(&text), "w1");
    buf_deinit(&text);
    free(pad);
    return path;
}

struct seen {
    size_t batches, events, largest, misplaced;
    int64_t next[64];
    size_t count[64];
};

/* Reads n batches at most; every id must come once, in the order of its partition. */
static enum source_result read_some(struct source *s, size_t n, int partitions,
                                    struct seen *seen)
{
    struct batch batch;
    struct err e = {0};
    enum source_result result = SOURCE_BATCH;
    batch_init(&batch);
    while (n-- && (result = s->ops->next(s, &batch, ahead_ms, &e)) == SOURCE_BATCH) {
        size_t stride = partitions ? (size_t)partitions : 1;
        seen->batches++;
        seen->misplaced += batch.start != seen->next[batch.slot];
        seen->next[batch.slot] = batch.next;
        for (size_t i = 0; i < batch.events_n; i++) {
            size_t id = strtoul(batch.events[i].id.p, NULL, 10);
            seen->misplaced += id != seen->count[batch.slot]++ * stride + batch.slot;
        }
        seen->events += batch.events_n;
        seen->largest = batch.events_n > seen->largest ? batch.events_n : seen->largest;
        batch_reset(&batch);
    }
    batch_deinit(&batch);
    return result;
}

static void check_sizes(size_t n, int partitions, size_t padding, size_t batches,
                        size_t largest)
{
    struct seen seen = {0};
    struct source *s = open_logs(write_many(n, partitions, padding), NULL);
    int64_t read_bytes, total_bytes;
    s->ops->progress(s, &read_bytes, &total_bytes);
    CHECK_INT(read_bytes, 0);
    CHECK(total_bytes > 0);
    CHECK_INT(read_some(s, SIZE_MAX, partitions, &seen), SOURCE_END);
    CHECK_INT(seen.events, n);
    CHECK_INT(seen.misplaced, 0);
    CHECK_INT(seen.batches, batches);
    CHECK_INT(seen.largest, largest);
    s->ops->progress(s, &read_bytes, &total_bytes);
    CHECK_INT(read_bytes, total_bytes);
    s->ops->close(s);
}

static void check_seek(int partitions)
{
    struct err e = {0};
    for (size_t before = 0; before < 12; before++) {
        struct seen seen = {0}, unmoved;
        struct source *s = open_logs(write_many(5000, partitions, 10), NULL);
        read_some(s, before, partitions, &seen);
        unmoved = seen;
        CHECK_INT(s->ops->seek(s, 0, 0, &e),
                  0); /* partition 0 from its start, the others go on */
        seen.next[0] = 0;
        seen.count[0] = 0;
        CHECK_INT(read_some(s, SIZE_MAX, partitions, &seen), SOURCE_END);
        CHECK_INT(seen.events, 5000 + unmoved.count[0]);
        CHECK_INT(seen.misplaced, 0);
        s->ops->close(s);
    }
}

/* --- files that are not whole, and pipes --- */

static void check_cut(void)
{
    struct err e = {0};
    char bytes[4096];
    write_file("cut", STR(EVENT("1", "") EVENT("2", "")), "w");
    FILE *f = fopen(path_of("cut"), "rb");
    size_t n = f ? fread(bytes, 1, sizeof bytes, f) : 0;
    if (!n || fclose(f))
        abort();
    struct source *s = open_logs(write_file("cut", (struct str){bytes, n - 4}, "wT"),
                                 write_file("p", STR(EVENT("3", "")), "wT"));
    snprintf(bytes, sizeof bytes, "%s %s ", path_of("cut"), path_of("p"));
    check_names(s, bytes);
    CHECK_STR(read_all(s, &e), STR("0 cut 0..3: 1@1 2@2\nerror"));
    CHECK(strstr(e.text, "/cut: the gzip data are cut off at byte "));
    CHECK_INT(e.kind, ERR_INPUT);
    err_clear(&e);
    CHECK_STR(read_all(s, &e), STR("1 p 0..2: 3@1\nend"));
    s->ops->close(s);
    const char *missing = "/nowhere/log";
    CHECK(!replay_source_open(&missing, 1, 0, NULL, 2, &e));
    CHECK(strstr(e.text, "cannot read /nowhere/log"));
}

/* Stdin is a pipe that holds `first`; answers where more may be written. */
static int pipe_in(struct str first, int *saved)
{
    int ends[2];
    *saved = dup(STDIN_FILENO);
    if (pipe(ends) || dup2(ends[0], STDIN_FILENO) < 0)
        abort();
    close(ends[0]);
    CHECK_INT(write(ends[1], first.p, first.n), first.n);
    return ends[1];
}

static void give_back(int saved)
{
    dup2(saved, STDIN_FILENO);
    close(saved);
}

/* What a pipe says is taken as it comes. */
static void check_pipe(void)
{
    struct err e = {0};
    int saved, end = pipe_in(STR(EVENT("1", "")), &saved);
    struct str second = STR(EVENT("2", ""));
    struct source *s = open_logs("-", NULL);
    CHECK_STR(read_all(s, &e), STR("0 - 0..2: 1@1\nnothing"));
    CHECK_STR(read_all(s, &e), STR("nothing"));
    CHECK_INT(write(end, second.p, second.n), second.n);
    CHECK_STR(read_all(s, &e), STR("0 - 2..3: 2@2\nnothing"));
    CHECK_INT(s->ops->seek(s, 0, 3, &e), 0);
    CHECK_INT(s->ops->seek(s, 0, 0, &e), -1);
    CHECK_INT(e.kind, ERR_REFUSED);
    close(end);
    CHECK_STR(read_all(s, &e), STR("end"));
    s->ops->close(s);
    give_back(saved);
}

/* All partitions of a recorded log are known before its first event, also of one that comes by a pipe. */
static void check_recorded_pipe(void)
{
    struct err e = {0};
    int saved,
        end = pipe_in(STR(EVENT("1", AT(0, 10)) "\n" EVENT("2", AT(1, 3)) "x\n"), &saved);
    close(end);
    struct source *s = open_logs("-", NULL);
    check_names(s, "t/0 t/1 ");
    CHECK_STR(read_all(s, &e), STR("0 t/0 0..2: 1@10\n1 t/1 0..5: 2@3 !4\nend"));
    CHECK_INT(s->ops->seek(s, 0, 0, &e), 0);
    s->ops->close(s);
    give_back(saved);
}

/* It is ended where it waits for room, and where it reads. */
static void check_close(void)
{
    const char *log = write_many(40000, 3, 10);
    for (size_t batches = 0; batches < 4; batches++) {
        struct seen seen = {0};
        struct source *s = open_logs(log, NULL);
        CHECK_INT(read_some(s, batches, 3, &seen), SOURCE_BATCH);
        CHECK_INT(seen.misplaced, 0);
        s->ops->close(s);
    }
}

static void check_all(void)
{
    check_plain();
    check_recorded();
    check_reject();
    check_sizes(BATCH_EVENTS * 3, 0, 10, 3, BATCH_EVENTS);
    check_sizes(BATCH_EVENTS * 3 + 1, 0, 10, 4, BATCH_EVENTS);
    check_sizes(30, 0, 100000, 3, 11);         /* a megabyte each */
    check_sizes(4096 * 2, 32, 10, 64, 128);    /* the window */
    check_sizes(1000, 2, 10, 3, BATCH_EVENTS); /* 500 and 499, then one */
    check_seek(0);
    check_seek(3);
    check_cut();
    check_pipe();
    check_recorded_pipe();
    check_close();
}

int main(void)
{
    if (!mkdtemp(dir))
        abort();
    check_all();
    ahead_ms = 2000;
    check_all();
    static const char *const names[] = {"a",  "b", "c", "d",    "none", "r1",
                                        "r2", "p", "x", "many", "cut"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        unlink(path_of(names[i]));
    rmdir(dir);
    return check_result();
}
