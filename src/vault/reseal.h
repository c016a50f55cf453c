/* SPDX-License-Identifier: Apache-2.0 */
/* reseal.h - a new master key, step by step, while all nodes serve:
 *
 *   prepare   the key file gets a new key beside the present one: it opens, it does not seal yet. On every node, then restart.
 *   use       the new key is the present one. On every node, then restart. Old and new secrets open everywhere all the time.
 *   reseal    what MetaDB holds under the former key is sealed under the present one, in batches; may be killed and repeated.
 *   finish    the former key leaves the file, refused while MetaDB holds anything under it. */
#ifndef VAULT_RESEAL_H
#define VAULT_RESEAL_H

#include "src/store/sealed.h"
#include "src/vault/vault.h"

ERR_DECLARE(ERR_KEY_STEP);     /* {0} step, {1} why it is not its turn */

extern const struct sealed_column sealed_columns[]; /* every column with sealed secrets; ends with { NULL } */

struct reseal_count {
    uint64_t seen, old, changed, lost; /* secrets; under another than the present key; sealed anew; that no key opens */
};
/* Goes through all sealed columns. With `write` what is old is sealed anew, else only counted. Secrets that no key opens are counted and
 * left. From a fiber. Errors: those of db_read and db_transact, NOMEM. */
MUST_CHECK int vault_reseal(const struct vault *v, struct db *d, bool write, struct reseal_count *out, struct err *e);

#endif
