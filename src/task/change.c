/* SPDX-License-Identifier: Apache-2.0 */
#include "src/task/change.h"

#include <string.h>

#include "src/store/subtask.h"

struct change {
    int64_t task_id, subtask_id;
    enum decide_event event;
    const struct subtask *from;    /* a worker's, or the leader's view of the row */
    const char *error;
    int (*decide)(const struct change *c, struct task *t, struct err *e);
};

/* ---- deciding ------------------------------------------------------------------------------------------------------------------- */

static int refuse(enum decide_answer answer, const struct task *t, const struct subtask *s, struct err *e)
{
    if (answer == DECIDE_NO_SKIP && s != NULL)
        return err_set(e, &ERR_SUBTASK_NO_SKIP, "%s", s->name);
    if (answer == DECIDE_NO_ROLLBACK)
        return err_set(e, &ERR_TASK_NO_ROLLBACK, "%lld", (long long)t->id);
    (void)err_set(e, &ERR_TASK_STATE, "%lld", (long long)t->id);
    if (s != NULL)
        return err_arg(e, "its step %s is %s", s->name, subtask_status_names[s->status]);
    return err_arg(e, "it is %s%s", task_status_names[t->status], t->operation == TASK_ROLLBACK || t->operation == TASK_UNDO ? " and was rolled back" : "");
}

static struct subtask *find(const struct task *t, int64_t id)
{
    for (size_t i = 0; i < t->n_subtasks; i++)
        if (t->subtasks[i].id == id)
            return &t->subtasks[i];
    return NULL;
}

static int decide_person_step(const struct change *c, struct task *t, struct err *e)
{
    struct subtask *s = find(t, c->subtask_id);
    enum decide_answer answer;

    if (s == NULL) {
        (void)err_set(e, &ERR_NOT_FOUND, "step");
        return err_arg(e, "%lld", (long long)c->subtask_id);
    }
    answer = decide_step(t, s, c->event);
    return answer == DECIDE_OK ? 0 : refuse(answer, t, s, e);
}

static int decide_whole(const struct change *c, struct task *t, struct err *e)
{
    enum decide_answer answer = c->event == DECIDE_RETRY ? decide_retry(t) : decide_rollback(t);

    return answer == DECIDE_OK ? 0 : refuse(answer, t, NULL, e);
}

static int decide_given(const struct change *c, struct task *t, struct err *e)
{
    const struct subtask *from = c->from;
    struct subtask *s = find(t, from->id);

    if (s == NULL || s->dispatch != from->dispatch || s->worker_id != from->worker_id || s->incarnation != from->incarnation ||
        decide_step(t, s, c->event) != DECIDE_OK)
        return err_set(e, &ERR_TASK_OVERTAKEN, "%s", s != NULL ? s->name : "");
    if (c->error != NULL)
        s->error = c->error;
    return 0;
}

/* ---- writing -------------------------------------------------------------------------------------------------------------------- */

static bool differs(const struct subtask *a, const struct subtask *b)
{
    return a->status != b->status || a->dispatch != b->dispatch || a->operation != b->operation;
}

static int write_steps(struct tx *tx, const struct subtask *was, const struct task *t, struct err *e)
{
    int rv = 0;

    for (size_t i = 0; rv == 0 && i < t->n_subtasks; i++)
        if (differs(&was[i], &t->subtasks[i]))
            rv = store_subtask_move_in(tx, &was[i], &t->subtasks[i], e);
    return rv;
}

/* How a task stood before it was changed. */
struct standing {
    int status, operation;
    bool frees;                    /* others could take what it had locked */
};

static int write_task(struct tx *tx, const struct standing *was, const struct task *t, struct arena *arena, struct err *e)
{
    int rv = 0;

    if (was->status != t->status || was->operation != t->operation)
        rv = store_task_move_in(tx, t->id, t->status, t->operation, e);
    if (rv == 0 && was->frees && !decide_frees_locks(t))
        return store_task_locks_take_in(tx, t->id, t->locks, arena, e);
    return rv == 0 && !was->frees && decide_frees_locks(t) ? store_task_locks_free_in(tx, t->id, e) : rv;
}

static int change_in(struct tx *tx, const struct change *c, struct arena *arena, struct err *e)
{
    struct subtask *was;
    int64_t *scratch;
    struct standing before;
    struct task t;
    int rv = store_task_lock_in(tx, c->task_id, arena, &t, e);

    if (rv != 0)
        return rv;
    was = arena_array(arena, t.n_subtasks + 1, sizeof *was);
    scratch = arena_array(arena, t.n_subtasks + 1, sizeof *scratch);
    if (was == NULL || scratch == NULL)
        return err_set(e, &ERR_NOMEM, "");
    memcpy(was, t.subtasks, t.n_subtasks * sizeof *was);
    before = (struct standing){ t.status, t.operation, decide_frees_locks(&t) };
    rv = c->decide(c, &t, e);
    if (rv != 0)
        return rv;
    if (before.operation == TASK_EXECUTE && c->event == DECIDE_RETRY)
        t.operation = TASK_RETRY;
    decide_settle(&t, scratch);
    rv = write_steps(tx, was, &t, e);
    return rv == 0 ? write_task(tx, &before, &t, arena, e) : rv;
}

static int change_body(struct tx *tx, void *data, struct err *e)
{
    struct arena arena;
    int rv;

    arena_init(&arena);
    rv = change_in(tx, data, &arena, e);
    arena_fini(&arena);
    return rv;
}

/* ---- who asks ------------------------------------------------------------------------------------------------------------------- */

static int person(struct db *d, int64_t task_id, int64_t id, enum decide_event event, struct err *e)
{
    struct change c = { .task_id = task_id, .subtask_id = id, .event = event, .decide = decide_person_step };

    return db_transact(d, change_body, &c, e);
}

int task_retry(struct db *d, int64_t id, struct err *e)
{
    struct change c = { .task_id = id, .event = DECIDE_RETRY, .decide = decide_whole };

    return db_transact(d, change_body, &c, e);
}

int task_rollback(struct db *d, int64_t id, struct err *e)
{
    struct change c = { .task_id = id, .event = DECIDE_EVENTS, .decide = decide_whole };

    return db_transact(d, change_body, &c, e);
}

int subtask_retry(struct db *d, int64_t task_id, int64_t id, struct err *e)
{
    return person(d, task_id, id, DECIDE_RETRY, e);
}

int subtask_skip(struct db *d, int64_t task_id, int64_t id, struct err *e)
{
    return person(d, task_id, id, DECIDE_SKIP, e);
}

int subtask_cancel(struct db *d, int64_t task_id, int64_t id, struct err *e)
{
    return person(d, task_id, id, DECIDE_CANCEL, e);
}

int task_report(struct db *d, const struct subtask *s, enum decide_event event, const char *error, struct err *e)
{
    struct change c = { .task_id = s->task_id, .event = event, .from = s, .error = error, .decide = decide_given };

    return db_transact(d, change_body, &c, e);
}

int task_lost(struct db *d, const struct subtask *s, struct err *e)
{
    return task_report(d, s, DECIDE_LOST, NULL, e);
}
