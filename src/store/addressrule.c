/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/addressrule.h"

#include "src/store/change.h"

#define COLUMNS "id, network, description, enabled, creator_name, created_at, updated_at"

static const struct list_sort sorts[] = { { "createTime", "created_at" }, { NULL } };
static const struct sql_field fields[] = {
    SQL_FIELD(addressrule, id, "id", SQL_C_INT64),
    SQL_FIELD(addressrule, network, "network", SQL_C_TEXT),
    SQL_FIELD(addressrule, description, "description", SQL_C_TEXT),
    SQL_FIELD(addressrule, enabled, "enabled", SQL_C_INT),
    SQL_FIELD(addressrule, creator_name, "creator_name", SQL_C_TEXT),
    SQL_FIELD(addressrule, created_us, "created_at", SQL_C_TIME),
    SQL_FIELD(addressrule, updated_us, "updated_at", SQL_C_TIME),
    { NULL },
};
static const struct list_kind kind = {
    .noun = "address rule",
    .columns = COLUMNS,
    .from = "address_rule",
    .sorts = sorts,
    .key = "id",
    .fields = fields,
    .size = sizeof(struct addressrule),
};

int store_addressrule_list(struct db *d, struct arena *arena, struct addressrule **out, size_t *n, struct err *e)
{
    return list_read(d, &kind, NULL, NULL, arena, (void **)out, n, NULL, e);
}

int store_addressrule_get(struct db *d, int64_t id, struct arena *arena, struct addressrule *out, struct err *e)
{
    return list_get(d, &kind, "id = ?", SQL_V_I(id), arena, out, e);
}

struct writing {
    enum addressrule_write what;
    const struct addressrule *rule;
    int (*accept)(const struct addressrule *rules, size_t n, void *data, struct err *e);
    void *data;
};

static int write_rule(struct tx *tx, const struct writing *w, struct err *e)
{
    const struct addressrule *r = w->rule;
    struct change c = { "address rule", r->network, false };

    if (w->what == ADDRESSRULE_DELETE)
        return change_run_in(tx, &c, "DELETE FROM address_rule WHERE id = ?", DB_ARGS(SQL_V_I(r->id)), e);
    if (w->what == ADDRESSRULE_UPDATE)
        return change_run_in(tx, &c, "UPDATE address_rule SET network = ?, description = ?, enabled = ?, updated_at = NOW(6) WHERE id = ?",
                             DB_ARGS(sql_v_s(r->network), sql_v_s(r->description), SQL_V_I(r->enabled), SQL_V_I(r->id)), e);
    return change_run_in(tx, &c,
                         "INSERT INTO address_rule (id, network, description, enabled, creator_name, created_at, updated_at) "
                         "VALUES (?, ?, ?, ?, ?, NOW(6), NOW(6))",
                         DB_ARGS(SQL_V_I(r->id), sql_v_s(r->network), sql_v_s(r->description), SQL_V_I(r->enabled), sql_v_s(r->creator_name)), e);
}

static int judge(struct tx *tx, const struct writing *w, struct arena *arena, struct err *e)
{
    struct addressrule *rules;
    struct sql_rows rows;
    int rv = tx_run(tx, "SELECT " COLUMNS " FROM address_rule", DB_NO_ARGS, arena, &rows, e);

    if (rv != 0)
        return rv;
    rules = arena_array(arena, rows.n_rows + 1, sizeof *rules);
    if (rules == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = sql_fetch(&rows, fields, sizeof *rules, rules, e);
    return rv == 0 ? w->accept(rules, rows.n_rows, w->data, e) : rv;
}

/* The version's row comes first: who holds it is alone. */
static int tx_write(struct tx *tx, void *data, struct err *e)
{
    const struct writing *w = data;
    struct arena arena;
    int rv = tx_exec(tx, "UPDATE store_sequence SET next_id = next_id + 1 WHERE name = 'address_rule'", DB_NO_ARGS, NULL, e);

    arena_init(&arena);
    if (rv == 0)
        rv = write_rule(tx, w, e);
    if (rv == 0)
        rv = judge(tx, w, &arena, e);
    arena_fini(&arena);
    return rv;
}

int store_addressrule_write(struct db *d, enum addressrule_write what, const struct addressrule *rule,
                            int (*accept)(const struct addressrule *rules, size_t n, void *data, struct err *e), void *data, struct err *e)
{
    struct writing w = { what, rule, accept, data };

    return db_transact(d, tx_write, &w, e);
}
