/* SPDX-License-Identifier: Apache-2.0 */
#include "api/metrics.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/tables.h"
#include "ha/drive/drive.h"
#include "ha/drive/leases.h"
#include "src/audit/audit.h"
#include "src/iam/iam.h"
#include "src/io/work.h"
#include "src/task/engine.h"

struct metric {
    const char *name, *type, *doc;
    void (*write)(struct str *t, const struct metric *m, const struct api_shared *s);
};

static void line(struct str *t, const char *name, const char *labels, double v)
{
    str_add(t, name);
    if (labels[0] != '\0')
        str_printf(t, "{%s}", labels);
    str_add_c(t, ' ');
    json_add_double(t, v);
    str_add_c(t, '\n');
}

/* Calls fn for every loop with the label of the loop. */
static void per_loop(struct str *t, const struct metric *m, const struct api_shared *s, double (*read)(const struct api *a))
{
    char labels[32];

    for (unsigned i = 0; i < s->n_loops; i++) {
        (void)snprintf(labels, sizeof labels, "loop=\"%u\"", i);
        line(t, m->name, labels, read(s->loops[i]));
    }
}

#define PER_LOOP(NAME, EXPRESSION)                                                                  \
    static double read_##NAME(const struct api *a)                                                  \
    {                                                                                               \
        return (double)(EXPRESSION);                                                                \
    }                                                                                               \
    static void write_##NAME(struct str *t, const struct metric *m, const struct api_shared *s)     \
    {                                                                                               \
        per_loop(t, m, s, read_##NAME);                                                             \
    }

PER_LOOP(fibers, loop_stats(a->loop).fibers)
PER_LOOP(fibers_refused, loop_stats(a->loop).refused)
PER_LOOP(busy, (double)loop_stats(a->loop).busy_us / 1e6)
PER_LOOP(longest, (double)loop_stats(a->loop).longest_us / 1e6)
PER_LOOP(connections, http_server_stats(a->http).connections)
PER_LOOP(in_flight, http_server_stats(a->http).in_flight)
PER_LOOP(http_received, http_server_stats(a->http).received_bytes)
PER_LOOP(http_sent, http_server_stats(a->http).sent_bytes)
PER_LOOP(http_resets, http_server_stats(a->http).resets)
PER_LOOP(http_floods, http_server_stats(a->http).floods)
PER_LOOP(forwarded, a->forwarded)
PER_LOOP(not_forwarded, a->not_forwarded)
PER_LOOP(stale, a->stale)
PER_LOOP(sql_sessions, db_stats(a->metadb).sessions)
PER_LOOP(sql_waiting, db_stats(a->metadb).waiting)
PER_LOOP(sql_statements, db_stats(a->metadb).statements)
PER_LOOP(sql_failures, db_stats(a->metadb).failures)
PER_LOOP(sql_reconnects, db_stats(a->metadb).reconnects)
PER_LOOP(sql_transactions, db_stats(a->metadb).transactions)
PER_LOOP(sql_repeated, db_stats(a->metadb).repeated)
PER_LOOP(sql_unknown, db_stats(a->metadb).unknown)

static uint64_t get(const _Atomic uint64_t *v)
{
    return atomic_load_explicit(v, memory_order_relaxed);
}

/* Requests that are no operation stand behind the routes. */
enum { COUNT_CONSOLE, COUNT_NONE, N_COUNTS };

static const struct api_route_stats *route_stats(const struct api_shared *s, const struct api *a, unsigned index)
{
    unsigned n = router_count(s->router);

    if (index < n)
        return &a->stats[index];
    return index - n == COUNT_CONSOLE ? &a->console : &a->unrouted;
}

/* Sums one route over the loops. */
static struct api_route_stats sum_route(const struct api_shared *s, unsigned index)
{
    struct api_route_stats sum;

    memset(&sum, 0, sizeof sum);
    for (unsigned i = 0; i < s->n_loops; i++) {
        const struct api_route_stats *one = route_stats(s, s->loops[i], index);

        for (unsigned k = 0; k < 6; k++)
            sum.status[k] += get(&one->status[k]);
        for (unsigned k = 0; k <= API_BUCKETS; k++)
            sum.bucket[k] += get(&one->bucket[k]);
        sum.sum_us += get(&one->sum_us);
    }
    return sum;
}

static const char *route_name(const struct api_shared *s, unsigned index)
{
    static const char *const names[N_COUNTS] = { [COUNT_CONSOLE] = "console", [COUNT_NONE] = "none" };
    unsigned n = router_count(s->router);

    return index < n ? router_at(s->router, index)->id : names[index - n];
}

static void write_requests(struct str *t, const struct metric *m, const struct api_shared *s)
{
    char labels[128];

    for (unsigned i = 0; i < router_count(s->router) + N_COUNTS; i++) {
        struct api_route_stats sum = sum_route(s, i);

        for (unsigned k = 1; k < 6; k++) {
            if (sum.status[k] == 0)
                continue;
            (void)snprintf(labels, sizeof labels, "operation=\"%s\",status=\"%uxx\"", route_name(s, i), k);
            line(t, m->name, labels, (double)sum.status[k]);
        }
    }
}

static void write_one_histogram(struct str *t, const char *name, const char *operation, const struct api_route_stats *sum)
{
    uint64_t below = 0;
    char labels[128], full[128];

    (void)snprintf(full, sizeof full, "%s_bucket", name);
    for (unsigned k = 0; k <= API_BUCKETS; k++) {
        below += sum->bucket[k];
        if (k < API_BUCKETS)
            (void)snprintf(labels, sizeof labels, "operation=\"%s\",le=\"%g\"", operation, (double)api_bucket_us[k] / 1e6);
        else
            (void)snprintf(labels, sizeof labels, "operation=\"%s\",le=\"+Inf\"", operation);
        line(t, full, labels, (double)below);
    }
    (void)snprintf(labels, sizeof labels, "operation=\"%s\"", operation);
    (void)snprintf(full, sizeof full, "%s_sum", name);
    line(t, full, labels, (double)sum->sum_us / 1e6);
    (void)snprintf(full, sizeof full, "%s_count", name);
    line(t, full, labels, (double)below);
}

static void write_durations(struct str *t, const struct metric *m, const struct api_shared *s)
{
    for (unsigned i = 0; i < router_count(s->router); i++) {
        struct api_route_stats sum = sum_route(s, i);
        uint64_t any = 0;

        for (unsigned k = 0; k <= API_BUCKETS; k++)
            any += sum.bucket[k];
        if (any > 0)
            write_one_histogram(t, m->name, route_name(s, i), &sum);
    }
}

static void write_pools(struct str *t, const struct metric *m, const struct api_shared *s)
{
    static const char *const names[] = { "crypto", "connect", "long" };
    struct work_pool *const pools[] = { s->crypto_pool, s->connect_pool, s->long_pool };
    char labels[64];

    for (unsigned i = 0; i < 3; i++) {
        struct work_stats w = work_stats(pools[i]);

        (void)snprintf(labels, sizeof labels, "pool=\"%s\",state=\"queued\"", names[i]);
        line(t, m->name, labels, w.queued);
        (void)snprintf(labels, sizeof labels, "pool=\"%s\",state=\"running\"", names[i]);
        line(t, m->name, labels, w.running);
    }
}

static void write_logins(struct str *t, const struct metric *m, const struct api_shared *s)
{
    struct iam_stats stats = iam_stats(s->iam);

    line(t, m->name, "outcome=\"remembered\"", (double)stats.remembered);
    line(t, m->name, "outcome=\"verified\"", (double)stats.verified);
    line(t, m->name, "outcome=\"stale\"", (double)stats.stale);
    line(t, m->name, "outcome=\"refused\"", (double)stats.refused);
}

static void write_login_blocks(struct str *t, const struct metric *m, const struct api_shared *s)
{
    struct iam_stats stats = iam_stats(s->iam);

    line(t, m->name, "of=\"user\"", (double)stats.blocked_users);
    line(t, m->name, "of=\"client\"", (double)stats.blocked_clients);
}

static void write_audit(struct str *t, const struct metric *m, const struct api_shared *s)
{
    line(t, m->name, "outcome=\"written\"", (double)get(&s->audit->written));
    line(t, m->name, "outcome=\"failed\"", (double)get(&s->audit->failed));
}

static void write_metadb_up(struct str *t, const struct metric *m, const struct api_shared *s)
{
    line(t, m->name, "", db_stats(s->loops[0]->metadb).down_since_ms == 0 ? 1 : 0);
}

static void write_start_time(struct str *t, const struct metric *m, const struct api_shared *s)
{
    line(t, m->name, "", (double)s->node->started_wall_us / 1e6);
}

static void write_resident(struct str *t, const struct metric *m, const struct api_shared *s)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    (void)s;
    if (f == NULL)
        return;
    if (fscanf(f, "%*s %ld", &pages) == 1)
        line(t, m->name, "", (double)pages * (double)sysconf(_SC_PAGESIZE));
    (void)fclose(f); /* it was only read */
}

static void write_build(struct str *t, const struct metric *m, const struct api_shared *s)
{
    char labels[128];

    (void)snprintf(labels, sizeof labels, "version=\"%s\",node=\"%s\",zone=\"%s\"", s->node->version, s->node->name, s->node->zone);
    line(t, m->name, labels, 1);
}

/* ---- leadership; nothing is said before the node takes part in its cluster --------------------------------------------------- */

static bool read_raft(const struct api_shared *s, struct raft_node_status *out)
{
    if (s->raft != NULL)
        raft_node_status(s->raft, out);
    return s->raft != NULL;
}

static bool read_drive(const struct api_shared *s, struct drive_status *out)
{
    if (s->drive != NULL)
        *out = drive_status(s->drive);
    return s->drive != NULL;
}

#define OF_RAFT(NAME, EXPRESSION)                                                                       \
    static void write_##NAME(struct str *t, const struct metric *m, const struct api_shared *shared)    \
    {                                                                                                   \
        struct raft_node_status s;                                                                      \
                                                                                                        \
        if (read_raft(shared, &s))                                                                      \
            line(t, m->name, "", (double)(EXPRESSION));                                                 \
    }
#define OF_DRIVE(NAME, EXPRESSION)                                                                      \
    static void write_##NAME(struct str *t, const struct metric *m, const struct api_shared *shared)    \
    {                                                                                                   \
        struct drive_status s;                                                                          \
                                                                                                        \
        if (read_drive(shared, &s))                                                                     \
            line(t, m->name, "", (double)(EXPRESSION));                                                 \
    }

#define OF_LEASES(NAME, EXPRESSION)                                                                     \
    static void write_##NAME(struct str *t, const struct metric *m, const struct api_shared *shared)    \
    {                                                                                                   \
        struct leases_stats s;                                                                          \
                                                                                                        \
        if (shared->leases == NULL)                                                                     \
            return;                                                                                     \
        s = leases_stats(shared->leases);                                                               \
        line(t, m->name, "", (double)(EXPRESSION));                                                     \
    }

#define OF_TASKS(NAME, EXPRESSION)                                                                      \
    static void write_##NAME(struct str *t, const struct metric *m, const struct api_shared *shared)    \
    {                                                                                                   \
        struct task_engine_stats s;                                                                     \
                                                                                                        \
        if (shared->tasks == NULL)                                                                      \
            return;                                                                                     \
        s = task_engine_stats(shared->tasks);                                                           \
        line(t, m->name, "", (double)(EXPRESSION));                                                     \
    }

OF_TASKS(steps_running, s.running)
OF_TASKS(steps_ran, s.ran)
OF_TASKS(steps_failed, s.failed)
OF_TASKS(steps_retried, s.retried)
OF_TASKS(steps_refused, s.refused)
OF_TASKS(steps_dispatched, s.dispatched)
OF_TASKS(steps_taken_over, s.taken_over)
OF_TASKS(steps_workers, s.workers)
OF_RAFT(raft_term, s.consensus.term)
OF_RAFT(raft_leader, s.consensus.leader)
OF_RAFT(raft_commit, s.consensus.commit)
OF_RAFT(raft_changes, s.changes)
OF_RAFT(raft_disk_free, (double)s.disk_free_mib * 1048576.0)
OF_RAFT(raft_disk_slow, (double)s.disk_slow_ms / 1000.0)
OF_DRIVE(leader_active, s.epoch != 0)
OF_DRIVE(leader_epoch, s.epoch)
OF_DRIVE(leader_activations, s.activations)
OF_LEASES(leases_held, s.held)
OF_LEASES(leases_renewals, s.renewals)
OF_LEASES(leases_failures, s.failures)
OF_LEASES(leases_lost, s.lost)
OF_LEASES(leases_granted, s.granted)
OF_LEASES(leases_moved, s.moved)
OF_LEASES(leases_refused, s.refused)

static void write_raft_members(struct str *t, const struct metric *m, const struct api_shared *shared)
{
    struct raft_node_status s;
    char labels[64];

    if (!read_raft(shared, &s))
        return;
    for (unsigned i = 0; i < s.n_peers; i++) {
        (void)snprintf(labels, sizeof labels, "member=\"%llu\"", (unsigned long long)s.peers[i].member.id);
        line(t, m->name, labels, s.peers[i].connected);
    }
}

static void write_fenced(struct str *t, const struct metric *m, const struct api_shared *s)
{
    (void)s;
    line(t, m->name, "", (double)leader_stats().fenced);
}

static void write_killed(struct str *t, const struct metric *m, const struct api_shared *s)
{
    (void)s;
    line(t, m->name, "", (double)leader_stats().killed);
}

static const struct metric metrics[] = {
    { "ocp_build_info", "gauge", "Version, name and zone of this node.", write_build },
    { "ocp_http_requests_total", "counter", "Requests by operation and class of status.", write_requests },
    { "ocp_http_request_duration_seconds", "histogram", "Time from a request's header to its reply, by operation.", write_durations },
    { "ocp_http_requests_in_flight", "gauge", "Requests being served.", write_in_flight },
    { "ocp_http_connections", "gauge", "Open client connections.", write_connections },
    { "ocp_http_received_bytes_total", "counter", "Bytes received from clients.", write_http_received },
    { "ocp_http_sent_bytes_total", "counter", "Bytes sent to clients.", write_http_sent },
    { "ocp_http_resets_total", "counter", "Requests that clients gave up.", write_http_resets },
    { "ocp_http_floods_total", "counter", "Connections ended because the client flooded them.", write_http_floods },
    { "ocp_http_forwarded_total", "counter", "Calls that the leader has answered for this node.", write_forwarded },
    { "ocp_http_not_forwarded_total", "counter", "Calls for the leader that it has not answered: 503.", write_not_forwarded },
    { "ocp_http_stale_replies_total", "counter", "Reads answered from memory because MetaDB was away.", write_stale },
    { "ocp_loop_fibers", "gauge", "Fibers alive.", write_fibers },
    { "ocp_loop_fibers_refused_total", "counter", "Fibers refused by the cap.", write_fibers_refused },
    { "ocp_loop_busy_seconds_total", "counter", "Time the loop did not wait for the kernel.", write_busy },
    { "ocp_loop_longest_turn_seconds", "gauge", "Longest turn of the loop since the last scrape.", write_longest },
    { "ocp_metadb_up", "gauge", "1 when MetaDB answered last.", write_metadb_up },
    { "ocp_sql_sessions", "gauge", "Sessions to MetaDB.", write_sql_sessions },
    { "ocp_sql_waiting", "gauge", "Fibers waiting for a session.", write_sql_waiting },
    { "ocp_sql_statements_total", "counter", "Statements sent to MetaDB.", write_sql_statements },
    { "ocp_sql_failures_total", "counter", "Statements that failed.", write_sql_failures },
    { "ocp_sql_reconnects_total", "counter", "Sessions opened again after a loss.", write_sql_reconnects },
    { "ocp_sql_transactions_total", "counter", "Transactions committed.", write_sql_transactions },
    { "ocp_sql_repeated_total", "counter", "Transactions run again after a conflict or a loss.", write_sql_repeated },
    { "ocp_sql_unknown_commits_total", "counter", "Commits whose outcome had to be found out.", write_sql_unknown },
    { "ocp_logins_total", "counter", "Requests with a login by outcome: known from before, password hashed, MetaDB away, refused.", write_logins },
    { "ocp_login_blocks_total", "counter", "Users and client addresses blocked after too many failed logins.", write_login_blocks },
    { "ocp_audit_events_total", "counter", "Changes recorded, and those that could not be.", write_audit },
    { "ocp_raft_term", "gauge", "Raft's term as this node knows it.", write_raft_term },
    { "ocp_raft_leader", "gauge", "Id of the node that this node knows to lead in Raft; 0: none.", write_raft_leader },
    { "ocp_raft_commit_index", "gauge", "Entries of the Raft log that are committed.", write_raft_commit },
    { "ocp_raft_changes_total", "counter", "Changes of role, term or leader seen.", write_raft_changes },
    { "ocp_raft_member_connected", "gauge", "1 when this node's connection to the member stands.", write_raft_members },
    { "ocp_raft_disk_free_bytes", "gauge", "Free space where the Raft log is.", write_raft_disk_free },
    { "ocp_raft_disk_slow_seconds", "gauge", "Slowest recent write of the Raft log.", write_raft_disk_slow },
    { "ocp_leader_active", "gauge", "1 when this node leads and may write.", write_leader_active },
    { "ocp_leader_epoch", "gauge", "The epoch under which it may; 0: none.", write_leader_epoch },
    { "ocp_leader_activations_total", "counter", "How often this node became the leader.", write_leader_activations },
    { "ocp_fenced_writes_total", "counter", "Transactions of this node that a newer leader's epoch has stopped.", write_fenced },
    { "ocp_leader_sessions_killed_total", "counter", "Database sessions of former leaders that this node has killed to take over.", write_killed },
    { "ocp_leases_held", "gauge", "Shards of standing work that this node does.", write_leases_held },
    { "ocp_leases_renewals_total", "counter", "Renewals of this node's leases in MetaDB.", write_leases_renewals },
    { "ocp_leases_failures_total", "counter", "Rounds with MetaDB about leases that failed.", write_leases_failures },
    { "ocp_leases_lost_total", "counter", "Leases that this node let go of because they could not be renewed in time.", write_leases_lost },
    { "ocp_leases_granted_total", "counter", "Shards that this node, as leader, has leased to somebody.", write_leases_granted },
    { "ocp_leases_moved_total", "counter", "Those of them that went from one node to another.", write_leases_moved },
    { "ocp_leases_refused_results_total", "counter", "Results of this node that came after its lease had gone elsewhere.", write_leases_refused },
    { "ocp_task_steps_running", "gauge", "Steps of tasks that run on this node.", write_steps_running },
    { "ocp_task_steps_ran_total", "counter", "Runs of steps that have ended on this node.", write_steps_ran },
    { "ocp_task_steps_failed_total", "counter", "Those that failed, or cannot tell whether they acted.", write_steps_failed },
    { "ocp_task_steps_retried_total", "counter", "Those that failed and are tried again by themselves.", write_steps_retried },
    { "ocp_task_results_refused_total", "counter", "Outcomes of this node that came after the step had been dispatched again.", write_steps_refused },
    { "ocp_task_steps_dispatched_total", "counter", "Steps that this node, as leader, has given to workers.", write_steps_dispatched },
    { "ocp_task_steps_taken_over_total", "counter", "Steps of lost workers that this node, as leader, has made ready again.", write_steps_taken_over },
    { "ocp_task_workers", "gauge", "Nodes that this node, as leader, gives steps to; 0 where it does not lead.", write_steps_workers },
    { "ocp_pool_jobs", "gauge", "Jobs of the worker pools.", write_pools },
    { "process_resident_memory_bytes", "gauge", "Resident memory.", write_resident },
    { "process_start_time_seconds", "gauge", "Start, seconds since 1970.", write_start_time },
};

void metrics_write(struct str *t, const struct api_shared *shared)
{
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
        str_printf(t, "# HELP %s %s\n# TYPE %s %s\n", metrics[i].name, metrics[i].doc, metrics[i].name, metrics[i].type);
        metrics[i].write(t, &metrics[i], shared);
    }
}

void metrics_dump(struct str *t)
{
    str_add_c(t, '[');
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++) {
        json_add_comma(t);
        str_add_c(t, '{');
        json_add_key(t, "name");
        json_add_string(t, metrics[i].name);
        json_add_key(t, "type");
        json_add_string(t, metrics[i].type);
        json_add_key(t, "doc");
        json_add_string(t, metrics[i].doc);
        str_add_c(t, '}');
    }
    str_add_c(t, ']');
}

static int get_metrics(struct call *c, struct err *e)
{
    struct http_header type = { SLICE("content-type"), SLICE("text/plain; version=0.0.4; charset=utf-8") };
    struct str t;

    str_init(&t, c->arena);
    metrics_write(&t, c->api->shared);
    if (str_failed(&t))
        return err_set(e, &ERR_NOMEM, "");
    (void)http_reply(c->rq, 200, &type, 1, (struct slice){ t.s, t.n }, NULL); /* a client that left needs no answer */
    return 0;
}

const struct route metrics_routes[] = {
    ROUTE("metrics", "GET", "/metrics", PERM_LOGIN, get_metrics, REPLY_OWN, ROUTE_OWN,
          "Metrics of this node for Prometheus; needs a login or an address on the monitoring allow-list.", .tag = "Health",
          .flags = ROUTE_MONITORING),
    ROUTE("actuator-prometheus", "GET", "/api/v2/actuator/prometheus", PERM_LOGIN, get_metrics, REPLY_OWN, ROUTE_ADDITIONAL,
          "The same under OCP's address for it.", .tag = "Health", .flags = ROUTE_MONITORING),
    ROUTE_END,
};
