/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/tables.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *start;
    enum sim_column_type type;
} types[] = {
    { "bigint", SIM_T_BIGINT },   { "int", SIM_T_BIGINT },       { "double", SIM_T_DOUBLE },  { "timestamp", SIM_T_TIMESTAMP },
    { "date", SIM_T_DATETIME },   { "decimal", SIM_T_DECIMAL },  { "number", SIM_T_DECIMAL }, { "longtext", SIM_T_TEXT },
    { "text", SIM_T_TEXT },
};

static enum sim_column_type type_of(const char *declared)
{
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strncasecmp(declared, types[i].start, strlen(types[i].start)) == 0)
            return types[i].type;
    return SIM_T_VARCHAR;
}

static bool has_column(const struct sim_table *t, const char *name)
{
    for (size_t i = 0; i < t->columns.n; i++)
        if (strcasecmp(t->columns.items[i]->name, name) == 0)
            return true;
    return false;
}

/* The reference lists a column of CDB_OB_BACKUP_SET_FILES twice. */
static bool add_columns(struct sim_table *t, const json_t *columns, bool is_newer)
{
    const json_t *column;
    size_t i;

    json_array_foreach(columns, i, column)
    {
        const char *name = json_string_value(json_array_get(column, 0)), *declared = json_string_value(json_array_get(column, 1));
        struct sim_table_column *c;
        char *copy = NULL;

        if (name == NULL)
            return false;
        if (has_column(t, name))
            continue;
        c = sim_push(&t->columns);
        sim_name(c->name, sim_slice(name));
        sim_text(&copy, sim_slice(declared != NULL ? declared : "varchar(4096)"));
        c->declared = copy;
        c->type = type_of(copy);
        c->is_unsigned = strcasestr(copy, "unsigned") != NULL;
        c->is_newer = is_newer;
    }
    return t->columns.n > 0;
}

static bool add_table(struct sim_tables *all, const char *database, const char *name, const json_t *spec)
{
    struct sim_table *t = sim_push(&all->list);
    const json_t *seen = json_object_get(spec, "seekdb_visible_in_user_tenant");

    (void)snprintf(t->database, sizeof t->database, "%s", database);
    sim_name(t->name, sim_slice(name));
    t->in_user_tenant = seen != NULL ? json_is_true(seen) : strcmp(database, "oceanbase") != 0 || strncmp(name, "DBA_", 4) == 0;
    return add_columns(t, json_object_get(spec, "columns"), false) &&
           (json_object_get(spec, "newer_columns") == NULL || add_columns(t, json_object_get(spec, "newer_columns"), true));
}

static bool add_tables(struct sim_tables *all, const char *database, json_t *specs)
{
    const char *name;
    json_t *spec;
    bool ok = json_is_object(specs);

    json_object_foreach(specs, name, spec)
        ok = ok && add_table(all, database, name, spec);
    return ok;
}

static json_t *load(const char *folder, const char *file)
{
    char path[4096];
    json_error_t e;
    json_t *root;

    (void)snprintf(path, sizeof path, "%s/%s", folder, file);
    root = json_load_file(path, 0, &e);
    if (root == NULL)
        (void)fprintf(stderr, "obsim: %s: line %d: %s\n", path, e.line, e.text);
    return root;
}

bool tables_load(const char *folder, struct sim_tables *out)
{
    json_t *views = load(folder, "views.json"), *others = load(folder, "tables.json");
    bool ok = views != NULL && others != NULL && add_tables(out, "oceanbase", json_object_get(views, "v4")) &&
              add_tables(out, "oceanbase", json_object_get(others, "oceanbase")) &&
              add_tables(out, "mysql", json_object_get(others, "mysql")) &&
              add_tables(out, "information_schema", json_object_get(others, "information_schema"));

    if (views != NULL && others != NULL && !ok)
        (void)fprintf(stderr, "obsim: views.json or tables.json in %s is not what it should be\n", folder);
    json_decref(views);
    json_decref(others);
    return ok;
}

void tables_fini(struct sim_tables *t)
{
    for (size_t i = 0; i < t->list.n; i++) {
        struct sim_table *table = t->list.items[i];

        for (size_t j = 0; j < table->columns.n; j++)
            mem_free(table->columns.items[j]->declared);
        sim_clear(&table->columns);
    }
    sim_clear(&t->list);
}

struct sim_table *tables_find(const struct sim_tables *t, const char *database, const char *name)
{
    for (size_t i = 0; i < t->list.n; i++)
        if (strcasecmp(t->list.items[i]->name, name) == 0 && strcasecmp(t->list.items[i]->database, database) == 0)
            return t->list.items[i];
    return NULL;
}

bool table_has(const struct sim_table_column *c, bool is_newer)
{
    return is_newer || !c->is_newer;
}
