/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/remoteworld.h"

#include <stdio.h>

#include "src/store/leader.h"
#include "src/store/ocpcluster.h"

#define OCP "0123456789abcdef0123456789abcdef"
#define LINEAGE "ffffffffffffffffffffffffffffffff"

struct world w;

/* ---- doubles of what remote.c asks for ------------------------------------------------------------------------------------------------ */

const struct subtask *task_step_of(const struct task_run *r)
{
    return &r->step;
}

struct arena *task_arena(struct task_run *r)
{
    return &r->arena;
}

struct db *task_db(struct task_run *r)
{
    (void)r;
    return NULL;
}

const struct log *task_logger(struct task_run *r)
{
    (void)r;
    return &test_log;
}

bool task_is_repeated(const struct task_run *r)
{
    return r->step.dispatch > 1;
}

int64_t task_next_seq(struct task_run *r)
{
    return ++r->seq;
}

void task_log(struct task_run *r, const char *fmt, ...)
{
    size_t n = strlen(w.log);
    va_list ap;

    (void)r;
    va_start(ap, fmt);
    (void)vsnprintf(w.log + n, sizeof w.log - n, fmt, ap);
    va_end(ap);
    n = strlen(w.log);
    (void)snprintf(w.log + n, sizeof w.log - n, "\n");
}

int task_epoch(struct task_run *r, int64_t *epoch, struct err *e)
{
    (void)r;
    *epoch = w.leads;
    return w.is_overtaken ? err_set(e, &ERR_TASK_OVERTAKEN, "") : 0;
}

int leader_read(struct db *d, struct leadership *out, int64_t *claimed_us, struct err *e)
{
    (void)d;
    (void)e;
    *out = (struct leadership){ .epoch = w.leads };
    *claimed_us = 0;
    return 0;
}

int store_ocpcluster_find(struct db *d, struct arena *arena, struct ocpcluster **out, struct err *e)
{
    (void)d;
    *out = arena_zalloc(arena, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    **out = (struct ocpcluster){ .cluster = OCP, .lineage = LINEAGE };
    return 0;
}

int task_transact(struct task_run *r, int (*body)(struct tx *tx, void *data, struct err *e), void *data, struct err *e)
{
    (void)r;
    return w.is_overtaken ? err_set(e, &ERR_TASK_OVERTAKEN, "") : body(NULL, data, e);
}

int store_subtask_once_find(struct db *d, int64_t subtask_id, int64_t host_id, int is_back, struct arena *arena, struct subtask_once **out,
                            struct err *e)
{
    (void)d;
    *out = NULL;
    for (size_t i = 0; i < w.n_rows; i++)
        if (w.rows[i].row.subtask_id == subtask_id && w.rows[i].row.host_id == host_id && w.rows[i].row.is_back == is_back) {
            *out = arena_zalloc(arena, sizeof **out);
            if (*out == NULL)
                return err_set(e, &ERR_NOMEM, "");
            **out = w.rows[i].row;
            (*out)->incarnation = w.rows[i].incarnation;
        }
    return 0;
}

int store_subtask_once_begin_in(struct tx *tx, const struct subtask_once *o, struct err *e)
{
    struct once_row *row = &w.rows[w.n_rows++];

    (void)tx;
    (void)e;
    assert_true(w.n_rows <= ROWS);
    if (w.agent.last.dispatch == o->dispatch)
        assert_string_not_equal(w.agent.last_kind, "run_script"); /* the intent comes first */
    row->row = *o;
    (void)snprintf(row->incarnation, sizeof row->incarnation, "%s", o->incarnation);
    return 0;
}

static void drop_row(size_t i)
{
    w.rows[i] = w.rows[--w.n_rows];
}

int store_subtask_once_settle(struct db *d, const struct subtask_once *o, struct err *e)
{
    (void)d;
    (void)e;
    for (size_t i = w.n_rows; i > 0; i--)
        if (w.rows[i - 1].row.is_back == o->is_back && w.rows[i - 1].row.dispatch == o->dispatch)
            drop_row(i - 1);
    return 0;
}

int store_subtask_once_settle_all(struct db *d, int64_t subtask_id, int64_t dispatch, struct err *e)
{
    (void)d;
    (void)e;
    assert_int_equal(subtask_id, 7);
    for (size_t i = w.n_rows; i > 0; i--)
        if (w.rows[i - 1].row.dispatch <= dispatch)
            drop_row(i - 1);
    return 0;
}

/* ---- a step's life ---------------------------------------------------------------------------------------------------------------------- */

void begin(int64_t dispatch)
{
    arena_init(&w.run.arena);
    w.run.step = (struct subtask){ .id = 7, .task_id = 3, .dispatch = dispatch, .epoch = w.leads };
    w.run.hosts = NULL;
    w.run.recorded = NULL;
    w.run.seq = 0;
}

void die(void)
{
    arena_fini(&w.run.arena);
}

void record_as(enum decide_event outcome)
{
    if (w.run.recorded != NULL)
        w.run.recorded(&w.run, outcome);
    die();
}

void record(void)
{
    record_as(DECIDE_DONE);
}

int open_host(struct task_host **out, struct err *e)
{
    const struct agent_at host = { .address = "127.0.0.9", .port = 62888, .ocp_id = OCP, .host_id = 5, .incarnation = w.recorded };

    return task_host_open(&w.run, &w.agent, &host, out, e);
}

int run_script(struct task_host *h, const char *script, int64_t *exit_status, struct err *e)
{
    const struct agent_run_script args = { .script = script };
    struct agent_script_answer answer = { 0 };
    int rv = task_host_command(h, "run_script", &args, &answer, e);

    *exit_status = answer.exit_status;
    return rv;
}

int start_daemon(struct task_host *h, const char *pid_file, struct err *e)
{
    const char *argv[] = { "/opt/daemon" };
    const struct agent_start_process args = { .argv = { argv, 1 }, .cwd = "/", .pid_file = pid_file, .own_pid_file = -1, .settle_ms = 0 };

    return task_host_command(h, "start_process", &args, NULL, e);
}

int script(const char *name, int64_t *exit_status, struct err *e)
{
    struct task_host *h;

    assert_ok(open_host(&h, e), e);
    return run_script(h, name, exit_status, e);
}

static void (*scenario)(struct err *e);

static void play(void *data)
{
    struct err e = { 0 };

    (void)data;
    w = (struct world){ .leads = 10 };
    double_init(&w.agent);
    scenario(&e);
    double_fini(&w.agent);
}

void world_play(void (*body)(struct err *e))
{
    scenario = body;
    test_in_fiber(play, NULL);
}

unsigned entries(void)
{
    return ledger_count(w.agent.ledger).entries;
}
