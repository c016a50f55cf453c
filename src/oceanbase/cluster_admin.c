/* SPDX-License-Identifier: Apache-2.0 */
#include "src/oceanbase/cluster_admin.h"

#include <string.h>

#include "src/oceanbase/quote.h"

ERR_DEFINE(ERR_OB_MEMBER_GONE, 13002, 404, ERR_FINAL, "{0} is no server of the cluster.", "{0} 不是该集群的 OBServer。");
ERR_DEFINE(ERR_OB_MEMBER_ZONE, 13004, 409, ERR_FINAL, "{0} is in the zone {1} of the cluster, not in {2}.", "{0} 位于 Zone {1}，而不是 {2}。");
ERR_DEFINE(ERR_OB_MEMBER_LEAVING, 13003, 409, ERR_FINAL, "{0} is being deleted from the cluster. Wait until it is gone, or cancel that first.",
           "{0} 正在从集群中删除，请等待删除完成或先取消删除。");
ERR_DEFINE(ERR_OB_ZONE_GONE, 12002, 404, ERR_FINAL, "The cluster has no zone {0}.", "集群中不存在 Zone {0}。");
ERR_DEFINE(ERR_OB_UNVERIFIED, 11080, 500, ERR_RETRY, "The cluster accepted {0}, yet it is not to be seen. Try again.",
           "集群已接受 {0}，但未观察到其生效，请重试。");

const struct err_row *const ob_cluster_admin_err_rows[] = {
    &ERR_OB_MEMBER_GONE, &ERR_OB_MEMBER_ZONE, &ERR_OB_MEMBER_LEAVING, &ERR_OB_ZONE_GONE, &ERR_OB_UNVERIFIED, NULL,
};

const char *ob_address(const char *ip, int64_t port, struct arena *arena)
{
    return strchr(ip, ':') != NULL ? arena_printf(arena, "[%s]:%lld", ip, (long long)port) : arena_printf(arena, "%s:%lld", ip, (long long)port);
}

/* --- statements ------------------------------------------------------------------------------------------------------------------ */

static int change(struct sql *s, const char *text, const struct sql_value *values, unsigned n, struct err *e)
{
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = sql_run(s, text, values, n, SQL_COMMIT, &arena, NULL, e);
    arena_fini(&arena);
    return rv;
}

static int number(struct sql *s, const char *text, const struct sql_value *values, unsigned n, int64_t *out, struct err *e)
{
    struct sql_rows rows;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = sql_run(s, text, values, n, 0, &arena, &rows, e);
    if (rv == 0 && (rows.n_rows != 1 || !sql_i64(&rows, 0, 0, out)))
        rv = err_set(e, &ERR_UNEXPECTED, "%s answers without a number", sql_peer(s));
    arena_fini(&arena);
    return rv;
}

/* The two parts of an address as values of a statement. */
struct place {
    struct addr addr;
    char ip[ADDR_TEXT_SIZE];
    struct sql_value values[2];
};

static int read_place(const char *address, struct place *out, struct err *e)
{
    if (!addr_parse_port((struct slice){ address, strlen(address) }, &out->addr) || out->addr.port == 0)
        return err_set(e, &ERR_INVALID, "%s is no address with a port", address);
    out->values[0] = sql_v_s(addr_text(&out->addr, out->ip));
    out->values[1] = SQL_V_I(out->addr.port);
    return 0;
}

static int count_at(struct sql *s, const char *text, const char *address, int64_t *out, struct err *e)
{
    struct place at;
    int rv = read_place(address, &at, e);

    return rv == 0 ? number(s, text, at.values, 2, out, e) : rv;
}

static int unverified(const char *what, const char *on, struct err *e)
{
    return err_set(e, &ERR_OB_UNVERIFIED, "%s %s", what, on);
}

/* --- founding -------------------------------------------------------------------------------------------------------------------- */

/* The inner table is there only once a cluster has been made; before that the statement itself fails. */
int ob_is_bootstrapped(struct sql *s, bool *yes, struct err *e)
{
    struct sql_rows rows;
    struct arena arena;
    int64_t version = 0;
    int rv;

    arena_init(&arena);
    rv = sql_run(s,
                 "SELECT column_value FROM oceanbase.__all_core_table WHERE table_name = '__all_global_stat' AND "
                 "column_name = 'baseline_schema_version'",
                 NULL, 0, 0, &arena, &rows, e);
    *yes = rv == 0 && rows.n_rows == 1 && sql_i64(&rows, 0, 0, &version) && version > 0;
    arena_fini(&arena);
    if (rv == 0 || sql_is_dead(s) || (rv != ERR_SQL_FAILED.code && rv != ERR_SQL_RETRY.code))
        return rv;
    err_clear(e);
    return 0;
}

static void add_founders(struct str *t, const struct ob_founder *founders, size_t n, struct sql_value *values, unsigned *n_values)
{
    for (size_t i = 0; i < n; i++) {
        str_add(t, i == 0 ? " REGION ? ZONE ?" : ", REGION ? ZONE ?");
        values[(*n_values)++] = sql_v_s(founders[i].region);
        values[(*n_values)++] = sql_v_s(founders[i].zone);
        str_add(t, " SERVER ?");
        values[(*n_values)++] = sql_v_s(founders[i].address);
    }
}

static int bootstrap(struct sql *s, const struct ob_founder *founders, size_t n, struct err *e)
{
    struct sql_value *values;
    unsigned n_values = 0;
    struct arena arena;
    struct str t;
    int rv = sql_set_server_timeout(s, OB_BOOTSTRAP_MS, e);

    if (rv != 0)
        return rv;
    arena_init(&arena);
    values = arena_array(&arena, n * 3, sizeof *values);
    str_init(&t, &arena);
    str_add(&t, "ALTER SYSTEM BOOTSTRAP");
    if (values != NULL)
        add_founders(&t, founders, n, values, &n_values);
    rv = values == NULL || str_failed(&t) ? err_set(e, &ERR_NOMEM, "") : change(s, t.s, values, n_values, e);
    arena_fini(&arena);
    return rv;
}

int ob_bootstrap(struct sql *s, const struct ob_founder *founders, size_t n, struct err *e)
{
    bool done;
    int rv = ob_is_bootstrapped(s, &done, e);

    if (rv != 0 || done)
        return rv;
    rv = bootstrap(s, founders, n, e);
    if (rv != 0)
        return rv;
    rv = ob_is_bootstrapped(s, &done, e);
    return rv == 0 && !done ? unverified("ALTER SYSTEM BOOTSTRAP at", founders[0].address, e) : rv;
}

/* --- servers --------------------------------------------------------------------------------------------------------------------- */

static const struct sql_field member_columns[] = {
    SQL_FIELD(ob_member, zone, "ZONE", SQL_C_TEXT),
    SQL_FIELD(ob_member, status, "STATUS", SQL_C_TEXT),
    SQL_FIELD(ob_member, sql_port, "SQL_PORT", SQL_C_INT64),
    SQL_FIELD(ob_member, start_us, "START_SERVICE_TIME", SQL_C_TIME),
    SQL_FIELD(ob_member, stop_us, "STOP_TIME", SQL_C_TIME),
    SQL_FIELD(ob_member, build_version, "BUILD_VERSION", SQL_C_TEXT),
    { NULL },
};

int ob_member_get(struct sql *s, const char *address, struct arena *arena, struct ob_member *out, bool *found, struct err *e)
{
    struct sql_rows rows = { 0 };
    struct place at;
    int rv = read_place(address, &at, e);

    if (rv == 0)
        rv = sql_run(s, "SELECT * FROM oceanbase.DBA_OB_SERVERS WHERE svr_ip = ? AND svr_port = ?", at.values, 2, 0, arena, &rows, e);
    *found = rv == 0 && rows.n_rows > 0;
    *out = (struct ob_member){ .zone = "", .status = "", .start_us = -1, .stop_us = -1, .build_version = "" };
    return *found ? sql_fetch(&rows, member_columns, sizeof *out, out, e) : rv;
}

bool ob_member_serves(const struct ob_member *m)
{
    return strcmp(m->status, "ACTIVE") == 0 && m->start_us > 0 && m->stop_us < 0;
}

static int wrong_zone(const char *address, const char *zone, const char *wanted, struct err *e)
{
    (void)err_set(e, &ERR_OB_MEMBER_ZONE, "%s", address);
    (void)err_arg(e, "%s", zone);
    return err_arg(e, "%s", wanted);
}

/* *done: it is a member of this zone. */
static int check_added(struct sql *s, const char *address, const char *zone, bool *done, struct err *e)
{
    struct ob_member m;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = ob_member_get(s, address, &arena, &m, done, e);
    if (rv == 0 && *done && strcmp(m.zone, zone) != 0)
        rv = wrong_zone(address, m.zone, zone, e);
    if (rv == 0 && *done && strcmp(m.status, "DELETING") == 0)
        rv = err_set(e, &ERR_OB_MEMBER_LEAVING, "%s", address);
    arena_fini(&arena);
    return rv;
}

int ob_member_add(struct sql *s, const char *address, const char *zone, struct err *e)
{
    const struct sql_value values[] = { sql_v_s(address), sql_v_s(zone) };
    bool done;
    int rv = check_added(s, address, zone, &done, e);

    if (rv != 0 || done)
        return rv;
    rv = change(s, "ALTER SYSTEM ADD SERVER ? ZONE ?", values, 2, e);
    if (rv == 0)
        rv = check_added(s, address, zone, &done, e);
    return rv == 0 && !done ? unverified("ADD SERVER", address, e) : rv;
}

static bool is_stopped(const struct ob_member *m, bool found)
{
    return found && m->stop_us >= 0;
}

static bool is_started(const struct ob_member *m, bool found)
{
    return found && m->stop_us < 0;
}

static bool is_leaving(const struct ob_member *m, bool found)
{
    return !found || strcmp(m->status, "DELETING") == 0;
}

static bool is_staying(const struct ob_member *m, bool found)
{
    return found && strcmp(m->status, "DELETING") != 0;
}

static const struct {
    const char *text, *name;
    bool (*is_done)(const struct ob_member *m, bool found);
} member_orders[] = {
    [OB_MEMBER_START] = { "ALTER SYSTEM START SERVER ?", "START SERVER", is_started },
    [OB_MEMBER_STOP] = { "ALTER SYSTEM STOP SERVER ?", "STOP SERVER", is_stopped },
    [OB_MEMBER_FORCE_STOP] = { "ALTER SYSTEM FORCE STOP SERVER ?", "FORCE STOP SERVER", is_stopped },
    [OB_MEMBER_DELETE] = { "ALTER SYSTEM DELETE SERVER ?", "DELETE SERVER", is_leaving },
    [OB_MEMBER_CANCEL_DELETE] = { "ALTER SYSTEM CANCEL DELETE SERVER ?", "CANCEL DELETE SERVER", is_staying },
};

static int check_changed(struct sql *s, enum ob_member_order order, const char *address, bool *done, struct err *e)
{
    struct ob_member m;
    struct arena arena;
    bool found;
    int rv;

    arena_init(&arena);
    rv = ob_member_get(s, address, &arena, &m, &found, e);
    *done = rv == 0 && member_orders[order].is_done(&m, found);
    if (rv == 0 && !found && !*done)
        rv = err_set(e, &ERR_OB_MEMBER_GONE, "%s", address);
    arena_fini(&arena);
    return rv;
}

int ob_member_change(struct sql *s, enum ob_member_order order, const char *address, struct err *e)
{
    const struct sql_value value = sql_v_s(address);
    bool done;
    int rv = check_changed(s, order, address, &done, e);

    if (rv != 0 || done)
        return rv;
    rv = change(s, member_orders[order].text, &value, 1, e);
    if (rv == 0)
        rv = check_changed(s, order, address, &done, e);
    return rv == 0 && !done ? unverified(member_orders[order].name, address, e) : rv;
}

int ob_member_units(struct sql *s, const char *address, int64_t *n, struct err *e)
{
    struct sql_value values[4];
    struct place at;
    int rv = read_place(address, &at, e);

    values[0] = values[2] = at.values[0];
    values[1] = values[3] = at.values[1];
    return rv == 0 ? number(s,
                            "SELECT COUNT(*) FROM oceanbase.DBA_OB_UNITS WHERE (svr_ip = ? AND svr_port = ?) OR "
                            "(migrate_from_svr_ip = ? AND migrate_from_svr_port = ?)",
                            values, 4, n, e)
                   : rv;
}

int ob_member_leads(struct sql *s, const char *address, int64_t *n, struct err *e)
{
    return count_at(s, "SELECT COUNT(*) FROM oceanbase.GV$OB_LOG_STAT WHERE svr_ip = ? AND svr_port = ? AND role = 'LEADER'", address, n, e);
}

int ob_minor_freeze(struct sql *s, const char *address, struct err *e)
{
    const struct sql_value value = sql_v_s(address);

    return change(s, "ALTER SYSTEM MINOR FREEZE SERVER = (?)", &value, 1, e);
}

/* --- units ----------------------------------------------------------------------------------------------------------------------- */

static int move_unit(struct sql *s, int64_t unit, const char *to, struct err *e)
{
    const struct sql_value values[] = { SQL_V_I(unit), sql_v_s(to) };

    return change(s, "ALTER SYSTEM MIGRATE UNIT ? DESTINATION ?", values, 2, e);
}

int ob_units_move(struct sql *s, const char *from, const char *to, struct arena *arena, int64_t *left, struct err *e)
{
    struct sql_rows rows;
    struct place at;
    int rv = read_place(from, &at, e);

    if (rv == 0)
        rv = sql_run(s,
                     "SELECT unit_id FROM oceanbase.DBA_OB_UNITS WHERE svr_ip = ? AND svr_port = ? AND "
                     "COALESCE(migrate_from_svr_ip, '') = '' ORDER BY unit_id",
                     at.values, 2, 0, arena, &rows, e);
    for (size_t i = 0; rv == 0 && i < rows.n_rows; i++) {
        int64_t unit;

        if (!sql_i64(&rows, i, 0, &unit))
            return err_set(e, &ERR_UNEXPECTED, "%s names a unit without a number", sql_peer(s));
        rv = move_unit(s, unit, to, e);
    }
    return rv == 0 ? ob_member_units(s, from, left, e) : rv;
}

/* --- zones ----------------------------------------------------------------------------------------------------------------------- */

static const struct sql_field zone_columns[] = {
    SQL_FIELD(ob_zone_state, status, "STATUS", SQL_C_TEXT),
    SQL_FIELD(ob_zone_state, region, "REGION", SQL_C_TEXT),
    SQL_FIELD(ob_zone_state, idc, "IDC", SQL_C_TEXT),
    SQL_FIELD(ob_zone_state, n_servers, "N_SERVERS", SQL_C_INT64),
    { NULL },
};

int ob_zone_get(struct sql *s, const char *zone, struct arena *arena, struct ob_zone_state *out, bool *found, struct err *e)
{
    const struct sql_value value = sql_v_s(zone);
    struct sql_rows rows;
    int rv = sql_run(s,
                     "SELECT z.status, z.region, z.idc, (SELECT COUNT(*) FROM oceanbase.DBA_OB_SERVERS v WHERE v.zone = z.zone) AS n_servers "
                     "FROM oceanbase.DBA_OB_ZONES z WHERE z.zone = ?",
                     &value, 1, 0, arena, &rows, e);

    *found = rv == 0 && rows.n_rows > 0;
    *out = (struct ob_zone_state){ .status = "", .region = "", .idc = "" };
    return *found ? sql_fetch(&rows, zone_columns, sizeof *out, out, e) : rv;
}

static int check_zone(struct sql *s, const char *zone, bool *found, bool *active, struct err *e)
{
    struct ob_zone_state z;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = ob_zone_get(s, zone, &arena, &z, found, e);
    *active = rv == 0 && strcmp(z.status, "ACTIVE") == 0;
    arena_fini(&arena);
    return rv;
}

int ob_zone_add(struct sql *s, const char *zone, const char *region, const char *idc, struct err *e)
{
    const struct sql_value values[] = { sql_v_s(region), sql_v_s(idc) };
    bool found, active;
    struct str t;
    int rv = check_zone(s, zone, &found, &active, e);

    if (rv != 0)
        return rv;
    if (found)
        return ob_zone_place(s, zone, region, idc, e);
    str_init(&t, NULL);
    str_add(&t, "ALTER SYSTEM ADD ZONE ");
    quote_name(&t, zone);
    str_add(&t, idc[0] != '\0' ? " REGION ?, IDC ?" : " REGION ?");
    rv = str_failed(&t) ? err_set(e, &ERR_NOMEM, "") : change(s, t.s, values, idc[0] != '\0' ? 2 : 1, e);
    str_fini(&t);
    if (rv == 0)
        rv = check_zone(s, zone, &found, &active, e);
    return rv == 0 && !found ? unverified("ADD ZONE", zone, e) : rv;
}

static int place_zone(struct sql *s, const char *zone, const char *what, const char *value, const char *now, struct err *e)
{
    const struct sql_value v = sql_v_s(value);
    struct str t;
    int rv;

    if (value[0] == '\0' || strcmp(value, now) == 0)
        return 0;
    str_init(&t, NULL);
    str_add(&t, "ALTER SYSTEM MODIFY ZONE ");
    quote_name(&t, zone);
    str_printf(&t, " SET %s = ?", what);
    rv = str_failed(&t) ? err_set(e, &ERR_NOMEM, "") : change(s, t.s, &v, 1, e);
    str_fini(&t);
    return rv;
}

int ob_zone_place(struct sql *s, const char *zone, const char *region, const char *idc, struct err *e)
{
    struct ob_zone_state z;
    struct arena arena;
    bool found;
    int rv;

    arena_init(&arena);
    rv = ob_zone_get(s, zone, &arena, &z, &found, e);
    if (rv == 0 && !found)
        rv = err_set(e, &ERR_OB_ZONE_GONE, "%s", zone);
    if (rv == 0)
        rv = place_zone(s, zone, "REGION", region, z.region, e);
    if (rv == 0)
        rv = place_zone(s, zone, "IDC", idc, z.idc, e);
    arena_fini(&arena);
    return rv;
}

static const struct {
    const char *text, *name;
    bool active;        /* wanted, unless it is to go */
} zone_orders[] = {
    [OB_ZONE_START] = { "ALTER SYSTEM START ZONE ", "START ZONE", true },
    [OB_ZONE_STOP] = { "ALTER SYSTEM STOP ZONE ", "STOP ZONE", false },
    [OB_ZONE_FORCE_STOP] = { "ALTER SYSTEM FORCE STOP ZONE ", "FORCE STOP ZONE", false },
    [OB_ZONE_DELETE] = { "ALTER SYSTEM DELETE ZONE ", "DELETE ZONE", false },
};

static int is_zone_done(struct sql *s, enum ob_zone_order order, const char *zone, bool *done, struct err *e)
{
    bool found, active;
    int rv = check_zone(s, zone, &found, &active, e);

    *done = order == OB_ZONE_DELETE ? !found : found && active == zone_orders[order].active;
    return rv == 0 && !found && order != OB_ZONE_DELETE ? err_set(e, &ERR_OB_ZONE_GONE, "%s", zone) : rv;
}

int ob_zone_change(struct sql *s, enum ob_zone_order order, const char *zone, struct err *e)
{
    struct str t;
    bool done;
    int rv = is_zone_done(s, order, zone, &done, e);

    if (rv != 0 || done)
        return rv;
    str_init(&t, NULL);
    str_add(&t, zone_orders[order].text);
    quote_name(&t, zone);
    rv = str_failed(&t) ? err_set(e, &ERR_NOMEM, "") : change(s, t.s, NULL, 0, e);
    str_fini(&t);
    if (rv == 0)
        rv = is_zone_done(s, order, zone, &done, e);
    return rv == 0 && !done ? unverified(zone_orders[order].name, zone, e) : rv;
}

/* --- log streams ----------------------------------------------------------------------------------------------------------------- */

static const struct sql_field replica_columns[] = {
    SQL_FIELD(ob_replica, tenant_id, "TENANT_ID", SQL_C_INT64),
    SQL_FIELD(ob_replica, ls_id, "LS_ID", SQL_C_INT64),
    SQL_FIELD(ob_replica, ip, "SVR_IP", SQL_C_TEXT),
    SQL_FIELD(ob_replica, port, "SVR_PORT", SQL_C_INT64),
    SQL_FIELD(ob_replica, zone, "ZONE", SQL_C_TEXT),
    SQL_FIELD(ob_replica, leads, "LEADS", SQL_C_BOOL),
    SQL_FIELD(ob_replica, in_sync, "SYNCED", SQL_C_BOOL),
    SQL_FIELD(ob_replica, paxos_replicas, "PAXOS_REPLICA_NUM", SQL_C_INT64),
    { NULL },
};

int ob_replicas_list(struct sql *s, struct arena *arena, struct ob_replica **out, size_t *n, struct err *e)
{
    struct sql_rows rows;
    int rv = sql_run(s,
                     "SELECT l.tenant_id, l.ls_id, l.svr_ip, l.svr_port, v.zone, l.role = 'LEADER' AS leads, l.in_sync = 'YES' AS synced, "
                     "l.paxos_replica_num FROM oceanbase.GV$OB_LOG_STAT l JOIN oceanbase.DBA_OB_SERVERS v ON v.svr_ip = l.svr_ip AND "
                     "v.svr_port = l.svr_port ORDER BY l.tenant_id, l.ls_id, l.svr_ip, l.svr_port",
                     NULL, 0, 0, arena, &rows, e);

    if (rv != 0)
        return rv;
    *n = rows.n_rows;
    *out = arena_array(arena, rows.n_rows + 1, sizeof **out);
    return *out != NULL ? sql_fetch(&rows, replica_columns, sizeof **out, *out, e) : err_set(e, &ERR_NOMEM, "");
}
