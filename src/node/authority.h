/* SPDX-License-Identifier: Apache-2.0 */
/* authority.h - the certificate authority of the cluster of nodes. Its key is in MetaDB, sealed under the master key, and in memory only while
 * a certificate is being issued. From fibers. */
#ifndef NODE_AUTHORITY_H
#define NODE_AUTHORITY_H

#include "src/io/authority.h"
#include "src/store/ocpcluster.h"
#include "src/vault/vault.h"

/* An authority for cluster `id`, as the row that a founding inserts; with a fresh lineage. Texts lie in the arena.
 * Errors: UNEXPECTED, NOMEM. */
MUST_CHECK int node_authority_found(const struct vault *v, const uint8_t id[OCPCLUSTER_ID_BYTES], struct arena *arena, struct ocpcluster *out,
                                    struct err *e);
/* A certificate for `node`, recorded in MetaDB. Its texts lie in the arena; wipe the key. Errors: VAULT_OPEN, UNEXPECTED, NOMEM, those of
 * db_transact. */
MUST_CHECK int node_authority_issue(struct db *d, const struct vault *v, const struct ocpcluster *row, int64_t node, struct arena *arena,
                                    struct identity *out, struct err *e);
/* A certificate for the agent of host `host`, renewed by host/renew.h. As above, recorded by the caller.
 * Errors: VAULT_OPEN, UNEXPECTED, NOMEM. */
MUST_CHECK int node_authority_issue_agent(const struct vault *v, const struct ocpcluster *row, int64_t host, struct arena *arena,
                                          struct identity *out, struct err *e);
/* Signs `text` as the authority. Errors: VAULT_OPEN, UNEXPECTED, NOMEM. */
MUST_CHECK int node_authority_sign(const struct vault *v, const struct ocpcluster *row, struct slice text, struct arena *arena,
                                   struct slice *signature, struct err *e);
/* Lower-case hex digits of 16 random bytes, in the arena. Errors: UNEXPECTED, NOMEM. */
MUST_CHECK int node_draw_lineage(struct arena *arena, const char **out, struct err *e);

#endif
