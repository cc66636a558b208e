/* Carriers of lines: the request's body, which ends with a line break, to the file that its url names, or to
 * standard output. Done is what the system took whole, and of a file what is on the disk, unless the method says
 * otherwise. */
#ifndef SINKS_LINE_H
#define SINKS_LINE_H

#include "sinks/carrier.h"

#define LINE_DURABLY "APPEND"
#define LINE_LOOSELY "APPEND-NOSYNC"

extern const struct carrier line_to_file, line_to_stdout;

#endif
