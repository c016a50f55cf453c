/* SPDX-License-Identifier: Apache-2.0 */
/* session.h - console sessions: who logged in, from where, until when. The id that the browser holds is not here, only its SHA-256,
 * so that a copy of MetaDB opens no session. All times are MetaDB's, so that nodes need not agree on theirs. */
#ifndef STORE_SESSION_H
#define STORE_SESSION_H

#include "src/store/list.h"

enum { SESSION_DIGEST_SIZE = 65 };  /* hex digits and NUL */

struct session {
    int64_t id;
    int64_t user_id;
    const char *digest;              /* SHA-256 of the session id, 64 hex digits */
    const char *client_ip, *user_agent; /* of the login */
    int64_t created_us, seen_us, expires_us;
    int64_t idle_us, left_us;        /* since seen_us; until expires_us: by MetaDB's clock, when it was read */
};

/* NULL in *out when there is none; one that has expired is there until it is pruned. Errors: those of db_read. */
MUST_CHECK int store_session_find(struct db *d, const char *digest, struct arena *arena, struct session **out, struct err *e);
/* Of one user, newest first by itself; sorted by createTime, lastSeenTime. Errors: those of list_read. */
MUST_CHECK int store_session_list(struct db *d, int64_t user_id, const struct store_page *page, struct arena *arena, struct session **out,
                                  size_t *n, int64_t *total, struct err *e);

/* Inserts id, user, digest, client and agent; it lasts `lifetime_us`. Of the user's sessions all but the newest `keep` are deleted.
 * Errors: those of tx_run. */
MUST_CHECK int store_session_insert(struct tx *tx, const struct session *s, int64_t lifetime_us, unsigned keep, struct arena *arena,
                                    struct err *e);
/* The session with this digest, if there is one. Errors: those of tx_run. */
MUST_CHECK int store_session_delete_digest(struct tx *tx, const char *digest, struct err *e);
/* One session of a user. Errors: NOT_FOUND, those of db_transact. */
MUST_CHECK int store_session_delete(struct db *d, int64_t user_id, int64_t id, struct err *e);
/* All sessions of a user. Errors: those of tx_run. */
MUST_CHECK int store_session_delete_all(struct tx *tx, int64_t user_id, struct err *e);
/* They were used just now. Errors: those of db_transact. */
MUST_CHECK int store_session_touch(struct db *d, const int64_t *ids, size_t n, struct err *e);
/* Deletes what expired, or was not used for `idle_us`. Errors: those of db_read. */
MUST_CHECK int store_session_prune(struct db *d, int64_t idle_us, struct err *e);

#endif
