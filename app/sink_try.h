/* One marked message to a sink, and what the receiver answered: whether address and key are right. */
#ifndef APP_SINK_TRY_H
#define APP_SINK_TRY_H

#include "config/config.h"

/* Sends it now, without the outbox, and says on stdout what came of it; `json`: as one object. The exit code of the
 * verb: fine, findings (the receiver refuses it, or a secret cannot be read), runtime (no answer). */
int sink_try(const struct sink_config *sink, bool json);

#endif
