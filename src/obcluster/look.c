/* SPDX-License-Identifier: Apache-2.0 */
/* A seekdb is one server with one tenant. Where zones are asked for, its own parameter `zone` names the zone; kernels without one get the
 * zone "sys", after the only scope they name themselves. Nothing else is made up: what the kernel does not say stays empty. */
#include "src/obcluster/look.h"

#include <math.h>
#include <string.h>

#include "src/oceanbase/server.h"

ERR_DEFINE(ERR_OBCLUSTER_OTHER, 90502, 409, ERR_FINAL,
           "Another instance than the one taken over as {0} answers at {1} now. Bring the former back there, or move the cluster out.",
           "{1} 上当前应答的实例与接管集群 {0} 时的实例不同。请恢复原实例，或将该集群迁出。");

const struct err_row *const look_err_rows[] = { &ERR_OBCLUSTER_OTHER, NULL };

enum { SYS_TENANT_ID = 1 };
static const char sys_name[] = "sys";

/* --- asking ------------------------------------------------------------------------------------------------------------------- */

const char *look_instance(const struct ob_probe *p, struct arena *arena)
{
    if (p->uuid != NULL)
        return arena_strdup(arena, p->uuid);
    return arena_printf(arena, "created-%lld", (long long)p->created_us);
}

static int64_t known(int64_t v)
{
    return v >= 0 ? v : FIELD_NONE;
}

static bool is_loopback(const char *ip)
{
    return strncmp(ip, "127.", 4) == 0 || strcmp(ip, "::1") == 0;
}

static void take_server(struct observer *out, const struct ob_server *s, const struct obcluster *c, const char *zone, const char *version)
{
    *out = (struct observer){
        .cluster_id = c->id,
        .zone = zone,
        .ip = s->ip != NULL && !is_loopback(s->ip) ? s->ip : c->address, /* a kernel that knows itself as 127.0.0.1 is where we reach it */
        .port = s->rpc_port,
        .sql_port = s->sql_port,
        .version = version,
        .inner_status = "",
        .with_rootserver = true,
        .start_us = s->started_us > 0 ? s->started_us : FIELD_NONE,
        .stop_us = FIELD_NONE,
        .cpu_total = s->cpu_capacity,
        .cpu_assigned = s->cpu_assigned,
        .memory_total = known(s->memory_capacity),
        .memory_assigned = known(s->memory_assigned),
        .log_disk_total = known(s->log_disk_capacity),
        .log_disk_assigned = known(s->log_disk_assigned),
        .log_disk_used = known(s->log_disk_used),
        .data_disk_total = known(s->data_disk_capacity),
        .data_disk_used = known(s->data_disk_used),
    };
}

static void take_variable(struct obtenant *t, const struct sql_rows *rows, size_t row)
{
    struct slice name = sql_text(rows, row, 0), value = sql_text(rows, row, 1);
    const char *text = value.s != NULL ? value.s : "";

    if (slice_is(name, "character_set_server"))
        t->charset = text;
    else if (slice_is(name, "collation_server"))
        t->collation = text;
    else if (slice_is(name, "time_zone"))
        t->time_zone = text;
    else if (slice_is(name, "read_only"))
        t->readonly = slice_is_nocase(value, "ON") || slice_is(value, "1");
    else if (slice_is_nocase(name, "ob_compatibility_mode"))
        t->mode = slice_is_nocase(value, "ORACLE") ? "ORACLE" : "MYSQL";
}

static int ask_tenant(struct sql *s, int64_t cluster_id, int64_t born_us, struct arena *arena, struct obtenant *out, struct err *e)
{
    struct sql_rows rows;
    int rv = sql_run(s,
                     "SHOW GLOBAL VARIABLES WHERE variable_name IN ('character_set_server', 'collation_server', 'time_zone', 'read_only', "
                     "'ob_compatibility_mode')",
                     NULL, 0, 0, arena, &rows, e);

    *out = (struct obtenant){
        .cluster_id = cluster_id,
        .ob_tenant_id = SYS_TENANT_ID,
        .name = sys_name,
        .mode = "MYSQL",
        .status = "NORMAL",
        .charset = "",
        .collation = "",
        .time_zone = "",
        .primary_zone = "",
        .locality = "",
        .born_us = born_us > 0 ? born_us : FIELD_NONE,
    };
    for (size_t i = 0; rv == 0 && i < rows.n_rows; i++)
        take_variable(out, &rows, i);
    return rv;
}

static int take_identity(const struct ob_probe *p, const struct obcluster *c, struct arena *arena, struct look *out, struct err *e)
{
    out->instance = look_instance(p, arena);
    if (out->instance == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (strcmp(out->instance, c->instance) != 0) {
        (void)err_set(e, &ERR_OBCLUSTER_OTHER, "%s", c->name);
        return err_arg(e, "%s:%lld", c->address, (long long)c->port);
    }
    out->version = p->ob_version;
    out->full_version = p->full_version;
    out->architecture = "";
    out->ob_cluster_id = p->cluster_id >= 0 ? p->cluster_id : FIELD_NONE;
    return 0;
}

static int look_at_seekdb(struct sql *s, const struct obcluster *c, const struct ob_probe *p, struct arena *arena, struct look *out,
                          struct err *e)
{
    struct {
        struct obzone zone;
        struct observer server;
        struct obtenant tenant;
    } *rows = arena_zalloc(arena, sizeof *rows);
    struct ob_server server;
    int rv = rows != NULL ? ob_server_get(s, arena, &server, e) : err_set(e, &ERR_NOMEM, "");

    if (rv == 0)
        rv = ask_tenant(s, c->id, server.created_us, arena, &rows->tenant, e);
    if (rv != 0)
        return rv;
    rows->zone = (struct obzone){
        .cluster_id = c->id, .name = p->zone != NULL ? p->zone : sys_name, .region = "", .idc = "", .inner_status = "",
    };
    take_server(&rows->server, &server, c, rows->zone.name, p->ob_version);
    out->type = server.role != NULL ? server.role : "PRIMARY";
    out->topology = (struct obtopology){ &rows->zone, &rows->server, &rows->tenant, 1, 1, 1 };
    return 0;
}

int look_at(struct sql *s, const struct obcluster *c, struct arena *arena, struct look *out, struct err *e)
{
    struct ob_probe p;
    int rv = ob_probe(s, arena, &p, e);

    if (rv == 0)
        rv = take_identity(&p, c, arena, out, e);
    return rv == 0 ? look_at_seekdb(s, c, &p, arena, out, e) : rv;
}

/* --- comparing ---------------------------------------------------------------------------------------------------------------- */

static bool same_real(double a, double b)
{
    return (isnan(a) && isnan(b)) || !(a < b || a > b);
}

static bool zone_is_same(const struct obzone *a, const struct obzone *b)
{
    return strcmp(a->region, b->region) == 0 && strcmp(a->idc, b->idc) == 0 && strcmp(a->inner_status, b->inner_status) == 0;
}

static bool server_is_same(const struct observer *a, const struct observer *b)
{
    return strcmp(a->zone, b->zone) == 0 && a->sql_port == b->sql_port && strcmp(a->version, b->version) == 0 &&
           strcmp(a->inner_status, b->inner_status) == 0 && a->with_rootserver == b->with_rootserver && a->start_us == b->start_us &&
           a->stop_us == b->stop_us && same_real(a->cpu_total, b->cpu_total) && same_real(a->cpu_assigned, b->cpu_assigned) &&
           a->memory_total == b->memory_total && a->memory_assigned == b->memory_assigned && a->log_disk_total == b->log_disk_total &&
           a->log_disk_assigned == b->log_disk_assigned && a->log_disk_used == b->log_disk_used &&
           a->data_disk_total == b->data_disk_total && a->data_disk_used == b->data_disk_used;
}

static bool tenant_is_same(const struct obtenant *a, const struct obtenant *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->mode, b->mode) == 0 && strcmp(a->status, b->status) == 0 &&
           strcmp(a->charset, b->charset) == 0 && strcmp(a->collation, b->collation) == 0 && strcmp(a->time_zone, b->time_zone) == 0 &&
           strcmp(a->primary_zone, b->primary_zone) == 0 && strcmp(a->locality, b->locality) == 0 && a->readonly == b->readonly &&
           a->locked == b->locked && a->born_us == b->born_us;
}

static const struct obzone *former_zone(const struct obtopology *former, const struct obzone *z)
{
    for (size_t i = 0; i < former->n_zones; i++)
        if (strcmp(former->zones[i].name, z->name) == 0)
            return &former->zones[i];
    return NULL;
}

static const struct observer *former_server(const struct obtopology *former, const struct observer *s)
{
    for (size_t i = 0; i < former->n_servers; i++)
        if (strcmp(former->servers[i].ip, s->ip) == 0 && former->servers[i].port == s->port)
            return &former->servers[i];
    return NULL;
}

static const struct obtenant *former_tenant(const struct obtopology *former, const struct obtenant *t)
{
    for (size_t i = 0; i < former->n_tenants; i++)
        if (former->tenants[i].ob_tenant_id == t->ob_tenant_id)
            return &former->tenants[i];
    return NULL;
}

size_t look_count_new(const struct obtopology *former, const struct obtopology *seen)
{
    size_t n = 0;

    for (size_t i = 0; i < seen->n_zones; i++)
        n += former_zone(former, &seen->zones[i]) == NULL;
    for (size_t i = 0; i < seen->n_servers; i++)
        n += former_server(former, &seen->servers[i]) == NULL;
    for (size_t i = 0; i < seen->n_tenants; i++)
        n += former_tenant(former, &seen->tenants[i]) == NULL;
    return n;
}

/* Identity and times of a row, from the former one or anew. True when it differs. */
#define TAKE_OVER(ROW, FORMER, IS_SAME, NEW_IDS, NOW_US)                                    \
    ((FORMER) == NULL ? ((ROW)->id = *(NEW_IDS)++, (ROW)->created_us = (NOW_US), (ROW)->updated_us = (NOW_US), true) \
                      : ((ROW)->id = (FORMER)->id, (ROW)->created_us = (FORMER)->created_us,                          \
                         (ROW)->updated_us = IS_SAME((FORMER), (ROW)) ? (FORMER)->updated_us : (NOW_US),              \
                         !IS_SAME((FORMER), (ROW))))

bool look_merge(const struct obtopology *former, struct obtopology *seen, const int64_t *new_ids, int64_t now_us)
{
    bool differs = former->n_zones != seen->n_zones || former->n_servers != seen->n_servers || former->n_tenants != seen->n_tenants;

    for (size_t i = 0; i < seen->n_zones; i++) {
        const struct obzone *was = former_zone(former, &seen->zones[i]);

        differs |= TAKE_OVER(&seen->zones[i], was, zone_is_same, new_ids, now_us);
    }
    for (size_t i = 0; i < seen->n_servers; i++) {
        const struct observer *was = former_server(former, &seen->servers[i]);

        differs |= TAKE_OVER(&seen->servers[i], was, server_is_same, new_ids, now_us);
    }
    for (size_t i = 0; i < seen->n_tenants; i++) {
        const struct obtenant *was = former_tenant(former, &seen->tenants[i]);

        differs |= TAKE_OVER(&seen->tenants[i], was, tenant_is_same, new_ids, now_us);
    }
    return differs;
}

/* --- keeping ------------------------------------------------------------------------------------------------------------------ */

struct keep {
    const struct obcluster *c;
    const struct look *seen;
    bool differs;
    int64_t now_us;
    struct arena *arena;
    bool written;
};

static int keep_body(struct tx *tx, void *data, struct err *e)
{
    struct keep *k = data;
    struct obcluster locked, now;
    int rv = store_obcluster_lock(tx, k->c->id, k->arena, &locked, e);

    k->written = false;
    if (rv == ERR_OBCLUSTER_NOT_FOUND.code)
        return 0;
    if (rv != 0 || locked.status != k->c->status)
        return rv;
    now = *k->c;
    now.type = k->seen->type;
    now.version = k->seen->version;
    now.full_version = k->seen->full_version;
    now.architecture = k->seen->architecture;
    now.ob_cluster_id = k->seen->ob_cluster_id;
    rv = store_obcluster_set_seen(tx, &now, k->now_us, e);
    if (rv == 0 && k->differs)
        rv = store_obtopology_write(tx, k->c->id, &k->seen->topology, e);
    k->written = rv == 0;
    return rv;
}

static int take_ids(struct db *d, size_t n, struct arena *arena, int64_t **ids, struct err *e)
{
    int rv = 0;

    *ids = arena_array(arena, n + 1, sizeof **ids);
    if (*ids == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; rv == 0 && i < n; i++)
        rv = db_next_id(d, &(*ids)[i], e);
    return rv;
}

static bool cluster_differs(const struct obcluster *c, const struct look *seen)
{
    return strcmp(c->type, seen->type) != 0 || strcmp(c->version, seen->version) != 0 || strcmp(c->full_version, seen->full_version) != 0 ||
           c->ob_cluster_id != seen->ob_cluster_id;
}

int look_keep(struct db *d, const struct obcluster *c, const struct obtopology *former, struct look *seen, bool always, int64_t now_us,
              struct arena *arena, bool *written, struct err *e)
{
    struct keep k = { .c = c, .seen = seen, .now_us = now_us, .arena = arena };
    int64_t *ids;
    int rv = take_ids(d, look_count_new(former, &seen->topology), arena, &ids, e);

    *written = false;
    if (rv != 0)
        return rv;
    k.differs = look_merge(former, &seen->topology, ids, now_us);
    if (!k.differs && !always && c->failure[0] == '\0' && !cluster_differs(c, seen))
        return 0;
    rv = db_transact(d, keep_body, &k, e);
    *written = rv == 0 && k.written;
    return rv;
}
