/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/target_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FORGET_MS = 8000, IDLE_MS = 5000 };

void target_break(struct targets *t, const char *what, int64_t task, unsigned step, int64_t dispatch)
{
    if (t->broken[0] == '\0')
        (void)snprintf(t->broken, sizeof t->broken, "target: %s (task %lld step %u dispatch %lld, %lld was fenced in)", what, (long long)task, step,
                       (long long)dispatch, (long long)target_mark(t, task, step)->fenced);
}

struct mark *target_mark(struct targets *t, int64_t task, unsigned step)
{
    struct mark *m = &t->marks[((uint64_t)task * TARGET_STEPS + step) % TARGET_MARKS];

    if (m->task != task)
        *m = (struct mark){ .task = task };
    return m;
}

void target_effect(struct targets *t, int64_t task, unsigned step, int64_t dispatch)
{
    struct mark *m = target_mark(t, task, step);

    t->counts->effects++;
    m->effects++;
    if (!targets_counts(t, task))
        return;
    if (dispatch < m->fenced)
        target_break(t, "an older dispatch acts after a newer one was fenced in", task, step, dispatch);
    if (m->effects > 1)
        target_break(t, "a step took effect twice", task, step, dispatch);
}

/* --- the cluster ------------------------------------------------------------------------------------------------------------------- */

static struct session *session_of(struct targets *t, uint64_t id)
{
    for (unsigned i = 0; i < TARGET_SESSIONS; i++)
        if (id != 0 && t->sessions[i].id == id)
            return &t->sessions[i];
    return NULL;
}

static enum target_answer open_session(struct targets *t, const struct target_call *c, uint64_t *id)
{
    for (unsigned i = 0; i < TARGET_SESSIONS; i++) {
        if (t->sessions[i].id != 0)
            continue;
        *id = ++t->next_session;
        t->sessions[i] = (struct session){ .id = *id, .task = c->task, .dispatch = c->dispatch, .step = c->step, .used_ms = t->now_ms };
        return TARGET_OPENED;
    }
    return TARGET_SILENT;
}

/* What the step itself looks at. */
static enum target_answer check(struct targets *t, const struct target_call *c)
{
    return target_mark(t, c->task, c->step)->effects > 0 ? TARGET_DONE : TARGET_CLEAR;
}

static enum target_answer use_session(struct targets *t, const struct target_call *c)
{
    struct session *s = session_of(t, c->session);

    if (s == NULL || s->killed)
        return TARGET_GONE;
    s->used_ms = t->now_ms;
    if (s->ends_ms != 0)
        return TARGET_RUNNING;
    if (c->verb == TARGET_CHECK)
        return check(t, c);
    s->ends_ms = t->now_ms + 1 + sim_below(t->rng, TARGET_QUERY_MS - 50);
    t->counts->statements++;
    return TARGET_RUNNING;
}

/* What it has begun may go on for a while. */
static enum target_answer kill_session(struct targets *t, const struct target_call *c)
{
    struct session *s = session_of(t, c->session);

    if (s == NULL)
        return TARGET_CLEAR;
    t->counts->killed_sessions += !s->killed;
    s->killed = true;
    if (s->ends_ms == 0 || sim_once_in(t->rng, 2))
        s->id = 0;
    return TARGET_CLEAR;
}

static void run_session(struct targets *t, struct session *s)
{
    if (s->ends_ms != 0 && t->now_ms >= s->ends_ms) {
        s->ends_ms = 0;
        s->used_ms = t->now_ms;
        target_effect(t, s->task, s->step, s->dispatch);
    }
    if (s->ends_ms == 0 && (s->killed || t->now_ms - s->used_ms > IDLE_MS))
        s->id = 0;
}

/* --- calls ------------------------------------------------------------------------------------------------------------------------- */

unsigned targets_host(int64_t task, unsigned step)
{
    return (unsigned)((task + step) % TARGET_HOSTS);
}

bool targets_is_agent(int64_t task, unsigned step)
{
    return (task + step) % 2 == 0;
}

static bool is_for_agent(const struct target_call *c)
{
    return c->verb < TARGET_OPEN;
}

static enum target_answer perform(struct targets *t, struct sent *s)
{
    const struct target_call *c = &s->call;

    switch (c->verb) {
    case TARGET_OPEN:
        return open_session(t, c, &s->value);
    case TARGET_KILL:
        return kill_session(t, c);
    case TARGET_CHECK:
        return targets_is_agent(c->task, c->step) ? check(t, c) : use_session(t, c);
    case TARGET_EXECUTE:
        return use_session(t, c);
    default:
        return agent_hears(t, s);
    }
}

static int64_t travel(struct targets *t)
{
    return 1 + sim_below(t->rng, !t->calm && sim_once_in(t->rng, 60) ? 3000 : 20);
}

uint64_t targets_say(struct targets *t, const struct target_call *call)
{
    struct sent *s = &t->calls[++t->next_call % TARGET_CALLS];
    struct session *on = call->verb >= TARGET_CHECK ? session_of(t, call->session) : NULL;

    *s = (struct sent){ .number = t->next_call, .call = *call, .sent_ms = t->now_ms, .boot = t->agents[targets_host(call->task, call->step)].boot, .start_by_ms = t->now_ms + TARGET_START_MS, .at_ms = t->now_ms + travel(t),
                         .back_ms = INT64_MAX };
    if (on != NULL)
        s->at_ms = on->last_ms = s->at_ms > on->last_ms ? s->at_ms : on->last_ms + 1;
    if (!t->calm && is_for_agent(call) && sim_once_in(t->rng, 25)) /* repeated by something in between */
        s->again_ms = t->now_ms + travel(t);
    if (!t->calm && sim_once_in(t->rng, on != NULL ? 200 : 40)) {
        s->at_ms = INT64_MAX;
        if (on != NULL) /* nothing is lost on a connection but the connection */
            on->killed = true;
    }
    return t->next_call;
}

enum target_answer targets_answer(const struct targets *t, uint64_t number, uint64_t *value)
{
    const struct sent *s = &t->calls[number % TARGET_CALLS];

    if (s->number != number || t->now_ms < s->back_ms)
        return TARGET_SILENT;
    *value = s->value;
    return s->answer;
}

/* The answer leaves, and is lost on the way or not. */
static void send_back(struct targets *t, struct sent *s)
{
    s->life = 0;
    if (is_for_agent(&s->call))
        agent_has_said(t, s);
    s->back_ms = s->answer == TARGET_SILENT || (!t->calm && sim_once_in(t->rng, 40)) ? INT64_MAX : t->now_ms + travel(t);
}

static void run_call(struct targets *t, struct sent *s)
{
    bool waits = is_for_agent(&s->call) && agent_is_paused(t, targets_host(s->call.task, s->call.step)), lost;

    if (t->now_ms >= s->at_ms && !waits) {
        s->at_ms = INT64_MAX;
        s->answer = perform(t, s);
        if (s->life == 0)
            send_back(t, s);
    }
    if (s->life != 0 && (agent_may_answer(t, s, &lost) || lost)) {
        s->life = 0;
        if (!lost)
            send_back(t, s);
    }
    if (s->again_ms != 0 && t->now_ms >= s->again_ms && !waits) {
        struct sent twin = *s;

        s->again_ms = 0;
        (void)perform(t, &twin);
    }
}

/* What is said long ago is forgotten. */
static void run_calls(struct targets *t)
{
    while (t->first_call <= t->next_call && t->now_ms - t->calls[t->first_call % TARGET_CALLS].sent_ms >= FORGET_MS)
        t->first_call++;
    if (t->first_call + TARGET_CALLS <= t->next_call)
        t->first_call = t->next_call - TARGET_CALLS + 1;
    for (uint64_t i = t->first_call; i <= t->next_call; i++)
        run_call(t, &t->calls[i % TARGET_CALLS]);
}

void targets_run(struct targets *t, int64_t now_ms, int64_t epoch, bool calm)
{
    t->now_ms = now_ms;
    t->epoch = epoch;
    t->calm = calm;
    run_calls(t);
    agents_run(t);
    for (unsigned i = 0; i < TARGET_SESSIONS; i++)
        if (t->sessions[i].id != 0)
            run_session(t, &t->sessions[i]);
}

/* --- from outside ------------------------------------------------------------------------------------------------------------------ */

void targets_free(struct targets *t)
{
    if (t != NULL)
        agents_fini(t);
    free(t);
}

struct targets *targets_new(struct sim_rng *rng, struct sim_counts *counts)
{
    struct targets *t = calloc(1, sizeof *t);

    t->rng = rng;
    t->counts = counts;
    t->first_call = 1;
    if (agents_init(t))
        return t;
    targets_free(t);
    return NULL;
}

int64_t targets_incarnation(const struct targets *t, unsigned host)
{
    return t->now_ms < t->agents[host].down_until_ms ? 0 : t->agents[host].incarnation;
}

const char *targets_broken(const struct targets *t)
{
    return t->broken;
}

void targets_fenced(struct targets *t, int64_t task, unsigned step, int64_t dispatch)
{
    struct mark *m = target_mark(t, task, step);

    if (dispatch > m->fenced)
        m->fenced = dispatch;
}

unsigned targets_effects(const struct targets *t, int64_t task, unsigned step)
{
    const struct mark *m = &t->marks[((uint64_t)task * TARGET_STEPS + step) % TARGET_MARKS];

    return m->task == task ? m->effects : 0;
}

void targets_forgive(struct targets *t, int64_t task)
{
    t->forgiven = task;
}

bool targets_counts(const struct targets *t, int64_t task)
{
    return task > t->forgiven;
}
