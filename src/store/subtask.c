/* SPDX-License-Identifier: Apache-2.0 */
#include "src/store/subtask.h"

#include <stdlib.h>

#include "src/store/many.h"
#include "src/store/task_inside.h"

#define LEASE_END "NOW(6) + INTERVAL 10 SECOND"
_Static_assert(TASK_WORKER_TTL_MS == 10000, "LEASE_END says the same");

/* ---- changes --------------------------------------------------------------------------------------------------------------- */

static int overtaken(int rv, uint64_t affected, const struct subtask *s, struct err *e)
{
    return rv == 0 && affected == 0 ? err_set(e, &ERR_TASK_OVERTAKEN, "%s", s->name) : rv;
}

static bool has_ended(int status)
{
    return status != SUBTASK_PENDING && status != SUBTASK_READY && status != SUBTASK_RUNNING && status != SUBTASK_CANCELING;
}

int store_subtask_move_in(struct tx *tx, const struct subtask *was, const struct subtask *now, struct err *e)
{
    const char *text = has_ended(now->status)
        ? "UPDATE subtask SET status = ?, operation = ?, dispatch = ?, attempts = ?, declines = ?, error = ?, not_before = NOW(6) + INTERVAL ? MICROSECOND, "
          "finished_at = NOW(6) WHERE id = ? AND dispatch = ? AND status = ?"
        : "UPDATE subtask SET status = ?, operation = ?, dispatch = ?, attempts = ?, declines = ?, error = ?, not_before = NOW(6) + INTERVAL ? MICROSECOND, "
          "finished_at = NULL WHERE id = ? AND dispatch = ? AND status = ?";
    uint64_t affected = 0;
    int rv = tx_exec(tx, text,
                     DB_ARGS(SQL_V_I(now->status), SQL_V_I(now->operation), SQL_V_I(now->dispatch), SQL_V_I(now->attempts), SQL_V_I(now->declines),
                             sql_v_s(now->error), SQL_V_I(now->delay_ms * 1000), SQL_V_I(was->id), SQL_V_I(was->dispatch), SQL_V_I(was->status)),
                     &affected, e);

    return overtaken(rv, affected, was, e);
}

/* A real write: databases that certify what was written when it is committed (Galera) see no locks of other nodes. The time says when a step that
 * is ready may begin; while it runs it says nothing, and every change of its state sets it anew. */
int store_subtask_guard_in(struct tx *tx, const struct subtask *s, struct err *e)
{
    uint64_t affected = 0;
    int rv = tx_exec(tx,
                     "UPDATE subtask SET not_before = not_before + INTERVAL 1 MICROSECOND WHERE id = ? AND dispatch = ? AND worker_id = ? AND "
                     "incarnation = ? AND status = ?",
                     DB_ARGS(SQL_V_I(s->id), SQL_V_I(s->dispatch), SQL_V_I(s->worker_id), SQL_V_I(s->incarnation), SQL_V_I(SUBTASK_RUNNING)),
                     &affected, e);

    return overtaken(rv, affected, s, e);
}

/* ---- the leader -------------------------------------------------------------------------------------------------------------- */

static int read_steps(struct db *d, const char *text, const struct sql_value *values, unsigned n_values, struct arena *arena, struct subtask **out,
                      size_t *n, struct err *e)
{
    struct sql_rows rows;
    int rv = db_read(d, text, values, n_values, arena, &rows, e);

    return rv == 0 ? subtask_fetch(&rows, arena, out, n, e) : rv;
}

int store_subtask_due(struct db *d, unsigned limit, struct arena *arena, struct subtask **out, size_t *n, struct err *e)
{
    return read_steps(d,
                      "SELECT id, task_id, dispatch, status, worker_id FROM subtask WHERE status = ? AND not_before <= NOW(6) ORDER BY not_before, id LIMIT ?",
                      DB_ARGS(SQL_V_I(SUBTASK_READY), SQL_V_I(limit)), arena, out, n, e);
}

int store_subtask_active(struct db *d, struct arena *arena, struct subtask **out, size_t *n, struct err *e)
{
    return read_steps(d, "SELECT id, task_id, dispatch, status, worker_id, incarnation FROM subtask WHERE status IN (?, ?)",
                      DB_ARGS(SQL_V_I(SUBTASK_RUNNING), SQL_V_I(SUBTASK_CANCELING)), arena, out, n, e);
}

int store_subtask_dispatch_in(struct tx *tx, const struct subtask *s, int64_t worker_id, int64_t incarnation, const char *worker, int64_t epoch,
                              bool *done, struct err *e)
{
    uint64_t affected = 0;
    int rv = tx_exec(tx,
                     "UPDATE subtask SET dispatch = dispatch + 1, status = ?, worker_id = ?, incarnation = ?, worker = ?, epoch = ?, error = '', "
                     "started_at = NOW(6), finished_at = NULL WHERE id = ? AND dispatch = ? AND status = ?",
                     DB_ARGS(SQL_V_I(SUBTASK_RUNNING), SQL_V_I(worker_id), SQL_V_I(incarnation), sql_v_s(worker), SQL_V_I(epoch), SQL_V_I(s->id),
                             SQL_V_I(s->dispatch), SQL_V_I(SUBTASK_READY)),
                     &affected, e);

    *done = rv == 0 && affected > 0;
    return rv;
}

/* ---- workers ------------------------------------------------------------------------------------------------------------------- */

int store_subtask_mine(struct db *d, int64_t worker_id, int64_t incarnation, struct arena *arena, struct subtask **out, size_t *n, struct err *e)
{
    return read_steps(d, "SELECT * FROM subtask WHERE worker_id = ? AND status IN (?, ?) AND incarnation = ?",
                      DB_ARGS(SQL_V_I(worker_id), SQL_V_I(SUBTASK_RUNNING), SQL_V_I(SUBTASK_CANCELING), SQL_V_I(incarnation)), arena, out, n, e);
}


static int renew_body(struct tx *tx, void *data, struct err *e)
{
    const struct task_worker *w = data;
    const struct sql_value values[] = { sql_v_s(w->name), SQL_V_I(w->incarnation), SQL_V_I(w->draining), SQL_V_I(w->node_id) };
    uint64_t affected = 0;
    int rv = tx_exec(tx, "UPDATE task_worker SET name = ?, incarnation = ?, draining = ?, expires_at = " LEASE_END " WHERE node_id = ?", values, 4,
                     &affected, e);

    if (rv == 0 && affected == 0)
        rv = tx_exec(tx, "INSERT INTO task_worker (name, incarnation, draining, node_id, expires_at) VALUES (?, ?, ?, ?, " LEASE_END ")", values, 4,
                     NULL, e);
    return rv;
}

int store_task_worker_renew(struct db *d, const struct task_worker *w, struct err *e)
{
    struct task_worker copy = *w;

    return db_transact(d, renew_body, &copy, e);
}

static int leave_body(struct tx *tx, void *data, struct err *e)
{
    const struct task_worker *w = data;

    return tx_exec(tx, "UPDATE task_worker SET expires_at = '2000-01-01', incarnation = 0 WHERE node_id = ? AND incarnation = ?",
                   DB_ARGS(SQL_V_I(w->node_id), SQL_V_I(w->incarnation)), NULL, e);
}

int store_task_worker_leave(struct db *d, const struct task_worker *w, struct err *e)
{
    struct task_worker copy = *w;

    return db_transact(d, leave_body, &copy, e);
}

static const struct sql_field worker_columns[] = {
    SQL_FIELD(task_worker, node_id, "node_id", SQL_C_INT64),
    SQL_FIELD(task_worker, incarnation, "incarnation", SQL_C_INT64),
    SQL_FIELD(task_worker, name, "name", SQL_C_TEXT),
    SQL_FIELD(task_worker, draining, "draining", SQL_C_INT),
    SQL_FIELD(task_worker, left_us, "left_us", SQL_C_INT64),
    { NULL },
};

int store_task_worker_list(struct db *d, struct arena *arena, struct task_worker **out, size_t *n, struct err *e)
{
    return db_list(d,
                   "SELECT node_id, incarnation, name, draining, TIMESTAMPDIFF(MICROSECOND, NOW(6), expires_at) AS left_us FROM task_worker "
                   "ORDER BY node_id",
                   DB_NO_ARGS, worker_columns, sizeof **out, arena, (void **)out, n, e);
}

/* ---- context --------------------------------------------------------------------------------------------------------------------- */

int store_task_context_get(struct db *d, int64_t task_id, const char *key, struct arena *arena, const char **value, struct err *e)
{
    struct sql_rows rows;
    int rv = db_read(d, "SELECT value FROM task_context WHERE task_id = ? AND name = ?", DB_ARGS(SQL_V_I(task_id), sql_v_s(key)), arena, &rows, e);

    *value = rv == 0 && rows.n_rows > 0 ? sql_text(&rows, 0, 0).s : NULL;
    return rv;
}

int store_task_context_set_in(struct tx *tx, int64_t task_id, const char *key, const char *value, struct err *e)
{
    return tx_exec(tx, "INSERT INTO task_context (task_id, name, value) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE value = VALUES(value)",
                   DB_ARGS(SQL_V_I(task_id), sql_v_s(key), sql_v_s(value)), NULL, e);
}

/* ---- log ------------------------------------------------------------------------------------------------------------------------- */

static const struct many_kind line_kind = { .table = "subtask_log", .columns = "subtask_id, seq, logged_at, text", .n_columns = 4,
                                            .update = "seq" };

struct lines {
    const struct sql_value *values;
    size_t n;
    struct arena *arena;
};

static int lines_body(struct tx *tx, void *data, struct err *e)
{
    const struct lines *l = data;

    return many_write(tx, &line_kind, l->values, l->n, l->arena, e);
}

int store_subtask_log(struct db *d, const struct subtask_line *lines, size_t n, struct arena *arena, struct err *e)
{
    struct sql_value *values = arena_array(arena, n * 4, sizeof *values);
    struct lines l = { values, n, arena };

    if (values == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++) {
        values[i * 4] = SQL_V_I(lines[i].subtask_id);
        values[i * 4 + 1] = SQL_V_I(lines[i].seq);
        values[i * 4 + 2] = SQL_V_TIME(lines[i].at_us);
        values[i * 4 + 3] = sql_v_s(lines[i].text);
    }
    return db_transact(d, lines_body, &l, e);
}

static const struct sql_field line_columns[] = {
    SQL_FIELD(subtask_line, subtask_id, "subtask_id", SQL_C_INT64),
    SQL_FIELD(subtask_line, seq, "seq", SQL_C_INT64),
    SQL_FIELD(subtask_line, at_us, "logged_at", SQL_C_TIME),
    SQL_FIELD(subtask_line, text, "text", SQL_C_TEXT),
    { NULL },
};

int store_subtask_lines(struct db *d, int64_t subtask_id, int64_t after, unsigned limit, struct arena *arena, struct subtask_line **out, size_t *n,
                        struct err *e)
{
    return db_list(d,
                   "SELECT subtask_id, seq, logged_at, text FROM (SELECT subtask_id, seq, logged_at, text FROM subtask_log WHERE subtask_id = ? AND seq > ? "
                   "ORDER BY seq DESC LIMIT ?) AS newest ORDER BY seq",
                   DB_ARGS(SQL_V_I(subtask_id), SQL_V_I(after), SQL_V_I(limit)), line_columns, sizeof **out, arena, (void **)out, n, e);
}

static int by_time(const void *a, const void *b)
{
    const struct subtask_line *x = a, *y = b;

    if (x->at_us != y->at_us)
        return x->at_us < y->at_us ? -1 : 1;
    if (x->subtask_id != y->subtask_id)
        return x->subtask_id < y->subtask_id ? -1 : 1;
    return (x->seq > y->seq) - (x->seq < y->seq);
}

/* They come step by step. Clocks of nodes differ: a line is never earlier than the one before it of the same step. */
static void put_in_order(struct subtask_line *lines, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (lines[i].subtask_id == lines[i - 1].subtask_id && lines[i].at_us < lines[i - 1].at_us)
            lines[i].at_us = lines[i - 1].at_us;
    if (n > 0)
        qsort(lines, n, sizeof *lines, by_time);
}

int store_subtask_new_lines(struct db *d, const struct subtask_mark *marks, size_t n_marks, unsigned limit, struct arena *arena,
                            struct subtask_line **out, size_t *n, struct err *e)
{
    struct str t;
    int rv;

    *n = 0;
    if (n_marks == 0)
        return 0;
    str_init(&t, arena);
    str_add(&t, "SELECT subtask_id, seq, logged_at, text FROM subtask_log WHERE ");
    for (size_t i = 0; i < n_marks; i++)
        str_printf(&t, "%s(subtask_id = %lld AND seq > %lld)", i > 0 ? " OR " : "", (long long)marks[i].subtask_id, (long long)marks[i].seq);
    str_printf(&t, " ORDER BY subtask_id, seq LIMIT %u", limit);
    if (str_failed(&t))
        return err_set(e, &ERR_NOMEM, "");
    rv = db_list(d, t.s, DB_NO_ARGS, line_columns, sizeof **out, arena, (void **)out, n, e);
    if (rv == 0)
        put_in_order(*out, *n);
    return rv;
}

/* ---- sessions to managed clusters -------------------------------------------------------------------------------------------------- */

int store_task_session_open_in(struct tx *tx, const struct subtask *s, const struct task_session *session, struct err *e)
{
    return tx_exec(tx,
                   "INSERT INTO task_session (subtask_id, server, connection_id, dispatch, opened_at) VALUES (?, ?, ?, ?, NOW(6)) "
                   "ON DUPLICATE KEY UPDATE dispatch = VALUES(dispatch), opened_at = VALUES(opened_at)",
                   DB_ARGS(SQL_V_I(s->id), sql_v_s(session->server), SQL_V_I(session->connection_id), SQL_V_I(s->dispatch)), NULL, e);
}

static const struct sql_field session_columns[] = {
    SQL_FIELD(task_session, server, "server", SQL_C_TEXT),
    SQL_FIELD(task_session, connection_id, "connection_id", SQL_C_INT64),
    SQL_FIELD(task_session, dispatch, "dispatch", SQL_C_INT64),
    SQL_FIELD(task_session, age_us, "age_us", SQL_C_INT64),
    { NULL },
};

int store_task_session_older(struct db *d, const struct subtask *s, struct arena *arena, struct task_session **out, size_t *n, struct err *e)
{
    return db_list(d,
                   "SELECT server, connection_id, dispatch, TIMESTAMPDIFF(MICROSECOND, opened_at, NOW(6)) AS age_us FROM task_session "
                   "WHERE subtask_id = ? AND dispatch < ? ORDER BY server, connection_id",
                   DB_ARGS(SQL_V_I(s->id), SQL_V_I(s->dispatch)), session_columns, sizeof **out, arena, (void **)out, n, e);
}

int store_task_session_close_in(struct tx *tx, const struct subtask *s, const struct task_session *session, struct err *e)
{
    return tx_exec(tx, "DELETE FROM task_session WHERE subtask_id = ? AND server = ? AND connection_id = ?",
                   DB_ARGS(SQL_V_I(s->id), sql_v_s(session->server), SQL_V_I(session->connection_id)), NULL, e);
}
