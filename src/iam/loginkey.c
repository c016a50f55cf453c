/* SPDX-License-Identifier: Apache-2.0 */
#include "src/iam/loginkey.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

#include "src/iam/authorization.h"
#include "src/vault/vault.h"

enum { MAX_KEY_BYTES = 512, MAX_DER = 4096 };

struct login_keys {
    EVP_PKEY *key;        /* owned; NULL: none */
    size_t n_cipher;      /* bytes of a ciphertext */
    char *public_key;     /* owned */
};

/* ---- making ------------------------------------------------------------------------------------------------------------ */

struct making {
    struct work work;
    unsigned bits;
    EVP_PKEY *key;        /* result */
};

static void making_run(struct work *w)
{
    struct making *m = (struct making *)w;

    m->key = EVP_RSA_gen(m->bits);
}

static void making_drop(struct work *w)
{
    EVP_PKEY_free(((struct making *)w)->key);
    mem_free(w);
}

static int make_key(unsigned bits, struct work_pool *pool, EVP_PKEY **out, struct err *e)
{
    struct making *m = mem_zalloc(sizeof *m);
    int rv;

    if (m == NULL)
        return err_set(e, &ERR_NOMEM, "");
    m->work.run = making_run;
    m->work.drop = making_drop;
    m->bits = bits;
    rv = work_run(pool, &m->work, e);
    if (rv != 0)
        return rv;
    *out = m->key;
    m->key = NULL;
    making_drop(&m->work);
    return *out != NULL ? 0 : err_set(e, &ERR_UNEXPECTED, "RSA key generation");
}

static const struct vault_place place = { "login_key", 1, "" };

/* DER in base64: text, so that the vault can give it back as such. */
static char *to_base64(const unsigned char *der, int n, struct arena *arena)
{
    char *text = n > 0 ? arena_alloc(arena, (size_t)n * 4 / 3 + 8) : NULL;

    if (text != NULL)
        (void)EVP_EncodeBlock((unsigned char *)text, der, n);
    return text;
}

static int seal(EVP_PKEY *key, const struct vault *v, struct arena *arena, struct loginkey *out, struct err *e)
{
    unsigned char *public_der = NULL, *private_der = NULL;
    int n_public = i2d_PUBKEY(key, &public_der), n_private = i2d_PrivateKey(key, &private_der);
    char *secret = to_base64(private_der, n_private, arena);
    struct str sealed;
    int rv = 0;

    str_init(&sealed, arena);
    out->public_key = to_base64(public_der, n_public, arena);
    if (out->public_key == NULL || secret == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    if (rv == 0)
        rv = vault_seal(v, &place, (struct slice){ secret, strlen(secret) }, &sealed, e);
    if (secret != NULL)
        mem_wipe(secret, strlen(secret));
    OPENSSL_clear_free(private_der, n_private > 0 ? (size_t)n_private : 0);
    OPENSSL_free(public_der);
    out->private_key = (struct slice){ sealed.s, sealed.n };
    return rv;
}

static int store_fresh(int64_t bits, struct db *d, const struct vault *v, struct work_pool *pool, struct arena *arena, struct err *e)
{
    struct loginkey row = { .bits = bits };
    EVP_PKEY *key = NULL;
    int rv = make_key((unsigned)bits, pool, &key, e);

    if (rv == 0)
        rv = seal(key, v, arena, &row, e);
    if (rv == 0)
        rv = store_loginkey_insert(d, &row, e);
    EVP_PKEY_free(key);
    return rv == ERR_NAME_USED.code ? 0 : rv;
}

/* ---- reading ----------------------------------------------------------------------------------------------------------- */

static EVP_PKEY *read_private(const char *base64)
{
    unsigned char der[MAX_DER];
    const unsigned char *at = der;
    int n = authorization_base64((struct slice){ base64, strlen(base64) }, (char *)der, sizeof der);
    EVP_PKEY *key = n > 0 ? d2i_AutoPrivateKey(NULL, &at, n) : NULL;

    mem_wipe(der, sizeof der);
    return key;
}

static int open_row(struct login_keys *k, const struct loginkey *row, const struct vault *v, struct err *e)
{
    char *secret;
    int rv = vault_open(v, &place, row->private_key, &secret, e);

    if (rv != 0)
        return rv;
    k->key = read_private(secret);
    secret_free(secret);
    k->public_key = mem_strdup(row->public_key);
    if (k->key == NULL || EVP_PKEY_get_size(k->key) <= 0 || EVP_PKEY_get_size(k->key) > MAX_KEY_BYTES)
        return err_set(e, &ERR_UNEXPECTED, "the login key in MetaDB is no RSA key");
    k->n_cipher = (size_t)EVP_PKEY_get_size(k->key);
    return k->public_key != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int load(struct login_keys *k, int64_t bits, struct db *d, const struct vault *v, struct work_pool *pool, struct err *e)
{
    struct loginkey *row;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = store_loginkey_find(d, bits, &arena, &row, e);
    if (rv == 0 && row == NULL)
        rv = store_fresh(bits, d, v, pool, &arena, e);
    if (rv == 0 && row == NULL)
        rv = store_loginkey_find(d, bits, &arena, &row, e);
    if (rv == 0)
        rv = row != NULL ? open_row(k, row, v, e) : err_set(e, &ERR_UNEXPECTED, "the login key is not in MetaDB");
    arena_fini(&arena);
    return rv;
}

int login_keys_new(int64_t bits, struct db *d, const struct vault *v, struct work_pool *pool, struct login_keys **out, struct err *e)
{
    struct login_keys *k = mem_zalloc(sizeof *k);
    int rv;

    if (k == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = bits > 0 ? load(k, bits, d, v, pool, e) : 0;
    if (rv == 0)
        *out = k;
    else
        login_keys_free(k);
    return rv == 0 ? 0 : err_wrap(e, "login key");
}

void login_keys_free(struct login_keys *k)
{
    if (k == NULL)
        return;
    EVP_PKEY_free(k->key);
    mem_free(k->public_key);
    mem_free(k);
}

const char *login_keys_public(const struct login_keys *k)
{
    return k->public_key != NULL ? k->public_key : "";
}

/* ---- decrypting -------------------------------------------------------------------------------------------------------- */

struct opening {
    struct work work;
    EVP_PKEY *key;        /* one more reference */
    unsigned char cipher[MAX_KEY_BYTES], plain[MAX_KEY_BYTES + 1];
    size_t n_cipher, n_plain;
};

/* What does not decrypt, or has a NUL inside, leaves "". */
static void opening_run(struct work *w)
{
    struct opening *o = (struct opening *)w;
    EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(o->key, NULL);

    o->n_plain = MAX_KEY_BYTES;
    if (c == NULL || EVP_PKEY_decrypt_init(c) != 1 || EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) != 1 ||
        EVP_PKEY_decrypt(c, o->plain, &o->n_plain, o->cipher, o->n_cipher) != 1)
        o->n_plain = 0;
    EVP_PKEY_CTX_free(c);
    o->plain[o->n_plain] = '\0';
    if (strlen((const char *)o->plain) != o->n_plain)
        o->plain[0] = '\0';
}

static void opening_drop(struct work *w)
{
    EVP_PKEY_free(((struct opening *)w)->key);
    mem_wipe(w, sizeof(struct opening));
    mem_free(w);
}

static int decrypt(const struct login_keys *k, const char *cipher, struct work_pool *pool, struct arena *arena, const char **out, struct err *e)
{
    struct opening *o = mem_zalloc(sizeof *o);
    int rv;

    if (o == NULL)
        return err_set(e, &ERR_NOMEM, "");
    o->work.run = opening_run;
    o->work.drop = opening_drop;
    (void)EVP_PKEY_up_ref(k->key); /* cannot fail: we hold one */
    o->key = k->key;
    o->n_cipher = k->n_cipher;
    memcpy(o->cipher, cipher, k->n_cipher);
    rv = work_run(pool, &o->work, e);
    if (rv != 0)
        return rv;
    *out = arena_strdup(arena, (const char *)o->plain);
    opening_drop(&o->work);
    return *out != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

int login_keys_open(const struct login_keys *k, struct work_pool *pool, const char *text, struct arena *arena, const char **password,
                    struct err *e)
{
    char cipher[MAX_KEY_BYTES + 1];
    size_t n = strlen(text);

    *password = text;
    if (k->key == NULL || n < k->n_cipher || n > 2 * k->n_cipher ||
        authorization_base64((struct slice){ text, n }, cipher, sizeof cipher) != (int)k->n_cipher)
        return 0;
    return decrypt(k, cipher, pool, arena, password, e);
}
