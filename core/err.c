#include "core/err.h"

#include <stdarg.h>
#include <stdio.h>

int err_set(struct err *e, enum err_kind kind, const char *format, ...)
{
    if (e->kind != ERR_NONE)
        return -1;
    e->kind = kind;
    va_list args;
    va_start(args, format);
    vsnprintf(e->text, sizeof e->text, format, args);
    va_end(args);
    return -1;
}

void err_clear(struct err *e)
{
    e->kind = ERR_NONE;
    e->text[0] = '\0';
}
