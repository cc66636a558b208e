/* Faults for tests/faults: compiled in with -DTICKETWATCH_FAULTS (CMake does so for builds with sanitizers and
 * never for a release), and nothing at all without. Any thread.
 *
 *   TICKETWATCH_FAULT=post.before:3:kill,redis.after.apply:1:stop
 *       the process sends itself SIGKILL (SIGSTOP) when it passes that point for the third (first) time
 *   TICKETWATCH_OFF=exact_cursor,rewind
 *       these rules of the protocol do not hold: the suite must find what comes of it
 *   TICKETWATCH_TELL=journal.stale
 *       who passes these points says so on its standard error
 *   TICKETWATCH_SET=digest_within_ms:3000
 *       a number that the suite cannot wait for as it is */
#ifndef CORE_FAULT_H
#define CORE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/str.h"

#ifdef TICKETWATCH_FAULTS

void fault_point(const char *name, struct str what);
bool fault_off(const char *rule);
int64_t fault_number(const char *name);

#define FAULT_POINT(name) fault_point(name, STR_NONE)
/* A point "NAME.WHAT", for places that many things pass. */
#define FAULT_POINT_OF(name, what) fault_point(name, what)
#define FAULT_OFF(rule) fault_off(rule)
/* 0: as it is. */
#define FAULT_NUMBER(name) fault_number(name)

#else

#define FAULT_POINT(name) ((void)0)
#define FAULT_POINT_OF(name, what) ((void)0)
#define FAULT_OFF(rule) false
#define FAULT_NUMBER(name) 0

#endif

#endif
