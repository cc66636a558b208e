#include "core/fault.h"

#ifdef TICKETWATCH_FAULTS

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { POINTS_MAX = 16, NAME_BYTES = 64 };

struct point {
    char name[NAME_BYTES];
    long at; /* the passing at which it strikes */
    int signal;
    atomic_long passed;
};

static struct point points[POINTS_MAX];
static size_t points_n;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* A misspelt fault would be a test that cannot fail. */
static void misspelt(const char *text)
{
    fprintf(stderr, "TICKETWATCH_FAULT: cannot read '%s'\n", text);
    abort();
}

static const char *read_point(const char *text)
{
    char what[8] = "";
    int used = 0;
    struct point *p = &points[points_n];
    if (points_n == POINTS_MAX ||
        sscanf(text, "%63[^:,]:%ld:%7[a-z]%n", p->name, &p->at, what, &used) != 3 ||
        (strcmp(what, "kill") != 0 && strcmp(what, "stop") != 0))
        misspelt(text);
    p->signal = what[0] == 'k' ? SIGKILL : SIGSTOP;
    points_n++;
    return text + used;
}

static void read_points(void)
{
    const char *text = getenv("TICKETWATCH_FAULT");
    while (text && *text) {
        text = read_point(text);
        if (*text != '\0' && *text++ != ',')
            misspelt(text);
    }
}

static bool names(const struct point *p, const char *name, struct str what)
{
    size_t n = strlen(name);
    if (what.n == 0)
        return strcmp(p->name, name) == 0;
    return strncmp(p->name, name, n) == 0 && p->name[n] == '.' &&
           str_is(what, p->name + n + 1);
}

/* What stands behind the word in the list that the environment has; NULL: it is not there. */
static const char *behind(const char *variable, const char *word)
{
    size_t n = strlen(word);
    for (const char *at = getenv(variable); at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, word, n) == 0 && strchr(",:", at[n]))
            return at + n;
    }
    return NULL;
}

void fault_point(const char *name, struct str what)
{
    pthread_once(&once, read_points);
    if (behind("TICKETWATCH_TELL", name))
        fprintf(stderr, "passed=%s\n", name);
    for (size_t i = 0; i < points_n; i++) {
        if (!names(&points[i], name, what) ||
            atomic_fetch_add(&points[i].passed, 1) + 1 != points[i].at)
            continue;
        fprintf(stderr, "fault=%s passing=%ld signal=%d\n", points[i].name, points[i].at,
                points[i].signal);
        raise(points[i].signal);
    }
}

bool fault_off(const char *rule)
{
    return behind("TICKETWATCH_OFF", rule) != NULL;
}

int64_t fault_number(const char *name)
{
    const char *said = behind("TICKETWATCH_SET", name);
    return said && *said == ':' ? strtoll(said + 1, NULL, 10) : 0;
}

#endif
