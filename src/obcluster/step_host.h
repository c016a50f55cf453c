/* SPDX-License-Identifier: Apache-2.0 */
/* step_host.h - what steps do on the hosts of observers that this OCP has installed, each safe to run twice. From a step's fiber. */
#ifndef OBCLUSTER_STEP_HOST_H
#define OBCLUSTER_STEP_HOST_H

#include "src/obcluster/layout.h"
#include "src/obcluster/steps.h"
#include "src/store/obinstall.h"

/* The cluster, how it is installed, and the servers; all in the step's arena. */
struct step_install {
    struct obcluster cluster;
    struct obinstall install;
    struct layout layout;
    struct obinstall_server *servers;
    size_t n_servers;
    const struct obinstall_server *self; /* the step's target (its id); NULL without one */
    const char *mark;                    /* on its directories: "obcluster 7" */
};
/* Errors: OBCLUSTER_NOT_FOUND, OBINSTALL_NONE, NOT_FOUND (the target's server), those of db_read. */
MUST_CHECK int step_install(struct task_run *r, struct step_install *out, struct err *e);

/* Parameters that were asked for when it was created; there is room for one more. Errors: those of json_parse, NOMEM. */
MUST_CHECK int step_parameters(struct task_run *r, const struct step_install *s, struct layout_parameter **out, size_t *n, struct err *e);
/* The agent of a host may touch the cluster's directories from now on. Errors: those of task_host_command. */
struct task_host;
MUST_CHECK int step_declare_roots(const struct step_install *s, struct task_host *h, struct err *e);

/* Steps of one server each. */
MUST_CHECK int observer_check(struct task_run *r, struct err *e);          /* may it run there: every reason against it at once (step_check.c) */
MUST_CHECK int observer_make_directories(struct task_run *r, struct err *e);
MUST_CHECK int observer_remove_directories(struct task_run *r, struct err *e);
MUST_CHECK int observer_bring_package(struct task_run *r, struct err *e);
MUST_CHECK int observer_start_first(struct task_run *r, struct err *e);    /* with its whole command line */
MUST_CHECK int observer_start(struct task_run *r, struct err *e);          /* again */
MUST_CHECK int observer_stop(struct task_run *r, struct err *e);

ERR_DECLARE(ERR_OBSERVER_PORT);        /* {0} host, {1} port, {2} why */
ERR_DECLARE(ERR_OBSERVER_DISK);        /* {0} host, {1} path, {2} MiB available, {3} MiB needed */
ERR_DECLARE(ERR_OBSERVER_MEMORY);      /* {0} host, {1} MiB it has, {2} MiB that memory_limit wants */
ERR_DECLARE(ERR_OBSERVER_CLOCK);       /* {0} host, {1} ms that its clock differs from ours */
ERR_DECLARE(ERR_OBSERVER_REFUSED);     /* 11043 {0} host, {1} to {4} reasons: more than one */
ERR_DECLARE(ERR_OBSERVER_SILENT);  /* 13006 {0} address, {1} why, {2} its log */
extern const struct err_row *const step_host_err_rows[], *const step_check_err_rows[];

#endif
