/* SPDX-License-Identifier: Apache-2.0 */
/* ocpcluster.h - the cluster that the nodes of this OCP are: its one row, and the certificates that its authority has issued to nodes. The
 * generation of its Raft log is in leader_epoch (leader.h). Loop thread only, from fibers. */
#ifndef STORE_OCPCLUSTER_H
#define STORE_OCPCLUSTER_H

#include "src/store/db.h"

enum { OCPCLUSTER_ID_BYTES = 16, OCPCLUSTER_HEX_SIZE = 2 * OCPCLUSTER_ID_BYTES + 1 };

struct ocpcluster {
    const char *cluster;            /* its id: 32 hex digits */
    const char *lineage;            /* drawn anew when MetaDB was restored from a backup */
    int64_t founder;                /* node that founded it alone; 0: founded by command */
    const char *authority;          /* certificate, PEM */
    struct slice authority_key;     /* sealed */
    int64_t created_us;
};

/* Lower-case hex digits of `n` bytes; `out` holds 2 * n + 1. Returns `out`. */
const char *ocpcluster_hex(const uint8_t *bytes, size_t n, char *out);
/* False when the text is not exactly 2 * n hex digits. */
bool ocpcluster_unhex(const char *text, uint8_t *bytes, size_t n);

/* NULL in *out: there is none yet. Errors: those of db_read. */
MUST_CHECK int store_ocpcluster_find(struct db *d, struct arena *arena, struct ocpcluster **out, struct err *e);
/* Errors: NAME_USED (there is one already), those of tx_exec. */
MUST_CHECK int store_ocpcluster_insert_in(struct tx *tx, const struct ocpcluster *c, struct err *e);
/* It was founded anew, by command. Errors: NOT_FOUND, those of tx_exec. */
MUST_CHECK int store_ocpcluster_refound_in(struct tx *tx, const char *lineage, struct err *e);

struct node_certificate {
    const char *serial;             /* upper-case hex */
    int64_t node_id;
    int64_t issued_us, expires_us;
    int64_t revoked_us;             /* 0: it is not */
};
/* Errors: those of db_transact. */
MUST_CHECK int store_certificate_insert(struct db *d, const struct node_certificate *c, struct err *e);
/* All of this node (0: of all nodes) that are not revoked are from now on. Errors: those of tx_exec. */
MUST_CHECK int store_certificate_revoke_in(struct tx *tx, int64_t node_id, struct err *e);
/* Those that are revoked and have not run out: what nodes must refuse. Errors: those of db_read. */
MUST_CHECK int store_certificate_revoked(struct db *d, struct arena *arena, struct node_certificate **out, size_t *n, struct err *e);
/* The one of each node that ends last and is not revoked, without its serial. Errors: those of db_read. */
MUST_CHECK int store_certificate_present(struct db *d, struct arena *arena, struct node_certificate **out, size_t *n, struct err *e);
/* Forgets those that have run out a month ago. Errors: those of db_read. */
MUST_CHECK int store_certificate_prune(struct db *d, struct err *e);

#endif
