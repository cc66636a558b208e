#include "config/listen_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>

enum { HOST_BYTES = INET6_ADDRSTRLEN, PORT_MAX = 65535 };

/* 0: it is none. */
static in_port_t read_port(struct str text)
{
    unsigned port = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < '0' || text.p[i] > '9' || port > PORT_MAX)
            return 0;
        port = port * 10 + (unsigned)(text.p[i] - '0');
    }
    return port <= PORT_MAX ? (in_port_t)port : 0;
}

/* What stands before the last colon; an address of version 6 in brackets. */
static bool split(struct str text, char host[HOST_BYTES], in_port_t *port, int *family)
{
    const char *colon = text.n ? memrchr(text.p, ':', text.n) : NULL;
    if (!colon)
        return false;
    struct str left = {text.p, (size_t)(colon - text.p)};
    struct str right = {colon + 1, text.n - left.n - 1};
    bool brackets = left.n > 2 && left.p[0] == '[' && left.p[left.n - 1] == ']';
    if (brackets)
        left = (struct str){left.p + 1, left.n - 2};
    *family = brackets ? AF_INET6 : AF_INET;
    *port = read_port(right);
    if (*port == 0 || left.n >= HOST_BYTES || memchr(left.p, '\0', left.n))
        return false;
    memcpy(host, left.p, left.n);
    host[left.n] = '\0';
    return true;
}

bool listen_address_parse(struct str text, struct listen_address *out)
{
    char host[HOST_BYTES];
    in_port_t port;
    int family;
    *out = (struct listen_address){0};
    if (!split(text, host, &port, &family))
        return false;
    if (family == AF_INET6) {
        struct sockaddr_in6 *to = (void *)&out->socket;
        *to = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
        out->bytes = sizeof *to;
        return inet_pton(AF_INET6, host, &to->sin6_addr) == 1;
    }
    struct sockaddr_in *to = (void *)&out->socket;
    *to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    out->bytes = sizeof *to;
    return inet_pton(AF_INET, host, &to->sin_addr) == 1;
}
