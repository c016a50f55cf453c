/* SPDX-License-Identifier: Apache-2.0 */
/* host.h - rules about hosts and the places where they stand. One struct hosts for the process; from fibers of any loop. */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "src/store/host.h"
#include "src/store/place.h"
#include "src/host/check.h"
#include "src/task/engine.h"
#include "src/vault/vault.h"

struct parameters;
struct hosts;

ERR_DECLARE(ERR_HOST_CREDENTIAL); /* 7016 {0} id: there is no such credential, or it is not for hosts */
ERR_DECLARE(ERR_HOST_ADDRESS);    /* {0} address: no IP address */
ERR_DECLARE(ERR_HOST_EXISTS);     /* {0} address */
extern const struct err_row *const host_err_rows[];

struct hosts_conf {
    const struct vault *vault;               /* borrowed, as all: outlive the hosts */
    struct work_pool *connect_pool, *long_pool;
    struct parameters *parameters;
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
MUST_CHECK int host_precheck(struct hosts *h, struct db *d, const struct host_add *a, struct arena *arena, struct host_finding **out, size_t *n,
                             size_t *n_failed, struct err *e);
/* Adds the hosts and one task that registers them, in one transaction: all or none. `ids` gets n host ids.
 * Errors: HOST_ADDRESS, HOST_EXISTS, NOT_FOUND (IDC, type), INVALID (an address twice), those of db_transact. */
MUST_CHECK int host_add(struct db *d, const struct host_add *a, struct arena *arena, int64_t *ids, int64_t *task_id, struct err *e);
/* Errors: NOT_FOUND, those of db_transact. All or none. */
MUST_CHECK int host_remove(struct db *d, const int64_t *ids, size_t n, struct err *e);

/* Flows of this domain; ends with NULL. */
extern const struct task_flow *const host_flows[];

#endif
