/* The carrier of e-mail: the request's body, a whole message, to its mail's recipients by the SMTP server that its url
 * names. */
#ifndef SINKS_SMTP_H
#define SINKS_SMTP_H

#include "sinks/carrier.h"

extern const struct carrier smtp_carrier;

#endif
