/* SPDX-License-Identifier: Apache-2.0 */
#include "src/vault/credential.h"

#include <string.h>

#include "src/base/json.h"
#include "src/io/ssh.h"
#include "src/vault/box_file.h"
#include "src/vault/inside.h"
#include "src/vault/offer.h"
#include "src/vault/reseal.h"
#include "src/vault/verify.h"

ERR_DEFINE(ERR_CREDENTIAL_NAME_USED, 8002, 409, ERR_FINAL, "You have a credential named {0} already. Choose another name.",
           "您已有名为 {0} 的凭据，请更换名称。");
ERR_DEFINE(ERR_CREDENTIAL_DENIED, 8102, 403, ERR_FINAL, "The credential {0} belongs to another user.", "凭据 {0} 属于其他用户，无权访问。");
ERR_DEFINE(ERR_CREDENTIAL_FOREIGN, 8001, 403, ERR_FINAL, "The credential {0} belongs to another user and cannot be deleted by you.",
           "凭据 {0} 属于其他用户，不能删除。");

const struct err_row *const vault_err_rows[] = {
    &ERR_VAULT_FILE,          &ERR_VAULT_OPEN,            &ERR_CREDENTIAL_NAME_USED,  &ERR_CREDENTIAL_DENIED,
    &ERR_CREDENTIAL_FOREIGN,  &ERR_CREDENTIAL_UNVERIFIED, &ERR_CREDENTIAL_SUDO,       &ERR_OFFER_SETTLED,
    &ERR_KEY_STEP,            &ERR_BOX_FORMAT,            &ERR_BOX_SECRET,           NULL,
};

const char *const credential_target_names[] = { "HOST", "OB", "OBPROXY", NULL };
const char *const credential_kind_names[] = { "PASSWORD", "PRIVATE_KEY", NULL };

enum { MAX_NAME = 64, MAX_DESCRIPTION = 1024, MAX_USERNAME = 128, MAX_SECRET = 16 * 1024, MAX_HOSTS = 1000 };

static int index_of(const char *const *names, const char *name)
{
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0)
            return i;
    }
    return -1;
}

/* ---- rows and what they say ------------------------------------------------------------------------------------------ */

static int nomem(struct err *e)
{
    return err_set(e, &ERR_NOMEM, "");
}

static int copy_member(const json_t *extra, const char *key, struct arena *arena, const char **out, struct err *e)
{
    const char *text = json_string_value(json_object_get(extra, key));

    *out = NULL;
    if (text == NULL)
        return 0;
    *out = arena_strdup(arena, text);
    return *out != NULL ? 0 : nomem(e);
}

static int copy_hosts(const json_t *extra, struct arena *arena, struct credential_view *out, struct err *e)
{
    const json_t *list = json_object_get(extra, "hostIdList");
    size_t n = json_array_size(list);

    out->host_ids = arena_array(arena, n, sizeof *out->host_ids);
    if (out->host_ids == NULL)
        return nomem(e);
    out->n_host_ids = n;
    for (size_t i = 0; i < n; i++)
        out->host_ids[i] = json_integer_value(json_array_get(list, i));
    return 0;
}

static int read_extra(const struct credential *row, struct arena *arena, struct credential_view *out, struct err *e)
{
    json_t *extra;
    int rv = json_parse((struct slice){ row->extra, strlen(row->extra) }, &extra, e);

    if (rv != 0)
        return err_wrap(e, "credential %lld", (long long)row->id);
    rv = copy_member(extra, "clusterName", arena, &out->cluster_name, e);
    if (rv == 0)
        rv = copy_member(extra, "tenantName", arena, &out->tenant_name, e);
    if (rv == 0)
        rv = copy_member(extra, "address", arena, &out->address, e);
    out->port = json_integer_value(json_object_get(extra, "port"));
    if (rv == 0)
        rv = copy_hosts(extra, arena, out, e);
    json_decref(extra);
    return rv;
}

int credential_view_of(const struct credential *row, struct arena *arena, struct credential_view *out, struct err *e)
{
    *out = (struct credential_view){
        .id = row->id,
        .target = index_of(credential_target_names, row->target_type),
        .kind = index_of(credential_kind_names, row->kind),
        .name = row->name,
        .description = row->description,
        .username = row->username,
        .created_us = row->created_us,
        .updated_us = row->updated_us,
    };
    return read_extra(row, arena, out, e);
}

static const char *write_extra(const struct credential_view *v, struct arena *arena)
{
    struct str t;

    str_init(&t, arena);
    str_add_c(&t, '{');
    if (v->target == CREDENTIAL_HOST) {
        json_add_key(&t, "hostIdList");
        str_add_c(&t, '[');
        for (size_t i = 0; i < v->n_host_ids; i++)
            str_printf(&t, "%s%lld", i > 0 ? "," : "", (long long)v->host_ids[i]);
        str_add_c(&t, ']');
    }
    if (v->cluster_name != NULL) {
        json_add_key(&t, "clusterName");
        json_add_string(&t, v->cluster_name);
    }
    if (v->tenant_name != NULL) {
        json_add_key(&t, "tenantName");
        json_add_string(&t, v->tenant_name);
    }
    if (v->address != NULL) {
        json_add_key(&t, "address");
        json_add_string(&t, v->address);
        json_add_key(&t, "port");
        str_add_i64(&t, v->port);
    }
    str_add_c(&t, '}');
    return str_failed(&t) ? NULL : t.s;
}

/* ---- what may be stored ---------------------------------------------------------------------------------------------- */

static bool has_control(const char *s)
{
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return true;
    }
    return false;
}

/* A line of text of `min` to `max` bytes. */
static int check_line(const char *member, const char *s, size_t min, size_t max, struct err *e)
{
    size_t n = strlen(s);

    if (n < min)
        return err_set(e, &ERR_INVALID, "%s: it is missing", member);
    if (n > max)
        return err_set(e, &ERR_INVALID, "%s: it is longer than %zu bytes", member, max);
    return has_control(s) ? err_set(e, &ERR_INVALID, "%s: it has control characters", member) : 0;
}

int credential_check_view(const struct credential_view *v, struct err *e)
{
    int rv = check_line("name", v->name, 1, MAX_NAME, e);

    if (rv == 0)
        rv = check_line("description", v->description, 0, MAX_DESCRIPTION, e);
    if (rv == 0)
        rv = check_line("username", v->username, 1, MAX_USERNAME, e);
    if (rv == 0 && v->cluster_name != NULL)
        rv = check_line("clusterName", v->cluster_name, 0, MAX_USERNAME, e);
    if (rv == 0 && v->tenant_name != NULL)
        rv = check_line("tenantName", v->tenant_name, 0, MAX_USERNAME, e);
    if (rv == 0 && v->address != NULL)
        rv = check_line("address", v->address, 0, MAX_USERNAME, e);
    if (rv == 0 && v->address != NULL && v->address[0] != '\0' && (v->port < 1 || v->port > 65535))
        rv = err_set(e, &ERR_INVALID, "port: it must be from 1 to 65535");
    if (rv == 0 && v->n_host_ids > MAX_HOSTS)
        rv = err_set(e, &ERR_INVALID, "hostIdList: it has more than %d hosts", MAX_HOSTS);
    if (rv == 0 && v->kind == CREDENTIAL_PRIVATE_KEY && v->target != CREDENTIAL_HOST)
        rv = err_set(e, &ERR_INVALID, "type: PRIVATE_KEY is possible for HOST only");
    return rv;
}

static const char *either(const char *given, const char *present)
{
    return given != NULL ? given : present;
}

/* Puts what the spec gives over what is there. Members of other targets are passed over. */
static int merge(struct credential_view *v, const struct credential_spec *spec, struct arena *arena, struct err *e)
{
    v->name = either(spec->name, v->name);
    v->description = either(spec->description, v->description);
    v->username = either(spec->username, v->username);
    v->kind = spec->kind >= 0 ? spec->kind : v->kind;
    if (v->target != CREDENTIAL_HOST)
        v->cluster_name = either(spec->cluster_name, v->cluster_name);
    if (v->target != CREDENTIAL_HOST)
        v->address = either(spec->address, v->address);
    if (v->target != CREDENTIAL_HOST && spec->port > 0)
        v->port = spec->port;
    if (v->target == CREDENTIAL_OB)
        v->tenant_name = either(spec->tenant_name, v->tenant_name);
    if (v->target == CREDENTIAL_HOST && spec->has_host_ids) {
        v->host_ids = arena_array(arena, spec->n_host_ids, sizeof *v->host_ids);
        if (v->host_ids == NULL)
            return nomem(e);
        if (spec->n_host_ids > 0)
            memcpy(v->host_ids, spec->host_ids, spec->n_host_ids * sizeof *v->host_ids);
        v->n_host_ids = spec->n_host_ids;
    }
    return credential_check_view(v, e);
}

/* ---- writing --------------------------------------------------------------------------------------------------------- */

static struct vault_place place_of(int64_t id)
{
    return (struct vault_place){ "credential", id, "" };
}

int credential_row_of(const struct credential_context *c, const struct credential_view *v, int64_t user_id, const char *passphrase,
                    struct arena *arena, struct credential *row, struct err *e)
{
    struct vault_place at = place_of(v->id);
    struct str sealed;
    int rv = 0;

    str_init(&sealed, arena);
    if (passphrase != NULL)
        rv = vault_seal(c->vault, &at, (struct slice){ passphrase, strlen(passphrase) }, &sealed, e);
    *row = (struct credential){
        .id = v->id,
        .user_id = user_id,
        .target_type = credential_target_names[v->target],
        .name = v->name,
        .description = v->description,
        .kind = credential_kind_names[v->kind],
        .username = v->username,
        .secret = { sealed.s, sealed.n },
        .extra = write_extra(v, arena),
    };
    return rv == 0 && row->extra == NULL ? nomem(e) : rv;
}

static int tx_insert(struct tx *tx, void *data, struct err *e)
{
    return store_credential_insert(tx, data, e);
}

static int tx_update(struct tx *tx, void *data, struct err *e)
{
    return store_credential_update(tx, data, e);
}

static int tx_delete(struct tx *tx, void *data, struct err *e)
{
    struct credential *row = data;

    return store_credential_delete(tx, row->user_id, row->id, e);
}

static int write_row(const struct credential_context *c, int (*body)(struct tx *, void *, struct err *), struct credential *row, struct err *e)
{
    int rv = db_transact(c->db, body, row, e);

    return rv == ERR_NAME_USED.code ? err_set(e, &ERR_CREDENTIAL_NAME_USED, "%s", row->name) : rv;
}

/* What is kept: the password, or the key with what opens it; to be ended with mem_wipe and mem_free. */
static int open_secret(const struct credential_context *c, int kind, const struct credential_spec *spec, char **out, struct err *e)
{
    if (kind == CREDENTIAL_PRIVATE_KEY)
        return ssh_key_check(c->long_pool, spec->passphrase, spec->key_passphrase, out, e);
    *out = mem_strdup(spec->passphrase);
    return *out != NULL ? 0 : nomem(e);
}

static void wipe(char *secret)
{
    if (secret != NULL)
        mem_wipe(secret, strlen(secret));
    mem_free(secret);
}

static int check_passphrase(const struct credential_spec *spec, bool needed, struct err *e)
{
    if (spec->passphrase == NULL || spec->passphrase[0] == '\0')
        return needed ? err_set(e, &ERR_INVALID, "passphrase: it is missing") : 0;
    return strlen(spec->passphrase) <= MAX_SECRET ? 0 : err_set(e, &ERR_INVALID, "passphrase: it is longer than %d bytes", MAX_SECRET);
}

int credential_create(const struct credential_context *c, int64_t user_id, const struct credential_spec *spec, struct arena *arena,
                      struct credential_view *out, struct err *e)
{
    struct credential_view v = { .target = spec->target, .name = "", .description = "", .username = "" };
    struct credential row;
    char *secret = NULL;
    int rv = check_passphrase(spec, true, e);

    if (rv == 0)
        rv = merge(&v, spec, arena, e);
    if (rv == 0)
        rv = open_secret(c, v.kind, spec, &secret, e);
    if (rv == 0 && spec->validate)
        rv = credential_verify(c, &v, secret, arena, e);
    if (rv == 0)
        rv = db_next_id(c->db, &v.id, e);
    if (rv == 0)
        rv = credential_row_of(c, &v, user_id, secret, arena, &row, e);
    wipe(secret);
    if (rv == 0)
        rv = write_row(c, tx_insert, &row, e);
    return rv == 0 ? credential_get(c, user_id, v.id, arena, out, e) : rv;
}

/* A row of this user. Another's is there for nobody else, but not unknown. */
static int own_row(const struct credential_context *c, int64_t user_id, int64_t id, const struct err_row *foreign, struct arena *arena,
                   struct credential *row, struct err *e)
{
    int rv = store_credential_open(c->db, id, arena, row, e);

    if (rv == 0 && row->user_id != user_id)
        rv = err_set(e, foreign, "%lld", (long long)id);
    return rv;
}

/* The passphrase that counts after an update: the new one, or the stored one, to be freed with secret_free. */
static int verify_update(const struct credential_context *c, const struct credential_view *v, const struct credential *row,
                         const char *passphrase, struct arena *arena, struct err *e)
{
    struct vault_place at = place_of(row->id);
    char *stored = NULL;
    int rv = 0;

    if (passphrase == NULL)
        rv = vault_open(c->vault, &at, row->secret, &stored, e);
    if (rv == 0)
        rv = credential_verify(c, v, passphrase != NULL ? passphrase : stored, arena, e);
    secret_free(stored);
    return rv;
}

int credential_update(const struct credential_context *c, int64_t user_id, int64_t id, const struct credential_spec *spec, struct arena *arena,
                      struct credential_view *out, struct err *e)
{
    bool is_new = spec->passphrase != NULL && spec->passphrase[0] != '\0';
    char *passphrase = NULL;
    struct credential_view v;
    struct credential row, fresh;
    int rv = own_row(c, user_id, id, &ERR_CREDENTIAL_DENIED, arena, &row, e);

    if (rv == 0)
        rv = credential_view_of(&row, arena, &v, e);
    if (rv == 0 && spec->target >= 0 && spec->target != v.target)
        rv = err_set(e, &ERR_INVALID, "targetType: it cannot be changed");
    if (rv == 0 && spec->kind >= 0 && spec->kind != v.kind && !is_new)
        rv = err_set(e, &ERR_INVALID, "passphrase: it is missing, and the stored one is of another type");
    if (rv == 0)
        rv = check_passphrase(spec, false, e);
    if (rv == 0)
        rv = merge(&v, spec, arena, e);
    if (rv == 0 && is_new)
        rv = open_secret(c, v.kind, spec, &passphrase, e);
    if (rv == 0 && spec->validate)
        rv = verify_update(c, &v, &row, passphrase, arena, e);
    if (rv == 0)
        rv = credential_row_of(c, &v, user_id, passphrase, arena, &fresh, e);
    wipe(passphrase);
    if (rv == 0)
        rv = write_row(c, tx_update, &fresh, e);
    return rv == 0 ? credential_get(c, user_id, id, arena, out, e) : rv;
}

int credential_delete(const struct credential_context *c, int64_t user_id, int64_t id, struct arena *arena, const char **name, struct err *e)
{
    struct credential row;
    int rv = own_row(c, user_id, id, &ERR_CREDENTIAL_FOREIGN, arena, &row, e);

    if (rv != 0)
        return rv;
    *name = row.name;
    return db_transact(c->db, tx_delete, &row, e);
}

int credential_save(const struct credential_context *c, int64_t user_id, const struct credential_spec *spec, struct arena *arena, struct err *e)
{
    struct credential_view v;
    struct credential *rows;
    size_t n;
    int rv = store_credential_list(c->db, user_id, NULL, spec->name, NULL, arena, &rows, &n, NULL, e);

    if (rv != 0)
        return rv;
    if (n > 0)
        return credential_update(c, user_id, rows[0].id, spec, arena, &v, e);
    return credential_create(c, user_id, spec, arena, &v, e);
}

/* ---- reading --------------------------------------------------------------------------------------------------------- */

int credential_list(const struct credential_context *c, int64_t user_id, int target, struct arena *arena, struct credential_view **out,
                    size_t *n, struct err *e)
{
    struct credential *rows;
    int rv = store_credential_list(c->db, user_id, target >= 0 ? credential_target_names[target] : NULL, NULL, NULL, arena, &rows, n, NULL, e);

    if (rv != 0)
        return rv;
    *out = arena_array(arena, *n, sizeof **out);
    if (*out == NULL)
        return nomem(e);
    for (size_t i = 0; rv == 0 && i < *n; i++)
        rv = credential_view_of(&rows[i], arena, &(*out)[i], e);
    return rv;
}

int credential_get(const struct credential_context *c, int64_t user_id, int64_t id, struct arena *arena, struct credential_view *out,
                   struct err *e)
{
    struct credential row;
    int rv = own_row(c, user_id, id, &ERR_CREDENTIAL_DENIED, arena, &row, e);

    return rv == 0 ? credential_view_of(&row, arena, out, e) : rv;
}

int credential_open(const struct credential_context *c, int64_t user_id, int64_t id, struct arena *arena, struct credential_view *out,
                    char **secret, struct err *e)
{
    struct vault_place at = place_of(id);
    struct credential row;
    int rv = own_row(c, user_id, id, &ERR_CREDENTIAL_DENIED, arena, &row, e);

    if (rv == 0)
        rv = credential_view_of(&row, arena, out, e);
    return rv == 0 ? vault_open(c->vault, &at, row.secret, secret, e) : rv;
}

int credential_check(const struct credential_context *c, int64_t user_id, int64_t id, struct arena *arena, struct credential_view *v,
                     struct credential_attempt **out, size_t *n, struct err *e)
{
    char *secret;
    int rv = credential_open(c, user_id, id, arena, v, &secret, e);

    if (rv != 0)
        return rv;
    rv = credential_try(c, v, secret, false, arena, out, n, e);
    secret_free(secret);
    return rv;
}
