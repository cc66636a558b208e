/* An address is looked at after the name was resolved and before a socket is made for it, each time: a name that
 * leads elsewhere the next time gains nothing. A connection that is used again is looked at again, since another
 * sink, which may reach more, may have made it. */
#include "sinks/reach.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <unistd.h>

#define SET(easy, option, value) must(curl_easy_setopt(easy, option, value) == CURLE_OK)

static void must(bool ok)
{
    assert(ok);
}

static bool may_reach(struct reach *r, const struct sockaddr *address)
{
    if (r->proxied)
        return true;
    bool may = network_allows(r->network, str_of(r->host), address);
    r->allowed |= may;
    r->refused |= !may;
    return may;
}

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    (void)purpose;
    if (!may_reach(arg, &a->addr))
        return CURL_SOCKET_BAD;
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

bool reach_may_send(struct reach *r, const char *address)
{
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    if (inet_pton(AF_INET, address, &four.sin_addr) == 1)
        return may_reach(r, (const struct sockaddr *)&four);
    bool known = inet_pton(AF_INET6, address, &six.sin6_addr) == 1;
    return (known || r->proxied) && may_reach(r, (const struct sockaddr *)&six);
}

bool reach_is_refused(const struct reach *r)
{
    return r->refused && !r->allowed;
}

/* As libcurl reads it, so that both mean the same host. */
static bool take_host(struct reach *r, const char *url)
{
    char *host = NULL;
    CURLU *parts = curl_url();
    assert(parts);
    bool fine = curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
                curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK;
    size_t n = fine ? strlen(host) : 0;
    bool brackets = n > 1 && host[0] == '[' && host[n - 1] == ']';
    fine = fine && n > 0 && n < sizeof r->host;
    if (fine) {
        n -= brackets ? 2 : 0;
        memcpy(r->host, host + brackets, n);
        r->host[n] = '\0';
    }
    curl_free(host);
    curl_url_cleanup(parts);
    return fine;
}

static char *copy(struct str s)
{
    char *p = strndup(s.n ? s.p : "", s.n);
    assert(p);
    return p;
}

/* One file of certificates, the sink's or the system's. A folder beside it would be trusted as well, and keep
 * libcurl from reading the file but once. */
static void say_trust(CURL *easy, const char *ca_file)
{
    const char *systems = curl_version_info(CURLVERSION_NOW)->cainfo;
    if (*ca_file) {
        SET(easy, CURLOPT_CAINFO, ca_file);
        SET(easy, CURLOPT_PROXY_CAINFO, ca_file);
    }
    if (*ca_file || (systems && access(systems, R_OK) == 0)) {
        SET(easy, CURLOPT_CAPATH, NULL);
        SET(easy, CURLOPT_PROXY_CAPATH, NULL);
    }
}

static void say_way(struct reach *r, CURL *easy, struct str proxy)
{
    char *proxy_text = copy(proxy), *ca_file = copy(r->network->ca_file);
    SET(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    SET(easy, CURLOPT_OPENSOCKETDATA, r);
    SET(easy, CURLOPT_PROXY, proxy_text);
    SET(easy, CURLOPT_NOPROXY, "");
    say_trust(easy, ca_file);
    free(proxy_text);
    free(ca_file);
}

int reach_begin(struct reach *r, CURL *easy, const struct network *network,
                struct str url, struct str proxy, struct err *e)
{
    char *text = copy(url);
    *r = (struct reach){.network = network, .proxied = proxy.n > 0};
    bool fine = take_host(r, text);
    free(text);
    if (!fine)
        return err_set(e, ERR_REFUSED, "the url is no address");
    say_way(r, easy, proxy);
    return 0;
}
