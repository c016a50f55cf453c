/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "src/obcluster/safety.h"
#include "src/oceanbase/topology.h"

static int read_zones(struct sql *s, struct arena *arena, struct safety_view *out, struct err *e)
{
    struct ob_zone *list;
    struct safety_zone *zones;
    int rv = ob_zones_list(s, arena, &list, &out->n_zones, e);

    if (rv != 0)
        return rv;
    zones = arena_array(arena, out->n_zones + 1, sizeof *zones);
    if (zones == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < out->n_zones; i++)
        zones[i] = (struct safety_zone){ list[i].name, strcmp(list[i].status, "ACTIVE") == 0 };
    out->zones = zones;
    return 0;
}

static int read_servers(struct sql *s, struct arena *arena, struct safety_view *out, struct err *e)
{
    struct ob_observer *list;
    struct safety_server *servers;
    int rv = ob_observers_list(s, arena, &list, &out->n_servers, e);

    if (rv != 0)
        return rv;
    servers = arena_array(arena, out->n_servers + 1, sizeof *servers);
    if (servers == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < out->n_servers; i++) {
        const char *address = ob_address(list[i].ip, list[i].port, arena);

        if (address == NULL)
            return err_set(e, &ERR_NOMEM, "");
        servers[i] = (struct safety_server){ address, list[i].zone, strcmp(list[i].status, "ACTIVE") == 0, list[i].stop_us > 0 };
    }
    out->servers = servers;
    return 0;
}

int safety_view_read(struct sql *s, struct arena *arena, struct safety_view *out, struct err *e)
{
    struct ob_replica *replicas;
    int rv = read_zones(s, arena, out, e);

    if (rv == 0)
        rv = read_servers(s, arena, out, e);
    if (rv == 0)
        rv = ob_replicas_list(s, arena, &replicas, &out->n_replicas, e);
    if (rv == 0)
        out->replicas = replicas;
    return rv;
}

int safety_pools_read(struct sql *s, struct arena *arena, struct safety_pool **out, size_t *n, struct err *e)
{
    struct ob_unit *units;
    int rv = ob_units_list(s, arena, &units, n, e);

    if (rv != 0)
        return rv;
    *out = arena_array(arena, *n + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < *n; i++)
        (*out)[i] = (struct safety_pool){ units[i].zone, units[i].pool_unit_count };
    return 0;
}

int safety_ask_stop(struct sql *s, const struct safety_set *what, struct arena *arena, struct err *e)
{
    struct safety_view view;
    int rv = safety_view_read(s, arena, &view, e);

    return rv != 0 || safety_is_stopped(&view, what) ? rv : safety_may_stop(&view, what, e);
}

int safety_ask_delete(struct sql *s, const struct safety_set *what, struct arena *arena, struct err *e)
{
    struct safety_view view;
    struct safety_pool *pools;
    size_t n;
    int rv = safety_view_read(s, arena, &view, e);

    if (rv == 0)
        rv = safety_pools_read(s, arena, &pools, &n, e);
    return rv != 0 || safety_units(pools, n, what->zone) == 0 ? rv : safety_may_delete(&view, pools, n, what, e);
}
