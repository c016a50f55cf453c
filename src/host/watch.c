/* SPDX-License-Identifier: Apache-2.0 */
/* The leader asks all agents. */
#include "conf/settings.h"
#include "src/base/clock.h"
#include "src/host/agent.h"
#include "src/host/inside.h"
#include "src/host/renew.h"
#include "src/io/fiber.h"
#include "src/store/leader.h"
#include "src/store/ocpcluster.h"

enum { LOOKS_AT_ONCE = 32 };

struct looking {
    struct hosts *hosts;
    struct db *db;
    const struct host_agent *agent;
    const char *ocp_id;
    int64_t epoch;
    struct err failed;
};

static void look(void *data)
{
    struct looking *k = data;
    struct arena arena;

    arena_init(&arena);
    if (host_look(k->hosts, k->db, k->agent, k->ocp_id, k->epoch, &arena, &k->failed) == 0)
        k->failed.row = NULL;
    arena_fini(&arena);
}

/* Some at a time: agents that do not answer cost their deadline side by side. */
static int look_at_some(struct looking *some, size_t n, struct err *e)
{
    int rv = fiber_each("look at an agent", look, some, sizeof *some, n, e);

    for (size_t i = 0; rv == 0 && i < n; i++)
        if (some[i].failed.row != NULL) {
            *e = some[i].failed;
            rv = e->row->code;
        }
    return rv;
}

static int watch(struct hosts *h, struct db *d, struct arena *arena, struct err *e)
{
    struct looking some[LOOKS_AT_ONCE];
    struct ocpcluster *cluster = NULL;
    struct leadership leader;
    struct host_agent *agents;
    int64_t claimed_us;
    size_t n;
    int rv = store_ocpcluster_find(d, arena, &cluster, e);

    if (rv == 0)
        rv = store_host_agent_all(d, arena, &agents, &n, e);
    if (rv == 0)
        rv = leader_read(d, &leader, &claimed_us, e);
    if (rv != 0 || cluster == NULL)
        return rv;
    for (size_t i = 0; rv == 0 && i < n; i += LOOKS_AT_ONCE) {
        size_t k = n - i < LOOKS_AT_ONCE ? n - i : LOOKS_AT_ONCE;

        for (size_t j = 0; j < k; j++)
            some[j] = (struct looking){ h, d, &agents[i + j], cluster->cluster, leader.epoch, { 0 } };
        rv = look_at_some(some, k, e);
    }
    return rv == 0 ? store_host_follow_agents(d, e) : rv;
}

int host_watch(struct hosts *h, struct db *d, struct err *e)
{
    const struct settings *now = settings_get(h->conf.settings);
    int64_t interval_ms = now->agent.probe_interval_ms;
    struct arena arena;
    int rv;

    settings_put(now);
    if (h->watched_ms != 0 && clock_now_ms(h->conf.clock) - h->watched_ms < interval_ms)
        return 0;
    h->watched_ms = clock_now_ms(h->conf.clock);
    arena_init(&arena);
    rv = watch(h, d, &arena, e);
    arena_fini(&arena);
    return rv;
}

const struct schedule host_schedules[] = {
    { .name = "check-host-status", .title = "Check host status",
      .doc = "Asks the agent of every host whether it is there, and records its processes; as often as agent.probe_interval says.",
      .cron = "0 * * * * *" },
    { .name = "renew-agent-certificates", .title = "Renew certificates of agents",
      .doc = "Gives every agent that answers another certificate when half of the present one's year is over.",
      .cron = "0 23 * * * *", .timeout_ms = 600000, .run = host_renew_certificates },
    { .name = NULL },
};
