/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/obcluster.h"

#include <string.h>

#include "src/store/change.h"

ERR_DEFINE(ERR_OBCLUSTER_NOT_FOUND, 11001, 404, ERR_FINAL, "The cluster {0} does not exist.", "集群 {0} 不存在。");
ERR_DEFINE(ERR_OBCLUSTER_MANAGED, 11034, 409, ERR_FINAL, "The cluster {0} ({1}) is managed here already.", "集群 {0}（{1}）已被纳管。");

const struct err_row *const store_obcluster_err_rows[] = { &ERR_OBCLUSTER_NOT_FOUND, &ERR_OBCLUSTER_MANAGED, NULL };

const char *const obcluster_status_names[] = {
#define X(NAME) #NAME,
    OBCLUSTER_STATUSES(X)
#undef X
        NULL,
};

#define COLUMNS                                                                                                                        \
    "id, name, ob_cluster_id, engine, type, status, address, port, connection_mode, username, password, password_version, "           \
    "proxyro_password, instance, version, full_version, architecture, creator_id, creator_name, created_at, updated_at, seen_at, " \
    "endpoints, failure, failed_at"

static const struct sql_field fields[] = {
    SQL_FIELD(obcluster, id, "id", SQL_C_INT64),
    SQL_FIELD(obcluster, name, "name", SQL_C_TEXT),
    SQL_FIELD(obcluster, ob_cluster_id, "ob_cluster_id", SQL_C_INT64),
    SQL_FIELD(obcluster, engine, "engine", SQL_C_TEXT),
    SQL_FIELD(obcluster, type, "type", SQL_C_TEXT),
    SQL_FIELD(obcluster, status, "status", SQL_C_INT),
    SQL_FIELD(obcluster, address, "address", SQL_C_TEXT),
    SQL_FIELD(obcluster, port, "port", SQL_C_INT64),
    SQL_FIELD(obcluster, connection_mode, "connection_mode", SQL_C_TEXT),
    SQL_FIELD(obcluster, username, "username", SQL_C_TEXT),
    SQL_FIELD(obcluster, password, "password", SQL_C_BYTES),
    SQL_FIELD(obcluster, password_version, "password_version", SQL_C_INT64),
    SQL_FIELD(obcluster, proxyro_password, "proxyro_password", SQL_C_BYTES),
    SQL_FIELD(obcluster, instance, "instance", SQL_C_TEXT),
    SQL_FIELD(obcluster, version, "version", SQL_C_TEXT),
    SQL_FIELD(obcluster, full_version, "full_version", SQL_C_TEXT),
    SQL_FIELD(obcluster, architecture, "architecture", SQL_C_TEXT),
    SQL_FIELD(obcluster, creator_id, "creator_id", SQL_C_INT64),
    SQL_FIELD(obcluster, creator_name, "creator_name", SQL_C_TEXT),
    SQL_FIELD(obcluster, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(obcluster, updated_us, "updated_at", SQL_C_TIME),
    SQL_FIELD(obcluster, seen_us, "seen_at", SQL_C_TIME),
    SQL_FIELD(obcluster, endpoints, "endpoints", SQL_C_TEXT),
    SQL_FIELD(obcluster, failure, "failure", SQL_C_TEXT),
    SQL_FIELD(obcluster, failed_us, "failed_at", SQL_C_TIME),
    { .column = NULL },
};

static const struct obcluster initial = { .endpoints = "", .ob_cluster_id = FIELD_NONE, .seen_us = FIELD_NONE, .failed_us = FIELD_NONE };

static const struct list_sort sorts[] = {
    { "id", "id" }, { "name", "name" }, { "status", "status" }, { "createTime", "created_at" }, { "updateTime", "updated_at" }, { NULL, NULL },
};

static const struct list_kind kind = {
    .noun = "cluster",
    .columns = COLUMNS,
    .from = "obcluster",
    .sorts = sorts,
    .key = "id",
    .fields = fields,
    .size = sizeof(struct obcluster),
    .init = &initial,
};

static int as_unknown(int rv, int64_t id, struct err *e)
{
    return rv == ERR_NOT_FOUND.code ? err_set(e, &ERR_OBCLUSTER_NOT_FOUND, "%lld", (long long)id) : rv;
}

int store_obcluster_get(struct db *d, int64_t id, struct arena *arena, struct obcluster *out, struct err *e)
{
    return as_unknown(list_get(d, &kind, "id = ?", SQL_V_I(id), arena, out, e), id, e);
}

int store_obcluster_lock(struct tx *tx, int64_t id, struct arena *arena, struct obcluster *out, struct err *e)
{
    return as_unknown(list_get_in(tx, &kind, "id = ?", SQL_V_I(id), true, arena, out, e), id, e);
}

static void filter_statuses(struct filter *f, unsigned statuses, struct arena *arena)
{
    int64_t items[32];
    struct field_ints wanted = { arena_array(arena, 32, sizeof items[0]), 0 };

    if (wanted.items == NULL)
        f->text.failed = true;
    for (unsigned i = 0; wanted.items != NULL && i < 32; i++)
        if ((statuses & 1u << i) != 0)
            wanted.items[wanted.n++] = (int64_t)i;
    filter_ints(f, "status IN", wanted);
}

/* Ids are numbers, so they may stand in the text, as many as there are. */
static void filter_ids(struct filter *f, const int64_t *ids, size_t n)
{
    str_add(&f->text, " AND id IN (-1");
    for (size_t i = 0; i < n; i++)
        str_printf(&f->text, ",%lld", (long long)ids[i]);
    str_add_c(&f->text, ')');
}

static const struct scope_column scope_columns[] = { { .kind = "CLUSTER", .column = "id" }, { NULL } };

int store_obcluster_list(struct db *d, const struct obcluster_filter *f, const struct store_page *page, struct arena *arena,
                         struct obcluster **out, size_t *n, int64_t *total, struct err *e)
{
    static const char *const named[] = { "name", NULL };
    struct filter conditions;
    void *items;
    int rv;

    filter_init(&conditions, arena);
    if (f != NULL) {
        filter_contains(&conditions, named, f->name);
        filter_statuses(&conditions, f->statuses, arena);
        if (f->ids != NULL)
            filter_ids(&conditions, f->ids, f->n_ids);
        filter_scope(&conditions, f->scope, scope_columns);
    }
    rv = list_read(d, &kind, &conditions, page, arena, &items, n, total, e);
    *out = rv == 0 ? items : NULL;
    return rv;
}

int store_obcluster_find(struct db *d, const char *address, int64_t port, const char *instance, const char *name, struct arena *arena,
                         struct obcluster **out, struct err *e)
{
    struct sql_rows rows;
    int rv = db_read(d,
                     "SELECT " COLUMNS " FROM obcluster WHERE (address = ? AND port = ?) OR (instance = ? AND instance <> '') OR "
                     "(name = ? AND name <> '') ORDER BY id LIMIT 1",
                     DB_ARGS(sql_v_s(address), SQL_V_I(port), sql_v_s(instance), sql_v_s(name)), arena, &rows, e);

    *out = NULL;
    if (rv != 0 || rows.n_rows == 0)
        return rv;
    *out = arena_alloc(arena, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    **out = initial;
    return sql_fetch(&rows, fields, sizeof **out, *out, e);
}

static struct sql_value optional(int64_t v)
{
    return v == FIELD_NONE ? SQL_V_NULL : SQL_V_I(v);
}

static int managed(const struct obcluster *c, struct err *e)
{
    (void)err_set(e, &ERR_OBCLUSTER_MANAGED, "%s", c->name);
    return err_arg(e, "%s:%lld", c->address, (long long)c->port);
}

int store_obcluster_insert(struct tx *tx, const struct obcluster *c, struct err *e)
{
    int rv = tx_exec(tx,
                     "INSERT INTO obcluster (id, name, ob_cluster_id, engine, type, status, address, port, connection_mode, username, password, "
                     "password_version, proxyro_password, instance, version, full_version, architecture, creator_id, creator_name, created_at, "
                     "updated_at, failure, ocp_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, '', "
                     "COALESCE((SELECT cluster FROM ocp_cluster WHERE id = 1), ''))",
                     DB_ARGS(SQL_V_I(c->id), sql_v_s(c->name), optional(c->ob_cluster_id), sql_v_s(c->engine), sql_v_s(c->type),
                             SQL_V_I(c->status), sql_v_s(c->address), SQL_V_I(c->port), sql_v_s(c->connection_mode), sql_v_s(c->username),
                             sql_v_bytes(c->password.s, c->password.n), sql_v_bytes(c->proxyro_password.n > 0 ? c->proxyro_password.s : "", c->proxyro_password.n),
                             sql_v_s(c->instance), sql_v_s(c->version), sql_v_s(c->full_version), sql_v_s(c->architecture),
                             SQL_V_I(c->creator_id), sql_v_s(c->creator_name), SQL_V_TIME(c->created_us), SQL_V_TIME(c->updated_us)),
                     NULL, e);

    return rv == ERR_SQL_DUPLICATE.code ? managed(c, e) : rv;
}

int store_obcluster_move(struct tx *tx, int64_t id, enum obcluster_status from, enum obcluster_status to, int64_t now_us, bool *moved,
                         struct err *e)
{
    uint64_t affected = 0;
    int rv = tx_exec(tx, "UPDATE obcluster SET status = ?, updated_at = ? WHERE id = ? AND status = ?",
                     DB_ARGS(SQL_V_I(to), SQL_V_TIME(now_us), SQL_V_I(id), SQL_V_I(from)), &affected, e);

    *moved = affected > 0;
    return rv;
}

int store_obcluster_set_password(struct tx *tx, int64_t id, int64_t version, struct slice sealed, int64_t now_us, struct err *e)
{
    char text[CHANGE_ID_SIZE];
    struct change change = { "cluster", change_id(id, text), true };

    return change_run_in(tx, &change,
                         "UPDATE obcluster SET password = ?, password_version = password_version + 1, updated_at = ? "
                         "WHERE id = ? AND password_version = ?",
                         DB_ARGS(sql_v_bytes(sealed.s, sealed.n), SQL_V_TIME(now_us), SQL_V_I(id), SQL_V_I(version)), e);
}

int store_obcluster_set_instance(struct tx *tx, int64_t id, const char *instance, struct err *e)
{
    return tx_exec(tx, "UPDATE obcluster SET instance = ? WHERE id = ?", DB_ARGS(sql_v_s(instance), SQL_V_I(id)), NULL, e);
}

int store_obcluster_delete(struct tx *tx, int64_t id, struct err *e)
{
    static const char *const steps[] = {
        "DELETE FROM obzone WHERE cluster_id = ?",
        "DELETE FROM observer WHERE cluster_id = ?",
        "DELETE FROM obtenant WHERE cluster_id = ?",
        "DELETE FROM obtenant_kept WHERE cluster_id = ?",
        "DELETE FROM obunit WHERE cluster_id = ?",
        "DELETE FROM obinstall WHERE cluster_id = ?",
        "DELETE FROM obinstall_server WHERE cluster_id = ?",
        "DELETE FROM obparameter_change WHERE cluster_id = ?",
        "DELETE FROM obcluster WHERE id = ?",
    };
    int rv = 0;

    for (size_t i = 0; rv == 0 && i < sizeof steps / sizeof steps[0]; i++)
        rv = tx_exec(tx, steps[i], DB_ARGS(SQL_V_I(id)), NULL, e);
    return rv;
}

int store_obcluster_set_seen(struct tx *tx, const struct obcluster *c, int64_t now_us, struct err *e)
{
    return tx_exec(tx,
                   "UPDATE obcluster SET ob_cluster_id = ?, type = ?, version = ?, full_version = ?, architecture = ?, endpoints = ?, seen_at = ?, "
                   "failure = '', failed_at = NULL WHERE id = ?",
                   DB_ARGS(optional(c->ob_cluster_id), sql_v_s(c->type), sql_v_s(c->version), sql_v_s(c->full_version),
                           sql_v_s(c->architecture), sql_v_s(c->endpoints), SQL_V_TIME(now_us), SQL_V_I(c->id)),
                   NULL, e);
}

int store_obcluster_set_failed(struct tx *tx, int64_t id, const char *failure, int64_t now_us, struct err *e)
{
    return tx_exec(tx, "UPDATE obcluster SET failure = ?, failed_at = COALESCE(failed_at, ?) WHERE id = ?",
                   DB_ARGS(sql_v_s(failure), SQL_V_TIME(now_us), SQL_V_I(id)), NULL, e);
}
