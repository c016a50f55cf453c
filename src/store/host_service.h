/* SPDX-License-Identifier: Apache-2.0 */
/* host_service.h - what runs on hosts, as far as OCP manages it. */
#ifndef STORE_HOST_SERVICE_H
#define STORE_HOST_SERVICE_H

#include "src/store/list.h"

struct host_service {
    int64_t host_id;
    const char *type;                    /* OB_CLUSTER, OCP_AGENT */
    const char *name, *version;          /* of the cluster; of the agent */
    int64_t package_id;                  /* from which OCP has installed it; FIELD_NONE: none */
};
/* Of these hosts, in two statements whatever their number. Errors: those of db_read. */
MUST_CHECK int store_host_services(struct db *d, const int64_t *ids, size_t n, struct arena *arena, struct host_service **out, size_t *n_out,
                                   struct err *e);
/* What of it uses this host, agents excepted, inside a transaction that has locked the host's row (store_host_set_status). Errors: those of tx_run. */
MUST_CHECK int store_host_users_in(struct tx *tx, int64_t id, struct arena *arena, struct host_service **out, size_t *n_out, struct err *e);

#endif
