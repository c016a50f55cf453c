/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/package.h"

#include "src/store/change.h"
#include "src/store/package_blob.h"
#include "src/store/task.h"

static const struct list_sort sorts[] = {
    { "createTime", "created_at" }, { "name", "name" },         { "version", "version" },
    { "size", "size_bytes" },       { "fileName", "file_name" }, { "type", "type" },
    { "id", "id" },                 { NULL, NULL },
};
static const struct sql_field fields[] = {
    SQL_FIELD(package, id, "id", SQL_C_INT64),
    SQL_FIELD(package, name, "name", SQL_C_TEXT),
    SQL_FIELD(package, version, "version", SQL_C_TEXT),
    SQL_FIELD(package, build, "build_number", SQL_C_TEXT),
    SQL_FIELD(package, operating_system, "operating_system", SQL_C_TEXT),
    SQL_FIELD(package, architecture, "architecture", SQL_C_TEXT),
    SQL_FIELD(package, type, "type", SQL_C_TEXT),
    SQL_FIELD(package, file_name, "file_name", SQL_C_TEXT),
    SQL_FIELD(package, size, "size_bytes", SQL_C_INT64),
    SQL_FIELD(package, sha1, "sha1", SQL_C_TEXT),
    SQL_FIELD(package, sha256, "sha256", SQL_C_TEXT),
    SQL_FIELD(package, place, "place", SQL_C_INT64),
    SQL_FIELD(package, creator, "creator", SQL_C_TEXT),
    SQL_FIELD(package, created_us, "created_at", SQL_C_TIME),
    { NULL },
};
static const struct list_kind package_kind = {
    .noun = "package",
    .columns = "id, name, version, build_number, operating_system, architecture, type, file_name, size_bytes, sha1, sha256, place, creator, "
               "created_at",
    .from = "package",
    .sorts = sorts,
    .key = "id",
    .fields = fields,
    .size = sizeof(struct package),
};

int store_package_list(struct db *d, const struct package_filter *f, const struct store_page *page, struct arena *arena, struct package **out,
                       size_t *n, int64_t *total, struct err *e)
{
    static const char *const searched[] = { "name", "file_name", NULL };
    struct filter where;

    filter_init(&where, arena);
    filter_contains(&where, searched, f->keyword);
    filter_strings(&where, "type IN", f->types);
    filter_strings(&where, "version IN", f->versions);
    filter_strings(&where, "operating_system IN", f->operating_systems);
    filter_strings(&where, "architecture IN", f->architectures);
    return list_read(d, &package_kind, &where, page, arena, (void **)out, n, total, e);
}

int store_package_get(struct db *d, int64_t id, struct arena *arena, struct package *out, struct err *e)
{
    return list_get(d, &package_kind, "id = ?", SQL_V_I(id), arena, out, e);
}

int store_package_get_named(struct db *d, const char *file_name, struct arena *arena, struct package *out, struct err *e)
{
    return list_get(d, &package_kind, "file_name = ?", sql_v_s(file_name), arena, out, e);
}

int store_package_find_like(struct db *d, const struct package *p, struct arena *arena, struct package **out, struct err *e)
{
    size_t n;
    int rv = db_list(d,
                     "SELECT id, name, version, build_number, operating_system, architecture, type, file_name, size_bytes, sha1, sha256, place, "
                     "creator, created_at FROM package WHERE (name = ? AND version = ? AND build_number = ? AND operating_system = ? AND "
                     "architecture = ?) OR file_name = ? ORDER BY file_name = ? LIMIT 1",
                     DB_ARGS(sql_v_s(p->name), sql_v_s(p->version), sql_v_s(p->build), sql_v_s(p->operating_system), sql_v_s(p->architecture),
                             sql_v_s(p->file_name), sql_v_s(p->file_name)),
                     fields, sizeof(struct package), arena, (void **)out, &n, e);

    if (rv == 0 && n == 0)
        *out = NULL;
    return rv;
}

/* "before IN (ids) after"; NULL when memory is out. */
static const char *among(const char *before, const struct field_ints *ids, const char *after, struct arena *arena)
{
    struct str text;

    str_init(&text, arena);
    str_printf(&text, "%s IN (", before);
    for (size_t i = 0; i < ids->n; i++)
        str_printf(&text, "%s%lld", i > 0 ? ", " : "", (long long)ids->items[i]);
    str_printf(&text, ")%s", after);
    return str_failed(&text) ? NULL : str_c(&text);
}

int store_package_hosts(struct db *d, const struct field_ints *packages, struct arena *arena, struct package_host **out, size_t *n, struct err *e)
{
    static const struct sql_field columns[] = {
        SQL_FIELD(package_host, package_id, "package_id", SQL_C_INT64),
        SQL_FIELD(package_host, host_id, "host_id", SQL_C_INT64),
        SQL_FIELD(package_host, address, "ip", SQL_C_TEXT),
        SQL_FIELD(package_host, brought_us, "brought_at", SQL_C_TIME),
        { NULL },
    };
    const char *text = among("SELECT p.package_id, p.host_id, h.ip, p.brought_at FROM package_host p JOIN host h ON h.id = p.host_id WHERE p.package_id",
                             packages, " ORDER BY p.package_id, p.host_id", arena);

    *n = 0;
    if (packages->n == 0)
        return 0;
    return text == NULL ? err_set(e, &ERR_NOMEM, "") : db_list(d, text, DB_NO_ARGS, columns, sizeof **out, arena, (void **)out, n, e);
}

struct brought {
    int64_t package_id, host_id;
};

static int note_brought(struct tx *tx, void *data, struct err *e)
{
    const struct brought *b = data;

    return tx_exec(tx, "REPLACE INTO package_host (package_id, host_id, brought_at) VALUES (?, ?, NOW(6))",
                   DB_ARGS(SQL_V_I(b->package_id), SQL_V_I(b->host_id)), NULL, e);
}

int store_package_brought(struct db *d, int64_t package_id, int64_t host_id, struct err *e)
{
    return db_transact(d, note_brought, &(struct brought){ package_id, host_id }, e);
}

/* ---- use ------------------------------------------------------------------------------------------------------------------------ */

/* Whoever uses or deletes a package holds its row. */
static int lock_row(struct tx *tx, int64_t id, struct arena *arena, struct err *e)
{
    struct package p;

    return list_get_in(tx, &package_kind, "id = ?", SQL_V_I(id), true, arena, &p, e);
}

int store_package_use_in(struct tx *tx, int64_t package_id, int64_t task_id, struct err *e)
{
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = lock_row(tx, package_id, &arena, e);
    arena_fini(&arena);
    return rv != 0 ? rv
           : tx_exec(tx, "INSERT INTO package_use (package_id, task_id) VALUES (?, ?) ON DUPLICATE KEY UPDATE task_id = VALUES(task_id)",
                     DB_ARGS(SQL_V_I(package_id), SQL_V_I(task_id)), NULL, e);
}

int store_package_user_in(struct tx *tx, int64_t package_id, int64_t *task_id, struct err *e)
{
    struct sql_rows rows;
    struct arena arena;
    int rv;

    *task_id = 0;
    arena_init(&arena);
    rv = lock_row(tx, package_id, &arena, e);
    if (rv == 0)
        rv = tx_run(tx, "SELECT MIN(u.task_id) FROM package_use u JOIN task t ON t.id = u.task_id WHERE u.package_id = ? AND t.status = ?",
                    DB_ARGS(SQL_V_I(package_id), SQL_V_I(TASK_RUNNING)), &arena, &rows, e);
    if (rv == 0 && rows.n_rows > 0)
        (void)sql_i64(&rows, 0, 0, task_id); /* NULL: nobody */
    arena_fini(&arena);
    return rv;
}

/* Package `d` is the package `p` of a cluster, or its libraries. */
#define IS_PART_OF                                                                                                                            \
    "(d.id = p.id OR (d.name = CONCAT(p.name, '-libs') AND d.version = p.version AND d.build_number = p.build_number AND "                     \
    "d.architecture = p.architecture))"

int store_package_clusters_in(struct tx *tx, int64_t package_id, struct arena *arena, struct field_strings *out, struct err *e)
{
    struct sql_rows rows;
    int rv = tx_run(tx, "SELECT p.id FROM package d JOIN package p ON " IS_PART_OF " WHERE d.id = ? ORDER BY p.id FOR UPDATE",
                    DB_ARGS(SQL_V_I(package_id)), arena, &rows, e);

    if (rv == 0)
        rv = tx_run(tx,
                    "SELECT c.name FROM package d JOIN package p ON " IS_PART_OF " JOIN obinstall i ON i.package_id = p.id "
                    "JOIN obcluster c ON c.id = i.cluster_id WHERE d.id = ? ORDER BY c.name",
                    DB_ARGS(SQL_V_I(package_id)), arena, &rows, e);
    if (rv != 0)
        return rv;
    *out = (struct field_strings){ arena_array(arena, rows.n_rows + 1, sizeof *out->items), rows.n_rows };
    if (out->items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < rows.n_rows; i++)
        out->items[i] = sql_text(&rows, i, 0).s;
    return 0;
}

static const char *used_text(const struct field_ints *packages, struct arena *arena)
{
    const char *by_tasks = among("SELECT u.package_id AS id FROM package_use u JOIN task t ON t.id = u.task_id WHERE t.status = ? AND u.package_id", packages,
                                 "", arena);
    const char *by_clusters = among("SELECT d.id AS id FROM obinstall i JOIN package p ON p.id = i.package_id JOIN package d ON " IS_PART_OF " WHERE d.id",
                                    packages, "", arena);

    return by_tasks == NULL || by_clusters == NULL ? NULL : arena_printf(arena, "%s UNION %s ORDER BY id", by_tasks, by_clusters);
}

int store_packages_used(struct db *d, const struct field_ints *packages, struct arena *arena, struct field_ints *out, struct err *e)
{
    const char *text;
    struct sql_rows rows;
    int rv;

    *out = (struct field_ints){ NULL, 0 };
    if (packages->n == 0)
        return 0;
    text = used_text(packages, arena);
    rv = text == NULL ? err_set(e, &ERR_NOMEM, "") : db_read(d, text, DB_ARGS(SQL_V_I(TASK_RUNNING)), arena, &rows, e);
    if (rv != 0)
        return rv;
    out->items = arena_array(arena, rows.n_rows, sizeof *out->items);
    if (out->items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < rows.n_rows; i++)
        out->n += sql_i64(&rows, i, 0, &out->items[out->n]);
    return 0;
}

/* ---- changes -------------------------------------------------------------------------------------------------------------------- */

static int insert(struct tx *tx, const struct package *p, struct err *e)
{
    return tx_exec(tx,
                   "INSERT INTO package (id, name, version, build_number, operating_system, architecture, type, file_name, size_bytes, sha1, "
                   "sha256, place, creator, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NOW(6))",
                   DB_ARGS(SQL_V_I(p->id), sql_v_s(p->name), sql_v_s(p->version), sql_v_s(p->build), sql_v_s(p->operating_system),
                           sql_v_s(p->architecture), sql_v_s(p->type), sql_v_s(p->file_name), SQL_V_I(p->size), sql_v_s(p->sha1),
                           sql_v_s(p->sha256), SQL_V_I(p->place), sql_v_s(p->creator)),
                   NULL, e);
}

int store_package_insert(struct tx *tx, const struct package *p, struct err *e)
{
    int rv = store_package_blob_finish(tx, p->id, p->size, e);

    return rv == 0 ? insert(tx, p, e) : rv;
}

int store_package_delete(struct tx *tx, int64_t id, struct err *e)
{
    char text[CHANGE_ID_SIZE];
    struct change change = { "package", change_id(id, text), false };
    int rv = change_run_in(tx, &change, "DELETE FROM package WHERE id = ?", DB_ARGS(SQL_V_I(id)), e);

    if (rv == 0)
        rv = tx_exec(tx, "DELETE FROM package_host WHERE package_id = ?", DB_ARGS(SQL_V_I(id)), NULL, e);
    if (rv == 0)
        rv = tx_exec(tx, "DELETE FROM package_use WHERE package_id = ?", DB_ARGS(SQL_V_I(id)), NULL, e);
    return rv == 0 ? store_package_blob_condemn_in(tx, id, e) : rv;
}
