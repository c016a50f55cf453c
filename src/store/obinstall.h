/* SPDX-License-Identifier: Apache-2.0 */
/* obinstall.h - clusters whose observers this OCP has installed: where their files lie and on which hosts. What the cluster says of its servers is in
 * obtopology.h. */
#ifndef STORE_OBINSTALL_H
#define STORE_OBINSTALL_H

#include "src/base/field.h"
#include "src/store/db.h"

struct obinstall {
    int64_t cluster_id;
    const char *install_path, *run_path, *data_path, *log_path; /* as people gave them */
    const char *os_user;
    int64_t package_id;
    const char *package;         /* name of the directory of its package */
    const char *primary_zone;
    const char *parameters;      /* JSON object: name to value, given at the first start */
    struct slice monitor_password; /* sealed: place { "obcluster", id, "monitor" } */
};
struct obinstall_server {
    int64_t id, cluster_id, host_id;
    const char *zone, *region, *idc;
    const char *ip;
    int64_t port, sql_port;      /* RPC and SQL */
};

ERR_DECLARE(ERR_OBINSTALL_NONE);   /* {0} cluster id: its observers were not installed by this OCP */
ERR_DECLARE(ERR_OBINSTALL_TAKEN);  /* 11021 {0} address: an observer was installed there meanwhile */
extern const struct err_row *const store_obinstall_err_rows[];

/* Inside a transaction. Errors: OBINSTALL_TAKEN, those of tx_exec. */
MUST_CHECK int store_obinstall_insert(struct tx *tx, const struct obinstall *i, struct err *e);
MUST_CHECK int store_obinstall_server_insert(struct tx *tx, const struct obinstall_server *s, struct err *e);
MUST_CHECK int store_obinstall_server_delete(struct tx *tx, int64_t id, struct err *e);

/* Errors: OBINSTALL_NONE, those of db_read. */
MUST_CHECK int store_obinstall_get(struct db *d, int64_t cluster_id, struct arena *arena, struct obinstall *out, struct err *e);
/* By zone and id, the first of each zone being that with which the cluster was founded. */
MUST_CHECK int store_obinstall_servers(struct db *d, int64_t cluster_id, struct arena *arena, struct obinstall_server **out, size_t *n,
                                       struct err *e);

/* Observers of all clusters, installed here or seen, on hosts with these addresses. */
struct obinstall_there {
    const char *ip, *cluster;
    int64_t port, sql_port;
};
MUST_CHECK int store_obinstall_there(struct db *d, struct field_strings ips, struct arena *arena, struct obinstall_there **out, size_t *n,
                                     struct err *e);

#endif
