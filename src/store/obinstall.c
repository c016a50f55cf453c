/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/obinstall.h"

#include "src/store/filter.h"

ERR_DEFINE(ERR_OBINSTALL_NONE, 90831, 409, ERR_FINAL,
           "The observers of the cluster {0} were not installed by this OCP, which therefore cannot start, stop or remove their processes. Do it on "
           "their hosts.",
           "集群 {0} 的 OBServer 不是由本 OCP 部署的，无法管理其进程，请在主机上操作。");
ERR_DEFINE(ERR_OBINSTALL_TAKEN, 11021, 409, ERR_FINAL, "An observer was installed at {0} meanwhile. Choose another host or other ports.",
           "{0} 上已部署其他 OBServer，请更换主机或端口。");

const struct err_row *const store_obinstall_err_rows[] = { &ERR_OBINSTALL_NONE, &ERR_OBINSTALL_TAKEN, NULL };

static const struct sql_field fields[] = {
    SQL_FIELD(obinstall, cluster_id, "cluster_id", SQL_C_INT64),
    SQL_FIELD(obinstall, install_path, "install_path", SQL_C_TEXT),
    SQL_FIELD(obinstall, run_path, "run_path", SQL_C_TEXT),
    SQL_FIELD(obinstall, data_path, "data_path", SQL_C_TEXT),
    SQL_FIELD(obinstall, log_path, "log_path", SQL_C_TEXT),
    SQL_FIELD(obinstall, os_user, "os_user", SQL_C_TEXT),
    SQL_FIELD(obinstall, package_id, "package_id", SQL_C_INT64),
    SQL_FIELD(obinstall, package, "package", SQL_C_TEXT),
    SQL_FIELD(obinstall, primary_zone, "primary_zone", SQL_C_TEXT),
    SQL_FIELD(obinstall, parameters, "parameters", SQL_C_TEXT),
    SQL_FIELD(obinstall, monitor_password, "monitor_password", SQL_C_BYTES),
    { NULL },
};

static const struct sql_field server_fields[] = {
    SQL_FIELD(obinstall_server, id, "id", SQL_C_INT64),
    SQL_FIELD(obinstall_server, cluster_id, "cluster_id", SQL_C_INT64),
    SQL_FIELD(obinstall_server, host_id, "host_id", SQL_C_INT64),
    SQL_FIELD(obinstall_server, zone, "zone", SQL_C_TEXT),
    SQL_FIELD(obinstall_server, region, "region", SQL_C_TEXT),
    SQL_FIELD(obinstall_server, idc, "idc", SQL_C_TEXT),
    SQL_FIELD(obinstall_server, ip, "ip", SQL_C_TEXT),
    SQL_FIELD(obinstall_server, port, "port", SQL_C_INT64),
    SQL_FIELD(obinstall_server, sql_port, "sql_port", SQL_C_INT64),
    { NULL },
};

int store_obinstall_insert(struct tx *tx, const struct obinstall *i, struct err *e)
{
    return tx_exec(tx,
                   "INSERT INTO obinstall (cluster_id, install_path, run_path, data_path, log_path, os_user, package_id, package, primary_zone, "
                   "parameters, monitor_password) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                   DB_ARGS(SQL_V_I(i->cluster_id), sql_v_s(i->install_path), sql_v_s(i->run_path), sql_v_s(i->data_path), sql_v_s(i->log_path),
                           sql_v_s(i->os_user), SQL_V_I(i->package_id), sql_v_s(i->package), sql_v_s(i->primary_zone), sql_v_s(i->parameters),
                           sql_v_bytes(i->monitor_password.s, i->monitor_password.n)),
                   NULL, e);
}

int store_obinstall_server_insert(struct tx *tx, const struct obinstall_server *s, struct err *e)
{
    int rv = tx_exec(tx,
                     "INSERT INTO obinstall_server (id, cluster_id, host_id, zone, region, idc, ip, port, sql_port) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                     DB_ARGS(SQL_V_I(s->id), SQL_V_I(s->cluster_id), SQL_V_I(s->host_id), sql_v_s(s->zone), sql_v_s(s->region), sql_v_s(s->idc),
                             sql_v_s(s->ip), SQL_V_I(s->port), SQL_V_I(s->sql_port)),
                     NULL, e);

    return rv == ERR_SQL_DUPLICATE.code ? err_set(e, &ERR_OBINSTALL_TAKEN, "%s:%lld", s->ip, (long long)s->port) : rv;
}

int store_obinstall_server_delete(struct tx *tx, int64_t id, struct err *e)
{
    return tx_exec(tx, "DELETE FROM obinstall_server WHERE id = ?", DB_ARGS(SQL_V_I(id)), NULL, e);
}

int store_obinstall_get(struct db *d, int64_t cluster_id, struct arena *arena, struct obinstall *out, struct err *e)
{
    struct sql_rows rows;
    int rv = db_read(d,
                     "SELECT cluster_id, install_path, run_path, data_path, log_path, os_user, package_id, package, primary_zone, parameters, "
                     "monitor_password FROM obinstall WHERE cluster_id = ?",
                     DB_ARGS(SQL_V_I(cluster_id)), arena, &rows, e);

    if (rv != 0)
        return rv;
    if (rows.n_rows == 0)
        return err_set(e, &ERR_OBINSTALL_NONE, "%lld", (long long)cluster_id);
    *out = (struct obinstall){ .cluster_id = cluster_id };
    return sql_fetch(&rows, fields, sizeof *out, out, e);
}

int store_obinstall_servers(struct db *d, int64_t cluster_id, struct arena *arena, struct obinstall_server **out, size_t *n, struct err *e)
{
    return db_list(d,
                   "SELECT id, cluster_id, host_id, zone, region, idc, ip, port, sql_port FROM obinstall_server WHERE cluster_id = ? "
                   "ORDER BY zone, id",
                   DB_ARGS(SQL_V_I(cluster_id)), server_fields, sizeof **out, arena, (void **)out, n, e);
}

static const struct sql_field there_fields[] = {
    SQL_FIELD(obinstall_there, ip, "ip", SQL_C_TEXT),
    SQL_FIELD(obinstall_there, cluster, "cluster", SQL_C_TEXT),
    SQL_FIELD(obinstall_there, port, "port", SQL_C_INT64),
    SQL_FIELD(obinstall_there, sql_port, "sql_port", SQL_C_INT64),
    { NULL },
};

int store_obinstall_there(struct db *d, struct field_strings ips, struct arena *arena, struct obinstall_there **out, size_t *n, struct err *e)
{
    struct filter f;
    struct str t;

    filter_init(&f, arena);
    filter_strings(&f, "x.ip IN", ips);
    if (f.overflow)
        return err_set(e, &ERR_INVALID, "at most %d servers at once", FILTER_MAX_VALUES);
    str_init(&t, arena);
    str_printf(&t,
               "SELECT x.ip, c.name AS cluster, x.port, x.sql_port FROM (SELECT cluster_id, ip, port, sql_port FROM observer UNION "
               "SELECT cluster_id, ip, port, sql_port FROM obinstall_server) x JOIN obcluster c ON c.id = x.cluster_id WHERE 1 = 1%s "
               "ORDER BY x.ip, x.port",
               str_c(&f.text));
    if (str_failed(&t) || str_failed(&f.text))
        return err_set(e, &ERR_NOMEM, "");
    return db_list(d, t.s, f.values, f.n_values, there_fields, sizeof **out, arena, (void **)out, n, e);
}
