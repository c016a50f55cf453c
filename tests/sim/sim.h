/* SPDX-License-Identifier: Apache-2.0 */
/* sim.h - a whole cluster of nodes in one thread under one seed: virtual time, a network and disks that misbehave, and checks after every
 * event. The same seed gives the same run. */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stdint.h>

enum { SIM_NODES = 7, SIM_LOG = 1 << 14 };

/* --- chance and time ----------------------------------------------------------------------------------------------------------- */

struct sim_rng {
    uint64_t state;
};
uint32_t sim_below(struct sim_rng *r, uint32_t n); /* 0 when n is 0 */
bool sim_once_in(struct sim_rng *r, uint32_t n);

/* --- what happened, for the report ---------------------------------------------------------------------------------------------- */

/* One row per class of event that a campaign must have met: SIM_COUNTS(X(member, text)). */
#define SIM_COUNTS(X)                                                                                                       \
    X(elections, "elections") X(commits, "entries committed") X(crashes, "crashes") X(pauses, "pauses") X(partitions, "partitions") \
    X(one_way, "one-way cuts") X(resets, "connections reset") X(losses, "messages lost") X(slow_disks, "slow disks") \
    X(failed_disks, "failed disks") X(torn_metas, "crashes before term or vote were stored") X(skews, "clock jumps") \
    X(transfers, "transfers asked for") X(died, "dead leaders told of") X(added, "members added") X(promoted, "voters made") \
    X(removed, "members removed") X(claims, "epochs claimed") X(writes, "writes acknowledged") X(fenced, "writes fenced") \
    X(unknown_commits, "unknown COMMITs") X(settled_committed, "settled: had committed") X(settled_lost, "settled: had not committed") \
    X(lock_waits, "waits for locks") X(timed_out_txs, "transactions that slept too long") X(failovers, "failovers of MetaDB") \
    X(stalls, "stalls of MetaDB") X(db_cuts, "nodes cut off from MetaDB") X(moves, "leadership handed away") \
    X(grants, "shards leased") X(lease_moves, "leases that changed hands") X(asks, "owners asked to hand over") \
    X(from_dead, "leases taken from the dead") X(renewals, "renewals") X(releases, "leases given back") \
    X(run_out, "nodes that could not renew") X(stopped_acts, "pieces of work stopped in the middle") X(results, "results accepted") \
    X(refused_results, "results refused by view") X(restarts, "graceful restarts") X(db_jumps, "jumps of MetaDB's clock") \
    X(recoveries, "recoveries after most nodes were lost") X(recoveries_of_all, "recoveries after all were lost") \
    X(restores, "restores of MetaDB") X(given_up, "nodes of given-up clusters ended by their claim") \
    X(submissions, "tasks started") X(taken_keys, "keys of requests taken over") X(overtaken_keys, "requests overtaken by their repetition") \
    X(lost_replies, "replies lost for good") X(dispatches, "steps dispatched") X(adopted, "steps taken from lost workers") \
    X(reports, "outcomes recorded") X(refused_reports, "outcomes refused by dispatch") X(stopped_runs, "runs stopped as overtaken") X(cut_runs, "workers that were about to act and lost MetaDB") \
    X(meddled, "retries, skips, cancels and rollbacks") X(commands, "commands begun") X(failed_commands, "commands that failed") X(known_commands, "commands heard again") \
    X(refused_commands, "commands of older dispatches refused") X(refused_epochs, "calls of older epochs refused") \
    X(refused_incarnations, "calls for former incarnations refused") X(late_commands, "commands that came too late") \
    X(unknown_commands, "commands of which the agent cannot tell") X(buried, "commands buried before they came") \
    X(acknowledged, "results acknowledged") X(compactions, "journals compacted") X(agent_crashes, "agents that crashed") \
    X(lost_records, "records lost before they were synced") X(found_running, "commands found running by the next process") \
    X(stopped_agents, "agents stopped and continued") X(reboots, "hosts booted") X(installed_anew, "agents installed anew") \
    X(moved_steps, "steps looked at, whose agent was installed anew") X(sessions, "sessions registered") X(killed_sessions, "sessions killed") \
    X(statements, "statements executed") X(effects, "effects at targets") X(found_done, "effects of older dispatches found") \
    X(settled, "runs that settled")

struct sim_counts {
#define X(MEMBER, TEXT) uint64_t MEMBER;
    SIM_COUNTS(X)
#undef X
};

/* --- one run --------------------------------------------------------------------------------------------------------------------- */

struct sim_conf {
    uint64_t seed;
    unsigned voters;              /* founders: 3 or 5 */
    unsigned seconds;             /* of faults; a calm of sim_calm_ms follows */
};

/* Runs one seed; false when an invariant was broken: *why tells which, in words, with time and node. */
bool sim_run(const struct sim_conf *conf, struct sim_counts *counts, char why[512]);
/* One member was handed leadership and hears nobody from then on, while it is heard: it must not unseat leader after leader. Chance would take long
 * to meet that. */
bool sim_deaf_heir(const struct sim_conf *conf, struct sim_counts *counts, char why[512]);

#endif
