/* SPDX-License-Identifier: Apache-2.0 */
#include "src/vault/reseal.h"

#include <openssl/evp.h>
#include <string.h>

#include "src/base/num.h"

ERR_DEFINE(ERR_KEY_STEP, 90302, 409, ERR_FINAL, "The master key cannot take the step {0}: {1}.", "主密钥轮换无法执行步骤 {0}：{1}。");

const struct sealed_column sealed_columns[] = {
    { "credential", "secret", "id", "credential", "", false },
    { "credential_offer", "secret", "id", "credential_offer", "", false },
    { "obcluster", "password", "id", "obcluster", "password", false },
    { "obcluster", "proxyro_password", "id", "obcluster", "proxyro", false },
    { "obinstall", "monitor_password", "cluster_id", "obcluster", "monitor", false },
    { "obtenant_kept", "password", "id", "obtenant", "password", false },
    { "access_key", "secret", "id", "access_key", "", false },
    { "login_key", "private_key", "bits", "login_key", "", false, .id = 1 },
    { "ocp_cluster", "authority_key", "id", "ocp_cluster", "authority", false },
    { "property", "value", "name", "property", NULL, true },
    { NULL },
};

enum { BATCH = 100 };

struct pass {
    const struct vault *vault;
    struct db *db;
    const struct sealed_column *column;
    struct arena arena;            /* of a batch */
    struct sealed_row *rows;
    struct slice *fresh;           /* by row; s == NULL: stays as it is */
    size_t n;
    struct reseal_count *count;
};

static int nomem(struct err *e)
{
    return err_set(e, &ERR_NOMEM, "");
}

/* The sealed bytes of a value; n == 0 when a text is none. */
static int decode(struct pass *p, struct slice value, struct slice *out, struct err *e)
{
    char *bytes;
    int n;

    *out = value;
    if (!p->column->is_base64)
        return 0;
    bytes = arena_alloc(&p->arena, value.n / 4 * 3 + 1);
    if (bytes == NULL)
        return nomem(e);
    n = value.n % 4 == 0 ? EVP_DecodeBlock((unsigned char *)bytes, (const unsigned char *)value.s, (int)value.n) : -1;
    for (size_t i = value.n; n > 0 && i > 0 && value.s[i - 1] == '='; i--)
        n--;
    *out = (struct slice){ bytes, n > VAULT_OVERHEAD ? (size_t)n : 0 };
    return 0;
}

static int encode(struct pass *p, const struct str *sealed, struct slice *out, struct err *e)
{
    char *text;

    *out = (struct slice){ sealed->s, sealed->n };
    if (!p->column->is_base64)
        return 0;
    text = arena_alloc(&p->arena, (sealed->n + 2) / 3 * 4 + 1);
    if (text == NULL)
        return nomem(e);
    *out = (struct slice){ text, (size_t)EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)sealed->s, (int)sealed->n) };
    return 0;
}

static struct vault_place place_of(const struct pass *p, const struct sealed_row *row)
{
    struct vault_place at = { p->column->kind, 0, p->column->part };

    if (p->column->id != 0)
        at.id = p->column->id;
    else if (at.part == NULL)
        at.part = row->key.s; /* NUL-terminated, as all cells */
    else if (!num_parse_i64(row->key, &at.id))
        at.id = -1; /* no secret belongs there: it will not open */
    return at;
}

/* Among texts that are no secrets only what opens is one. */
static int reseal_row(struct pass *p, size_t i, struct err *e)
{
    struct vault_place at = place_of(p, &p->rows[i]);
    struct slice sealed;
    struct str fresh;
    char *secret;
    int rv = decode(p, p->rows[i].value, &sealed, e);

    if (rv != 0 || (sealed.n == 0 && p->column->is_base64))
        return rv;
    p->count->seen++;
    if (!vault_is_old(p->vault, sealed))
        return 0;
    rv = vault_open(p->vault, &at, sealed, &secret, e);
    if (rv == ERR_VAULT_OPEN.code) {
        p->count->lost += !p->column->is_base64;
        return 0;
    }
    if (rv != 0)
        return rv;
    p->count->old++;
    str_init(&fresh, &p->arena);
    rv = vault_seal(p->vault, &at, (struct slice){ secret, strlen(secret) }, &fresh, e);
    secret_free(secret);
    return rv == 0 ? encode(p, &fresh, &p->fresh[i], e) : rv;
}

static int tx_batch(struct tx *tx, void *data, struct err *e)
{
    struct pass *p = data;
    int rv = 0;

    for (size_t i = 0; rv == 0 && i < p->n; i++) {
        if (p->fresh[i].s != NULL)
            rv = store_sealed_replace(tx, p->column, &p->rows[i], p->fresh[i], e);
    }
    return rv;
}

static int run_batch(struct pass *p, bool write, struct err *e)
{
    size_t n_fresh = 0;
    int rv = 0;

    p->fresh = arena_array(&p->arena, p->n, sizeof *p->fresh);
    if (p->fresh == NULL)
        return nomem(e);
    for (size_t i = 0; rv == 0 && i < p->n; i++) {
        rv = reseal_row(p, i, e);
        n_fresh += p->fresh[i].s != NULL;
    }
    if (rv != 0 || !write || n_fresh == 0)
        return rv;
    rv = db_transact(p->db, tx_batch, p, e);
    p->count->changed += rv == 0 ? n_fresh : 0;
    return rv;
}

static int run_column(struct pass *p, bool write, struct err *e)
{
    struct str last;
    int rv = 0;

    str_init(&last, NULL);
    do {
        struct slice after = { last.s, last.n };

        arena_init(&p->arena);
        rv = store_sealed_after(p->db, p->column, after, BATCH, &p->arena, &p->rows, &p->n, e);
        if (rv == 0)
            rv = run_batch(p, write, e);
        if (rv == 0 && p->n > 0) {
            str_clear(&last);
            str_add_n(&last, p->rows[p->n - 1].key.s, p->rows[p->n - 1].key.n);
            rv = str_failed(&last) ? nomem(e) : 0;
        }
        arena_fini(&p->arena);
    } while (rv == 0 && p->n == BATCH);
    str_fini(&last);
    return rv == 0 ? 0 : err_wrap(e, "%s.%s", p->column->table, p->column->column);
}

int vault_reseal(const struct vault *v, struct db *d, bool write, struct reseal_count *out, struct err *e)
{
    struct pass p = { .vault = v, .db = d, .count = out };
    int rv = 0;

    *out = (struct reseal_count){ 0 };
    for (p.column = sealed_columns; rv == 0 && p.column->table != NULL; p.column++)
        rv = run_column(&p, write, e);
    return rv;
}
