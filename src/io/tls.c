/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL sees a BIO of ours: reading takes from the bytes that were fed, writing goes straight to the owner's `put`, so a session
 * keeps no buffers of its own beyond a record in the making. OpenSSL's error queue belongs to the thread: it is emptied before
 * each call, since another library may have left something in it. */
#include "src/io/tls.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

ERR_DEFINE(ERR_TLS_CONF, 90410, 500, ERR_FINAL, "The TLS file {0} cannot be used: {1}.", "无法使用 TLS 文件 {0}：{1}。");

const struct err_row *const tls_err_rows[] = { &ERR_TLS_CONF, NULL };

enum { ALPN_MAX = 64 };

struct tls_server {
    char *cert_file, *key_file, *client_ca; /* owned */
    unsigned char alpn[ALPN_MAX];           /* wire form: length, name, ... */
    unsigned n_alpn;
    BIO_METHOD *method;                     /* owned */
    pthread_mutex_t lock;                   /* guards the two below */
    SSL_CTX *context;                       /* owned */
    int64_t expires_us;
    bool (*welcome)(const char *serial, const char *uri, void *data);
    void *welcome_data;
};

enum { URI_SIZE = 128, SERIAL_SIZE = 64 };

struct tls {
    char peer_uri[URI_SIZE];
    SSL *ssl;                  /* owned */
    struct tls_server *owner;
    const char *in;            /* borrowed: fed and not read yet */
    size_t n_in;
    tls_put put;
    void *data;
    char reason[80];
};

static int bio_write(BIO *bio, const char *bytes, int n)
{
    struct tls *s = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    return n > 0 && s->put(s->data, bytes, (size_t)n) ? n : -1;
}

static int bio_read(BIO *bio, char *buf, int size)
{
    struct tls *s = BIO_get_data(bio);
    size_t n = size > 0 ? (size_t)size : 0;

    BIO_clear_retry_flags(bio);
    if (s->n_in == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    n = n < s->n_in ? n : s->n_in;
    memcpy(buf, s->in, n);
    s->in += n;
    s->n_in -= n;
    return (int)n;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static BIO_METHOD *method_new(void)
{
    BIO_METHOD *m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "fed");

    if (m == NULL)
        return NULL;
    if (BIO_meth_set_write(m, bio_write) == 1 && BIO_meth_set_read(m, bio_read) == 1 && BIO_meth_set_ctrl(m, bio_ctrl) == 1)
        return m;
    BIO_meth_free(m);
    return NULL;
}

/* What OpenSSL says about the last failure. */
static const char *library_reason(void)
{
    unsigned long code = ERR_peek_last_error();
    const char *text = ERR_reason_error_string(code);

    return text != NULL ? text : "no reason given";
}

static int refuse(struct err *e, const char *file)
{
    (void)err_set(e, &ERR_TLS_CONF, "%s", file);
    return err_arg(e, "%s", library_reason());
}

/* The first protocol of ours that the client offers; none in common: go on without. */
static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *n_out, const unsigned char *offered, unsigned n,
                       void *data)
{
    const struct tls_server *t = data;
    unsigned char *chosen;

    (void)ssl;
    if (SSL_select_next_proto(&chosen, n_out, t->alpn, t->n_alpn, offered, n) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int load_pair(SSL_CTX *c, const struct tls_server *t, struct err *e)
{
    if (SSL_CTX_use_certificate_chain_file(c, t->cert_file) != 1)
        return refuse(e, t->cert_file);
    if (SSL_CTX_use_PrivateKey_file(c, t->key_file, SSL_FILETYPE_PEM) != 1 || SSL_CTX_check_private_key(c) != 1)
        return refuse(e, t->key_file);
    return 0;
}

/* --- who the peer is ------------------------------------------------------------------------------------------------------------ */

static void copy_uri(const GENERAL_NAME *name, char *out, size_t size)
{
    const ASN1_STRING *uri = name->d.uniformResourceIdentifier;
    size_t n = (size_t)ASN1_STRING_length(uri);

    if (n < size && memchr(ASN1_STRING_get0_data(uri), 0, n) == NULL)
        (void)snprintf(out, size, "%.*s", (int)n, (const char *)ASN1_STRING_get0_data(uri));
}

static void uri_of(X509 *cert, char *out, size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

    out[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names) && out[0] == '\0'; i++)
        if (sk_GENERAL_NAME_value(names, i)->type == GEN_URI)
            copy_uri(sk_GENERAL_NAME_value(names, i), out, size);
    GENERAL_NAMES_free(names);
}

static void serial_of(const X509 *cert, char *out, size_t size)
{
    BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
    char *hex = n != NULL ? BN_bn2hex(n) : NULL;

    (void)snprintf(out, size, "%s", hex != NULL ? hex : "");
    OPENSSL_free(hex);
    BN_free(n);
}

/* Called by the library for each certificate of the chain, the peer's own last. */
static int verify(int good, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls *s = SSL_get_app_data(ssl);
    X509 *cert = X509_STORE_CTX_get_current_cert(store);
    char serial[SERIAL_SIZE];

    if (good != 1 || X509_STORE_CTX_get_error_depth(store) != 0 || s == NULL)
        return good;
    uri_of(cert, s->peer_uri, sizeof s->peer_uri);
    serial_of(cert, serial, sizeof serial);
    if (s->owner->welcome == NULL || s->owner->welcome(serial, s->peer_uri, s->owner->welcome_data))
        return 1;
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REVOKED);
    return 0;
}

static int demand_clients(SSL_CTX *c, const struct tls_server *t, struct err *e)
{
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(t->client_ca);

    if (names == NULL || SSL_CTX_load_verify_locations(c, t->client_ca, NULL) != 1) {
        sk_X509_NAME_pop_free(names, X509_NAME_free);
        return refuse(e, t->client_ca);
    }
    SSL_CTX_set_client_CA_list(c, names);
    SSL_CTX_set_verify(c, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, verify);
    /* who resumes a session is not verified again, so a revoked certificate would go on: there is no resuming */
    (void)SSL_CTX_set_num_tickets(c, 0);
    (void)SSL_CTX_set_options(c, SSL_OP_NO_TICKET);
    return 0;
}

static void set_rules(SSL_CTX *c, struct tls_server *t)
{
    /* Only AEAD with forward secrecy; the two calls cannot fail with these arguments. */
    (void)SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
    (void)SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20");
    (void)SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_PRIORITIZE_CHACHA);
    (void)SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    (void)SSL_CTX_set_num_tickets(c, 1);
    (void)SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF); /* tickets are enough, and cost no memory here */
    (void)SSL_CTX_set_session_id_context(c, (const unsigned char *)"ocp", 3);
    if (t->n_alpn > 0)
        SSL_CTX_set_alpn_select_cb(c, choose_alpn, t);
}

static int64_t certificate_end_us(SSL_CTX *c)
{
    const X509 *cert = SSL_CTX_get0_certificate(c);
    struct tm tm;

    if (cert == NULL || ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) != 1)
        return 0;
    return (int64_t)timegm(&tm) * 1000000;
}

static int context_new(struct tls_server *t, SSL_CTX **out, struct err *e)
{
    SSL_CTX *c;
    int rv;

    ERR_clear_error();
    c = SSL_CTX_new(TLS_method());
    if (c == NULL)
        return err_set(e, &ERR_NOMEM, "");
    set_rules(c, t);
    rv = load_pair(c, t, e);
    if (rv == 0 && t->client_ca != NULL)
        rv = demand_clients(c, t, e);
    if (rv != 0) {
        SSL_CTX_free(c);
        return rv;
    }
    *out = c;
    return 0;
}

/* "h2,http/1.1" to the wire form. */
static bool set_alpn(struct tls_server *t, const char *list)
{
    struct slice rest = { list, list != NULL ? strlen(list) : 0 };

    while (rest.n > 0) {
        struct slice name = slice_cut(&rest, ',');

        if (name.n == 0 || t->n_alpn + 1 + name.n > ALPN_MAX)
            return false;
        t->alpn[t->n_alpn] = (unsigned char)name.n;
        memcpy(t->alpn + t->n_alpn + 1, name.s, name.n);
        t->n_alpn += 1 + (unsigned)name.n;
    }
    return true;
}

int tls_server_new(const struct tls_conf *conf, struct tls_server **out, struct err *e)
{
    struct tls_server *t = mem_zalloc(sizeof *t);
    int rv;

    if (t == NULL)
        return err_set(e, &ERR_NOMEM, "");
    (void)pthread_mutex_init(&t->lock, NULL); /* cannot fail with default attributes */
    t->cert_file = mem_strdup(conf->cert_file);
    t->key_file = mem_strdup(conf->key_file);
    t->welcome = conf->welcome;
    t->welcome_data = conf->data;
    t->client_ca = conf->client_ca != NULL ? mem_strdup(conf->client_ca) : NULL;
    t->method = method_new();
    if (t->cert_file == NULL || t->key_file == NULL || (conf->client_ca != NULL && t->client_ca == NULL) || t->method == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    else if (!set_alpn(t, conf->alpn))
        rv = err_set(e, &ERR_INVALID, "%s is not a list of protocols", conf->alpn);
    else
        rv = tls_server_reload(t, e);
    if (rv != 0) {
        tls_server_free(t);
        return rv;
    }
    *out = t;
    return 0;
}

int tls_server_reload(struct tls_server *t, struct err *e)
{
    SSL_CTX *fresh = NULL, *former;
    int rv = context_new(t, &fresh, e);

    if (rv != 0)
        return rv;
    pthread_mutex_lock(&t->lock);
    former = t->context;
    t->context = fresh;
    t->expires_us = certificate_end_us(fresh);
    pthread_mutex_unlock(&t->lock);
    SSL_CTX_free(former);
    return 0;
}

void tls_server_free(struct tls_server *t)
{
    if (t == NULL)
        return;
    SSL_CTX_free(t->context);
    BIO_meth_free(t->method);
    (void)pthread_mutex_destroy(&t->lock);
    mem_free(t->cert_file);
    mem_free(t->key_file);
    mem_free(t->client_ca);
    mem_free(t);
}

int64_t tls_server_expires_us(struct tls_server *t)
{
    int64_t us;

    pthread_mutex_lock(&t->lock);
    us = t->expires_us;
    pthread_mutex_unlock(&t->lock);
    return us;
}

static SSL *ssl_new(struct tls_server *t)
{
    SSL *ssl;

    pthread_mutex_lock(&t->lock);
    ssl = SSL_new(t->context); /* holds its own reference to the context */
    pthread_mutex_unlock(&t->lock);
    return ssl;
}

static struct tls *session_new(struct tls_server *t, tls_put put, void *data)
{
    struct tls *s = mem_zalloc(sizeof *s);
    BIO *bio;

    if (s == NULL)
        return NULL;
    s->owner = t;
    s->put = put;
    s->data = data;
    ERR_clear_error();
    s->ssl = ssl_new(t);
    bio = s->ssl != NULL ? BIO_new(t->method) : NULL;
    if (bio == NULL) {
        tls_discard(s);
        return NULL;
    }
    BIO_set_data(bio, s);
    BIO_set_init(bio, 1);
    SSL_set_bio(s->ssl, bio, bio);
    (void)SSL_set_app_data(s->ssl, s);
    return s;
}

struct tls *tls_new(struct tls_server *t, tls_put put, void *data)
{
    struct tls *s = session_new(t, put, data);

    if (s != NULL)
        SSL_set_accept_state(s->ssl);
    return s;
}

struct tls *tls_new_client(struct tls_server *t, tls_put put, void *data)
{
    struct tls *s = session_new(t, put, data);

    if (s != NULL)
        SSL_set_connect_state(s->ssl);
    return s;
}

const char *tls_peer_uri(const struct tls *s)
{
    return s->peer_uri;
}

void tls_discard(struct tls *s)
{
    if (s == NULL)
        return;
    ERR_clear_error();
    SSL_free(s->ssl);
    mem_free(s);
}

void tls_feed(struct tls *s, const void *bytes, size_t n)
{
    s->in = bytes;
    s->n_in = n;
}

static enum tls_state failed(struct tls *s, const char *why)
{
    (void)snprintf(s->reason, sizeof s->reason, "%s", why);
    return TLS_FAILED;
}

enum tls_state tls_read(struct tls *s, void *buf, size_t size, size_t *n)
{
    int rv;

    ERR_clear_error();
    rv = SSL_read_ex(s->ssl, buf, size, n);
    if (rv == 1)
        return TLS_DATA;
    switch (SSL_get_error(s->ssl, rv)) {
    case SSL_ERROR_WANT_READ:
        return s->n_in == 0 ? TLS_MORE : failed(s, "bytes left over");
    case SSL_ERROR_ZERO_RETURN:
        return TLS_CLOSED;
    case SSL_ERROR_SYSCALL:
        return failed(s, "out of memory");
    default:
        return failed(s, library_reason());
    }
}

bool tls_is_open(const struct tls *s)
{
    return SSL_is_init_finished(s->ssl) == 1;
}

bool tls_write(struct tls *s, const void *bytes, size_t n)
{
    size_t written;

    if (n == 0)
        return true;
    ERR_clear_error();
    if (SSL_write_ex(s->ssl, bytes, n, &written) == 1)
        return true;
    (void)failed(s, library_reason());
    return false;
}

void tls_close(struct tls *s)
{
    ERR_clear_error();
    (void)SSL_shutdown(s->ssl); /* one-sided: what the peer answers is of no use any more */
}

struct slice tls_alpn(const struct tls *s)
{
    const unsigned char *name;
    unsigned n;

    SSL_get0_alpn_selected(s->ssl, &name, &n);
    return (struct slice){ (const char *)name, n };
}

bool tls_session_is(void *ssl, const char *uri)
{
    X509 *cert = SSL_get1_peer_certificate(ssl);
    char theirs[URI_SIZE] = "";

    if (cert != NULL)
        uri_of(cert, theirs, sizeof theirs);
    X509_free(cert);
    return theirs[0] != '\0' && strcmp(theirs, uri) == 0;
}

const char *tls_reason(const struct tls *s)
{
    return s->reason;
}
