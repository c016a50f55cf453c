/* SPDX-License-Identifier: Apache-2.0 */
/* After a step's outcome was recorded: what agents may forget, and what the next dispatch must find there. */
#include <string.h>

#include "src/io/fiber.h"
#include "src/store/leader.h"
#include "src/task/remote_inside.h"

enum { TELL_MS = 2000, KEYS = 64 };

/* As the step is not ours any more, whoever leads now is asked for its epoch alone. */
static int acknowledge(struct task_host *h, const struct agent_key *keys, size_t n, struct err *e)
{
    int rv = agent_acknowledge(h->client, &h->at, h->epoch, keys, n, task_arena(h->run), e);
    struct leadership leader;
    int64_t claimed_us;

    if (rv != ERR_AGENT_EPOCH.code)
        return rv;
    rv = leader_read(task_db(h->run), &leader, &claimed_us, e);
    if (rv != 0)
        return rv;
    h->epoch = leader.epoch;
    return agent_acknowledge(h->client, &h->at, h->epoch, keys, n, task_arena(h->run), e);
}

/* The outcome is in MetaDB: nobody asks for these results any more. An agent that does not hear it keeps them for a while. */
static void tell(struct task_host *h, const struct agent_key *keys, size_t n)
{
    int64_t former = fiber_narrow_deadline(TELL_MS);
    struct err e = { 0 };

    if (acknowledge(h, keys, n, &e) != 0)
        log_info(task_logger(h->run), "an agent was not told that results are recorded", LOG_S("host", h->at.address), LOG_E(&e));
    fiber_restore_deadline(former);
}

/* Collects keys, and tells the agent whenever there are many. */
struct telling {
    struct task_host *host;
    struct agent_key keys[KEYS];
    size_t n;
};

static void flush(struct telling *t)
{
    if (t->n > 0)
        tell(t->host, t->keys, t->n);
    t->n = 0;
}

static void add(struct telling *t, const struct agent_key *key)
{
    t->keys[t->n++] = *key;
    if (t->n == KEYS)
        flush(t);
}

/* Of a process we do not see here whether it was to be started once. */
static bool may_be_once(const struct agent_reply *older)
{
    return older->kind != NULL && (strcmp(older->kind, "run_script") == 0 || strcmp(older->kind, "start_process") == 0);
}

/* Is a key for the agent to forget? What was done once must be found by the next dispatch until the step is through; that nobody knows what it did
 * must be found until a person was told. */
static bool is_settled(enum decide_event outcome, bool stays, bool is_told)
{
    return outcome == DECIDE_DONE || !stays || (outcome == DECIDE_UNKNOWN && is_told);
}

static void tell_host(struct task_host *h, enum decide_event outcome)
{
    struct telling t = { .host = h };

    for (size_t i = 0; i < h->n_older; i++) {
        const struct agent_reply *older = &h->older[i];
        bool has_failed = older->state == AGENT_DONE && older->failure != NULL;

        if (is_settled(outcome, may_be_once(older) && !has_failed, h->use[i] == USE_TOLD))
            add(&t, older->key);
    }
    for (size_t i = 0; i < h->n_used; i++)
        if (is_settled(outcome, h->used[i].stays, h->used[i].is_told))
            add(&t, &h->used[i].key);
    flush(&t);
}

/* Rows that are left behind here say less than they might later, never anything wrong. */
static int settle(struct task_run *r, enum decide_event outcome, struct err *e)
{
    bool is_any = false;
    int rv = 0;

    for (struct task_host *h = r->hosts; h != NULL; h = h->next) {
        if (rv == 0 && outcome == DECIDE_UNKNOWN && h->lost != NULL)
            rv = store_subtask_once_settle(task_db(r), h->lost, e);
        is_any |= h->since > 0 || task_is_repeated(r);
    }
    if (rv == 0 && outcome == DECIDE_DONE && is_any)
        rv = store_subtask_once_settle_all(task_db(r), task_step_of(r)->id, task_step_of(r)->dispatch, e);
    return rv;
}

void task_hosts_recorded(struct task_run *r, enum decide_event outcome)
{
    struct err e = { 0 };

    for (struct task_host *h = r->hosts; h != NULL; h = h->next)
        tell_host(h, outcome);
    if (settle(r, outcome, &e) != 0)
        log_info(task_logger(r), "what a step began on hosts stays noted", LOG_I("step", task_step_of(r)->id), LOG_E(&e));
}
