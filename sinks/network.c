/* IANA's registries of special-purpose addresses, and where clouds keep their metadata:
 * https://www.iana.org/assignments/iana-ipv4-special-registry, iana-ipv6-special-registry. All are compared as
 * IPv6, IPv4 as ::ffff:a.b.c.d; the longest prefix decides. */
#include "sinks/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <strings.h>

enum kind { PUBLIC, PRIVATE, SPECIAL, CARRIES_IPV4 };

enum { ADDRESS_BYTES = 16, V4_BITS = 96, WORD_BYTES = 256 };

struct prefix {
    unsigned char bytes[ADDRESS_BYTES];
    int bits;
};

static const struct row {
    const char *address;
    int bits;
    enum kind kind;
    int at; /* CARRIES_IPV4: in which byte it begins */
} rows[] = {
    {"0.0.0.0", 8, SPECIAL, 0},
    {"10.0.0.0", 8, PRIVATE, 0},
    {"100.64.0.0", 10, PRIVATE, 0},
    {"100.100.100.200", 32, SPECIAL, 0}, /* Alibaba's metadata */
    {"127.0.0.0", 8, PRIVATE, 0},
    {"168.63.129.16", 32, SPECIAL, 0}, /* Azure's host */
    {"169.254.0.0", 16, SPECIAL, 0},
    {"172.16.0.0", 12, PRIVATE, 0},
    {"192.0.0.0", 24, SPECIAL, 0}, /* Oracle's metadata */
    {"192.0.2.0", 24, SPECIAL, 0},
    {"192.168.0.0", 16, PRIVATE, 0},
    {"198.18.0.0", 15, PRIVATE, 0},
    {"198.51.100.0", 24, SPECIAL, 0},
    {"203.0.113.0", 24, SPECIAL, 0},
    {"224.0.0.0", 4, SPECIAL, 0},
    {"240.0.0.0", 4, SPECIAL, 0},
    {"::", 96, CARRIES_IPV4, 12},
    {"::", 128, SPECIAL, 0},
    {"::1", 128, PRIVATE, 0},
    {"64:ff9b::", 96, CARRIES_IPV4, 12},
    {"64:ff9b:1::", 48, SPECIAL, 0},
    {"100::", 64, SPECIAL, 0},
    {"2001::", 32, SPECIAL, 0}, /* Teredo */
    {"2001:db8::", 32, SPECIAL, 0},
    {"2002::", 16, CARRIES_IPV4, 2}, /* 6to4 */
    {"fc00::", 7, PRIVATE, 0},
    {"fd00:ec2::254", 128, SPECIAL, 0}, /* Amazon's metadata */
    {"fd20:ce::254", 128, SPECIAL, 0},  /* Google's */
    {"fe80::", 10, SPECIAL, 0},
    {"fec0::", 10, SPECIAL, 0},
    {"ff00::", 8, SPECIAL, 0},
};

static void map_ipv4(const unsigned char *v4, unsigned char out[ADDRESS_BYTES])
{
    memset(out, 0, ADDRESS_BYTES);
    out[10] = out[11] = 0xff;
    memmove(out + 12, v4, 4);
}

/* How many bits it has, counted as IPv6; 0: no address. */
static int parse(const char *text, unsigned char out[ADDRESS_BYTES])
{
    unsigned char v4[4];
    if (inet_pton(AF_INET6, text, out) == 1)
        return 128;
    if (inet_pton(AF_INET, text, v4) != 1)
        return 0;
    map_ipv4(v4, out);
    return 32;
}

/* "10.0.0.0/8", or one address. */
static bool parse_prefix(struct str word, struct prefix *out)
{
    char text[WORD_BYTES], *end, *slash;
    if (word.n == 0 || word.n >= sizeof text)
        return false;
    memcpy(text, word.p, word.n);
    text[word.n] = '\0';
    if ((slash = strchr(text, '/')))
        *slash = '\0';
    int most = parse(text, out->bytes);
    out->bits = most;
    if (most && slash) {
        long bits = strtol(slash + 1, &end, 10);
        if (slash[1] < '0' || slash[1] > '9' || *end || bits > most)
            return false;
        out->bits = (int)bits;
    }
    out->bits += most == 32 ? V4_BITS : 0;
    return most > 0;
}

static bool is_in(const unsigned char *address, const unsigned char *prefix, int bits)
{
    int whole = bits / 8, rest = bits % 8;
    unsigned mask = 0xffu << (8 - rest) & 0xffu;
    return memcmp(address, prefix, (size_t)whole) == 0 &&
           (rest == 0 || ((unsigned)address[whole] & mask) == (prefix[whole] & mask));
}

static enum kind kind_of(const unsigned char address[ADDRESS_BYTES])
{
    const struct row *best = NULL;
    int best_bits = -1;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct prefix p;
        int bits = rows[i].bits + (parse(rows[i].address, p.bytes) == 32 ? V4_BITS : 0);
        if (bits > best_bits && is_in(address, p.bytes, bits)) {
            best = &rows[i];
            best_bits = bits;
        }
    }
    if (!best || best->kind != CARRIES_IPV4)
        return best ? best->kind : PUBLIC;
    unsigned char carried[ADDRESS_BYTES];
    map_ipv4(address + best->at, carried);
    return kind_of(carried);
}

/* ---- what the operator says ---- */

static struct str without_dot(struct str host)
{
    host.n -= host.n && host.p[host.n - 1] == '.';
    return host;
}

static bool same_host(struct str a, struct str b)
{
    a = without_dot(a), b = without_dot(b);
    return a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

static bool is_host(struct str word)
{
    for (size_t i = 0; i < word.n; i++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._",
                    word.p[i]))
            return false;
    return word.n > 0 && word.n < WORD_BYTES;
}

int network_check_word(struct str word, struct err *e)
{
    struct prefix p;
    return parse_prefix(word, &p) || is_host(word)
               ? 0
               : err_set(e, ERR_INPUT,
                         "expected true, a host, an address or a network (10.0.0.0/8)");
}

static bool network_is_allowed(const struct network *n, const unsigned char *address)
{
    struct prefix p;
    for (size_t i = 0; i < n->allow_private.n; i++)
        if (parse_prefix(n->allow_private.items[i], &p) &&
            is_in(address, p.bytes, p.bits))
            return true;
    return false;
}

/* The operator's own word: the address itself, or the host by its name. */
static bool host_is_allowed(const struct network *n, struct str host)
{
    struct prefix literal;
    if (parse_prefix(host, &literal))
        return true;
    for (size_t i = 0; i < n->allow_private.n; i++)
        if (str_is(n->allow_private.items[i], "true") ||
            same_host(n->allow_private.items[i], host))
            return true;
    return false;
}

bool network_allows(const struct network *n, struct str host,
                    const struct sockaddr *address)
{
    unsigned char bytes[ADDRESS_BYTES];
    if (address->sa_family == AF_INET)
        map_ipv4(
            (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr,
            bytes);
    else if (address->sa_family == AF_INET6)
        memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
               sizeof bytes);
    else
        return false;
    enum kind kind = kind_of(bytes);
    return kind == PUBLIC || network_is_allowed(n, bytes) ||
           (kind == PRIVATE && host_is_allowed(n, host));
}
