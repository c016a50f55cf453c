/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_tenant.h - statements about tenants, shared between their two files. */
#ifndef OBSIM_CMD_TENANT_H
#define OBSIM_CMD_TENANT_H

#include "tests/obsim/cmd.h"

struct tenant_options {
    struct parse_list pools, zones;   /* n 0: not given, as s NULL and -1 below */
    struct slice locality, primary_zone, charset, collation, comment;
    int read_only, arbitration;
    struct cmd_assignment *assignments;
    size_t n_assignments;
};

int tenant_unknown(struct cmd *x, struct slice name);
/* As the kernel prints it, in the arena. Errors: 1210. */
int tenant_read_locality(struct cmd *x, struct slice text, const char **out);
int tenant_check_primary_zone(struct cmd *x, struct slice text, const char *locality);

/* What goes on in the background, with a job. Errors: 4179 while another one runs, 4643, 4645. */
int tenant_change_locality(struct cmd *x, struct sim_tenant *t, struct slice text);
int tenant_change_primary_zone(struct cmd *x, struct sim_tenant *t, struct slice text);
int tenant_change_unit_num(struct cmd *x);

#endif
