/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/host_service.h"

static const struct sql_field fields[] = {
    SQL_FIELD(host_service, host_id, "host_id", SQL_C_INT64),
    SQL_FIELD(host_service, type, "type", SQL_C_TEXT),
    SQL_FIELD(host_service, name, "name", SQL_C_TEXT),
    SQL_FIELD(host_service, version, "version", SQL_C_TEXT),
    SQL_FIELD(host_service, package_id, "package_id", SQL_C_INT64),
    { NULL },
};

#define CLUSTERS "SELECT h.id AS host_id, 'OB_CLUSTER' AS type, c.name AS name, MAX(o.version) AS version, MAX(i.package_id) AS package_id FROM host h " \
                 "JOIN observer o ON o.ip = h.ip JOIN obcluster c ON c.id = o.cluster_id LEFT JOIN obinstall i ON i.cluster_id = c.id WHERE h.id "
#define AGENTS "SELECT a.host_id AS host_id, 'OCP_AGENT' AS type, 'ocp_agent' AS name, a.version AS version, NULL AS package_id FROM host_agent a WHERE a.host_id "

static int add(struct db *d, const char *before, const char *after, const int64_t *ids, size_t n, struct arena *arena,
               struct host_service **out, size_t *n_out, struct err *e)
{
    struct host_service *more;
    struct sql_rows rows;
    struct str t;
    int rv;

    str_init(&t, arena);
    str_add(&t, before);
    for (size_t i = 0; i < n; i++) {
        str_add(&t, i == 0 ? "IN (" : ", ");
        str_add_i64(&t, ids[i]);
    }
    str_add(&t, ")");
    str_add(&t, after);
    if (str_failed(&t))
        return err_set(e, &ERR_NOMEM, "");
    rv = db_read(d, str_c(&t), DB_NO_ARGS, arena, &rows, e);
    if (rv != 0)
        return rv;
    more = arena_array(arena, *n_out + rows.n_rows + 1, sizeof *more);
    if (more == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < *n_out; i++)
        more[i] = (*out)[i];
    for (size_t i = 0; i < rows.n_rows; i++)
        more[*n_out + i].package_id = FIELD_NONE;
    rv = sql_fetch(&rows, fields, sizeof *more, more + *n_out, e);
    *out = more;
    *n_out += rows.n_rows;
    return rv;
}

int store_host_services(struct db *d, const int64_t *ids, size_t n, struct arena *arena, struct host_service **out, size_t *n_out, struct err *e)
{
    int rv;

    *out = NULL;
    *n_out = 0;
    if (n == 0)
        return 0;
    rv = add(d, CLUSTERS, " GROUP BY h.id, c.name, c.version ORDER BY h.id, c.name", ids, n, arena, out, n_out, e);
    return rv == 0 ? add(d, AGENTS, "", ids, n, arena, out, n_out, e) : rv;
}

int store_host_users_in(struct tx *tx, int64_t id, struct arena *arena, struct host_service **out, size_t *n_out, struct err *e)
{
    struct sql_rows rows;
    int rv = tx_run(tx, CLUSTERS "= ? GROUP BY h.id, c.name, c.version ORDER BY c.name", DB_ARGS(SQL_V_I(id)), arena, &rows, e);

    if (rv != 0)
        return rv;
    *n_out = rows.n_rows;
    *out = arena_array(arena, rows.n_rows + 1, sizeof **out);
    return *out != NULL ? sql_fetch(&rows, fields, sizeof **out, *out, e) : err_set(e, &ERR_NOMEM, "");
}
