/* SPDX-License-Identifier: Apache-2.0 */
/* The config URL: GET, POST and DELETE /services?Action=... (contract additional.md section 11). Observers and proxies call it without a login
 * and read replies strictly, so it has an envelope of its own: {"Code":200,"Message":"successful","Success":true,"Data":...}. */
#include <string.h>

#include "api/api.h"
#include "api/decode.h"
#include "api/record.h"
#include "api/tables.h"
#include "src/base/num.h"
#include "src/configurl/configurl.h"
#include "src/configurl/proxy.h"
#include "src/io/fiber.h"
#include "src/store/filter.h"
#include "src/task/domains.h"

enum { BODY_MAX = 512 * 1024, WAIT_MS = 3500, HTTP_OK = 200, SERVICE_NAME_MAX = 64 }; /* an observer waits for about 4 s */

/* All texts: what is wrong with one is said in the service's own form. */
struct services_query {
    const char *action, *cluster, *cluster_id, *region, *region_id, *version, *version_only, *cluster_name, *cluster_idx, *group, *services;
};

static const struct field query_fields[] = {
    F_STRING(services_query, action, "Action", .example = "ObRootServiceInfo", DOC("What is asked for.")),
    F_STRING(services_query, cluster, "ObCluster", DOC("Name of the cluster.")),
    F_STRING(services_query, cluster_id, "ObClusterId", DOC("Number of the cluster.")),
    F_STRING(services_query, region, "ObRegion", DOC("Name of the cluster, the older way; wins.")),
    F_STRING(services_query, region_id, "ObRegionId", DOC("Number of the cluster, the older way; wins.")),
    F_STRING(services_query, version, "version", DOC("Of the protocol: 1 or 2.")),
    F_STRING(services_query, version_only, "VersionOnly", DOC("Whether the version alone is wanted.")),
    F_STRING(services_query, cluster_name, "ClusterName", DOC("Name of the cluster, for the actions that call it so.")),
    F_STRING(services_query, cluster_idx, "ClusterIdx", DOC("Which of the clusters of this name, from 0.")),
    F_STRING(services_query, group, "ObRegionGroup", DOC("Only this cluster.")),
    F_STRING(services_query, services, "ServiceNames", DOC("Service names, separated by commas.")),
    FIELD_END,
};

struct asked {
    struct call *c;
    struct configurl *registry;
    const struct services_query *q;
    struct config_ask ask;
    struct str data;                 /* what the reply has as Data */
};

/* --- query ----------------------------------------------------------------------------------------------------------------------- */

static int read_number(const char *name, const char *text, int64_t none, int64_t *out, struct err *e)
{
    *out = none;
    if (text == NULL || num_parse_i64_in((struct slice){ text, strlen(text) }, 0, INT64_MAX, out))
        return 0;
    return err_set(e, &ERR_INVALID, "%s must be a number, 0 or more", name);
}

static int read_ask(struct asked *a, struct err *e)
{
    const struct services_query *q = a->q;
    int rv = q->region_id != NULL ? read_number("ObRegionId", q->region_id, 0, &a->ask.id, e)
                                  : read_number("ObClusterId", q->cluster_id, 0, &a->ask.id, e);

    a->ask.name = q->region != NULL ? q->region : q->cluster;
    return rv == 0 ? read_number("version", q->version, 1, &a->ask.version, e) : rv;
}

static int check_name(const char *name, struct err *e)
{
    const char *problem = config_name_problem(name != NULL ? name : "");

    return problem == NULL ? 0 : err_set(e, &ERR_INVALID, "%s", problem);
}

static bool is_version_only(const struct asked *a)
{
    bool yes = false;

    return a->q->version_only != NULL && num_parse_bool((struct slice){ a->q->version_only, strlen(a->q->version_only) }, &yes) && yes;
}

static int unknown(const char *name, struct err *e)
{
    return err_set(e, &ERR_CONFIG_UNKNOWN, "%s", name);
}

/* --- reading --------------------------------------------------------------------------------------------------------------------- */

static int answer(struct asked *a, config_writer write, const void *data, struct err *e)
{
    struct config_snapshot *s;
    const struct config_record *all;
    size_t n;
    bool known;
    int rv = configurl_get(a->registry, a->c->db, &s, e);

    if (rv != 0)
        return rv;
    all = config_snapshot_records(s, &n);
    known = config_write_answer(&a->data, all, n, &a->ask, write, data);
    configurl_put(s);
    return known ? 0 : unknown(a->ask.name, e);
}

static int get_servers(struct asked *a, struct err *e)
{
    int rv = check_name(a->ask.name, e);

    return rv == 0 ? answer(a, config_write_servers, NULL, e) : rv;
}

static int get_idcs(struct asked *a, struct err *e)
{
    struct config_idc *items;
    struct config_idcs idcs;
    int rv = check_name(a->ask.name, e);

    if (rv == 0)
        rv = store_config_idcs(a->c->db, a->ask.name, a->c->arena, &items, &idcs.n, e);
    if (rv != 0)
        return rv;
    idcs.items = items;
    return answer(a, config_write_idcs, &idcs, e);
}

static int list_clusters(struct asked *a, bool (*write)(struct str *t, const struct config_list *l), const char *group, struct err *e)
{
    const struct http_request *rq = a->c->rq;
    struct config_list list = { .group = group, .version_only = is_version_only(a) };
    struct config_snapshot *s;
    bool ok;
    int rv = configurl_base(a->registry, rq->scheme, rq->authority, a->c->arena, &list.base, e);

    if (rv == 0)
        rv = configurl_get(a->registry, a->c->db, &s, e);
    if (rv != 0)
        return rv;
    list.records = config_snapshot_records(s, &list.n);
    ok = write(&a->data, &list);
    configurl_put(s);
    return ok ? 0 : err_set(e, &ERR_UNEXPECTED, "libcrypto has no MD5");
}

static int get_proxy_config(struct asked *a, struct err *e)
{
    return list_clusters(a, config_write_proxy, a->q->group, e);
}

static int get_template(struct asked *a, struct err *e)
{
    return list_clusters(a, config_write_template, NULL, e);
}

/* The number of the n-th cluster of this name; of one more than there are a number that no cluster has. */
static int allocate_id(struct asked *a, struct err *e)
{
    struct config_snapshot *s;
    const struct config_record *all;
    int64_t index, id = 0, highest = 0;
    size_t n;
    int rv = check_name(a->q->cluster_name, e);

    if (rv == 0)
        rv = read_number("ClusterIdx", a->q->cluster_idx, 0, &index, e);
    if (rv == 0)
        rv = configurl_get(a->registry, a->c->db, &s, e);
    if (rv != 0)
        return rv;
    all = config_snapshot_records(s, &n);
    for (size_t i = 0; i < n; i++) {
        highest = all[i].ob_cluster_id > highest ? all[i].ob_cluster_id : highest;
        if (strcmp(all[i].name, a->q->cluster_name) == 0 && index-- == 0)
            id = all[i].ob_cluster_id;
    }
    configurl_put(s);
    if (id == 0 && highest == INT64_MAX)
        return err_set(e, &ERR_INVALID, "there are no numbers left");
    str_printf(&a->data, "{\"ObClusterId\":%lld}", (long long)(id != 0 ? id : highest + 1));
    return 0;
}

static int check_service(const char *name, struct err *e)
{
    size_t n = strlen(name);

    return n > 0 && n <= SERVICE_NAME_MAX ? 0 : err_set(e, &ERR_INVALID, "ServiceNames: a service name has 1 to %d characters", SERVICE_NAME_MAX);
}

/* "c1, c2" -> names that `check` lets pass, each once. `what` they are called. */
static int read_names(struct asked *a, const char *what, const char *text, int (*check)(const char *name, struct err *e),
                      struct field_strings *out, struct err *e)
{
    struct slice rest = { text, strlen(text) };

    out->items = arena_array(a->c->arena, FILTER_MAX_VALUES, sizeof *out->items);
    if (out->items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    while (rest.n > 0) {
        struct slice one = slice_trim(slice_cut(&rest, ','));
        const char *name = arena_strndup(a->c->arena, one.s, one.n);
        size_t i = 0;

        if (name == NULL)
            return err_set(e, &ERR_NOMEM, "");
        if (check(name, e) != 0)
            return e->row->code;
        while (i < out->n && strcmp(out->items[i], name) != 0)
            i++;
        if (i == FILTER_MAX_VALUES)
            return err_set(e, &ERR_INVALID, "%s: at most %d names at once", what, FILTER_MAX_VALUES);
        if (i == out->n)
            out->items[out->n++] = name;
    }
    return out->n > 0 ? 0 : err_set(e, &ERR_INVALID, "%s: names are needed", what);
}

struct ldg_in {
    const char *clusters;
};

static const struct field ldg_fields[] = {
    F_STRING(ldg_in, clusters, "LdgClusters", .flags = FIELD_REQUIRED, DOC("Names of clusters, separated by commas.")),
    FIELD_END,
};

static int get_tenants(struct asked *a, struct err *e)
{
    struct field_strings names = { NULL, 0 };
    struct config_tenant *tenants;
    struct ldg_in in;
    struct slice body;
    size_t n;
    int rv = http_body_all(a->c->rq, BODY_MAX, &body, e);

    if (rv == 0)
        rv = json_parse(body, &a->c->json, e);
    if (rv == 0)
        rv = fields_read(ldg_fields, a->c->json, &in, a->c->arena, e);
    if (rv == 0)
        rv = read_names(a, "LdgClusters", in.clusters, check_name, &names, e);
    if (rv == 0)
        rv = store_config_tenants(a->c->db, names, a->c->arena, &tenants, &n, e);
    if (rv != 0)
        return rv;
    return config_write_tenants(&a->data, names, tenants, n) ? 0 : err_set(e, &ERR_UNEXPECTED, "libcrypto has no MD5");
}

static int get_services(struct asked *a, struct err *e)
{
    struct field_strings names = { NULL, 0 };
    struct config_service *list;
    size_t n;
    int rv = read_names(a, "ServiceNames", a->q->services != NULL ? a->q->services : "", check_service, &names, e);

    if (rv == 0)
        rv = store_config_services(a->c->db, names, a->c->arena, &list, &n, e);
    if (rv != 0)
        return rv;
    return config_write_services(&a->data, list, n) ? 0 : err_set(e, &ERR_UNEXPECTED, "libcrypto has no MD5");
}

/* --- changes --------------------------------------------------------------------------------------------------------------------- */

/* What people and tools do is audited. What observers report every few seconds is not, nor what was refused to callers whom nobody knows. */
static void audit(struct asked *a, const char *operation, const char *name)
{
    a->c->object_name = name;
    record_as(a->c, operation, NULL);
}

static int done(struct asked *a)
{
    str_add(&a->data, "\"successful\"");
    return 0;
}

static int report(struct asked *a, struct err *e)
{
    struct call *c = a->c;
    struct config_report r;
    struct slice body;
    bool changed;
    int rv = http_body_all(c->rq, BODY_MAX, &body, e);

    if (rv == 0)
        rv = config_report_read(body, &a->ask, clock_wall_us(c->api->shared->node->clock), c->arena, &r, e);
    if (rv == 0)
        rv = configurl_report(a->registry, c->db, &r, &c->rq->client, c->arena, &changed, e);
    return rv == 0 ? done(a) : rv;
}

static int register_cluster(struct asked *a, struct err *e)
{
    int rv = check_name(a->ask.name, e);

    if (rv != 0)
        return rv;
    rv = configurl_register(a->registry, a->c->db, a->ask.name, a->ask.id, &a->c->rq->client, a->c->arena, e);
    if (rv == 0)
        audit(a, "config-url-register", a->ask.name);
    return rv == 0 ? done(a) : rv;
}

static int delete_records(struct asked *a, const char *name, int64_t id, struct err *e)
{
    uint64_t n = 0;
    int rv = check_name(name, e);

    if (rv != 0)
        return rv;
    rv = configurl_delete(a->registry, a->c->db, name, id, &a->c->rq->client, a->c->arena, &n, e);
    if (rv == 0 && n > 0)
        audit(a, "config-url-delete", name);
    return rv == 0 ? done(a) : rv;
}

static int delete_one(struct asked *a, struct err *e)
{
    if (a->ask.version < 2 || a->ask.id < 1)
        return err_set(e, &ERR_INVALID, "version=2 and ObClusterId above 0 are needed");
    return delete_records(a, a->ask.name, a->ask.id, e);
}

static int delete_all(struct asked *a, struct err *e)
{
    return delete_records(a, a->q->cluster_name, -1, e);
}

/* --- reply ----------------------------------------------------------------------------------------------------------------------- */

enum { GET = 1, POST = 2, DELETE = 4 };

static const struct {
    const char *name;
    unsigned methods;
    int (*run)(struct asked *a, struct err *e);
} actions[] = {
    { "ObRootServiceInfo", GET, get_servers },
    { "ObRootServiceInfo", POST, report },
    { "ObRootServiceInfo", DELETE, delete_one },
    { "ObRootServiceRegister", POST, register_cluster },
    { "DeleteObRootServiceInfoByClusterName", POST, delete_all },
    { "GetObProxyConfig", GET | POST, get_proxy_config },
    { "GetObRootServiceInfoUrlTemplate", GET | POST, get_template },
    { "ObIDCRegionInfo", GET | POST, get_idcs },
    { "AllocateClusterIdByNameAndIdx", GET | POST, allocate_id },
    { "LdgInstanceInfoBatchQuery", GET | POST, get_tenants },
    { "LdgInstanceInfoAll", GET | POST, get_tenants },
    { "GetTenantInfo", GET | POST, get_services },
};

static unsigned method_of(const struct http_request *rq)
{
    return slice_is(rq->method, "POST") ? POST : slice_is(rq->method, "DELETE") ? DELETE : GET; /* HEAD is a GET */
}

static int run(struct asked *a, struct err *e)
{
    unsigned method = method_of(a->c->rq);
    bool known = false;
    int rv = a->q->action == NULL ? err_set(e, &ERR_INVALID, "Action is missing") : read_ask(a, e);

    if (rv != 0)
        return rv;
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++) {
        bool named = strcmp(actions[i].name, a->q->action) == 0;

        known |= named;
        if (named && (actions[i].methods & method) != 0)
            return actions[i].run(a, e);
    }
    return err_set(e, &ERR_INVALID, known ? "the Action %.64s is not possible with this method" : "the Action %.64s is unknown", a->q->action);
}

/* Whoever deploys a cluster takes an HTTP status other than 200 for a broken service, so what is registered already is said by the code alone. */
static int status_of(const struct err *why)
{
    return why->row == &ERR_CONFIG_EXISTS ? HTTP_OK : why->row->http;
}

/* Readers look for the word that a good reply has. */
static const char *message_of(const struct err *why, enum err_lang lang, char *buf, size_t size)
{
    const char *text = err_text(why, lang, buf, size);

    return strstr(text, "successful") == NULL ? text : why->row->symbol;
}

static void add_result(struct str *t, struct asked *a, const struct err *why)
{
    char text[ERR_TRAIL_SIZE + ERR_MAX_ARGS * ERR_ARG_SIZE];

    str_printf(t, "{\"Code\":%d,\"Message\":", why != NULL ? why->row->http : HTTP_OK);
    json_add_string(t, why != NULL ? message_of(why, a->c->style.lang, text, sizeof text) : "successful");
    json_add_key(t, "Success");
    str_add(t, why != NULL ? "false" : "true");
    if (why != NULL)
        return;
    json_add_key(t, "Data");
    str_add_n(t, str_c(&a->data), a->data.n);
}

static int reply(struct asked *a, const struct err *why)
{
    static const struct slice out_of_memory = SLICE("{\"Code\":503,\"Message\":\"out of memory\",\"Success\":false}");
    const struct api_node *node = a->c->api->shared->node;
    struct http_header headers[] = { { SLICE("content-type"), SLICE("application/json") }, { SLICE("cache-control"), SLICE("no-store") } };
    struct str t;

    str_init(&t, a->c->arena);
    add_result(&t, a, why);
    json_add_key(&t, "Trace");
    json_add_string(&t, a->c->trace);
    json_add_key(&t, "Server");
    json_add_string(&t, node->name);
    str_printf(&t, ",\"Cost\":%lld}", (long long)(clock_now_ms(node->clock) - a->c->rq->started_ms));
    if (str_failed(&t) || str_failed(&a->data))
        (void)http_reply(a->c->rq, 503, headers, 2, out_of_memory, NULL); /* a client that left needs no answer */
    else
        (void)http_reply(a->c->rq, why != NULL ? status_of(why) : HTTP_OK, headers, 2, (struct slice){ t.s, t.n }, NULL); /* likewise */
    return 0;
}

static int services(struct call *c, struct err *e)
{
    struct asked a = { .c = c, .registry = c->api->shared->domains->configurl, .q = c->query };
    int64_t former = fiber_narrow_deadline(WAIT_MS);
    int rv;

    str_init(&a.data, c->arena);
    rv = c->api->shared->node->ready ? run(&a, e) : err_set(e, &ERR_BUSY, "this node is starting");
    fiber_restore_deadline(former);
    if (rv == ERR_CANCELLED.code)
        return rv;
    return reply(&a, rv == 0 ? NULL : e);
}

#define PATH "/services"
#define MORE .tag = "Config URL", ROUTE_QUERY(services_query, query_fields)

const struct route configurl_routes[] = {
    ROUTE("config-url-get", "GET", PATH, PERM_PUBLIC, services, REPLY_OWN, ROUTE_ADDITIONAL,
          "Where the root service of a cluster runs, and what else proxies and observers ask for.", MORE,
          .flags = ROUTE_ANY_ADDRESS | ROUTE_BODY_RAW),
    ROUTE("config-url-post", "POST", PATH, PERM_PUBLIC, services, REPLY_OWN, ROUTE_ADDITIONAL,
          "Report of an observer, registration of a cluster; reading, as GET does it, too.", MORE,
          .flags = ROUTE_ANY_ADDRESS | ROUTE_BODY_RAW | ROUTE_READ_ONLY),
    ROUTE("config-url-delete", "DELETE", PATH, PERM_PUBLIC, services, REPLY_OWN, ROUTE_ADDITIONAL,
          "Forget where the root service of a cluster runs.", MORE,
          .flags = ROUTE_ANY_ADDRESS | ROUTE_READ_ONLY),
    ROUTE_END,
};
