/* SPDX-License-Identifier: Apache-2.0 */
/* version() and the version comment are asked for at login; any server can be made to claim anything there. So the claim is checked
 * by what is harder to pretend: the storage engines that a MariaDB or MySQL cannot hide, and a function and a view that only an
 * OceanBase has. */
#include "src/oceanbase/probe.h"

#include <string.h>
#include <strings.h>

ERR_DEFINE(ERR_OB_FOREIGN, 90401, 400, ERR_FINAL,
           "{0} is not an OceanBase: it answers as {1}. Give the address and SQL port of an observer, of an OBProxy or of a seekdb.",
           "{0} 不是 OceanBase：其应答为 {1}。请填写 observer、OBProxy 或 seekdb 的地址及 SQL 端口。");
ERR_DEFINE(ERR_OB_UNSUPPORTED, 90402, 400, ERR_FINAL, "{0} runs OceanBase {1}, which this release cannot manage: {2}.",
           "{0} 运行 OceanBase {1}，当前版本无法管理：{2}。");

const struct err_row *const oceanbase_err_rows[] = { &ERR_OB_FOREIGN, &ERR_OB_UNSUPPORTED, NULL };

enum { NO_SUCH_TABLE = 1146, NO_SUCH_FUNCTION = 1305 };

const char *const ob_engine_names[] = { "OCEANBASE", "SEEKDB", NULL };

/* The digits and dots that follow `mark`. */
static const char *number_after(const char *text, const char *mark, struct arena *arena)
{
    const char *at = strcasestr(text, mark);

    return at != NULL ? arena_strndup(arena, at + strlen(mark), strspn(at + strlen(mark), "0123456789.")) : NULL;
}

bool ob_parse_version(const char *version, const char *comment, struct arena *arena, enum ob_engine *engine, const char **product_version)
{
    if (strcasestr(version, "OceanBase") == NULL && strcasestr(comment, "OceanBase") == NULL)
        return false;
    /* both texts: version() can be set on the server, and a seekdb's comment names it too: "OceanBase 4.3.5.3 seekdb (r1.4.0.0) ..." */
    *engine = strcasestr(version, "seekdb") != NULL || strcasestr(comment, "seekdb") != NULL ? OB_ENGINE_SEEKDB : OB_ENGINE_OCEANBASE;
    *product_version = number_after(version, *engine == OB_ENGINE_SEEKDB ? "seekdb-v" : "-v", arena);
    if (*product_version == NULL && *engine == OB_ENGINE_SEEKDB)
        *product_version = number_after(comment, "seekdb (r", arena);
    if (*product_version == NULL || (*product_version)[0] == '\0')
        *product_version = number_after(comment, strcasestr(comment, "OceanBase_CE ") != NULL ? "OceanBase_CE " : "OceanBase ", arena);
    return true;
}

static const char *text_or_null(const struct sql_rows *rows, size_t row, int column)
{
    struct slice cell = sql_text(rows, row, column);

    return cell.n > 0 ? cell.s : NULL;
}

static void take_parameter(struct ob_probe *out, const struct sql_rows *rows, size_t row)
{
    struct slice name = sql_text(rows, row, 0);

    if (slice_is(name, "cluster"))
        out->cluster_name = text_or_null(rows, row, 1);
    else if (slice_is(name, "zone"))
        out->zone = text_or_null(rows, row, 1);
    else if (slice_is(name, "min_observer_version"))
        out->min_version = text_or_null(rows, row, 1);
    else if (slice_is(name, "cluster_id"))
        (void)sql_i64(rows, row, 1, &out->cluster_id); /* stays -1 when it is no number */
    else if (slice_is(name, "server_create_time"))
        (void)sql_i64(rows, row, 1, &out->created_us);
    else if (slice_is(name, "sys"))
        (void)sql_time_us(rows, row, 1, &out->created_us); /* stays 0 when it is no time */
}

#define PARAMETERS                                                                                                               \
    "SELECT name, value FROM oceanbase.V$OB_PARAMETERS WHERE name IN ('cluster', 'cluster_id', 'zone', 'server_create_time', " \
    "'min_observer_version')"

/* Parameters that say who it is; kernels have some, all or none of them. An OceanBase was made when its tenant sys was. */
int ob_identify(struct sql *s, struct arena *arena, struct ob_probe *out, struct err *e)
{
    static const char of_cluster[] =
        PARAMETERS " UNION ALL SELECT tenant_name, CAST(create_time AS CHAR) FROM oceanbase.DBA_OB_TENANTS WHERE tenant_id = 1";
    struct sql_rows rows;
    int rv = sql_run(s, sql_engine(s) == SQL_OCEANBASE ? of_cluster : PARAMETERS, NULL, 0, 0, arena, &rows, e);

    for (size_t i = 0; rv == 0 && i < rows.n_rows; i++)
        take_parameter(out, &rows, i);
    return rv;
}

/* SHOW answers with no row where the variable is unknown. */
static int ask_uuid(struct sql *s, struct arena *arena, struct ob_probe *out, struct err *e)
{
    struct sql_rows rows;
    int rv = sql_run(s, "SHOW GLOBAL VARIABLES LIKE 'server_uuid'", NULL, 0, 0, arena, &rows, e);

    if (rv == 0 && rows.n_rows == 1)
        out->uuid = text_or_null(&rows, 0, 1);
    return rv;
}

static int foreign(const struct sql *s, const char *really, struct err *e)
{
    (void)err_set(e, &ERR_OB_FOREIGN, "%s", sql_peer(s));
    return really != NULL ? err_arg(e, "%s that calls itself %s", really, sql_version(s)) : err_arg(e, "%s", sql_version(s));
}

static int unsupported(const struct sql *s, const struct ob_probe *p, struct err *e)
{
    (void)err_set(e, &ERR_OB_UNSUPPORTED, "%s", sql_peer(s));
    (void)err_arg(e, "%s", p->version);
    return err_arg(e, "it has no oceanbase.V$OB_PARAMETERS, as versions before 4 have not");
}

/* No OceanBase has these storage engines, and no MariaDB or MySQL can do without. */
static int check_engines(struct sql *s, struct arena *arena, struct err *e)
{
    struct sql_rows rows;
    int64_t mysql = 0, mariadb = 0;
    int rv = sql_run(s,
                     "SELECT COUNT(CASE WHEN engine = 'MyISAM' THEN 1 END), COUNT(CASE WHEN engine = 'Aria' THEN 1 END) "
                     "FROM information_schema.engines",
                     NULL, 0, 0, arena, &rows, e);

    if (rv != 0)
        return rv;
    (void)sql_i64(&rows, 0, 0, &mysql); /* counts are numbers */
    (void)sql_i64(&rows, 0, 1, &mariadb);
    return mariadb > 0 ? foreign(s, "a MariaDB", e) : mysql > 0 ? foreign(s, "a MySQL", e) : 0;
}

static int ask_lineage(struct sql *s, struct arena *arena, struct ob_probe *out, struct err *e)
{
    struct sql_rows rows;
    int rv = sql_run(s, "SELECT ob_version()", NULL, 0, 0, arena, &rows, e);

    if (rv != 0 && e->lib_code == NO_SUCH_FUNCTION && out->version[0] >= '1' && out->version[0] < '4')
        return unsupported(s, out, e);
    if (rv != 0)
        return err_is(e, &ERR_SQL_FAILED) ? foreign(s, "a server without ob_version()", e) : rv;
    out->ob_version = text_or_null(&rows, 0, 0);
    return out->ob_version != NULL ? 0 : foreign(s, "a server without ob_version()", e);
}

int ob_probe(struct sql *s, struct arena *arena, struct ob_probe *out, struct err *e)
{
    int rv;

    *out = (struct ob_probe){ .cluster_id = -1 };
    if (!ob_parse_version(sql_version(s), sql_version_comment(s), arena, &out->engine, &out->version))
        return foreign(s, NULL, e);
    out->full_version = arena_strdup(arena, sql_version_comment(s));
    if (out->version == NULL || out->full_version == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = check_engines(s, arena, e);
    if (rv == 0)
        rv = ask_lineage(s, arena, out, e);
    if (rv == 0 && out->engine == OB_ENGINE_SEEKDB)
        rv = ask_uuid(s, arena, out, e);
    if (rv != 0)
        return rv;
    rv = ob_identify(s, arena, out, e);
    return rv != 0 && e->lib_code == NO_SUCH_TABLE ? unsupported(s, out, e) : rv;
}
