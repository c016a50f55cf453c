/* SPDX-License-Identifier: Apache-2.0 */
#include "src/obcluster/look.h"

#include <stdio.h>
#include <string.h>

#include "src/obcluster/look_engine.h"

ERR_DEFINE(ERR_OBCLUSTER_OTHER, 90502, 409, ERR_FINAL,
           "Another instance than the one taken over as {0} answers at {1} now. Bring the former back there, or move the cluster out.",
           "{1} 上当前应答的实例与接管集群 {0} 时的实例不同。请恢复原实例，或将该集群迁出。");

const struct err_row *const look_err_rows[] = { &ERR_OBCLUSTER_OTHER, NULL };

/* --- asking ------------------------------------------------------------------------------------------------------------------- */

/* Clusters may share name and number; when their tenant sys was made they do not share. */
const char *look_instance(const struct ob_probe *p, struct arena *arena)
{
    if (p->engine == OB_ENGINE_OCEANBASE)
        return arena_printf(arena, "cluster-%lld-created-%lld", (long long)p->cluster_id, (long long)p->created_us);
    if (p->uuid != NULL)
        return arena_strdup(arena, p->uuid);
    return arena_printf(arena, "created-%lld", (long long)p->created_us);
}

const char *look_version(const char *build_version, struct arena *arena)
{
    size_t version = strcspn(build_version, "_-(");
    const char *build = build_version + version + (build_version[version] == '_');
    size_t n = strspn(build, "0123456789");

    return arena_printf(arena, "%.*s%s%.*s", (int)version, build_version, n > 0 ? "-" : "", (int)n, build);
}

static int other(const struct obcluster *c, const char *peer, struct err *e)
{
    (void)err_set(e, &ERR_OBCLUSTER_OTHER, "%s", c->name);
    return err_arg(e, "%s", peer);
}

int look_take_identity(const struct ob_probe *p, const struct obcluster *c, struct arena *arena, struct look *out, struct err *e)
{
    char address[ERR_ARG_SIZE];

    out->instance = look_instance(p, arena);
    if (out->instance == NULL)
        return err_set(e, &ERR_NOMEM, "");
    out->ob_cluster_id = p->cluster_id >= 0 ? p->cluster_id : FIELD_NONE;
    if (strcmp(out->instance, c->instance) == 0)
        return 0;
    (void)snprintf(address, sizeof address, "%s:%lld", c->address, (long long)c->port);
    return other(c, address, e);
}

int look_verify(struct sql *s, const struct obcluster *c, struct err *e)
{
    struct ob_probe p = { .engine = OB_ENGINE_OCEANBASE, .cluster_id = -1 };
    const char *instance;
    struct arena arena;
    int rv;

    if (c->engine == NULL || strcmp(c->engine, look_oceanbase.name) != 0)
        return 0;
    if (sql_engine(s) != SQL_OCEANBASE)
        return other(c, sql_peer(s), e);
    arena_init(&arena);
    rv = ob_identify(s, &arena, &p, e);
    instance = rv == 0 ? look_instance(&p, &arena) : NULL;
    if (rv == 0 && instance == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    else if (rv == 0 && strcmp(instance, c->instance) != 0)
        rv = other(c, sql_peer(s), e);
    arena_fini(&arena);
    return rv;
}

static bool is_loopback(const char *ip)
{
    return strncmp(ip, "127.", 4) == 0 || strcmp(ip, "::1") == 0;
}

const char *look_address(const char *ip, size_t n_servers, const struct obcluster *c)
{
    bool is_own_name = strcmp(ip, "127.0.0.1") == 0 || strcmp(ip, "::1") == 0 || ip[0] == '\0';

    return n_servers == 1 && is_own_name && !is_loopback(c->address) ? c->address : ip;
}

void look_add_endpoint(struct str *text, const char *ip, int64_t sql_port, bool serves)
{
    str_printf(text, "%s%s", text->n > 0 ? "," : "", serves ? "" : "-");
    str_printf(text, strchr(ip, ':') != NULL ? "[%s]:%lld" : "%s:%lld", ip, (long long)sql_port);
}

int look_at(struct sql *s, const struct obcluster *c, struct arena *arena, struct look *out, struct err *e)
{
    static const struct look_engine *const engines[] = { &look_oceanbase, &look_seekdb };

    for (size_t i = 0; i < sizeof engines / sizeof engines[0]; i++)
        if (strcmp(engines[i]->name, c->engine) == 0)
            return engines[i]->look(s, c, arena, out, e);
    return err_set(e, &ERR_UNEXPECTED, "the cluster %s is a %s, which this program does not know", c->name, c->engine);
}

/* --- keeping ------------------------------------------------------------------------------------------------------------------ */

struct keep {
    const struct obcluster *c;
    const struct look *seen;
    const struct look_lease *lease;
    struct obtopology_gone gone;
    bool differs;
    int64_t now_us;
    struct arena *arena;
    bool written;
};

static int keep_body(struct tx *tx, void *data, struct err *e)
{
    struct keep *k = data;
    struct obcluster locked, now;
    int rv = k->lease != NULL ? lease_guard(tx, k->lease->shard, k->lease->view, e) : 0;

    k->written = false;
    if (rv == 0)
        rv = store_obcluster_lock(tx, k->c->id, k->arena, &locked, e);
    if (rv == ERR_OBCLUSTER_NOT_FOUND.code)
        return 0;
    if (rv != 0 || locked.status != k->c->status)
        return rv;
    now = *k->c;
    now.type = k->seen->type;
    now.version = k->seen->version;
    now.full_version = k->seen->full_version;
    now.architecture = k->seen->architecture;
    now.endpoints = k->seen->endpoints;
    now.ob_cluster_id = k->seen->ob_cluster_id;
    rv = store_obcluster_set_seen(tx, &now, k->now_us, e);
    if (rv == 0 && k->differs)
        rv = store_obtopology_write(tx, k->c->id, &k->seen->topology, &k->gone, e);
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
           strcmp(c->endpoints, seen->endpoints) != 0 || c->ob_cluster_id != seen->ob_cluster_id;
}

int look_keep(struct db *d, const struct obcluster *c, const struct obtopology *former, struct look *seen, bool always,
              const struct look_lease *lease, int64_t now_us, struct arena *arena, bool *written, struct err *e)
{
    struct keep k = { .c = c, .seen = seen, .lease = lease, .now_us = now_us, .arena = arena };
    int64_t *ids;
    int rv = take_ids(d, look_count_new(former, &seen->topology), arena, &ids, e);

    *written = false;
    if (rv == 0)
        rv = look_gone(former, &seen->topology, arena, &k.gone, e);
    if (rv != 0)
        return rv;
    k.differs = look_merge(former, &seen->topology, ids, now_us, always);
    if (!k.differs && !always && c->failure[0] == '\0' && !cluster_differs(c, seen))
        return 0;
    rv = db_transact(d, keep_body, &k, e);
    *written = rv == 0 && k.written;
    return rv;
}
