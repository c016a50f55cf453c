/* SPDX-License-Identifier: Apache-2.0 */
/* Logging in to a tenant:
 *
 *   ask the cluster: is there still a tenant of this number, what is it called, which servers have a unit of it?
 *   one after the other, those that serve first: connect -> refused: the password is wrong, the others would say the same
 *                                                        -> no answer: the next
 *   is it the tenant that was meant? another may have got its name in between */
#include <stdio.h>

#include "src/io/fiber.h"
#include "src/obcluster/inside.h"
#include "src/obcluster/link.h"
#include "src/oceanbase/tenant_admin.h"

ERR_DEFINE(ERR_OBTENANT_GONE, 15024, 409, ERR_FINAL, "The tenant {0} of the cluster {1} is no more: it was dropped.",
           "集群 {1} 的租户 {0} 已被删除。");
ERR_DEFINE(ERR_OBTENANT_PASSWORD, 15100, 409, ERR_FINAL,
           "The tenant {0} refuses its administrator {1} with every password known here. Give the present one with "
           "POST /api/v2/ob/clusters/{2}/tenants/{3}/changePassword as newPassword, or as oldPassword to set another, or keep it in your "
           "password box.",
           "租户 {0} 拒绝管理员 {1} 使用此处已知的密码登录。请调用 POST /api/v2/ob/clusters/{2}/tenants/{3}/changePassword，"
           "以 newPassword 提供当前密码，或以 oldPassword 提供当前密码并设置新密码，或将其保存到您的密码箱。");

ERR_DEFINE(ERR_OBTENANT_CLOSED, 15025, 409, ERR_FINAL, "The tenant {0} of the cluster {1} does not let OCP in: {2}.",
           "集群 {1} 的租户 {0} 不允许 OCP 登录：{2}。");

enum {
    DENIED = 1045,              /* wrong password; otherwise it is this host that is refused */
    POINT_TIMEOUT_MS = 3000,    /* a server that hangs leaves time for others */
    LATER_MS = 1000,
};

struct address {
    struct ob_tenant_now now;   /* the tenant, at present */
    struct ob_tenant_point *points;
    size_t n_points;
};

static int gone(const struct obcluster *c, const struct link_tenant *t, const char *name, struct err *e)
{
    if (name != NULL)
        (void)err_set(e, &ERR_OBTENANT_GONE, "%s", name);
    else
        (void)err_set(e, &ERR_OBTENANT_GONE, "%lld", (long long)t->ob_tenant_id);
    return err_arg(e, "%s", c->name);
}

static int ask(struct obclusters *o, const struct obcluster *c, const struct link_tenant *t, struct arena *arena, struct address *out,
               struct err *e)
{
    bool found = false;
    struct link *k;
    int rv = link_take(o, c, &k, e);

    if (rv != 0)
        return rv;
    rv = ob_tenant_find(link_sql(k), t->ob_tenant_id, arena, &out->now, &found, e);
    if (rv == 0 && found)
        rv = ob_tenant_points(link_sql(k), t->ob_tenant_id, arena, &out->points, &out->n_points, e);
    rv = link_give(k, rv, e);
    return rv == 0 && !found ? gone(c, t, NULL, e) : rv;
}

static int denied(const struct obcluster *c, const struct link_tenant *t, const char *name, struct err *e)
{
    (void)err_set(e, &ERR_OBTENANT_PASSWORD, "%s", name);
    (void)err_arg(e, "%s", t->user);
    (void)err_arg(e, "%lld", (long long)c->id);
    return err_arg(e, "%lld", (long long)t->id);
}

static int closed(const struct obcluster *c, const struct address *a, const char *why, struct err *e)
{
    (void)err_set(e, &ERR_OBTENANT_CLOSED, "%s", a->now.name);
    (void)err_arg(e, "%s", c->name);
    return err_arg(e, "%s", why);
}

/* What the last server said, in words that tell what to do. */
static int word(const struct obcluster *c, const struct link_tenant *t, const struct address *a, struct err *e)
{
    if (a->now.locked && !err_is(e, &ERR_SQL_LOST) && !err_is(e, &ERR_TIMEOUT))
        return closed(c, a, "it is locked; unlock it first", e);
    if (err_is(e, &ERR_SQL_DENIED) && e->lib_code != DENIED)
        return closed(c, a, "its whitelist leaves this host out; modifyWhitelist changes it without a login", e);
    return err_is(e, &ERR_SQL_DENIED) ? denied(c, t, a->now.name, e) : link_word_connect(e, c);
}

static int connect_to(struct obclusters *o, const char *user, const char *password, const struct ob_tenant_point *p, struct sql **out,
                      struct err *e)
{
    struct sql_target target = {
        .host = p->ip,
        .port = (unsigned)p->sql_port,
        .user = user,
        .password = password,
        .connect_timeout_ms = POINT_TIMEOUT_MS,
    };
    int rv = sql_connect(&target, o->conf.connect_pool, out, e);

    if (rv != 0)
        return rv;
    rv = sql_set_server_timeout(*out, LINK_TIMEOUT_MS + LATER_MS, e);
    if (rv != 0)
        sql_close(*out);
    return rv;
}

/* The server is away, or is none of the tenant's any more: another may serve. */
static bool is_elsewhere(const struct err *e)
{
    return err_is(e, &ERR_SQL_LOST) || err_is(e, &ERR_SQL_RETRY) || err_is(e, &ERR_SQL_FAILED) || err_is(e, &ERR_IO);
}

static int connect_any(struct obclusters *o, const struct obcluster *c, const struct link_tenant *t, const struct address *a,
                       struct arena *arena, struct sql **out, struct err *e)
{
    const char *user = arena_printf(arena, "%s@%s", t->user, a->now.name);
    int rv = user != NULL ? 0 : err_set(e, &ERR_NOMEM, "");

    if (rv == 0 && a->n_points == 0) {
        (void)err_set(e, &ERR_OBCLUSTER_AWAY, "%s", c->name);
        return err_arg(e, "no server has a unit of the tenant %s", a->now.name);
    }
    for (size_t i = 0; rv == 0 && i < a->n_points; i++) {
        rv = connect_to(o, user, t->password, &a->points[i], out, e);
        if (rv == 0)
            return 0;
        if (is_elsewhere(e) && i + 1 < a->n_points)
            rv = 0;
    }
    return rv == ERR_NOMEM.code ? rv : word(c, t, a, e);
}

static int verify(const struct obcluster *c, const struct link_tenant *t, const char *name, struct sql *s, struct err *e)
{
    int64_t present = 0;
    int rv = ob_tenant_of_session(s, &present, e);

    if (rv != 0)
        return link_word_use(e, c->name);
    return present == t->ob_tenant_id ? 0 : gone(c, t, name, e);
}

int link_open_tenant(struct obclusters *o, const struct obcluster *c, const struct link_tenant *t, struct sql **out, struct err *e)
{
    struct address a = { .n_points = 0 };
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = ask(o, c, t, &arena, &a, e);
    if (rv == 0)
        rv = connect_any(o, c, t, &a, &arena, out, e);
    if (rv == 0) {
        rv = verify(c, t, a.now.name, *out, e);
        if (rv == 0)
            rv = db_hold_guard(e);
        if (rv != 0)
            sql_close(*out);
    }
    arena_fini(&arena);
    return rv;
}
