/* The partitions that a source knows: dense slots and names such as "topic/3", both stable for its
 * life. One owner, one thread. */
#ifndef CONSUMER_PARTITIONS_H
#define CONSUMER_PARTITIONS_H

#include <stdint.h>

#include "core/index.h"
#include "core/str.h"

struct partition {
    struct str topic; /* n == 0: a file that is one partition */
    int32_t number;   /* -1 for a file */
};

struct partitions {
    struct partition *items; /* by slot */
    struct str *names;       /* by slot; the texts stay where they are when this grows */
    size_t n, capacity;
    struct index index; /* name -> slot */
    size_t last;        /* found last: records come in runs */
};

void partitions_init(struct partitions *p);
void partitions_deinit(struct partitions *p);

/* The slot of a topic's partition; made if it is new. */
size_t partitions_slot(struct partitions *p, struct str topic, int32_t number);
/* Whether that is the partition's slot. */
bool partitions_is(const struct partitions *p, size_t slot, struct str topic,
                   int32_t number);
/* The slot of a file that is one partition. */
size_t partitions_file_slot(struct partitions *p, struct str path);

#endif
