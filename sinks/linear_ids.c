/* Ids that are the same whoever makes them, and whenever: by them Linear knows what it has heard before. */
#include <stdio.h>
#include <xxhash.h>

#include "sinks/linear.h"

/* 128 bits as a UUID of version 4 (RFC 9562): six of them give way to version and
 * variant. */
static void uuid(const char *hex, char out[UUID_BYTES])
{
    static const char variants[] = "89ab";
    char v = hex[16];
    int nibble = v <= '9' ? v - '0' : v - 'a' + 10;
    snprintf(out, UUID_BYTES, "%.8s-%.4s-4%.3s-%c%.3s-%.12s", hex, hex + 8, hex + 13,
             variants[nibble & 3], hex + 17, hex + 20);
}

static void uuid_of(const char *name, char out[UUID_BYTES])
{
    char hex[33];
    XXH128_hash_t h = XXH3_128bits(name, strlen(name));
    snprintf(hex, sizeof hex, "%016llx%016llx", (unsigned long long)h.high64,
             (unsigned long long)h.low64);
    uuid(hex, out);
}

void linear_issue_id(const struct alert *a, char out[UUID_BYTES])
{
    uuid(a->id, out);
}

void linear_comment_id(const struct alert *a, char out[UUID_BYTES])
{
    char name[128];
    snprintf(name, sizeof name, "linear comment %s %s %s", a->id,
             alert_state_name(a->state), severity_name(a->severity));
    if (a->state == ALERT_REMINDER)
        snprintf(name, sizeof name, "linear comment %s reminder %lld", a->id,
                 (long long)a->reminder);
    uuid_of(name, out);
}

void linear_reopening_id(const struct alert *a, char out[UUID_BYTES])
{
    char name[128];
    snprintf(name, sizeof name, "linear reopening %s", a->id);
    uuid_of(name, out);
}

void linear_relation_id(const struct alert *a, char out[UUID_BYTES])
{
    char name[128];
    snprintf(name, sizeof name, "linear relation %s", a->id);
    uuid_of(name, out);
}
