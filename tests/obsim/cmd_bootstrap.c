/* SPDX-License-Identifier: Apache-2.0 */
/* ALTER SYSTEM BOOTSTRAP [REGION [=] 'r'] ZONE [=] 'z' [IDC [=] 'i'] SERVER [=] 'ip:port' [, ...]
 *
 *   every process named is alive, empty, of this zone, knows of the root service ──▶ the step BOOTSTRAP makes them a cluster;
 *   the client waits for it. One that is unreachable: 4012, as the kernel answers when its calls come to nothing. */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tests/obsim/cmd.h"

struct wish {
    struct slice zone, region, idc, address;
};

static int read_wish(struct cmd *x, struct wish *w)
{
    bool bad = false;

    *w = (struct wish){ .region = SLICE("sys_region"), .idc = SLICE("") };
    (void)parse_option(&x->p, "REGION", &w->region, &bad); /* `bad` tells */
    if (!parse_option(&x->p, "ZONE", &w->zone, &bad) || w->zone.n == 0 || w->zone.n >= SIM_NAME)
        return cmd_syntax(x);
    (void)parse_option(&x->p, "REGION", &w->region, &bad); /* it may stand here, too */
    (void)parse_option(&x->p, "IDC", &w->idc, &bad);       /* may be missing */
    if (bad || !parse_option(&x->p, "SERVER", &w->address, &bad))
        return cmd_syntax(x);
    return 0;
}

static int check_server(struct cmd *x, const struct wish *w, const struct sim_server *s)
{
    if (s == NULL || !s->is_alive || !s->knows_rootservice)
        return cmd_fail(x, 4012, "Timeout, query has reached the maximum query timeout");
    if (s->id != 0)
        return cmd_fail(x, 4016, "Internal error: server \"%s:%d\" is not empty", s->ip, s->rpc_port);
    if (!slice_is_nocase(w->zone, s->zone))
        return cmd_fail(x, 4631, "Server zone not match");
    for (size_t i = 0; i < x->c->founders.n; i++)
        if (x->c->founders.items[i]->server == s || slice_is_nocase(w->zone, x->c->founders.items[i]->zone))
            return cmd_fail(x, 1210, "Incorrect arguments to bootstrap");
    return 0;
}

static int note_founder(struct cmd *x, const struct wish *w)
{
    struct sim_server *s = sim_server_at(x->c, w->address);
    struct sim_founder *f;
    int rv = check_server(x, w, s);

    if (rv != 0)
        return rv;
    f = sim_push(&x->c->founders);
    sim_name(f->zone, w->zone);
    sim_name(f->region, w->region);
    sim_name(f->idc, w->idc);
    f->server = s;
    return 0;
}

/* It takes several times as long as other steps. */
static int64_t start(struct cmd *x)
{
    enum { TIMES = 5 };
    struct sim_step *step = sim_schedule(x->c, SIM_STEP_BOOTSTRAP, 0);

    step->at_us = x->c->now_us + TIMES * (step->at_us - x->c->now_us);
    return step->at_us;
}

static int bootstrap(struct cmd *x)
{
    struct wish wishes[PARSE_LIST_MAX];
    size_t n = 0;
    int rv = 0;

    do
        rv = n < PARSE_LIST_MAX ? read_wish(x, &wishes[n++]) : cmd_syntax(x);
    while (rv == 0 && parse_mark(&x->p, ","));
    if (rv == 0)
        rv = cmd_end(x);
    if (rv != 0)
        return rv;
    if (x->c->is_bootstrapped || x->c->founders.n > 0)
        return cmd_fail(x, 4015, "Incorrect operation: the cluster has been bootstrapped");
    for (size_t i = 0; i < n && rv == 0; i++)
        rv = note_founder(x, &wishes[i]);
    if (rv != 0) {
        sim_clear(&x->c->founders);
        return rv;
    }
    x->out->until_us = start(x);
    if (x->c->held[SIM_STEP_BOOTSTRAP])
        x->out->takes_us = INT64_MAX / 2; /* it will not have come by ob_query_timeout */
    return cmd_ok(x);
}

const struct cmd_row cmd_bootstrap_rows[] = {
    { "ALTER SYSTEM BOOTSTRAP", bootstrap, CMD_SYS, SIM_P(ALTER_SYSTEM), 0 },
    { "", NULL, 0, 0, 0 },
};
