/* Nearly every line ends like one before it, which is quickly seen (line_places.h). The other thread has tables of its own, and
 * keeps the few lines that told them something new: told again behind the first half they give the same partitions in the same
 * order. */
#include "consumer/place_scan.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

enum { SHARED_BYTES = 1 << 20 /* a smaller log is not worth a thread */ };

struct second_half {
    pthread_t thread;
    struct log_reader *reader;
    struct event_decoder *decoder;
    struct partitions partitions;
    struct place_scan scan;
    struct arena texts;
    struct str *news; /* lines */
    size_t news_n;
};

void place_scan_init(struct place_scan *s, struct event_decoder *decoder,
                     struct partitions *partitions)
{
    *s = (struct place_scan){.decoder = decoder, .partitions = partitions};
    line_places_init(&s->places);
    arena_init(&s->scratch);
}

void place_scan_deinit(struct place_scan *s)
{
    line_places_deinit(&s->places);
    arena_deinit(&s->scratch);
}

/* A line whose end tells nothing, or something new. */
static bool decode_line(struct place_scan *s, struct str line)
{
    struct recorded_position where;
    struct err ignored = {0}; /* the line is reported when it is read for good */
    arena_reset(&s->scratch);
    (void)event_position(s->decoder, line, &s->scratch, &where, &ignored);
    if (where.present)
        line_places_learn(&s->places, line,
                          partitions_slot(s->partitions, where.topic, where.partition));
    return where.present;
}

bool place_scan_line(struct place_scan *s, struct str line)
{
    return line_places_find(&s->places, line) != INDEX_NONE || decode_line(s, line);
}

static void scan_until(struct place_scan *s, struct log_reader *reader, int64_t end)
{
    struct log_line line;
    struct err ignored = {0};
    enum read_result result = READ_WAIT;
    while (log_reader_at(reader) < end &&
           (result = log_reader_next(reader, -1, &line, &ignored)) > READ_END)
        if (result == READ_GOT)
            (void)place_scan_line(s, line.text);
}

/* --- the second half --- */

static void keep_news(struct second_half *h, struct str line)
{
    h->news = realloc(h->news, (h->news_n + 1) * sizeof *h->news);
    assert(h->news);
    h->news[h->news_n++] = arena_str(&h->texts, line);
}

static void *scan_second_half(void *arg)
{
    struct second_half *h = arg;
    struct log_line line;
    struct err ignored = {0};
    enum read_result result;
    while ((result = log_reader_next(h->reader, -1, &line, &ignored)) > READ_END) {
        size_t known = h->partitions.n + h->scan.places.slots.n;
        if (result == READ_GOT && line.number > 1)
            (void)place_scan_line(&h->scan, line.text);
        if (h->partitions.n + h->scan.places.slots.n > known)
            keep_news(h, line.text);
    }
    return NULL;
}

static bool begin_second_half(struct second_half *h, const char *path, int64_t from)
{
    struct err ignored = {0};
    h->reader = log_reader_open_at(path, from, &ignored);
    h->decoder = event_decoder_new(0, NULL);
    partitions_init(&h->partitions);
    place_scan_init(&h->scan, h->decoder, &h->partitions);
    arena_init(&h->texts);
    return h->reader && pthread_create(&h->thread, NULL, scan_second_half, h) == 0;
}

static void end_second_half(struct second_half *h, struct place_scan *s, bool begun)
{
    if (begun)
        pthread_join(h->thread, NULL);
    for (size_t i = 0; i < h->news_n; i++)
        (void)place_scan_line(s, h->news[i]);
    free(h->news);
    arena_deinit(&h->texts);
    place_scan_deinit(&h->scan);
    partitions_deinit(&h->partitions);
    event_decoder_free(h->decoder);
    log_reader_close(h->reader);
}

void place_scan_rest(struct place_scan *s, struct log_reader *reader, const char *path,
                     int threads)
{
    const struct log_bytes *bytes = log_reader_bytes(reader);
    int64_t read_bytes, total_bytes;
    log_bytes_progress(bytes, &read_bytes, &total_bytes);
    if (threads < 2 || total_bytes < SHARED_BYTES || log_bytes_at(bytes) < 0) {
        scan_until(s, reader, INT64_MAX);
        return;
    }
    struct second_half h = {0};
    bool begun = begin_second_half(&h, path, total_bytes / 2);
    scan_until(s, reader, begun ? total_bytes / 2 : INT64_MAX);
    end_second_half(&h, s, begun);
}
