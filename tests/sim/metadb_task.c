/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks, their steps, the leases of workers, the sessions that steps have opened, and the keys of requests, as src/store has them. */
#include "tests/sim/metadb_inside.h"

#include <string.h>

enum { NOTICE_MS = 5000 }; /* the leader looks once a second, and MetaDB may stall */
enum { FINAL = 1u << SUBTASK_SUCCESSFUL | 1u << SUBTASK_SKIPPED | 1u << SUBTASK_CANCELLED | 1u << SUBTASK_ROLLED_BACK,
       BROKEN = 1u << SUBTASK_FAILED | 1u << SUBTASK_UNKNOWN, OUTCOME = FINAL | BROKEN };

static struct task_data *data_of(struct metadb *m, const struct tx *t)
{
    return &m->task_data[t - m->txs];
}

static struct metadb_key *key_row(struct metadb *m, uint64_t key)
{
    return &m->now.keys[key % METADB_KEYS];
}

static bool lock_key(struct metadb *m, const struct tx *t, uint64_t key)
{
    return metadb_lock(m, t, KEY_ROW + (unsigned)(key % METADB_KEY_LOCKS));
}

/* --- statements: tasks ---------------------------------------------------------------------------------------------------------------- */

static bool renew_worker(struct metadb *m, struct tx *t)
{
    m->now.tasks.workers[t->node] = (struct metadb_worker){ data_of(m, t)->incarnation, m->now_ms + m->skew_ms + TASK_WORKER_TTL_MS };
    return true;
}

static bool read_tasks(struct metadb *m, struct tx *t)
{
    struct task_data *d = data_of(m, t);

    d->view = m->now.tasks;
    d->view.now_ms = m->now_ms + m->skew_ms;
    d->view.epoch = m->now.row.epoch;
    return true;
}

static bool lock_task(struct metadb *m, struct tx *t)
{
    struct task_data *d = data_of(m, t);

    if (!metadb_lock(m, t, TASK_ROW + d->slot))
        return false;
    d->copy = m->now.tasks.tasks[d->slot];
    if (d->copy.head.id != d->id)
        t->answer = METADB_NO_ROW;
    return true;
}

static bool put_task(struct metadb *m, struct tx *t)
{
    data_of(m, t)->has_task = true;
    return true;
}

/* Into the place of one that is finished. */
static bool insert_task(struct metadb *m, struct tx *t)
{
    struct task_data *d = data_of(m, t);

    if (!metadb_lock(m, t, TASK_ROW + d->slot))
        return false;
    d->has_insert = true;
    return true;
}

static bool add_session(struct metadb *m, struct tx *t)
{
    data_of(m, t)->has_session = true;
    return true;
}

/* --- statements: keys of requests ------------------------------------------------------------------------------------------------------ */

static bool read_key(struct metadb *m, struct tx *t)
{
    struct task_data *d = data_of(m, t);

    d->found = *key_row(m, d->key.key);
    if (d->found.key != d->key.key)
        t->answer = METADB_NO_ROW;
    return true;
}

static bool insert_key(struct metadb *m, struct tx *t)
{
    struct task_data *d = data_of(m, t);

    if (!lock_key(m, t, d->key.key))
        return false;
    d->has_key = key_row(m, d->key.key)->key != d->key.key;
    if (!d->has_key)
        t->answer = METADB_DUPLICATE;
    return true;
}

static bool take_key(struct metadb *m, struct tx *t)
{
    struct task_data *d = data_of(m, t);
    const struct metadb_key *row = key_row(m, d->key.key);

    if (!lock_key(m, t, d->key.key))
        return false;
    d->has_key = row->key == d->key.key && row->claim == d->former && !row->done && !row->effect;
    if (!d->has_key)
        t->answer = METADB_NO_ROW;
    return true;
}

/* Whoever still has the claim says that there is an effect, or that all is done. */
static bool mark_key(struct metadb *m, struct tx *t)
{
    struct task_data *d = data_of(m, t);
    const struct metadb_key *row = key_row(m, d->key.key);

    if (!lock_key(m, t, d->key.key))
        return false;
    d->has_key = row->key == d->key.key && row->claim == d->key.claim;
    if (!d->has_key)
        t->answer = METADB_NO_ROW;
    return true;
}

bool metadb_perform_task(struct metadb *m, struct tx *t)
{
    static bool (*const perform[])(struct metadb *m, struct tx *t) = {
        [RENEW_WORKER - RENEW_WORKER] = renew_worker, [READ_TASKS - RENEW_WORKER] = read_tasks, [LOCK_TASK - RENEW_WORKER] = lock_task,
        [PUT_TASK - RENEW_WORKER] = put_task, [INSERT_TASK - RENEW_WORKER] = insert_task, [ADD_SESSION - RENEW_WORKER] = add_session,
        [READ_KEY - RENEW_WORKER] = read_key, [INSERT_KEY - RENEW_WORKER] = insert_key, [TAKE_KEY - RENEW_WORKER] = take_key,
        [MARK_KEY - RENEW_WORKER] = mark_key,
    };

    t->answer = METADB_OK;
    if (perform[t->verb - RENEW_WORKER](m, t))
        return true;
    t->answer = METADB_WAITING;
    return false;
}

/* --- COMMIT --------------------------------------------------------------------------------------------------------------------------- */

static bool is_in(const struct subtask *s, unsigned statuses)
{
    return (statuses & 1u << s->status) != 0;
}

static void check_step(struct metadb *m, const struct subtask *was, const struct subtask *now, unsigned step)
{
    int64_t *last = &m->outcome[(uint64_t)now->task_id % METADB_IDS][step];

    if (is_in(was, FINAL) && now->status != was->status && now->operation != TASK_ROLLBACK)
        metadb_break(m, "a step leaves a final state without a rollback", (uint64_t)now->task_id, step);
    if (is_in(was, BROKEN) && now->status != was->status && now->dispatch <= was->dispatch)
        metadb_break(m, "a failed step goes on under its old dispatch", (uint64_t)now->task_id, step);
    if (now->dispatch < was->dispatch)
        metadb_break(m, "a dispatch goes back", (uint64_t)now->task_id, step);
    if (!is_in(now, OUTCOME) || is_in(was, OUTCOME))
        return;
    if (*last != 0 && *last == now->dispatch)
        metadb_break(m, "two outcomes of one dispatch", (uint64_t)now->task_id, (uint64_t)now->dispatch);
    *last = now->dispatch;
}

static void apply_task(struct metadb *m, struct task_data *d)
{
    struct metadb_task *row = &m->now.tasks.tasks[d->slot];

    if (d->epoch != 0 && d->epoch != m->now.row.epoch)
        metadb_break(m, "a leader of an older epoch has changed a task", (uint64_t)d->epoch, (uint64_t)m->now.row.epoch);
    if (d->dispatch != 0 && row->steps[d->step].dispatch != d->dispatch)
        metadb_break(m, "an outcome of an older dispatch was recorded", (uint64_t)row->head.id, (uint64_t)d->dispatch);
    for (unsigned i = 0; i < METADB_STEPS; i++)
        check_step(m, &row->steps[i], &d->copy.steps[i], i);
    *row = d->copy;
    m->task_moved_ms[d->slot] = m->now_ms;
}

static void apply_insert(struct metadb *m, const struct task_data *d)
{
    if (d->key.key > m->forgiven_key && ++m->tasks_of_key[d->key.key % METADB_KEYS] > 1)
        metadb_break(m, "two tasks for one key", d->key.key, 0);
    m->now.tasks.tasks[d->slot] = d->copy;
    memset(m->outcome[(uint64_t)d->copy.head.id % METADB_IDS], 0, sizeof m->outcome[0]);
    m->task_moved_ms[d->slot] = m->now_ms;
    m->counts->submissions++;
}

void metadb_apply_tasks(struct metadb *m, struct tx *t)
{
    struct task_data *d = data_of(m, t);

    if (d->has_task)
        apply_task(m, d);
    if (d->has_insert)
        apply_insert(m, d);
    if (d->has_key)
        *key_row(m, d->key.key) = d->key;
    if (d->has_session)
        m->now.tasks.sessions[m->now.tasks.n_sessions++ % METADB_SESSIONS] = d->session;
}

void metadb_forget_tasks(struct metadb *m, const struct tx *t)
{
    struct task_data *d = data_of(m, t);

    d->has_task = d->has_insert = d->has_key = d->has_session = false;
    d->epoch = d->dispatch = 0;
}

/* Nobody knows how far they came. */
void metadb_fail_tasks(struct metadb *m)
{
    for (unsigned i = 0; i < METADB_TASKS; i++)
        m->now.tasks.tasks[i] = (struct metadb_task){ .key = 0 };
    memset(m->now.tasks.workers, 0, sizeof m->now.tasks.workers);
    m->forgiven_key = m->highest_key;
}

/* --- clients -------------------------------------------------------------------------------------------------------------------------- */

void metadb_renew_worker(struct metadb *m, int tx, int64_t incarnation)
{
    data_of(m, metadb_say(m, tx, RENEW_WORKER))->incarnation = incarnation;
}

void metadb_read_tasks(struct metadb *m, int tx)
{
    (void)metadb_say(m, tx, READ_TASKS);
}

const struct metadb_tasks *metadb_tasks(const struct metadb *m, int tx)
{
    return &m->task_data[tx].view;
}

void metadb_lock_task(struct metadb *m, int tx, unsigned slot, int64_t id)
{
    struct task_data *d = data_of(m, metadb_say(m, tx, LOCK_TASK));

    d->slot = slot;
    d->id = id;
}

struct metadb_task *metadb_task(struct metadb *m, int tx)
{
    struct metadb_task *copy = &m->task_data[tx].copy;

    copy->head.subtasks = copy->steps;
    copy->head.n_subtasks = METADB_STEPS;
    return copy;
}

void metadb_put_task(struct metadb *m, int tx, int64_t epoch)
{
    data_of(m, metadb_say(m, tx, PUT_TASK))->epoch = epoch;
}

void metadb_put_outcome(struct metadb *m, int tx, unsigned step, int64_t dispatch)
{
    struct task_data *d = data_of(m, metadb_say(m, tx, PUT_TASK));

    d->step = step;
    d->dispatch = dispatch;
}

void metadb_insert_task(struct metadb *m, int tx, unsigned slot, const struct metadb_task *task)
{
    struct task_data *d = data_of(m, metadb_say(m, tx, INSERT_TASK));

    d->slot = slot;
    d->copy = *task;
}

void metadb_add_session(struct metadb *m, int tx, const struct metadb_session *session)
{
    data_of(m, metadb_say(m, tx, ADD_SESSION))->session = *session;
}

void metadb_read_key(struct metadb *m, int tx, uint64_t key)
{
    data_of(m, metadb_say(m, tx, READ_KEY))->key.key = key;
}

struct metadb_key metadb_key(const struct metadb *m, int tx)
{
    return m->task_data[tx].found;
}

void metadb_insert_key(struct metadb *m, int tx, const struct metadb_key *key)
{
    data_of(m, metadb_say(m, tx, INSERT_KEY))->key = *key;
    if (key->key > m->highest_key)
        m->highest_key = key->key;
}

void metadb_take_key(struct metadb *m, int tx, const struct metadb_key *key, uint64_t former)
{
    struct task_data *d = data_of(m, metadb_say(m, tx, TAKE_KEY));

    d->key = *key;
    d->former = former;
}

void metadb_mark_key(struct metadb *m, int tx, const struct metadb_key *key)
{
    data_of(m, metadb_say(m, tx, MARK_KEY))->key = *key;
}

void metadb_met_agent(struct metadb *m, unsigned host, int64_t incarnation)
{
    m->now.tasks.agents[host] = incarnation;
}

/* --- for the checks ------------------------------------------------------------------------------------------------------------------- */

const struct metadb_task *metadb_task_now(const struct metadb *m, unsigned slot)
{
    return &m->now.tasks.tasks[slot];
}

int64_t metadb_task_rests_ms(const struct metadb *m, unsigned slot)
{
    return m->now_ms - m->task_moved_ms[slot];
}

bool metadb_waits_for_dead(const struct metadb *m, unsigned slot, const int64_t *incarnations, unsigned up)
{
    for (unsigned i = 0; i < METADB_STEPS; i++) {
        const struct subtask *s = &m->now.tasks.tasks[slot].steps[i];
        unsigned node = s->worker_id > 0 ? (unsigned)s->worker_id - 1 : 0;
        const struct metadb_worker *w = &m->now.tasks.workers[node];
        bool is_gone = (up & 1u << node) == 0 || incarnations[node] != s->incarnation;

        if ((s->status == SUBTASK_RUNNING || s->status == SUBTASK_CANCELING) && is_gone && w->incarnation == s->incarnation &&
            w->expires_ms + NOTICE_MS > m->now_ms + m->skew_ms)
            return true;
    }
    return false;
}

bool metadb_has_task_of(const struct metadb *m, uint64_t key)
{
    return key <= m->forgiven_key || m->tasks_of_key[key % METADB_KEYS] > 0;
}
