/* SPDX-License-Identifier: Apache-2.0 */
/*   make the book --> greet (each person, two at a time) --> count
 *        |                 |
 *   remove the book   strike the line out        when the task is rolled back, in the reverse order
 *
 * The flow of docs/flows.md: people are greeted in a guest book, each once, whatever dies meanwhile. */
#include "tests/flows/flows.h"

#include <string.h>

#include "src/base/clock.h"

/* ---- plan: pure, from what the caller wants ----------------------------------------------------------------------------------------- */

static void plan(struct plan *p, const void *data)
{
    const struct greeting *g = data;

    plan_then(p, "make the book", NULL);
    plan_each(p, "greet", g->people, g->n, 2);
    plan_then(p, "count", NULL);
}

/* ---- steps: check, act, verify ------------------------------------------------------------------------------------------------------ */

static int make_body(struct tx *tx, void *data, struct err *e)
{
    struct task_run *r = data;

    return tx_exec(tx, "INSERT INTO guest_book (task_id) VALUES (?) ON DUPLICATE KEY UPDATE task_id = task_id",
                   DB_ARGS(SQL_V_I(task_of(r)->id)), NULL, e);
}

static int make_book(struct task_run *r, struct err *e)
{
    int rv = task_transact(r, make_body, r, e);

    if (rv == 0)
        task_log(r, "the book of task %lld lies open", (long long)task_of(r)->id);
    return rv;
}

static int remove_body(struct tx *tx, void *data, struct err *e)
{
    struct task_run *r = data;

    return tx_exec(tx, "DELETE FROM guest_book WHERE task_id = ?", DB_ARGS(SQL_V_I(task_of(r)->id)), NULL, e);
}

static int remove_book(struct task_run *r, struct err *e)
{
    return task_transact(r, remove_body, r, e);
}

/* The key (task, name) is what makes a second run harmless; task_transact is what makes an overtaken one harmless. */
static int greet_body(struct tx *tx, void *data, struct err *e)
{
    struct task_run *r = data;
    int rv = tx_exec(tx, "INSERT INTO greeting (task_id, name, text) VALUES (?, ?, ?)",
                     DB_ARGS(SQL_V_I(task_of(r)->id), sql_v_s(task_target(r)), sql_v_s(task_get_arg(r, "text"))), NULL, e);

    return rv != 0 && err_is(e, &ERR_SQL_DUPLICATE) ? 0 : rv;
}

static int greet(struct task_run *r, struct err *e)
{
    int rv;

    if (strcmp(task_target(r), "Nobody") == 0)
        return err_set(e, &ERR_INVALID, "Nobody cannot be greeted; skip this step");
    rv = task_transact(r, greet_body, r, e);
    if (rv == 0)
        task_log(r, "%s is greeted", task_target(r));
    return rv;
}

static int strike_body(struct tx *tx, void *data, struct err *e)
{
    struct task_run *r = data;

    return tx_exec(tx, "DELETE FROM greeting WHERE task_id = ? AND name = ?", DB_ARGS(SQL_V_I(task_of(r)->id), sql_v_s(task_target(r))), NULL, e);
}

static int strike_out(struct task_run *r, struct err *e)
{
    return task_transact(r, strike_body, r, e);
}

static int count(struct task_run *r, struct err *e)
{
    struct sql_rows rows;
    int64_t n;
    int rv = db_read(task_db(r), "SELECT COUNT(*) FROM greeting WHERE task_id = ?", DB_ARGS(SQL_V_I(task_of(r)->id)), task_arena(r), &rows, e);

    if (rv == 0 && !sql_i64(&rows, 0, 0, &n))
        rv = err_set(e, &ERR_UNEXPECTED, "greetings cannot be counted");
    if (rv != 0)
        return rv;
    task_log(r, "%lld people were greeted", (long long)n);
    return task_set(r, "greeted", arena_printf(task_arena(r), "%lld", (long long)n), e);
}

/* ---- tables ------------------------------------------------------------------------------------------------------------------------- */

static const struct task_step steps[] = {
    { "make the book", "Open a guest book.", 30, make_book, .rollback = remove_book, .retries = 3 },
    { "greet", "Write a line for one person.", 30, greet, .rollback = strike_out, .retries = 3, .flags = STEP_SKIPPABLE },
    { "count", "See how many there are.", 30, count, .retries = 3 },
    { .name = NULL },
};
const struct task_flow flow_greet = { "greet", 9001, steps, .plan = plan };

/* ---- submission: the task, its locks and what it is about in one transaction ----------------------------------------------------------- */

struct submission {
    struct task_new task;
    struct task_prepared prepared;
    struct arena *arena;
};

static int insert_body(struct tx *tx, void *data, struct err *e)
{
    struct submission *s = data;

    return task_insert(tx, &s->prepared, &s->task, s->arena, e);
}

int greet_start(struct db *d, struct task_engine *t, const struct greeting *g, struct arena *arena, int64_t *id, struct err *e)
{
    const struct task_lock_want lock = { "book", g->book };
    struct submission s = {
        .task = { .flow = &flow_greet, .name = "Greet people", .creator_id = g->user_id, .creator_name = g->username, .arguments = g->arguments,
                  .plan_data = g, .locks = &lock, .n_locks = g->book > 0 ? 1 : 0, .node = g->node, .now_us = clock_wall_us(&clock_system) },
        .arena = arena,
    };
    int rv = task_prepare(d, &s.task, arena, &s.prepared, e);

    if (rv == 0)
        rv = db_transact(d, insert_body, &s, e);
    if (rv != 0)
        return rv;
    *id = s.prepared.id;
    task_kick(t);
    return 0;
}
