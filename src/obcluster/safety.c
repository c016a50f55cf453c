/* SPDX-License-Identifier: Apache-2.0 */
#include "src/obcluster/safety.h"

#include <stdio.h>
#include <string.h>

ERR_DEFINE(ERR_SAFETY_MAJORITY, 11070, 409, ERR_RETRY,
           "Stopping {0} would leave the log stream {2} of the tenant {1} without a majority of replicas in step. Wait until its replicas have caught "
           "up, or give the tenant more replicas.",
           "停止 {0} 将使租户 {1} 的日志流 {2} 失去多数派。请等待副本追平，或为租户增加副本。");
ERR_DEFINE(ERR_SAFETY_ZONES, 11071, 400, ERR_FINAL,
           "The cluster has {0} zone(s): restarting one after the other without interruption needs three. Restart with force, which interrupts the service.",
           "集群仅有 {0} 个 Zone，滚动重启至少需要 3 个 Zone。可使用强制重启，但会中断服务。");
ERR_DEFINE(ERR_SAFETY_OTHER, 12004, 409, ERR_FINAL, "{0} cannot be stopped while {1} in another zone is stopped or away. Start that first.",
           "其他 Zone 中的 {1} 已停止或不可用，无法停止 {0}，请先将其启动。");
ERR_DEFINE(ERR_SAFETY_LAST, 12006, 409, ERR_FINAL, "{0} is the last zone that serves. It cannot be stopped or deleted; stop the cluster instead.",
           "{0} 是最后一个提供服务的 Zone，不可停止或删除，请改为停止集群。");
ERR_DEFINE(ERR_SAFETY_UNITS, 12007, 409, ERR_FINAL,
           "The zone {0} holds {1} unit(s) of tenants. Take the zone out of their locality and resource pools first.",
           "Zone {0} 中仍有 {1} 个租户 Unit，请先将该 Zone 从租户的 Locality 和资源池中移除。");
ERR_DEFINE(ERR_SAFETY_FEWER, 13010, 409, ERR_FINAL,
           "The zone {0} would be left with {1} server(s), but a tenant has {2} units in each zone. Add servers, or reduce its units first.",
           "Zone {0} 将仅剩 {1} 个 OBServer，而租户在每个 Zone 有 {2} 个 Unit，请先增加 OBServer 或减少 Unit 数。");
ERR_DEFINE(ERR_SAFETY_LAST_SERVER, 13011, 409, ERR_FINAL, "{0} is the last server of the zone {1} that serves. Delete the zone instead, or start its other servers first.",
           "{0} 是 Zone {1} 中最后一个提供服务的 OBServer，请改为删除该 Zone，或先启动该 Zone 的其他 OBServer。");

const struct err_row *const safety_err_rows[] = {
    &ERR_SAFETY_MAJORITY, &ERR_SAFETY_ZONES, &ERR_SAFETY_OTHER, &ERR_SAFETY_LAST, &ERR_SAFETY_UNITS, &ERR_SAFETY_FEWER, &ERR_SAFETY_LAST_SERVER,
    NULL,
};

enum { ROLLING_ZONES = 3 };

/* --- what stays ------------------------------------------------------------------------------------------------------------------ */

static bool is_in(const struct safety_set *what, const char *zone, const char *address)
{
    if (strcmp(what->zone, zone) != 0)
        return false;
    for (size_t i = 0; i < what->n_servers; i++)
        if (strcmp(what->servers[i], address) == 0)
            return true;
    return what->servers == NULL;
}

static const char *text_of(const struct safety_set *what)
{
    return what->servers != NULL && what->n_servers > 0 ? what->servers[0] : what->zone;
}

static int other(const struct safety_set *what, const char *who, struct err *e)
{
    (void)err_set(e, &ERR_SAFETY_OTHER, "%s", text_of(what));
    return err_arg(e, "%s", who);
}

static int check_others(const struct safety_view *v, const struct safety_set *what, struct err *e)
{
    bool some_stays = false;

    for (size_t i = 0; i < v->n_zones; i++) {
        if (strcmp(v->zones[i].name, what->zone) == 0)
            continue;
        if (!v->zones[i].active)
            return other(what, v->zones[i].name, e);
        some_stays = true;
    }
    for (size_t i = 0; i < v->n_servers; i++)
        if (strcmp(v->servers[i].zone, what->zone) != 0 && (!v->servers[i].alive || v->servers[i].stopped))
            return other(what, v->servers[i].address, e);
    return some_stays ? 0 : err_set(e, &ERR_SAFETY_LAST, "%s", what->zone);
}

bool safety_is_stopped(const struct safety_view *v, const struct safety_set *what)
{
    size_t running = 0, found = 0;

    for (size_t i = 0; what->servers == NULL && i < v->n_zones; i++)
        if (strcmp(v->zones[i].name, what->zone) == 0)
            return !v->zones[i].active;
    for (size_t i = 0; i < v->n_servers; i++) {
        bool meant = is_in(what, v->servers[i].zone, v->servers[i].address);

        found += meant;
        running += meant && !v->servers[i].stopped;
    }
    return found > 0 && running == 0;
}

/* --- majority -------------------------------------------------------------------------------------------------------------------- */

static bool is_same_stream(const struct ob_replica *a, const struct ob_replica *b)
{
    return a->tenant_id == b->tenant_id && a->ls_id == b->ls_id;
}

static bool is_replica_in(const struct safety_set *what, const struct ob_replica *r)
{
    char address[300];

    (void)snprintf(address, sizeof address, strchr(r->ip, ':') != NULL ? "[%s]:%lld" : "%s:%lld", r->ip, (long long)r->port);
    return is_in(what, r->zone, address);
}

size_t safety_leads(const struct safety_view *v, const struct safety_set *what)
{
    size_t n = 0;

    for (size_t i = 0; i < v->n_replicas; i++)
        n += v->replicas[i].leads && is_replica_in(what, &v->replicas[i]);
    return n;
}

static int check_stream(const struct safety_view *v, size_t first, size_t end, const struct safety_set *what, struct err *e)
{
    const struct ob_replica *r = &v->replicas[first];
    int64_t left = 0, voters = 0, stopped = 0;

    for (size_t i = first; i < end; i++) {
        bool goes = is_replica_in(what, &v->replicas[i]);

        stopped += goes;
        left += !goes && v->replicas[i].in_sync;
        voters = v->replicas[i].paxos_replicas > voters ? v->replicas[i].paxos_replicas : voters;
    }
    if (stopped == 0 || left > voters / 2)
        return 0;
    (void)err_set(e, &ERR_SAFETY_MAJORITY, "%s", text_of(what));
    (void)err_arg(e, "%lld", (long long)r->tenant_id);
    return err_arg(e, "%lld", (long long)r->ls_id);
}

/* The list is sorted by stream. */
static int check_majorities(const struct safety_view *v, const struct safety_set *what, struct err *e)
{
    size_t first = 0;

    while (first < v->n_replicas) {
        size_t end = first + 1;
        int rv;

        while (end < v->n_replicas && is_same_stream(&v->replicas[first], &v->replicas[end]))
            end++;
        rv = check_stream(v, first, end, what, e);
        if (rv != 0)
            return rv;
        first = end;
    }
    return 0;
}

/* --- answers --------------------------------------------------------------------------------------------------------------------- */

int safety_may_stop(const struct safety_view *v, const struct safety_set *what, struct err *e)
{
    int rv = check_others(v, what, e);

    return rv == 0 ? check_majorities(v, what, e) : rv;
}

int safety_may_roll(const struct safety_view *v, struct err *e)
{
    if (v->n_zones < ROLLING_ZONES)
        return err_set(e, &ERR_SAFETY_ZONES, "%zu", v->n_zones);
    for (size_t i = 0; i < v->n_zones; i++) {
        struct safety_set zone = { .zone = v->zones[i].name };
        int rv = safety_may_stop(v, &zone, e);

        if (rv != 0)
            return rv;
    }
    return 0;
}

int64_t safety_units(const struct safety_pool *pools, size_t n_pools, const char *zone)
{
    int64_t n = 0;

    for (size_t i = 0; i < n_pools; i++)
        n += strcmp(pools[i].zone, zone) == 0;
    return n;
}

/* Units move to servers that serve. */
static int64_t count_left(const struct safety_view *v, const struct safety_set *what)
{
    int64_t left = 0;

    for (size_t i = 0; i < v->n_servers; i++)
        left += strcmp(v->servers[i].zone, what->zone) == 0 && v->servers[i].alive && !v->servers[i].stopped &&
                !is_in(what, what->zone, v->servers[i].address);
    return left;
}

int safety_may_delete(const struct safety_view *v, const struct safety_pool *pools, size_t n_pools, const struct safety_set *what, struct err *e)
{
    int64_t left = count_left(v, what);

    if (left == 0) {
        (void)err_set(e, &ERR_SAFETY_LAST_SERVER, "%s", text_of(what));
        return err_arg(e, "%s", what->zone);
    }
    for (size_t i = 0; i < n_pools; i++) {
        if (strcmp(pools[i].zone, what->zone) != 0 || pools[i].units_per_zone <= left)
            continue;
        (void)err_set(e, &ERR_SAFETY_FEWER, "%s", what->zone);
        (void)err_arg(e, "%lld", (long long)left);
        return err_arg(e, "%lld", (long long)pools[i].units_per_zone);
    }
    return 0;
}

int safety_may_delete_zone(const struct safety_view *v, int64_t n_units, const char *zone, struct err *e)
{
    struct safety_set what = { .zone = zone };

    if (n_units > 0) {
        (void)err_set(e, &ERR_SAFETY_UNITS, "%s", zone);
        return err_arg(e, "%lld", (long long)n_units);
    }
    return safety_may_stop(v, &what, e);
}
