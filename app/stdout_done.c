#include "app/stdout_done.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool stdout_done(void)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    if (errno == EPIPE)
        return true;
    fprintf(stderr, "ticketwatch: stdout: not everything could be written: %s\n",
            strerror(errno));
    return false;
}
