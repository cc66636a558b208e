/* The alert itself as a body: what webhook, kafka, file and stdout send. Pure. */
#ifndef SINKS_ALERT_BODY_H
#define SINKS_ALERT_BODY_H

#include "sinks/sink.h"

enum { ALERT_BODY_ANY = 4 << 20 }; /* more than an alert ever has */

/* The alert as one line of JSON without an end, as it stands in the outbox; where that is longer than max_bytes, made
 * anew with its texts cut until it fits. In the arena. */
struct str alert_body(const struct sink_input *in, size_t max_bytes, struct arena *arena);

/* "<alert>_firing", "<alert>_escalated_high": what names this step of this alert, for good. An alert escalates once
 * to each severity. In the arena. */
struct str alert_step_id(const struct alert *a, struct arena *arena);

#endif
