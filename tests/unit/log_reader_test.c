/* Lines of plain, gzip and zstd files, whole and broken. */
#include "consumer/log_reader.h"

#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "core/buf.h"
#include "tests/check.h"

static char dir[] = "/tmp/log-reader-XXXXXX", path[64];

static void write_file(struct str bytes)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes.p, 1, bytes.n, f) != bytes.n || fclose(f))
        abort();
}

/* All lines as "number:text|", a long one as "number:[bytes]|", then how it ended. */
static const char *lines_of(struct log_reader *r, struct err *e)
{
    static struct buf text;
    struct log_line line;
    enum read_result result;
    if (!text.p)
        buf_init(&text, 1 << 20);
    buf_clear(&text);
    while ((result = log_reader_next(r, 0, &line, e)) == READ_GOT) {
        if (line.bytes_n > line.text.n || line.text.n > 1000)
            buf_printf(&text, "%lld:[%zu of %zu]|", (long long)line.number, line.text.n,
                       line.bytes_n);
        else
            buf_printf(&text, "%lld:%.*s|", (long long)line.number, STR_ARG(line.text));
    }
    buf_text(&text, result == READ_END ? "end" : result == READ_WAIT ? "wait" : "error");
    buf_char(&text, '\0');
    return text.p;
}

static void check_file(struct str bytes, const char *want, const char *error)
{
    struct err e = {0};
    write_file(bytes);
    struct log_reader *r = log_reader_open(path, &e);
    CHECK_STR(str_of(lines_of(r, &e)), str_of(want));
    if (error && !strstr(e.text, error))
        CHECK_STR(str_of(e.text), str_of(error));
    CHECK_STR(str_of(lines_of(r, &e)), STR("end")); /* also after an error */
    log_reader_close(r);
}

static void gzip_append(struct buf *out, struct str in)
{
    z_stream z = {0};
    char *to = buf_reserve(out, in.n + 1024);
    deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
    z.next_in = (unsigned char *)(uintptr_t)in.p;
    z.avail_in = (unsigned)in.n;
    z.next_out = (unsigned char *)to;
    z.avail_out = (unsigned)in.n + 1024;
    CHECK_INT(deflate(&z, Z_FINISH), Z_STREAM_END);
    out->n += z.total_out;
    deflateEnd(&z);
}

static void zstd_append(struct buf *out, struct str in)
{
    char *to = buf_reserve(out, ZSTD_compressBound(in.n));
    out->n += ZSTD_compress(to, ZSTD_compressBound(in.n), in.p, in.n, 3);
}

static const struct {
    const char *in, *want;
} plain[] = {
    {"", "end"},
    {"a", "1:a|end"},
    {"a\n", "1:a|end"},
    {"a\nb", "1:a|2:b|end"},
    {"a\r\nb\r\n", "1:a|2:b|end"},
    {"a\rb\r", "1:a\rb|end"},
    {"\n\na\n\r\n \t\nb\n\n", "3:a|6:b|end"},
    {"\n", "end"},
    {" ", "end"},
    {"\xef\xbb\xbf{}\n\xef\xbb\xbf{}\n", "1:{}|2:\xef\xbb\xbf{}|end"},
    {"\xef\xbb\xbf", "end"},
    {"(\xb5/", "1:(\xb5/|end"},
};

static void check_plain(void)
{
    for (size_t i = 0; i < sizeof plain / sizeof plain[0]; i++)
        check_file(str_of(plain[i].in), plain[i].want, NULL);
    check_file((struct str){"a\0b\nc", 5}, "1:a|2:c|end", NULL); /* %s shows no more */
}

static void check_compressed(void (*append)(struct buf *, struct str), const char *name)
{
    struct buf file;
    char error[64];
    buf_init(&file, 1 << 24);
    append(&file, STR("one\ntwo\nthr"));
    size_t first = file.n;
    append(&file, STR("ee\nfour"));
    append(&file, STR(""));
    check_file(buf_str(&file), "1:one|2:two|3:three|4:four|end", NULL);
    snprintf(error, sizeof error, "%s data are cut off at byte %zu", name, first + 8);
    check_file((struct str){file.p, first + 8}, "1:one|2:two|error", error);
    snprintf(error, sizeof error, "damaged %s at byte", name);
    file.p[first] = '!';
    check_file((struct str){file.p, first + 8}, "1:one|2:two|error", error);
    check_file((struct str){file.p, first}, "1:one|2:two|3:thr|end", NULL);
    buf_deinit(&file);
}

static void check_oddities(void)
{
    struct buf file;
    buf_init(&file, 1 << 20);
    gzip_append(&file, STR("one\n"));
    size_t checksum = file.n - 8;
    buf_mem(&file, (char[512]){0}, 512);
    check_file(buf_str(&file), "1:one|end", NULL); /* padding of tapes */
    file.p[checksum] ^= 1;
    check_file(buf_str(&file), "1:one|error", "damaged gzip at byte");
    buf_clear(&file);
    buf_mem(&file, "\x50\x2a\x4d\x18\x03\0\0\0abc", 11); /* a skippable frame first */
    zstd_append(&file, STR("one\n"));
    check_file(buf_str(&file), "1:one|end", NULL);
    buf_deinit(&file);
}

/* Every size around the buffer's and the limit's. */
static void check_long(void)
{
    static const size_t sizes[] = {256 * 1024 - 1, 256 * 1024, 256 * 1024 + 1, 3000000,
                                   LOG_LINE_BYTES_MAX};
    char want[128];
    struct buf file;
    buf_init(&file, 64 << 20);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        buf_clear(&file);
        memset(buf_reserve(&file, sizes[i]), 'x', sizes[i]);
        file.n = sizes[i];
        buf_text(&file, "\nshort\n");
        snprintf(want, sizeof want, "1:[%zu of %zu]|2:short|end", sizes[i], sizes[i]);
        check_file(buf_str(&file), want, NULL);
    }
    buf_clear(&file);
    size_t huge = 40 << 20;
    buf_text(&file, "short\n");
    memset(buf_reserve(&file, huge), 'x', huge);
    file.n += huge;
    snprintf(want, sizeof want, "1:short|2:[4096 of %zu]|end", huge);
    check_file(buf_str(&file), want, NULL);
    buf_text(&file, "\r\nshort\r\n");
    snprintf(want, sizeof want, "1:short|2:[4096 of %zu]|3:short|end", huge);
    check_file(buf_str(&file), want, NULL);
    buf_deinit(&file);
}

/* A pipe that pauses within the magic, within a line and at its end. */
static void check_pipe(void)
{
    struct err e = {0};
    int ends[2], saved = dup(STDIN_FILENO);
    if (pipe(ends) || dup2(ends[0], STDIN_FILENO) < 0)
        abort();
    close(ends[0]);
    struct log_reader *r = log_reader_open("-", &e);
    static const struct {
        const char *said, *want;
    } steps[] = {{"", "wait"},
                 {"o", "wait"},
                 {"ne\ntw", "1:one|wait"},
                 {"o\n", "2:two|wait"},
                 {"x", "wait"}};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        CHECK_INT(write(ends[1], steps[i].said, strlen(steps[i].said)),
                  (long long)strlen(steps[i].said));
        CHECK_STR(str_of(lines_of(r, &e)), str_of(steps[i].want));
    }
    close(ends[1]);
    CHECK_STR(str_of(lines_of(r, &e)), STR("3:x|end"));
    CHECK(!log_bytes_regular(log_reader_bytes(r)));
    log_reader_close(r);
    dup2(saved, STDIN_FILENO);
    close(saved);
}

static void check_progress(void)
{
    struct err e = {0};
    int64_t read_bytes, total_bytes;
    write_file(STR("one\ntwo\n"));
    struct log_reader *r = log_reader_open(path, &e);
    log_bytes_progress(log_reader_bytes(r), &read_bytes, &total_bytes);
    CHECK_INT(read_bytes, 0);
    (void)lines_of(r, &e);
    log_bytes_progress(log_reader_bytes(r), &read_bytes, &total_bytes);
    CHECK_INT(read_bytes, 8);
    CHECK_INT(total_bytes, 8);
    CHECK(log_bytes_regular(log_reader_bytes(r)));
    log_reader_close(r);
}

static void check_unreadable(void)
{
    struct err e = {0};
    CHECK(!log_reader_open("/nowhere/log.jsonl", &e));
    CHECK_STR(str_of(e.text),
              STR("cannot read /nowhere/log.jsonl: No such file or directory"));
    err_clear(&e);
    CHECK(!log_reader_open(dir, &e));
    CHECK(strstr(e.text, "it is a directory; name its files"));
    CHECK_INT(e.kind, ERR_INPUT);
}

int main(void)
{
    if (!mkdtemp(dir))
        abort();
    snprintf(path, sizeof path, "%s/log", dir);
    check_plain();
    check_compressed(gzip_append, "gzip");
    check_compressed(zstd_append, "zstd");
    check_oddities();
    check_long();
    check_pipe();
    check_progress();
    check_unreadable();
    unlink(path);
    rmdir(dir);
    return check_result();
}
