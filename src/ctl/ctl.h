/* SPDX-License-Identifier: Apache-2.0 */
/* ctl.h - one run of ocpctl, as the commands see it. Everything runs in one fiber. */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include "src/ctl/command.h"
#include "src/ctl/remote.h"

struct ctl {
    struct args args;
    struct arena arena;       /* until the end of the run */
    struct remote *remote;    /* owned */
    bool is_json;             /* --output json */
    const char *password;     /* of the user; NULL without login. In the arena */
    char message[REMOTE_MESSAGE_SIZE]; /* what the server said when it refused */
    int status;               /* exit status of a run without error */
};

/* Text of an option; NULL when it was not given. */
const char *ctl_option(const struct ctl *c, enum option option);
/* Operand `n`, counted from 0; NULL when it was left out. */
const char *ctl_operand(const struct ctl *c, unsigned n);

/* Path with each "{WORD}" replaced by the operand of that name, percent-encoded; "{CLUSTER}", "{TENANT}" and "{NODE}" may be
 * given as number or as name, and a name is looked up. "{TENANT}" may also be the option --tenant; where neither is given "/tenants/{TENANT}"
 * is left out. Options that have a query name are appended. Errors: those of remote, NOT_FOUND. */
MUST_CHECK int ctl_path(struct ctl *c, const char *path, const char **out, struct err *e);

/* The commonest command: GET command->path, shown by command->columns. */
int ctl_get(struct ctl *c, struct err *e);
/* Prints data: as it is (JSON), else a list as a table and an object as one line per column. */
int ctl_show(struct ctl *c, const json_t *data, const struct column *columns, struct err *e);
/* Prints "sentence" unless the output is JSON, which gets `data`. */
int ctl_done(struct ctl *c, const json_t *data, const char *sentence, struct err *e);

/* Follows a task to its end and sets the exit status. Errors: those of remote, TIMEOUT (--timeout is over). */
int ctl_wait_task(struct ctl *c, int64_t id, struct err *e);

/* `body` (takes it) as text in the arena; NULL when memory is out. */
const char *ctl_dump(struct ctl *c, json_t *body, struct err *e);
/* Sends `body` (takes it; NULL for a DELETE) and then says one sentence. `path` as for ctl_path. Errors: those of remote. */
int ctl_change(struct ctl *c, const char *method, const char *path, json_t *body, const char *sentence, struct err *e);
/* The same for what starts a task: says which, or follows it with --wait. */
int ctl_start(struct ctl *c, const char *path, json_t *body, struct err *e);

/* Commands with steps of their own. */
int ctl_status(struct ctl *c, struct err *e);
int ctl_check(struct ctl *c, struct err *e);
int ctl_takeover(struct ctl *c, struct err *e);
int ctl_cluster_password(struct ctl *c, struct err *e);
int ctl_moveout(struct ctl *c, struct err *e);
int ctl_host_check(struct ctl *c, struct err *e);
int ctl_host_add(struct ctl *c, struct err *e);
int ctl_host_delete(struct ctl *c, struct err *e);
int ctl_host_accept_key(struct ctl *c, struct err *e);
int ctl_agent_stop(struct ctl *c, struct err *e);
int ctl_agent_restart(struct ctl *c, struct err *e);
int ctl_agent_upgrade(struct ctl *c, struct err *e);
int ctl_agent_install(struct ctl *c, struct err *e);
int ctl_task(struct ctl *c, struct err *e);
int ctl_task_log(struct ctl *c, struct err *e);
int ctl_task_retry(struct ctl *c, struct err *e);
int ctl_task_rollback(struct ctl *c, struct err *e);
int ctl_task_skip(struct ctl *c, struct err *e);
int ctl_task_cancel(struct ctl *c, struct err *e);
int ctl_session_kill(struct ctl *c, struct err *e);
int ctl_compaction_start(struct ctl *c, struct err *e);
int ctl_parameters(struct ctl *c, struct err *e);
int ctl_parameter_set(struct ctl *c, struct err *e);
int ctl_properties(struct ctl *c, struct err *e);
int ctl_property_set(struct ctl *c, struct err *e);
int ctl_property_reset(struct ctl *c, struct err *e);
int ctl_api(struct ctl *c, struct err *e);
int ctl_change_password(struct ctl *c, struct err *e);
int ctl_reset_password(struct ctl *c, struct err *e);
int ctl_cluster_status(struct ctl *c, struct err *e);
int ctl_cluster_add(struct ctl *c, struct err *e);
int ctl_cluster_remove(struct ctl *c, struct err *e);
int ctl_cluster_transfer(struct ctl *c, struct err *e);
int ctl_node_drain(struct ctl *c, struct err *e);
int ctl_node_resume(struct ctl *c, struct err *e);
int ctl_node_renew(struct ctl *c, struct err *e);
int ctl_package_upload(struct ctl *c, struct err *e);
int ctl_package_download(struct ctl *c, struct err *e);
int ctl_package_delete(struct ctl *c, struct err *e);
int ctl_cluster_init(struct ctl *c, struct err *e);
int ctl_cluster_join(struct ctl *c, struct err *e);
int ctl_cluster_recover(struct ctl *c, struct err *e);

#endif
