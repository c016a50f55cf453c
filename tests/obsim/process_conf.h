/* SPDX-License-Identifier: Apache-2.0 */
/* process_conf.h - what an observer process is told: by its package (etc/obsim.conf beside bin/observer, which the tests write into it),
 * by its command line, and by the file in which it keeps that for its next start (etc/observer.config.bin). */
#ifndef OBSIM_PROCESS_CONF_H
#define OBSIM_PROCESS_CONF_H

#include <stdio.h>

#include "tests/obsim/state.h"

struct process_package {
    char folder[4096];                /* of the package: the program is in its bin */
    struct sim_values values;         /* name, version, build, hash, date, state, speed, seed, lease_ms */
};
/* Finds the package of this program. False with a line on stderr. */
bool package_read(struct process_package *p);
void package_fini(struct process_package *p);
/* A value; the environment's OBSIM_STATE, OBSIM_SPEED, OBSIM_SEED, OBSIM_LEASE_MS go before. `otherwise`: there is none. */
const char *package_get(const struct process_package *p, const char *name, const char *otherwise);
bool package_is_enterprise(const struct process_package *p);
/* "100000102023092807-<hash>(Sep 28 2023 07:25:28)" */
void package_build(const struct process_package *p, char to[SIM_NAME]);
/* What -V prints. */
void package_print_version(const struct process_package *p, FILE *out);

enum process_wish { PROCESS_RUN, PROCESS_VERSION, PROCESS_HELP, PROCESS_BAD };
struct process_options {
    struct sim_values given;          /* parameters by their names: -p is mysql_port, -n cluster, -r rootservice_list, ... */
    bool stays;                       /* -N: no daemon */
};
/* Reads the command line; what is wrong with it is said on stderr (PROCESS_BAD). */
enum process_wish options_read(struct process_options *o, int argc, char **argv);

/* Reads or writes lines of name=value. False, with errno. */
bool values_read(struct sim_values *v, const char *path);
bool values_write(const struct sim_values *v, const char *path);
/* The value, "" without one. */
const char *values_get(const struct sim_values *v, const char *name);

#endif
