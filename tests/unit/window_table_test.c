/* Windows that come and go in any order are found as long as they are there, also where their places crowd. */
#include <stdlib.h>

#include "tests/check.h"
#include "windows/window_table.h"

enum { KEYS = 3000, STEPS = 200000 };

struct object {
    struct window_id id;
    int64_t key;
};

static struct window_table table;
static uint32_t numbers[KEYS]; /* 0: not there */

/* Few places for many, some at the end of the table, and the bytes that choose them are the same. */
static struct window_id id_of(int key)
{
    struct window_id id = {{(char)(key % 7 - 4), (char)(key % 5 - 2)}};
    memcpy(id.bytes + sizeof id.bytes - sizeof key, &key, sizeof key);
    return id;
}

static void check(int key)
{
    struct window_id id = id_of(key);
    uint32_t number = window_table_find(&table, &id);
    CHECK_INT(number, numbers[key]);
    if (number)
        CHECK_INT(((struct object *)window_table_at(&table, number))->key, key);
}

static void add(int key)
{
    struct window_id id = id_of(key);
    numbers[key] = window_table_add(&table, &id);
    struct object *o = window_table_at(&table, numbers[key]);
    CHECK(memcmp(&o->id, &id, sizeof id) == 0 && o->key == 0);
    o->key = key;
}

static void take_out(int key)
{
    window_table_remove(&table, numbers[key]);
    numbers[key] = 0;
}

/* Some hundreds at a time, and now and then all or none. */
static void come_and_go(void)
{
    for (int i = 0; i < STEPS; i++) {
        int most = i / 20000 % 2 ? 40 : KEYS, key = rand() % most;
        check(key);
        if (numbers[key])
            take_out(key);
        else if (table.n < 400)
            add(key);
        check(key);
        check(rand() % KEYS);
    }
    for (int key = 0; key < KEYS; key++) {
        check(key);
        if (numbers[key])
            take_out(key);
    }
    CHECK_INT(table.n, 0);
}

int main(void)
{
    window_table_init(&table, sizeof(struct object));
    check(0);
    srand(1);
    come_and_go();
    for (int key = 0; key < KEYS; key++)
        add(key);
    for (int key = 0; key < KEYS; key++)
        check(key);
    window_table_deinit(&table);
    return check_result();
}
