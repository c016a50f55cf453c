/* SPDX-License-Identifier: Apache-2.0 */
#include "src/iam/accesskey.h"

#include <openssl/rand.h>
#include <string.h>

#include "src/vault/vault.h"

ERR_DEFINE(ERR_KEY_LIMIT, 90314, 400, ERR_FINAL, "A user may have {0} access keys. Delete one that is not used any more.",
           "每个用户最多拥有 {0} 个 AccessKey，请先删除不再使用的 AccessKey。");
ERR_DEFINE(ERR_KEY_BY_KEY, 90315, 403, ERR_FINAL,
           "A request signed with an access key cannot make, change or delete access keys. Log in with the password.",
           "使用 AccessKey 签名的请求不能创建、修改或删除 AccessKey，请使用密码登录。");

const struct err_row *const accesskey_err_rows[] = { &ERR_KEY_LIMIT, &ERR_KEY_BY_KEY, NULL };

/* Uniform choices: the alphabet has 64 characters less two, bytes that would favour some are thrown away. */
static int random_text(char *out, size_t n, struct err *e)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    enum { LETTERS = sizeof alphabet - 1, FAIR = 256 - 256 % LETTERS };
    unsigned char byte;

    for (size_t i = 0; i < n;) {
        if (RAND_bytes(&byte, 1) != 1)
            return err_set(e, &ERR_UNEXPECTED, "no random bytes");
        if (byte < FAIR)
            out[i++] = alphabet[byte % LETTERS];
    }
    out[n] = '\0';
    return 0;
}

static struct vault_place place_of(const struct accesskey *k)
{
    return (struct vault_place){ "access_key", k->id, "" };
}

int accesskey_open(const struct vault *v, const struct accesskey *k, char **secret, struct err *e)
{
    const struct vault_place at = place_of(k);

    return vault_open(v, &at, k->secret, secret, e);
}

static int check_login(const struct principal *who, struct err *e)
{
    return who->login == LOGIN_KEY ? err_set(e, &ERR_KEY_BY_KEY, "") : 0;
}

static int seal(const struct accesskey_context *c, struct accesskey *k, const char *secret, struct arena *arena, struct err *e)
{
    const struct vault_place at = place_of(k);
    struct str sealed;
    int rv;

    str_init(&sealed, arena);
    rv = vault_seal(c->vault, &at, (struct slice){ secret, strlen(secret) }, &sealed, e);
    k->secret = (struct slice){ sealed.s, sealed.n };
    return rv;
}

int accesskey_create(const struct accesskey_context *c, const struct principal *who, struct accesskey *out,
                     char secret[ACCESSKEY_SECRET_SIZE], struct arena *arena, struct err *e)
{
    char *key = arena_alloc(arena, ACCESSKEY_SIZE);
    bool full;
    int rv = check_login(who, e);

    if (rv == 0 && key == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    if (rv == 0)
        rv = random_text(key, ACCESSKEY_SIZE - 1, e);
    if (rv == 0)
        rv = random_text(secret, ACCESSKEY_SECRET_SIZE - 1, e);
    if (rv == 0)
        rv = db_next_id(c->db, &out->id, e);
    if (rv != 0)
        return rv;
    out->key = key;
    out->user_id = who->user_id;
    rv = seal(c, out, secret, arena, e);
    if (rv == 0)
        rv = store_accesskey_insert(c->db, out, ACCESSKEY_MAX, &full, e);
    if (rv == 0 && full)
        return err_set(e, &ERR_KEY_LIMIT, "%d", ACCESSKEY_MAX);
    return rv == 0 ? store_accesskey_get(c->db, who->user_id, out->id, arena, out, e) : rv;
}

int accesskey_update(const struct accesskey_context *c, const struct principal *who, int64_t user_id, int64_t id, const char *description,
                     int enabled, struct arena *arena, struct accesskey *out, struct err *e)
{
    int rv = check_login(who, e);

    if (rv == 0)
        rv = store_accesskey_get(c->db, user_id, id, arena, out, e);
    if (rv != 0)
        return rv;
    out->description = description != NULL ? description : out->description;
    out->enabled = enabled >= 0 ? enabled : out->enabled;
    rv = store_accesskey_update(c->db, out, e);
    if (rv == 0)
        iam_forget_key(c->iam, id);
    return rv == 0 ? store_accesskey_get(c->db, user_id, id, arena, out, e) : rv;
}

int accesskey_delete(const struct accesskey_context *c, const struct principal *who, int64_t user_id, int64_t id, struct arena *arena,
                     const char **name, struct err *e)
{
    struct accesskey k;
    int rv = check_login(who, e);

    if (rv == 0)
        rv = store_accesskey_get(c->db, user_id, id, arena, &k, e);
    if (rv != 0)
        return rv;
    if (name != NULL)
        *name = k.key;
    rv = store_accesskey_delete(c->db, user_id, id, e);
    if (rv == 0)
        iam_forget_key(c->iam, id);
    return rv;
}
