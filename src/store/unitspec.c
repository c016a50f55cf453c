/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/unitspec.h"

#include "src/store/change.h"

static const struct list_sort sorts[] = {
    { "createTime", "created_at" },    { "id", "id" },
    { "name", "name" },                { "type", "kind" },
    { "maxCpuCoreCount", "max_cpu" },  { "maxMemorySize", "max_memory_gb" },
    { NULL },
};
static const struct sql_field fields[] = {
    SQL_FIELD(unitspec, id, "id", SQL_C_INT64),
    SQL_FIELD(unitspec, name, "name", SQL_C_TEXT),
    SQL_FIELD(unitspec, kind, "kind", SQL_C_TEXT),
    SQL_FIELD(unitspec, min_cpu, "min_cpu", SQL_C_DOUBLE),
    SQL_FIELD(unitspec, max_cpu, "max_cpu", SQL_C_DOUBLE),
    SQL_FIELD(unitspec, min_memory_gb, "min_memory_gb", SQL_C_INT64),
    SQL_FIELD(unitspec, max_memory_gb, "max_memory_gb", SQL_C_INT64),
    SQL_FIELD(unitspec, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(unitspec, updated_us, "updated_at", SQL_C_TIME),
    { NULL },
};
static const struct list_kind unitspec_kind = {
    .noun = "unit specification",
    .columns = "id, name, kind, min_cpu, max_cpu, min_memory_gb, max_memory_gb, created_at, updated_at",
    .from = "unitspec",
    .sorts = sorts,
    .key = "id",
    .fields = fields,
    .size = sizeof(struct unitspec),
};

int store_unitspec_list(struct db *d, const char *name, const char *kind, const struct store_page *page, struct arena *arena,
                        struct unitspec **out, size_t *n, int64_t *total, struct err *e)
{
    static const char *const searched[] = { "name", NULL };
    struct filter where;

    filter_init(&where, arena);
    filter_contains(&where, searched, name);
    filter_text(&where, "kind = ?", kind);
    return list_read(d, &unitspec_kind, &where, page, arena, (void **)out, n, total, e);
}

int store_unitspec_get(struct db *d, int64_t id, struct arena *arena, struct unitspec *out, struct err *e)
{
    return list_get(d, &unitspec_kind, "id = ?", SQL_V_I(id), arena, out, e);
}

int store_unitspec_insert(struct db *d, const struct unitspec *s, struct err *e)
{
    struct change c = { "unit specification", s->name, false };

    return change_run(d, &c,
                      "INSERT INTO unitspec (id, name, kind, min_cpu, max_cpu, min_memory_gb, max_memory_gb, created_at, updated_at) "
                      "VALUES (?, ?, ?, ?, ?, ?, ?, NOW(6), NOW(6))",
                      DB_ARGS(SQL_V_I(s->id), sql_v_s(s->name), sql_v_s(s->kind), SQL_V_D(s->min_cpu), SQL_V_D(s->max_cpu),
                              SQL_V_I(s->min_memory_gb), SQL_V_I(s->max_memory_gb)),
                      e);
}

int store_unitspec_delete(struct db *d, int64_t id, struct err *e)
{
    char text[CHANGE_ID_SIZE];
    struct change c = { "unit specification", change_id(id, text), false };

    return change_run(d, &c, "DELETE FROM unitspec WHERE id = ? AND kind = '" UNITSPEC_CUSTOM "'", DB_ARGS(SQL_V_I(id)), e);
}
