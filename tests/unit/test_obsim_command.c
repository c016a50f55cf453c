/* SPDX-License-Identifier: Apache-2.0 */
/* Every statement of the simulated kernel, with its success and its errors. */
#include "tests/unit/obsim_tests.h"

#include <stdlib.h>

static const int64_t now_us = INT64_C(1700000000000000);

void rig_login(struct rig *r, struct sim_session *s, struct sim_tenant *t, const char *user)
{
    struct sim_client *k = sim_push(&r->c->clients);

    *s = (struct sim_session){ .cluster = r->c, .server = r->c->servers.items[0], .tenant = t, .tenant_id = t->id, .client = k };
    sim_name(s->user, sim_slice(user));
    sim_name(s->account_host, SLICE("%"));
    k->id = r->c->next_client++;
    k->server_id = s->server->id;
    k->tenant_id = t->id;
    k->command = "Sleep";
    k->state = "SLEEP";
    k->since_us = k->started_us = now_us;
    sim_name(k->user, sim_slice(user));
}

void rig_logout(struct sim_session *s)
{
    sim_values_fini(&s->variables);
}

void rig_init(struct rig *r, unsigned zones, unsigned servers)
{
    struct sim_cluster_conf conf = { .zones = zones, .servers = servers, .tenants = 1, .oracle_tenants = 1, .now_us = now_us, .seed = 42 };

    r->c = sim_cluster_new(&conf);
    rig_login(r, &r->sys, sim_tenant_get(r->c, 1), "root");
    rig_login(r, &r->user, sim_tenant_get(r->c, 1002), "root");
    reply_init(&r->reply);
}

void rig_fini(struct rig *r)
{
    reply_fini(&r->reply);
    rig_logout(&r->sys);
    rig_logout(&r->user);
    sim_cluster_free(r->c);
}

int rig_run(struct rig *r, struct sim_session *s, const char *sql)
{
    int number;

    reply_clear(&r->reply);
    s->tenant = sim_tenant_get(r->c, s->tenant_id);
    number = command_run(s, sim_slice(sql), &r->reply);
    assert_int_equal(number, r->reply.kind == SIM_REPLY_ERROR ? (int)r->reply.number : 0);
    if (r->reply.kind == SIM_REPLY_ROWS && r->reply.n_columns > 0)
        assert_int_equal(r->reply.n_cells % r->reply.n_columns, 0);
    return number;
}

void rig_expect(struct rig *r, struct sim_session *s, int number, const char *sql)
{
    int got = rig_run(r, s, sql);

    if (got != number)
        fail_msg("%s: %d (%s), not %d", sql, got, got != 0 ? r->reply.text : "OK", number);
}

const char *rig_cell(struct rig *r, size_t row, unsigned column)
{
    static char text[4096];

    assert_true(row < reply_n_rows(&r->reply));
    (void)snprintf(text, sizeof text, "%.*s", SLICE_FMT(reply_at(&r->reply, row, column)));
    return text;
}

void rig_settle(struct rig *r)
{
    while (sim_next_us(r->c) != 0)
        sim_advance(r->c, sim_next_us(r->c));
}

void rig_script(struct rig *r, struct sim_session *s, const struct rig_row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++)
        rig_expect(r, s, rows[i].number, rows[i].sql);
}

int main(void)
{
    static const struct {
        const char *name;
        const struct CMUnitTest *tests;
    } parts[] = { { "lex", obsim_lex_tests },         { "cluster", obsim_cluster_tests }, { "tenant", obsim_tenant_tests },
                  { "account", obsim_account_tests }, { "setting", obsim_setting_tests } };
    int failed = 0;

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t n = 0;

        while (parts[i].tests[n].test_func != NULL)
            n++;
        failed += _cmocka_run_group_tests(parts[i].name, parts[i].tests, n, NULL, NULL);
    }
    return failed;
}
