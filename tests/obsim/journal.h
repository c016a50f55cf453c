/* SPDX-License-Identifier: Apache-2.0 */
/* journal.h - one cluster, played by several processes: each has a replica of it, and what they share is a file of what happened.
 *
 *   FOLDER/NAME-ID/journal.jsonl    first line: the cluster when nothing had happened. Then one line for each thing that changes it: a process
 *                                   came ("up"), is gone ("down"), a statement that may change something ("sql"), a command of the tests
 *                                   ("ctl"), a fault that struck ("struck"); each with the cluster's time, which is that of all processes.
 *   FOLDER/waiting.jsonl            commands that each cluster begins with
 *   FOLDER/NAME-ID/alive-IP-PORT    locked by its process as long as that lives, touched as long as it runs
 *   FOLDER/NAME-ID/trace.jsonl      the statements of all servers
 *
 * The state of a cluster follows from its seed and from what happened, and when; so every replica that has read the same lines is the same.
 * Whoever takes the lock of the program (world_lock) takes that of the journal, too, and has read it to the end. */
#ifndef OBSIM_JOURNAL_H
#define OBSIM_JOURNAL_H

#include <jansson.h>

#include "tests/obsim/world.h"

struct sim_journal;

struct journal_conf {
    const char *folder;                /* that of all clusters; made when it is missing */
    struct sim_cluster_conf cluster;   /* of whom it is when it is not there yet; delays at speed 1 */
    double speed;
    int64_t lease_us;                  /* a process that does not touch its file for so long is dead for the others */
};

/* Opens the journal of the cluster, makes it when there is none, makes the world's one deployment of it, with one observer, that of this
 * process (which is no server yet), and reads it. NULL: a line on
 * stderr says why. The world takes it over. */
struct sim_journal *journal_open(struct sim_world *w, const struct journal_conf *conf);
void journal_close(struct sim_journal *j);
/* The cluster's folder, as a descriptor and as a path. */
int journal_folder(const struct sim_journal *j);
const char *journal_path(const struct sim_journal *j);

/* By world_lock and world_unlock. The journal that was removed stays as it was read: journal_is_gone. */
void journal_enter(struct sim_journal *j);
void journal_leave(struct sim_journal *j);
bool journal_is_gone(const struct sim_journal *j);
/* Microseconds since 1970 by a clock that all processes share and nobody sets; while lines are read, the time of the line. */
int64_t journal_now(const struct sim_journal *j);

/* --- under the lock ------------------------------------------------------------------------------------------------------------- */

/* Does what the record says, here and in all replicas. Takes the reference; a time is added. */
void journal_record(struct sim_journal *j, json_t *record);
/* The same, when it is done here by the caller: takes the reference; the time is that of the cluster. */
void journal_note(struct sim_journal *j, json_t *record);
/* Notes a statement that the session is about to run. */
void journal_statement(struct sim_journal *j, const struct sim_session *s, struct slice sql);
struct sim_fault;
void journal_struck(struct sim_journal *j, const struct sim_fault *f);

/* --- life (journal_life.c) ------------------------------------------------------------------------------------------------------- */

/* Locks the file that says that the server ip:rpc_port lives, for as long as the process does. False, with errno: EWOULDBLOCK when another
 * process is that server. Before it is up. */
bool journal_live(struct sim_journal *j, const char *ip, int rpc_port);
/* Touches that file; notes who died meanwhile, and the return of `own`, when the others had it for dead. Under the lock. */
void journal_beat(struct sim_journal *j, struct sim_server *own);

/* --- records (journal_record.c) --------------------------------------------------------------------------------------------------- */

/* Does what a record of the journal says to this replica. */
void record_apply(struct sim_deployment *d, const json_t *record);

#endif
