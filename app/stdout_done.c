#include "app/stdout_done.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/verbs.h"

bool stdout_done(void)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    if (errno == EPIPE)
        return true;
    fprintf(stderr, "ticketwatch: stdout: not everything could be written%s%s\n",
            errno ? ": " : "", errno ? strerror(errno) : "");
    return false;
}

int usage_error(const char *verb, const char *option, const char *value,
                const char *wanted)
{
    fprintf(stderr, "ticketwatch %s: %s takes %s, not '%s'; see ticketwatch %s --help\n",
            verb, option, wanted, value, verb);
    return EXIT_USAGE;
}
