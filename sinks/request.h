/* Building requests and reading answers: what every sink does alike. What is made lives in the arena;
 * pure. */
#ifndef SINKS_REQUEST_H
#define SINKS_REQUEST_H

#include <jansson.h>

#include "sinks/sink.h"

/* What an address begins with: `words` of the options that are one. */
extern const char *const http_schemes[];

/* A secret that the sink cannot do without. ERR_REFUSED when it is unset or has a character that no
 * header or address may have (a stray line break). `what` names the option for the message. */
int request_secret(const struct sink_input *in, size_t index, const char *what,
                   struct str *out, struct err *e);

/* A POST of JSON to an http(s) address: sets method, url, content type, user agent and body. `body`
 * lives in the arena. ERR_REFUSED when the address is none. */
int request_post(struct request *out, struct arena *arena, struct str url,
                 struct str body, struct err *e);

/* A request whose body is that line and its end, and nothing else. */
void request_line_of(struct request *out, struct arena *arena, struct str line);

/* JSON as compact text in the arena. Takes the reference. */
struct str request_json(json_t *json, struct arena *arena);

/* "name: value"; neither may come from outside. */
void request_header(struct request *out, struct arena *arena, const char *name,
                    struct str value);

/* Members of JSON that is built. A text with broken UTF-8, which should not come this far, becomes
 * one U+FFFD. Takes the references to `value` and `element`. */
json_t *request_text(struct str text);
void request_set(json_t *object, const char *name, json_t *value);
void request_append(json_t *array, json_t *element);

/* A text from outside as one harmless plain line, at most max_units. */
json_t *request_line(struct str text, size_t max_units);

/* A buffer for one text of a request: more than any receiver takes. Free with buf_deinit. */
void request_buf(struct buf *b);

/* The answer; NULL where it is no JSON, or cut. json_decref. */
json_t *response_json(const struct response *response);

/* How long the receiver wants us to wait before we ask again, at most a day; 0: it does not say. By Retry-After, else
 * by when its limit begins anew: only where that was what it refused for. */
int64_t response_wish_ms(const struct response *response);

/* Appends the receiver's own error word to the reason, where it looks like one ("channel_not_found",
 * "RATELIMITED"): nothing else of an answer may be logged. */
void outcome_word(struct outcome *o, struct str word);

#endif
