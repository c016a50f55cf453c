/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a script on hosts, which must not happen twice, and then ends as the test wants it (trial_control, target: host id). */
#include <stdlib.h>

#include "src/host/agent.h"
#include "tests/flows/flows.h"

static void plan(struct plan *p, const void *data)
{
    const struct errand *t = data;

    plan_each(p, "run script", t->hosts, t->n, 0);
}

static int run_script(struct task_run *r, struct err *e)
{
    const struct agent_run_script args = { .script = task_get_arg(r, "script") };
    struct agent_script_answer answer;
    struct task_host *h;
    int rv = host_of_step(r, strtoll(task_target(r), NULL, 10), &h, e);

    if (rv == 0)
        rv = task_host_command(h, "run_script", &args, &answer, e);
    return rv == 0 ? trial_fail(r, "pass", e) : rv;
}

static const struct task_step steps[] = {
    { "run script", "Run the script.", 120, run_script, .retries = 50 },
    { .name = NULL },
};
const struct task_flow flow_errand = { "errand", 9003, steps, .plan = plan };
