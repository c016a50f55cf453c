/* SPDX-License-Identifier: Apache-2.0 */
/* A target is known by what it answers: log in, probe, hold its instance against the clusters that are managed already. */
#include <string.h>
#include <strings.h>

#include "src/io/fiber.h"
#include "src/obcluster/flows.h"
#include "src/obcluster/inside.h"
#include "src/obcluster/link.h"
#include "src/obcluster/look.h"
#include "src/obcluster/name.h"

enum { MAX_ATTEMPTS = 50 };

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

static int unsupported(struct visit *v, struct err *e)
{
    (void)err_set(e, &ERR_OB_UNSUPPORTED, "%s", sql_peer(v->sql));
    (void)err_arg(e, "%s", v->probe.version);
    return err_arg(e, "it manages OceanBase seekdb only");
}

static int probe(struct visit *v, struct err *e)
{
    struct take_over_found *f = v->found;
    int rv = ob_probe(v->sql, v->arena, &v->probe, e);

    if (rv != 0)
        return err_is(e, &ERR_SQL_LOST) || err_is(e, &ERR_TIMEOUT) ? named(e, &ERR_TAKE_OVER_AWAY, v->want, "no answer in time") : rv;
    if (v->probe.engine != OB_ENGINE_SEEKDB)
        return unsupported(v, e);
    f->engine = ob_engine_names[v->probe.engine];
    f->version = v->probe.ob_version;
    f->full_version = v->probe.full_version;
    f->ob_cluster_id = v->probe.cluster_id >= 0 ? v->probe.cluster_id : FIELD_NONE;
    f->instance = look_instance(&v->probe, v->arena);
    return f->instance != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
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

/* Sets out->why when it is managed already. */
static int refuse_managed(struct db *d, const struct take_over *want, struct arena *arena, struct take_over_found *out, struct err *e)
{
    struct obcluster *same;
    int rv = store_obcluster_find(d, want->address, want->port, out->instance, NULL, arena, &same, e);

    if (rv == 0 && same != NULL)
        (void)managed_already(same, &out->why);
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
        (void)err_set(&out->why, &ERR_OBCLUSTER_NAME_TAKEN, "%s", out->name);
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
    if (rv != 0 || out->why.row != NULL)
        return rv;
    rv = visit_target(&v, &out->why);
    if (rv != 0 && is_ours(&out->why)) {
        *e = out->why;
        return rv;
    }
    if (rv != 0)
        return 0;
    err_clear(&out->why);
    rv = refuse_managed(d, want, arena, out, e);
    if (rv == 0 && out->why.row == NULL)
        rv = choose_name(d, want, &v.probe, arena, out, e);
    out->valid = rv == 0 && out->why.row == NULL;
    return rv;
}

/* --- starting ----------------------------------------------------------------------------------------------------------------- */

struct start {
    struct obclusters *o;
    struct obcluster c;
    struct task_new task;
    const int64_t *ids;
    struct arena *arena;
};

static int start_body(struct tx *tx, void *data, struct err *e)
{
    struct start *s = data;
    int rv = store_obcluster_insert(tx, &s->c, e);

    return rv == 0 ? task_insert(tx, &s->task, s->ids, s->o->conf.node, s->c.created_us, s->arena, e) : rv;
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
    };
}

int obcluster_take_over(struct obclusters *o, struct db *d, struct task_engine *t, const struct take_over *want,
                        const struct obcluster_user *who, struct arena *arena, struct obcluster_started *out, struct err *e)
{
    struct start s = { .o = o, .arena = arena };
    struct take_over_found found;
    int64_t *ids, id;
    int rv = obcluster_take_over_check(o, d, want, arena, &found, e);

    if (rv == 0 && !found.valid) {
        *e = found.why;
        rv = e->row->code;
    }
    if (rv == 0)
        rv = db_next_id(d, &id, e);
    if (rv == 0)
        rv = task_take_ids(d, &flow_take_over, arena, &ids, e);
    if (rv != 0)
        return rv;
    describe(&s, want, &found, who, id);
    s.ids = ids;
    rv = s.task.name != NULL ? seal(&s, obcluster_place(id), want->password, &s.c.password, e) : err_set(e, &ERR_NOMEM, "");
    if (rv == 0 && want->proxyro_password != NULL)
        rv = seal(&s, obcluster_proxyro_place(id), want->proxyro_password, &s.c.proxyro_password, e);
    if (rv == 0)
        rv = db_transact(d, start_body, &s, e);
    if (rv != 0)
        return rv;
    *out = (struct obcluster_started){ ids[0], id, found.name };
    task_kick(t, ids[0]);
    return 0;
}
