/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates of agents are replaced long before they end:
 *
 *   agents that answer and whose certificate ends soon --> each, some side by side: issued --> the agent takes it --> recorded
 *
 * What was cut short is done again the next time: the row says what was recorded, and an agent that took one unrecorded takes another. */
#include "src/host/renew.h"

#include <string.h>

#include "src/base/clock.h"
#include "src/host/agent.h"
#include "src/host/inside.h"
#include "src/io/fiber.h"
#include "src/node/authority.h"
#include "src/store/leader.h"
#include "src/store/ocpcluster.h"
#include "src/task/domains.h"

ERR_DEFINE(ERR_HOST_CERTIFICATE, 90517, 500, ERR_RETRY,
           "The certificate of the agent on the host {0} ends at {1} and could not be renewed: {2}. It is tried again each hour; when it has ended, install the agent anew.",
           "主机 {0} 上 Agent 的证书将于 {1} 到期，更新失败：{2}。系统每小时重试；若证书已到期，请重新安装 Agent。");
const struct err_row *const host_renew_err_rows[] = { &ERR_HOST_CERTIFICATE, NULL };

enum { RENEWALS_AT_ONCE = 8, CALL_MS = 30000 };

bool host_renewal_is_due(const struct host_agent *a, int64_t now_us)
{
    return a->expires_us != FIELD_NONE && a->expires_us - now_us < (int64_t)HOST_RENEW_BEFORE_DAYS * 86400 * 1000000;
}

struct renewal {
    struct hosts *hosts;
    struct db *db;
    const struct ocpcluster *cluster;
    int64_t epoch;
    const struct host_agent *agent;
    struct certificate_facts facts;
    struct err failed;
};

static int write_body(struct tx *tx, void *data, struct err *e)
{
    const struct renewal *r = data;

    return store_host_agent_renewed(tx, r->agent->host_id, r->facts.serial, r->facts.expires_us, e);
}

static int hand_over(struct renewal *r, const struct identity *fresh, struct arena *arena, struct err *e)
{
    const struct agent_renewal ask = { .epoch = r->epoch, .certificate = fresh->certificate, .key = fresh->key };
    struct agent_certificate taken;
    struct agent_client *client;
    struct agent_at at;
    int64_t former;
    int rv = host_agent_at(r->db, r->agent->host_id, arena, &at, e);

    if (rv == 0)
        rv = host_client(r->hosts, &client, e);
    if (rv != 0)
        return rv;
    former = fiber_narrow_deadline(CALL_MS);
    rv = agent_renew(client, &at, &ask, arena, &taken, e);
    fiber_restore_deadline(former);
    return rv;
}

static int renew(struct renewal *r, struct arena *arena, struct err *e)
{
    struct identity fresh;
    int rv = node_authority_issue_agent(r->hosts->conf.vault, r->cluster, r->agent->host_id, arena, &fresh, e);

    if (rv != 0)
        return rv;
    rv = authority_read(fresh.certificate, &r->facts, e);
    if (rv == 0)
        rv = hand_over(r, &fresh, arena, e);
    mem_wipe(fresh.key, strlen(fresh.key));
    return rv == 0 ? db_transact(r->db, write_body, r, e) : rv;
}

static void renew_fiber(void *data)
{
    struct renewal *r = data;
    struct arena arena;
    struct err why = { 0 };
    char text[512], until[CLOCK_TEXT_SIZE];

    arena_init(&arena);
    r->failed.row = NULL;
    if (renew(r, &arena, &why) != 0) {
        (void)err_set(&r->failed, &ERR_HOST_CERTIFICATE, "%s", r->agent->ip);
        (void)err_arg(&r->failed, "%s", clock_iso(r->agent->expires_us, CLOCK_Z, until));
        (void)err_arg(&r->failed, "%s", err_text(&why, ERR_EN, text, sizeof text));
    }
    arena_fini(&arena);
}

/* One that fails keeps no other from its own; the first failure is told. */
static int renew_some(struct renewal *some, size_t n, struct err *failed, struct err *e)
{
    int rv = fiber_each("renew a certificate", renew_fiber, some, sizeof *some, n, e);

    for (size_t i = 0; rv == 0 && i < n; i++)
        if (some[i].failed.row != NULL && failed->row == NULL)
            *failed = some[i].failed;
    return rv;
}

/* Those that do not answer are left for when they are back: their status says so already. */
static size_t keep_due(struct host_agent *agents, size_t n, int64_t now_us)
{
    size_t k = 0;

    for (size_t i = 0; i < n; i++)
        if (host_renewal_is_due(&agents[i], now_us) && strcmp(agents[i].status, "AVAILABLE") == 0)
            agents[k++] = agents[i];
    return k;
}

static int renew_all(struct hosts *h, struct db *d, struct arena *arena, struct err *e)
{
    struct renewal some[RENEWALS_AT_ONCE];
    struct ocpcluster *cluster = NULL;
    struct leadership leader;
    struct host_agent *agents;
    struct err failed = { 0 };
    int64_t claimed_us;
    size_t n = 0;
    int rv = store_ocpcluster_find(d, arena, &cluster, e);

    if (rv == 0)
        rv = store_host_agent_all(d, arena, &agents, &n, e);
    if (rv == 0)
        rv = leader_read(d, &leader, &claimed_us, e);
    if (rv != 0 || cluster == NULL)
        return rv;
    n = keep_due(agents, n, clock_wall_us(h->conf.clock));
    for (size_t i = 0; rv == 0 && i < n; i += RENEWALS_AT_ONCE) {
        size_t k = n - i < RENEWALS_AT_ONCE ? n - i : RENEWALS_AT_ONCE;

        for (size_t j = 0; j < k; j++)
            some[j] = (struct renewal){ .hosts = h, .db = d, .cluster = cluster, .epoch = leader.epoch, .agent = &agents[i + j] };
        rv = renew_some(some, k, &failed, e);
    }
    if (rv == 0 && failed.row != NULL) {
        *e = failed;
        rv = failed.row->code;
    }
    return rv;
}

int host_renew_certificates(struct db *d, void *data, struct err *e)
{
    const struct domain_graph *g = data;
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = renew_all(g->hosts, d, &arena, e);
    arena_fini(&arena);
    return rv;
}
