/* SPDX-License-Identifier: Apache-2.0 */
/* The node among the others:
 *
 *   home opened -- a member? -- yes --> Raft runs, whether MetaDB answers or not -----------.
 *                      |                                                                    v
 *                      no --> MetaDB's schema is there --> a cluster of one is founded --> Raft runs --> may lead
 *
 * What only the leader does is in one table of jobs, and the tasks. All of it uses the leader's own sessions to MetaDB, where every
 * transaction is fenced by the epoch. */
#include "src/server_parts.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "ha/drive/drive.h"
#include "ha/drive/leases.h"
#include "raft/node.h"
#include "src/host/host.h"
#include "src/iam/iam.h"
#include "src/node/address.h"
#include "src/node/change.h"
#include "src/node/found.h"
#include "src/node/home.h"
#include "src/node/peers.h"
#include "src/node/registry.h"
#include "src/node/revoked.h"
#include "src/package/package.h"
#include "src/peer/hello.h"
#include "src/store/subtask.h"
#include "src/store/credential_offer.h"
#include "src/store/idempotency.h"
#include "src/store/session.h"
#include "src/tables.h"
#include "src/task/engine.h"

enum { RELEASE_MS = 2000, STEPS_PATIENCE_MS = 1000, STEPS_STOP_MS = 3000, MEMBERS_MS = 1000, SCHEDULES_MS = 1000, AGENTS_MS = 1000, PRUNE_MS = 600000, DAY_MS = 86400000, PACKAGES_MS = 30000, PACKAGE_IDLE_S = 900, LOGIN_HISTORY_KEEP_DAYS = 180, HAND_OVER_MS = 4000, EXIT_GIVEN_UP = RAFT_EXIT_FATAL };

/* --- the leader's work ---------------------------------------------------------------------------------------------------------------- */

static int prune(void *data, struct err *e)
{
    struct server *s = data;
    struct db *d = drive_db(s->drive);
    int rv = db_prune_outcomes(d, e);

    if (rv == 0)
        rv = store_idempotency_prune(d, e);
    if (rv == 0)
        rv = store_session_prune(d, iam_idle_ms(s->shared.iam) * 1000, e);
    if (rv == 0)
        rv = store_ratecount_prune(d, e);
    if (rv == 0)
        rv = store_login_failures_prune(d, e);
    if (rv == 0)
        rv = store_login_history_prune(d, LOGIN_HISTORY_KEEP_DAYS, e);
    if (rv == 0)
        rv = store_offer_prune(d, e);
    if (rv == 0)
        rv = leader_prune(d, e);
    if (rv == 0)
        rv = store_certificate_prune(d, e);
    if (rv == 0)
        rv = store_task_prune_old(d, s->boot->tasks.keep_ms / DAY_MS, e);
    return rv == 0 ? store_audit_prune(d, (unsigned)(s->boot->audit.keep_ms / DAY_MS), e) : rv;
}

static bool process_is_gone(int64_t node_id, void *data)
{
    const struct raft_node_status *s = data;

    for (unsigned i = 0; i < s->n_peers; i++)
        if ((int64_t)s->peers[i].member.id == node_id)
            return s->peers[i].dead;
    return false;
}

static int assign_work(void *data, struct err *e)
{
    struct server *s = data;
    struct raft_node_status status;
    struct leadership leader;

    if (!drive_leadership(s->drive, &leader))
        return 0;
    raft_node_status(s->raft, &status);
    return leases_assign(s->leases, drive_db(s->drive), &leader, process_is_gone, &status, e);
}

static int settle_members(void *data, struct err *e)
{
    struct server *s = data;

    return node_settle_members(s->raft, &s->log, e);
}

static int sweep_packages(void *data, struct err *e)
{
    struct server *s = data;

    return packages_sweep(s->domains.packages, drive_db(s->drive), PACKAGE_IDLE_S, e);
}

static int do_by_the_clock(void *data, struct err *e)
{
    struct server *s = data;

    return schedules_round(s->schedules, e);
}

static int watch_agents(void *data, struct err *e)
{
    struct server *s = data;

    return host_watch(s->domains.hosts, drive_db(s->drive), e);
}

static const struct job leader_jobs[] = {
    { "schedules", SCHEDULES_MS, 8000, do_by_the_clock, true },
    { "members", MEMBERS_MS, 5000, settle_members, true },
    { "standing work", LEASING_ROUND_MS, 5000, assign_work, true },
    { "packages", PACKAGES_MS, 300000, sweep_packages, true },
    { "agents", AGENTS_MS, 60000, watch_agents, false },
    { "prune", PRUNE_MS, 60000, prune, false },
    { NULL },
};

static void start_work(void *data)
{
    struct server *s = data;
    struct err e = { 0 };
    int rv = task_engine_start(s->shared.tasks, &e);

    if (rv == 0)
        rv = jobs_start(s->control, leader_jobs, s, &s->log, s->seed += 0x9e3779b97f4a7c15u, &s->leader_jobs, &e);
    if (rv != 0)
        log_error(&s->log, "the leader's work could not be started", LOG_E(&e));
}

static void stop_work(void *data)
{
    struct server *s = data;

    jobs_stop(s->leader_jobs);
    s->leader_jobs = NULL;
    task_engine_stop(s->shared.tasks);
}

static void given_up(const struct err *why, void *data)
{
    struct server *s = data;

    log_error(&s->log, "this node ends", LOG_E(why));
    _exit(EXIT_GIVEN_UP);
}

/* --- Raft -------------------------------------------------------------------------------------------------------------------------- */

static uint64_t reaches_metadb(void *data)
{
    const struct server *s = data;

    return s->shared.peers != NULL ? peers_reaches_metadb(s->shared.peers) : 0;
}

static int make_drive(struct server *s, const struct raft_identity *who, struct err *e)
{
    struct db_conf metadb = server_db_conf(s, false);
    struct drive_conf conf = {
        .loop = s->control, .metadb = &metadb, .log = &s->log, .generation = (int64_t)who->generation, .node_id = (int64_t)who->node,
        .node_name = s->node.name, .election_ms = (unsigned)s->boot->ha.election_timeout_ms, .start_work = start_work, .stop_work = stop_work,
        .reaches_metadb = reaches_metadb, .given_up = given_up, .data = s,
    };

    return drive_new(&conf, &s->drive, e);
}

/* Whether it is a member is for the Raft node to say. */
static bool is_welcome(const char *serial, const char *uri, void *data)
{
    (void)uri;
    return !server_is_revoked(serial, data);
}

static int make_peer_tls(struct server *s, struct err *e)
{
    struct tls_conf conf = {
        .cert_file = s->home->certificate_file, .key_file = s->home->key_file, .client_ca = s->home->authority_file, .welcome = is_welcome, .data = s,
    };

    return tls_server_new(&conf, &s->peer_tls, e);
}

static bool is_worker_dead(int64_t node_id, void *data)
{
    struct server *s = data;
    struct raft_node_status status;

    raft_node_status(s->raft, &status);
    return process_is_gone(node_id, &status);
}

static int64_t epoch(void *data)
{
    struct server *s = data;
    struct leadership leader;

    return drive_leadership(s->drive, &leader) ? leader.epoch : 0;
}

static int make_engine(struct server *s, struct err *e)
{
    struct task_engine_conf conf = {
        .flows = all_flows, .loop = s->control, .leader_db = drive_db(s->drive), .db = s->metadb, .data = &s->domains, .self = &s->self,
        .incarnation = (int64_t)((s->seed ^ (uint64_t)clock_wall_us(&clock_system)) >> 1), .log = &s->log, .kick_leader = server_kick_leader,
        .kick_worker = server_kick_worker, .is_dead = is_worker_dead, .epoch = epoch, .hooks_data = s,
    };

    struct schedules_conf clock = { .tables = all_schedules, .loop = s->control, .db = drive_db(s->drive), .data = &s->domains, .node = s->node.name,
                                    .log = &s->log };
    int rv = task_engine_new(&conf, &s->shared.tasks, e);

    return rv == 0 ? schedules_new(&clock, &s->schedules, e) : rv;
}

static void on_raft_changed(struct raft_node *raft, void *data)
{
    struct server *s = data;

    drive_changed(raft, s->drive);
}

static void on_call(int fd, void *data)
{
    server_on_call(fd, data);
}

static int start_raft(struct server *s, struct err *e)
{
    struct raft_dir_state state;
    struct raft_node_conf conf = {
        .state = &state, .address = s->peer_address, .listen = node_peer_listen(s->boot), .log = &s->log, .changed = on_raft_changed, .call = on_call, .data = s,
        .election_ms = (unsigned)s->boot->ha.election_timeout_ms, .heartbeat_ms = (unsigned)s->boot->ha.election_timeout_ms / 10,
    };
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = raft_dir_open(s->home->raft_dir, &arena, &state, &conf.dir, e);
    if (rv != 0)
        goto done;
    s->self.id = (int64_t)state.identity.node;
    rv = make_drive(s, &state.identity, e);
    if (rv == 0)
        rv = make_engine(s, e);
    if (rv == 0)
        rv = make_peer_tls(s, e);
    if (rv != 0) {
        raft_dir_close(conf.dir);
        goto done;
    }
    conf.tls = s->peer_tls;
    rv = raft_node_new(&conf, &s->raft, e);
    s->shared.raft = s->raft;
    s->shared.drive = s->drive;
    if (rv == 0)
        rv = server_meet_peers(s, e);
done:
    arena_fini(&arena);
    return rv;
}

int server_open_home(struct server *s, struct err *e)
{
    struct addr address;
    int rv = node_home_open(s->boot->data_dir, &s->home, e);

    if (rv == 0)
        rv = node_revoked_new(s->home, &s->revoked, e);
    if (rv == 0)
        rv = node_peer_address(s->boot, s->longer, &address, e);
    if (rv != 0)
        return rv;
    (void)addr_text_port(&address, s->peer_address);
    return node_home_is_member(s->home) ? start_raft(s, e) : 0;
}

/* The others go on using the address that the cluster knows. */
static void compare_address(struct server *s)
{
    struct raft_node_status status;

    raft_node_status(s->raft, &status);
    for (unsigned i = 0; i < status.n_peers; i++)
        if (status.peers[i].member.id == status.identity.node && status.n_peers > 1 && strcmp(status.peers[i].address, s->peer_address) != 0)
            log_warn(&s->log, "this node's peer address is another than its cluster knows -> remove the node and add it anew, or set peer.address",
                     LOG_S("cluster", status.peers[i].address), LOG_S("node", s->peer_address));
}

int server_take_part(struct server *s, struct err *e)
{
    struct founding f = { s->metadb, s->shared.vault, s->home, &s->self, s->peer_address };
    bool fresh;
    int rv = 0;

    if (s->raft == NULL) {
        rv = node_found_alone(&f, &fresh, e);
        if (rv == 0)
            rv = start_raft(s, e);
    }
    if (rv == 0)
        rv = server_is_current(s, e);
    if (rv == 0)
        compare_address(s);
    return rv == 0 ? node_sign_on(s->metadb, &s->self, e) : rv;
}

/* Whoever is not to lead does not begin by doing so. */
int server_may_lead(struct server *s, struct err *e)
{
    int rv = server_look_for_wishes(s, e);

    if (rv == 0)
        rv = task_engine_work(s->shared.tasks, e);
    return rv == 0 ? drive_start(s->drive, s->raft, e) : rv;
}

void server_release_work(struct server *s)
{
    int64_t former = fiber_deadline();
    struct err e = { 0 };

    if (s->leases == NULL)
        return;
    fiber_restore_deadline(INT64_MAX);
    task_engine_leave(s->shared.tasks, STEPS_PATIENCE_MS, STEPS_STOP_MS);
    (void)fiber_narrow_deadline(RELEASE_MS);
    if (node_beat(s->metadb, &s->self, true, &e) != 0)
        log_info(&s->log, "MetaDB does not know that this node stops", LOG_E(&e));
    leases_leave(s->leases);
    fiber_restore_deadline(former);
}

void server_hand_over(struct server *s)
{
    int64_t former = fiber_deadline();
    struct raft_node_status status;

    if (s->drive == NULL || s->raft == NULL)
        return;
    raft_node_status(s->raft, &status);
    if (!raft_node_has_successor(&status))
        return;
    fiber_restore_deadline(INT64_MAX);
    (void)fiber_narrow_deadline(HAND_OVER_MS);
    drive_drain(s->drive, true);
    drive_wait_drained(s->drive);
    fiber_restore_deadline(former);
}
