/* SPDX-License-Identifier: Apache-2.0 */
/* A field table is written as a schema where it is used; tables that are used more than once could become components, but then
 * they would need names, which the tables do not have. Paths that differ only in parameter names are one path template. */
#include "api/openapi.h"

#include <string.h>

static const char *const origin_names[] = { "documented", "additional", "own" };
static const char *const reply_names[] = { "none", "object", "list", "paged", "bare", "own" };

static void add_pair(struct str *t, const char *key, const char *value)
{
    json_add_key(t, key);
    json_add_string(t, value);
}

static void add_raw(struct str *t, const char *key, const char *json)
{
    json_add_key(t, key);
    str_add(t, json);
}

static void add_int(struct str *t, const char *key, int64_t v)
{
    json_add_key(t, key);
    str_add_i64(t, v);
}

static void schema_of_object(struct str *t, const struct field *fields, bool reading);

static void schema_enum(struct str *t, const struct field *f)
{
    add_pair(t, "type", "string");
    json_add_key(t, "enum");
    str_add_c(t, '[');
    for (const char *const *n = f->names; *n != NULL; n++) {
        json_add_comma(t);
        json_add_string(t, *n);
    }
    str_add_c(t, ']');
}

static void schema_string(struct str *t, const struct field *f, bool reading)
{
    if (reading && (f->flags & FIELD_SCALAR) != 0)
        add_raw(t, "type", "[\"string\",\"number\",\"boolean\"]");
    else
        add_pair(t, "type", "string");
    if (f->min > 0)
        add_int(t, "minLength", f->min);
    if (f->max > 0)
        add_int(t, "maxLength", f->max);
    if (reading && f->example != NULL)
        add_pair(t, "example", f->example);
}

static void schema_int(struct str *t, const struct field *f)
{
    add_pair(t, "type", "integer");
    add_pair(t, "format", "int64");
    if (f->min != 0 || f->max != 0) {
        add_int(t, "minimum", f->min);
        add_int(t, "maximum", f->max);
    }
}

static void schema_list(struct str *t, const struct field *f, bool reading)
{
    add_pair(t, "type", "array");
    json_add_key(t, "items");
    str_add_c(t, '{');
    if (f->type == FIELD_LIST)
        schema_of_object(t, f->fields, reading);
    else
        add_pair(t, "type", f->type == FIELD_INTS ? "integer" : "string");
    str_add_c(t, '}');
    if (f->min > 0)
        add_int(t, "minItems", f->min);
    if (f->max > 0)
        add_int(t, "maxItems", f->max);
}

static void schema_of_type(struct str *t, const struct field *f, bool reading)
{
    switch (f->type) {
    case FIELD_STRING:
        schema_string(t, f, reading);
        break;
    case FIELD_INT:
        schema_int(t, f);
        break;
    case FIELD_DOUBLE:
        add_pair(t, "type", "number");
        break;
    case FIELD_BOOL:
        add_pair(t, "type", "boolean");
        break;
    case FIELD_TIME:
        add_pair(t, "type", "string");
        add_pair(t, "format", "date-time");
        break;
    case FIELD_ENUM:
        schema_enum(t, f);
        break;
    case FIELD_STRINGS:
    case FIELD_INTS:
    case FIELD_LIST:
        schema_list(t, f, reading);
        break;
    case FIELD_OBJECT:
        schema_of_object(t, f->fields, reading);
        break;
    case FIELD_MAP:
        add_pair(t, "type", "object");
        add_raw(t, "additionalProperties", "{\"type\":\"string\"}");
        break;
    case FIELD_TEXT2:
        add_pair(t, "type", "string");
        break;
    case FIELD_JSON:
        break; /* anything */
    }
}

static void add_default(struct str *t, const struct field *f)
{
    json_add_key(t, "default");
    if (f->type == FIELD_INT || f->type == FIELD_DOUBLE || f->type == FIELD_BOOL)
        str_add(t, f->def);
    else
        json_add_string(t, f->def);
}

static void schema_of_field(struct str *t, const struct field *f, bool reading)
{
    str_add_c(t, '{');
    schema_of_type(t, f, reading);
    if (f->doc != NULL)
        add_pair(t, "description", f->doc);
    if (reading && f->def != NULL && f->type <= FIELD_ENUM)
        add_default(t, f);
    if ((f->flags & FIELD_SECRET) != 0)
        add_raw(t, "writeOnly", "true");
    str_add_c(t, '}');
}

static void add_required(struct str *t, const struct field *fields)
{
    bool any = false;

    for (const struct field *f = fields; f->name != NULL; f++)
        any = any || (f->flags & FIELD_REQUIRED) != 0;
    if (!any)
        return; /* an empty list is not allowed */
    json_add_key(t, "required");
    str_add_c(t, '[');
    for (const struct field *f = fields; f->name != NULL; f++) {
        if ((f->flags & FIELD_REQUIRED) == 0)
            continue;
        json_add_comma(t);
        json_add_string(t, f->name);
    }
    str_add_c(t, ']');
}

static void schema_of_object(struct str *t, const struct field *fields, bool reading)
{
    add_pair(t, "type", "object");
    json_add_key(t, "properties");
    str_add_c(t, '{');
    for (const struct field *f = fields; f->name != NULL; f++) {
        if (!reading && (f->flags & FIELD_SECRET) != 0)
            continue;
        json_add_key(t, f->name);
        schema_of_field(t, f, reading);
    }
    str_add_c(t, '}');
    if (reading)
        add_required(t, fields);
}

static void add_parameter(struct str *t, const char *name, size_t n, const char *in, bool required)
{
    json_add_comma(t);
    str_add(t, "{\"name\":");
    json_add_string_n(t, name, n);
    add_pair(t, "in", in);
    add_raw(t, "required", required ? "true" : "false");
    json_add_key(t, "schema");
}

static void add_query_parameters(struct str *t, const struct field *fields)
{
    for (const struct field *f = fields; f != NULL && f->name != NULL; f++) {
        add_parameter(t, f->name, strlen(f->name), "query", (f->flags & FIELD_REQUIRED) != 0);
        schema_of_field(t, f, true);
        if (f->type == FIELD_STRINGS || f->type == FIELD_INTS)
            str_add(t, ",\"style\":\"form\",\"explode\":false");
        str_add_c(t, '}');
    }
}

static void add_page_parameters(struct str *t, const struct route *route)
{
    add_parameter(t, "page", 4, "query", false);
    str_add(t, "{\"type\":\"integer\",\"minimum\":1,\"default\":1,\"description\":\"Page to return, from 1.\"}}");
    add_parameter(t, "size", 4, "query", false);
    str_add(t, "{\"type\":\"integer\",\"minimum\":1,\"maximum\":2000,\"default\":10,\"description\":\"Rows per page.\"}}");
    if (route->sort == NULL)
        return;
    add_parameter(t, "sort", 4, "query", false);
    str_add(t, "{\"type\":\"string\",\"description\":\"Member and direction, like ");
    str_add(t, route->sort[0]);
    str_add(t, ",desc. Members: ");
    for (const char *const *s = route->sort; *s != NULL; s++)
        str_printf(t, "%s%s", s == route->sort ? "" : ", ", *s);
    str_add(t, ".\"}}");
}

/* Of those that honour it (idempotent.c). */
static void add_key_parameter(struct str *t, const struct route *route)
{
    bool kept = (route->flags & ROUTE_SECRET_REPLY) == 0 && route->reply != REPLY_OWN;

    if (strcmp(route->method, "GET") == 0 || !kept || strcmp(route->permission, PERM_PUBLIC) == 0)
        return;
    json_add_comma(t);
    str_add(t, "{\"$ref\":\"#/components/parameters/IdempotencyKey\"}");
}

static void add_parameters(struct str *t, const struct route *route)
{
    struct slice rest = { route->path + 1, strlen(route->path) - 1 };
    struct slice name;
    bool is_digits;

    json_add_key(t, "parameters");
    str_add_c(t, '[');
    while (rest.n > 0) {
        if (!route_param(slice_cut(&rest, '/'), &name, &is_digits))
            continue;
        add_parameter(t, name.s, name.n, "path", true);
        str_add(t, is_digits ? "{\"type\":\"integer\",\"format\":\"int64\"}}" : "{\"type\":\"string\"}}");
    }
    if (route->reply == REPLY_PAGED)
        add_page_parameters(t, route);
    add_query_parameters(t, route->query);
    add_key_parameter(t, route);
    str_add_c(t, ']');
}

static void add_body(struct str *t, const struct route *route)
{
    bool array = (route->flags & ROUTE_BODY_ARRAY) != 0;

    if (route->body == NULL)
        return;
    str_printf(t, ",\"requestBody\":{\"required\":%s,\"content\":{\"application/json\":{\"schema\":{",
               (route->flags & (ROUTE_BODY_OPTIONAL | ROUTE_QUERY_FIRST)) != 0 ? "false" : "true");
    if (array)
        str_add(t, "\"type\":\"array\",\"items\":{");
    schema_of_object(t, route->body, true);
    str_add(t, array ? "}}}}}" : "}}}}");
}

static void add_data_schema(struct str *t, const struct route *route)
{
    bool list = route->reply == REPLY_LIST || route->reply == REPLY_PAGED;

    if (list)
        str_add(t, "\"type\":\"object\",\"properties\":{\"contents\":{\"type\":\"array\",\"items\":{");
    if (route->out != NULL)
        schema_of_object(t, route->out, false);
    if (list)
        str_add(t, "}}");
    if (route->reply == REPLY_PAGED)
        str_add(t, ",\"page\":{\"$ref\":\"#/components/schemas/Page\"}");
    if (list)
        str_add_c(t, '}');
}

static void add_success(struct str *t, const struct route *route)
{
    str_add(t, "\"200\":{\"description\":\"Success.\"");
    if (route->reply == REPLY_OWN) {
        str_add_c(t, '}');
        return;
    }
    str_add(t, ",\"content\":{\"application/json\":{\"schema\":");
    if (route->reply == REPLY_BARE) {
        str_add_c(t, '{');
        schema_of_object(t, route->out, false);
        str_add_c(t, '}');
    } else if (route->reply == REPLY_NONE) {
        str_add(t, "{\"$ref\":\"#/components/schemas/Envelope\"}");
    } else {
        str_add(t, "{\"allOf\":[{\"$ref\":\"#/components/schemas/Envelope\"},{\"type\":\"object\",\"required\":[\"data\"],\"properties\":{\"data\":{");
        add_data_schema(t, route);
        str_add(t, "}}}]}");
    }
    str_add(t, "}}}");
}

static void add_operation(struct str *t, const struct route *route)
{
    char method[8];
    size_t n = 0;

    for (; route->method[n] != '\0' && n + 1 < sizeof method; n++)
        method[n] = (char)(route->method[n] | 0x20);
    method[n] = '\0';
    json_add_key(t, method);
    str_add_c(t, '{');
    add_pair(t, "operationId", route->id);
    add_pair(t, "summary", route->doc);
    json_add_key(t, "tags");
    str_add_c(t, '[');
    json_add_string(t, route->tag != NULL ? route->tag : "System");
    str_add_c(t, ']');
    add_pair(t, "x-origin", origin_names[route->origin]);
    add_pair(t, "x-permission", route->permission);
    add_raw(t, "x-async", (route->flags & ROUTE_ASYNC) != 0 ? "true" : "false");
    if (strcmp(route->permission, PERM_PUBLIC) == 0)
        add_raw(t, "security", "[]");
    add_parameters(t, route);
    add_body(t, route);
    json_add_key(t, "responses");
    str_add_c(t, '{');
    add_success(t, route);
    str_add(t, ",\"default\":{\"$ref\":\"#/components/responses/Error\"}}}");
}

/* The path as OpenAPI writes it: without ":text". */
static void add_path(struct str *t, const char *path)
{
    const char *hint = strstr(path, ":text}");

    json_add_comma(t);
    str_add_c(t, '"');
    str_add_n(t, path, hint != NULL ? (size_t)(hint - path) : strlen(path));
    if (hint != NULL)
        str_add(t, hint + strlen(":text"));
    str_add(t, "\":{");
}

static void add_paths(struct str *t, const struct router *r)
{
    for (unsigned i = 0; i < router_count(r); i++) {
        const struct route *first = router_at(r, i);
        bool seen = (first->flags & ROUTE_NODES) != 0;

        for (unsigned k = 0; k < i; k++)
            seen = seen || strcmp(router_at(r, k)->path, first->path) == 0;
        if (seen)
            continue;
        add_path(t, first->path);
        for (unsigned k = i; k < router_count(r); k++)
            if (strcmp(router_at(r, k)->path, first->path) == 0)
                add_operation(t, router_at(r, k));
        str_add_c(t, '}');
    }
}

static const char components[] =
    "\"components\":{\"securitySchemes\":{\"basic\":{\"type\":\"http\",\"scheme\":\"basic\"}},"
    "\"parameters\":{\"IdempotencyKey\":{\"name\":\"Idempotency-Key\",\"in\":\"header\",\"required\":false,\"description\":\"Chosen anew for each "
    "request; the same request, sent again with the same key within a day, acts once and gets the same reply.\","
    "\"schema\":{\"type\":\"string\",\"minLength\":8,\"maxLength\":64}}},"
    "\"schemas\":{\"Envelope\":{\"type\":\"object\",\"required\":[\"successful\",\"timestamp\",\"duration\",\"status\",\"traceId\",\"server\"],"
    "\"properties\":{\"successful\":{\"type\":\"boolean\"},\"timestamp\":{\"type\":\"string\",\"format\":\"date-time\"},"
    "\"duration\":{\"type\":\"integer\",\"description\":\"Milliseconds.\"},\"status\":{\"type\":\"integer\"},"
    "\"traceId\":{\"type\":\"string\"},\"server\":{\"type\":\"string\"},\"stale\":{\"type\":\"boolean\",\"description\":\"The data come from memory, as old as "
    "the header Age says, because MetaDB is away.\"}}},"
    "\"Page\":{\"type\":\"object\",\"required\":[\"number\",\"size\",\"totalElements\",\"totalPages\"],\"properties\":{"
    "\"number\":{\"type\":\"integer\"},\"size\":{\"type\":\"integer\"},\"totalElements\":{\"type\":\"integer\"},\"totalPages\":{\"type\":\"integer\"}}},"
    "\"Error\":{\"allOf\":[{\"$ref\":\"#/components/schemas/Envelope\"},{\"type\":\"object\",\"required\":[\"error\"],\"properties\":{"
    "\"error\":{\"type\":\"object\",\"required\":[\"code\",\"message\"],\"properties\":{\"code\":{\"type\":\"integer\"},"
    "\"message\":{\"type\":\"string\"}}}}}]}},"
    "\"responses\":{\"Error\":{\"description\":\"The request failed; error.code and error.message say why.\","
    "\"content\":{\"application/json\":{\"schema\":{\"$ref\":\"#/components/schemas/Error\"}}}}}}";

void openapi_write(struct str *t, const struct router *r, const char *version)
{
    str_add(t, "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"ocp-server\",\"description\":\"OceanBase Cloud Platform: the REST API.\"");
    str_add(t, ",\"license\":{\"name\":\"Apache-2.0\",\"identifier\":\"Apache-2.0\"}");
    add_pair(t, "version", version);
    str_add(t, "},\"security\":[{\"basic\":[]}],\"paths\":{");
    add_paths(t, r);
    str_add(t, "},");
    str_add(t, components);
    str_add_c(t, '}');
}

void routes_dump(struct str *t, const struct router *r)
{
    str_add_c(t, '[');
    for (unsigned i = 0; i < router_count(r); i++) {
        const struct route *route = router_at(r, i);

        if ((route->flags & ROUTE_NODES) != 0)
            continue;
        json_add_comma(t);
        str_add_c(t, '{');
        add_pair(t, "id", route->id);
        add_pair(t, "method", route->method);
        add_pair(t, "path", route->path);
        add_pair(t, "permission", route->permission);
        add_pair(t, "reply", reply_names[route->reply]);
        add_pair(t, "origin", origin_names[route->origin]);
        add_raw(t, "async", (route->flags & ROUTE_ASYNC) != 0 ? "true" : "false");
        add_pair(t, "chapter", route->tag != NULL ? route->tag : "System");
        add_pair(t, "doc", route->doc);
        str_add_c(t, '}');
    }
    str_add_c(t, ']');
}
