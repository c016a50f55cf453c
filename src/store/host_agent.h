/* SPDX-License-Identifier: Apache-2.0 */
/* host_agent.h - the agents of hosts and their processes, as they were last seen. */
#ifndef STORE_HOST_AGENT_H
#define STORE_HOST_AGENT_H

#include "src/store/list.h"

struct host_agent {
    int64_t id, host_id;
    const char *ip;                 /* read only: of the host */
    const char *version;            /* "": it was never heard of */
    const char *install_home;
    const char *listen;             /* address that it listens on */
    int64_t manager_port, monitor_port;
    const char *status;             /* AVAILABLE, RESTARTING, STOPPING, REINTSTALLING (OCP's spelling), OFFLINE, DELETED */
    const char *incarnation;        /* drawn at the installation; "": unknown */
    const char *program_sha256;     /* of what was installed */
    const char *serial;             /* of its certificate */
    int64_t expires_us;             /* end of that; FIELD_NONE */
    int64_t available_us;           /* when it answered last; FIELD_NONE: never */
    const char *problem;            /* why it does not answer; "" */
    int64_t created_us, updated_us;
};
/* Errors: NOT_FOUND, those of db_read. */
MUST_CHECK int store_host_agent_of(struct db *d, int64_t host_id, struct arena *arena, struct host_agent *out, struct err *e);
/* All of them, by host. Errors: those of list_read. */
MUST_CHECK int store_host_agent_all(struct db *d, struct arena *arena, struct host_agent **out, size_t *n, struct err *e);
/* Writes where and what it is; a host has one row: an installation anew takes it over with its id. Status, incarnation and what was seen of it
 * stay. Errors: those of tx_run. */
MUST_CHECK int store_host_agent_put(struct tx *tx, const struct host_agent *a, struct err *e);
/* NULL `from`: whatever it is. Errors: NOT_FOUND, CONFLICT (it is not `from` any more), those of tx_run. */
MUST_CHECK int store_host_agent_set_status(struct tx *tx, int64_t host_id, const char *from, const char *to, struct err *e);
/* It has answered, now: status AVAILABLE, with this version and incarnation. Errors: NOT_FOUND, those of tx_run. */
MUST_CHECK int store_host_agent_seen(struct tx *tx, int64_t host_id, const char *version, const char *incarnation, struct err *e);
/* It shows another certificate from now on. Errors: NOT_FOUND, those of tx_run. */
MUST_CHECK int store_host_agent_renewed(struct tx *tx, int64_t host_id, const char *serial, int64_t expires_us, struct err *e);
/* It runs another program from now on. Errors: NOT_FOUND, those of tx_run. */
MUST_CHECK int store_host_agent_upgraded(struct tx *tx, int64_t host_id, const char *program_sha256, struct err *e);
/* It has not: status OFFLINE if it was AVAILABLE. Safe to repeat. Errors: those of tx_run. */
MUST_CHECK int store_host_agent_missed(struct tx *tx, int64_t host_id, const char *problem, struct err *e);
/* With its processes. Safe to repeat. Errors: those of tx_run. */
MUST_CHECK int store_host_agent_delete(struct tx *tx, int64_t host_id, struct err *e);

struct host_process {
    int64_t id, host_id;
    const char *name;               /* "pos_proxy" */
    const char *kind;               /* group */
    int64_t pid;                    /* 0: it does not run */
    const char *status;             /* RUNNING, STOPPED, BACKING_OFF, WAITING */
    const char *note;               /* what it says of itself; "" */
    int64_t port;                   /* 0: none */
    int64_t started_us, active_us;  /* when it was started, and seen running last; FIELD_NONE */
    int64_t restarts;
    int64_t created_us, updated_us;
};
/* Sorted by id, name. Errors: those of list_read. */
MUST_CHECK int store_host_process_list(struct db *d, int64_t host_id, const struct store_page *page, struct arena *arena,
                                       struct host_process **out, size_t *n, int64_t *total, struct err *e);
/* Errors: NOT_FOUND (also when it is another host's), those of db_read. */
MUST_CHECK int store_host_process_get(struct db *d, int64_t host_id, int64_t id, struct arena *arena, struct host_process *out, struct err *e);
/* What was seen, at updated_us; rows are found by host and name, whose id and creation stay. `arena` is scratch. Errors: those of tx_run. */
MUST_CHECK int store_host_process_put(struct tx *tx, const struct host_process *p, size_t n, struct arena *arena, struct err *e);

#endif
