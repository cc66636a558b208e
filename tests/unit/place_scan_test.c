/* Two threads find the partitions that one finds, in its order, wherever in a line the halves of the log meet. */
#include <unistd.h>

#include "consumer/place_scan.h"
#include "core/buf.h"
#include "tests/check.h"

enum { LINES = 11000, SHIFTS = 110 };

static char path[] = "/tmp/place-scan-XXXXXX";

/* A partition comes up every hundred lines, with every line about the middle; every seventieth names its own in another way. */
static void put_line(struct buf *out, int i)
{
    bool middle = i > LINES / 2 - 100 && i < LINES / 2 + 300;
    int partition = middle ? i : i % 100 == 0 ? i / 100 : i % 7;
    if (i % 50 == 3)
        buf_text(out, i % 100 == 3 ? "\n" : "broken\n");
    if (i % 70 == 5)
        buf_printf(out, "{\"kafka\":{\"topic\":\"t\",\"partition\":%d},\"id\":\"%d\"}\n",
                   partition + 20000, i);
    else
        buf_printf(out,
                   "{\"id\":\"%d\",\"text\":\"and so on and so on and so on\",\"kafka\":{"
                   "\"topic\":\"t\",\"partition\":%d,\"offset\":%d}}\n",
                   i, partition, i);
}

/* Its halves meet a byte later for each two of `shift`. */
static void write_log(int fd, int shift)
{
    struct buf text;
    buf_init(&text, 1 << 24);
    for (int i = 0; i < LINES; i++)
        put_line(&text, i);
    for (int i = 0; i < shift; i++)
        buf_char(&text, ' ');
    CHECK(text.n > 1 << 20);
    CHECK_INT(ftruncate(fd, 0), 0);
    CHECK_INT(pwrite(fd, text.p, text.n, 0), text.n);
    buf_deinit(&text);
}

static size_t names_by(int threads, struct buf *out)
{
    struct err e = {0};
    struct partitions partitions;
    struct place_scan scan;
    struct event_decoder *decoder = event_decoder_new(0, NULL);
    struct log_reader *reader = log_reader_open(path, &e);
    struct log_line first;
    partitions_init(&partitions);
    place_scan_init(&scan, decoder, &partitions);
    CHECK_INT(log_reader_next(reader, -1, &first, &e), READ_GOT);
    CHECK(place_scan_line(&scan, first.text));
    place_scan_rest(&scan, reader, path, threads);
    buf_clear(out);
    for (size_t i = 0; i < partitions.n; i++)
        buf_printf(out, "%.*s ", STR_ARG(partitions.names[i]));
    size_t n = partitions.n;
    place_scan_deinit(&scan);
    partitions_deinit(&partitions);
    log_reader_close(reader);
    event_decoder_free(decoder);
    return n;
}

int main(void)
{
    int fd = mkstemp(path);
    struct buf one, two;
    buf_init(&one, 1 << 16);
    buf_init(&two, 1 << 16);
    for (int shift = 0; shift < 2 * SHIFTS && !check_failures; shift += 2) {
        write_log(fd, shift);
        CHECK(names_by(1, &one) > 400);
        (void)names_by(2, &two);
        CHECK_STR(buf_str(&two), buf_str(&one));
    }
    buf_deinit(&one);
    buf_deinit(&two);
    close(fd);
    unlink(path);
    return check_result();
}
