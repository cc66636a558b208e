/* A sink's request as people read it. */
#ifndef APP_REQUEST_TEXT_H
#define APP_REQUEST_TEXT_H

#include "sinks/sink.h"

/* On stdout: where it goes, its body, and each text of several lines once more as it reads. Headers are
 * left out: they hold keys. As JSON: {"method", "url", "body"}. */
void request_text_print(const struct request *r, bool json);

#endif
