/* SPDX-License-Identifier: Apache-2.0 */
/* version() and the version comment are asked for at login. What they claim is checked by a function and a view that only an
 * OceanBase has, so that another server with a changed version text is refused. */
#include "src/oceanbase/probe.h"

#include <string.h>
#include <strings.h>

ERR_DEFINE(ERR_OB_FOREIGN, 90401, 400, ERR_FINAL,
           "{0} is not an OceanBase: it answers as {1}. Give the address and SQL port of an observer, of an OBProxy or of a seekdb.",
           "{0} 不是 OceanBase：其应答为 {1}。请填写 observer、OBProxy 或 seekdb 的地址及 SQL 端口。");
ERR_DEFINE(ERR_OB_UNSUPPORTED, 90402, 400, ERR_FINAL, "{0} runs OceanBase {1}, which this release cannot manage: {2}.",
           "{0} 运行 OceanBase {1}，当前版本无法管理：{2}。");

const struct err_row *const oceanbase_err_rows[] = { &ERR_OB_FOREIGN, &ERR_OB_UNSUPPORTED, NULL };

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
    *engine = strcasestr(version, "seekdb") != NULL ? OB_ENGINE_SEEKDB : OB_ENGINE_OCEANBASE;
    *product_version = *engine == OB_ENGINE_SEEKDB ? number_after(version, "seekdb-v", arena) : number_after(version, "-v", arena);
    if (*product_version == NULL || (*product_version)[0] == '\0')
        *product_version = number_after(comment, "OceanBase ", arena);
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
    else if (slice_is(name, "cluster_id"))
        (void)sql_i64(rows, row, 1, &out->cluster_id); /* stays -1 when it is no number */
    else if (slice_is(name, "server_create_time"))
        (void)sql_i64(rows, row, 1, &out->created_us);
}

/* Parameters that say who it is; kernels have some, all or none of them. */
static int ask_parameters(struct sql *s, struct arena *arena, struct ob_probe *out, struct err *e)
{
    struct sql_rows rows;
    int rv = sql_run(s, "SELECT name, value FROM oceanbase.V$OB_PARAMETERS WHERE name IN ('cluster', 'cluster_id', 'zone', 'server_create_time')",
                     NULL, 0, 0, arena, &rows, e);

    for (size_t i = 0; rv == 0 && i < rows.n_rows; i++)
        take_parameter(out, &rows, i);
    return rv;
}

static int foreign(const struct sql *s, struct err *e)
{
    (void)err_set(e, &ERR_OB_FOREIGN, "%s", sql_peer(s));
    return err_arg(e, "%s", sql_version(s));
}

int ob_probe(struct sql *s, struct arena *arena, struct ob_probe *out, struct err *e)
{
    struct sql_rows rows;
    int rv;

    *out = (struct ob_probe){ .cluster_id = -1 };
    if (!ob_parse_version(sql_version(s), sql_version_comment(s), arena, &out->engine, &out->version))
        return foreign(s, e);
    out->full_version = arena_strdup(arena, sql_version_comment(s));
    if (out->version == NULL || out->full_version == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = sql_run(s, "SELECT ob_version()", NULL, 0, 0, arena, &rows, e);
    if (rv == 0)
        rv = ask_parameters(s, arena, out, e);
    if (rv != 0)
        return err_is(e, &ERR_SQL_FAILED) ? foreign(s, e) : rv;
    out->ob_version = text_or_null(&rows, 0, 0);
    return out->ob_version != NULL ? 0 : foreign(s, e);
}
