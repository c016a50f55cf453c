/* SPDX-License-Identifier: Apache-2.0 */
/* A cluster is made on hosts whose agents answer:
 *
 *   prepare -> check host (all, side by side) -> make directories -> bring package -> start observer     each host goes on by itself
 *                                                                                          |
 *        sys unit <- primary zone <- wait <- users <- zones <- add server <- password <- bootstrap
 *           |
 *           `-> time zones -> parameters -> register -> put under management
 *
 * Rolled back: observers are stopped, directories that bear the cluster's mark are removed, the rows go. What was changed by SQL goes with them.
 * The row (CREATING), the passwords, sealed, and the servers were written with the task. */
#include <string.h>

#include "src/configurl/configurl.h"
#include "src/obcluster/flows.h"
#include "src/obcluster/link.h"
#include "src/obcluster/look.h"
#include "src/obcluster/step_sys.h"
#include "src/oceanbase/cluster_admin.h"
#include "src/oceanbase/user.h"
#include "src/task/domains.h"

#define PROXYRO "proxyro"
#define MONITOR "ocp_monitor"

/* Step work that needs the whole. */
struct act {
    struct task_run *r;
    struct step_install s;
    const char *secret;
};

/* --- secrets --------------------------------------------------------------------------------------------------------------------- */

typedef int (*with_secret)(struct act *w, struct err *e);

/* Runs `fn` with w->secret opened. */
static int with(struct act *w, struct vault_place at, struct slice sealed, with_secret fn, struct err *e)
{
    char *secret;
    int rv = vault_open(step_domain(w->r)->conf.vault, &at, sealed, &secret, e);

    if (rv != 0)
        return rv;
    w->secret = secret;
    rv = fn(w, e);
    w->secret = NULL;
    secret_free(secret);
    return rv;
}

static int with_root(struct act *w, with_secret fn, struct err *e)
{
    return with(w, obcluster_place(w->s.cluster.id), w->s.cluster.password, fn, e);
}

/* --- prepare --------------------------------------------------------------------------------------------------------------------- */

static int prepare(struct task_run *r, struct err *e)
{
    struct step_install s;
    int rv = step_install(r, &s, e);

    if (rv == 0)
        task_log(r, "cluster %s gets %zu server(s), each in %s with its data in %s and %s", s.cluster.name, s.n_servers, s.layout.home,
                 s.layout.data, s.layout.log);
    return rv;
}

static int forget(struct task_run *r, struct err *e)
{
    int rv = step_forget(r, OBCLUSTER_CREATING, e);

    if (rv == 0)
        task_log(r, "the cluster was not created and is forgotten");
    return rv;
}

/* --- founding -------------------------------------------------------------------------------------------------------------------- */

struct identity {
    int64_t id;
    const char *instance;
};

static int identity_body(struct tx *tx, void *data, struct err *e)
{
    const struct identity *i = data;

    return store_obcluster_set_instance(tx, i->id, i->instance, e);
}

/* What tells it from other clusters: sessions of the watch and of later steps ask for it. */
static int keep_identity(struct act *w, struct sql *s, struct err *e)
{
    struct identity i = { .id = w->s.cluster.id };
    struct ob_probe p;
    int rv = ob_probe(s, task_arena(w->r), &p, e);

    if (rv != 0)
        return rv;
    i.instance = look_instance(&p, task_arena(w->r));
    return i.instance != NULL ? task_transact(w->r, identity_body, &i, e) : err_set(e, &ERR_NOMEM, "");
}

static int bootstrap_with(struct sql *s, void *data, struct err *e)
{
    struct act *w = data;
    struct arena *arena = task_arena(w->r);
    struct ob_founder *founders = arena_array(arena, w->s.n_servers, sizeof *founders);
    size_t n = 0;
    int rv;

    if (founders == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < w->s.n_servers; i++) {
        const struct obinstall_server *v = &w->s.servers[i];

        if (i > 0 && strcmp(v->zone, w->s.servers[i - 1].zone) == 0)
            continue;
        founders[n] = (struct ob_founder){ v->zone, v->region, ob_address(v->ip, v->port, arena) };
        if (founders[n++].address == NULL)
            return err_set(e, &ERR_NOMEM, "");
    }
    rv = ob_bootstrap(s, founders, n, e);
    return rv == 0 ? keep_identity(w, s, e) : rv;
}

static int at_first(struct act *w, const char *password, step_work work, struct err *e)
{
    const struct obinstall_server *first = &w->s.servers[0];

    return step_change_at(w->r, &w->s.cluster, first->ip, first->sql_port, password, work, w, e);
}

static int bootstrap_again(struct act *w, struct err *e)
{
    return at_first(w, w->secret, bootstrap_with, e);
}

/* Root has no password until the next step; with one, an earlier run came farther. */
static int bootstrap(struct task_run *r, struct err *e)
{
    struct act w = { .r = r };
    int rv = step_install(r, &w.s, e);

    if (rv == 0)
        rv = at_first(&w, "", bootstrap_with, e);
    if (rv == ERR_SQL_DENIED.code)
        rv = with_root(&w, bootstrap_again, e);
    if (rv == 0)
        task_log(r, "the cluster %s is founded, number %lld", w.s.cluster.name, (long long)w.s.cluster.ob_cluster_id);
    return rv;
}

static int password_with(struct sql *s, void *data, struct err *e)
{
    struct act *w = data;

    return ob_user_set_password(s, "root", w->secret, e);
}

static int nothing(struct sql *s, void *data, struct err *e)
{
    (void)s;
    (void)data;
    (void)e;
    return 0;
}

/* Logging in with it proves it; when an earlier run came as far, that run's session is ended then. */
static int set_or_verify(struct act *w, struct err *e)
{
    int rv = at_first(w, "", password_with, e);

    if (rv != 0 && rv != ERR_SQL_DENIED.code)
        return rv;
    err_clear(e);
    return at_first(w, w->secret, nothing, e);
}

static int set_password(struct task_run *r, struct err *e)
{
    struct act w = { .r = r };
    int rv = step_install(r, &w.s, e);

    if (rv == 0)
        rv = with_root(&w, set_or_verify, e);
    if (rv == 0)
        task_log(r, "root has its password");
    return rv;
}

/* --- members --------------------------------------------------------------------------------------------------------------------- */

static int add_with(struct sql *s, void *data, struct err *e)
{
    struct act *w = data;
    const char *address = ob_address(w->s.self->ip, w->s.self->port, task_arena(w->r));

    return address != NULL ? ob_member_add(s, address, w->s.self->zone, e) : err_set(e, &ERR_NOMEM, "");
}

static int add_server(struct task_run *r, struct err *e)
{
    struct act w = { .r = r };
    int rv = step_install(r, &w.s, e);

    if (rv == 0)
        rv = step_change(r, &w.s.cluster, add_with, &w, e);
    if (rv == 0)
        task_log(r, "%s:%lld is a server of zone %s", w.s.self->ip, (long long)w.s.self->port, w.s.self->zone);
    return rv;
}

static int place_with(struct sql *s, void *data, struct err *e)
{
    struct act *w = data;
    int rv = 0;

    for (size_t i = 0; rv == 0 && i < w->s.n_servers; i++)
        if (i == 0 || strcmp(w->s.servers[i].zone, w->s.servers[i - 1].zone) != 0)
            rv = ob_zone_place(s, w->s.servers[i].zone, w->s.servers[i].region, w->s.servers[i].idc, e);
    return rv;
}

static int place_zones(struct task_run *r, struct err *e)
{
    struct act w = { .r = r };
    int rv = step_install(r, &w.s, e);

    return rv == 0 ? step_change(r, &w.s.cluster, place_with, &w, e) : rv;
}

/* --- users ----------------------------------------------------------------------------------------------------------------------- */

static int may_read(struct sql *s, const char *name, struct arena *arena, bool *yes, struct err *e)
{
    struct ob_privilege *all;
    size_t n = 0;
    int rv = ob_privileges_list(s, name, arena, &all, &n, e);

    *yes = false;
    for (size_t i = 0; rv == 0 && i < n; i++)
        *yes |= all[i].on.object == NULL && all[i].on.database != NULL && strcmp(all[i].on.database, "oceanbase") == 0 &&
                strcmp(all[i].privilege, "SELECT") == 0;
    return rv;
}

/* On a new cluster only an earlier run can have made it, with its password in the same statement. */
static int ensure_user(struct sql *s, const char *name, const char *password, struct arena *arena, struct err *e)
{
    static const char *const privileges[] = { "SELECT" };
    static const struct ob_grant_on on = { .database = "oceanbase" };
    struct ob_user user;
    bool found, reads;
    int rv = ob_user_get(s, name, arena, &user, &found, e);

    if (rv == 0 && !found)
        rv = ob_user_create(s, name, password, e);
    if (rv == 0)
        rv = may_read(s, name, arena, &reads, e);
    return rv == 0 && !reads ? ob_privileges_change(s, OB_GRANT, privileges, 1, &on, name, e) : rv;
}

static int proxyro_with(struct sql *s, void *data, struct err *e)
{
    struct act *w = data;

    return ensure_user(s, PROXYRO, w->secret, task_arena(w->r), e);
}

static int monitor_with(struct sql *s, void *data, struct err *e)
{
    struct act *w = data;

    return ensure_user(s, MONITOR, w->secret, task_arena(w->r), e);
}

static int make_proxyro(struct act *w, struct err *e)
{
    return step_change(w->r, &w->s.cluster, proxyro_with, w, e);
}

static int make_monitor(struct act *w, struct err *e)
{
    return step_change(w->r, &w->s.cluster, monitor_with, w, e);
}

static int create_users(struct task_run *r, struct err *e)
{
    struct act w = { .r = r };
    int rv = step_install(r, &w.s, e);

    if (rv == 0)
        rv = with(&w, obcluster_proxyro_place(w.s.cluster.id), w.s.cluster.proxyro_password, make_proxyro, e);
    if (rv == 0)
        rv = with(&w, obcluster_monitor_place(w.s.cluster.id), w.s.install.monitor_password, make_monitor, e);
    if (rv == 0)
        task_log(r, "the users %s and %s may read", PROXYRO, MONITOR);
    return rv;
}

/* --- service --------------------------------------------------------------------------------------------------------------------- */

static int all_serve(struct sql *s, void *data, bool *done, struct err *e)
{
    struct act *w = data;
    int rv = 0;

    *done = true;
    for (size_t i = 0; rv == 0 && i < w->s.n_servers; i++) {
        const char *address = ob_address(w->s.servers[i].ip, w->s.servers[i].port, task_arena(w->r));
        struct ob_member m;
        bool found;

        if (address == NULL)
            return err_set(e, &ERR_NOMEM, "");
        rv = ob_member_get(s, address, task_arena(w->r), &m, &found, e);
        *done &= rv == 0 && found && ob_member_serves(&m);
    }
    return rv;
}

static int wait_service(struct task_run *r, struct err *e)
{
    struct act w = { .r = r };
    int rv = step_install(r, &w.s, e);

    return rv == 0 ? step_wait(r, &w.s.cluster, "every server is ACTIVE and serves", all_serve, &w, e) : rv;
}

/* --- management ------------------------------------------------------------------------------------------------------------------ */

static int register_cluster(struct task_run *r, struct err *e)
{
    const struct domain_graph *g = task_data(r);
    struct obcluster c;
    int rv = step_look(r, e);

    if (rv == 0)
        rv = step_cluster(r, &c, e);
    return rv == 0 ? configurl_confirm(g->configurl, task_db(r), c.name, c.ob_cluster_id, task_arena(r), e) : rv;
}

static int finish(struct task_run *r, struct err *e)
{
    int rv = step_move(r, OBCLUSTER_CREATING, OBCLUSTER_RUNNING, e);

    if (rv == 0)
        task_log(r, "cluster %s is managed from now on", task_of(r)->cluster_name);
    return rv;
}

/* --- flow ------------------------------------------------------------------------------------------------------------------------ */

static const struct task_step steps[] = {
    { "Prepare", "Say what is to be made.", 60, prepare, .rollback = forget },
    { "Check host", "Ports and disks of the host are free, its agent answers.", 120, observer_check, .retries = 2 },
    { "Make directories", "Make the directories of the observer, which bear the cluster's mark.", 120, observer_make_directories,
      .rollback = observer_remove_directories, .retries = 2 },
    { "Bring package", "Bring the package to the host and extract it.", 1800, observer_bring_package, .retries = 2 },
    { "Start observer", "Start the process, and wait until it answers.", 600, observer_start_first, .rollback = observer_stop, .retries = 1 },
    { "Bootstrap", "Make the first servers of the zones one cluster.", 1200, bootstrap, .retries = 1 },
    { "Set password", "Give root in the tenant sys its password.", 120, set_password, .retries = 2 },
    { "Add server", "Make the server one of the cluster.", 300, add_server, .retries = 2 },
    { "Place zones", "Say in which region and IDC the zones are.", 120, place_zones, .retries = 2 },
    { "Create users", "Make the users of proxies and of monitoring.", 120, create_users, .retries = 2 },
    { "Wait for service", "Every server is ACTIVE and serves.", 3600, wait_service },
    { "Set primary zone", "Say which zones the leaders of the tenant sys prefer.", 120, sys_set_primary_zone, .retries = 2 },
    { "Adjust sys unit", "Give the tenant sys the memory and log disk that were asked for.", 300, sys_adjust_unit, .retries = 2, .flags = STEP_SKIPPABLE },
    { "Load time zones", "Make time zones known by name in the tenant sys.", 1800, sys_load_time_zones, .retries = 2, .flags = STEP_SKIPPABLE },
    { "Set parameters", "Every server has the parameters that were asked for, and knows where the config URL is.", 300, sys_set_parameters, .retries = 2,
      .flags = STEP_SKIPPABLE },
    { "Register", "Keep what the cluster looks like, and tell proxies where it is.", 120, register_cluster, .retries = 2 },
    { "Put under management", "From now on it is watched and can be changed here.", 60, finish },
    { .name = NULL },
};

static void plan(struct plan *p, const void *data)
{
    const struct install_plan *i = data;

    plan_then(p, "Prepare", NULL);
    plan_each(p, "Check host", i->servers, i->n_servers, 0);
    plan_each(p, "Make directories", i->servers, i->n_servers, 0);
    plan_on(p, "Bring package", 4);
    plan_on(p, "Start observer", 0);
    plan_then(p, "Bootstrap", NULL);
    plan_then(p, "Set password", NULL);
    for (size_t k = 0; k < i->n_servers; k++)
        if (k > 0 && strcmp(i->zones[k].id, i->zones[k - 1].id) == 0)
            plan_then(p, "Add server", &i->servers[k]);
    plan_then(p, "Place zones", NULL);
    plan_then(p, "Create users", NULL);
    plan_then(p, "Wait for service", NULL);
    plan_then(p, "Set primary zone", NULL);
    plan_then(p, "Adjust sys unit", NULL);
    plan_then(p, "Load time zones", NULL);
    plan_then(p, "Set parameters", NULL);
    plan_then(p, "Register", NULL);
    plan_then(p, "Put under management", NULL);
}

const struct task_flow flow_create = { "create_cluster", 1003, steps, .plan = plan };
