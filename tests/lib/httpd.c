/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/httpd.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "tests/lib/test.h"

enum { MAX_CONNECTIONS = 64 };

struct httpd {
    int fd;
    SSL_CTX *tls;
    pthread_t acceptor;
    struct connection {
        struct httpd *server;
        pthread_t thread;
        int fd;
        SSL *ssl;
    } connections[MAX_CONNECTIONS];
    _Atomic unsigned n, n_ended;
};

static ssize_t get(struct connection *c, char *bytes, size_t n)
{
    return c->ssl != NULL ? SSL_read(c->ssl, bytes, (int)n) : recv(c->fd, bytes, n, 0);
}

static bool put(struct connection *c, const char *bytes, size_t n)
{
    return c->ssl != NULL ? SSL_write(c->ssl, bytes, (int)n) > 0 : send(c->fd, bytes, n, MSG_NOSIGNAL) == (ssize_t)n;
}

static bool put_text(struct connection *c, const char *text)
{
    return put(c, text, strlen(text));
}

/* Reads one request with its body into `buf`; its length, 0 at the end. */
static size_t get_request(struct connection *c, char *buf, size_t size)
{
    size_t n = 0, wanted = SIZE_MAX;

    while (n < wanted) {
        ssize_t got = n + 1 < size ? get(c, buf + n, size - 1 - n) : -1;
        char *end, *length;

        if (got <= 0)
            return 0;
        n += (size_t)got;
        buf[n] = '\0';
        end = strstr(buf, "\r\n\r\n");
        length = strcasestr(buf, "\r\nContent-Length:");
        if (end != NULL)
            wanted = (size_t)(end + 4 - buf) + (length != NULL && length < end ? strtoul(length + 17, NULL, 10) : 0);
    }
    return n;
}

static bool reply(struct connection *c, int status, const char *body, size_t n)
{
    char head[256];

    (void)snprintf(head, sizeof head, "HTTP/1.1 %d Fine\r\nLocation: /echo\r\nX-Mark: here\r\nContent-Length: %zu\r\n\r\n", status, n);
    return put_text(c, head) && put(c, body, n);
}

static bool stall(struct connection *c)
{
    char byte;

    while (get(c, &byte, 1) > 0)
        continue;
    return false;
}

static bool huge(struct connection *c)
{
    static char chunk[4096 + 8];
    bool ok = put_text(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");

    memset(chunk, 'x', sizeof chunk);
    memcpy(chunk, "1000\r\n", 6);
    memcpy(chunk + 6 + 4096, "\r\n", 2);
    while (ok)
        ok = put(c, chunk, 6 + 4096 + 2);
    return false;
}

static bool many(struct connection *c)
{
    char line[64];
    bool ok = put_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n");

    for (int i = 0; i < 1000 && ok; i++) {
        (void)snprintf(line, sizeof line, "X-Header-%d: value\r\n", i);
        ok = put_text(c, line);
    }
    return ok && put_text(c, "\r\n");
}

static bool is_for(const char *request, const char *path)
{
    const char *at = strchr(request, ' ');

    return at != NULL && strncmp(at + 1, path, strlen(path)) == 0;
}

static bool answer(struct connection *c, const char *request, size_t n)
{
    char text[32];

    if (is_for(request, "/echo"))
        return strncmp(request, "HEAD", 4) == 0 ? put_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n") : reply(c, 200, request, n);
    if (is_for(request, "/count"))
        return reply(c, 200, text, (size_t)snprintf(text, sizeof text, "%u", c->server->n));
    if (is_for(request, "/status/"))
        return reply(c, atoi(strchr(request, ' ') + 9), "", 0);
    if (is_for(request, "/huge"))
        return huge(c);
    if (is_for(request, "/length"))
        return put_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n") && stall(c);
    if (is_for(request, "/stall"))
        return stall(c);
    if (is_for(request, "/half"))
        return put_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello") && stall(c);
    if (is_for(request, "/cut"))
        (void)put_text(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello");
    if (is_for(request, "/many"))
        return many(c);
    if (is_for(request, "/die"))
        (void)shutdown(c->server->fd, SHUT_RDWR);
    return false;
}

static void *serve(void *data)
{
    struct connection *c = data;
    char *buf = malloc(1 << 20);
    size_t n;

    if (c->server->tls != NULL) {
        c->ssl = SSL_new(c->server->tls);
        (void)SSL_set_fd(c->ssl, c->fd);
    }
    if (c->ssl == NULL || SSL_accept(c->ssl) > 0)
        while ((n = get_request(c, buf, 1 << 20)) > 0 && answer(c, buf, n))
            continue;
    SSL_free(c->ssl);
    (void)shutdown(c->fd, SHUT_RDWR);
    free(buf);
    c->server->n_ended++;
    return NULL;
}

static void *accept_all(void *data)
{
    struct httpd *h = data;

    while (h->n < MAX_CONNECTIONS) {
        struct connection *c = &h->connections[h->n];

        c->fd = accept(h->fd, NULL, NULL);
        if (c->fd < 0)
            break;
        c->server = h;
        h->n++;
        if (pthread_create(&c->thread, NULL, serve, c) != 0)
            abort();
    }
    return NULL;
}

struct httpd *httpd_start(const char *pem, bool ask_client)
{
    struct httpd *h = calloc(1, sizeof *h);
    struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    assert_non_null(h);
    h->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(h->fd, (struct sockaddr *)&any, sizeof any), 0);
    assert_int_equal(listen(h->fd, 64), 0);
    if (pem != NULL) {
        h->tls = SSL_CTX_new(TLS_server_method());
        assert_int_equal(SSL_CTX_use_certificate_chain_file(h->tls, pem), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey_file(h->tls, pem, SSL_FILETYPE_PEM), 1);
    }
    if (ask_client) {
        assert_int_equal(SSL_CTX_load_verify_locations(h->tls, pem, NULL), 1);
        SSL_CTX_set_verify(h->tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    assert_int_equal(pthread_create(&h->acceptor, NULL, accept_all, h), 0);
    return h;
}

unsigned httpd_port(const struct httpd *h)
{
    struct sockaddr_in me;
    socklen_t n = sizeof me;

    assert_int_equal(getsockname(h->fd, (struct sockaddr *)&me, &n), 0);
    return ntohs(me.sin_port);
}

unsigned httpd_n_ended(const struct httpd *h)
{
    return h->n_ended;
}

void httpd_stop(struct httpd *h)
{
    (void)shutdown(h->fd, SHUT_RDWR);
    (void)pthread_join(h->acceptor, NULL);
    (void)close(h->fd);
    for (unsigned i = 0; i < h->n; i++) {
        (void)shutdown(h->connections[i].fd, SHUT_RDWR);
        (void)pthread_join(h->connections[i].thread, NULL);
        (void)close(h->connections[i].fd);
    }
    SSL_CTX_free(h->tls);
    free(h);
}

static void add_extension(X509 *cert, int nid, const char *value)
{
    X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    assert_non_null(x);
    assert_int_equal(X509_add_ext(cert, x, -1), 1);
    X509_EXTENSION_free(x);
}

void httpd_make_pem(char *path, unsigned size)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    X509_NAME *name = X509_get_subject_name(cert);
    FILE *f;

    assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 1), 1);
    (void)X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
    (void)X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0), 1);
    assert_int_equal(X509_set_issuer_name(cert, name), 1);
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    add_extension(cert, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(cert, NID_subject_alt_name, "IP:127.0.0.1");
    assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
    (void)snprintf(path, size, "%s", "/tmp/ocp-pem-XXXXXX");
    f = fdopen(mkstemp(path), "w");
    assert_non_null(f);
    assert_int_equal(PEM_write_X509(f, cert), 1);
    assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL), 1);
    assert_int_equal(fclose(f), 0);
    X509_free(cert);
    EVP_PKEY_free(key);
}
