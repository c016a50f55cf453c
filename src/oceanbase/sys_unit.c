/* SPDX-License-Identifier: Apache-2.0 */
#include "src/oceanbase/sys_unit.h"

#include "src/oceanbase/cluster_admin.h"

#define NAME "sys_unit_config"

static const struct sql_field columns[] = {
    SQL_FIELD(ob_sys_unit, memory, "MEMORY_SIZE", SQL_C_INT64),
    SQL_FIELD(ob_sys_unit, log_disk, "LOG_DISK_SIZE", SQL_C_INT64),
    { NULL },
};

int ob_sys_unit_get(struct sql *s, struct ob_sys_unit *out, struct err *e)
{
    struct sql_rows rows;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = sql_run(s, "SELECT memory_size, log_disk_size FROM oceanbase.DBA_OB_UNIT_CONFIGS WHERE name = '" NAME "'", NULL, 0, 0, &arena, &rows, e);
    if (rv == 0 && rows.n_rows == 0) {
        (void)err_set(e, &ERR_NOT_FOUND, "unit config");
        rv = err_arg(e, NAME);
    }
    if (rv == 0)
        rv = sql_fetch(&rows, columns, sizeof *out, out, e);
    arena_fini(&arena);
    return rv;
}

bool ob_sys_unit_is(const struct ob_sys_unit *now, const struct ob_sys_unit *want)
{
    return (want->memory < 0 || want->memory == now->memory) && (want->log_disk < 0 || want->log_disk == now->log_disk);
}

static int alter(struct sql *s, const struct ob_sys_unit *want, struct err *e)
{
    struct arena arena;
    struct str t;
    int rv;

    arena_init(&arena);
    str_init(&t, &arena);
    str_add(&t, "ALTER RESOURCE UNIT " NAME);
    if (want->memory >= 0)
        str_printf(&t, " MEMORY_SIZE = %lld", (long long)want->memory);
    if (want->log_disk >= 0)
        str_printf(&t, "%s LOG_DISK_SIZE = %lld", want->memory >= 0 ? "," : "", (long long)want->log_disk);
    rv = str_failed(&t) ? err_set(e, &ERR_NOMEM, "") : sql_run(s, t.s, NULL, 0, SQL_COMMIT, &arena, NULL, e);
    arena_fini(&arena);
    return rv;
}

int ob_sys_unit_set(struct sql *s, const struct ob_sys_unit *want, struct err *e)
{
    struct ob_sys_unit now;
    int rv = ob_sys_unit_get(s, &now, e);

    if (rv != 0 || ob_sys_unit_is(&now, want))
        return rv;
    rv = alter(s, want, e);
    if (rv == 0)
        rv = ob_sys_unit_get(s, &now, e);
    return rv == 0 && !ob_sys_unit_is(&now, want) ? err_set(e, &ERR_OB_UNVERIFIED, "ALTER RESOURCE UNIT " NAME) : rv;
}
