/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.h - the join bundle: all that makes a machine a node of a cluster, in one file for one node. JSON, in the clear but for one member:
 *
 *   format       "ocp-join-bundle-1"
 *   cluster      its id, 32 hex digits; generation: of its Raft log; node: the id that the machine gets
 *   founding     true: the node's log begins with `members`; false: it is added, and gets its log from those
 *   members      [{"node":1001,"address":"10.0.0.1:8081","role":"VOTER"}...], the new node among them
 *   authority    certificate of the cluster's authority
 *   sealed       {"certificate","key","masterKeys":[...]}, under the join secret, bound to all of the above
 *   signature    of the authority, over all of the above
 *
 * The secret is not in the file and is shown once: who has the file alone has nothing, who has both is the node. Both are random, so the key
 * is derived without a costly hash (HKDF). Any thread. */
#ifndef NODE_BUNDLE_H
#define NODE_BUNDLE_H

#include "raft/consensus.h"
#include "raft/dir.h"
#include "src/vault/keyfile.h"

ERR_DECLARE(ERR_BUNDLE_FORMAT); /* {0} what is wrong */
ERR_DECLARE(ERR_BUNDLE_SECRET); /* the join secret does not open it */
extern const struct err_row *const bundle_err_rows[];

enum { BUNDLE_MAX_BYTES = 65536, BUNDLE_SECRET_SIZE = 40 };

struct bundle {
    struct raft_identity identity;
    bool founding;
    struct member members[RAFT_MAX_MEMBERS];
    unsigned n_members;
    const char *authority;
    /* Sealed: NULL and 0 until bundle_open. */
    const char *certificate;
    char *key;
    struct keyfile master;
};

struct bundle_signer {
    int (*sign)(void *data, struct slice text, struct arena *arena, struct slice *signature, struct err *e);
    void *data;
};

/* Appends the file's text, and draws its secret, "K7QF-...". Errors: UNEXPECTED, NOMEM, those of `sign`. */
MUST_CHECK int bundle_write(const struct bundle *b, const struct bundle_signer *signer, struct arena *arena, struct str *text,
                            char secret[BUNDLE_SECRET_SIZE], struct err *e);

/* What is in the clear, and the sealed part as it is; texts lie in the arena. The signature is looked at, but it is worth what the secret is:
 * only bundle_open shows that nobody has changed anything. Errors: BUNDLE_FORMAT, NOMEM. */
struct bundle_sealed {
    struct slice bytes;
    char part[65];       /* hash of what it is bound to */
};
MUST_CHECK int bundle_read(struct slice text, struct arena *arena, struct bundle *out, struct bundle_sealed *sealed, struct err *e);
/* Upper and lower case, blanks and hyphens of the secret do not matter. Errors: BUNDLE_SECRET, BUNDLE_FORMAT, NOMEM. */
MUST_CHECK int bundle_open(struct bundle *b, const struct bundle_sealed *sealed, const char *secret, struct arena *arena, struct err *e);
/* Wipes key and master keys. */
void bundle_wipe(struct bundle *b);

#endif
