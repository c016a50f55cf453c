/* SPDX-License-Identifier: Apache-2.0 */
/* host.h - rules about hosts and the places where they stand. Hosts are records here: that a host can be reached over SSH and runs
 * an agent is not checked yet, so it stays NEW. From fibers. */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "src/store/host.h"
#include "src/store/place.h"
#include "src/task/engine.h"

ERR_DECLARE(ERR_HOST_ADDRESS);    /* {0} address: no IP address */
ERR_DECLARE(ERR_HOST_EXISTS);     /* {0} address */
extern const struct err_row *const host_err_rows[];

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
/* Adds the hosts and one task that registers them, in one transaction: all or none. `ids` gets n host ids.
 * Errors: HOST_ADDRESS, HOST_EXISTS, NOT_FOUND (IDC, type), INVALID (an address twice), those of db_transact. */
MUST_CHECK int host_add(struct db *d, const struct host_add *a, struct arena *arena, int64_t *ids, int64_t *task_id, struct err *e);
/* Errors: NOT_FOUND, those of db_transact. All or none. */
MUST_CHECK int host_remove(struct db *d, const int64_t *ids, size_t n, struct err *e);

/* Flows of this domain; ends with NULL. */
extern const struct task_flow *const host_flows[];

#endif
