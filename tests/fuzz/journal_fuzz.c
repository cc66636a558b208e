/* Fields of a journal as another program may have written them: folded or refused, and no more. */
#include "windows/mirror.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const struct str names[] = {STR("1 w rule"), STR("1 i"), STR("1 j"), STR("1"),
                                       STR("w")};
    struct mirror m;
    struct arena arena;
    struct mirror_window *out[16];
    struct str dead[16];
    mirror_init(&m, 60000);
    arena_init(&arena);
    struct reader r = {.in = {(const char *)data, n}};
    for (int64_t number = 1; r.in.n && number < 16; number++) {
        struct str name = names[reader_u8(&r) % (sizeof names / sizeof names[0])];
        struct str field = reader_bytes(&r, reader_u8(&r));
        (void)mirror_fold(&m, number, name, field);
    }
    m.now_ms = 100000; /* all of it is old */
    size_t some = mirror_judge(&m, m.domains[0], 0, true, 16, out);
    for (size_t i = 0; i < some; i++)
        for (const struct mirror_piece *p = out[i]->pieces; p; p = p->next) {
            struct journal_item item;
            mirror_piece(&m, p, &arena, &item);
        }
    (void)mirror_trim(&m, dead, mirror_dead(&m, 16, &arena, dead));
    mirror_deinit(&m);
    arena_deinit(&arena);
    return 0;
}
