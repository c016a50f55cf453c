/* SPDX-License-Identifier: Apache-2.0 */
/* The row "property" of store_sequence is locked by every change, so changes are in one order and the version tells of each. */
#include "src/store/property.h"

#include <string.h>

#include "src/store/change.h"

static const struct list_sort by_name[] = { { "name", "name" }, { NULL } };
static const struct sql_field fields[] = {
    SQL_FIELD(property, name, "name", SQL_C_TEXT),
    SQL_FIELD(property, value, "value", SQL_C_TEXT),
    SQL_FIELD(property, version, "version", SQL_C_INT64),
    SQL_FIELD(property, updated_us, "updated_at", SQL_C_TIME),
    SQL_FIELD(property, user_id, "user_id", SQL_C_INT64),
    SQL_FIELD(property, username, "username", SQL_C_TEXT),
    { NULL },
};
static const struct list_kind property_kind = {
    .noun = "property",
    .columns = "name, value, version, updated_at, user_id, username",
    .from = "property",
    .sorts = by_name,
    .key = "name",
    .fields = fields,
    .size = sizeof(struct property),
};

static const struct list_sort change_sorts[] = {
    { "changeTime", "changed_at" }, { "id", "id" }, { "name", "name" }, { "username", "username" }, { NULL },
};
static const struct sql_field change_fields[] = {
    SQL_FIELD(property_change, id, "id", SQL_C_INT64),
    SQL_FIELD(property_change, name, "name", SQL_C_TEXT),
    SQL_FIELD(property_change, old_value, "old_value", SQL_C_TEXT),
    SQL_FIELD(property_change, new_value, "new_value", SQL_C_TEXT),
    SQL_FIELD(property_change, changed_us, "changed_at", SQL_C_TIME),
    SQL_FIELD(property_change, user_id, "user_id", SQL_C_INT64),
    SQL_FIELD(property_change, username, "username", SQL_C_TEXT),
    { NULL },
};
static const struct list_kind change_kind = {
    .noun = "change of a property",
    .columns = "id, name, old_value, new_value, changed_at, user_id, username",
    .from = "property_change",
    .sorts = change_sorts,
    .key = "id",
    .fields = change_fields,
    .size = sizeof(struct property_change),
};

int store_property_all(struct db *d, struct arena *arena, struct property **out, size_t *n, struct err *e)
{
    struct store_page ascending = { .sort = "name" };

    return list_read(d, &property_kind, NULL, &ascending, arena, (void **)out, n, NULL, e);
}

int store_property_version(struct db *d, int64_t *version, struct err *e)
{
    struct sql_rows rows;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = db_read(d, "SELECT next_id FROM store_sequence WHERE name = 'property'", DB_NO_ARGS, &arena, &rows, e);
    if (rv == 0 && (rows.n_rows != 1 || !sql_i64(&rows, 0, 0, version)))
        rv = err_set(e, &ERR_UNEXPECTED, "the row 'property' of store_sequence is missing");
    arena_fini(&arena);
    return rv;
}

int store_property_history(struct db *d, const char *name, const struct store_page *page, struct arena *arena, struct property_change **out,
                           size_t *n, int64_t *total, struct err *e)
{
    struct filter where;

    filter_init(&where, arena);
    filter_text(&where, "name = ?", name);
    return list_read(d, &change_kind, &where, page, arena, (void **)out, n, total, e);
}

/* --- changing --------------------------------------------------------------------------------------------------------------- */

/* Takes its place among all changes: *version is the number that this one gets. */
static int take_turn(struct tx *tx, struct arena *arena, int64_t *version, struct err *e)
{
    struct sql_rows rows;
    int rv = tx_run(tx, "SELECT next_id FROM store_sequence WHERE name = 'property' FOR UPDATE", DB_NO_ARGS, arena, &rows, e);

    if (rv == 0 && (rows.n_rows != 1 || !sql_i64(&rows, 0, 0, version)))
        return err_set(e, &ERR_UNEXPECTED, "the row 'property' of store_sequence is missing");
    *version += 1;
    return rv;
}

static int read_value(struct tx *tx, const char *name, struct arena *arena, const char **value, struct err *e)
{
    struct sql_rows rows;
    int rv = tx_run(tx, "SELECT value FROM property WHERE name = ?", DB_ARGS(sql_v_s(name)), arena, &rows, e);

    *value = rv == 0 && rows.n_rows == 1 ? sql_text(&rows, 0, 0).s : NULL;
    return rv;
}

static int write_value(struct tx *tx, const char *name, const char *value, int64_t version, int64_t user_id, const char *username,
                       struct err *e)
{
    int rv = tx_exec(tx, "DELETE FROM property WHERE name = ?", DB_ARGS(sql_v_s(name)), NULL, e);

    if (rv != 0 || value == NULL)
        return rv;
    return tx_exec(tx, "INSERT INTO property (name, value, version, updated_at, user_id, username) VALUES (?, ?, ?, NOW(6), ?, ?)",
                   DB_ARGS(sql_v_s(name), sql_v_s(value), SQL_V_I(version), SQL_V_I(user_id), sql_v_s(username)), NULL, e);
}

static bool is_same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

int store_property_set(struct tx *tx, int64_t change_id, const char *name, const char *value, int64_t user_id, const char *username,
                       struct arena *arena, const char **old, struct err *e)
{
    int64_t version = 0;
    int rv = take_turn(tx, arena, &version, e);

    if (rv == 0)
        rv = read_value(tx, name, arena, old, e);
    if (rv != 0 || is_same(*old, value))
        return rv;
    rv = write_value(tx, name, value, version, user_id, username, e);
    if (rv == 0)
        rv = tx_exec(tx,
                     "INSERT INTO property_change (id, name, old_value, new_value, changed_at, user_id, username) "
                     "VALUES (?, ?, ?, ?, NOW(6), ?, ?)",
                     DB_ARGS(SQL_V_I(change_id), sql_v_s(name), sql_v_s(*old), sql_v_s(value), SQL_V_I(user_id), sql_v_s(username)), NULL, e);
    return rv == 0 ? tx_exec(tx, "UPDATE store_sequence SET next_id = ? WHERE name = 'property'", DB_ARGS(SQL_V_I(version)), NULL, e) : rv;
}
