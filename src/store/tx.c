/* SPDX-License-Identifier: Apache-2.0 */
/* A transaction:  BEGIN -> INSERT token -> body -> COMMIT
 *
 *   lost before COMMIT was sent, or rolled back by the server -> once more, with a new token
 *   COMMIT without an answer                                   -> settle: once more, with the SAME token
 *
 * The token is a primary key of store_outcome, so its INSERT waits for a COMMIT that is still under way and then tells: duplicate
 * means the former transaction has committed, and the work is done; success means it never will, since the key is now ours, and
 * the transaction that has just settled the matter goes on with the body. A locking read could not tell, for an INSERT that is
 * not committed yet is invisible to it (OceanBase). Tokens are kept a day, a settling transaction gives up long before. */
#include <stdio.h>
#include <string.h>

#include "src/store/inside.h"

enum {
    SETTLE_LIMIT_MS = 10 * 60 * 1000, /* of a fiber without a deadline */
    MIN_REPEATS = 3,        /* also when each of them takes long */
    LOCK_WAIT = 1205,
    ROLLBACK_MS = 2000,
    PRUNE_ROWS = 500,
    PRUNE_ROUNDS = 20,
};

struct body {
    int (*run)(struct tx *tx, void *data, struct err *e);
    void *data;
    bool fenced;
    struct db_guard *guard; /* to be held first; NULL: none */
};

struct tx {
    struct db *db;
    struct session *session;
    struct fiber *fiber;
    struct tx *next;        /* open transactions of the database */
    bool broken;            /* a statement ended the transaction, or must: repeat it */
    struct err failure;     /* that statement's */
};

/* What is known of a transaction from one run to the next. */
struct run {
    char token[DB_TOKEN_SIZE];
    bool unknown;           /* the COMMIT of the last run had no answer */
    bool committed;
    int64_t until_ms;       /* repeating ends then; in the unknown, settling */
};

static int64_t now_ms(const struct db *d)
{
    return clock_now_ms(loop_clock(d->pool.loop));
}

/* --- statements ------------------------------------------------------------------------------------------------------------- */

int tx_run(struct tx *tx, const char *text, const struct sql_value *values, unsigned n, struct arena *arena, struct sql_rows *rows,
           struct err *e)
{
    struct db *d = tx->db;
    struct err failure = { 0 };
    int rv;

    if (!tx->broken) {
        rv = db_run_on(d, tx->session, text, values, n, db_flags(d, text), d->pool.conf.statement_timeout_ms, arena, rows, &failure);
        if (rv == 0)
            return 0;
        tx->broken = db_lost(&failure) || err_is(&failure, &ERR_SQL_RETRY) || sql_is_dead(tx->session->sql);
        tx->failure = failure;
    }
    if (e != NULL)
        *e = tx->failure;
    return tx->failure.row->code;
}

int tx_exec(struct tx *tx, const char *text, const struct sql_value *values, unsigned n, uint64_t *affected, struct err *e)
{
    struct sql_rows rows = { 0 };
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = tx_run(tx, text, values, n, &arena, &rows, e);
    if (rv == 0 && affected != NULL)
        *affected = rows.affected;
    arena_fini(&arena);
    return rv;
}

static int run_plain(struct tx *tx, const char *text, unsigned flags, unsigned timeout_ms, struct err *e)
{
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = db_run_on(tx->db, tx->session, text, DB_NO_ARGS, flags, timeout_ms, &arena, NULL, e);
    arena_fini(&arena);
    return rv;
}

/* --- one run ---------------------------------------------------------------------------------------------------------------- */

static void new_token(struct db *d, char token[DB_TOKEN_SIZE])
{
    uint64_t instance;

    memcpy(&instance, d->instance, sizeof instance);
    (void)snprintf(token, DB_TOKEN_SIZE, "%016llx%016llx", (unsigned long long)instance, (unsigned long long)++d->n_tokens);
}

static int insert_token(struct tx *tx, struct run *r, struct err *e)
{
    int rv = tx_exec(tx, "INSERT INTO store_outcome (token, created_at) VALUES (?, NOW(6))", DB_ARGS(sql_v_s(r->token)), NULL, e);

    if (rv == ERR_SQL_DUPLICATE.code && r->unknown) {
        r->committed = true;
        return 0;
    }
    if (rv == ERR_SQL_DUPLICATE.code)
        return err_set(e, &ERR_UNEXPECTED, "the token %s of a new transaction is used already", r->token);
    if (rv == 0 && r->unknown) {
        r->unknown = false;
        tx->db->count.settled_lost++;
        log_info(tx->db->pool.conf.log, "outcome settled: not committed -> run again", LOG_S("token", r->token));
    }
    return rv;
}

/* A cancelled fiber does not leave a COMMIT alone whose answer is on its way. */
static int commit(struct tx *tx, struct run *r, struct err *e)
{
    bool shielded = fiber_shield(true);
    int rv = run_plain(tx, "COMMIT", SQL_COMMIT, tx->db->pool.conf.statement_timeout_ms, e);

    (void)fiber_shield(shielded);
    if (rv == ERR_SQL_UNKNOWN.code) {
        r->unknown = true;
        tx->db->count.unknown++;
        pool_suspect(&tx->db->pool);
        log_warn(tx->db->pool.conf.log, "no answer to COMMIT -> settle", LOG_S("token", r->token), LOG_E(e));
    }
    return rv;
}

/* A session whose transaction cannot be ended in an orderly way is closed: that ends it too. */
static void end(struct tx *tx, bool open)
{
    struct pool *p = &tx->db->pool;
    bool shielded = fiber_shield(true);
    struct err e;

    if (err_is(&tx->failure, &ERR_SQL_READONLY))
        pool_drop(p, tx->session, true);
    else if (open && (sql_is_dead(tx->session->sql) || run_plain(tx, "ROLLBACK", 0, ROLLBACK_MS, &e) != 0))
        pool_drop(p, tx->session, false);
    else
        pool_give(p, tx->session);
    (void)fiber_shield(shielded);
}

static void list_open(struct tx *tx)
{
    tx->next = tx->db->open;
    tx->db->open = tx;
}

static void unlist_open(struct tx *tx)
{
    struct tx **at = &tx->db->open;

    while (*at != tx)
        at = &(*at)->next;
    *at = tx->next;
}

bool db_in_transaction(const struct db *d)
{
    for (const struct tx *tx = d->open; tx != NULL; tx = tx->next)
        if (tx->fiber == fiber_current())
            return true;
    return false;
}

/* Nothing keeps a database that is there from answering this: it is waited for as long as for a session, and who does not answer is away. */
static int begin(struct tx *tx, struct err *e)
{
    unsigned timeout_ms = tx->db->pool.conf.statement_timeout_ms;
    struct err why = { 0 };
    int rv = run_plain(tx, "BEGIN", 0, timeout_ms < POOL_AWAY_MS ? timeout_ms : POOL_AWAY_MS, &why);

    if (rv == 0)
        return 0;
    if (rv == ERR_TIMEOUT.code && fiber_ms_left() > 0)
        return db_away(tx->db, &why, e);
    *e = why;
    return rv;
}

static int run_body(struct tx *tx, struct run *r, const struct body *body, struct err *e)
{
    int rv = begin(tx, e);

    if (rv != 0) {
        tx->broken = true;
        tx->failure = *e;
        return rv;
    }
    rv = insert_token(tx, r, e);
    if (rv != 0 || r->committed)
        return rv;
    list_open(tx);
    if (body->fenced && tx->db->fence != NULL)
        rv = tx->db->fence(tx, tx->db->fence_data, e);
    if (rv == 0 && body->guard != NULL)
        rv = body->guard->hold(tx, body->guard->data, e);
    if (rv == 0)
        rv = body->run(tx, body->data, e);
    unlist_open(tx);
    if (tx->broken) { /* whatever the body made of it */
        *e = tx->failure;
        return e->row->code;
    }
    return rv;
}

static int run_once(struct db *d, struct run *r, const struct body *body, struct err *e)
{
    struct tx tx = { .db = d, .fiber = fiber_current() };
    bool open = true;
    int rv = pool_take(&d->pool, &tx.session, e);

    if (rv != 0)
        return rv;
    if (!r->unknown)
        new_token(d, r->token);
    d->count.transactions++;
    rv = run_body(&tx, r, body, e);
    if (rv == 0 && !r->committed) {
        rv = commit(&tx, r, e);
        open = rv != 0;
    }
    end(&tx, open);
    return rv;
}

/* --- repeating -------------------------------------------------------------------------------------------------------------- */

static int unsettled(struct db *d, const struct run *r, struct err *e)
{
    log_warn(d->pool.conf.log, "outcome not settled in time", LOG_S("token", r->token));
    return err_set(e, &ERR_DB_UNSETTLED, "%s", d->pool.conf.name);
}

static bool may_repeat(const struct run *r, const struct err *e)
{
    return r->unknown || db_lost(e) || err_is(e, &ERR_SQL_RETRY);
}

/* Called between two runs. False when there is to be no other. Two that deadlocked without being told wake up at the same moment:
 * longer pauses keep them from meeting again. */
static bool prepare_repeat(struct db *d, struct run *r, bool was_unknown, unsigned repeats, const struct err *why)
{
    unsigned longer = why->lib_code == LOCK_WAIT ? 3 : 0;

    if (r->unknown && !was_unknown)
        r->until_ms = now_ms(d) + SETTLE_LIMIT_MS;
    if (!r->unknown && was_unknown)
        r->until_ms = now_ms(d) + POOL_AWAY_MS;
    if ((now_ms(d) >= r->until_ms && (r->unknown || repeats > MIN_REPEATS)) || pool_pause(&d->pool, repeats + longer, NULL) != 0)
        return false;
    d->count.repeated++;
    return true;
}

static int repeat(struct db *d, const struct body *body, struct err *e)
{
    struct run r = { .until_ms = now_ms(d) + POOL_AWAY_MS };
    struct err failure = { 0 };
    bool was_unknown = false;
    int rv;

    if (db_in_transaction(d))
        return err_set(e, &ERR_UNEXPECTED, "a transaction inside a transaction");
    for (unsigned repeats = 1;; repeats++) {
        rv = run_once(d, &r, body, &failure);
        if (r.committed) {
            d->count.settled_committed++;
            log_info(d->pool.conf.log, "outcome settled: committed", LOG_S("token", r.token));
            return 0;
        }
        if (rv == 0)
            return 0;
        if (!may_repeat(&r, &failure) || !prepare_repeat(d, &r, was_unknown, repeats, &failure))
            break;
        was_unknown = r.unknown;
    }
    if (r.unknown)
        return unsettled(d, &r, e);
    if (db_lost(&failure))
        return db_away(d, &failure, e);
    if (e != NULL)
        *e = failure;
    return rv;
}

static int transact(struct db *d, const struct body *body, struct err *e)
{
    int rv = repeat(d, body, e);

    if (rv == 0 && body->guard != NULL)
        body->guard->held = true;
    return rv;
}

/* What the running fiber must still hold. */
static struct db_guard *guard_of(const struct db *d)
{
    struct db_guard *g = fiber_carried();

    return g != NULL && g->db == d && !g->held ? g : NULL;
}

int db_transact(struct db *d, int (*body)(struct tx *tx, void *data, struct err *e), void *data, struct err *e)
{
    return transact(d, &(struct body){ body, data, true, guard_of(d) }, e);
}

int db_transact_unguarded(struct db *d, int (*body)(struct tx *tx, void *data, struct err *e), void *data, struct err *e)
{
    return transact(d, &(struct body){ body, data, true, NULL }, e);
}

int db_transact_unfenced(struct db *d, int (*body)(struct tx *tx, void *data, struct err *e), void *data, struct err *e)
{
    return transact(d, &(struct body){ body, data, false, NULL }, e);
}

void db_guard(struct db_guard *g)
{
    fiber_carry(g);
}

static int hold_alone(struct tx *tx, void *data, struct err *e)
{
    (void)tx;
    (void)data;
    (void)e;
    return 0;
}

int db_hold_guard(struct err *e)
{
    struct db_guard *g = fiber_carried();

    return g != NULL && !g->held ? db_transact(g->db, hold_alone, NULL, e) : 0;
}

struct sql *tx_sql(struct tx *tx)
{
    return tx->session->sql;
}

/* --- housekeeping ----------------------------------------------------------------------------------------------------------- */

struct chunk {
    const char *text;
    uint64_t deleted;
};

static int delete_chunk(struct tx *tx, void *data, struct err *e)
{
    struct chunk *c = data;

    return tx_exec(tx, c->text, DB_ARGS(SQL_V_I(PRUNE_ROWS)), &c->deleted, e);
}

int db_prune(struct db *d, const char *text, struct err *e)
{
    struct chunk c = { text, PRUNE_ROWS };
    int rv = 0;

    for (unsigned i = 0; i < PRUNE_ROUNDS && rv == 0 && c.deleted == PRUNE_ROWS; i++)
        rv = db_transact(d, delete_chunk, &c, e);
    return rv;
}

int db_prune_outcomes(struct db *d, struct err *e)
{
    return db_prune(d, "DELETE FROM store_outcome WHERE created_at < NOW(6) - INTERVAL 24 HOUR LIMIT ?", e);
}
