/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/loginfailure.h"

#include <string.h>

#define COUNT "failures, TIMESTAMPDIFF(MICROSECOND, NOW(6), until_at)"

static void take(const struct sql_rows *rows, size_t row, int column, struct login_count *out)
{
    int64_t us = 0;

    if (!sql_i64(rows, row, column, &out->failures) || !sql_i64(rows, row, column + 1, &us) || us <= 0)
        *out = (struct login_count){ 0, 0 };
    else
        out->wait_ms = (us + 999) / 1000;
}

/* A name that is not counted matches nothing: no subject is NULL. */
int store_login_failures(struct db *d, const struct login_subject *s, struct login_count out[LOGIN_FAILURE_KINDS], struct err *e)
{
    struct sql_rows rows;
    struct arena arena;
    int rv;

    memset(out, 0, LOGIN_FAILURE_KINDS * sizeof *out);
    arena_init(&arena);
    rv = db_read(d, "SELECT kind, " COUNT " FROM login_failure WHERE (kind = 0 AND subject = ?) OR (kind = 1 AND subject = ?)",
                 DB_ARGS(sql_v_s(s->name[LOGIN_FAILURE_USER]), sql_v_s(s->name[LOGIN_FAILURE_CLIENT])), &arena, &rows, e);
    for (size_t i = 0; rv == 0 && i < rows.n_rows; i++) {
        int64_t kind;

        if (sql_i64(&rows, i, 0, &kind) && kind >= 0 && kind < LOGIN_FAILURE_KINDS)
            take(&rows, i, 1, &out[kind]);
    }
    arena_fini(&arena);
    return rv;
}

struct failing {
    const struct login_subject *subject;
    const struct login_limits *limits;
    struct login_event *event;
    struct login_count *out;
};

static int write_count(struct tx *tx, unsigned kind, const char *name, const struct login_count *now, bool is_there, struct err *e)
{
    if (is_there)
        return tx_exec(tx, "UPDATE login_failure SET failures = ?, until_at = NOW(6) + INTERVAL ? MICROSECOND WHERE kind = ? AND subject = ?",
                       DB_ARGS(SQL_V_I(now->failures), SQL_V_I(now->wait_ms * 1000), SQL_V_I(kind), sql_v_s(name)), NULL, e);
    /* somebody else may insert it at the same moment */
    return tx_exec(tx,
                   "INSERT INTO login_failure (kind, subject, failures, until_at) VALUES (?, ?, 1, NOW(6) + INTERVAL ? MICROSECOND) "
                   "ON DUPLICATE KEY UPDATE failures = failures + 1",
                   DB_ARGS(SQL_V_I(kind), sql_v_s(name), SQL_V_I(now->wait_ms * 1000)), NULL, e);
}

/* At the limit the end of the block stands: failures that were under way do not push it back. */
static int count(struct tx *tx, const struct failing *f, unsigned kind, struct arena *arena, struct err *e)
{
    const char *name = f->subject->name[kind];
    struct login_count now = { 0, 0 };
    struct sql_rows rows;
    int rv = tx_run(tx, "SELECT " COUNT " FROM login_failure WHERE kind = ? AND subject = ? FOR UPDATE",
                    DB_ARGS(SQL_V_I(kind), sql_v_s(name)), arena, &rows, e);

    if (rv != 0)
        return rv;
    if (rows.n_rows > 0)
        take(&rows, 0, 0, &now);
    if (now.failures < f->limits->attempts[kind])
        now.wait_ms = f->limits->block_ms[kind];
    now.failures++;
    f->out[kind] = now;
    return write_count(tx, kind, name, &now, rows.n_rows > 0, e);
}

static int tx_fail(struct tx *tx, void *data, struct err *e)
{
    const struct failing *f = data;
    struct arena arena;
    int rv = 0;

    arena_init(&arena);
    memset(f->out, 0, LOGIN_FAILURE_KINDS * sizeof *f->out);
    for (unsigned kind = 0; rv == 0 && kind < LOGIN_FAILURE_KINDS; kind++)
        if (f->subject->name[kind] != NULL)
            rv = count(tx, f, kind, &arena, e);
    arena_fini(&arena);
    return rv == 0 ? store_login_history_insert(tx, f->event, e) : rv;
}

int store_login_fail(struct db *d, const struct login_subject *s, const struct login_limits *limits, struct login_event *event,
                     struct login_count out[LOGIN_FAILURE_KINDS], struct err *e)
{
    struct failing f = { s, limits, event, out };
    int rv = db_next_id(d, &event->id, e);

    return rv == 0 ? db_transact(d, tx_fail, &f, e) : rv;
}

int store_login_failures_forget(struct tx *tx, const char *username, struct err *e)
{
    return tx_exec(tx, "DELETE FROM login_failure WHERE kind = 0 AND subject = ?", DB_ARGS(sql_v_s(username)), NULL, e);
}

int store_login_failures_prune(struct db *d, struct err *e)
{
    return db_prune(d, "DELETE FROM login_failure WHERE until_at <= NOW(6) LIMIT ?", e);
}
