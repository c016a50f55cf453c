/* SPDX-License-Identifier: Apache-2.0 */
/* inside.h - what a database consists of; private to src/store/{db,tx,sequence,migrate,package_blob}.c. */
#ifndef STORE_INSIDE_H
#define STORE_INSIDE_H

#include "src/store/pool.h"

enum { DB_HOT_TEXTS = 256, DB_TOKEN_SIZE = 33 };

struct db {
    struct pool pool;
    uint32_t hot[DB_HOT_TEXTS];     /* hashes of statements seen: from the second time on they are prepared */
    struct tx *open;                /* transactions that run */
    unsigned char instance[8];      /* random; first half of every token */
    uint64_t n_tokens;              /* second half */
    struct fiber_mutex id_lock;
    int (*fence)(struct tx *tx, void *data, struct err *e); /* begins every transaction; NULL: none (leader.c) */
    void *fence_data;
    int64_t next_id, end_id;        /* block of ids in hand; equal: none */

    struct {                        /* written by the loop, read by any thread */
        _Atomic uint64_t statements, failures, transactions, repeated, unknown, settled_committed, settled_lost;
    } count;
};

/* SQL_PREPARED for a statement that this loop has seen before, else 0: lists put together from filters come in too many forms to
 * fill the few prepared statements of a session with them. */
unsigned db_flags(struct db *d, const char *text);

/* One statement on a taken session within timeout_ms (0: no limit) and the fiber's deadline; keeps counts and health. `e` is not NULL.
 * Without SQL_COMMIT its effect is taken not to matter when the connection goes: a statement that ran out of time is then ERR_TIMEOUT
 * and one whose fiber was cancelled ERR_CANCELLED; what db_lost() accepts remains and may be repeated. */
MUST_CHECK int db_run_on(struct db *d, struct session *s, const char *text, const struct sql_value *values, unsigned n, unsigned flags,
                         unsigned timeout_ms, struct arena *arena, struct sql_rows *rows, struct err *e);

/* One statement outside a transaction whose repetition does no harm; repeated like db_read. `timeout_ms` 0: no limit but the deadline. */
MUST_CHECK int db_run(struct db *d, const char *text, const struct sql_value *values, unsigned n, unsigned flags, unsigned timeout_ms,
                      struct arena *arena, struct sql_rows *rows, struct err *e);

/* db_transact without the fence of the database, and without what guards the fiber: for claiming. */
MUST_CHECK int db_transact_unfenced(struct db *d, int (*body)(struct tx *tx, void *data, struct err *e), void *data, struct err *e);
/* db_transact without what guards the fiber: for what is no effect of what the fiber does. */
MUST_CHECK int db_transact_unguarded(struct db *d, int (*body)(struct tx *tx, void *data, struct err *e), void *data, struct err *e);
/* The session's server, for statements that are about sessions. */
struct sql *tx_sql(struct tx *tx);

/* True when the connection to the server was lost, or the server sent us elsewhere. */
bool db_lost(const struct err *e);
/* True when this fiber runs the body of a transaction. */
bool db_in_transaction(const struct db *d);
/* Sets DB_AWAY with the text of `why`. */
int db_away(const struct db *d, const struct err *why, struct err *e);

#endif
