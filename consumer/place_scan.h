/* Which partitions the lines of recorded logs name: all of them are to be known before the first event counts. */
#ifndef CONSUMER_PLACE_SCAN_H
#define CONSUMER_PLACE_SCAN_H

#include "consumer/event_decode.h"
#include "consumer/line_places.h"
#include "consumer/log_reader.h"
#include "consumer/partitions.h"

struct place_scan {
    struct event_decoder *decoder; /* borrowed, as the next */
    struct partitions *partitions;
    struct line_places places;
    struct arena scratch;
};

void place_scan_init(struct place_scan *s, struct event_decoder *decoder,
                     struct partitions *partitions);
void place_scan_deinit(struct place_scan *s);

/* Makes the partition that the line names; false: it names none. */
bool place_scan_line(struct place_scan *s, struct str line);
/* The same for all lines that follow, in their order. What cannot be read is passed over: it is met again. With two
 * threads another one looks at the second half meanwhile, if the log is a plain file. */
void place_scan_rest(struct place_scan *s, struct log_reader *reader, const char *path,
                     int threads);

#endif
