/* Mustache, by the library kainjow::mustache, which is C++: a C function around it. Values are taken as they are: nothing
 * is escaped. https://mustache.github.io/mustache.5.html */
#ifndef SINKS_MUSTACHE_H
#define SINKS_MUSTACHE_H

#include <jansson.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The template filled in, to be freed; *n its bytes. `names` is an object of texts, truths, and lists of such objects. NULL
 * where the template is wrong: *error says how, to be freed. */
char *mustache_fill(const char *text, size_t text_n, const json_t *names, size_t *n,
                    char **error);

#ifdef __cplusplus
}
#endif

#endif
