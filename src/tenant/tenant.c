/* SPDX-License-Identifier: Apache-2.0 */
/* A change whose answer was lost is not guessed at: its work runs again. Every work is written so that a second run finds what the first
 * has done (CREATE answers "exists", a grant is the difference to what is granted) and does the rest.
 *
 *     run ---- done, refused, or nothing sent -----------------------------> that is the answer
 *      '------ lost in the middle ---> run again ---- done, or refused ----> that is the answer
 *                        ^                 '--------- not reached ---> wait, until SETTLE_MS are over: UNKNOWN
 *                        '--------------------------------------------'                                          */
#include "src/tenant/tenant.h"

#include <string.h>
#include <strings.h>

#include "src/io/fiber.h"
#include "src/oceanbase/tenant_admin.h"
#include "src/store/obtenant.h"
#include "src/tenant/administrator.h"

ERR_DEFINE(ERR_TENANT_NOT_FOUND, 15023, 404, ERR_FINAL, "The cluster {1} has no tenant with the id {0}.", "集群 {1} 中不存在 ID 为 {0} 的租户。");
ERR_DEFINE(ERR_TENANT_UNSUPPORTED, 15025, 409, ERR_FINAL,
           "The tenant {0} cannot be {1}: it holds the system itself.", "租户 {0} 不支持该操作（{1}）：它承载系统数据。");
ERR_DEFINE(ERR_TENANT_STATE, 15025, 409, ERR_RETRY, "The tenant {0} is {1}: it cannot be changed now.", "租户 {0} 当前状态为 {1}，无法变更。");
ERR_DEFINE(ERR_TENANT_PRIMARY_ZONE, 15032, 400, ERR_FINAL, "primaryZone {0} is none of the cluster's zones: {1}.",
           "primaryZone {0} 不属于该集群的 Zone：{1}。");
ERR_DEFINE(ERR_TENANT_PASSWORD, 15034, 400, ERR_FINAL, "The password cannot be used: it {0}.", "密码不符合要求：{0}。");

const struct err_row *const tenant_err_rows[] = {
    &ERR_TENANT_NOT_FOUND,    &ERR_TENANT_UNSUPPORTED, &ERR_TENANT_STATE,
    &ERR_TENANT_PRIMARY_ZONE, &ERR_TENANT_PASSWORD,    NULL,
};

enum {
    SETTLE_MS = 18000,  /* with the LINK_TIMEOUT_MS of the first run less than a request may take */
    AGAIN_MS = 500,
    MAX_REFUSALS = 4,
};

int tenant_open(struct obclusters *o, struct db *d, int64_t cluster_id, int64_t tenant_id, int64_t user_id, struct arena *arena,
                struct tenant *out, struct err *e)
{
    int rv = store_obcluster_get(d, cluster_id, arena, &out->cluster, e);

    out->obclusters = o;
    out->db = d;
    out->arena = arena;
    out->user_id = user_id;
    out->topology = NULL;
    if (rv != 0)
        return rv;
    rv = store_obtenant_get(d, cluster_id, tenant_id, arena, &out->row, e);
    if (rv == 0 || !err_is(e, &ERR_NOT_FOUND))
        return rv;
    (void)err_set(e, &ERR_TENANT_NOT_FOUND, "%lld", (long long)tenant_id);
    return err_arg(e, "%s", out->cluster.name);
}

bool tenant_alone_in(const struct obcluster *c)
{
    return strcmp(c->engine, "SEEKDB") == 0;
}

bool tenant_is_alone(const struct tenant *t)
{
    return tenant_alone_in(&t->cluster);
}

bool tenant_is_oracle(const struct tenant *t)
{
    return strcmp(t->row.mode, "ORACLE") == 0;
}

int tenant_require_mysql(const struct tenant *t, const struct err_row *refusal, struct err *e)
{
    return tenant_is_oracle(t) ? err_set(e, refusal, "%s", t->row.name) : 0;
}

/* --- sessions ----------------------------------------------------------------------------------------------------------------- */

/* How work is run once. */
typedef int (*runner)(struct tenant *t, tenant_work work, struct tenant_step *step, struct err *e);

static int run_inside(struct tenant *t, tenant_work work, struct tenant_step *step, struct err *e)
{
    struct link *k;
    int rv = administrator_take(t, &k, e);

    return rv == 0 ? link_give(k, work(link_sql(k), step, e), e) : rv;
}

/* The tenant's name at present, under which statements reach it: another may have got the former one. */
static int find_name(struct sql *s, struct tenant *t, struct tenant_step *step, struct err *e)
{
    struct ob_tenant_now now;
    bool found;
    int rv = ob_tenant_find(s, t->row.ob_tenant_id, t->arena, &now, &found, e);

    if (rv == 0 && !found) {
        (void)err_set(e, &ERR_OBTENANT_GONE, "%s", t->row.name);
        return err_arg(e, "%s", t->cluster.name);
    }
    step->tenant = rv == 0 ? now.name : NULL;
    return rv;
}

static int run_sys(struct tenant *t, tenant_work work, struct tenant_step *step, struct err *e)
{
    struct link *k;
    int rv = link_take(t->obclusters, &t->cluster, &k, e);

    if (rv != 0)
        return rv;
    if (!tenant_is_alone(t))
        rv = find_name(link_sql(k), t, step, e);
    return link_give(k, rv == 0 ? work(link_sql(k), step, e) : rv, e);
}

static int ask(struct tenant *t, runner run, tenant_work work, void *data, struct err *e)
{
    struct tenant_step step = { .data = data };

    return run(t, work, &step, e);
}

int tenant_ask(struct tenant *t, tenant_work work, void *data, struct err *e)
{
    return ask(t, run_inside, work, data, e);
}

int tenant_ask_sys(struct tenant *t, tenant_work work, void *data, struct err *e)
{
    return ask(t, run_sys, work, data, e);
}

/* Failures of the connection, after which nothing is known of what was under way. */
static bool is_lost(const struct err *e)
{
    return err_is(e, &ERR_OBCLUSTER_UNKNOWN) || err_is(e, &ERR_OBCLUSTER_AWAY) || err_is(e, &ERR_OBCLUSTER_TIMEOUT) ||
           err_is(e, &ERR_OBCLUSTER_PASSWORD) || err_is(e, &ERR_OBTENANT_PASSWORD) || err_is(e, &ERR_BUSY) || err_is(e, &ERR_CANCELLED) || err_is(e, &ERR_TIMEOUT) ||
           err_is(e, &ERR_NOMEM);
}

/* `e` says how the answer was lost; it stays when nothing better can be said. The first run may still be under way in the kernel, and two
 * changes of one thing at once may end with an error that would not come again: refusals count when they are repeated. */
static int settle(struct tenant *t, runner run, tenant_work work, void *data, struct err *e)
{
    int64_t former = fiber_narrow_deadline(SETTLE_MS);
    unsigned n_refused = 0;
    struct err found, ended;
    bool undecided;
    int rv;

    do {
        struct tenant_step step = { .data = data, .again = true };

        rv = run(t, work, &step, &found);
        n_refused += rv != 0 && err_is(&found, &ERR_OBCLUSTER_REFUSED);
        undecided = rv != 0 && !err_is(&found, &ERR_CANCELLED) &&
                    (is_lost(&found) || (err_is(&found, &ERR_OBCLUSTER_REFUSED) && n_refused < MAX_REFUSALS));
    } while (undecided && fiber_sleep(AGAIN_MS, &ended) == 0);
    fiber_restore_deadline(former);
    if (rv != 0 && !is_lost(&found))
        *e = found;
    return rv == 0 ? 0 : e->row->code;
}

static int require_normal(const struct tenant *t, struct err *e)
{
    if (strcmp(t->row.status, "NORMAL") == 0)
        return 0;
    (void)err_set(e, &ERR_TENANT_STATE, "%s", t->row.name);
    return err_arg(e, "%s", t->row.status);
}

static int change(struct tenant *t, runner run, tenant_work work, void *data, struct err *e)
{
    struct tenant_step step = { .data = data };
    char why[ERR_ARG_SIZE];
    int rv = obcluster_require_running(&t->cluster, "changing its tenant", e);

    if (rv == 0)
        rv = require_normal(t, e);
    if (rv == 0)
        rv = run(t, work, &step, e);
    if (rv == 0 || err_is(e, &ERR_OBCLUSTER_STATE) || err_is(e, &ERR_TENANT_STATE))
        return rv;
    if (step.changed && is_lost(e) && !err_is(e, &ERR_OBCLUSTER_UNKNOWN)) { /* a part is done, the rest is not */
        (void)err_text(e, ERR_EN, why, sizeof why);
        (void)err_set(e, &ERR_OBCLUSTER_UNKNOWN, "%s", t->cluster.name);
        rv = err_arg(e, "%s", why);
    }
    return err_is(e, &ERR_OBCLUSTER_UNKNOWN) ? settle(t, run, work, data, e) : rv;
}

int tenant_change(struct tenant *t, tenant_work work, void *data, struct err *e)
{
    return change(t, run_inside, work, data, e);
}

int tenant_change_sys(struct tenant *t, tenant_work work, void *data, struct err *e)
{
    return change(t, run_sys, work, data, e);
}

/* --- lock, description -------------------------------------------------------------------------------------------------------- */

static int work_lock(struct sql *s, struct tenant_step *step, struct err *e)
{
    return ob_tenant_set_locked(s, step->tenant, *(const bool *)step->data, e);
}

int tenant_set_locked(struct tenant *t, bool locked, struct err *e)
{
    if (!administrator_is_of_cluster(t))
        return tenant_change_sys(t, work_lock, &locked, e);
    (void)err_set(e, &ERR_TENANT_UNSUPPORTED, "%s", t->row.name);
    return err_arg(e, "%s", locked ? "locked" : "unlocked");
}

struct describing {
    const struct tenant *t;
    const char *description;
};

static int describe(struct tx *tx, void *data, struct err *e)
{
    const struct describing *d = data;

    return store_obtenant_describe(tx, d->t->cluster.id, d->t->row.id, d->description, e);
}

int tenant_describe(struct tenant *t, const char *description, struct err *e)
{
    struct describing d = { t, description };

    return db_transact(t->db, describe, &d, e);
}

/* --- where it is -------------------------------------------------------------------------------------------------------------- */

int tenant_topology(struct tenant *t, const struct obtopology **out, struct err *e)
{
    struct obtopology *read = t->topology;
    int rv = 0;

    if (read == NULL) {
        read = arena_alloc(t->arena, sizeof *read);
        rv = read != NULL ? store_obtopology_read(t->db, t->cluster.id, t->arena, read, e) : err_set(e, &ERR_NOMEM, "");
    }
    if (rv == 0)
        *out = t->topology = read;
    return rv;
}

int tenant_zones(struct tenant *t, const char **out, struct err *e)
{
    const struct obtopology *topology;
    struct str text;
    int rv = tenant_topology(t, &topology, e);

    if (rv != 0)
        return rv;
    str_init(&text, t->arena);
    for (size_t i = 0; i < topology->n_zones; i++)
        str_printf(&text, "%s%s", i > 0 ? ";" : "", topology->zones[i].name);
    *out = str_c(&text);
    return str_failed(&text) ? err_set(e, &ERR_NOMEM, "") : 0;
}

/* A server through which the tenant is reached. */
struct entrance {
    const char *zone, *ip;
    int64_t port;
    bool serves;
};

static const struct observer *server_of(const struct obtopology *topology, const struct obunit *u)
{
    for (size_t i = 0; i < topology->n_servers; i++)
        if (topology->servers[i].port == u->port && strcmp(topology->servers[i].ip, u->ip) == 0)
            return &topology->servers[i];
    return NULL;
}

static struct entrance *of_zone(struct entrance *list, size_t n, const char *zone)
{
    size_t i = 0;

    while (i < n && strcmp(list[i].zone, zone) != 0)
        i++;
    return &list[i];
}

/* Of each zone the first server with a unit, one that serves if there is one. */
static int find_entrances(struct tenant *t, struct entrance **out, size_t *n, struct err *e)
{
    const struct obtopology *topology;
    int rv = tenant_topology(t, &topology, e);

    *n = 0;
    if (rv != 0)
        return rv;
    *out = arena_array(t->arena, topology->n_units + 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < topology->n_units; i++) {
        const struct obunit *u = &topology->units[i];
        const struct observer *s = u->ob_tenant_id == t->row.ob_tenant_id ? server_of(topology, u) : NULL;
        struct entrance *at = s != NULL ? of_zone(*out, *n, s->zone) : NULL;
        bool serves = s != NULL && strcmp(s->inner_status, "ACTIVE") == 0 && s->stop_us == FIELD_NONE;

        if (at == NULL || (at->zone != NULL && (at->serves || !serves)))
            continue;
        *n += at->zone == NULL;
        *at = (struct entrance){ s->zone, s->ip, s->sql_port, serves };
    }
    return 0;
}

static int entrances(struct tenant *t, struct entrance **out, size_t *n, struct err *e)
{
    if (!tenant_is_alone(t))
        return find_entrances(t, out, n, e);
    *out = arena_alloc(t->arena, sizeof **out);
    *n = 1;
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    **out = (struct entrance){ NULL, t->cluster.address, t->cluster.port, true };
    return 0;
}

/* --- connection strings ------------------------------------------------------------------------------------------------------- */

static const char *client_call(const struct tenant *t, const struct entrance *at, const char *user)
{
    return arena_printf(t->arena, "obclient -h%s -P%lld -u%s@%s -p", at->ip, (long long)at->port, user, t->row.name);
}

static const char *jdbc_url(const struct tenant *t, const struct entrance *at, const char *database)
{
    bool bare = strchr(at->ip, ':') == NULL; /* an IPv6 address goes in brackets */

    return arena_printf(t->arena, "jdbc:oceanbase://%s%s%s:%lld/%s", bare ? "" : "[", at->ip, bare ? "" : "]", (long long)at->port, database);
}

static int connect_by(struct tenant *t, const char *(*make)(const struct tenant *, const struct entrance *, const char *), const char *name,
                      struct field_list *out, struct err *e)
{
    struct connection_string *list;
    struct entrance *at;
    size_t n = 0;
    int rv = entrances(t, &at, &n, e);

    list = rv == 0 ? arena_array(t->arena, n + 1, sizeof *list) : NULL;
    if (rv == 0 && list == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    *out = (struct field_list){ list, n };
    for (size_t i = 0; rv == 0 && i < n; i++) {
        list[i] = (struct connection_string){ "DIRECT", at[i].zone, make(t, &at[i], name) };
        if (list[i].text == NULL)
            rv = err_set(e, &ERR_NOMEM, "");
    }
    return rv;
}

int tenant_connect_as(struct tenant *t, const char *user, struct field_list *out, struct err *e)
{
    return connect_by(t, client_call, user, out, e);
}

int tenant_connect_to(struct tenant *t, const char *database, struct field_list *out, struct err *e)
{
    return connect_by(t, jdbc_url, database, out, e);
}

/* --- primary zones ------------------------------------------------------------------------------------------------------------ */

static bool is_zone(struct slice name, const char *zones)
{
    struct slice rest = { zones, strlen(zones) };

    while (rest.n > 0) {
        struct slice one = slice_cut(&rest, ';');

        if (one.n == name.n && memcmp(one.s, name.s, name.n) == 0)
            return true;
    }
    return false;
}

int primary_zone_check(const char *wanted, const char *zones, struct err *e)
{
    size_t at = 0, n;

    if (wanted == NULL || strcasecmp(wanted, "RANDOM") == 0)
        return 0;
    for (; wanted[at] != '\0'; at += n + (wanted[at + n] != '\0')) {
        n = strcspn(wanted + at, ";,");
        if (is_zone(slice_trim((struct slice){ wanted + at, n }), zones))
            continue;
        (void)err_set(e, &ERR_TENANT_PRIMARY_ZONE, "%s", wanted);
        return err_arg(e, "%s", zones);
    }
    return 0;
}
