/* SPDX-License-Identifier: Apache-2.0 */
/* db.h - a database (MetaDB or MonitorDB) as one loop sees it: a pool of sessions with health and back-off, statements with
 * deadlines, transactions that are repeated where that is safe and whose unknown outcomes are settled.
 * Loop thread only, from fibers. */
#ifndef STORE_DB_H
#define STORE_DB_H

#include "src/base/arena.h"
#include "src/base/log.h"
#include "src/io/sql.h"
#include "src/io/work.h"

struct db;
struct tx;

ERR_DECLARE(ERR_DB_AWAY);      /* {0} "MetaDB" or "MonitorDB", {1} why: no endpoint answers; nothing happened; HTTP 503 with Retry-After */
ERR_DECLARE(ERR_DB_UNSETTLED); /* {0} name: the outcome of the change could not be found out before the deadline; look before repeating */
extern const struct err_row *const store_err_rows[];

struct db_conf {
    const char *name;                 /* "MetaDB", for errors and logs */
    const struct sql_target *targets; /* endpoints (OBProxy, load balancer, server), tried in turn; owned by the caller, outlive the db */
    unsigned n_targets;
    unsigned max_sessions;            /* of this loop, 2 to 64; default 8 */
    unsigned statement_timeout_ms;    /* of one statement, within the fiber's deadline; default 10000 */
    struct work_pool *connect_pool;   /* borrowed, outlives the db */
    const struct log *log;            /* borrowed, outlives the db */
    uint64_t seed;                    /* of jitter */
    bool leads;                       /* sessions of a leader: what it holds open ends sooner (leader.h) */
    int (*opened)(struct sql *sql, void *data, struct err *e); /* a new session, in a fiber; a failure closes it; NULL: nothing */
    void *data;
};

/* Makes a pool that connects on first use. Errors: NOMEM. */
MUST_CHECK int db_new(const struct db_conf *conf, struct loop *l, struct db **out, struct err *e);
/* Closes all sessions; none may be in use. From a fiber of the loop, or when the loop has ended. NULL is fine. */
void db_free(struct db *d);

/* Is the database there? Cached: true when a statement was answered within the last half second, else asks (SELECT 1, at most `timeout_ms`).
 * Never waits longer than that. */
bool db_is_up(struct db *d, unsigned timeout_ms);
/* When a statement was last answered, in the milliseconds of the loop's clock; 0: never. */
int64_t db_answered_ms(const struct db *d);
struct db_stats {
    unsigned sessions, idle, waiting;
    uint64_t statements, failures, reconnects, transactions, repeated, unknown, settled_committed, settled_lost;
    int64_t up_since_ms, down_since_ms; /* the clock's milliseconds; 0: not so */
};
struct db_stats db_stats(const struct db *d); /* from any thread */
const char *db_name(const struct db *d);
enum sql_engine db_engine(const struct db *d); /* of the endpoint last connected to */

/* One reading statement outside a transaction; repeated on another session or endpoint when the connection was lost, until the
 * fiber's deadline, at most for 8 s, and then given up as DB_AWAY. Prepared from the second time on that this loop runs it.
 * Errors: DB_AWAY, SQL_FAILED, SQL_RETRY, TIMEOUT (the statement's or the fiber's), CANCELLED, BUSY (no session free), NOMEM. */
MUST_CHECK int db_read(struct db *d, const char *text, const struct sql_value *values, unsigned n, struct arena *arena,
                       struct sql_rows *rows, struct err *e);

/* Runs body(tx, data) in a transaction and commits when it returns 0, rolls back when not.
 *  - SQL_RETRY (deadlock, lock wait, rolled back by the server) and a connection lost before COMMIT: body runs again, in a new
 *    transaction, with growing pauses, for 8 s (three times at least) within the deadline; whatever body returned. So body must be
 *    repeatable: it keeps nothing from one run to the next except through `data`, which it sets anew.
 *  - connection lost or deadline while COMMIT was under way: each transaction has inserted a fresh token into store_outcome; the same
 *    INSERT under a new transaction says which it was (duplicate = it committed; else it never will, since the token is ours now, and
 *    body runs again). Until that is known the answer is withheld; when the deadline comes first: DB_UNSETTLED.
 * What body does: statements by tx_run and tx_exec, nothing else that waits; no db_... call.
 * Errors: what body returned (the transaction is rolled back), DB_AWAY, DB_UNSETTLED, SQL_*, TIMEOUT, CANCELLED, BUSY, NOMEM. */
MUST_CHECK int db_transact(struct db *d, int (*body)(struct tx *tx, void *data, struct err *e), void *data, struct err *e);

/* What the running fiber must hold before it changes anything: `hold` is the first statement of each of its transactions on `db` until one of
 * them has committed, and then it is held for good. A failure of `hold` ends the transaction; it is repeatable, as a body is. */
struct db_guard {
    struct db *db;                      /* borrowed, as all */
    int (*hold)(struct tx *tx, void *data, struct err *e);
    void *data;
    bool held;
};
/* From now on `g` guards the running fiber; NULL: nothing does. The fiber carries it (fiber_carry). */
void db_guard(struct db_guard *g);
/* Before the fiber changes something that no transaction on the database covers (a managed cluster, the members of this OCP): holds what guards
 * it, unless nothing does, or it is held already. Never inside a transaction. Errors: those of hold and of db_transact. */
MUST_CHECK int db_hold_guard(struct err *e);

/* A statement inside the transaction. `rows` gets affected rows and insert id too. A duplicate key leaves the transaction open.
 * Errors: SQL_*, TIMEOUT, CANCELLED, NOMEM. */
MUST_CHECK int tx_run(struct tx *tx, const char *text, const struct sql_value *values, unsigned n, struct arena *arena,
                      struct sql_rows *rows, struct err *e);
/* As tx_run, for a statement of which only the number of affected (found) rows matters; `affected` may be NULL. */
MUST_CHECK int tx_exec(struct tx *tx, const char *text, const struct sql_value *values, unsigned n, uint64_t *affected, struct err *e);

/* A new id for a row of any table: unique, growing within a loop, never reused, above 1000 (lower ones are for rows that
 * migrations bring). Ids are handed out in blocks from the table store_sequence, so that AUTO_INCREMENT (gaps of a million on
 * OceanBase) is not needed. Before the transaction, never inside: it may run one of its own. Errors: as db_transact. */
MUST_CHECK int db_next_id(struct db *d, int64_t *id, struct err *e);

/* Deletes what settling needs no more (tokens older than a day), in small chunks; to be called every few minutes by some node.
 * Errors: as db_read. */
MUST_CHECK int db_prune_outcomes(struct db *d, struct err *e);
/* Runs `text`, a DELETE that ends with "LIMIT ?" and whose repetition does no harm, until it finds less than a chunk (500 rows),
 * at most 20 times. Errors: as db_transact. */
MUST_CHECK int db_prune(struct db *d, const char *text, struct err *e);

/* Reads a list: db_read + sql_fetch into an array of `size`-byte structs (zeroed first) in the arena. */
MUST_CHECK int db_list(struct db *d, const char *text, const struct sql_value *values, unsigned n, const struct sql_field *fields, size_t size,
                       struct arena *arena, void **out, size_t *n_out, struct err *e);

#define DB_ARGS(...) (const struct sql_value[]){ __VA_ARGS__ }, (unsigned)(sizeof((const struct sql_value[]){ __VA_ARGS__ }) / sizeof(struct sql_value))
#define DB_NO_ARGS NULL, 0

#endif
