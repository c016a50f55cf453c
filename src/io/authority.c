/* SPDX-License-Identifier: Apache-2.0 */
#include "src/io/authority.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

enum { SERIAL_BYTES = 16, EARLIER_S = 3600, DAY_S = 86400, PEM_MAX = 16384 };

static int failed(struct err *e, const char *what)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());

    return err_set(e, &ERR_UNEXPECTED, "%s: %s", what, reason != NULL ? reason : "libcrypto gives no reason");
}

/* --- PEM ------------------------------------------------------------------------------------------------------------------------- */

static char *text_of(BIO *bio, struct arena *arena)
{
    char *bytes;
    long n = BIO_get_mem_data(bio, &bytes);

    return n > 0 ? arena_strndup(arena, bytes, (size_t)n) : NULL;
}

static char *certificate_text(X509 *cert, struct arena *arena)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = bio != NULL && PEM_write_bio_X509(bio, cert) == 1 ? text_of(bio, arena) : NULL;

    BIO_free(bio);
    return text;
}

static char *key_text(EVP_PKEY *key, struct arena *arena)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    char *text = bio != NULL && PEM_write_bio_PKCS8PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) == 1 ? text_of(bio, arena) : NULL;

    BIO_free(bio);
    return text;
}

static BIO *bio_of(const char *text)
{
    return BIO_new_mem_buf(text, (int)strnlen(text, PEM_MAX));
}

static X509 *read_certificate(const char *text)
{
    BIO *bio = bio_of(text);
    X509 *cert = bio != NULL ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return cert;
}

static EVP_PKEY *read_key(const char *text)
{
    BIO *bio = bio_of(text);
    EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;

    BIO_free(bio);
    return key;
}

/* --- certificates ---------------------------------------------------------------------------------------------------------------- */

static bool set_serial(X509 *cert, char out[AUTHORITY_SERIAL_SIZE])
{
    unsigned char bytes[SERIAL_BYTES];
    BIGNUM *n;
    char *hex;
    bool good;

    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* positive, and of full length */
    n = BN_bin2bn(bytes, sizeof bytes, NULL);
    hex = n != NULL ? BN_bn2hex(n) : NULL;
    good = hex != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) != NULL;
    (void)snprintf(out, AUTHORITY_SERIAL_SIZE, "%s", hex != NULL ? hex : "");
    OPENSSL_free(hex);
    BN_free(n);
    return good;
}

static bool set_names(X509 *cert, const char *subject, X509 *issuer)
{
    X509_NAME *name = X509_get_subject_name(cert);

    return X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)subject, -1, -1, 0) == 1 &&
           X509_set_issuer_name(cert, issuer != NULL ? X509_get_subject_name(issuer) : name) == 1;
}

static bool add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509_EXTENSION *ext;
    X509V3_CTX ctx;
    bool good;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, issuer != NULL ? issuer : cert, cert, NULL, NULL, 0);
    ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    good = ext != NULL && X509_add_ext(cert, ext, -1) == 1;
    X509_EXTENSION_free(ext);
    return good;
}

static bool describe(X509 *cert, X509 *issuer, const char *uri)
{
    char name[256];

    if (issuer == NULL)
        return add_extension(cert, NULL, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
               add_extension(cert, NULL, NID_key_usage, "critical,keyCertSign,cRLSign") &&
               add_extension(cert, NULL, NID_subject_key_identifier, "hash");
    (void)snprintf(name, sizeof name, "URI:%s", uri);
    return add_extension(cert, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(cert, issuer, NID_key_usage, "critical,digitalSignature") &&
           add_extension(cert, issuer, NID_ext_key_usage, "serverAuth,clientAuth") &&
           add_extension(cert, issuer, NID_subject_key_identifier, "hash") &&
           add_extension(cert, issuer, NID_authority_key_identifier, "keyid") && add_extension(cert, issuer, NID_subject_alt_name, name);
}

static bool fill(X509 *cert, EVP_PKEY *key, const char *name, X509 *issuer, EVP_PKEY *issuer_key, int days, char *serial)
{
    return X509_set_version(cert, X509_VERSION_3) == 1 && set_serial(cert, serial) &&
           X509_gmtime_adj(X509_getm_notBefore(cert), -EARLIER_S) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(cert), (long)days * DAY_S) != NULL && X509_set_pubkey(cert, key) == 1 &&
           set_names(cert, name, issuer) && describe(cert, issuer, name) && X509_sign(cert, issuer_key, EVP_sha256()) != 0;
}

/* `issuer` NULL: signs itself. */
static int make(const char *name, X509 *issuer, EVP_PKEY *issuer_key, int days, struct arena *arena, struct identity *out, struct err *e)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    int rv = 0;

    memset(out, 0, sizeof *out);
    if (key == NULL || cert == NULL || !fill(cert, key, name, issuer, issuer_key != NULL ? issuer_key : key, days, out->serial))
        rv = failed(e, "a certificate cannot be made");
    if (rv == 0) {
        out->certificate = certificate_text(cert, arena);
        out->key = key_text(key, arena);
        if (out->certificate == NULL || out->key == NULL)
            rv = err_set(e, &ERR_NOMEM, "");
    }
    X509_free(cert);
    EVP_PKEY_free(key);
    return rv;
}

int authority_found(const char *name, struct arena *arena, struct identity *out, struct err *e)
{
    ERR_clear_error();
    return make(name, NULL, NULL, AUTHORITY_CA_DAYS, arena, out, e);
}

static bool uri_is_fine(const char *uri)
{
    return strlen(uri) < 200 && strpbrk(uri, ",\n\r ") == NULL;
}

int authority_issue(const struct identity *authority, const char *uri, int days, struct arena *arena, struct identity *out, struct err *e)
{
    X509 *issuer;
    EVP_PKEY *key;
    int rv;

    if (!uri_is_fine(uri))
        return err_set(e, &ERR_INVALID, "%s cannot name the holder of a certificate", uri);
    ERR_clear_error();
    issuer = read_certificate(authority->certificate);
    key = read_key(authority->key);
    if (issuer == NULL || key == NULL)
        rv = err_set(e, &ERR_INVALID, "the authority's certificate or key is no PEM text");
    else
        rv = make(uri, issuer, key, days, arena, out, e);
    X509_free(issuer);
    EVP_PKEY_free(key);
    return rv;
}

/* --- reading ---------------------------------------------------------------------------------------------------------------------- */

static int no_certificate(struct err *e)
{
    return err_set(e, &ERR_INVALID, "the certificate is no PEM text");
}

static int64_t time_us(const ASN1_TIME *t)
{
    struct tm tm;

    return ASN1_TIME_to_tm(t, &tm) == 1 ? (int64_t)timegm(&tm) * 1000000 : 0;
}

static void read_serial(X509 *cert, char out[AUTHORITY_SERIAL_SIZE])
{
    BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
    char *hex = n != NULL ? BN_bn2hex(n) : NULL;

    (void)snprintf(out, AUTHORITY_SERIAL_SIZE, "%s", hex != NULL ? hex : "");
    OPENSSL_free(hex);
    BN_free(n);
}

static void read_uri(X509 *cert, char *out, size_t size)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);

    out[0] = '\0';
    for (int i = 0; out[0] == '\0' && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

        if (name->type == GEN_URI)
            (void)snprintf(out, size, "%.*s", ASN1_STRING_length(name->d.ia5), (const char *)ASN1_STRING_get0_data(name->d.ia5));
    }
    GENERAL_NAMES_free(names);
}

int authority_read(const char *certificate, struct certificate_facts *out, struct err *e)
{
    X509 *cert;

    ERR_clear_error();
    memset(out, 0, sizeof *out);
    cert = read_certificate(certificate);
    if (cert == NULL)
        return no_certificate(e);
    read_serial(cert, out->serial);
    read_uri(cert, out->uri, sizeof out->uri);
    out->issued_us = time_us(X509_get0_notBefore(cert));
    out->expires_us = time_us(X509_get0_notAfter(cert));
    X509_free(cert);
    return 0;
}

int authority_check(const char *authority, const char *certificate, const char *key, struct err *e)
{
    X509 *issuer, *cert;
    EVP_PKEY *own = NULL;
    int rv = 0;

    ERR_clear_error();
    issuer = read_certificate(authority);
    cert = read_certificate(certificate);
    if (key != NULL)
        own = read_key(key);
    if (issuer == NULL || cert == NULL || (key != NULL && own == NULL))
        rv = err_set(e, &ERR_INVALID, "the authority, the certificate or the key is no PEM text");
    else if (X509_verify(cert, X509_get0_pubkey(issuer)) != 1)
        rv = err_set(e, &ERR_INVALID, "the certificate was not issued by this authority");
    else if (key != NULL && X509_check_private_key(cert, own) != 1)
        rv = err_set(e, &ERR_INVALID, "the key is not the one of the certificate");
    X509_free(issuer);
    X509_free(cert);
    EVP_PKEY_free(own);
    return rv;
}

/* --- signatures ------------------------------------------------------------------------------------------------------------------- */

static int sign_with(EVP_PKEY *key, struct slice text, struct arena *arena, struct slice *signature, struct err *e)
{
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    size_t n = (size_t)EVP_PKEY_get_size(key);
    unsigned char *bytes = arena_alloc(arena, n);
    int rv = 0;

    if (md == NULL || bytes == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    else if (EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) != 1 ||
             EVP_DigestSign(md, bytes, &n, (const unsigned char *)text.s, text.n) != 1)
        rv = failed(e, "a text cannot be signed");
    EVP_MD_CTX_free(md);
    *signature = (struct slice){ (const char *)bytes, n };
    return rv;
}

int authority_sign(const struct identity *by, struct slice text, struct arena *arena, struct slice *signature, struct err *e)
{
    EVP_PKEY *key;
    int rv;

    ERR_clear_error();
    key = read_key(by->key);
    if (key == NULL)
        return err_set(e, &ERR_INVALID, "the key is no PEM text");
    rv = sign_with(key, text, arena, signature, e);
    EVP_PKEY_free(key);
    return rv;
}

int authority_verify(const char *certificate, struct slice text, struct slice signature, struct err *e)
{
    EVP_MD_CTX *md;
    X509 *cert;
    int rv = 0;

    ERR_clear_error();
    cert = read_certificate(certificate);
    if (cert == NULL)
        return no_certificate(e);
    md = EVP_MD_CTX_new();
    if (md == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    else if (EVP_DigestVerifyInit(md, NULL, EVP_sha256(), NULL, X509_get0_pubkey(cert)) != 1 ||
             EVP_DigestVerify(md, (const unsigned char *)signature.s, signature.n, (const unsigned char *)text.s, text.n) != 1)
        rv = err_set(e, &ERR_INVALID, "the signature is not the one of the certificate's holder");
    EVP_MD_CTX_free(md);
    X509_free(cert);
    return rv;
}
