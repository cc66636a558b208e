/* TLS to Redis, where hiredis was built with it (libhiredis_ssl, from 1.0 on). The handshake is OpenSSL's own and not hiredis's, which
 * checks who signed a certificate and not for whom. Files are read for every connection: they may be changed. */
#include "windows/redis_link_impl.h"

#ifndef TICKETWATCH_REDIS_TLS

bool redis_has_tls(void)
{
    return false;
}

int redis_secure(const struct redis_target *target, redisContext *c, const char *host,
                 struct err *e)
{
    (void)target, (void)c, (void)host;
    return err_set(e, ERR_REFUSED, "redis.url: this build has no TLS for Redis");
}

#else

#include <arpa/inet.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

bool redis_has_tls(void)
{
    return true;
}

static int refuse(const char *what, struct str file, struct err *e)
{
    char why[256];
    ERR_error_string_n(ERR_get_error(), why, sizeof why);
    return err_set(e, ERR_REFUSED, "redis.%s: %.*s cannot be used: %s", what,
                   STR_ARG(file), why);
}

/* Texts of the target have a NUL after them. */
static int load(SSL_CTX *ctx, const struct redis_target *t, struct err *e)
{
    if (t->ca_file.n ? !SSL_CTX_load_verify_locations(ctx, t->ca_file.p, NULL)
                     : !SSL_CTX_set_default_verify_paths(ctx))
        return refuse("ca_file", t->ca_file, e);
    if (t->cert_file.n && SSL_CTX_use_certificate_chain_file(ctx, t->cert_file.p) != 1)
        return refuse("cert_file", t->cert_file, e);
    if (t->key_file.n &&
        SSL_CTX_use_PrivateKey_file(ctx, t->key_file.p, SSL_FILETYPE_PEM) != 1)
        return refuse("key_file", t->key_file, e);
    return 0;
}

static bool expect(SSL *ssl, const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];
    bool is_address =
        inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
    SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
    if (is_address)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    return SSL_set_tlsext_host_name(ssl, host) == 1 && SSL_set1_host(ssl, host) == 1;
}

int redis_secure(const struct redis_target *target, redisContext *c, const char *host,
                 struct err *e)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = NULL;
    int result = -1;
    if (!ctx || !SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION))
        err_set(e, ERR_REFUSED, "redis.url: TLS cannot be set up");
    else if (load(ctx, target, e) == 0 && (ssl = SSL_new(ctx)) && expect(ssl, host))
        result = redisInitiateSSL(c, ssl) == REDIS_OK ? 0 : -1; /* then it owns ssl */
    long trust = result && ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
    if (trust != X509_V_OK)
        err_set(e, ERR_REFUSED, "Redis at %s: its certificate is not trusted: %s", host,
                X509_verify_cert_error_string(trust));
    if (result && ssl)
        SSL_free(ssl);
    if (ctx)
        SSL_CTX_free(ctx);
    return result;
}

#endif
