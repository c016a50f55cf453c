/* SPDX-License-Identifier: Apache-2.0 */
/* host.h - rules about hosts and the places where they stand. One struct hosts for the process; from fibers of any loop. */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "src/store/host.h"
#include "src/store/place.h"
#include "src/host/check.h"
#include "src/task/engine.h"
#include "src/task/schedules.h"
#include "src/vault/vault.h"

struct node_home;
struct parameters;
struct settings_box;
struct hosts;

ERR_DECLARE(ERR_HOST_USED);       /* 7004 {0} host, {1} what uses it */
ERR_DECLARE(ERR_HOST_IDC_FIXED);  /* 7035 {0} host: its IDC cannot change while something runs there */
ERR_DECLARE(ERR_HOST_CREDENTIAL); /* 7016 {0} id: there is no such credential, or it is not for hosts */
ERR_DECLARE(ERR_HOST_ADDRESS);    /* {0} address: no IP address */
ERR_DECLARE(ERR_HOST_EXISTS);     /* {0} address */
extern const struct err_row *const host_err_rows[], *const host_flow_err_rows[];

struct hosts_conf {
    const struct vault *vault;               /* borrowed, as all: outlive the hosts */
    struct work_pool *connect_pool, *long_pool;
    struct parameters *parameters;
    const struct node_home *home;            /* whose certificate agents are shown */
    struct settings_box *settings;           /* agent.probe_interval; may change at any time */
    const struct clock *clock;
    const char *program_dir;                 /* where the programs of agents are (program.h); copied */
};
/* Errors: NOMEM. */
MUST_CHECK int hosts_new(const struct hosts_conf *conf, struct hosts **out, struct err *e);
/* When no loop uses it any more. NULL is fine. */
void hosts_free(struct hosts *h);

#define HOST_TYPE_DEFAULT "default"

/* NULL when `name` may be given to a region, IDC or host type, else what is wrong with it. Pure. */
const char *place_name_problem(const char *name);

/* Makes a host type; "" stands for the built-in type "default", which is returned if it exists. Errors: NAME_USED, those of db_transact. */
MUST_CHECK int host_type_add(struct db *d, const char *name, const char *description, struct arena *arena, struct host_type *out, struct err *e);

struct host_add {
    const char *const *ips, *const *serial_numbers; /* n of each; a serial number may be NULL */
    size_t n;
    int64_t ssh_port, idc_id, type_id, credential_id;
    const char *kind, *publish_ports, *alias, *description;
    int64_t user_id;                     /* who adds them */
    const char *username;
    const char *node;                    /* this node */
};
/* May these hosts be added? Looks at all of them at once and changes nothing: every reason against it. Returns 0 also when there are reasons:
 * *n_failed. Errors: HOST_ADDRESS, HOST_CREDENTIAL, INVALID, NOMEM, CANCELLED, BUSY, those of db_read. */
MUST_CHECK int host_precheck(struct hosts *h, struct db *d, const struct host_add *asked, struct arena *arena, struct host_finding **out, size_t *n,
                             size_t *n_failed, struct err *e);
/* Adds the hosts (NEW) and the task that looks at them and installs their agents, in one transaction: all or none. `ids` gets n host ids.
 * Errors: HOST_ADDRESS, HOST_EXISTS, HOST_CREDENTIAL, NOT_FOUND (IDC, type), INVALID (an address twice), those of db_transact. */
MUST_CHECK int host_add(struct db *d, const struct host_add *asked, struct arena *arena, int64_t *ids, int64_t *task_id, struct err *e);

/* What is to be done with hosts that are there. */
enum host_task { HOST_DELETE, HOST_INSTALL, HOST_STOP_AGENT, HOST_RESTART_AGENT, HOST_UPGRADE_AGENT };
struct host_work {
    enum host_task what;
    const int64_t *ids;
    size_t n;
    bool force;                          /* HOST_DELETE: they are gone for good, so nothing is removed there */
    int64_t user_id;
    const char *username;
    const char *node;                    /* this node */
};
/* Starts one task for all of them, which holds the locks "host ID". Deleted hosts are DELETING until it has ended, and are refused while
 * anything uses them. Errors: NOT_FOUND, HOST_USED, HOST_NO_AGENT (stop, restart), TASK_LOCKED, those of db_transact. */
MUST_CHECK int host_start(struct db *d, const struct host_work *w, struct arena *arena, int64_t *task_id, struct err *e);

/* What is to be changed; NULL and FIELD_NONE: stays. */
struct host_change {
    const char *alias, *description, *kind, *publish_ports;
    int64_t ssh_port, idc_id, type_id, credential_id;
    int64_t user_id;                     /* who changes: whose credential it is */
};
/* Errors: NOT_FOUND (also IDC and type), HOST_CREDENTIAL, HOST_IDC_FIXED, those of db_transact. */
MUST_CHECK int host_change(struct db *d, int64_t id, const struct host_change *c, struct arena *arena, struct err *e);
/* The host's SSH server shows another key than the pinned one: from now on this one counts. "" forgets it, so that the next contact pins what it
 * finds. Errors: NOT_FOUND, INVALID (no fingerprint), those of db_transact. */
MUST_CHECK int host_accept_key(struct db *d, int64_t id, const char *fingerprint, struct err *e);
/* The key that its SSH server shows now. Errors: NOT_FOUND, SSH_AWAY, HOST_SILENT, BUSY, CANCELLED, those of db_read. */
MUST_CHECK int host_present_key(struct hosts *h, struct db *d, int64_t id, struct arena *arena, const char **fingerprint, struct err *e);

/* Job of the leader, to be called each second: when agent.probe_interval is over asks every agent and records what it says; then the states of
 * hosts follow. Errors: those of db_read. */
MUST_CHECK int host_watch(struct hosts *h, struct db *d, struct err *e);

/* What is done by the clock. */
extern const struct schedule host_schedules[];
/* Flows of this domain; ends with NULL. */
extern const struct task_flow *const host_flows[];

#endif
