/* What is remembered of the line before never tells another partition than looking at the whole line does. */
#include "consumer/line_places.h"

#include <stdlib.h>

#include "tests/check.h"

enum { LINES = 20000, LINE_BYTES = 400 };

static const char *const topics[] = {"t", "support.tickets", "a{b", "x,y"};

/* One of some forty partitions, mostly told as a recorded log does, and its number. */
static struct str line_of(char out[LINE_BYTES], size_t *slot)
{
    static const char *const ends[] = {"}}", "}}",  "}}",          "}}",
                                       "}}", "}} ", "},\"x\":{}}", "}"};
    static const char *const names[] = {",\"kafka\":{", ",\"kafka\":{", ", \"kafka\": {",
                                        ",\"kafka2\":{"};
    int topic = rand() % 4, partition = rand() % 13;
    *slot = (size_t)(topic * 13 + partition);
    int n = snprintf(out, LINE_BYTES,
                     "{\"id\":\"e%d\"%s\"topic\":\"%s\",\"partition\":%d%s\"offset\":%d%s%s%s",
                     rand() % 1000, names[rand() % 4], topics[topic], partition,
                     rand() % 20 ? "," : ", ", rand() >> (rand() % 3 ? 20 : rand() % 31),
                     rand() % 4 ? ",\"timestamp\":1772409600123" : "",
                     rand() % 30 ? "" : ",\"more\":{\"partition\":1}", ends[rand() % 8]);
    return (struct str){out, (size_t)n};
}

/* With no line before it. */
static size_t find_whole(const struct line_places *p, struct str line)
{
    struct line_places copy = *p;
    copy.rest_n = copy.other_rest_n = 0;
    return line_places_find(&copy, line);
}

int main(void)
{
    struct line_places places;
    size_t known = 0, slot;
    line_places_init(&places);
    srand(7);
    for (int i = 0; i < LINES; i++) {
        char text[LINE_BYTES];
        struct str line = line_of(text, &slot);
        size_t whole = find_whole(&places, line), found = line_places_find(&places, line);
        CHECK_INT(found, whole);
        CHECK(found == INDEX_NONE || found == slot);
        known += found != INDEX_NONE;
        if (found == INDEX_NONE)
            line_places_learn(&places, line, slot);
    }
    CHECK(known > LINES / 8);
    line_places_deinit(&places);
    return check_result();
}
