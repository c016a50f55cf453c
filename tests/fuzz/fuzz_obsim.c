/* SPDX-License-Identifier: Apache-2.0 */
/* Statements of the simulated kernel, one in a line, while time passes. What holds whatever they do: units lie on servers, replicas where
 * units are, at most one leader in a stream, no object refers to one that is gone. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tests/obsim/command.h"
#include "tests/obsim/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_units(struct sim_cluster *c)
{
    for (size_t i = 0; i < c->units.n; i++) {
        const struct sim_unit *u = c->units.items[i];
        const struct sim_pool *p = sim_pool_get(c, u->pool_id);
        const struct sim_server *s = sim_server_find(c, u->server_id);

        check(p != NULL && s != NULL && s->is_member);
        check(sim_config_get(c, p->config_id) != NULL);
        check(p->tenant_id == 0 || sim_tenant_get(c, p->tenant_id) != NULL);
        check((p->tenant_id == 0) == (u->group_id == 0));
        check(u->migrate_from == 0 || sim_server_find(c, u->migrate_from) != NULL);
    }
}

static void check_streams(struct sim_cluster *c)
{
    for (size_t i = 0; i < c->tenants.n; i++)
        for (size_t k = 0; k < c->tenants.items[i]->streams.n; k++) {
            const struct sim_ls *ls = c->tenants.items[i]->streams.items[k];
            int leaders = 0;

            for (size_t r = 0; r < ls->replicas.n; r++) {
                check(sim_server_find(c, ls->replicas.items[r]->server_id) != NULL);
                leaders += ls->replicas.items[r]->is_leader;
            }
            check(leaders <= 1);
        }
}

static void login(struct sim_cluster *c, struct sim_session *s, int64_t tenant_id)
{
    struct sim_client *k = sim_push(&c->clients);

    *s = (struct sim_session){ .cluster = c, .server = c->servers.items[0], .tenant_id = tenant_id, .client = k };
    sim_name(s->user, sim_slice(tenant_id == 1004 ? "SYS" : "root"));
    sim_name(s->account_host, SLICE("%"));
    k->id = c->next_client++;
    k->server_id = s->server->id;
    k->tenant_id = tenant_id;
    sim_name(k->user, sim_slice(s->user));
}

/* A line that begins with '>' is a statement of the user tenant, with '}' of the Oracle tenant, others of sys. */
static void run(struct sim_cluster *c, struct sim_session *sessions, struct slice line)
{
    struct sim_session *s = &sessions[line.n > 0 && line.s[0] == '>' ? 1 : line.n > 0 && line.s[0] == '}' ? 2 : 0];
    struct sim_reply reply;

    if (s != sessions)
        line = (struct slice){ line.s + 1, line.n - 1 };
    s->tenant = sim_tenant_get(c, s->tenant_id);
    if (s->tenant == NULL)
        return;
    reply_init(&reply);
    (void)command_is_select(line); /* must end, whatever it says */
    check(command_run(s, line, &reply) == (reply.kind == SIM_REPLY_ERROR ? (int)reply.number : 0));
    check(reply.n_columns == 0 || reply.kind == SIM_REPLY_ERROR || reply.n_cells % reply.n_columns == 0);
    reply_fini(&reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct sim_cluster_conf conf = { .zones = 3, .servers = 2, .tenants = 1, .oracle_tenants = 1, .now_us = 1700000000000000, .seed = 1 };
    struct sim_cluster *c = sim_cluster_new(&conf);
    struct slice rest = { (const char *)data, n };
    struct sim_session sessions[3];

    (void)sim_server_blank(c, "10.0.1.3", 2882, 2881, "zone1");
    login(c, &sessions[0], 1);
    login(c, &sessions[1], 1002);
    login(c, &sessions[2], 1004);
    for (int i = 0; rest.n > 0 && i < 200; i++) {
        run(c, sessions, slice_cut(&rest, '\n'));
        check_units(c);
        sim_advance(c, c->now_us + 300000);
        check_units(c);
        check_streams(c);
    }
    sim_advance(c, c->now_us + 60000000);
    check_units(c);
    check_streams(c);
    for (int i = 0; i < 3; i++)
        sim_values_fini(&sessions[i].variables);
    sim_cluster_free(c);
    return 0;
}
