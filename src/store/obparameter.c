/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/obparameter.h"

#include "src/store/many.h"

enum { N_COLUMNS = 13 };

#define COLUMNS "id, cluster_id, tenant_id, name, old_value, new_value, user_id, user_name, outcome, reason, changed_at, scope, target"

static const struct sql_field fields[] = {
    SQL_FIELD(obparameter_change, id, "id", SQL_C_INT64),
    SQL_FIELD(obparameter_change, cluster_id, "cluster_id", SQL_C_INT64),
    SQL_FIELD(obparameter_change, tenant_id, "tenant_id", SQL_C_INT64),
    SQL_FIELD(obparameter_change, name, "name", SQL_C_TEXT),
    SQL_FIELD(obparameter_change, old_value, "old_value", SQL_C_TEXT),
    SQL_FIELD(obparameter_change, new_value, "new_value", SQL_C_TEXT),
    SQL_FIELD(obparameter_change, user_id, "user_id", SQL_C_INT64),
    SQL_FIELD(obparameter_change, user_name, "user_name", SQL_C_TEXT),
    SQL_FIELD(obparameter_change, outcome, "outcome", SQL_C_TEXT),
    SQL_FIELD(obparameter_change, reason, "reason", SQL_C_TEXT),
    SQL_FIELD(obparameter_change, changed_us, "changed_at", SQL_C_TIME),
    SQL_FIELD(obparameter_change, scope, "scope", SQL_C_TEXT),
    SQL_FIELD(obparameter_change, target, "target", SQL_C_TEXT),
    { .column = NULL },
};

static const struct list_sort sorts[] = { { "changeTime", "changed_at" }, { "id", "id" }, { "name", "name" }, { NULL, NULL } };

static const struct list_kind kind = {
    .noun = "parameter change",
    .columns = COLUMNS,
    .from = "obparameter_change",
    .sorts = sorts,
    .key = "id",
    .fields = fields,
    .size = sizeof(struct obparameter_change),
};

static const struct many_kind many = { "obparameter_change", COLUMNS, N_COLUMNS, NULL };

static void put(struct sql_value *v, const struct obparameter_change *c)
{
    *v++ = SQL_V_I(c->id);
    *v++ = SQL_V_I(c->cluster_id);
    *v++ = SQL_V_I(c->tenant_id);
    *v++ = sql_v_s(c->name);
    *v++ = sql_v_s(c->old_value);
    *v++ = sql_v_s(c->new_value);
    *v++ = SQL_V_I(c->user_id);
    *v++ = sql_v_s(c->user_name);
    *v++ = sql_v_s(c->outcome);
    *v++ = sql_v_s(c->reason);
    *v++ = SQL_V_TIME(c->changed_us);
    *v++ = sql_v_s(c->scope != NULL ? c->scope : "");
    *v++ = sql_v_s(c->target != NULL ? c->target : "");
}

int store_obparameter_record(struct tx *tx, const struct obparameter_change *changes, size_t n, struct err *e)
{
    struct sql_value *values;
    struct arena arena;
    int rv;

    arena_init(&arena);
    values = arena_array(&arena, n + 1, N_COLUMNS * sizeof *values);
    for (size_t i = 0; values != NULL && i < n; i++)
        put(values + i * N_COLUMNS, &changes[i]);
    rv = values != NULL ? many_write(tx, &many, values, n, &arena, e) : err_set(e, &ERR_NOMEM, "");
    arena_fini(&arena);
    return rv;
}

int store_obparameter_history(struct db *d, int64_t cluster_id, int64_t tenant_id, const char *name, const struct store_page *page,
                              struct arena *arena, struct obparameter_change **out, size_t *n, int64_t *total, struct err *e)
{
    struct filter f;
    void *items;
    int rv;

    filter_init(&f, arena);
    filter_i64(&f, "cluster_id = ?", cluster_id);
    filter_i64(&f, "tenant_id = ?", tenant_id);
    filter_text(&f, "name = ?", name);
    rv = list_read(d, &kind, &f, page, arena, &items, n, total, e);
    *out = rv == 0 ? items : NULL;
    return rv;
}
