#include "consumer/partitions.h"

#include <assert.h>
#include <stdlib.h>

enum { TOPIC_BYTES_MAX = 512, DIGITS_MAX = 10 };

void partitions_init(struct partitions *p)
{
    *p = (struct partitions){0};
    index_init(&p->index);
}

void partitions_deinit(struct partitions *p)
{
    for (size_t i = 0; i < p->n; i++)
        free((void *)(uintptr_t)p->names[i].p);
    free(p->items);
    free(p->names);
    index_deinit(&p->index);
}

static void grow(struct partitions *p)
{
    if (p->n < p->capacity)
        return;
    p->capacity = p->capacity ? p->capacity * 2 : 16;
    p->items = realloc(p->items, p->capacity * sizeof *p->items);
    p->names = realloc(p->names, p->capacity * sizeof *p->names);
    assert(p->items && p->names);
}

static size_t add(struct partitions *p, struct str name, size_t topic_n, int32_t number)
{
    grow(p);
    char *copy = malloc(name.n + 1);
    assert(copy);
    memcpy(copy, name.p, name.n);
    copy[name.n] = '\0';
    p->names[p->n] = (struct str){copy, name.n};
    p->items[p->n] = (struct partition){{copy, topic_n}, number};
    (void)index_put(&p->index, p->names[p->n], p->n);
    return p->n++;
}

/* "topic/3"; by hand, as it is made for most records. */
static struct str name_of(struct str topic, int32_t number, char *out)
{
    char digits[DIGITS_MAX], *at = out + topic.n;
    int n = 0;
    do
        digits[n++] = (char)('0' + number % 10);
    while (number /= 10);
    memcpy(out, topic.p, topic.n);
    *at++ = '/';
    while (n)
        *at++ = digits[--n];
    return (struct str){out, (size_t)(at - out)};
}

bool partitions_is(const struct partitions *p, size_t slot, struct str topic,
                   int32_t number)
{
    return slot < p->n && p->items[slot].number == number &&
           str_eq(p->items[slot].topic, topic);
}

size_t partitions_slot(struct partitions *p, struct str topic, int32_t number)
{
    char name[TOPIC_BYTES_MAX + 1 + DIGITS_MAX];
    assert(number >= 0);
    if (partitions_is(p, p->last, topic, number))
        return p->last;
    if (topic.n > TOPIC_BYTES_MAX)
        topic.n = TOPIC_BYTES_MAX; /* no Kafka topic is so long */
    struct str text = name_of(topic, number, name);
    size_t slot = index_get(&p->index, text);
    p->last = slot != INDEX_NONE ? slot : add(p, text, topic.n, number);
    return p->last;
}

size_t partitions_file_slot(struct partitions *p, struct str path)
{
    size_t slot = index_get(&p->index, path);
    return slot != INDEX_NONE ? slot : add(p, path, 0, -1);
}
