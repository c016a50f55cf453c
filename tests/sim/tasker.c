/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/tasker.h"

#include <stdio.h>
#include <string.h>

#include "src/task/decide.h"

enum { STATEMENT_MS = 1500, PAUSE_MS = 40, LOOK_MS = 500, RENEW_MS = TASK_WORKER_TTL_MS / 3, PATIENCE_MS = 4000, GONE_ONE_IN = 6, POLL_MS = 3000, SOON_MS = 100,
       STUCK_MS = TASK_WORKER_TTL_MS + 5000 };

enum says { BODY_WAITS, BODY_COMMITS, BODY_REFUSES };

static void broken(struct sim_tasker *t, const char *what, int64_t task, unsigned step)
{
    if (t->broken[0] == '\0')
        (void)snprintf(t->broken, sizeof t->broken, "%s (task %lld step %u)", what, (long long)task, step);
}

static struct sim_job *new_job(struct sim_tasker *t, unsigned kind, int64_t now_ms)
{
    for (unsigned i = 0; i < TASKER_JOBS; i++)
        if (t->jobs[i].kind == JOB_NONE) {
            t->jobs[i] = (struct sim_job){ .kind = kind, .tx = -1, .next_ms = now_ms };
            return &t->jobs[i];
        }
    return NULL;
}

static bool has_job(const struct sim_tasker *t, unsigned kind, unsigned slot)
{
    for (unsigned i = 0; i < TASKER_JOBS; i++)
        if ((unsigned)t->jobs[i].kind == kind && t->jobs[i].slot == slot)
            return true;
    return false;
}

static struct sim_run *find_run(struct sim_tasker *t, int64_t task, unsigned step)
{
    for (unsigned i = 0; i < TASKER_RUNS; i++)
        if (t->runs[i].at != RUN_NONE && t->runs[i].task == task && t->runs[i].step == step)
            return &t->runs[i];
    return NULL;
}

static void settle(struct metadb_task *task)
{
    int64_t scratch[METADB_STEPS + 1];

    decide_settle(&task->head, scratch);
}

/* --- bodies of transactions ---------------------------------------------------------------------------------------------------------------- */

/* The leader's: behind its fence, and only while the step is as it was seen. */
static enum says pass_fence(struct sim_tasker *t, struct sim_job *j, enum metadb_answer a)
{
    if (j->n == 0)
        metadb_pass_fence(t->db, j->tx, (unsigned)j->task % METADB_SLOTS, j->epoch);
    else if (a == METADB_OK)
        metadb_lock_task(t->db, j->tx, j->slot, j->task);
    else {
        t->counts->fenced++;
        t->fenced = j->epoch;
        return BODY_REFUSES;
    }
    return BODY_WAITS;
}

static enum says lose_worker(struct sim_tasker *t, struct sim_job *j, enum metadb_answer a)
{
    struct metadb_task *task = metadb_task(t->db, j->tx);
    struct subtask *s = &task->steps[j->step];

    if (j->n < 2)
        return pass_fence(t, j, a);
    if (j->n == 3)
        return BODY_COMMITS;
    if (a != METADB_OK || s->dispatch != j->dispatch || decide_step(&task->head, s, DECIDE_LOST) != DECIDE_OK)
        return BODY_REFUSES;
    settle(task);
    metadb_put_task(t->db, j->tx, j->epoch);
    return BODY_WAITS;
}

static enum says dispatch(struct sim_tasker *t, struct sim_job *j, enum metadb_answer a)
{
    struct metadb_task *task = metadb_task(t->db, j->tx);
    struct subtask *s = &task->steps[j->step];

    if (j->n < 2)
        return pass_fence(t, j, a);
    if (j->n == 3)
        return BODY_COMMITS;
    if (a != METADB_OK || s->dispatch != j->dispatch || s->status != SUBTASK_READY)
        return BODY_REFUSES;
    s->dispatch++;
    s->status = SUBTASK_RUNNING;
    s->worker_id = j->to;
    s->incarnation = j->to_incarnation;
    s->epoch = j->epoch;
    if (task->agents[j->step] == 0)
        task->agents[j->step] = t->seen.agents[targets_host(j->task, j->step)];
    metadb_put_task(t->db, j->tx, j->epoch);
    return BODY_WAITS;
}

static bool is_mine(const struct sim_tasker *t, const struct subtask *s, int64_t step_dispatch)
{
    return s->dispatch == step_dispatch && s->worker_id == t->node + 1 && s->incarnation == t->incarnation;
}

/* The worker's: guarded by dispatch, worker and state. */
static enum says report(struct sim_tasker *t, struct sim_job *j, enum metadb_answer a)
{
    struct metadb_task *task = metadb_task(t->db, j->tx);
    struct subtask *s = &task->steps[j->step];

    if (j->n == 0) {
        metadb_lock_task(t->db, j->tx, j->slot, j->task);
        return BODY_WAITS;
    }
    if (j->n == 2)
        return BODY_COMMITS;
    if (a != METADB_OK || !is_mine(t, s, j->dispatch) || decide_step(&task->head, s, (enum decide_event)j->event) != DECIDE_OK) {
        t->counts->refused_reports++;
        return BODY_REFUSES;
    }
    settle(task);
    metadb_put_outcome(t->db, j->tx, j->step, j->dispatch);
    return BODY_WAITS;
}

/* Only while the step is still this dispatch's may its session change anything. */
static enum says register_session(struct sim_tasker *t, struct sim_job *j, enum metadb_answer a)
{
    const struct subtask *s = &metadb_task(t->db, j->tx)->steps[j->step];

    if (j->n == 0) {
        metadb_lock_task(t->db, j->tx, j->slot, j->task);
        return BODY_WAITS;
    }
    if (j->n == 2)
        return BODY_COMMITS;
    if (a != METADB_OK || !is_mine(t, s, j->dispatch) || s->status != SUBTASK_RUNNING)
        return BODY_REFUSES;
    metadb_add_session(t->db, j->tx, &j->session);
    return BODY_WAITS;
}

static enum says interfere(struct sim_tasker *t, struct sim_job *j, enum metadb_answer a)
{
    struct metadb_task *task = metadb_task(t->db, j->tx);
    struct task *head = &task->head;

    if (j->n == 0) {
        metadb_lock_task(t->db, j->tx, j->slot, j->task);
        return BODY_WAITS;
    }
    if (j->n == 2)
        return BODY_COMMITS;
    if (a != METADB_OK)
        return BODY_REFUSES;
    if (j->event == DECIDE_EVENTS ? decide_rollback(head) != DECIDE_OK
        : j->event == DECIDE_RETRY ? decide_retry(head) != DECIDE_OK
                                   : decide_step(head, &task->steps[j->step], (enum decide_event)j->event) != DECIDE_OK)
        return BODY_REFUSES;
    settle(task);
    metadb_put_task(t->db, j->tx, 0);
    return BODY_WAITS;
}

/* A node that was started again is gone; one that is only slow may be taken for it. */
static bool is_gone(struct sim_tasker *t, const struct metadb_key *former)
{
    return t->incarnations[former->node] != former->incarnation || sim_once_in(t->rng, GONE_ONE_IN);
}

static enum says claim(struct sim_tasker *t, struct sim_job *j, enum metadb_answer a)
{
    struct metadb_key former = metadb_key(t->db, j->tx);

    if (j->n == 0) {
        metadb_read_key(t->db, j->tx, j->key.key);
        return BODY_WAITS;
    }
    if (j->n == 2)
        return a == METADB_OK ? BODY_COMMITS : BODY_REFUSES;
    if (a == METADB_NO_ROW) {
        metadb_insert_key(t->db, j->tx, &j->key);
        return BODY_WAITS;
    }
    j->event = former.done ? REPLY_DONE : REPLY_BUSY;
    if (former.done || !is_gone(t, &former))
        return BODY_REFUSES;
    j->event = former.effect ? REPLY_LOST : REPLY_BUSY;
    if (former.effect)
        return BODY_REFUSES;
    t->counts->taken_keys++;
    metadb_take_key(t->db, j->tx, &j->key, former.claim);
    return BODY_WAITS;
}

static enum says submit(struct sim_tasker *t, struct sim_job *j, enum metadb_answer a)
{
    if (j->n == 0) {
        metadb_mark_key(t->db, j->tx, &j->key);
        return BODY_WAITS;
    }
    if (j->n == 2)
        return BODY_COMMITS;
    if (a != METADB_OK) {
        t->counts->overtaken_keys++;
        return BODY_REFUSES;
    }
    metadb_insert_task(t->db, j->tx, j->slot, &j->fresh);
    return BODY_WAITS;
}

static enum says finish(struct sim_tasker *t, struct sim_job *j, enum metadb_answer a)
{
    if (j->n > 0)
        return a == METADB_OK ? BODY_COMMITS : BODY_REFUSES;
    metadb_mark_key(t->db, j->tx, &j->key);
    return BODY_WAITS;
}

static enum says run_body(struct sim_tasker *t, struct sim_job *j, enum metadb_answer a)
{
    static enum says (*const bodies[])(struct sim_tasker *t, struct sim_job *j, enum metadb_answer a) = {
        [JOB_LOST] = lose_worker, [JOB_DISPATCH] = dispatch, [JOB_REPORT] = report, [JOB_REGISTER] = register_session, [JOB_PERSON] = interfere,
        [JOB_CLAIM] = claim, [JOB_SUBMIT] = submit, [JOB_FINISH] = finish,
    };

    return bodies[j->kind](t, j, a);
}

/* --- runs -------------------------------------------------------------------------------------------------------------------------------- */

static void go(struct sim_run *r, int at, int64_t next_ms)
{
    r->at = at;
    r->call = 0;
    r->next_ms = next_ms;
}

/* A moment between two things that a step does; sometimes a long one, in which the world goes on, or one longer than a lease. */
static int64_t soon(struct sim_tasker *t, int64_t now_ms)
{
    if (t->calm || !sim_once_in(t->rng, 12))
        return now_ms + sim_below(t->rng, SOON_MS);
    return now_ms + sim_below(t->rng, sim_once_in(t->rng, 3) ? TASK_WORKER_TTL_MS * 2 : 3000);
}

static void end_with(struct sim_tasker *t, struct sim_run *r, int event, int64_t now_ms)
{
    r->event = event;
    go(r, RUN_REPORT, soon(t, now_ms));
}

/* Nobody can have heard of the first dispatch before. */
static int first_state(const struct sim_run *r)
{
    if (r->is_back)
        return RUN_UNDO;
    if (!targets_is_agent(r->task, r->step))
        return RUN_READ;
    return r->dispatch > 1 ? RUN_FENCE : RUN_COMMAND;
}

static void begin_run(struct sim_tasker *t, unsigned slot, unsigned step, const struct subtask *s, int64_t now_ms)
{
    int64_t first_agent = t->seen.tasks[slot].agents[step], agent = t->seen.agents[targets_host(s->task_id, step)];

    for (unsigned i = 0; i < TASKER_RUNS; i++) {
        struct sim_run *r = &t->runs[i];

        if (r->at != RUN_NONE)
            continue;
        *r = (struct sim_run){ .slot = slot, .step = step, .task = s->task_id, .dispatch = s->dispatch, .epoch = s->epoch,
                               .is_back = s->operation == TASK_ROLLBACK, .began_ms = now_ms, .agent = agent, .moved = agent != first_agent, .again = s->operation == TASK_RETRY };
        go(r, first_state(r), soon(t, now_ms));
        return;
    }
}

/* Sessions of older dispatches, as a look says that began after this run. */
static void read_sessions(struct sim_tasker *t, struct sim_run *r, int64_t now_ms)
{
    if (t->looked_ms <= r->began_ms)
        return;
    r->n_kill = 0;
    for (unsigned i = 0; i < METADB_SESSIONS; i++) {
        const struct metadb_session *s = &t->seen.sessions[i];

        if (s->task == r->task && s->step == r->step && s->dispatch < r->dispatch && r->n_kill < TASKER_KILLS)
            r->kill[r->n_kill++] = s->id;
    }
    go(r, r->n_kill > 0 ? RUN_KILL : RUN_OPEN, soon(t, now_ms));
    if (r->at == RUN_OPEN)
        targets_fenced(t->targets, r->task, r->step, r->dispatch);
}

/* A connection that ended is never made anew in silence: what it has begun may go on for a while. */
static void session_gone(struct sim_run *r, int64_t now_ms)
{
    r->kill[0] = r->session;
    r->n_kill = 1;
    r->session = 0;
    go(r, RUN_KILL, now_ms);
}

static void register_now(struct sim_tasker *t, struct sim_run *r, int64_t now_ms)
{
    struct sim_job *j = new_job(t, JOB_REGISTER, now_ms);

    if (j == NULL)
        return;
    j->slot = r->slot;
    j->step = r->step;
    j->task = r->task;
    j->dispatch = r->dispatch;
    j->session = (struct metadb_session){ r->session, r->task, r->dispatch, r->step };
    r->next_ms = INT64_MAX;
}

static void report_now(struct sim_tasker *t, struct sim_run *r, int64_t now_ms)
{
    struct sim_job *j = new_job(t, JOB_REPORT, now_ms);

    if (j == NULL)
        return;
    j->slot = r->slot;
    j->step = r->step;
    j->task = r->task;
    j->dispatch = r->dispatch;
    j->event = r->event;
    if (r->event == DECIDE_DONE && !r->is_back && targets_counts(t->targets, r->task) && targets_effects(t->targets, r->task, r->step) == 0)
        broken(t, "reports as done what was not", r->task, r->step);
    r->next_ms = INT64_MAX;
}

static void say(struct sim_tasker *t, struct sim_run *r, int64_t now_ms)
{
    static const enum target_verb verbs[] = {
        [RUN_FENCE] = TARGET_FENCE, [RUN_QUERY] = TARGET_QUERY, [RUN_VERIFY] = TARGET_CHECK, [RUN_COMMAND] = TARGET_COMMAND, [RUN_KILL] = TARGET_KILL,
        [RUN_OPEN] = TARGET_OPEN, [RUN_LOOK] = TARGET_CHECK, [RUN_EXECUTE] = TARGET_EXECUTE, [RUN_CONFIRM] = TARGET_CHECK,
    };
    struct target_call c = { .verb = verbs[r->at], .task = r->task, .dispatch = r->dispatch, .epoch = r->epoch, .step = r->step,
                             .incarnation = r->agent, .session = r->at == RUN_KILL ? r->kill[r->n_kill - 1] : r->session };

    r->call = targets_say(t->targets, &c);
    r->said_ms = now_ms;
}

/* No command is begun by a step that fails before it. */
static void decide_to_act(struct sim_tasker *t, struct sim_run *r, int act, int64_t now_ms)
{
    if (!t->calm && sim_once_in(t->rng, 20))
        end_with(t, r, sim_once_in(t->rng, 2) ? DECIDE_FAILED : DECIDE_PASSING, now_ms);
    else
        go(r, act, soon(t, now_ms));
}

/* Refused for the epoch: the step stays ours for as long as its row says so. */
static void wait_for_epoch(struct sim_tasker *t, struct sim_run *r, int64_t now_ms)
{
    if (t->seen.epoch > r->epoch)
        r->epoch = t->seen.epoch;
    go(r, r->at, now_ms + LOOK_MS);
}

/* Nothing of older dispatches runs, and nothing will. The fence tells of what was heard; half of the steps ask for what was not, too. */
static void older_settled(struct sim_tasker *t, struct sim_run *r, enum target_answer a, int64_t now_ms)
{
    bool asks = r->at == RUN_FENCE && r->task / 2 % 2 == 0;

    t->counts->moved_steps += r->moved && !asks;
    if (asks)
        go(r, RUN_QUERY, soon(t, now_ms));
    else
        decide_to_act(t, r, a == TARGET_CLEAR && !r->moved && !r->again ? RUN_COMMAND : RUN_VERIFY, now_ms);
}

static void agent_answered(struct sim_tasker *t, struct sim_run *r, enum target_answer a, int64_t now_ms)
{
    if (a == TARGET_OLD)
        r->at = RUN_NONE; /* overtaken */
    else if (a == TARGET_EPOCH)
        wait_for_epoch(t, r, now_ms);
    else if (a == TARGET_RUNNING || a == TARGET_LATE)
        go(r, r->at, now_ms + 150);
    else if (a == TARGET_OTHER) /* what it may have done there nobody can tell */
        end_with(t, r, r->at == RUN_COMMAND ? DECIDE_UNKNOWN : DECIDE_PASSING, now_ms);
    else if (a == TARGET_DONE) {
        t->counts->found_done += r->at != RUN_COMMAND;
        end_with(t, r, DECIDE_DONE, now_ms);
    } else if (r->at == RUN_FENCE || r->at == RUN_QUERY)
        older_settled(t, r, a, now_ms);
    else if (a == TARGET_FAILED)
        end_with(t, r, sim_once_in(t->rng, 2) ? DECIDE_FAILED : DECIDE_PASSING, now_ms);
    else if (r->at == RUN_COMMAND) /* begun, and its agent cannot tell */
        end_with(t, r, DECIDE_UNKNOWN, now_ms);
    else /* looked at: it was not */
        decide_to_act(t, r, RUN_COMMAND, now_ms);
}

/* It has looked, and waits for something else there before it acts. */
static void wait_and_act(struct sim_tasker *t, struct sim_run *r, int64_t now_ms)
{
    r->n_polls = t->calm ? 0 : r->n_polls - 1;
    go(r, r->n_polls > 0 || t->calm ? RUN_LOOK : RUN_EXECUTE, now_ms + POLL_MS / 2 + sim_below(t->rng, POLL_MS / 2));
}

static void cluster_answered(struct sim_tasker *t, struct sim_run *r, enum target_answer a, uint64_t value, int64_t now_ms)
{
    if (a == TARGET_GONE)
        session_gone(r, now_ms);
    else if (r->at == RUN_KILL) {
        if (--r->n_kill > 0)
            go(r, RUN_KILL, now_ms);
        else
            go(r, RUN_WAIT, now_ms + TARGET_QUERY_MS + 20);
    } else if (r->at == RUN_OPEN) {
        r->session = value;
        go(r, RUN_REGISTER, soon(t, now_ms));
    } else if (r->at == RUN_LOOK && r->n_polls > 0) {
        wait_and_act(t, r, now_ms);
    } else if (a == TARGET_DONE) {
        t->counts->found_done += r->at == RUN_LOOK;
        end_with(t, r, DECIDE_DONE, now_ms);
    } else if (a == TARGET_RUNNING)
        go(r, RUN_CONFIRM, now_ms + 100);
    else if (r->at == RUN_LOOK)
        decide_to_act(t, r, RUN_EXECUTE, now_ms);
    else
        go(r, RUN_EXECUTE, now_ms);
}

/* What is not answered is said again, but for what must not be done twice. */
static void silence(struct sim_run *r, int64_t now_ms)
{
    if (r->at == RUN_EXECUTE || r->at == RUN_LOOK || r->at == RUN_CONFIRM)
        session_gone(r, now_ms);
    else
        go(r, r->at, now_ms);
}

static void run_step(struct sim_tasker *t, struct sim_run *r, int64_t now_ms)
{
    enum target_answer a;
    uint64_t value = 0;

    if (t->calm && r->next_ms < INT64_MAX && r->next_ms - now_ms > POLL_MS)
        r->next_ms = now_ms; /* whoever dawdled before the calm goes on */
    if (now_ms < r->next_ms)
        return;
    if (r->at == RUN_REPORT) {
        report_now(t, r, now_ms);
    } else if (r->at == RUN_REGISTER) {
        register_now(t, r, now_ms);
    } else if (r->at == RUN_READ) {
        read_sessions(t, r, now_ms);
    } else if (r->at == RUN_UNDO) {
        end_with(t, r, DECIDE_DONE, now_ms);
    } else if (r->at == RUN_WAIT) {
        targets_fenced(t->targets, r->task, r->step, r->dispatch);
        go(r, RUN_OPEN, now_ms);
    } else if (r->call == 0) {
        say(t, r, now_ms);
    } else {
        a = targets_answer(t->targets, r->call, &value);
        if (a != TARGET_SILENT && r->at <= RUN_COMMAND)
            agent_answered(t, r, a, now_ms);
        else if (a != TARGET_SILENT)
            cluster_answered(t, r, a, value, now_ms);
        else if (now_ms - r->said_ms > STATEMENT_MS)
            silence(r, now_ms);
    }
}

/* --- requests ---------------------------------------------------------------------------------------------------------------------------- */

static void plan(struct sim_tasker *t, const struct sim_request *q, struct metadb_task *out)
{
    int64_t id = ++*t->next_task;
    bool side_by_side = sim_once_in(t->rng, 3);

    *out = (struct metadb_task){ .key = q->key.key, .head = { .id = id, .status = TASK_RUNNING, .operation = TASK_EXECUTE } };
    out->head.prohibit_rollback = sim_once_in(t->rng, 2);
    out->head.undo = !out->head.prohibit_rollback && sim_once_in(t->rng, 4);
    for (unsigned i = 0; i < METADB_STEPS; i++) {
        unsigned up = side_by_side ? i > 0 : i;

        out->steps[i] = (struct subtask){ .id = id * METADB_STEPS + i, .task_id = id, .series = i + 1, .stage = side_by_side ? (i > 0) + 1 : i + 1,
                                          .up_first = up, .up_last = up, .status = SUBTASK_PENDING, .retries = 2, .error = "",
                                          .flags = sim_once_in(t->rng, 4) ? 0 : SUBTASK_SKIPPABLE | SUBTASK_UNDOABLE };
    }
    out->head.subtasks = out->steps;
    out->head.n_subtasks = METADB_STEPS;
    settle(out);
}

static void answer(struct sim_tasker *t, struct sim_request *q, enum sim_reply reply)
{
    struct sim_client *c = &t->clients[q->client];

    if (c->key == q->key.key && c->node == t->node && (t->calm || !sim_once_in(t->rng, 10)))
        c->reply = reply;
    q->at = REQUEST_NONE;
}

static void run_request(struct sim_tasker *t, struct sim_request *q, int64_t now_ms)
{
    static const unsigned kinds[] = { [REQUEST_CLAIMS] = JOB_CLAIM, [REQUEST_THINKS] = JOB_SUBMIT, [REQUEST_FINISHES] = JOB_FINISH };
    struct sim_job *j;

    if (now_ms < q->next_ms)
        return;
    j = new_job(t, kinds[q->at], now_ms);
    if (j == NULL)
        return;
    j->slot = q->slot;
    q->key.effect = q->at != REQUEST_CLAIMS;
    q->key.done = q->at == REQUEST_FINISHES;
    j->key = q->key;
    j->to = q->client;
    if (j->kind == JOB_SUBMIT) {
        plan(t, q, &j->fresh);
        q->at = REQUEST_SUBMITS;
    }
    q->next_ms = INT64_MAX;
}

static void request_went_on(struct sim_tasker *t, const struct sim_job *j, bool done, int64_t now_ms)
{
    struct sim_request *q = &t->requests[j->to];

    if (q->at == REQUEST_NONE || q->key.claim != j->key.claim)
        return;
    if (j->kind == JOB_FINISH)
        answer(t, q, done ? REPLY_DONE : REPLY_BUSY);
    else if (!done)
        answer(t, q, j->kind == JOB_CLAIM ? (enum sim_reply)j->event : REPLY_BUSY);
    else {
        q->at = j->kind == JOB_CLAIM ? REQUEST_THINKS : REQUEST_FINISHES;
        q->next_ms = soon(t, now_ms);
    }
}

/* --- rounds ------------------------------------------------------------------------------------------------------------------------------- */

static void job_on(struct sim_tasker *t, unsigned kind, unsigned slot, unsigned step, const struct subtask *s, int event, int64_t now_ms)
{
    struct sim_job *j = has_job(t, kind, slot) ? NULL : new_job(t, kind, now_ms);

    if (j == NULL)
        return;
    j->slot = slot;
    j->step = step;
    j->task = s->task_id;
    j->dispatch = s->dispatch;
    j->epoch = t->epoch;
    j->event = event;
}

static bool is_lost(const struct sim_tasker *t, const struct subtask *s, int64_t now_ms)
{
    const struct metadb_worker *row = &t->seen.workers[s->worker_id - 1];
    const struct decide_worker w = { row->incarnation == s->incarnation, (t->dead & 1u << (s->worker_id - 1)) != 0,
                                     (row->expires_ms - t->seen.now_ms) * 1000 };

    return decide_is_lost(&w, now_ms - t->up_since_ms);
}

static void dispatch_one(struct sim_tasker *t, unsigned slot, unsigned step, const struct subtask *s, int64_t now_ms)
{
    unsigned first = sim_below(t->rng, SIM_NODES);

    for (unsigned i = 0; i < SIM_NODES; i++) {
        unsigned node = (first + i) % SIM_NODES;
        struct sim_job *j;

        if (t->seen.workers[node].incarnation == 0 || t->seen.workers[node].expires_ms < t->seen.now_ms || t->dead & 1u << node)
            continue;
        j = has_job(t, JOB_DISPATCH, slot) ? NULL : new_job(t, JOB_DISPATCH, now_ms);
        if (j == NULL)
            return;
        *j = (struct sim_job){ .kind = JOB_DISPATCH, .tx = -1, .next_ms = now_ms, .slot = slot, .step = step, .task = s->task_id, .dispatch = s->dispatch,
                               .epoch = t->epoch, .to = node + 1, .to_incarnation = t->seen.workers[node].incarnation };
        return;
    }
}

static void survey(struct sim_tasker *t, unsigned slot, unsigned step, const struct subtask *s, int64_t now_ms)
{
    if (t->epoch == 0)
        return;
    if (s->status == SUBTASK_READY)
        dispatch_one(t, slot, step, s, now_ms);
    else if ((s->status == SUBTASK_RUNNING || s->status == SUBTASK_CANCELING) && is_lost(t, s, now_ms))
        job_on(t, JOB_LOST, slot, step, s, DECIDE_LOST, now_ms);
}

static void remember_end(struct sim_tasker *t, const struct sim_run *r, int64_t now_ms)
{
    t->ended[t->n_ended++ % TASKER_ENDED] = (struct sim_ended){ r->task, r->dispatch, now_ms, r->step };
}

static bool has_ended(const struct sim_tasker *t, const struct subtask *s, unsigned step)
{
    for (unsigned i = 0; i < TASKER_ENDED; i++)
        if (t->ended[i].task == s->task_id && t->ended[i].step == step && t->ended[i].dispatch == s->dispatch && t->ended[i].at_ms >= t->looked_ms)
            return true;
    return false;
}

static void work(struct sim_tasker *t, unsigned slot, unsigned step, const struct subtask *s, int64_t now_ms)
{
    bool mine = s->worker_id == t->node + 1 && s->incarnation == t->incarnation;
    struct sim_run *r = find_run(t, s->task_id, step);

    if (r != NULL && (!mine || r->dispatch != s->dispatch) && r->began_ms < t->looked_ms) {
        t->counts->stopped_runs++;
        r->at = RUN_NONE;
    }
    if (!mine || has_ended(t, s, step))
        return;
    if (s->status == SUBTASK_RUNNING && find_run(t, s->task_id, step) == NULL)
        begin_run(t, slot, step, s, now_ms);
    else if (s->status == SUBTASK_CANCELING && find_run(t, s->task_id, step) == NULL)
        job_on(t, JOB_REPORT, slot, step, s, DECIDE_STOPPED, now_ms);
}

static void looked(struct sim_tasker *t, const struct sim_job *j, int64_t now_ms)
{
    t->seen = *metadb_tasks(t->db, j->tx);
    t->looked_ms = j->began_ms;
    for (unsigned slot = 0; slot < METADB_TASKS; slot++)
        for (unsigned i = 0; t->seen.tasks[slot].head.id != 0 && i < METADB_STEPS; i++) {
            work(t, slot, i, &t->seen.tasks[slot].steps[i], now_ms);
            survey(t, slot, i, &t->seen.tasks[slot].steps[i], now_ms);
        }
}

/* Somebody at the console, who looks at one task. */
static void meddle(struct sim_tasker *t, int64_t now_ms)
{
    static const int wishes[] = { DECIDE_RETRY, DECIDE_RETRY, DECIDE_RETRY, DECIDE_SKIP, DECIDE_CANCEL, DECIDE_EVENTS };
    unsigned slot = sim_below(t->rng, METADB_TASKS), step = sim_below(t->rng, METADB_STEPS);
    const struct metadb_task *task = &t->seen.tasks[slot];
    int event = t->calm ? DECIDE_RETRY : wishes[sim_below(t->rng, 6)];

    t->person_ms = now_ms + sim_below(t->rng, 3000);
    if (task->head.id == 0 || (task->head.status == TASK_RUNNING && !sim_once_in(t->rng, 8)))
        return;
    job_on(t, JOB_PERSON, slot, step, &task->steps[step], task->head.status == TASK_RUNNING ? DECIDE_CANCEL : event, now_ms);
}

/* --- jobs --------------------------------------------------------------------------------------------------------------------------------- */

static void hang_up(struct sim_tasker *t, struct sim_job *j)
{
    if (j->tx >= 0)
        metadb_rollback(t->db, j->tx);
    j->tx = -1;
}

static void count_job(struct sim_tasker *t, const struct sim_job *j)
{
    t->counts->dispatches += j->kind == JOB_DISPATCH;
    t->counts->adopted += j->kind == JOB_LOST;
    t->counts->reports += j->kind == JOB_REPORT;
    t->counts->sessions += j->kind == JOB_REGISTER;
    t->counts->meddled += j->kind == JOB_PERSON;
}

/* Its outcome is recorded, or does not count: nobody asks its agent any more, or somebody else does. */
static void end_run(struct sim_tasker *t, struct sim_run *r, bool recorded, int64_t now_ms)
{
    const struct target_call c = { .verb = TARGET_ACKNOWLEDGE, .task = r->task, .dispatch = r->dispatch, .epoch = r->epoch, .incarnation = r->agent,
                                   .step = r->step };

    if (recorded && !r->is_back && targets_is_agent(r->task, r->step))
        (void)targets_say(t->targets, &c);
    remember_end(t, r, now_ms);
    r->at = RUN_NONE;
}

static void end_job(struct sim_tasker *t, struct sim_job *j, bool done, int64_t now_ms)
{
    struct sim_job was = *j;
    struct sim_run *r;

    hang_up(t, j);
    j->kind = JOB_NONE;
    if (done)
        count_job(t, &was);
    if (was.kind >= JOB_CLAIM)
        request_went_on(t, &was, done, now_ms);
    r = was.kind == JOB_REPORT || was.kind == JOB_REGISTER ? find_run(t, was.task, was.step) : NULL;
    if (r == NULL || r->dispatch != was.dispatch)
        return;
    if (was.kind == JOB_REGISTER && done)
        go(r, RUN_LOOK, soon(t, now_ms));
    else
        end_run(t, r, done, now_ms);
}

static void again(struct sim_tasker *t, struct sim_job *j, int64_t now_ms)
{
    hang_up(t, j);
    j->at = JOB_BEGINS;
    j->next_ms = now_ms + PAUSE_MS + sim_below(t->rng, PAUSE_MS);
    t->up_since_ms = now_ms;
    if (j->kind == JOB_LOOK || j->kind == JOB_RENEW)
        j->kind = JOB_NONE;
}

static void begin_job(struct sim_tasker *t, struct sim_job *j, int64_t now_ms)
{
    j->tx = metadb_begin(t->db, t->node);
    if (j->tx < 0) {
        again(t, j, now_ms);
        return;
    }
    j->sent_ms = j->began_ms = now_ms;
    j->n = 0;
    if (j->kind == JOB_RENEW || j->kind == JOB_LOOK) {
        j->at = JOB_BODY;
        if (j->kind == JOB_RENEW)
            metadb_renew_worker(t->db, j->tx, t->incarnation);
        else
            metadb_read_tasks(t->db, j->tx);
        return;
    }
    if (!j->unknown)
        j->token = ++*t->next_token;
    j->at = JOB_TOKEN;
    metadb_insert_token(t->db, j->tx, j->token);
}

static void go_on(struct sim_tasker *t, struct sim_job *j, enum metadb_answer a, int64_t now_ms)
{
    enum says s = run_body(t, j, a);

    j->sent_ms = now_ms;
    j->n++;
    if (s == BODY_REFUSES)
        end_job(t, j, false, now_ms);
    else if (s == BODY_COMMITS) {
        j->at = JOB_COMMIT;
        metadb_commit(t->db, j->tx);
    }
}

static void job_answered(struct sim_tasker *t, struct sim_job *j, enum metadb_answer a, int64_t now_ms)
{
    if (j->kind == JOB_LOOK)
        looked(t, j, now_ms);
    if (j->kind == JOB_LOOK || j->kind == JOB_RENEW || j->at == JOB_COMMIT) {
        end_job(t, j, true, now_ms);
    } else if (j->at == JOB_TOKEN && a == METADB_DUPLICATE) { /* its COMMIT had come through */
        t->counts->settled_committed++;
        end_job(t, j, true, now_ms);
    } else {
        t->counts->settled_lost += j->at == JOB_TOKEN && j->unknown;
        j->unknown &= j->at != JOB_TOKEN;
        j->at = JOB_BODY;
        go_on(t, j, a, now_ms);
    }
}

static void run_job(struct sim_tasker *t, struct sim_job *j, int64_t now_ms)
{
    enum metadb_answer a;

    if (j->at == JOB_BEGINS) {
        if (now_ms >= j->next_ms)
            begin_job(t, j, now_ms);
        return;
    }
    a = metadb_answer(t->db, j->tx);
    if (a == METADB_LOST || a == METADB_LOCKED || (a == METADB_WAITING && now_ms - j->sent_ms >= STATEMENT_MS)) {
        j->unknown |= j->at == JOB_COMMIT && a != METADB_LOCKED;
        again(t, j, now_ms);
    } else if (a != METADB_WAITING) {
        job_answered(t, j, a, now_ms);
    }
}

/* Leadership is over: what it had begun ends before anything else. */
static void stop_leading(struct sim_tasker *t)
{
    for (unsigned i = 0; i < TASKER_JOBS; i++)
        if ((t->jobs[i].kind == JOB_LOST || t->jobs[i].kind == JOB_DISPATCH) && t->jobs[i].epoch != t->epoch) {
            hang_up(t, &t->jobs[i]);
            t->jobs[i].kind = JOB_NONE;
        }
}

/* --- from outside -------------------------------------------------------------------------------------------------------------------------- */

void sim_tasker_init(struct sim_tasker *t, struct metadb *db, struct targets *targets, struct sim_rng *rng, struct sim_counts *counts, unsigned node)
{
    *t = (struct sim_tasker){ .db = db, .targets = targets, .rng = rng, .counts = counts, .node = node, .incarnation = 1 };
}

void sim_tasker_die(struct sim_tasker *t, int64_t incarnation)
{
    memset(t->jobs, 0, sizeof t->jobs);
    memset(t->runs, 0, sizeof t->runs);
    memset(t->ended, 0, sizeof t->ended);
    memset(t->requests, 0, sizeof t->requests);
    memset(&t->seen, 0, sizeof t->seen);
    t->incarnation = incarnation;
    t->looked_ms = t->look_ms = t->renew_ms = t->person_ms = t->up_since_ms = t->epoch = 0;
}

void sim_tasker_run(struct sim_tasker *t, int64_t epoch, unsigned dead, bool calm, int64_t now_ms)
{
    t->calm = calm;
    t->dead = dead;
    if (t->epoch != epoch) {
        t->epoch = epoch;
        stop_leading(t);
    }
    for (unsigned i = 0; i < TASKER_JOBS; i++)
        if (t->jobs[i].kind != JOB_NONE)
            run_job(t, &t->jobs[i], now_ms);
    if (now_ms >= t->renew_ms && new_job(t, JOB_RENEW, now_ms) != NULL)
        t->renew_ms = now_ms + RENEW_MS;
    if (now_ms >= t->look_ms && !has_job(t, JOB_LOOK, 0) && new_job(t, JOB_LOOK, now_ms) != NULL)
        t->look_ms = now_ms + LOOK_MS / 2 + sim_below(t->rng, LOOK_MS);
    if (now_ms >= t->person_ms)
        meddle(t, now_ms);
    for (unsigned i = 0; i < METADB_CLIENTS; i++)
        if (t->requests[i].at != REQUEST_NONE && t->requests[i].at != REQUEST_SUBMITS)
            run_request(t, &t->requests[i], now_ms);
    for (unsigned i = 0; i < TASKER_RUNS; i++)
        if (t->runs[i].at != RUN_NONE)
            run_step(t, &t->runs[i], now_ms);
}

static bool is_about_to_act(const struct sim_run *r, int64_t now_ms)
{
    return (r->at == RUN_COMMAND || r->at == RUN_EXECUTE) && r->call == 0 && r->next_ms - now_ms <= SOON_MS;
}

bool sim_tasker_is_about_to_act(const struct sim_tasker *t, int64_t now_ms)
{
    for (unsigned i = 0; i < TASKER_RUNS; i++)
        if (is_about_to_act(&t->runs[i], now_ms))
            return true;
    return false;
}

void sim_tasker_dawdle(struct sim_tasker *t, int64_t now_ms)
{
    for (unsigned i = 0; i < TASKER_RUNS; i++) {
        struct sim_run *r = &t->runs[i];

        if (!is_about_to_act(r, now_ms))
            continue;
        if (r->at == RUN_COMMAND) {
            r->next_ms = now_ms + TASK_WORKER_TTL_MS + sim_below(t->rng, TASK_WORKER_TTL_MS);
            continue;
        }
        r->n_polls = 5 + sim_below(t->rng, 5); /* its session stays in use */
        go(r, RUN_LOOK, now_ms);
    }
}

/* --- clients -------------------------------------------------------------------------------------------------------------------------------- */

static void send_request(struct sim_tasker *const *nodes, unsigned up, struct sim_client *c, unsigned client, int64_t now_ms)
{
    struct sim_tasker *t = nodes[sim_below(nodes[0]->rng, SIM_NODES)];
    struct sim_request *q = &t->requests[client];

    c->next_ms = now_ms + 200;
    if ((up & 1u << t->node) == 0)
        return;
    c->node = t->node;
    c->sent_ms = now_ms;
    c->reply = REPLY_NONE;
    c->next_ms = now_ms + PATIENCE_MS;
    if (q->at == REQUEST_NONE)
        *q = (struct sim_request){ .at = REQUEST_CLAIMS, .client = client, .slot = c->slot, .next_ms = now_ms,
                                   .key = { c->key, ++*t->next_claim, t->node, t->incarnation, false, false } };
}

static void run_client(struct sim_tasker *const *nodes, unsigned up, struct sim_client *c, unsigned client, uint64_t *next_key, bool calm, int64_t now_ms)
{
    const struct metadb *db = nodes[0]->db;
    struct sim_rng *rng = nodes[0]->rng;

    if (c->reply == REPLY_DONE || c->reply == REPLY_LOST) {
        nodes[0]->counts->lost_replies += c->reply == REPLY_LOST;
        if (c->reply == REPLY_DONE && c->n_done < METADB_KEYS)
            c->done[c->n_done++] = c->key;
        c->key = 0;
        c->reply = REPLY_NONE;
        c->next_ms = now_ms + sim_below(rng, 4000);
    } else if (c->reply == REPLY_BUSY) {
        c->reply = REPLY_NONE;
        c->next_ms = now_ms + 100 + sim_below(rng, 500);
    }
    if (now_ms < c->next_ms)
        return;
    if (c->key == 0) { /* a new one, into a place whose task is finished */
        c->slot = 2 * client + sim_below(rng, 2);
        if (calm || *next_key + 1 >= METADB_KEYS || metadb_task_now(db, c->slot)->head.status == TASK_RUNNING)
            if (calm || metadb_task_now(db, c->slot)->head.id != 0) {
                c->next_ms = now_ms + 500;
                return;
            }
        c->key = ++*next_key;
    }
    send_request(nodes, up, c, client, now_ms);
}

void sim_clients_run(struct sim_tasker *const *nodes, unsigned up, struct sim_client *clients, uint64_t *next_key, bool calm, int64_t now_ms)
{
    for (unsigned i = 0; i < METADB_CLIENTS; i++)
        run_client(nodes, up, &clients[i], i, next_key, calm, now_ms);
}

const char *sim_clients_check(const struct metadb *db, const struct sim_client *clients, const int64_t *incarnations, unsigned up, char text[160])
{
    for (unsigned i = 0; i < METADB_CLIENTS; i++)
        for (unsigned k = 0; k < clients[i].n_done; k++)
            if (!metadb_has_task_of(db, clients[i].done[k])) {
                (void)snprintf(text, 160, "the request with key %llu was acknowledged, and there never was a task", (unsigned long long)clients[i].done[k]);
                return text;
            }
    for (unsigned i = 0; i < METADB_TASKS; i++) {
        const struct metadb_task *task = metadb_task_now(db, i);

        if (task->head.id == 0 || task->head.status != TASK_RUNNING || metadb_task_rests_ms(db, i) < STUCK_MS)
            continue;
        if (metadb_waits_for_dead(db, i, incarnations, up)) /* it died lately, or the clock that leases run by was set back */
            continue;
        (void)snprintf(text, 160, "task %lld does not move in the calm: steps %d %d %d, dispatches %lld %lld %lld, workers %lld %lld %lld", (long long)task->head.id,
                       task->steps[0].status, task->steps[1].status, task->steps[2].status, (long long)task->steps[0].dispatch,
                       (long long)task->steps[1].dispatch, (long long)task->steps[2].dispatch, (long long)task->steps[0].worker_id,
                       (long long)task->steps[1].worker_id, (long long)task->steps[2].worker_id);
        return text;
    }
    return NULL;
}
