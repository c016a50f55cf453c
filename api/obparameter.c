/* SPDX-License-Identifier: Apache-2.0 */
/* Parameters of managed clusters. */
#include "src/obcluster/parameter.h"

#include <string.h>

#include "api/api.h"
#include "api/obcluster_view.h"
#include "api/tables.h"
#include "api/tenant_path.h"
#include "src/iam/principal.h"
#include "src/store/obparameter.h"
#include "src/task/domains.h"

static struct obclusters *domain(const struct call *c)
{
    return c->api->shared->domains->obclusters;
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

/* --- parameters of a cluster ------------------------------------------------------------------------------------------------- */

struct range_view {
    const char *type, *allowed, *min, *max;
};
static const struct field range_fields[] = {
    F_STRING(range_view, type, "type", DOC("BOOL, CAPACITY, DOUBLE, INT, MOMENT, STRING, STRING_LIST or TIME.")),
    F_STRING(range_view, allowed, "allowedValues", DOC("Words, separated by commas; empty: any.")),
    F_STRING(range_view, min, "minValue", DOC("Smallest value; empty: none is said.")),
    F_STRING(range_view, max, "maxValue", DOC("Largest value; empty: none is said.")),
    FIELD_END,
};

struct place_view {
    const char *zone, *ip, *name, *value, *type;
    int64_t port;
};
static const struct field place_fields[] = {
    F_STRING(place_view, zone, "zone", DOC("Zone.")),
    F_STRING(place_view, ip, "svrIp", DOC("Server.")),
    F_INT(place_view, port, "svrPort", DOC("Its RPC port.")),
    F_STRING(place_view, type, "svrType", DOC("Kind of server.")),
    F_STRING(place_view, name, "name", DOC("Parameter.")),
    F_STRING(place_view, value, "value", DOC("Value there.")),
    FIELD_END,
};

struct current_view {
    struct field_strings values;
    const char *by_value;
    struct field_list places;
    int single;
};
static const struct field current_fields[] = {
    F_STRINGS(current_view, values, "values", DOC("The different values in the cluster.")),
    F_JSON(current_view, by_value, "valueToServers", DOC("Servers by value.")),
    F_LIST(current_view, places, "obParameters", place_view, place_fields, DOC("Value on each server.")),
    F_BOOL(current_view, single, "singleValueInCluster", DOC("Whether it is the same everywhere.")),
    FIELD_END,
};

struct parameter_view {
    const char *name, *section, *def, *description, *scope, *edit_level;
    struct range_view *range;
    struct current_view *current;
    int needs_restart, readonly;
};
static const struct field parameter_fields[] = {
    F_STRING(parameter_view, name, "name", DOC("Name.")),
    F_STRING(parameter_view, section, "section", DOC("Chapter.")),
    F_STRING(parameter_view, scope, "scope", DOC("CLUSTER; TENANT: each tenant has its own value, and that of sys is shown.")),
    F_STRING(parameter_view, edit_level, "editLevel", DOC("DYNAMIC_EFFECTIVE, STATIC_EFFECTIVE or READONLY, as the kernel says.")),
    F_STRING(parameter_view, def, "defaultValue", DOC("Value unless it is set.")),
    F_OBJECT(parameter_view, range, "valueRange", range_view, range_fields, DOC("What the kernel says a value may be.")),
    F_OBJECT(parameter_view, current, "currentValue", current_view, current_fields, DOC("Value in force.")),
    F_BOOL(parameter_view, needs_restart, "needRestart", DOC("Whether a change takes effect with the next start only.")),
    F_BOOL(parameter_view, readonly, "readonly", DOC("Whether it cannot be changed.")),
    F_STRING(parameter_view, description, "description", DOC("What it is for.")),
    FIELD_END,
};

static int range_of(struct call *c, const struct ob_parameter *p, struct range_view *out, struct err *e)
{
    struct ob_parameter_range r;

    if (!ob_parameter_range(p, c->arena, &r))
        return err_set(e, &ERR_NOMEM, "");
    *out = (struct range_view){ parameter_type(p), or_empty(r.allowed), or_empty(r.min), or_empty(r.max) };
    return 0;
}

/* One parameter as it is on each server: n rows of one name. */
struct values {
    const struct ob_parameter *rows;
    size_t n;
    struct place_view *places;
    const char **distinct;
    size_t n_distinct;
};

/* {"50":["10.0.0.1:2882"]} */
static const char *servers_by_value(struct call *c, const struct values *v)
{
    struct str t;

    str_init(&t, c->arena);
    str_add_c(&t, '{');
    for (size_t d = 0; d < v->n_distinct; d++) {
        json_add_comma(&t);
        json_add_string(&t, v->distinct[d]);
        str_add(&t, ":[");
        for (size_t i = 0; i < v->n; i++) {
            const char *address;

            if (strcmp(v->places[i].value, v->distinct[d]) != 0)
                continue;
            address = arena_printf(c->arena, "%s:%lld", v->places[i].ip, (long long)v->places[i].port);
            json_add_comma(&t);
            json_add_string(&t, or_empty(address));
        }
        str_add_c(&t, ']');
    }
    str_add_c(&t, '}');
    return str_failed(&t) ? NULL : t.s;
}

/* A kernel that is one server does not say where its values are. */
static struct place_view place_of(const struct obcluster_rows *rows, const struct ob_parameter *p)
{
    const struct observer *only = rows->topology.n_servers > 0 ? rows->topology.servers : NULL;

    if (p->ip != NULL || only == NULL)
        return (struct place_view){ or_empty(p->zone), or_empty(p->ip), p->name, p->value, "observer", p->port };
    return (struct place_view){ only->zone, only->ip, p->name, p->value, "observer", only->port };
}

static void add_distinct(struct values *v, const char *value)
{
    for (size_t i = 0; i < v->n_distinct; i++)
        if (strcmp(v->distinct[i], value) == 0)
            return;
    v->distinct[v->n_distinct++] = value;
}

static int current_of(struct call *c, const struct obcluster_rows *rows, struct values *v, struct current_view *out, struct err *e)
{
    v->places = arena_array(c->arena, v->n, sizeof *v->places);
    v->distinct = arena_array(c->arena, v->n, sizeof *v->distinct);
    if (v->places == NULL || v->distinct == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < v->n; i++) {
        v->places[i] = place_of(rows, &v->rows[i]);
        add_distinct(v, v->rows[i].value);
    }
    out->by_value = servers_by_value(c, v);
    if (out->by_value == NULL)
        return err_set(e, &ERR_NOMEM, "");
    out->values = (struct field_strings){ v->distinct, v->n_distinct };
    out->places = (struct field_list){ v->places, v->n };
    out->single = v->n_distinct == 1;
    return 0;
}

static int view_of(struct call *c, const struct obcluster_rows *rows, struct values *v, struct parameter_view *out, struct err *e)
{
    struct {
        struct range_view range;
        struct current_view current;
    } *parts = arena_zalloc(c->arena, sizeof *parts);
    const struct ob_parameter *p = v->rows;
    int rv = parts != NULL ? range_of(c, p, &parts->range, e) : err_set(e, &ERR_NOMEM, "");

    if (rv == 0)
        rv = current_of(c, rows, v, &parts->current, e);
    if (rv != 0)
        return rv;
    *out = (struct parameter_view){
        .name = p->name,
        .section = or_empty(p->section),
        .scope = p->scope,
        .edit_level = p->edit_level,
        .def = or_empty(p->default_value),
        .description = or_empty(p->info),
        .range = &parts->range,
        .current = &parts->current,
        .needs_restart = ob_parameter_needs_restart(p),
        .readonly = ob_parameter_is_read_only(p),
    };
    return 0;
}

/* How many rows from here on are of the same parameter; they come by name. */
static size_t count_rows(const struct ob_parameter *list, size_t n)
{
    size_t i = 1;

    while (i < n && strcmp(list[i].name, list[0].name) == 0)
        i++;
    return i;
}

static int api_obparameter_list(struct call *c, struct err *e)
{
    struct parameter_view *views = NULL;
    struct ob_parameter *list;
    struct obcluster_rows rows;
    size_t n = 0, n_views = 0;
    int rv = obcluster_rows_one(c, "id", &rows, e);

    if (rv == 0)
        rv = parameter_list(domain(c), rows.clusters, c->arena, &list, &n, e);
    if (rv == 0 && (views = arena_array(c->arena, n + 1, sizeof *views)) == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < n;) {
        struct values v = { .rows = &list[i], .n = count_rows(&list[i], n - i) };

        rv = view_of(c, &rows, &v, &views[n_views++], e);
        i += v.n;
    }
    return rv == 0 ? call_list(c, views, n_views, e) : rv;
}

/* --- changing ----------------------------------------------------------------------------------------------------------------- */

enum { MAX_CHANGES = 100 };

struct parameter_in {
    const char *name, *value, *type;
    struct field_strings zones;
    struct field_ints servers, tenants;
    int all_tenants;
};
static const struct field parameter_in_fields[] = {
    F_STRING(parameter_in, name, "name", .flags = FIELD_REQUIRED, .max = 128, DOC("Parameter.")),
    F_STRING(parameter_in, value, "value", .flags = FIELD_REQUIRED | FIELD_SCALAR | FIELD_EMPTY_OK, .max = 4096, DOC("New value.")),
    F_STRING(parameter_in, type, "parameterType", .max = 64, DOC("Ignored.")),
    F_STRINGS(parameter_in, zones, "zones", .max = 32, DOC("Only on the servers of these zones.")),
    F_INTS(parameter_in, servers, "serverIds", .max = 100, DOC("Only on these servers.")),
    F_INTS(parameter_in, tenants, "tenantIds", .max = 100, DOC("A parameter of tenants: for these.")),
    F_BOOL(parameter_in, all_tenants, "allTenants", .def = "false", DOC("A parameter of tenants: for all but sys.")),
    FIELD_END,
};

struct wishes {
    struct call *call;
    const struct obcluster_rows *rows;
    struct parameter_wish items[MAX_CHANGES];
    size_t n;
};

static int add_wish(struct wishes *w, const struct parameter_in *in, enum ob_parameter_scope scope, const char *target, int64_t ob_tenant_id,
                    struct err *e)
{
    if (w->n == MAX_CHANGES)
        return err_set(e, &ERR_INVALID, "more than %d changes at once", MAX_CHANGES);
    if (target == NULL)
        return err_set(e, &ERR_NOMEM, "");
    w->items[w->n++] = (struct parameter_wish){ in->name, in->value, { scope, target }, ob_tenant_id };
    return 0;
}

static int unknown_target(const char *noun, const char *name, struct err *e)
{
    (void)err_set(e, &ERR_NOT_FOUND, "%s", noun);
    return err_arg(e, "%s", name);
}

static int unknown_id(const char *noun, int64_t id, struct err *e)
{
    (void)err_set(e, &ERR_NOT_FOUND, "%s", noun);
    return err_arg(e, "%lld", (long long)id);
}

static int wish_zones(struct wishes *w, const struct parameter_in *in, struct err *e)
{
    const struct obtopology *t = &w->rows->topology;
    int rv = 0;

    for (size_t i = 0; rv == 0 && i < in->zones.n; i++) {
        size_t k = 0;

        while (k < t->n_zones && strcmp(t->zones[k].name, in->zones.items[i]) != 0)
            k++;
        rv = k < t->n_zones ? add_wish(w, in, OB_SCOPE_ZONE, t->zones[k].name, -1, e) : unknown_target("zone", in->zones.items[i], e);
    }
    return rv;
}

static const char *address_of(struct call *c, const struct observer *s)
{
    return arena_printf(c->arena, strchr(s->ip, ':') != NULL ? "[%s]:%lld" : "%s:%lld", s->ip, (long long)s->port);
}

static int wish_servers(struct wishes *w, const struct parameter_in *in, struct err *e)
{
    const struct obtopology *t = &w->rows->topology;
    int rv = 0;

    for (size_t i = 0; rv == 0 && i < in->servers.n; i++) {
        size_t k = 0;

        while (k < t->n_servers && t->servers[k].id != in->servers.items[i])
            k++;
        rv = k < t->n_servers ? add_wish(w, in, OB_SCOPE_SERVER, address_of(w->call, &t->servers[k]), -1, e)
                              : unknown_id("server", in->servers.items[i], e);
    }
    return rv;
}

static int wish_tenants(struct wishes *w, const struct parameter_in *in, struct err *e)
{
    const struct obtopology *t = &w->rows->topology;
    int rv = 0;

    for (size_t i = 0; rv == 0 && i < in->tenants.n; i++) {
        size_t k = 0;

        while (k < t->n_tenants && t->tenants[k].id != in->tenants.items[i])
            k++;
        rv = k < t->n_tenants ? add_wish(w, in, OB_SCOPE_TENANT, t->tenants[k].name, t->tenants[k].ob_tenant_id, e)
                              : unknown_id("tenant", in->tenants.items[i], e);
    }
    return rv;
}

static int add_wishes(struct wishes *w, const struct parameter_in *in, struct err *e)
{
    int n_kinds = (in->zones.n > 0) + (in->servers.n > 0) + (in->tenants.n > 0) + (in->all_tenants == 1);

    if (n_kinds == 0)
        return add_wish(w, in, OB_SCOPE_CLUSTER, "", -1, e);
    if (n_kinds > 1 || obcluster_is_one_server(w->rows->clusters)) {
        (void)err_set(e, &ERR_OBCLUSTER_SCOPE, "%s", in->name);
        return err_arg(e, n_kinds > 1 ? "give one of zones, serverIds, tenantIds and allTenants" : "this kernel is one server with one tenant");
    }
    if (in->all_tenants == 1)
        return add_wish(w, in, OB_SCOPE_TENANT, "all_user", -1, e);
    return in->zones.n > 0 ? wish_zones(w, in, e) : in->servers.n > 0 ? wish_servers(w, in, e) : wish_tenants(w, in, e);
}

static int api_obparameter_update(struct call *c, struct err *e)
{
    const struct field_list *in = c->body;
    const struct parameter_in *items = in->items;
    struct obcluster_user who = { c->user->user_id, c->user->name };
    struct wishes *w = arena_zalloc(c->arena, sizeof *w);
    struct obcluster_rows rows;
    int rv = w != NULL ? obcluster_rows_one(c, "id", &rows, e) : err_set(e, &ERR_NOMEM, "");

    if (rv == 0 && (in->n == 0 || in->n > MAX_CHANGES))
        rv = err_set(e, &ERR_INVALID, "give 1 to %d parameters", MAX_CHANGES);
    if (rv != 0)
        return rv;
    w->call = c;
    w->rows = &rows;
    for (size_t i = 0; rv == 0 && i < in->n; i++)
        rv = add_wishes(w, &items[i], e);
    return rv == 0 ? parameter_change(domain(c), c->db, rows.clusters, w->items, w->n, &who, c->arena, e) : rv;
}

/* --- history ------------------------------------------------------------------------------------------------------------------ */

struct history_query {
    const char *name;
};
static const struct field history_query_fields[] = {
    F_STRING(history_query, name, "name", .max = 128, DOC("Only changes of this parameter.")),
    FIELD_END,
};

static const char *const history_sorts[] = { "changeTime", "id", "name", NULL };

static const struct field history_fields[] = {
    F_INT(obparameter_change, id, "id", DOC("Id of the change.")),
    F_STRING(obparameter_change, name, "name", DOC("Parameter.")),
    F_STRING(obparameter_change, old_value, "oldValue", DOC("Value before.")),
    F_STRING(obparameter_change, new_value, "newValue", DOC("Value that was set.")),
    F_STRING(obparameter_change, scope, "scope", DOC("CLUSTER, ZONE, SERVER or TENANT: where it was set; empty: in the tenant.")),
    F_STRING(obparameter_change, target, "target", DOC("Zone, server or tenant.")),
    F_STRING(obparameter_change, outcome, "outcome", DOC("SUCCESSFUL, FAILED, UNKNOWN, or SKIPPED after one that failed.")),
    F_STRING(obparameter_change, reason, "reason", DOC("Why it failed.")),
    F_INT(obparameter_change, user_id, "userId", DOC("Who changed it.")),
    F_STRING(obparameter_change, user_name, "username", DOC("Name of that user.")),
    F_TIME(obparameter_change, changed_us, "changeTime", DOC("When.")),
    FIELD_END,
};

static int history(struct call *c, int64_t cluster_id, int64_t tenant_id, struct err *e)
{
    const struct history_query *q = c->query;
    struct store_page page = call_store_page(c);
    struct obparameter_change *list;
    int64_t total;
    size_t n;
    int rv = store_obparameter_history(c->db, cluster_id, tenant_id, q->name, &page, c->arena, &list, &n, &total, e);

    return rv == 0 ? call_paged(c, list, n, total, e) : rv;
}

static int api_obparameter_history(struct call *c, struct err *e)
{
    struct obcluster row;
    int rv = api_obcluster_of(c, "id", &row, e);

    return rv == 0 ? history(c, row.id, -1, e) : rv;
}

static int api_obparameter_history_of_tenant(struct call *c, struct err *e)
{
    struct tenant t;
    int rv = api_tenant_of(c, NULL, &t, e);

    return rv == 0 ? history(c, t.cluster.id, t.row.id, e) : rv;
}

/* --- what there is in each version ---------------------------------------------------------------------------------------------- */

enum { MAX_VERSIONS = 4 };

struct info_view {
    int64_t id;
    const char *name, *version, *type, *allowed, *max, *min, *def, *description;
    int needs_restart, readonly;
};
static const struct field info_fields[] = {
    F_INT(info_view, id, "id", DOC("Id of the description, made of version and name.")),
    F_STRING(info_view, name, "name", DOC("Name.")),
    F_STRING(info_view, version, "version", DOC("Version of the kernel.")),
    F_STRING(info_view, type, "type", DOC("BOOL, CAPACITY, DOUBLE, INT, MOMENT, STRING, STRING_LIST or TIME.")),
    F_STRING(info_view, allowed, "allowedStringValues", DOC("Words, separated by commas; empty: any.")),
    F_STRING(info_view, max, "maxValue", DOC("Largest value; empty: none is said.")),
    F_STRING(info_view, min, "minValue", DOC("Smallest value; empty: none is said.")),
    F_STRING(info_view, def, "defaultValue", DOC("Value unless it is set.")),
    F_BOOL(info_view, needs_restart, "needRestart", DOC("Whether a change takes effect with the next start only.")),
    F_BOOL(info_view, readonly, "readonly", DOC("Whether it cannot be changed.")),
    F_STRING(info_view, description, "description", DOC("What it is for.")),
    F_STRING(info_view, description, "explanation", DOC("The same.")),
    FIELD_END,
};

/* The same number for the same parameter of the same version, everywhere (FNV-1a, 52 bits). */
static int64_t info_id(const char *version, const char *name)
{
    uint64_t hash = 14695981039346656037u;

    for (const char *s = version; *s != '\0'; s++)
        hash = (hash ^ (unsigned char)*s) * 1099511628211u;
    for (const char *s = name; *s != '\0'; s++)
        hash = (hash ^ (unsigned char)*s) * 1099511628211u;
    return (int64_t)(hash >> 12);
}

static int info_of(struct call *c, const struct obcluster *of, const struct ob_parameter *p, struct info_view *out, struct err *e)
{
    struct range_view r;
    int rv = range_of(c, p, &r, e);

    *out = (struct info_view){
        .id = info_id(of->full_version, p->name),
        .name = p->name,
        .version = of->version,
        .type = r.type,
        .allowed = r.allowed,
        .max = r.max,
        .min = r.min,
        .def = or_empty(p->default_value),
        .description = or_empty(p->info),
        .needs_restart = ob_parameter_needs_restart(p),
        .readonly = ob_parameter_is_read_only(p),
    };
    return rv;
}

/* A cluster that answers, for each version, at most MAX_VERSIONS. */
static size_t choose(const struct obcluster *all, size_t n, const struct obcluster **out)
{
    size_t n_out = 0;

    for (size_t i = 0; i < n && n_out < MAX_VERSIONS; i++) {
        bool is_new = all[i].status == OBCLUSTER_RUNNING && all[i].failure[0] == '\0';

        for (size_t k = 0; k < n_out; k++)
            is_new = is_new && strcmp(out[k]->full_version, all[i].full_version) != 0;
        if (is_new)
            out[n_out++] = &all[i];
    }
    return n_out;
}

static int add_infos(struct call *c, const struct obcluster *of, struct info_view **views, size_t *n, struct err *e)
{
    struct ob_parameter *list;
    struct info_view *grown;
    size_t n_list;
    int rv = parameter_list(domain(c), of, c->arena, &list, &n_list, e);

    if (rv != 0)
        return rv;
    grown = arena_array(c->arena, *n + n_list + 1, sizeof *grown);
    if (grown == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (*n > 0)
        memcpy(grown, *views, *n * sizeof *grown);
    for (size_t i = 0; rv == 0 && i < n_list; i += count_rows(&list[i], n_list - i))
        rv = info_of(c, of, &list[i], &grown[(*n)++], e);
    *views = grown;
    return rv;
}

static int api_obparameter_info(struct call *c, struct err *e)
{
    const struct obcluster *chosen[MAX_VERSIONS];
    struct info_view *views = NULL;
    struct obcluster *all;
    size_t n_all = 0, n_chosen = 0, n = 0;
    int rv = store_obcluster_list(c->db, NULL, NULL, c->arena, &all, &n_all, NULL, e);

    if (rv == 0)
        n_chosen = choose(all, n_all, chosen);
    for (size_t i = 0; rv == 0 && i < n_chosen; i++)
        rv = add_infos(c, chosen[i], &views, &n, e);
    return rv == 0 ? call_list(c, views, n, e) : rv;
}

#define TAG .tag = "Cluster parameters"
#define ONE "/api/v2/ob/clusters/{id}"

const struct route obparameter_routes[] = {
    ROUTE("ob-cluster-parameter-info-list", "GET", "/api/v2/ob/clusters/parameterInfo", "CLUSTER:?:READ", api_obparameter_info, REPLY_LIST,
          ROUTE_DOCUMENTED, "List the parameters that the managed versions have.", TAG, ROUTE_OUT(info_view, info_fields)),
    ROUTE("ob-cluster-parameters-list", "GET", ONE "/parameters", "CLUSTER:{id}:READ", api_obparameter_list, REPLY_LIST, ROUTE_DOCUMENTED,
          "List the parameters of a cluster.", TAG, ROUTE_OUT(parameter_view, parameter_fields)),
    ROUTE("ob-cluster-parameters-update", "PUT", ONE "/parameters", "CLUSTER:{id}:UPDATE", api_obparameter_update, REPLY_NONE, ROUTE_DOCUMENTED,
          "Change parameters of a cluster.", TAG, ROUTE_BODY(parameter_in, parameter_in_fields), .flags = ROUTE_BODY_ARRAY),
    ROUTE("ob-cluster-parameter-histories-list", "GET", ONE "/parameterHistories", "CLUSTER:{id}:READ", api_obparameter_history, REPLY_PAGED,
          ROUTE_OWN, "List the changes of parameters of a cluster.", TAG, ROUTE_QUERY(history_query, history_query_fields),
          ROUTE_OUT(obparameter_change, history_fields), .sort = history_sorts),
    ROUTE("ob-cluster-tenant-parameter-histories-list", "GET", TENANT_PATH "/parameterHistories", TENANT_READ,
          api_obparameter_history_of_tenant, REPLY_PAGED, ROUTE_OWN, "List the changes of parameters of a tenant.", TAG,
          ROUTE_QUERY(history_query, history_query_fields), ROUTE_OUT(obparameter_change, history_fields), .sort = history_sorts),
    ROUTE_END,
};
