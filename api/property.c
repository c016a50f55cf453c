/* SPDX-License-Identifier: Apache-2.0 */
/* System parameters. */
#include <string.h>

#include "api/api.h"
#include "api/tables.h"
#include "src/setting/setting.h"

struct property_out {
    const char *key, *value, *default_value, *unit;
    const char *type[2], *group[2], *description[2];
    struct field_strings values;
    int restart, pending, editable, changed;
    int64_t updated_us;
    const char *username;
};

static const struct field property_fields[] = {
    F_STRING(property_out, key, "key", DOC("Name of the parameter.")),
    F_STRING(property_out, value, "value", DOC("Value in text; a secret one is masked.")),
    F_STRING(property_out, default_value, "defaultValue", DOC("Value when nobody has set one.")),
    F_TEXT2(property_out, type, "type", DOC("Kind of value: string, int, bool, duration ...")),
    F_TEXT2(property_out, group, "group", DOC("What it belongs to.")),
    F_TEXT2(property_out, description, "description", DOC("What it does.")),
    F_STRING(property_out, unit, "unit", DOC("Unit of a number.")),
    F_STRINGS(property_out, values, "enumValues", .flags = FIELD_OMIT_EMPTY, DOC("The values that are possible, where they can be listed.")),
    F_BOOL(property_out, restart, "needRestart", DOC("A node takes a change over when it starts.")),
    F_BOOL(property_out, pending, "pendingRestart", DOC("A change waits for the start of the node that answers.")),
    F_BOOL(property_out, editable, "editable", DOC("Whether it can be changed.")),
    F_BOOL(property_out, changed, "changed", DOC("Whether somebody has set it.")),
    F_TIME(property_out, updated_us, "updateTime", DOC("When it was set.")),
    F_STRING(property_out, username, "operatorName", DOC("Who set it.")),
    FIELD_END,
};

/* "a|b|c" */
static int split_values(const char *values, struct arena *arena, struct field_strings *out, struct err *e)
{
    struct slice rest = { values, strlen(values) };

    out->items = arena_array(arena, rest.n / 2 + 1, sizeof *out->items);
    if (out->items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    while (rest.n > 0) {
        struct slice one = slice_cut(&rest, '|');

        out->items[out->n] = arena_strndup(arena, one.s, one.n);
        if (out->items[out->n++] == NULL)
            return err_set(e, &ERR_NOMEM, "");
    }
    return 0;
}

static int out_view(const struct setting_view *v, struct arena *arena, struct property_out *out, struct err *e)
{
    const struct parameter *row = v->row;
    const char *type = parameter_type_name(row->type);

    *out = (struct property_out){
        .key = row->name,
        .value = v->value,
        .default_value = row->type == PARAMETER_SECRET ? NULL : row->def,
        .unit = row->unit,
        .type = { type, type },
        .group = { parameter_group_names[row->group][ERR_EN], parameter_group_names[row->group][ERR_ZH] },
        .description = { row->doc[ERR_EN], row->doc[ERR_ZH] },
        .restart = row->effect == PARAMETER_RESTART,
        .pending = v->pending,
        .editable = row->effect != PARAMETER_FIXED,
        .changed = v->changed,
        .updated_us = v->updated_us,
        .username = v->username[0] != '\0' ? v->username : NULL,
    };
    return row->values != NULL ? split_values(row->values, arena, &out->values, e) : 0;
}

static int reply_property(struct call *c, const struct setting_view *v, struct err *e)
{
    struct property_out out;
    int rv = out_view(v, c->arena, &out, e);

    return rv == 0 ? call_object(c, &out, e) : rv;
}

struct property_query {
    const char *keyword;
};

static const struct field property_query_fields[] = {
    F_STRING(property_query, keyword, "keyword", .max = 128, DOC("Part of the name or the description.")),
    FIELD_END,
};

static int api_property_list(struct call *c, struct err *e)
{
    const struct property_query *q = c->query;
    struct setting_view *views;
    struct property_out *out;
    size_t n;
    int rv = setting_list(c->api->shared->setting, c->db, q->keyword, c->arena, &views, &n, e);

    if (rv != 0)
        return rv;
    out = arena_array(c->arena, n, sizeof *out);
    if (out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < n; i++)
        rv = out_view(&views[i], c->arena, &out[i], e);
    return rv == 0 ? call_list(c, out, n, e) : rv;
}

static int api_property_get(struct call *c, struct err *e)
{
    struct setting_view v;
    int rv = setting_get(c->api->shared->setting, c->db, call_text(c, "key"), c->arena, &v, e);

    return rv == 0 ? reply_property(c, &v, e) : rv;
}

struct property_in {
    const char *value;
};

/* The audit masks it, since it may be a secret one; what was changed into what is in the history. */
static const struct field property_in_fields[] = {
    F_STRING(property_in, value, "value", .flags = FIELD_REQUIRED | FIELD_EMPTY_OK | FIELD_SCALAR | FIELD_SECRET, DOC("New value.")),
    FIELD_END,
};

static int change(struct call *c, const char *value, struct err *e)
{
    struct setting_view v;
    int rv;

    c->object_kind = "PROPERTY";
    c->object_name = call_text(c, "key");
    rv = setting_change(c->api->shared->setting, c->db, c->user, c->object_name, value, c->arena, &v, e);
    return rv == 0 ? reply_property(c, &v, e) : rv;
}

static int api_property_update(struct call *c, struct err *e)
{
    const struct property_in *in = c->body;

    return change(c, in->value, e);
}

static int api_property_reset(struct call *c, struct err *e)
{
    return change(c, NULL, e);
}

static const struct field history_fields[] = {
    F_INT(property_change, id, "id", DOC("Id of the change.")),
    F_STRING(property_change, name, "key", DOC("Name of the parameter.")),
    F_STRING(property_change, old_value, "oldValue", DOC("Value before; none: the default. A secret one is masked.")),
    F_STRING(property_change, new_value, "newValue", DOC("Value after; none: the default. A secret one is masked.")),
    F_TIME(property_change, changed_us, "changeTime", DOC("When.")),
    F_INT(property_change, user_id, "operatorId", DOC("Id of the user who changed it.")),
    F_STRING(property_change, username, "operatorName", DOC("Name of the user who changed it.")),
    FIELD_END,
};

static const char *const history_sorts[] = { "changeTime", NULL };

static int api_property_history(struct call *c, struct err *e)
{
    struct store_page page = call_store_page(c);
    struct property_change *changes;
    int64_t total;
    size_t n;
    int rv = setting_history(c->db, call_text(c, "key"), &page, c->arena, &changes, &n, &total, e);

    return rv == 0 ? call_paged(c, changes, n, total, e) : rv;
}

#define PARAMETERS .tag = "System parameters"

const struct route property_routes[] = {
    ROUTE("config-properties-list", "GET", "/api/v2/config/properties", "PROPERTY:*:READ", api_property_list, REPLY_LIST, ROUTE_OWN,
          "List all system parameters.", PARAMETERS, ROUTE_QUERY(property_query, property_query_fields), ROUTE_OUT(property_out, property_fields)),
    ROUTE("config-property-get", "GET", "/api/v2/config/properties/{key}", "PROPERTY:*:READ", api_property_get, REPLY_OBJECT, ROUTE_OWN,
          "Show a system parameter.", PARAMETERS, ROUTE_OUT(property_out, property_fields)),
    ROUTE("config-property-update", "PATCH", "/api/v2/config/properties/{key}", "PROPERTY:*:UPDATE", api_property_update, REPLY_OBJECT, ROUTE_OWN,
          "Set a system parameter, for all nodes.", PARAMETERS, ROUTE_BODY(property_in, property_in_fields),
          ROUTE_OUT(property_out, property_fields)),
    ROUTE("config-property-reset", "DELETE", "/api/v2/config/properties/{key}", "PROPERTY:*:UPDATE", api_property_reset, REPLY_OBJECT, ROUTE_OWN,
          "Go back to the default of a system parameter.", PARAMETERS, ROUTE_OUT(property_out, property_fields)),
    ROUTE("config-property-histories", "GET", "/api/v2/config/properties/{key}/histories", "PROPERTY:*:READ", api_property_history, REPLY_PAGED,
          ROUTE_OWN, "List the changes of a system parameter, newest first.", PARAMETERS, .sort = history_sorts,
          ROUTE_OUT(property_change, history_fields)),
    ROUTE_END,
};
