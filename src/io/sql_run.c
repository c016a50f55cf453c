/* SPDX-License-Identifier: Apache-2.0 */
/* One statement:
 *
 *   checks (alive, deadline, size) --> text or prepared --> rows into the arena --> 0
 *      '--nothing sent: usable        '--server's error: usable   '--anything else: dropped
 *
 * Rows are taken one by one as they arrive, so that a result has a limit and the loop its turns. */
#include "src/io/sql_session.h"

#include "config.h"

#include <string.h>

int sql_abort(struct sql *s, const struct err_row *row, const char *reason, const struct sql_effect *effect, struct err *e)
{
    sql_drop(s);
    if (effect->may_last)
        row = &ERR_SQL_UNKNOWN;
    (void)err_set(e, row, "%s", row == &ERR_CANCELLED || row == &ERR_NOMEM ? "" : s->peer);
    return err_arg(e, "%s", reason);
}

/* The wait ended early: by the deadline or by cancellation, by ours while connecting, or by the flood limit. */
static int fail_ended(struct sql *s, const struct sql_effect *effect, struct err *e)
{
    if (s->flooded)
        return sql_abort(s, &ERR_SQL_FAILED, "the answer is too large", effect, e);
    if (s->poll == NULL)
        return sql_abort(s, &ERR_SQL_LOST, "no answer in time", effect, e);
    return sql_abort(s, s->ended, s->ended == &ERR_CANCELLED ? "cancelled" : "deadline passed", effect, e);
}

/* What a server writes may be anything, and libmariadb quotes it. */
static const char *clean(const char *text, char *buf, size_t size)
{
    size_t left = strlen(text);
    size_t n = 0;

    while (left > 0 && n + 5 < size) {
        size_t length = str_utf8_length(text, left);

        if (length == 0 || (length == 1 && (unsigned char)*text < ' ')) {
            buf[n++] = '?';
            length = 1;
        } else {
            memcpy(buf + n, text, length);
            n += length;
        }
        text += length;
        left -= length;
    }
    buf[n] = '\0';
    return buf;
}

/* libmariadb closes its socket when the connection is lost, under whatever number. */
int sql_fail(struct sql *s, int number, const char *text, const struct sql_effect *effect, struct err *e)
{
    bool closed = mysql_get_socket(s->mysql) < 0;
    const struct err_row *row = sql_classify(number, effect->may_last);
    char buf[ERR_ARG_SIZE];
    int rv;

    if (s->rude)
        return sql_abort(s, &ERR_SQL_LOST, "what answers there is no database", effect, e);
    if (s->ended != NULL || s->flooded)
        return fail_ended(s, effect, e);
    if (closed && s->poll != NULL && !sql_number_is_known(number))
        row = effect->may_last ? &ERR_SQL_UNKNOWN : &ERR_SQL_LOST;
    if (closed || sql_number_ends(number))
        sql_drop(s);
    rv = err_set(e, row, "%s", row == &ERR_NOMEM ? "" : s->peer);
    (void)err_arg(e, "%s", clean(text, buf, sizeof buf));
    if (e != NULL)
        e->lib_code = number;
    return rv;
}

static int fail(struct sql_result *r, struct err *e)
{
    MYSQL *m = r->s->mysql;

    return sql_fail(r->s, (int)mysql_errno(m), mysql_error(m), r->effect, e);
}

static int take_row(struct sql_result *r, MYSQL_ROW row, const unsigned long *lengths, struct err *e)
{
    unsigned n = r->rows.n_columns;
    struct slice *cells;
    size_t bytes = 0;
    int rv;

    for (unsigned i = 0; i < n; i++)
        bytes += row[i] != NULL ? lengths[i] : 0;
    rv = sql_result_row(r, bytes, &cells, e);
    for (unsigned i = 0; i < n && rv == 0; i++)
        cells[i] = (struct slice){ row[i], row[i] != NULL ? lengths[i] : 0 };
    return rv == 0 ? sql_result_keep(r, cells, e) : rv;
}

static int take_rows(struct sql_result *r, MYSQL_RES *res, struct err *e)
{
    MYSQL_ROW row;
    int rv = sql_result_begin(r, mysql_fetch_fields(res), mysql_num_fields(res), e);

    while (rv == 0 && (row = mysql_fetch_row(res)) != NULL)
        rv = take_row(r, row, mysql_fetch_lengths(res), e);
    if (rv == 0 && mysql_errno(r->s->mysql) != 0)
        rv = fail(r, e);
    return rv;
}

int sql_query_run(struct sql_result *r, const char *text, size_t n, struct err *e)
{
    MYSQL *m = r->s->mysql;
    MYSQL_RES *res;
    int rv;

    if (n >= r->s->max_packet) {
        (void)err_set(e, &ERR_SQL_FAILED, "%s", r->s->peer);
        return err_arg(e, "a statement of %zu bytes is above its max_allowed_packet of %zu", n, r->s->max_packet);
    }
    r->s->head = true;
    if (mysql_real_query(m, text, n) != 0)
        return fail(r, e);
    res = mysql_use_result(m);
    if (res == NULL) {
        if (mysql_errno(m) != 0)
            return fail(r, e);
        r->rows.affected = mysql_affected_rows(m);
        r->rows.insert_id = mysql_insert_id(m);
        return 0;
    }
    rv = take_rows(r, res, e);
    mysql_free_result(res); /* reads what was left, which ends at once in a dropped session */
    return rv;
}

static int run_text(struct sql_result *r, const char *text, const struct sql_value *values, unsigned n_values, struct err *e)
{
    struct str written;
    int rv;

    if (n_values == 0 && sql_text_count(text) == 0)
        return sql_query_run(r, text, strlen(text), e);
    str_init(&written, NULL);
    sql_leave(); /* nothing of the library is under way while it is written */
    rv = sql_text_write(&written, text, values, n_values, r->s, e);
    sql_enter(r->s);
    if (rv == 0)
        rv = sql_query_run(r, written.s, written.n, e);
    str_fini(&written);
    return rv;
}

/* Rows whose length the library keeps to itself are not read: text serves as well. */
#ifdef HAVE_MARIADB_ROW_LENGTH
enum { CAN_PREPARE = 1 };
#else
enum { CAN_PREPARE = 0 };
#endif

static int run(struct sql_result *r, const char *text, const struct sql_value *values, unsigned n_values, unsigned flags,
               struct err *e)
{
    int rv = (flags & SQL_PREPARED) != 0 && CAN_PREPARE ? sql_stmt_run(r, text, values, n_values, e) : -1;

    if (rv == -1)
        rv = run_text(r, text, values, n_values, e);
    if (rv == 0 && mysql_more_results(r->s->mysql))
        rv = sql_abort(r->s, &ERR_SQL_FAILED, "the statement gave several results", r->effect, e);
    return rv;
}

/* What keeps a statement from being sent. */
static int check(struct sql *s, struct err *e)
{
    if (s->busy)
        return err_set(e, &ERR_UNEXPECTED, "%s", "two fibers use one database session at once");
    if (sql_is_dead(s)) {
        (void)err_set(e, &ERR_SQL_LOST, "%s", s->peer);
        return err_arg(e, "%s", s->dead ? "the session has ended" : "the server closed the connection");
    }
    if (fiber_is_cancelled(fiber_current()))
        return err_set(e, &ERR_CANCELLED, "");
    if (fiber_ms_left() == 0)
        return err_set(e, &ERR_TIMEOUT, "%s", fiber_name(fiber_current()));
    return 0;
}

static void begin(struct sql *s)
{
    s->busy = true;
    s->ended = NULL;
    s->flooded = false;
    s->turn_us = (int64_t)(uv_hrtime() / 1000);
    sql_may_receive(s, SQL_HEAD_MAX);
    sql_enter(s);
}

int sql_run(struct sql *s, const char *text, const struct sql_value *values, unsigned n_values, unsigned flags,
            struct arena *arena, struct sql_rows *rows, struct err *e)
{
    bool in_transaction = (s->mysql->server_status & SERVER_STATUS_IN_TRANS) != 0;
    struct sql_effect effect = sql_effect_of(text, in_transaction, (flags & SQL_COMMIT) != 0);
    struct sql_result r = { .s = s, .arena = arena, .effect = &effect, .rows.peer = "" };
    int rv = check(s, e);

    if (rv != 0)
        return rv;
    r.max_rows = (flags & SQL_MAX_ROWS_1M) != 0 ? SQL_ROWS_MAX_1M : SQL_ROWS_MAX;
    begin(s);
    rv = run(&r, text, values, n_values, flags, e);
    sql_leave();
    if (rv == 0)
        rv = sql_result_end(&r, e);
    s->busy = false;
    if (rv == 0 && rows != NULL)
        *rows = r.rows;
    return rv;
}
