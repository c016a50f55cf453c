/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MARKS = 4096, STEPS = 4, ENTRIES = 32, CALLS = 256, SESSIONS = 64, RUNNING = 64, FORGET_MS = 8000, IDLE_MS = 5000 };

static unsigned host_of(int64_t task, unsigned step)
{
    return (unsigned)((task + step) % TARGET_HOSTS);
}

/* What an agent's disk has of one dispatch of a step. */
struct journal {
    int64_t dispatch;
    enum { NEVER, TOMBSTONE, RUNS, DONE, UNKNOWN } state;
    int64_t ends_ms;
};

struct mark {
    int64_t task;
    int64_t highest;              /* that the agent has seen */
    struct journal entries[ENTRIES];
    bool done;                    /* some dispatch was, as the journal has it */
    unsigned effects;             /* the truth */
    int64_t fenced;               /* the truth: nothing of an older dispatch may act any more */
};

/* A command that an agent runs. */
struct running {
    struct journal *entry;          /* NULL: free */
    int64_t task;
    unsigned step;
};

struct session {
    uint64_t id;                  /* 0: none */
    int64_t task, dispatch;
    unsigned step;
    bool killed;                  /* or its connection broke */
    int64_t used_ms, ends_ms;     /* ends_ms: of its statement; 0: none */
    int64_t last_ms;              /* what is said on it arrives in order */
};

struct sent {
    uint64_t number;              /* 0: free */
    struct target_call call;
    int64_t start_by_ms, at_ms, again_ms, back_ms, sent_ms;
    enum target_answer answer;
    uint64_t value;
};

struct targets {
    struct sim_rng *rng;
    struct sim_counts *counts;
    int64_t now_ms;
    bool calm;
    uint64_t next_call, next_session;
    int64_t floor[TARGET_HOSTS], forgiven;
    struct mark marks[MARKS];
    struct running running[RUNNING];
    struct session sessions[SESSIONS];
    struct sent calls[CALLS];
    char broken[200];
};

static void broken(struct targets *t, const char *what, const struct mark *m, unsigned step, int64_t dispatch)
{
    if (t->broken[0] == '\0')
        (void)snprintf(t->broken, sizeof t->broken, "target: %s (task %lld step %u dispatch %lld, %lld was fenced in)", what, (long long)m->task, step,
                       (long long)dispatch, (long long)m->fenced);
}

static struct mark *mark_of(struct targets *t, int64_t task, unsigned step)
{
    struct mark *m = &t->marks[((uint64_t)task * STEPS + step) % MARKS];

    if (m->task != task)
        *m = (struct mark){ .task = task };
    return m;
}

/* It happens. */
static void effect(struct targets *t, int64_t task, unsigned step, int64_t dispatch)
{
    struct mark *m = mark_of(t, task, step);

    t->counts->effects++;
    if (!targets_counts(t, task))
        return;
    if (dispatch < m->fenced)
        broken(t, "an older dispatch acts after a newer one was fenced in", m, step, dispatch);
    if (++m->effects > 1)
        broken(t, "a step took effect twice", m, step, dispatch);
}

/* --- agents ----------------------------------------------------------------------------------------------------------------------- */

static struct journal *entry_of(struct mark *m, int64_t dispatch)
{
    struct journal *n = &m->entries[dispatch % ENTRIES];

    if (n->dispatch != dispatch)
        *n = (struct journal){ .dispatch = dispatch };
    return n;
}

static enum target_answer tell(const struct journal *n)
{
    static const enum target_answer answers[] = {
        [NEVER] = TARGET_CLEAR, [TOMBSTONE] = TARGET_OLD, [RUNS] = TARGET_RUNNING, [DONE] = TARGET_DONE, [UNKNOWN] = TARGET_UNKNOWN,
    };

    return answers[n->state];
}

static enum target_answer fence(struct mark *m, int64_t dispatch)
{
    for (unsigned i = 0; i < ENTRIES; i++)
        if (m->entries[i].dispatch < dispatch && m->entries[i].state == RUNS)
            return TARGET_RUNNING;
    if (dispatch > m->fenced)
        m->fenced = dispatch;
    return TARGET_CLEAR;
}

/* What became of all older dispatches; those that were never heard of never will be. */
static enum target_answer query(struct mark *m, int64_t dispatch)
{
    enum target_answer worst = TARGET_CLEAR;

    if (m->done)
        return TARGET_DONE;
    for (int64_t d = dispatch > ENTRIES ? dispatch - ENTRIES + 1 : 1; d < dispatch; d++) {
        struct journal *n = entry_of(m, d);

        if (n->state == NEVER)
            n->state = TOMBSTONE;
        if (n->state == RUNS || (n->state == UNKNOWN && worst != TARGET_RUNNING))
            worst = tell(n);
    }
    return worst;
}

static enum target_answer command(struct targets *t, struct mark *m, const struct sent *s)
{
    const struct target_call *c = &s->call;
    struct journal *n = entry_of(m, c->dispatch);

    if (n->state != NEVER)
        return tell(n);
    if (t->now_ms > s->start_by_ms)
        return TARGET_LATE;
    for (unsigned i = 0; i < RUNNING; i++) {
        if (t->running[i].entry != NULL)
            continue;
        t->running[i] = (struct running){ n, c->task, c->step };
        n->state = RUNS;
        n->ends_ms = t->now_ms + sim_below(t->rng, t->calm ? 200 : 1500);
        t->counts->commands++;
        return TARGET_RUNNING;
    }
    return TARGET_SILENT;
}

static enum target_answer ask_agent(struct targets *t, const struct sent *s)
{
    const struct target_call *c = &s->call;
    unsigned host = host_of(c->task, c->step);
    struct mark *m = mark_of(t, c->task, c->step);

    if (c->epoch < t->floor[host])
        return TARGET_EPOCH;
    t->floor[host] = c->epoch;
    if (c->dispatch < m->highest) {
        t->counts->refused_commands += c->verb == TARGET_COMMAND;
        return TARGET_OLD;
    }
    m->highest = c->dispatch;
    return c->verb == TARGET_FENCE ? fence(m, c->dispatch) : c->verb == TARGET_QUERY ? query(m, c->dispatch) : command(t, m, s);
}

/* An agent that is started again finds its commands running, or cannot tell. */
static void run_command(struct targets *t, struct running *r, unsigned restarting)
{
    bool ends = t->now_ms >= r->entry->ends_ms;

    if (!ends && (host_of(r->task, r->step) != restarting || sim_once_in(t->rng, 2)))
        return;
    r->entry->state = ends ? DONE : UNKNOWN;
    mark_of(t, r->task, r->step)->done |= ends;
    t->counts->unknown_commands += !ends;
    if (ends || sim_once_in(t->rng, 2))
        effect(t, r->task, r->step, r->entry->dispatch);
    r->entry = NULL;
}

/* --- the cluster ------------------------------------------------------------------------------------------------------------------- */

static struct session *session_of(struct targets *t, uint64_t id)
{
    for (unsigned i = 0; i < SESSIONS; i++)
        if (id != 0 && t->sessions[i].id == id)
            return &t->sessions[i];
    return NULL;
}

static enum target_answer open_session(struct targets *t, const struct target_call *c, uint64_t *id)
{
    for (unsigned i = 0; i < SESSIONS; i++) {
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
    return mark_of(t, c->task, c->step)->effects > 0 ? TARGET_DONE : TARGET_CLEAR;
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
        effect(t, s->task, s->step, s->dispatch);
    }
    if (s->ends_ms == 0 && (s->killed || t->now_ms - s->used_ms > IDLE_MS))
        s->id = 0;
}

/* --- calls ------------------------------------------------------------------------------------------------------------------------- */

bool targets_is_agent(int64_t task, unsigned step)
{
    return (task + step) % 2 == 0;
}

static enum target_answer perform(struct targets *t, const struct sent *s, uint64_t *value)
{
    const struct target_call *c = &s->call;

    switch (c->verb) {
    case TARGET_OPEN:
        return open_session(t, c, value);
    case TARGET_KILL:
        return kill_session(t, c);
    case TARGET_CHECK:
        return targets_is_agent(c->task, c->step) ? check(t, c) : use_session(t, c);
    case TARGET_EXECUTE:
        return use_session(t, c);
    default:
        return ask_agent(t, s);
    }
}

static int64_t travel(struct targets *t)
{
    return 1 + sim_below(t->rng, !t->calm && sim_once_in(t->rng, 60) ? 3000 : 20);
}

uint64_t targets_say(struct targets *t, const struct target_call *call)
{
    struct sent *s = &t->calls[++t->next_call % CALLS];
    struct session *on = call->verb >= TARGET_CHECK ? session_of(t, call->session) : NULL;

    *s = (struct sent){ .number = t->next_call, .call = *call, .sent_ms = t->now_ms, .start_by_ms = t->now_ms + TARGET_START_MS, .at_ms = t->now_ms + travel(t),
                         .back_ms = INT64_MAX };
    if (on != NULL)
        s->at_ms = on->last_ms = s->at_ms > on->last_ms ? s->at_ms : on->last_ms + 1;
    if (!t->calm && call->verb < TARGET_OPEN && sim_once_in(t->rng, 25)) /* repeated by something in between */
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
    const struct sent *s = &t->calls[number % CALLS];

    if (s->number != number || t->now_ms < s->back_ms)
        return TARGET_SILENT;
    *value = s->value;
    return s->answer;
}

static void run_call(struct targets *t, struct sent *s)
{
    uint64_t value = 0;

    if (t->now_ms >= s->at_ms) {
        s->at_ms = INT64_MAX;
        s->answer = perform(t, s, &s->value);
        s->back_ms = !t->calm && sim_once_in(t->rng, 40) ? INT64_MAX : t->now_ms + travel(t);
    }
    if (s->again_ms != 0 && t->now_ms >= s->again_ms) {
        s->again_ms = 0;
        (void)perform(t, s, &value);
    }
}

void targets_run(struct targets *t, int64_t now_ms, bool calm)
{
    unsigned restarting = calm || !sim_once_in(t->rng, 400) ? TARGET_HOSTS : sim_below(t->rng, TARGET_HOSTS);

    t->now_ms = now_ms;
    t->calm = calm;
    for (unsigned i = 0; i < CALLS; i++)
        if (t->calls[i].number != 0 && now_ms - t->calls[i].sent_ms < FORGET_MS)
            run_call(t, &t->calls[i]);
    for (unsigned i = 0; i < RUNNING; i++)
        if (t->running[i].entry != NULL)
            run_command(t, &t->running[i], restarting);
    for (unsigned i = 0; i < SESSIONS; i++)
        if (t->sessions[i].id != 0)
            run_session(t, &t->sessions[i]);
}

/* --- from outside ------------------------------------------------------------------------------------------------------------------ */

struct targets *targets_new(struct sim_rng *rng, struct sim_counts *counts)
{
    struct targets *t = calloc(1, sizeof *t);

    t->rng = rng;
    t->counts = counts;
    return t;
}

void targets_free(struct targets *t)
{
    free(t);
}

const char *targets_broken(const struct targets *t)
{
    return t->broken;
}

void targets_fenced(struct targets *t, int64_t task, unsigned step, int64_t dispatch)
{
    struct mark *m = mark_of(t, task, step);

    if (dispatch > m->fenced)
        m->fenced = dispatch;
}

unsigned targets_effects(const struct targets *t, int64_t task, unsigned step)
{
    const struct mark *m = &t->marks[((uint64_t)task * STEPS + step) % MARKS];

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
