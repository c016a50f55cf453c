/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - sessions on the servers of a cluster (oceanbase.GV$OB_PROCESSLIST, V$OB_PROCESSLIST) and ending them. */
#ifndef OCEANBASE_SESSION_H
#define OCEANBASE_SESSION_H

#include "src/io/sql.h"

enum { OB_SESSION_INFO_MAX = 16384 };

struct ob_session {
    int64_t id;
    const char *user, *host, *db, *command, *state, *info, *sql_id, *client_ip; /* db NULL: none; info: its first OB_SESSION_INFO_MAX characters */
    double time_s;              /* in the present state */
    double total_time_s;        /* of the statement, retries included */
    const char *trans_state;    /* "" or NULL: no transaction */
    int64_t trans_id;           /* 0: none */
    const char *trace_id;
    const char *tenant;         /* NULL: this kernel has one tenant */
    const char *ip;             /* of the server it is on; NULL: this kernel is one server */
    int64_t port, sql_port;     /* RPC and SQL; 0: likewise */
};

/* On all servers, by id; `tenant` NULL: of all tenants. Errors: those of sql_run. */
MUST_CHECK int ob_sessions_list(struct sql *s, const char *tenant, struct arena *arena, struct ob_session **out, size_t *n, struct err *e);

ERR_DECLARE(ERR_OB_SESSION_UNKNOWN); /* {0} id (server error 1094) */
extern const struct err_row *const ob_session_err_rows[];
/* Ends the session of the server behind `s`, or with `query` only what it is doing. Errors: OB_SESSION_UNKNOWN, those of sql_run. */
MUST_CHECK int ob_session_kill(struct sql *s, int64_t id, bool query, struct err *e);

#endif
