/* Secrets and certificates of Kafka that stand in files. librdkafka reads them when a client is made; who looks here from time to
 * time knows when to make another. */
#include <stdio.h>
#include <xxhash.h>

#include "consumer/source.h"

static uint64_t add_file(uint64_t hash, const char *path)
{
    char part[4096];
    size_t n;
    FILE *f = fopen(path, "re");
    if (!f)
        return hash + 1;
    while ((n = fread(part, 1, sizeof part, f)) > 0)
        hash = XXH3_64bits_withSeed(part, n, hash);
    fclose(f);
    return hash;
}

uint64_t kafka_files_hash(const struct pairs *properties)
{
    uint64_t hash = 0;
    for (size_t i = 0; i < properties->n; i++)
        if (str_ends(properties->names[i], STR("_file")) ||
            str_ends(properties->names[i], STR(".location")))
            hash = add_file(hash, properties->values[i].p);
    return hash;
}
