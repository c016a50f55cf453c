/* SPDX-License-Identifier: Apache-2.0 */
/* A connector is a fiber of the pool:
 *
 *   wait until retry_ms -> try every endpoint once, beginning with the one that answered last
 *     answered -> hand the session to the first in line, end
 *     none did -> pause (50 ms doubled up to 1 s, jittered) and again, as long as somebody is in line
 *
 * There are as many as the line can use while the database answers, a single one while it does not. */
#include <stdio.h>

#include "src/store/pool.h"

enum { FIRST_PAUSE_MS = 50, MAX_PAUSE_MS = 1000, LATER_MS = 1000 };

static int set_session(struct sql *sql, const char *text, struct err *e)
{
    struct arena a;
    int rv;

    arena_init(&a);
    rv = sql_run(sql, text, NULL, 0, 0, &a, NULL, e);
    arena_fini(&a);
    return rv;
}

/* A member of a Galera cluster may lag behind the one that this process wrote to a moment ago. With this, each transaction and each
 * reading statement first waits until the member has all that the cluster has committed before; one that has left the cluster refuses. */
static int follow_galera(struct sql *sql, struct err *e)
{
    struct sql_rows rows = { 0 };
    struct arena a;
    int rv;

    arena_init(&a);
    rv = sql_run(sql, "SHOW VARIABLES LIKE 'wsrep_on'", NULL, 0, 0, &a, &rows, e);
    if (rv == 0 && rows.n_rows == 1 && slice_is(sql_text(&rows, 0, 1), "ON"))
        rv = set_session(sql, "SET SESSION wsrep_sync_wait = 7", e);
    arena_fini(&a);
    return rv;
}

/* Limits that the server keeps even when this process is gone or stopped: no transaction of ours holds its locks for long. */
struct limits {
    unsigned lock_wait_s;        /* an OceanBase may detect no deadlock: both sides wait that long */
    unsigned idle_transaction_s; /* MariaDB */
    unsigned transaction_s;      /* OceanBase; 0: the idle limit and a statement's time */
};
static const struct limits usual = { 3, 30, 0 }, leader = { 1, 2, 3 };

static int limit_session(struct pool *p, struct sql *sql, struct err *e)
{
    const struct limits *l = p->conf.leads ? &leader : &usual;
    unsigned long long transaction_ms = l->transaction_s > 0 ? l->transaction_s * 1000ull : p->conf.statement_timeout_ms + l->idle_transaction_s * 1000ull;
    char text[192];
    int rv = sql_set_server_timeout(sql, p->conf.statement_timeout_ms + LATER_MS, e); /* ours comes first and says what it is */

    if (rv != 0)
        return rv;
    switch (sql_engine(sql)) {
    case SQL_OCEANBASE:
    case SQL_SEEKDB:
        (void)snprintf(text, sizeof text, "SET SESSION ob_trx_lock_timeout = %u, ob_trx_timeout = %llu", l->lock_wait_s * 1000000u,
                       transaction_ms * 1000);
        break;
    case SQL_MARIADB:
        (void)snprintf(text, sizeof text, "SET SESSION innodb_lock_wait_timeout = %u, idle_transaction_timeout = %u%s", l->lock_wait_s,
                       l->idle_transaction_s, p->conf.leads ? ", net_write_timeout = 2" : "");
        break;
    case SQL_MYSQL:
        (void)snprintf(text, sizeof text, "SET SESSION innodb_lock_wait_timeout = %u", l->lock_wait_s);
        break;
    }
    rv = set_session(sql, text, e);
    return rv == 0 && sql_engine(sql) == SQL_MARIADB ? follow_galera(sql, e) : rv;
}

static int open_session(struct pool *p, unsigned endpoint, struct session **out, struct err *e)
{
    struct session *s = mem_zalloc(sizeof *s);
    int rv;

    if (s == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = sql_connect(&p->conf.targets[endpoint], p->conf.connect_pool, &s->sql, e);
    if (rv != 0)
        goto free_session;
    rv = limit_session(p, s->sql, e);
    if (rv == 0 && p->conf.opened != NULL)
        rv = p->conf.opened(s->sql, p->conf.data, e);
    if (rv != 0)
        goto close_sql;
    s->endpoint = endpoint;
    s->born_ms = pool_now_ms(p) - (int64_t)pool_random(p, POOL_MAX_AGE_MS / 4);
    *out = s;
    return 0;

close_sql:
    sql_close(s->sql);
free_session:
    mem_free(s);
    return rv;
}

static int open_any(struct pool *p, struct session **out, struct err *e)
{
    unsigned begin = p->endpoint;
    int rv = 0;

    for (unsigned i = 0; i < p->conf.n_targets; i++) {
        unsigned endpoint = (begin + i) % p->conf.n_targets;

        rv = open_session(p, endpoint, out, e);
        if (rv == 0) {
            p->endpoint = endpoint;
            p->engine = sql_engine((*out)->sql);
        }
        if (rv == 0 || rv == ERR_CANCELLED.code || rv == ERR_NOMEM.code || p->closing)
            return rv;
    }
    return rv;
}

static void went_down(struct pool *p, const struct err *e)
{
    if (p->down_since_ms == 0) {
        p->down_since_ms = pool_now_ms(p);
        p->up_since_ms = 0;
        p->pause_ms = FIRST_PAUSE_MS;
        log_warn(p->conf.log, "database away", LOG_S("database", p->conf.name), LOG_E(e));
    } else {
        p->pause_ms = p->pause_ms < MAX_PAUSE_MS / 2 ? p->pause_ms * 2 : MAX_PAUSE_MS;
    }
    (void)err_text(e, ERR_EN, p->why, sizeof p->why);
    p->retry_ms = pool_now_ms(p) + (int64_t)pool_jittered(p, p->pause_ms);
    p->refused = err_is(e, &ERR_SQL_DENIED);
    if (p->refused)
        pool_fail_line(p);
}

static void came_up(struct pool *p, const struct session *s)
{
    if (p->up_since_ms == 0) {
        p->up_since_ms = pool_now_ms(p);
        log_info(p->conf.log, "database there", LOG_S("database", p->conf.name), LOG_S("server", sql_peer(s->sql)),
                 LOG_S("version", sql_version(s->sql)));
    }
    p->down_since_ms = 0;
    p->refused = false;
    p->retry_ms = 0;
    p->n_connects++; /* a login is no answer: a member of a Galera cluster that has just lost others lets in, and then says nothing */
}

static int wait_for_turn(struct pool *p, struct err *e)
{
    while (p->retry_ms > pool_now_ms(p)) {
        int rv = fiber_sleep(p->retry_ms - pool_now_ms(p), e);

        if (rv != 0)
            return rv;
    }
    return 0;
}

enum outcome { MADE, AGAIN, GAVE_UP };

/* One try over all endpoints. */
static enum outcome connect_once(struct pool *p)
{
    struct session *s = NULL;
    struct err e = { 0 };
    int rv = wait_for_turn(p, &e);

    if (rv != 0 || p->closing || p->first == NULL)
        return GAVE_UP;
    rv = open_any(p, &s, &e);
    if (rv == 0) {
        came_up(p, s);
        pool_keep(p, s);
        return MADE;
    }
    if (rv == ERR_CANCELLED.code || p->closing)
        return GAVE_UP;
    went_down(p, &e);
    return p->n_connectors == 1 ? AGAIN : GAVE_UP;
}

static struct fiber **connector_place(struct pool *p, const struct fiber *f)
{
    unsigned i = 0;

    while (p->connectors[i] != f)
        i++;
    return &p->connectors[i];
}

static void connector(void *data)
{
    struct pool *p = data;
    struct fiber **place = connector_place(p, NULL);
    enum outcome outcome = AGAIN;

    *place = fiber_current();
    while (outcome == AGAIN)
        outcome = connect_once(p);
    *place = NULL;
    p->n_connectors--;
    if (outcome != MADE)
        p->n_sessions--; /* the place reserved for its session */
    pool_connect(p);
}

/* Does nothing when that is impossible now: whoever is in line then waits for a session in use. */
void pool_connect(struct pool *p)
{
    unsigned wanted = p->up_since_ms != 0 ? p->n_takers : p->n_takers > 0;

    while (p->n_connectors < wanted && p->n_sessions < p->conf.max_sessions && !p->closing) {
        p->n_connectors++;
        p->n_sessions++;
        if (fiber_group_start(&p->connecting, p->loop, "connects", connector, p, NULL) != 0) {
            p->n_connectors--;
            p->n_sessions--;
            return;
        }
    }
}
