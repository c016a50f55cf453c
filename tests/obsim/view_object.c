/* SPDX-License-Identifier: Apache-2.0 */
/* Databases, and what is in them. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tests/obsim/view.h"

static void put_database(struct fill *f, const struct sim_tenant *t, const struct sim_database *d)
{
    put_i(f, "TENANT_ID", t->id);
    put_s(f, "DATABASE_NAME", d->name);
    put_s(f, "IN_RECYCLEBIN", "NO");
    put_s(f, "COLLATION", d->collation);
    put_yes(f, "READ_ONLY", d->is_read_only);
    put_s(f, "COMMENT", sim_c(d->comment));
    put_row(f);
}

static void put_dropped(struct fill *f, const struct sim_tenant *t, const struct sim_dropped *d)
{
    put_i(f, "TENANT_ID", t->id);
    put_s(f, "DATABASE_NAME", d->name);
    put_s(f, "IN_RECYCLEBIN", "YES");
    put_s(f, "COLLATION", t->collation);
    put_s(f, "READ_ONLY", "NO");
    put_s(f, "COMMENT", "");
    put_row(f);
}

void fill_databases(struct fill *f)
{
    for (size_t i = 0; i < f->c->tenants.n; i++) {
        const struct sim_tenant *t = f->c->tenants.items[i];

        if (!fill_wants_tenant(f, t->id))
            continue;
        for (size_t j = 0; j < t->databases.n; j++)
            put_database(f, t, t->databases.items[j]);
        for (size_t j = 0; j < t->recyclebin.n; j++)
            if (strcmp(t->recyclebin.items[j]->type, "DATABASE") == 0)
                put_dropped(f, t, t->recyclebin.items[j]);
    }
}

void fill_schemata(struct fill *f)
{
    const struct sim_tenant *t = f->s->tenant;

    for (size_t i = 0; i < t->databases.n; i++) {
        put_s(f, "CATALOG_NAME", "def");
        put_s(f, "SCHEMA_NAME", t->databases.items[i]->name);
        put_s(f, "DEFAULT_CHARACTER_SET_NAME", t->databases.items[i]->charset);
        put_s(f, "DEFAULT_COLLATION_NAME", t->databases.items[i]->collation);
        put_s(f, "DEFAULT_ENCRYPTION", "NO");
        put_row(f);
    }
}

static void put_object(struct fill *f, int64_t tenant_id, const char *owner, const char *name, int64_t id, const char *type,
                       int64_t created_us, int64_t modified_us)
{
    put_i(f, "CON_ID", tenant_id);
    put_s(f, "OWNER", owner);
    put_s(f, "OBJECT_NAME", name);
    put_i(f, "OBJECT_ID", id);
    put_s(f, "OBJECT_TYPE", type);
    put_time(f, "CREATED", created_us);
    put_time(f, "LAST_DDL_TIME", modified_us);
    put_time(f, "TIMESTAMP", modified_us);
    put_s(f, "STATUS", "VALID");
    put_s(f, "TEMPORARY", "N");
    put_s(f, "GENERATED", "N");
    put_s(f, "SECONDARY", "N");
    put_i(f, "NAMESPACE", 0);
    put_row(f);
}

void fill_objects(struct fill *f)
{
    for (size_t i = 0; i < f->c->tenants.n; i++) {
        const struct sim_tenant *t = f->c->tenants.items[i];

        if (!fill_wants_tenant(f, t->id))
            continue;
        for (size_t j = 0; j < t->databases.n; j++) {
            const struct sim_database *d = t->databases.items[j];

            put_object(f, t->id, "SYS", d->name, d->id, "DATABASE", d->created_us, d->modified_us);
        }
        for (size_t j = 0; j < t->objects.n; j++) {
            const struct sim_object *o = t->objects.items[j];

            put_object(f, t->id, o->database, o->name, o->id, sim_object_kind_name(o->kind), o->created_us, o->modified_us);
        }
    }
}

static bool is_seen(const struct fill *f, const struct sim_table *t)
{
    return t->in_user_tenant || f->s->tenant->type == SIM_TENANT_SYS;
}

static void put_table(struct fill *f, const char *database, const char *name, const char *type, int64_t created_us, int64_t modified_us)
{
    bool is_table = strcmp(type, "BASE TABLE") == 0;

    put_s(f, "TABLE_CATALOG", "def");
    put_s(f, "TABLE_SCHEMA", database);
    put_s(f, "TABLE_NAME", name);
    put_s(f, "TABLE_TYPE", type);
    if (is_table) {
        put_s(f, "ENGINE", "InnoDB");
        put_s(f, "ROW_FORMAT", "DYNAMIC");
        put_i(f, "TABLE_ROWS", 0);
        put_i(f, "DATA_LENGTH", 0);
        put_s(f, "TABLE_COLLATION", "utf8mb4_general_ci");
    }
    put_time(f, "CREATE_TIME", created_us);
    put_time(f, "UPDATE_TIME", modified_us);
    put_s(f, "TABLE_COMMENT", "");
    put_row(f);
}

static const char *type_of(const struct sim_table *t)
{
    return strncmp(t->name, "__all_", 6) == 0 ? "SYSTEM TABLE" : "SYSTEM VIEW";
}

void fill_schema_tables(struct fill *f)
{
    const struct sim_tenant *t = f->s->tenant;

    for (size_t i = 0; i < f->tables->list.n; i++)
        if (is_seen(f, f->tables->list.items[i]))
            put_table(f, f->tables->list.items[i]->database, f->tables->list.items[i]->name, type_of(f->tables->list.items[i]), 0, 0);
    for (size_t i = 0; i < t->objects.n; i++) {
        const struct sim_object *o = t->objects.items[i];

        if (o->kind == SIM_TABLE || o->kind == SIM_VIEW)
            put_table(f, o->database, o->name, o->kind == SIM_VIEW ? "VIEW" : "BASE TABLE", o->created_us, o->modified_us);
    }
}

static void put_columns(struct fill *f, const struct sim_table *t)
{
    int place = 0;

    for (size_t i = 0; i < t->columns.n; i++) {
        const struct sim_table_column *c = t->columns.items[i];
        char type[SIM_NAME];

        if (!table_has(c, f->is_newer))
            continue;
        sim_name(type, (struct slice){ c->declared, strcspn(c->declared, "( ") });
        put_s(f, "TABLE_CATALOG", "def");
        put_s(f, "TABLE_SCHEMA", t->database);
        put_s(f, "TABLE_NAME", t->name);
        put_s(f, "COLUMN_NAME", c->name);
        put_i(f, "ORDINAL_POSITION", ++place);
        put_s(f, "IS_NULLABLE", "YES");
        put_s(f, "DATA_TYPE", type);
        put_s(f, "COLUMN_TYPE", c->declared);
        put_s(f, "COLUMN_KEY", "");
        put_s(f, "EXTRA", "");
        put_s(f, "COLUMN_COMMENT", "");
        put_row(f);
    }
}

void fill_schema_columns(struct fill *f)
{
    for (size_t i = 0; i < f->tables->list.n; i++)
        if (is_seen(f, f->tables->list.items[i]))
            put_columns(f, f->tables->list.items[i]);
}

void fill_routines(struct fill *f)
{
    const struct sim_tenant *t = f->s->tenant;

    for (size_t i = 0; i < t->objects.n; i++) {
        const struct sim_object *o = t->objects.items[i];

        if (o->kind != SIM_PROCEDURE && o->kind != SIM_FUNCTION)
            continue;
        put_s(f, "SPECIFIC_NAME", o->name);
        put_s(f, "ROUTINE_CATALOG", "def");
        put_s(f, "ROUTINE_SCHEMA", o->database);
        put_s(f, "ROUTINE_NAME", o->name);
        put_s(f, "ROUTINE_TYPE", sim_object_kind_name(o->kind));
        put_s(f, "ROUTINE_BODY", "SQL");
        put_time(f, "CREATED", o->created_us);
        put_time(f, "LAST_ALTERED", o->modified_us);
        put_row(f);
    }
}

void fill_table_list(struct fill *f)
{
    for (size_t i = 0; i < f->c->tenants.n; i++)
        for (size_t j = 0; fill_wants_tenant(f, f->c->tenants.items[i]->id) && j < f->c->tenants.items[i]->objects.n; j++) {
            const struct sim_object *o = f->c->tenants.items[i]->objects.items[j];

            if (o->kind != SIM_TABLE)
                continue;
            put_i(f, "CON_ID", f->c->tenants.items[i]->id);
            put_s(f, "OWNER", o->database);
            put_s(f, "TABLE_NAME", o->name);
            put_s(f, "STATUS", "VALID");
            put_s(f, "PARTITIONED", "NO");
            put_s(f, "TEMPORARY", "N");
            put_s(f, "DROPPED", "NO");
            put_row(f);
        }
}

void fill_indexes(struct fill *f)
{
    for (size_t i = 0; i < f->c->tenants.n; i++)
        for (size_t j = 0; fill_wants_tenant(f, f->c->tenants.items[i]->id) && j < f->c->tenants.items[i]->objects.n; j++) {
            const struct sim_object *o = f->c->tenants.items[i]->objects.items[j];

            if (o->kind != SIM_INDEX)
                continue;
            put_i(f, "CON_ID", f->c->tenants.items[i]->id);
            put_s(f, "OWNER", o->database);
            put_s(f, "INDEX_NAME", o->name);
            put_s(f, "INDEX_TYPE", "NORMAL");
            put_s(f, "TABLE_OWNER", o->database);
            put_s(f, "TABLE_NAME", o->table);
            put_s(f, "TABLE_TYPE", "TABLE");
            put_s(f, "UNIQUENESS", "NONUNIQUE");
            put_s(f, "STATUS", "VALID");
            put_row(f);
        }
}

void fill_recyclebin(struct fill *f)
{
    const struct sim_tenant *t = f->s->tenant;

    for (size_t i = 0; i < t->recyclebin.n; i++) {
        const struct sim_dropped *d = t->recyclebin.items[i];

        put_s(f, "OWNER", d->database);
        put_s(f, "OBJECT_NAME", d->name);
        put_s(f, "ORIGINAL_NAME", d->original);
        put_s(f, "OPERATION", "DROP");
        put_s(f, "TYPE", d->type);
        put_time(f, "CREATETIME", d->created_us);
        put_time(f, "DROPTIME", d->created_us);
        put_s(f, "CAN_UNDROP", "YES");
        put_s(f, "CAN_PURGE", "YES");
        put_row(f);
    }
}
