/* SPDX-License-Identifier: Apache-2.0 */
#include <strings.h>

#include "src/base/num.h"
#include "tests/obsim/state.h"

#define FIND(LIST, CONDITION)                    \
    for (size_t i = 0; i < (LIST).n; i++) {      \
        __typeof__(*(LIST).items) o = (LIST).items[i]; \
                                                 \
        if (CONDITION)                           \
            return o;                            \
    }                                            \
    return NULL

struct sim_zone *sim_zone_find(struct sim_cluster *c, struct slice name)
{
    FIND(c->zones, slice_is_nocase(name, o->name));
}

struct sim_server *sim_server_find(struct sim_cluster *c, int64_t id)
{
    FIND(c->servers, o->id == id && id != 0);
}

struct sim_server *sim_server_at(struct sim_cluster *c, struct slice address)
{
    size_t n = address.n;
    int64_t port;

    while (n > 0 && address.s[n - 1] != ':')
        n--;
    if (n < 2 || !num_parse_i64((struct slice){ address.s + n, address.n - n }, &port))
        return NULL;
    FIND(c->servers, o->rpc_port == port && slice_is((struct slice){ address.s, n - 1 }, o->ip));
}

struct sim_unit_config *sim_config_find(struct sim_cluster *c, struct slice name)
{
    FIND(c->configs, slice_is_nocase(name, o->name));
}

struct sim_unit_config *sim_config_get(struct sim_cluster *c, int64_t id)
{
    FIND(c->configs, o->id == id);
}

struct sim_pool *sim_pool_find(struct sim_cluster *c, struct slice name)
{
    FIND(c->pools, slice_is_nocase(name, o->name));
}

struct sim_pool *sim_pool_get(struct sim_cluster *c, int64_t id)
{
    FIND(c->pools, o->id == id);
}

struct sim_unit *sim_unit_get(struct sim_cluster *c, int64_t id)
{
    FIND(c->units, o->id == id);
}

struct sim_tenant *sim_tenant_find(struct sim_cluster *c, struct slice name)
{
    FIND(c->tenants, !o->in_recyclebin && slice_is_nocase(name, o->name));
}

struct sim_tenant *sim_tenant_get(struct sim_cluster *c, int64_t id)
{
    FIND(c->tenants, o->id == id);
}

struct sim_job *sim_job_find(struct sim_cluster *c, int64_t id)
{
    FIND(c->jobs, o->id == id);
}

int64_t sim_ls_leader(const struct sim_ls *ls)
{
    for (size_t i = 0; i < ls->replicas.n; i++)
        if (ls->replicas.items[i]->is_leader)
            return ls->replicas.items[i]->server_id;
    return 0;
}

int64_t sim_ls_end_scn(const struct sim_cluster *c, const struct sim_ls *ls)
{
    return c->now_us * 1000 - (ls->id % 97) * 1000;
}

bool sim_tenant_is_on(struct sim_cluster *c, const struct sim_tenant *t, int64_t server_id)
{
    int64_t owner = t->type == SIM_TENANT_META ? t->id + 1 : t->id;

    for (size_t i = 0; i < c->units.n; i++) {
        const struct sim_unit *u = c->units.items[i];

        if ((u->server_id == server_id || u->migrate_from == server_id) && sim_pool_get(c, u->pool_id)->tenant_id == owner)
            return true;
    }
    return false;
}

struct sim_server *sim_rootserver(struct sim_cluster *c)
{
    struct sim_tenant *sys = sim_tenant_get(c, 1);

    return sys != NULL && sys->streams.n > 0 ? sim_server_find(c, sim_ls_leader(sys->streams.items[0])) : NULL;
}
