/* SPDX-License-Identifier: Apache-2.0 */
#include "src/configurl/record.h"

#include <string.h>

#include "src/io/addr.h"

static const char *const type_names[] = { "PRIMARY", "STANDBY", NULL };
static const char *const role_names[] = { [CONFIG_LEADER] = "LEADER", [CONFIG_FOLLOWER] = "FOLLOWER", NULL };

/* --- reading --------------------------------------------------------------------------------------------------------------------- */

const char *config_name_problem(const char *name)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
    size_t n = strlen(name);

    if (n == 0 || n > CONFIG_NAME_MAX)
        return "the name of the cluster (ObCluster) must have 1 to 128 characters";
    return strspn(name, allowed) == n ? NULL : "the name of the cluster may hold letters, digits, '_', '-' and '.' only";
}

static const char *address_problem(const char *value)
{
    struct addr a;

    return addr_parse_port((struct slice){ value, strlen(value) }, &a) && a.port > 0 ? NULL : "must be an IP address and a port";
}

struct body {
    const char *region, *cluster;
    int64_t region_id, cluster_id, stamp_us;
    int type;
    struct field_list servers;
};

static const struct field server_fields[] = {
    F_STRING(config_rs, address, "address", .flags = FIELD_REQUIRED, .max = 64, .check = address_problem, .example = "10.0.0.1:2882",
             DOC("Address and RPC port.")),
    F_ENUM(config_rs, role, "role", role_names, .flags = FIELD_ANY_CASE, .def = "FOLLOWER", DOC("Whether it leads the root service.")),
    F_INT(config_rs, sql_port, "sql_port", .flags = FIELD_REQUIRED, .min = 1, .max = 65535, DOC("Port of SQL.")),
    FIELD_END,
};

static const struct field body_fields[] = {
    F_STRING(body, region, "ObRegion", DOC("Name of the cluster, the older way.")),
    F_STRING(body, cluster, "ObCluster", DOC("Name of the cluster.")),
    F_INT(body, region_id, "ObRegionId", .min = 0, .max = INT64_MAX, DOC("Number of the cluster, the older way.")),
    F_INT(body, cluster_id, "ObClusterId", .min = 0, .max = INT64_MAX, DOC("Number of the cluster.")),
    F_ENUM(body, type, "Type", type_names, .flags = FIELD_ANY_CASE, DOC("PRIMARY or STANDBY.")),
    F_INT(body, stamp_us, "timestamp", .min = 0, .max = INT64_MAX, DOC("Time of the report in microseconds.")),
    F_LIST(body, servers, "RsList", config_rs, server_fields, .flags = FIELD_REQUIRED, .min = 1, .max = CONFIG_SERVERS_MAX,
           DOC("Servers that may run the root service.")),
    FIELD_END,
};

static int check_leaders(const struct config_report *r, struct err *e)
{
    size_t leaders = 0;

    for (size_t i = 0; i < r->n_servers; i++)
        leaders += r->servers[i].role == CONFIG_LEADER;
    return leaders <= 1 ? 0 : err_set(e, &ERR_INVALID, "RsList: only one server can be the LEADER");
}

static int take_body(const struct body *b, const struct config_ask *ask, int64_t now_us, struct config_report *out, struct err *e)
{
    const char *name = b->region != NULL ? b->region : b->cluster != NULL ? b->cluster : ask->name, *problem;
    int64_t id = b->region_id != FIELD_NONE ? b->region_id : b->cluster_id != FIELD_NONE ? b->cluster_id : ask->id;
    int64_t latest = now_us + CONFIG_AHEAD_US;

    problem = config_name_problem(name != NULL ? name : "");
    if (problem != NULL)
        return err_set(e, &ERR_INVALID, "%s", problem);
    if (b->type < 0 && ask->version > 1)
        return err_set(e, &ERR_INVALID, "Type: PRIMARY or STANDBY is needed");
    out->servers = b->servers.items;
    out->n_servers = b->servers.n;
    out->record = (struct config_record){ .name = name, .ob_cluster_id = id, .type = type_names[b->type < 0 ? 0 : b->type] };
    out->record.stamp_us = b->stamp_us == FIELD_NONE ? now_us : b->stamp_us < latest ? b->stamp_us : latest;
    return check_leaders(out, e);
}

int config_report_read(struct slice text, const struct config_ask *ask, int64_t now_us, struct arena *arena, struct config_report *out,
                       struct err *e)
{
    struct body b;
    json_t *json;
    int rv = json_parse(text, &json, e);

    if (rv != 0)
        return rv;
    rv = fields_read(body_fields, json, &b, arena, e);
    json_decref(json);
    if (rv == 0)
        rv = take_body(&b, ask, now_us, out, e);
    return rv == 0 ? config_report_finish(out, arena, e) : rv;
}

int config_report_finish(struct config_report *r, struct arena *arena, struct err *e)
{
    static const struct field_style plain = { ERR_EN, CLOCK_Z };
    struct str t;

    str_init(&t, arena);
    str_add_c(&t, '[');
    for (size_t i = 0; i < r->n_servers; i++) {
        json_add_comma(&t);
        fields_write(&t, server_fields, &r->servers[i], &plain);
    }
    str_add_c(&t, ']');
    r->record.servers = str_c(&t);
    return str_failed(&t) ? err_set(e, &ERR_NOMEM, "") : 0;
}

/* --- writing --------------------------------------------------------------------------------------------------------------------- */

void config_write_servers(struct str *t, const struct config_record *r, const void *data)
{
    (void)data;
    str_add_c(t, '{');
    json_add_key(t, "ObRegion");
    json_add_string(t, r->name);
    json_add_key(t, "ObCluster");
    json_add_string(t, r->name);
    str_printf(t, ",\"ObRegionId\":%lld,\"ObClusterId\":%lld", (long long)r->ob_cluster_id, (long long)r->ob_cluster_id);
    json_add_key(t, "Type");
    json_add_string(t, r->type);
    str_printf(t, ",\"timestamp\":%lld,\"RsList\":%s,\"ReadonlyRsList\":[]}", (long long)r->stamp_us, r->servers);
}

void config_write_idcs(struct str *t, const struct config_record *r, const void *data)
{
    const struct config_idcs *idcs = data;

    str_add_c(t, '{');
    json_add_key(t, "ObRegion");
    json_add_string(t, r->name);
    str_printf(t, ",\"ObRegionId\":%lld,\"IDCList\":[", (long long)r->ob_cluster_id);
    for (size_t i = 0; i < idcs->n; i++) {
        json_add_comma(t);
        str_add(t, "{\"idc\":");
        json_add_string(t, idcs->items[i].idc);
        str_add(t, ",\"region\":");
        json_add_string(t, idcs->items[i].region);
        str_add_c(t, '}');
    }
    str_add(t, "],\"ReadonlyRsList\":\"\"}");
}

/* Does `a` come before `b`, where one of a name is wanted? */
static bool is_better(const struct config_record *a, const struct config_record *b)
{
    bool a_primary = strcmp(a->type, "PRIMARY") == 0, b_primary = strcmp(b->type, "PRIMARY") == 0;

    return a_primary != b_primary ? a_primary : a->stamp_us > b->stamp_us;
}

static const struct config_record *pick(const struct config_record *of, size_t n, int64_t id)
{
    const struct config_record *best = NULL;

    for (size_t i = 0; i < n; i++)
        if (id > 0 ? of[i].ob_cluster_id == id : best == NULL || is_better(&of[i], best))
            best = &of[i];
    return best;
}

static size_t first_of(const struct config_record *all, size_t n, const char *name)
{
    size_t low = 0, high = n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(all[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void write_array(struct str *t, const struct config_record *of, size_t n, config_writer write, const void *data)
{
    str_add_c(t, '[');
    for (size_t i = 0; i < n; i++) {
        json_add_comma(t);
        write(t, &of[i], data);
    }
    str_add_c(t, ']');
}

bool config_write_answer(struct str *t, const struct config_record *all, size_t n, const struct config_ask *ask, config_writer write,
                         const void *data)
{
    size_t first = first_of(all, n, ask->name), end = first;
    const struct config_record *one;

    while (end < n && strcmp(all[end].name, ask->name) == 0)
        end++;
    one = pick(&all[first], end - first, ask->id);
    if (one == NULL)
        return false;
    if (ask->version > 1 && ask->id == 0)
        write_array(t, &all[first], end - first, write, data);
    else
        write(t, one, data);
    return true;
}
