/* Alerts of the watcher's own, of no rule: a test, a heartbeat, a sink that fails. */
#ifndef APP_OWN_ALERT_H
#define APP_OWN_ALERT_H

#include "core/alert.h"

/* Firing, now, with an id of its own; the texts are borrowed. */
void own_alert(struct alert *out, struct str rule, struct str key_name,
               struct str key_value, struct str summary);

#endif
