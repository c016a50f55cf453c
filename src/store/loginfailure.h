/* SPDX-License-Identifier: Apache-2.0 */
/* loginfailure.h - failed logins in a row, by user name and by client address, counted for all nodes together. Unknown names count like
 * known ones. A count is forgotten when `block_ms` have passed since the last failure; at the limit that is the block. */
#ifndef STORE_LOGINFAILURE_H
#define STORE_LOGINFAILURE_H

#include "src/store/loginhistory.h"

enum login_failure_kind { LOGIN_FAILURE_USER, LOGIN_FAILURE_CLIENT };
enum { LOGIN_FAILURE_KINDS = LOGIN_FAILURE_CLIENT + 1 };

/* Who; NULL: not counted. */
struct login_subject {
    const char *name[LOGIN_FAILURE_KINDS];
};
/* Present values of the system parameters ocp.iam.login.*. */
struct login_limits {
    int64_t attempts[LOGIN_FAILURE_KINDS]; /* failures until the block */
    int64_t block_ms[LOGIN_FAILURE_KINDS]; /* its length */
};
struct login_count {
    int64_t failures;
    int64_t wait_ms;         /* until they are forgotten */
};

/* Zeros where nothing is counted. Errors: those of db_read. */
MUST_CHECK int store_login_failures(struct db *d, const struct login_subject *s, struct login_count out[LOGIN_FAILURE_KINDS], struct err *e);
/* Counts one more failure of each and writes the event; `out` is what it is then. Errors: those of db_transact. */
MUST_CHECK int store_login_fail(struct db *d, const struct login_subject *s, const struct login_limits *limits, struct login_event *event,
                                struct login_count out[LOGIN_FAILURE_KINDS], struct err *e);
/* Forgets those of a name. Errors: those of tx_run. */
MUST_CHECK int store_login_failures_forget(struct tx *tx, const char *username, struct err *e);
/* Deletes what counts no more. Errors: those of db_read. */
MUST_CHECK int store_login_failures_prune(struct db *d, struct err *e);

#endif
