#include "consumer/names.h"

#include <assert.h>

void names_init(struct names *names)
{
    memset(names, 0, sizeof *names);
    for (int i = 0; i < NAMES_SIZE; i++)
        names->slots[i].value = -1;
    for (size_t n = 0; n <= NAME_BYTES; n++)
        memset(names->masks[n], 0xff, n);
}

int names_add(struct names *names, size_t scope, const char *name, int value)
{
    char padded[NAME_BYTES] = "";
    size_t n = strlen(name);
    assert(names->used < NAMES_MAX);
    memcpy(padded, name, n < NAME_BYTES ? n : NAME_BYTES);
    struct name *slot = &names->slots[names_slot(names, scope, padded, n)];
    if (slot->value >= 0)
        return (int)slot->value;
    *slot = (struct name){.low = names_word(padded),
                          .high = names_word(padded + 8),
                          .scope_and_n = scope << 32 ^ n,
                          .value = value};
    names->used++;
    return value;
}
