/* SPDX-License-Identifier: Apache-2.0 */
/* home.h - what a node keeps on disk about the cluster that it is a member of, below its data_dir:
 *
 *   node.lock            held by the process that uses the folder
 *   raft/                log and metadata (raft/dir.h); it comes last, complete, so a node that has it has all the rest
 *   peer/authority.crt   certificate of the cluster's authority
 *   peer/node.pem        this node's certificate and private key in one file, so that no crash can part them
 *   peer/revoked         serial numbers of certificates that count no more, one a line
 *   peer/founding        id of the cluster that this node is about to found
 *
 * All of mode 0600, and every write replaces a file as a whole and is on the disk when the call returns. Blocking, for milliseconds; one
 * thread at a time. */
#ifndef NODE_HOME_H
#define NODE_HOME_H

#include "raft/dir.h"
#include "src/io/authority.h"
#include "src/store/ocpcluster.h"

ERR_DECLARE(ERR_NODE_HOME);      /* {0} file, {1} what is wrong with it, {2} what to do */
ERR_DECLARE(ERR_NODE_HOME_USED); /* {0} data_dir: another process has it */
ERR_DECLARE(ERR_NODE_MEMBER);    /* {0} data_dir: this node is a member of a cluster already */
extern const struct err_row *const node_err_rows[];

/* Paths are for reading; the two certificate files of TLS are one here. */
struct node_home {
    struct arena arena;
    const char *dir, *peer_dir, *raft_dir, *authority_file, *certificate_file, *key_file, *revoked_file;
    int lock_fd;
};

/* Takes the folder, which must exist, for this process. Errors: NODE_HOME_USED, NODE_HOME, NOMEM. */
MUST_CHECK int node_home_open(const char *data_dir, struct node_home **out, struct err *e);
/* NULL is fine. */
void node_home_close(struct node_home *h);

/* Is this node a member of a cluster (or has been)? */
bool node_home_is_member(const struct node_home *h);

/* All that makes a node a member. */
struct node_papers {
    struct raft_identity identity;
    const char *authority;          /* certificate, PEM */
    const char *certificate, *key;  /* of the node, PEM */
    const struct entry *first;      /* of its log; NULL: it is added to a cluster and gets its log from there */
};
/* Makes this node a member, or, killed at any moment, leaves it none or as it was; repeating it does nothing more. A node of an older generation
 * of the same cluster was given up when that was founded anew: what it has makes way (raft.old). Errors: NODE_MEMBER, INVALID (papers that do
 * not belong together), NODE_HOME, RAFT_DIR_FULL, RAFT_DIR_CORRUPT, IO, NOMEM. */
MUST_CHECK int node_home_settle(struct node_home *h, const struct node_papers *p, struct err *e);

/* Replaces certificate and key. Errors: INVALID (they are not of this authority, or name another node), NODE_HOME, NOMEM. */
MUST_CHECK int node_home_renew(const struct node_home *h, const char *certificate, const char *key, struct err *e);
/* What the certificate in use says. Errors: NODE_HOME, NOMEM. */
MUST_CHECK int node_home_certificate(const struct node_home *h, struct certificate_facts *out, struct err *e);

/* The id of the cluster that this node is founding; *there false: none. Errors: NODE_HOME, NOMEM. */
MUST_CHECK int node_home_founding(const struct node_home *h, uint8_t cluster[OCPCLUSTER_ID_BYTES], bool *there, struct err *e);
/* cluster NULL: it founds none any more. Errors: NODE_HOME, NOMEM. */
MUST_CHECK int node_home_set_founding(const struct node_home *h, const uint8_t cluster[OCPCLUSTER_ID_BYTES], struct err *e);

enum { HOME_MAX_FILE = 65536 };
/* Any file of it, as a text in the arena; NULL in *text when there is none. Errors: NODE_HOME, NOMEM. */
MUST_CHECK int node_home_read(const struct node_home *h, const char *path, struct arena *arena, char **text, struct err *e);
MUST_CHECK int node_home_write(const struct node_home *h, const char *path, struct slice text, struct err *e);

#endif
