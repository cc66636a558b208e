#include "consumer/names.h"

#include <assert.h>

void names_init(struct names *names)
{
    memset(names, 0, sizeof *names);
    for (int i = 0; i < NAMES_SIZE; i++)
        names->slots[i].value = -1;
    for (size_t n = 0; n <= NAME_BYTES_MAX; n++)
        memset(names->masks[n], 0xff, n);
}

int names_add(struct names *names, size_t scope, const char *name, int value)
{
    char padded[NAME_BYTES_MAX + 1] = "";
    size_t n = strlen(name);
    assert(n <= NAME_BYTES_MAX && names->used < NAMES_MAX);
    memcpy(padded, name, n);
    struct name key = names_key(names, scope, padded, n);
    size_t i = names_slot(names, &key);
    if (names->slots[i].value >= 0)
        return names->slots[i].value;
    key.value = value;
    names->slots[i] = key;
    names->used++;
    return value;
}
