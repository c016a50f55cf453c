/* SPDX-License-Identifier: Apache-2.0 */
/* A target is known by what it answers: log in, probe, hold its instance against the clusters that are managed already. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "src/io/fiber.h"
#include "src/obcluster/claim.h"
#include "src/obcluster/flows.h"
#include "src/obcluster/inside.h"
#include "src/obcluster/link.h"
#include "src/obcluster/look.h"
#include "src/obcluster/name.h"
#include "src/oceanbase/topology.h"

enum { MAX_ATTEMPTS = 50, MAX_RACES = 5 };

/* --- the request itself ------------------------------------------------------------------------------------------------------- */

static bool is_proxy(const struct take_over *want)
{
    return want->mode != NULL && strcasecmp(want->mode, "proxy") == 0;
}

static int check_request(const struct take_over *want, struct err *e)
{
    if (want->mode != NULL && strcasecmp(want->mode, "direct") != 0 && !is_proxy(want))
        return err_set(e, &ERR_OBCLUSTER_MODE, "%s", want->mode);
    if (is_proxy(want) && (want->cluster_name == NULL || want->cluster_name[0] == '\0'))
        return err_set(e, &ERR_OBCLUSTER_PROXY_NAME, "");
    if (want->cluster_name != NULL && want->cluster_name[0] != '\0' && !obcluster_name_is_valid(want->cluster_name))
        return err_set(e, &ERR_OBCLUSTER_NAME, "%s", want->cluster_name);
    return 0;
}

/* --- logging in --------------------------------------------------------------------------------------------------------------- */

struct visit {
    struct obclusters *o;
    const struct take_over *want;
    struct arena *arena;
    struct take_over_found *found;
    struct sql *sql;
    struct ob_probe probe;
    const char *own;               /* id of this OCP */
};

static int named(struct err *e, const struct err_row *row, const struct take_over *want, const char *second)
{
    char kept[ERR_ARG_SIZE];

    (void)strncpy(kept, second, sizeof kept - 1);
    kept[sizeof kept - 1] = '\0';
    (void)err_set(e, row, strchr(want->address, ':') != NULL ? "[%s]:%lld" : "%s:%lld", want->address, (long long)want->port);
    return err_arg(e, "%s", kept);
}

static int log_in_as(struct visit *v, const char *user, struct err *e)
{
    struct sql_target target = {
        .host = v->want->address,
        .port = (unsigned)v->want->port,
        .user = user,
        .password = v->want->password,
        .connect_timeout_ms = LINK_CONNECT_TIMEOUT_MS,
    };
    int rv = sql_connect(&target, v->o->conf.connect_pool, &v->sql, e);

    if (rv == 0)
        v->found->username = user;
    return rv;
}

/* The administrator of the sys tenant; a server that does not know tenants in user names (no OceanBase then, as the probe will say)
 * knows plain root. */
static int log_in(struct visit *v, struct err *e)
{
    const char *user = "root@sys";
    int rv;

    if (is_proxy(v->want))
        user = arena_printf(v->arena, "root@sys#%s", v->want->cluster_name);
    if (user == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = log_in_as(v, user, e);
    if (rv == ERR_SQL_DENIED.code && !is_proxy(v->want))
        rv = log_in_as(v, "root", e);
    if (rv == 0 || err_is(e, &ERR_CANCELLED) || err_is(e, &ERR_NOMEM))
        return rv;
    if (err_is(e, &ERR_SQL_DENIED))
        return named(e, &ERR_TAKE_OVER_DENIED, v->want, user);
    if (err_is(e, &ERR_TIMEOUT))
        return named(e, &ERR_TAKE_OVER_AWAY, v->want, "no login in time");
    return named(e, &ERR_TAKE_OVER_AWAY, v->want, err_is(e, &ERR_SQL_LOST) ? e->arg[1] : e->arg[0]);
}

/* --- probing ------------------------------------------------------------------------------------------------------------------ */

/* The next reason why not; the last place is written again when there are too many. */
static struct err *new_reason(struct take_over_found *f)
{
    if (f->n_why < TAKE_OVER_REASONS)
        f->n_why++;
    return &f->why[f->n_why - 1];
}

static void check_number(struct visit *v)
{
    const struct take_over *want = v->want;
    char asked[24], has[24] = "-";
    struct err *e;

    if (want->ob_cluster_id == FIELD_NONE || want->ob_cluster_id == v->found->ob_cluster_id)
        return;
    (void)snprintf(asked, sizeof asked, "%lld", (long long)want->ob_cluster_id);
    if (v->found->ob_cluster_id != FIELD_NONE)
        (void)snprintf(has, sizeof has, "%lld", (long long)v->found->ob_cluster_id);
    e = new_reason(v->found);
    (void)named(e, &ERR_TAKE_OVER_OTHER, want, asked);
    (void)err_arg(e, "%s", has);
}

/* Of a cluster of several servers, all must be there: what is half gone shall not become a managed cluster without anybody noticing. */
static int check_servers(struct visit *v, struct err *e)
{
    struct ob_observer *servers;
    struct str text;
    size_t n;
    int rv = ob_observers_list(v->sql, v->arena, &servers, &n, e);

    if (rv != 0)
        return rv;
    str_init(&text, v->arena);
    for (size_t i = 0; i < n; i++)
        if (strcasecmp(servers[i].status, "ACTIVE") != 0)
            str_printf(&text, "%s%s:%lld %s", text.n > 0 ? ", " : "", servers[i].ip, (long long)servers[i].port, servers[i].status);
    if (str_failed(&text))
        return err_set(e, &ERR_NOMEM, "");
    if (text.n > 0)
        (void)err_set(new_reason(v->found), &ERR_TAKE_OVER_SERVERS, "%s", text.s);
    return 0;
}

/* Another OCP may have it already, in a MetaDB that is not ours. */
static int check_claim(struct visit *v, struct err *e)
{
    const char *url;
    int rv = claim_read(v->sql, v->arena, &url, e);

    if (rv == 0 && claim_require(url, v->own, v->probe.cluster_name != NULL ? v->probe.cluster_name : v->want->address, e) != 0)
        *new_reason(v->found) = *e;
    return rv;
}

static int ask_target(struct visit *v, struct err *e)
{
    struct take_over_found *f = v->found;
    int rv = ob_probe(v->sql, v->arena, &v->probe, e);

    if (rv != 0)
        return rv;
    f->engine = ob_engine_names[v->probe.engine];
    f->version = v->probe.ob_version;
    f->full_version = v->probe.full_version;
    f->ob_cluster_id = v->probe.cluster_id >= 0 ? v->probe.cluster_id : FIELD_NONE;
    f->instance = look_instance(&v->probe, v->arena);
    if (f->instance == NULL)
        return err_set(e, &ERR_NOMEM, "");
    check_number(v);
    if (v->probe.engine != OB_ENGINE_OCEANBASE)
        return 0;
    rv = check_claim(v, e);
    return rv == 0 ? check_servers(v, e) : rv;
}

static int probe(struct visit *v, struct err *e)
{
    int rv = ask_target(v, e);

    return rv != 0 && (err_is(e, &ERR_SQL_LOST) || err_is(e, &ERR_TIMEOUT)) ? named(e, &ERR_TAKE_OVER_AWAY, v->want, "no answer in time") : rv;
}

/* Everything that concerns the target alone. */
static int visit_target(struct visit *v, struct err *e)
{
    int64_t former = fiber_narrow_deadline(LINK_TIMEOUT_MS);
    int rv = log_in(v, e);

    if (rv == 0) {
        rv = probe(v, e);
        sql_close(v->sql);
    }
    fiber_restore_deadline(former);
    return rv;
}

/* --- among the clusters that are there ---------------------------------------------------------------------------------------- */

static int managed_already(const struct obcluster *c, struct err *e)
{
    (void)err_set(e, &ERR_OBCLUSTER_MANAGED, "%s", c->name);
    return err_arg(e, "%s:%lld", c->address, (long long)c->port);
}

/* Adds a reason when it is managed already. */
static int refuse_managed(struct db *d, const struct take_over *want, struct arena *arena, struct take_over_found *out, struct err *e)
{
    struct obcluster *same;
    int rv = store_obcluster_find(d, want->address, want->port, out->instance, NULL, arena, &same, e);

    if (rv == 0 && same != NULL)
        (void)managed_already(same, new_reason(out));
    return rv;
}

static int name_is_free(struct db *d, const char *name, struct arena *arena, bool *is_free, struct err *e)
{
    struct obcluster *same;
    int rv = store_obcluster_find(d, "", 0, NULL, name, arena, &same, e);

    *is_free = same == NULL;
    return rv;
}

static int choose_name(struct db *d, const struct take_over *want, const struct ob_probe *p, struct arena *arena, struct take_over_found *out,
                       struct err *e)
{
    bool is_free = false, is_given = want->cluster_name != NULL && want->cluster_name[0] != '\0';
    int rv = 0;

    for (unsigned attempt = 0; rv == 0 && !is_free && attempt < (is_given ? 1 : MAX_ATTEMPTS); attempt++) {
        out->name = is_given ? want->cluster_name : obcluster_name_make(p->cluster_name, want->address, want->port, attempt, arena);
        rv = out->name != NULL ? name_is_free(d, out->name, arena, &is_free, e) : err_set(e, &ERR_NOMEM, "");
    }
    if (rv == 0 && !is_free)
        (void)err_set(new_reason(out), &ERR_OBCLUSTER_NAME_TAKEN, "%s", out->name);
    return rv;
}

/* What went wrong here, and not at the target. */
static bool is_ours(const struct err *e)
{
    return err_is(e, &ERR_CANCELLED) || err_is(e, &ERR_NOMEM) || err_is(e, &ERR_BUSY) || err_is(e, &ERR_IO);
}

int obcluster_take_over_check(struct obclusters *o, struct db *d, const struct take_over *want, struct arena *arena,
                              struct take_over_found *out, struct err *e)
{
    struct visit v = { .o = o, .want = want, .arena = arena, .found = out };
    int rv = check_request(want, e);

    *out = (struct take_over_found){ .ob_cluster_id = FIELD_NONE };
    if (rv == 0)
        rv = refuse_managed(d, want, arena, out, e);
    if (rv == 0)
        rv = claim_own(d, arena, &v.own, e);
    if (rv != 0 || out->n_why > 0)
        return rv;
    rv = visit_target(&v, e);
    if (rv != 0 && is_ours(e))
        return rv;
    if (rv != 0) {
        *new_reason(out) = *e;
        return 0;
    }
    rv = refuse_managed(d, want, arena, out, e);
    if (rv == 0)
        rv = choose_name(d, want, &v.probe, arena, out, e);
    out->valid = rv == 0 && out->n_why == 0;
    return rv;
}

/* --- starting ----------------------------------------------------------------------------------------------------------------- */

struct start {
    struct obclusters *o;
    struct obcluster c;
    struct task_new task;
    struct task_prepared prepared;
    struct task_lock_want lock;
    struct arena *arena;
};

static int start_body(struct tx *tx, void *data, struct err *e)
{
    struct start *s = data;
    int rv = store_obcluster_insert(tx, &s->c, e);

    return rv == 0 ? task_insert(tx, &s->prepared, &s->task, s->arena, e) : rv;
}

static int seal(struct start *s, struct vault_place at, const char *secret, struct slice *out, struct err *e)
{
    struct str sealed;
    int rv;

    str_init(&sealed, s->arena);
    rv = vault_seal(s->o->conf.vault, &at, (struct slice){ secret, strlen(secret) }, &sealed, e);
    *out = (struct slice){ sealed.s, sealed.n };
    return rv == 0 && str_failed(&sealed) ? err_set(e, &ERR_NOMEM, "") : rv;
}

static void describe(struct start *s, const struct take_over *want, const struct take_over_found *f, const struct obcluster_user *who,
                     int64_t id)
{
    int64_t now = clock_wall_us(s->o->conf.clock);

    s->c = (struct obcluster){
        .id = id,
        .name = f->name,
        .ob_cluster_id = f->ob_cluster_id,
        .engine = f->engine,
        .type = "PRIMARY",
        .status = OBCLUSTER_TAKINGOVER,
        .address = want->address,
        .port = want->port,
        .connection_mode = is_proxy(want) ? "proxy" : "direct",
        .username = f->username,
        .instance = f->instance,
        .version = f->version,
        .full_version = f->full_version,
        .architecture = "",
        .creator_id = who->id,
        .creator_name = who->name,
        .created_us = now,
        .updated_us = now,
    };
    s->task = (struct task_new){
        .flow = &flow_take_over,
        .name = arena_printf(s->arena, "Take over cluster %s", f->name),
        .cluster_id = id,
        .ob_cluster_id = f->ob_cluster_id != FIELD_NONE ? f->ob_cluster_id : -1,
        .tenant_id = -1,
        .cluster_name = f->name,
        .creator_id = who->id,
        .creator_name = who->name,
        .arguments = want->switch_config_url ? "{\"switchConfigUrl\":true}" : "{}",
        .locks = &s->lock,
        .n_locks = 1,
        .node = s->o->conf.node,
        .now_us = now,
    };
    s->lock = (struct task_lock_want){ "obcluster", id };
}

static int start(struct start *s, struct db *d, const struct take_over *want, const struct take_over_found *found,
                 const struct obcluster_user *who, struct err *e)
{
    int64_t id;
    int rv = db_next_id(d, &id, e);

    if (rv != 0)
        return rv;
    describe(s, want, found, who, id);
    rv = task_prepare(d, &s->task, s->arena, &s->prepared, e);
    if (rv != 0)
        return rv;
    rv = s->task.name != NULL ? seal(s, obcluster_place(id), want->password, &s->c.password, e) : err_set(e, &ERR_NOMEM, "");
    if (rv == 0 && want->proxyro_password != NULL)
        rv = seal(s, obcluster_proxyro_place(id), want->proxyro_password, &s->c.proxyro_password, e);
    return rv == 0 ? db_transact(d, start_body, s, e) : rv;
}

/* A take-over at the same time may have got the name that was chosen: then another is chosen. */
int obcluster_take_over(struct obclusters *o, struct db *d, struct task_engine *t, const struct take_over *want,
                        const struct obcluster_user *who, struct arena *arena, struct obcluster_started *out, struct err *e)
{
    struct start s = { .o = o, .arena = arena };
    struct take_over_found found;
    int rv;

    for (unsigned tries = 0;; tries++) {
        rv = obcluster_take_over_check(o, d, want, arena, &found, e);
        if (rv == 0 && !found.valid) {
            *e = found.why[0];
            rv = e->row->code;
        }
        if (rv != 0)
            return rv;
        rv = start(&s, d, want, &found, who, e);
        if (rv != ERR_OBCLUSTER_MANAGED.code || tries == MAX_RACES)
            break;
    }
    if (rv != 0)
        return rv;
    *out = (struct obcluster_started){ s.prepared.id, s.c.id, found.name };
    task_kick(t);
    return 0;
}
