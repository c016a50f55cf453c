/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/db.h"

#include <openssl/rand.h>
#include <string.h>
#include <xxhash.h>

#include "src/store/inside.h"
#include "src/store/migrate.h"

enum { UP_MS = 500 }; /* an answer so old needs no probe: less than the time between two probes, or every other one would be left out */

ERR_DEFINE(ERR_DB_AWAY, 90201, 503, ERR_RETRY, "{0} does not answer: {1}. Nothing was changed; try again shortly.",
           "{0} 无响应：{1}。未做任何修改，请稍后重试。");
ERR_DEFINE(ERR_DB_UNSETTLED, 90202, 503, ERR_UNKNOWN,
           "The connection to {0} broke while it stored the change, and the outcome could not be found out in time. "
           "Look whether the change took effect before repeating it.",
           "保存修改时与 {0} 的连接中断，且未能及时确认结果。重试前请先确认修改是否已生效。");

const struct err_row *const store_err_rows[] = { &ERR_DB_AWAY, &ERR_DB_UNSETTLED, &ERR_SCHEMA_NEWER, &ERR_SCHEMA_CHANGED, NULL };

int db_new(const struct db_conf *conf, struct loop *l, struct db **out, struct err *e)
{
    struct db *d = mem_zalloc(sizeof *d);

    if (d == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (RAND_bytes(d->instance, sizeof d->instance) != 1) {
        mem_free(d);
        return err_set(e, &ERR_UNEXPECTED, "no random numbers from OpenSSL");
    }
    pool_init(&d->pool, conf, l);
    *out = d;
    return 0;
}

void db_free(struct db *d)
{
    if (d == NULL)
        return;
    pool_fini(&d->pool);
    mem_free(d);
}

struct db_stats db_stats(const struct db *d)
{
    return (struct db_stats){
        .sessions = d->pool.n_sessions,
        .idle = d->pool.n_idle,
        .waiting = d->pool.n_takers,
        .statements = d->count.statements,
        .failures = d->count.failures,
        .reconnects = d->pool.n_connects,
        .transactions = d->count.transactions,
        .repeated = d->count.repeated,
        .unknown = d->count.unknown,
        .settled_committed = d->count.settled_committed,
        .settled_lost = d->count.settled_lost,
        .up_since_ms = d->pool.up_since_ms,
        .down_since_ms = d->pool.down_since_ms,
    };
}

const char *db_name(const struct db *d)
{
    return d->pool.conf.name;
}

enum sql_engine db_engine(const struct db *d)
{
    return d->pool.engine;
}

unsigned db_flags(struct db *d, const char *text)
{
    uint64_t hash = XXH3_64bits(text, strlen(text));
    uint32_t *place = &d->hot[hash % DB_HOT_TEXTS];
    uint32_t mark = (uint32_t)(hash >> 32) | 1;

    if (*place == mark)
        return SQL_PREPARED;
    *place = mark;
    return 0;
}

bool db_lost(const struct err *e)
{
    return err_is(e, &ERR_SQL_LOST) || err_is(e, &ERR_SQL_UNKNOWN) || err_is(e, &ERR_SQL_READONLY);
}

int db_away(const struct db *d, const struct err *why, struct err *e)
{
    char text[ERR_ARG_SIZE];

    (void)err_text(why, ERR_EN, text, sizeof text);
    (void)err_set(e, &ERR_DB_AWAY, "%s", d->pool.conf.name);
    return err_arg(e, "%s", text);
}

/* What a failed statement means to a caller to whom its effect does not matter. */
static void say_why(struct db *d, bool late, struct err *e)
{
    if (!db_lost(e))
        return;
    if (late)
        (void)err_set(e, &ERR_TIMEOUT, "%s did not answer a statement in time", d->pool.conf.name);
    else if (fiber_is_cancelled(fiber_current()))
        (void)err_set(e, &ERR_CANCELLED, "");
    else if (!err_is(e, &ERR_SQL_READONLY))
        pool_suspect(&d->pool);
}

int db_run_on(struct db *d, struct session *s, const char *text, const struct sql_value *values, unsigned n, unsigned flags,
              unsigned timeout_ms, struct arena *arena, struct sql_rows *rows, struct err *e)
{
    int64_t former = fiber_narrow_deadline(timeout_ms != 0 ? (int64_t)timeout_ms : INT64_MAX);
    int rv = sql_run(s->sql, text, values, n, flags, arena, rows, e);
    bool late = fiber_ms_left() == 0;

    fiber_restore_deadline(former);
    d->count.statements++;
    if (rv == 0 || !sql_is_dead(s->sql))
        pool_answered(&d->pool);
    if (rv == 0)
        return 0;
    d->count.failures++;
    if ((flags & SQL_COMMIT) == 0)
        say_why(d, late, e);
    return e->row->code;
}

static int run_once(struct db *d, const char *text, const struct sql_value *values, unsigned n, unsigned flags, unsigned timeout_ms,
                    struct arena *arena, struct sql_rows *rows, struct err *e)
{
    struct session *s;
    int rv = pool_take(&d->pool, &s, e);

    if (rv != 0)
        return rv;
    rv = db_run_on(d, s, text, values, n, flags, timeout_ms, arena, rows, e);
    if (rv == ERR_SQL_READONLY.code)
        pool_drop(&d->pool, s, true);
    else
        pool_give(&d->pool, s);
    return rv;
}

int db_run(struct db *d, const char *text, const struct sql_value *values, unsigned n, unsigned flags, unsigned timeout_ms,
           struct arena *arena, struct sql_rows *rows, struct err *e)
{
    int64_t until = clock_now_ms(loop_clock(d->pool.loop)) + POOL_AWAY_MS;
    struct err failure = { 0 };
    int rv;

    for (unsigned repeats = 1;; repeats++) {
        rv = run_once(d, text, values, n, flags, timeout_ms, arena, rows, &failure);
        if (rv == 0)
            return 0;
        if (!db_lost(&failure) && !err_is(&failure, &ERR_SQL_RETRY))
            break;
        if (clock_now_ms(loop_clock(d->pool.loop)) >= until || pool_pause(&d->pool, repeats, NULL) != 0)
            break;
    }
    if (db_lost(&failure))
        return db_away(d, &failure, e);
    if (e != NULL)
        *e = failure;
    return rv;
}

int db_read(struct db *d, const char *text, const struct sql_value *values, unsigned n, struct arena *arena, struct sql_rows *rows,
            struct err *e)
{
    return db_run(d, text, values, n, db_flags(d, text), d->pool.conf.statement_timeout_ms, arena, rows, e);
}

bool db_is_up(struct db *d, unsigned timeout_ms)
{
    int64_t now = clock_now_ms(loop_clock(d->pool.loop));
    struct arena arena;
    int64_t former;
    int rv;

    if (d->pool.answered_ms != 0 && now - d->pool.answered_ms < UP_MS)
        return true;
    if (d->pool.retry_ms > now && d->pool.n_idle == 0)
        return false;
    arena_init(&arena);
    former = fiber_narrow_deadline((int64_t)timeout_ms);
    rv = db_run(d, "SELECT 1", DB_NO_ARGS, 0, timeout_ms, &arena, NULL, NULL);
    fiber_restore_deadline(former);
    arena_fini(&arena);
    return rv == 0;
}

int64_t db_answered_ms(const struct db *d)
{
    return d->pool.answered_ms;
}

int db_list(struct db *d, const char *text, const struct sql_value *values, unsigned n, const struct sql_field *fields, size_t size,
            struct arena *arena, void **out, size_t *n_out, struct err *e)
{
    struct sql_rows rows;
    int rv = db_read(d, text, values, n, arena, &rows, e);

    if (rv != 0)
        return rv;
    *out = arena_array(arena, rows.n_rows > 0 ? rows.n_rows : 1, size);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    *n_out = rows.n_rows;
    return sql_fetch(&rows, fields, size, *out, e);
}
