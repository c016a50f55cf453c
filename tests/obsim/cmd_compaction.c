/* SPDX-License-Identifier: Apache-2.0 */
/* ALTER SYSTEM MAJOR FREEZE [TENANT [=] list]; {SUSPEND | RESUME} MERGE [ZONE ...] [TENANT ...]; CLEAR MERGE ERROR [TENANT ...];
 * MINOR FREEZE [TENANT ...] [TABLET_ID = n] [SERVER [=] ('ip:port', ...)] [ZONE [=] 'z'] */
#include <string.h>
#include <strings.h>

#include "tests/obsim/cmd.h"
#include "tests/obsim/step.h"

enum verb { SUSPEND, RESUME, CLEAR };

/* Without a clause, in sys: the tenant sys itself. */
static int read_tenants(struct cmd *x, struct sim_tenant ***tenants, size_t *n)
{
    int rv = cmd_tenants(x, tenants, n);

    if (rv == 0 && *n == 0) {
        (*tenants)[0] = x->t;
        *n = 1;
    }
    return rv != 0 ? rv : cmd_end(x);
}

static int major_freeze(struct cmd *x)
{
    struct sim_tenant **tenants;
    size_t n, started = 0;
    int rv = read_tenants(x, &tenants, &n);

    if (rv != 0)
        return rv;
    for (size_t i = 0; i < n; i++)
        if (tenants[i]->compaction.is_suspended && n == 1)
            return cmd_fail(x, 4217, "Major freeze not allowed now");
    for (size_t i = 0; i < n; i++)
        started += !tenants[i]->compaction.is_suspended && step_major_start(x->c, tenants[i]);
    if (started == 0)
        return cmd_fail(x, 4213, "Last freeze not finished");
    sim_note(x->c, "root_service", "root_major_freeze", "tenant", tenants[0]->name, NULL);
    return cmd_ok(x);
}

static int merge(struct cmd *x)
{
    struct sim_tenant **tenants;
    struct slice zone;
    bool bad = false;
    size_t n;
    int rv;

    if (x->row->arg != CLEAR && !parse_option(&x->p, "ZONE", &zone, &bad) && bad)
        return cmd_syntax(x);
    rv = read_tenants(x, &tenants, &n);
    if (rv != 0)
        return rv;
    for (size_t i = 0; i < n; i++) {
        struct sim_compaction *m = &tenants[i]->compaction;

        if (x->row->arg == CLEAR) {
            m->is_error = false;
            mem_free(m->info);
            m->info = NULL;
        } else {
            m->is_suspended = x->row->arg == SUSPEND;
        }
        if (!m->is_suspended && !m->is_error)
            step_major_resume(x->c, tenants[i]);
    }
    return cmd_ok(x);
}

/* SERVER [=] ('a', 'b') or ZONE [=] 'z': the servers that are meant; all of them where neither is said. */
static int read_servers(struct cmd *x, bool *meant)
{
    struct parse_list addresses;
    struct slice zone;
    bool bad = false, some = false;

    if (parse_words(&x->p, "SERVER")) {
        (void)parse_mark(&x->p, "="); /* may be missing */
        if (!parse_names(&x->p, true, &addresses))
            return cmd_syntax(x);
        for (size_t i = 0; i < addresses.n; i++) {
            struct sim_server *s = sim_server_at(x->c, addresses.items[i]);

            if (s == NULL || !s->is_member)
                return cmd_fail(x, 4018, "Entry not exist");
            for (size_t k = 0; k < x->c->servers.n; k++)
                meant[k] = meant[k] || x->c->servers.items[k] == s;
        }
        some = true;
    } else if (parse_option(&x->p, "ZONE", &zone, &bad)) {
        if (sim_zone_find(x->c, zone) == NULL)
            return cmd_fail(x, 4018, "Entry not exist");
        for (size_t k = 0; k < x->c->servers.n; k++)
            meant[k] = slice_is_nocase(zone, x->c->servers.items[k]->zone);
        some = true;
    }
    for (size_t k = 0; k < x->c->servers.n && !some; k++)
        meant[k] = true;
    return bad ? cmd_syntax(x) : 0;
}

static int minor_freeze(struct cmd *x)
{
    bool *meant = arena_array(&x->arena, x->c->servers.n + 1, sizeof *meant);
    struct sim_tenant **tenants;
    int64_t tablet;
    size_t n;
    int rv = cmd_tenants(x, &tenants, &n);

    if (rv == 0 && parse_words(&x->p, "TABLET_ID") && !cmd_i64_after_equal(x, &tablet))
        rv = cmd_syntax(x);
    if (rv == 0)
        rv = read_servers(x, meant);
    if (rv == 0)
        rv = cmd_end(x);
    for (size_t k = 0; k < x->c->servers.n && rv == 0; k++)
        if (meant[k] && x->c->servers.items[k]->is_member)
            (void)sim_schedule(x->c, SIM_STEP_MINOR, x->c->servers.items[k]->id);
    return rv != 0 ? rv : cmd_ok(x);
}

#define ROW(WORDS, RUN, ARG) { "ALTER SYSTEM " WORDS, RUN, CMD_ORACLE, SIM_P(ALTER_SYSTEM), ARG }
const struct cmd_row cmd_compaction_rows[] = {
    ROW("MAJOR FREEZE", major_freeze, 0),
    ROW("SUSPEND MERGE", merge, SUSPEND),
    ROW("RESUME MERGE", merge, RESUME),
    ROW("CLEAR MERGE ERROR", merge, CLEAR),
    ROW("MINOR FREEZE", minor_freeze, 0),
    { "", NULL, 0, 0, 0 },
};
