/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - one logged-in connection to a simulated server: who, where, its variables, and the run of one statement.
 *
 *   wire.c: COM_QUERY ─▶ session_run ─▶ lock, time passes, faults ─▶ SELECT: select_run, else command_run ─▶ unlock
 *                            └─▶ waits as long as the reply takes; over ob_query_timeout: 4012; KILL: 1317, or the end
 *
 * All members but `observer` and `conn` are read and written under the lock of the program (world.h), which is held while statements run. */
#ifndef OBSIM_SESSION_H
#define OBSIM_SESSION_H

#include "tests/obsim/reply.h"
#include "tests/obsim/state.h"

struct sim_conn;     /* conn.h */
struct sim_observer; /* the process that was connected to: world.h */

/* What becomes of the connection after a statement. */
enum sim_ending {
    SIM_ANSWER,       /* the reply is sent, and it goes on */
    SIM_ANSWER_LAST,  /* the reply is sent, then it ends */
    SIM_LOST,         /* it ends without a reply */
    SIM_CUT,          /* it is reset in the middle of the reply */
    SIM_SILENT,       /* there is no reply, and it stays open */
};

struct sim_session {
    struct sim_observer *observer;
    struct sim_conn *conn;            /* borrowed; NULL: made by the control socket, waits for nothing */
    struct sim_cluster *cluster;
    struct sim_server *server;        /* the one connected to */
    int64_t tenant_id;
    struct sim_tenant *tenant;        /* valid while a statement runs: looked up before each */
    struct sim_client *client;        /* its row in cluster->clients; holds id, user as logged in, current database */
    char user[SIM_NAME];              /* name of the account */
    char account_host[SIM_NAME];      /* and its host: '%' */
    char peer_ip[64];
    struct sim_values variables;      /* values of this session that differ from the tenant's */
    int64_t now_us;                   /* clock of the server at the start of the statement: with its skew */
    uint64_t insert_id;
    uint64_t affected;                /* by the last statement: ROW_COUNT() */
    int64_t sleep_us;                 /* asked for by SLEEP() in the statement */
};

/* The value of a system variable for this session: its own, else the tenant's, else the default. NULL: there is no such variable. */
const char *session_variable(const struct sim_session *s, const char *name);
/* Its number; `otherwise` when there is none. */
int64_t session_number(const struct sim_session *s, const char *name, int64_t otherwise);
/* Offset of its time_zone from UTC in minutes. */
int session_zone_min(const struct sim_session *s);
/* "2026-11-20 08:05:09.123456" in its time zone; `buf` holds at least 32 bytes. */
const char *session_time(const struct sim_session *s, int64_t us, char *buf);
/* Has the account of the session this privilege (SIM_P) on *.*, or on `database` when it is not ""? */
bool session_may(const struct sim_session *s, uint64_t privilege, const char *database);

/* A session of the account on the observer, with its row in clients; `account` NULL: root. Under the lock. */
struct sim_session *session_new(struct sim_observer *o, struct sim_tenant *t, const struct sim_user *account, const char *peer);
/* Under the lock. */
void session_free(struct sim_session *s);
/* What the session had set is forgotten (COM_RESET_CONNECTION). Under the lock. */
void session_reset(struct sim_session *s);

/* KILL has marked sessions, here or on another server: the connections of this process are told. Under the lock. */
struct sim_deployment;
void session_tell_victims(struct sim_deployment *d);

/* Runs one statement and fills the reply; waits as described above. Without the lock: it is taken and given back inside. */
enum sim_ending session_run(struct sim_session *s, struct slice sql, struct sim_reply *out);

#endif
