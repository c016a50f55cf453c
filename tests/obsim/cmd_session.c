/* SPDX-License-Identifier: Apache-2.0 */
/* KILL [QUERY | CONNECTION] n; BEGIN, START TRANSACTION, COMMIT, ROLLBACK; FLUSH PRIVILEGES; PURGE RECYCLEBIN | DATABASE d */
#include <string.h>
#include <strings.h>

#include "tests/obsim/cmd.h"

static struct sim_client *client_of(struct sim_cluster *c, int64_t id)
{
    for (size_t i = 0; i < c->clients.n; i++)
        if (c->clients.items[i]->id == id)
            return c->clients.items[i];
    return NULL;
}

/* Sessions of the own tenant (from sys: of all) and, without SUPER, of the own account. */
static int kill_session(struct cmd *x)
{
    struct sim_client *victim;
    int64_t id;
    int rv;

    if (!parse_i64(&x->p, &id))
        return cmd_syntax(x);
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    victim = client_of(x->c, id);
    if (victim == NULL || (x->t->type != SIM_TENANT_SYS && victim->tenant_id != x->t->id))
        return cmd_fail(x, 1094, "Unknown thread id: %lld", (long long)id);
    if (!cmd_may(x, SIM_P(SUPER), "") && strcmp(victim->user, x->s->client->user) != 0)
        return cmd_fail(x, 1095, "You are not owner of thread %lld", (long long)id);
    if (victim->kill != SIM_KILL_CONNECTION)
        victim->kill = (enum sim_kill)x->row->arg;
    return cmd_ok(x);
}

static int begin(struct cmd *x)
{
    int rv;

    (void)parse_words(&x->p, "WORK"); /* may be missing */
    if (!parse_words(&x->p, "WITH CONSISTENT SNAPSHOT") && !parse_words(&x->p, "READ ONLY"))
        (void)parse_words(&x->p, "READ WRITE"); /* may all be missing */
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    x->s->client->in_transaction = true;
    return cmd_ok(x);
}

static int end(struct cmd *x)
{
    int rv;

    (void)parse_words(&x->p, "WORK"); /* may be missing */
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    x->s->client->in_transaction = false;
    return cmd_ok(x);
}

static int nothing(struct cmd *x)
{
    int rv = cmd_end(x);

    return rv != 0 ? rv : cmd_ok(x);
}

/* Of the tenant; in sys also the dropped tenants. */
static int purge_recyclebin(struct cmd *x)
{
    int rv = cmd_end(x);

    if (rv != 0)
        return rv;
    sim_clear(&x->t->recyclebin);
    for (size_t i = 0; i < x->c->tenants.n && x->t->type == SIM_TENANT_SYS; i++) {
        struct sim_tenant *t = x->c->tenants.items[i];

        if (!t->in_recyclebin || t->status == SIM_TENANT_DROPPING)
            continue;
        t->status = sim_tenant_get(x->c, t->id - 1)->status = SIM_TENANT_DROPPING;
        (void)sim_schedule(x->c, SIM_STEP_TENANT_DROPPED, t->id);
    }
    return cmd_ok(x);
}

static int purge_database(struct cmd *x)
{
    struct slice name;
    int rv;

    if (!parse_name(&x->p, &name))
        return cmd_syntax(x);
    rv = cmd_end(x);
    if (rv != 0)
        return rv;
    for (size_t i = 0; i < x->t->recyclebin.n; i++)
        if (slice_is(name, x->t->recyclebin.items[i]->name)) {
            sim_remove(&x->t->recyclebin, i);
            return cmd_ok(x);
        }
    return cmd_fail(x, 5262, "object not in RECYCLE BIN");
}

const struct cmd_row cmd_session_rows[] = {
    { "KILL", kill_session, CMD_ORACLE, 0, SIM_KILL_CONNECTION },
    { "KILL CONNECTION", kill_session, CMD_ORACLE, 0, SIM_KILL_CONNECTION },
    { "KILL QUERY", kill_session, CMD_ORACLE, 0, SIM_KILL_QUERY },
    { "BEGIN", begin, CMD_ORACLE, 0, 0 },
    { "START TRANSACTION", begin, CMD_ORACLE, 0, 0 },
    { "COMMIT", end, CMD_ORACLE, 0, 0 },
    { "ROLLBACK", end, CMD_ORACLE, 0, 0 },
    { "FLUSH PRIVILEGES", nothing, 0, 0, 0 },
    { "PURGE RECYCLEBIN", purge_recyclebin, 0, SIM_P(SUPER), 0 },
    { "PURGE DATABASE", purge_database, 0, SIM_P(SUPER), 0 },
    { "", NULL, 0, 0, 0 },
};
