/* SPDX-License-Identifier: Apache-2.0 */
/* A sealed secret: version (1), key name (4), nonce (12), ciphertext, tag (16). Associated data: version, key name, kind, id, part.
 * Nonces are random: by NIST SP 800-38D one key serves 2^32 of them, more secrets than any installation seals. */
#include "src/vault/vault.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <string.h>

#include "src/vault/keyfile.h"

ERR_DEFINE(ERR_VAULT_OPEN, 8101, 500, ERR_FINAL,
           "The secret of {0} {1} cannot be opened: {2}. Enter it again, or give this node the key file it was sealed with.",
           "{0} {1} 的密文无法解密：{2}。请重新录入，或为本节点配置加密时使用的密钥文件。");

enum { KEY_SIZE = KEYFILE_KEY_SIZE, NAME_SIZE = 4, NONCE_SIZE = 12, TAG_SIZE = 16, HEAD_SIZE = 1 + NAME_SIZE + NONCE_SIZE, VERSION = 1 };
_Static_assert(VAULT_OVERHEAD == HEAD_SIZE + TAG_SIZE, "overhead of a sealed secret");

struct vault_key {
    unsigned char name[NAME_SIZE], key[KEY_SIZE];
};

struct vault {
    struct vault_key keys[2]; /* present, former */
    unsigned n_keys;
};

static void put_key(struct vault *v, const unsigned char *key)
{
    struct vault_key *k = &v->keys[v->n_keys++];
    unsigned char hash[SHA256_DIGEST_LENGTH];

    memcpy(k->key, key, KEY_SIZE);
    SHA256(key, KEY_SIZE, hash);
    memcpy(k->name, hash, NAME_SIZE);
    mem_wipe(hash, sizeof hash);
}

int vault_new_keys(const unsigned char *present, const unsigned char *former, struct vault **out, struct err *e)
{
    struct vault *v = mem_zalloc(sizeof *v);

    if (v == NULL)
        return err_set(e, &ERR_NOMEM, "");
    put_key(v, present);
    if (former != NULL)
        put_key(v, former);
    *out = v;
    return 0;
}

void vault_free(struct vault *v)
{
    if (v == NULL)
        return;
    mem_wipe(v, sizeof *v);
    mem_free(v);
}

int vault_new(const char *path, bool create, bool *created, struct vault **out, struct err *e)
{
    struct keyfile f;
    int rv = keyfile_read(path, create, created, &f, e);

    if (rv == 0)
        rv = vault_new_keys(f.keys[0], f.n == 2 ? f.keys[1] : NULL, out, e);
    mem_wipe(&f, sizeof f);
    return rv;
}

const char *vault_key_name(const struct vault *v, char *buf)
{
    static const char digits[] = "0123456789abcdef";

    for (unsigned i = 0; i < NAME_SIZE; i++) {
        buf[2 * i] = digits[v->keys[0].name[i] >> 4];
        buf[2 * i + 1] = digits[v->keys[0].name[i] & 15];
    }
    buf[2 * NAME_SIZE] = '\0';
    return buf;
}

/* ---- sealing -------------------------------------------------------------------------------------------------------- */

/* Feeds the head up to the nonce, and the place: kind and part end with NUL, so that no two places look alike. */
static bool add_place(EVP_CIPHER_CTX *c, const unsigned char *head, const struct vault_place *at)
{
    unsigned char id[8];
    int n;

    for (unsigned i = 0; i < 8; i++)
        id[i] = (unsigned char)((uint64_t)at->id >> (8 * i));
    return EVP_CipherUpdate(c, NULL, &n, head, 1 + NAME_SIZE) == 1 && EVP_CipherUpdate(c, NULL, &n, id, sizeof id) == 1 &&
           EVP_CipherUpdate(c, NULL, &n, (const unsigned char *)at->kind, (int)strlen(at->kind) + 1) == 1 &&
           EVP_CipherUpdate(c, NULL, &n, (const unsigned char *)at->part, (int)strlen(at->part) + 1) == 1;
}

static bool encrypt(const struct vault_key *k, const struct vault_place *at, struct slice secret, unsigned char *to)
{
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    unsigned char *text = to + HEAD_SIZE;
    int n = 0, rest = 0;
    bool ok;

    to[0] = VERSION;
    memcpy(to + 1, k->name, NAME_SIZE);
    ok = c != NULL && RAND_bytes(to + 1 + NAME_SIZE, NONCE_SIZE) == 1 &&
         EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, k->key, to + 1 + NAME_SIZE) == 1 && add_place(c, to, at) &&
         EVP_EncryptUpdate(c, text, &n, (const unsigned char *)secret.s, (int)secret.n) == 1 &&
         EVP_EncryptFinal_ex(c, text + n, &rest) == 1 && (size_t)(n + rest) == secret.n &&
         EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, text + secret.n) == 1;
    EVP_CIPHER_CTX_free(c);
    return ok;
}

int vault_seal(const struct vault *v, const struct vault_place *at, struct slice secret, struct str *out, struct err *e)
{
    char *to;

    if (secret.n > INT32_MAX / 2)
        return err_set(e, &ERR_UNEXPECTED, "a secret of %zu bytes", secret.n);
    to = str_reserve(out, secret.n + VAULT_OVERHEAD);
    if (to == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (!encrypt(&v->keys[0], at, secret.n > 0 ? secret : SLICE(""), (unsigned char *)to))
        return err_set(e, &ERR_UNEXPECTED, "sealing a secret");
    out->n += secret.n + VAULT_OVERHEAD;
    out->s[out->n] = '\0';
    return 0;
}

static const struct vault_key *key_of(const struct vault *v, struct slice sealed)
{
    for (unsigned i = 0; i < v->n_keys; i++) {
        if (memcmp(v->keys[i].name, sealed.s + 1, NAME_SIZE) == 0)
            return &v->keys[i];
    }
    return NULL;
}

static bool decrypt(const struct vault_key *k, const struct vault_place *at, struct slice sealed, char *to)
{
    const unsigned char *from = (const unsigned char *)sealed.s;
    size_t size = sealed.n - VAULT_OVERHEAD;
    unsigned char tag[TAG_SIZE];
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n = 0, rest = 0;
    bool ok;

    memcpy(tag, from + HEAD_SIZE + size, TAG_SIZE);
    ok = c != NULL && EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, k->key, from + 1 + NAME_SIZE) == 1 && add_place(c, from, at) &&
         EVP_DecryptUpdate(c, (unsigned char *)to, &n, from + HEAD_SIZE, (int)size) == 1 &&
         EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) == 1 && EVP_DecryptFinal_ex(c, (unsigned char *)to + n, &rest) == 1;
    EVP_CIPHER_CTX_free(c);
    to[size] = '\0';
    if (!ok)
        mem_wipe(to, size);
    return ok;
}

static int cannot_open(struct err *e, const struct vault_place *at, const char *reason)
{
    (void)err_set(e, &ERR_VAULT_OPEN, "%s", at->kind);
    (void)err_arg(e, "%lld", (long long)at->id);
    return err_arg(e, "%s", reason);
}

/* Opened secrets carry their size in front, so that all of it can be wiped. */
struct secret {
    size_t n;
    char text[];
};

int vault_open(const struct vault *v, const struct vault_place *at, struct slice sealed, char **secret, struct err *e)
{
    const struct vault_key *k;
    struct secret *s;

    if (sealed.n < VAULT_OVERHEAD || sealed.n > INT32_MAX / 2 || sealed.s[0] != VERSION)
        return cannot_open(e, at, "it is not a sealed secret");
    k = key_of(v, sealed);
    if (k == NULL)
        return cannot_open(e, at, "it was sealed with another key");
    s = mem_zalloc(sizeof *s + sealed.n - VAULT_OVERHEAD + 1);
    if (s == NULL)
        return err_set(e, &ERR_NOMEM, "");
    s->n = sealed.n - VAULT_OVERHEAD;
    if (!decrypt(k, at, sealed, s->text)) {
        mem_free(s);
        return cannot_open(e, at, "it was changed or belongs to another object");
    }
    *secret = s->text;
    return 0;
}

bool vault_is_old(const struct vault *v, struct slice sealed)
{
    return sealed.n < VAULT_OVERHEAD || memcmp(v->keys[0].name, sealed.s + 1, NAME_SIZE) != 0;
}

void secret_free(char *secret)
{
    struct secret *s;

    if (secret == NULL)
        return;
    s = (struct secret *)(void *)(secret - offsetof(struct secret, text));
    mem_wipe(s->text, s->n);
    mem_free(s);
}
