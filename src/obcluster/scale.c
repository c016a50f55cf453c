/* SPDX-License-Identifier: Apache-2.0 */
#include "src/obcluster/scale.h"

#include <string.h>

#include "src/obcluster/create_inside.h"
#include "src/obcluster/link.h"
#include "src/obcluster/operate.h"
#include "src/obcluster/safety.h"

ERR_DEFINE(ERR_ZONE_THERE, 12003, 409, ERR_FINAL, "The cluster has a zone {0} already. Choose another name.", "集群中已存在 Zone {0}，请更换名称。");
ERR_DEFINE(ERR_SCALE_FOREIGN, 90834, 409, ERR_FINAL, "The server {0} was not installed by this OCP, which can therefore not remove it from its host.",
           "OBServer {0} 不是由本 OCP 部署的，无法从主机上移除。");

const struct err_row *const scale_err_rows[] = { &ERR_ZONE_THERE, &ERR_SCALE_FOREIGN, NULL };

static const struct {
    const struct task_flow *flow;
    const char *title, *verb;
    bool adds;
} kinds[] = {
    [SCALE_ADD_ZONE] = { &flow_add_zone, "Add zone %s to cluster %s", "adding a zone", true },
    [SCALE_ADD_SERVERS] = { &flow_add_servers, "Add servers in zone %s to cluster %s", "adding servers", true },
    [SCALE_DELETE_ZONE] = { &flow_delete_zone, "Delete zone %s of cluster %s", "deleting a zone", false },
    [SCALE_DELETE_SERVERS] = { &flow_delete_servers, "Delete servers in zone %s of cluster %s", "deleting servers", false },
    [SCALE_REPLACE] = { &flow_replace_server, "Replace a server in zone %s of cluster %s", "replacing a server", true },
};

struct start {
    const struct scale *want;
    struct create c;               /* what is to be added, and where all lies */
    struct create_want add;
    struct create_zone add_zone;
    struct obtopology topology;
    struct obinstall_server *installed; /* all there are */
    size_t n_installed;
    struct obinstall_server *part; /* the new ones, then those that go: of the plan */
    size_t n_part;
    const char *zone, *region, *idc, *from;
};

/* --- what there is ---------------------------------------------------------------------------------------------------------------- */

static int read_cluster(struct start *s, struct err *e)
{
    struct create *c = &s->c;
    int rv = store_obcluster_get(c->db, s->want->cluster_id, c->arena, &c->c, e);

    if (rv == 0)
        rv = obcluster_require_running(&c->c, kinds[s->want->what].verb, e);
    if (rv == 0)
        rv = store_obinstall_get(c->db, c->c.id, c->arena, &c->install, e);
    if (rv == 0)
        rv = store_obinstall_servers(c->db, c->c.id, c->arena, &s->installed, &s->n_installed, e);
    if (rv == 0)
        rv = store_obtopology_read(c->db, c->c.id, c->arena, &s->topology, e);
    if (rv == 0 && s->n_installed == 0)
        rv = err_set(e, &ERR_OBINSTALL_NONE, "%s", c->c.name);
    s->part = arena_array(c->arena, s->n_installed + s->want->hosts.n + 1, sizeof *s->part);
    return rv == 0 && s->part == NULL ? err_set(e, &ERR_NOMEM, "") : rv;
}

static bool has_zone(const struct start *s, const char *zone)
{
    for (size_t i = 0; i < s->topology.n_zones; i++)
        if (strcmp(s->topology.zones[i].name, zone) == 0)
            return true;
    return false;
}

static const struct observer *find_server(const struct start *s, int64_t id)
{
    for (size_t i = 0; i < s->topology.n_servers; i++)
        if (s->topology.servers[i].id == id)
            return &s->topology.servers[i];
    return NULL;
}

static struct obinstall_server *find_installed(const struct start *s, const struct observer *v)
{
    for (size_t i = 0; i < s->n_installed; i++)
        if (strcmp(s->installed[i].ip, v->ip) == 0 && s->installed[i].port == v->port)
            return &s->installed[i];
    return NULL;
}

static int take_old(struct start *s, int64_t id, struct err *e)
{
    const struct observer *v = find_server(s, id);
    const struct obinstall_server *i;

    if (v == NULL)
        return err_set(e, &ERR_OBSERVER_NOT_FOUND, "%lld", (long long)id);
    i = find_installed(s, v);
    if (i == NULL)
        return err_set(e, &ERR_SCALE_FOREIGN, "%s:%lld", v->ip, (long long)v->port);
    for (size_t k = 0; k < s->n_part; k++)
        if (s->part[k].id == i->id)
            return err_set(e, &ERR_INVALID, "servers: %lld is named twice", (long long)id);
    s->part[s->n_part++] = *i;
    if (s->zone == NULL)
        s->zone = i->zone;
    return 0;
}

/* --- adding ---------------------------------------------------------------------------------------------------------------------- */

static int describe_new(struct start *s, struct err *e)
{
    const struct obinstall_server *like = &s->installed[0];
    struct create *c = &s->c;
    struct package package;
    int rv = store_package_get(c->db, c->install.package_id, c->arena, &package, e);

    if (rv != 0)
        return rv;
    for (size_t i = 0; i < s->n_installed; i++)
        if (strcmp(s->installed[i].zone, s->zone) == 0)
            like = &s->installed[i];
    s->add_zone = (struct create_zone){ s->zone, s->want->idc_name != NULL ? s->want->idc_name : like->idc, s->want->hosts, s->want->package,
                                        s->want->architecture };
    s->add = (struct create_want){ .name = c->c.name, .package = package.file_name, .zones = &s->add_zone, .n_zones = 1, .port = like->port,
                                   .sql_port = like->sql_port };
    c->want = &s->add;
    return 0;
}

static int check_new(struct start *s, struct err *e)
{
    struct create_reasons reasons;
    int rv = create_read_known(&s->c, e);

    if (rv == 0)
        rv = create_check_servers(&s->add, &s->c.known, s->c.arena, &reasons, e);
    return rv == 0 ? create_refuse(&s->add, &reasons, e) : rv;
}

static int take_new(struct start *s, struct err *e)
{
    int rv;

    if (s->want->what == SCALE_ADD_ZONE && has_zone(s, s->zone))
        return err_set(e, &ERR_ZONE_THERE, "%s", s->zone);
    if (s->want->what != SCALE_ADD_ZONE && !has_zone(s, s->zone))
        return err_set(e, &ERR_OB_ZONE_GONE, "%s", s->zone);
    rv = describe_new(s, e);
    if (rv == 0)
        rv = check_new(s, e);
    if (rv == 0)
        rv = create_describe_servers(&s->c, e);
    if (rv != 0)
        return rv;
    memmove(s->part + s->c.n_servers, s->part, s->n_part * sizeof *s->part);
    memcpy(s->part, s->c.servers, s->c.n_servers * sizeof *s->part);
    s->n_part += s->c.n_servers;
    s->region = s->c.servers[0].region;
    s->idc = s->c.servers[0].idc;
    return 0;
}

/* --- leaving --------------------------------------------------------------------------------------------------------------------- */

/* Those of them that are in one zone, by address. */
static int part_in(const struct start *s, const char *zone, struct safety_set *out, struct err *e)
{
    const char **addresses = arena_array(s->c.arena, s->n_part + 1, sizeof *addresses);

    *out = (struct safety_set){ zone, addresses, 0 };
    for (size_t i = 0; addresses != NULL && i < s->n_part; i++) {
        if (strcmp(s->part[i].zone, zone) != 0)
            continue;
        addresses[out->n_servers] = ob_address(s->part[i].ip, s->part[i].port, s->c.arena);
        if (addresses[out->n_servers++] == NULL)
            addresses = NULL;
    }
    return addresses != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int check_leaving(struct start *s, struct sql *sql, struct err *e)
{
    struct safety_pool *pools;
    struct safety_view view;
    size_t n;
    int rv = safety_view_read(sql, s->c.arena, &view, e);

    if (rv == 0)
        rv = safety_pools_read(sql, s->c.arena, &pools, &n, e);
    if (rv == 0 && s->want->what == SCALE_DELETE_ZONE)
        return safety_may_delete_zone(&view, safety_units(pools, n, s->zone), s->zone, e);
    for (size_t i = 0; rv == 0 && i < s->n_part; i++) {
        struct safety_set what;

        rv = part_in(s, s->part[i].zone, &what, e);
        if (rv == 0)
            rv = safety_may_delete(&view, pools, n, &what, e);
    }
    return rv;
}

static int may_leave(struct start *s, struct err *e)
{
    struct link *k;
    int rv = link_take(s->c.o, &s->c.c, &k, e);

    return rv == 0 ? link_give(k, check_leaving(s, link_sql(k), e), e) : rv;
}

/* Every server of the zone was installed here, or none of it can be removed. */
static int take_zone(struct start *s, struct err *e)
{
    int rv = has_zone(s, s->zone) ? 0 : err_set(e, &ERR_OB_ZONE_GONE, "%s", s->zone);

    for (size_t i = 0; rv == 0 && i < s->topology.n_servers; i++)
        if (strcmp(s->topology.servers[i].zone, s->zone) == 0)
            rv = take_old(s, s->topology.servers[i].id, e);
    return rv;
}

static int take(struct start *s, struct err *e)
{
    int rv = 0;

    s->zone = s->want->zone;
    if (s->want->what == SCALE_DELETE_ZONE)
        rv = take_zone(s, e);
    for (size_t i = 0; rv == 0 && i < s->want->servers.n; i++)
        rv = take_old(s, s->want->servers.items[i], e);
    if (rv == 0 && s->want->what == SCALE_REPLACE)
        s->from = ob_address(s->part[0].ip, s->part[0].port, s->c.arena);
    if (rv == 0 && kinds[s->want->what].adds)
        return take_new(s, e);
    return rv == 0 ? may_leave(s, e) : rv;
}

/* --- the task -------------------------------------------------------------------------------------------------------------------- */

static void add_text(struct str *t, const char *name, const char *value)
{
    if (value == NULL)
        return;
    json_add_key(t, name);
    json_add_string(t, value);
}

static const char *arguments(const struct start *s)
{
    struct str t;

    str_init(&t, s->c.arena);
    str_add_c(&t, '{');
    add_text(&t, "zone", s->zone);
    add_text(&t, "region", s->region);
    add_text(&t, "idc", s->idc);
    add_text(&t, "from", s->from);
    str_add_c(&t, '}');
    return str_failed(&t) ? NULL : t.s;
}

static int describe(struct start *s, const struct obcluster_user *who, struct err *e)
{
    struct create *c = &s->c;
    int rv = install_plan_make(s->part, s->n_part, c->arena, &c->plan, e);

    c->locks = arena_array(c->arena, s->n_part + 1, sizeof *c->locks);
    if (rv != 0 || c->locks == NULL)
        return rv != 0 ? rv : err_set(e, &ERR_NOMEM, "");
    c->locks[0] = (struct task_lock_want){ "obcluster", c->c.id };
    for (size_t i = 0; i < s->n_part; i++)
        c->locks[i + 1] = (struct task_lock_want){ "host", s->part[i].host_id };
    c->task = (struct task_new){
        .flow = kinds[s->want->what].flow,
        .name = arena_printf(c->arena, kinds[s->want->what].title, s->zone, c->c.name),
        .cluster_id = c->c.id,
        .ob_cluster_id = c->c.ob_cluster_id,
        .tenant_id = -1,
        .cluster_name = c->c.name,
        .creator_id = who->id,
        .creator_name = who->name,
        .arguments = arguments(s),
        .plan_data = &c->plan,
        .locks = c->locks,
        .n_locks = s->n_part + 1,
        .node = c->o->conf.node,
        .now_us = clock_wall_us(c->o->conf.clock),
    };
    return c->task.name != NULL && c->task.arguments != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int start_body(struct tx *tx, void *data, struct err *e)
{
    struct start *s = data;
    struct create *c = &s->c;
    struct obcluster now;
    int rv = store_obcluster_lock(tx, c->c.id, c->arena, &now, e);

    if (rv == 0)
        rv = obcluster_require_running(&now, kinds[s->want->what].verb, e);
    for (size_t i = 0; rv == 0 && i < c->n_servers; i++)
        rv = store_obinstall_server_insert(tx, &c->servers[i], e);
    if (rv == 0)
        rv = task_insert(tx, &c->prepared, &c->task, c->arena, e);
    return rv == 0 && c->n_servers > 0 ? store_package_use_in(tx, c->install.package_id, c->prepared.id, e) : rv;
}

int obcluster_scale(struct obclusters *o, struct db *d, struct task_engine *t, const struct scale *want, const struct obcluster_user *who,
                    struct arena *arena, struct obcluster_started *out, struct err *e)
{
    struct start s = { .want = want, .c = { .o = o, .db = d, .arena = arena } };
    int rv = read_cluster(&s, e);

    if (rv == 0)
        rv = take(&s, e);
    if (rv == 0)
        rv = describe(&s, who, e);
    if (rv == 0)
        rv = task_prepare(d, &s.c.task, arena, &s.c.prepared, e);
    if (rv == 0)
        rv = db_transact(d, start_body, &s, e);
    if (rv != 0)
        return rv;
    *out = (struct obcluster_started){ s.c.prepared.id, s.c.c.id, s.c.c.name };
    task_kick(t);
    return 0;
}
