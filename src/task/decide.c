/* SPDX-License-Identifier: Apache-2.0 */
#include "src/task/decide.h"

#include "src/store/subtask.h"

enum { FIRST_PAUSE_MS = 1000, LONGEST_PAUSE_MS = 60000, LONGEST_DECLINED_MS = 10000 };

#define IN(STATUS) (1u << SUBTASK_##STATUS)
static const unsigned begun = IN(READY) | IN(RUNNING) | IN(CANCELING);
static const unsigned broken = IN(FAILED) | IN(UNKNOWN) | IN(CANCELLED);

static bool is_in(const struct subtask *s, unsigned statuses)
{
    return (statuses & 1u << s->status) != 0;
}

static bool is_back(const struct task *t)
{
    return t->operation == TASK_ROLLBACK || t->operation == TASK_UNDO;
}

int64_t decide_pause_ms(int64_t attempts)
{
    int64_t ms = FIRST_PAUSE_MS;

    while (--attempts > 0 && ms < LONGEST_PAUSE_MS)
        ms *= 2;
    return ms < LONGEST_PAUSE_MS ? ms : LONGEST_PAUSE_MS;
}

/* ---- one step ---------------------------------------------------------------------------------------------------------------- */

static void again(struct subtask *s, int operation, int64_t delay_ms)
{
    s->dispatch++;
    s->status = SUBTASK_READY;
    s->operation = operation;
    s->delay_ms = delay_ms;
}

static enum decide_answer on_done(const struct task *t, struct subtask *s)
{
    (void)t;
    s->status = s->operation == TASK_ROLLBACK ? SUBTASK_ROLLED_BACK : SUBTASK_SUCCESSFUL;
    return DECIDE_OK;
}

static enum decide_answer on_failed(const struct task *t, struct subtask *s)
{
    (void)t;
    s->status = SUBTASK_FAILED;
    return DECIDE_OK;
}

static enum decide_answer on_passing(const struct task *t, struct subtask *s)
{
    if (s->attempts >= s->retries)
        return on_failed(t, s);
    s->attempts++;
    again(s, s->operation == TASK_ROLLBACK ? TASK_ROLLBACK : TASK_RETRY, decide_pause_ms(s->attempts));
    return DECIDE_OK;
}

static enum decide_answer on_unknown(const struct task *t, struct subtask *s)
{
    (void)t;
    s->status = SUBTASK_UNKNOWN;
    return DECIDE_OK;
}

static enum decide_answer on_lost(const struct task *t, struct subtask *s)
{
    (void)t;
    if (s->status == SUBTASK_CANCELING) {
        s->dispatch++;
        s->status = SUBTASK_UNKNOWN;
        s->error = "The node that ran it was lost while it was being cancelled.";
        return DECIDE_OK;
    }
    again(s, s->operation, 0);
    return DECIDE_OK;
}

/* While nodes are upgraded or drained one by one: no attempt of the step, which has not begun. */
static enum decide_answer on_declined(const struct task *t, struct subtask *s)
{
    int64_t pause_ms = decide_pause_ms(++s->declines);

    if (s->declines >= DECIDE_DECLINES)
        return on_failed(t, s);
    again(s, s->operation, pause_ms < LONGEST_DECLINED_MS ? pause_ms : LONGEST_DECLINED_MS);
    return DECIDE_OK;
}

static enum decide_answer on_retry(const struct task *t, struct subtask *s)
{
    s->attempts = 0;
    s->declines = 0;
    s->error = "";
    again(s, is_back(t) ? TASK_ROLLBACK : TASK_RETRY, 0);
    return DECIDE_OK;
}

/* Skipping a rollback leaves the step as it is. */
static enum decide_answer on_skip(const struct task *t, struct subtask *s)
{
    if ((s->flags & SUBTASK_SKIPPABLE) == 0)
        return DECIDE_NO_SKIP;
    s->dispatch++;
    s->status = is_back(t) ? SUBTASK_ROLLED_BACK : SUBTASK_SKIPPED;
    s->operation = TASK_SKIP;
    return DECIDE_OK;
}

static enum decide_answer on_cancel(const struct task *t, struct subtask *s)
{
    static const int next[SUBTASK_STATUSES] = {
        [SUBTASK_READY] = SUBTASK_FAILED,
        [SUBTASK_RUNNING] = SUBTASK_CANCELING,
        [SUBTASK_FAILED] = SUBTASK_CANCELLED,
        [SUBTASK_UNKNOWN] = SUBTASK_CANCELLED,
    };

    if (is_back(t) && s->status != SUBTASK_RUNNING && s->status != SUBTASK_READY)
        return DECIDE_STATE;
    s->dispatch++;
    s->status = next[s->status];
    if (!is_back(t))
        s->operation = TASK_CANCEL;
    return DECIDE_OK;
}

static const struct {
    unsigned from;
    enum decide_answer (*apply)(const struct task *t, struct subtask *s);
} events[DECIDE_EVENTS] = {
    [DECIDE_DONE] = { IN(RUNNING), on_done },
    [DECIDE_FAILED] = { IN(RUNNING), on_failed },
    [DECIDE_PASSING] = { IN(RUNNING), on_passing },
    [DECIDE_UNKNOWN] = { IN(RUNNING), on_unknown },
    [DECIDE_STOPPED] = { IN(CANCELING), on_failed },
    [DECIDE_LOST] = { IN(RUNNING) | IN(CANCELING), on_lost },
    [DECIDE_DECLINED] = { IN(RUNNING), on_declined },
    [DECIDE_RETRY] = { IN(FAILED) | IN(UNKNOWN), on_retry },
    [DECIDE_SKIP] = { IN(FAILED) | IN(UNKNOWN), on_skip },
    [DECIDE_CANCEL] = { IN(READY) | IN(RUNNING) | IN(FAILED) | IN(UNKNOWN), on_cancel },
};

enum decide_answer decide_step(const struct task *t, struct subtask *s, enum decide_event event)
{
    return is_in(s, events[event].from) ? events[event].apply(t, s) : DECIDE_STATE;
}

/* ---- the whole task ------------------------------------------------------------------------------------------------------------- */

enum decide_answer decide_retry(struct task *t)
{
    size_t n = 0;

    if (t->status != TASK_FAILED)
        return DECIDE_STATE;
    for (size_t i = 0; i < t->n_subtasks; i++)
        n += decide_step(t, &t->subtasks[i], DECIDE_RETRY) == DECIDE_OK;
    return n > 0 ? DECIDE_OK : DECIDE_STATE;
}

enum decide_answer decide_rollback(struct task *t)
{
    if (t->prohibit_rollback)
        return DECIDE_NO_ROLLBACK;
    if (t->status != TASK_FAILED || is_back(t))
        return DECIDE_STATE;
    t->operation = TASK_ROLLBACK;
    return DECIDE_OK;
}

/* Counts, for each series, how many of the steps up to it are through: then a range is asked with one subtraction. */
static void count_through(const struct task *t, unsigned through, int64_t *sum)
{
    sum[0] = 0;
    for (size_t i = 0; i < t->n_subtasks; i++)
        sum[i + 1] = sum[i] + (is_in(&t->subtasks[i], through) ? 1 : 0);
}

/* Steps of the same stage lie side by side. */
static size_t stage_end(const struct task *t, size_t from)
{
    size_t i = from;

    while (i < t->n_subtasks && t->subtasks[i].stage == t->subtasks[from].stage)
        i++;
    return i;
}

/* How many more of the steps [from, end) may begin. */
static int64_t room(const struct task *t, size_t from, size_t end)
{
    int64_t width = t->subtasks[from].width, busy = 0;

    if (width == 0)
        return INT64_MAX;
    for (size_t i = from; i < end; i++) {
        if (is_in(&t->subtasks[i], broken))
            return 0;
        busy += is_in(&t->subtasks[i], begun) ? 1 : 0;
    }
    return width - busy;
}

static void advance(struct task *t, int64_t *sum)
{
    count_through(t, IN(SUCCESSFUL) | IN(SKIPPED), sum);
    for (size_t from = 0, end; from < t->n_subtasks; from = end) {
        int64_t left;

        end = stage_end(t, from);
        left = room(t, from, end);
        for (size_t i = from; i < end && left > 0; i++) {
            struct subtask *s = &t->subtasks[i];

            if (s->status != SUBTASK_PENDING || (s->up_last > 0 && sum[s->up_last] - sum[s->up_first - 1] < s->up_last - s->up_first + 1))
                continue;
            s->status = SUBTASK_READY;
            left--;
        }
    }
}

/* Nothing of it has happened. A step that is READY again after a lost worker has been dispatched. */
static bool is_untouched(const struct subtask *s)
{
    return s->dispatch == 0 && is_in(s, IN(PENDING) | IN(READY));
}

static bool is_through_back(const struct subtask *s)
{
    return s->status == SUBTASK_ROLLED_BACK || s->status == SUBTASK_PENDING;
}

/* Marks what must wait: sum[u] is the number of steps behind u that are not rolled back yet. Ranges are added at their ends. */
static void count_behind(const struct task *t, int64_t *sum)
{
    for (size_t i = 0; i <= t->n_subtasks; i++)
        sum[i] = 0;
    for (size_t i = 0; i < t->n_subtasks; i++) {
        const struct subtask *s = &t->subtasks[i];

        if (is_through_back(s) || s->up_last == 0)
            continue;
        sum[s->up_first - 1]++;
        sum[s->up_last]--;
    }
    for (size_t i = 1; i <= t->n_subtasks; i++)
        sum[i] += sum[i - 1];
}

static void take_back(struct subtask *s, int64_t *left)
{
    s->dispatch++;
    s->attempts = 0;
    s->declines = 0;
    s->error = "";
    s->operation = TASK_ROLLBACK;
    s->status = (s->flags & SUBTASK_UNDOABLE) != 0 ? SUBTASK_READY : SUBTASK_ROLLED_BACK;
    if (s->status == SUBTASK_READY)
        (*left)--;
}

/* One pass over the stages from the last to the first; says whether a step went to ROLLED_BACK, so that others may go on. */
static bool retreat_once(struct task *t, int64_t *sum)
{
    bool moved = false;

    count_behind(t, sum);
    for (size_t i = t->n_subtasks; i > 0; i--) {
        struct subtask *s = &t->subtasks[i - 1];
        int64_t left = INT64_MAX;

        if (s->operation == TASK_ROLLBACK && is_in(s, begun | IN(FAILED) | IN(UNKNOWN)))
            continue;
        if (is_through_back(s) || sum[i - 1] > 0)
            continue;
        if (s->width > 0) {
            size_t from = i - 1;

            while (from > 0 && t->subtasks[from - 1].stage == s->stage)
                from--;
            left = s->width;
            for (size_t k = from; k < stage_end(t, from); k++)
                left -= t->subtasks[k].operation == TASK_ROLLBACK && is_in(&t->subtasks[k], begun | IN(FAILED) | IN(UNKNOWN)) ? 1 : 0;
        }
        if (left <= 0)
            continue;
        take_back(s, &left);
        moved = moved || s->status == SUBTASK_ROLLED_BACK;
    }
    return moved;
}

static void retreat(struct task *t, int64_t *sum)
{
    for (size_t i = 0; i < t->n_subtasks; i++)
        if (is_untouched(&t->subtasks[i]))
            t->subtasks[i].status = SUBTASK_PENDING;
    while (retreat_once(t, sum)) {
    }
}

static bool any(const struct task *t, unsigned statuses)
{
    for (size_t i = 0; i < t->n_subtasks; i++)
        if (is_in(&t->subtasks[i], statuses))
            return true;
    return false;
}

static void settle_forward(struct task *t, int64_t *scratch)
{
    advance(t, scratch);
    if (any(t, begun))
        t->status = TASK_RUNNING;
    else
        t->status = any(t, broken | IN(PENDING)) ? TASK_FAILED : TASK_SUCCESSFUL;
}

static bool is_rolled_back(const struct task *t)
{
    for (size_t i = 0; i < t->n_subtasks; i++)
        if (!is_through_back(&t->subtasks[i]))
            return false;
    return true;
}

/* Who asked for the rollback sees it succeed; whoever asked for the task sees that it failed. */
static void settle_back(struct task *t, int64_t *scratch)
{
    retreat(t, scratch);
    if (any(t, begun))
        t->status = TASK_RUNNING;
    else
        t->status = is_rolled_back(t) && t->operation == TASK_ROLLBACK ? TASK_SUCCESSFUL : TASK_FAILED;
}

void decide_settle(struct task *t, int64_t *scratch)
{
    if (!is_back(t)) {
        settle_forward(t, scratch);
        if (t->status != TASK_FAILED || !t->undo || any(t, IN(UNKNOWN)))
            return;
        t->operation = TASK_UNDO;
    }
    settle_back(t, scratch);
}

bool decide_frees_locks(const struct task *t)
{
    return t->status != TASK_RUNNING && !any(t, IN(UNKNOWN));
}

/* ---- workers ---------------------------------------------------------------------------------------------------------------------- */

bool decide_is_lost(const struct decide_worker *w, int64_t up_ms)
{
    if (!w->registered || w->process_dead)
        return true;
    return w->left_us < 0 && up_ms >= TASK_WORKER_TTL_MS / 2;
}
