/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/login.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A user's name may hold an '@' of its own: the last one divides. */
void login_split(struct slice text, struct login_name *out)
{
    const char *at = text.n > 0 ? memrchr(text.s, '@', text.n) : NULL;
    struct slice rest;

    *out = (struct login_name){ .user = text };
    if (at == NULL)
        return;
    out->user.n = (size_t)(at - text.s);
    rest = (struct slice){ at + 1, text.n - out->user.n - 1 };
    out->tenant = slice_cut(&rest, '#');
    out->cluster = slice_cut(&rest, ':');
    out->cluster_id = rest;
}

static bool is_this_cluster(const struct sim_cluster *c, const struct login_name *name)
{
    char id[24];

    (void)snprintf(id, sizeof id, "%" PRId64, c->id);
    return (name->cluster.n == 0 || slice_is_nocase(name->cluster, c->name)) && (name->cluster_id.n == 0 || slice_is(name->cluster_id, id));
}

/* A process that belongs to no cluster yet lets root in without a password: to bootstrap it, or to look. */
static struct sim_tenant *find_tenant(struct sim_cluster *c, const struct login_name *name)
{
    return sim_tenant_find(c, name->tenant.n > 0 ? name->tenant : SLICE("sys"));
}

static int check_tenant(struct sim_cluster *c, const struct sim_server *server, const struct login_name *name, struct sim_tenant *t,
                        const char *ip, struct sim_reply *out)
{
    if (!is_this_cluster(c, name))
        return reply_error(out, 4666, "cluster name does not match");
    if (t == NULL || t->type == SIM_TENANT_META)
        return reply_error(out, 5160, "invalid tenant name");
    if (server->is_member && t->type != SIM_TENANT_SYS && !sim_tenant_is_on(c, t, server->id))
        return reply_error(out, 5150, "Tenant not in this server");
    if (t->is_locked)
        return reply_error(out, 5260, "Tenant is locked");
    if (server->is_member && !sim_tenant_invites(t, ip))
        return reply_error(out, 1227, "Access denied");
    return 0;
}

int login_check(struct sim_cluster *c, const struct sim_server *server, struct slice text, const unsigned char *challenge,
                struct slice answer, const char *ip, struct sim_tenant **tenant, struct sim_user **account, struct sim_reply *out)
{
    struct login_name name;
    char user[SIM_NAME];
    int rv;

    login_split(text, &name);
    *tenant = find_tenant(c, &name);
    rv = check_tenant(c, server, &name, *tenant, ip, out);
    if (rv != 0)
        return rv;
    sim_name(user, name.user);
    *account = sim_user_match(*tenant, user, ip);
    if (*account == NULL || (server->is_member ? !sim_user_proves(*account, challenge, (const unsigned char *)answer.s, answer.n) : answer.n > 0))
        return reply_error(out, 1045, "Access denied for user '%s'@'%s' (using password: %s)", user, ip, answer.n > 0 ? "YES" : "NO");
    if ((*account)->is_locked)
        return reply_error(out, 3118, "Access denied for user '%s'@'%s'. Account is locked.", user, ip);
    return 0;
}
