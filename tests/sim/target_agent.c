/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts with their agents: the ledger is agent/ledger.c; the journal, the order of what is written, acted and answered, and the recovery of
 * commands are as agent/calls.c, commands.c and journal.c have them. Agents crash and lose what was not synced, are stopped and continued, hosts
 * are rebooted, and agents installed anew. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/target_inside.h"

#define NO_NUMBERS .epoch = FIELD_NONE, .forgotten = FIELD_NONE, .pid = FIELD_NONE, .start_time = FIELD_NONE, .output_bytes = FIELD_NONE, .output_cut = -1

/* A second of the simulation is so many for what the ledger keeps: a mark is forgotten within a run, and outlives all that sleeps. */
enum { HASTE = 1500, SYNC_MS = 10, SLOW_SYNC_MS = 1200, COMPACT_ONE_IN = 12 };

static char ocp_id[] = "0123456789abcdef0123456789abcdef", lineage[] = "fedcba9876543210fedcba9876543210";
static const char digest[] = "of what this step does";

static struct agent_key key_of(int64_t task, unsigned step, int64_t dispatch)
{
    return (struct agent_key){ ocp_id, lineage, task, step, dispatch, 0 };
}

static const char *id_text(int64_t number, char out[AGENT_ID_SIZE])
{
    (void)snprintf(out, AGENT_ID_SIZE, "%032lld", (long long)number);
    return out;
}

static bool is_slow(int64_t task)
{
    return task % 2 == 0;
}

static const char *kind_of(int64_t task)
{
    return is_slow(task) ? "run_script" : "start_process";
}

static uint32_t bit(int64_t dispatch)
{
    return UINT32_C(1) << dispatch % TARGET_BITS;
}

/* --- the journal -------------------------------------------------------------------------------------------------------------------- */

static void keep(struct agent *a, const struct record *r)
{
    struct written *w;

    if (a->n == a->space) {
        a->space = a->space * 2 + 64;
        a->journal = realloc(a->journal, a->space * sizeof *a->journal);
    }
    w = &a->journal[a->n++];
    *w = (struct written){ .record = *r };
    if (r->key != NULL)
        w->key = (struct agent_key){ ocp_id, lineage, r->key->task, r->key->step, r->key->dispatch, r->key->seq };
    if (r->incarnation != NULL)
        (void)snprintf(w->incarnation, sizeof w->incarnation, "%s", r->incarnation);
    if (r->boot != NULL)
        (void)snprintf(w->boot, sizeof w->boot, "%s", r->boot);
    if (r->kind != NULL)
        w->record.kind = agent_kind_find(r->kind)->name;
    if (r->digest != NULL)
        w->record.digest = digest;
}

/* It may have moved since it was kept. */
static const struct record *record_of(struct written *w)
{
    static struct agent_failure failure;

    if (w->record.key != NULL)
        w->record.key = &w->key;
    if (w->record.incarnation != NULL)
        w->record.incarnation = w->incarnation;
    if (w->record.boot != NULL)
        w->record.boot = w->boot;
    if (w->record.failure != NULL) {
        failure = (struct agent_failure){ .code = ERR_AGENT_SCRIPT.code, .args = { .n = 0 } };
        w->record.failure = &failure;
    }
    return &w->record;
}

static void refused(struct targets *t, const struct record *r, const struct err *e)
{
    char text[128];

    (void)err_log_text(e, text, sizeof text);
    target_break(t, text, r->key != NULL ? r->key->task : 0, r->key != NULL ? (unsigned)r->key->step : 0, r->key != NULL ? r->key->dispatch : 0);
}

static void add(struct targets *t, struct agent *a, struct record r)
{
    struct err e = { 0 };

    r.at_us = t->now_ms * 1000 * HASTE;
    if (ledger_apply(a->ledger, &r, &e) != 0)
        refused(t, &r, &e);
    keep(a, &r);
    a->added++;
}

static void add_for(struct targets *t, struct agent *a, enum record_type type, const struct agent_key *key)
{
    add(t, a, (struct record){ .type = type, .key = (struct agent_key *)key, NO_NUMBERS });
}

static int add_written(const struct record *r, void *data, struct err *e)
{
    (void)e;
    keep(data, r);
    return 0;
}

/* The ledger as one batch in a new file. */
static void compact(struct targets *t, struct agent *a)
{
    struct err e;

    ledger_prune(a->ledger, t->now_ms * 1000 * HASTE);
    a->n = 0;
    if (ledger_write(a->ledger, add_written, a, &e) != 0)
        target_break(t, "a ledger cannot be written", 0, 0, 0);
    a->synced = a->syncing = a->added;
    t->counts->compactions++;
}

static void run_disk(struct targets *t, struct agent *a)
{
    if (a->sync_ms != 0 && t->now_ms >= a->sync_ms) {
        a->synced = a->syncing;
        a->sync_ms = 0;
    }
    if (a->sync_ms != 0 || a->synced == a->added)
        return;
    if (sim_once_in(t->rng, COMPACT_ONE_IN)) {
        compact(t, a);
        return;
    }
    a->syncing = a->added;
    a->sync_ms = t->now_ms + 1 + sim_below(t->rng, !t->calm && sim_once_in(t->rng, 30) ? SLOW_SYNC_MS : SYNC_MS);
}

/* --- the end of a process ------------------------------------------------------------------------------------------------------------- */

/* What was synced is read again; of what was being written all or nothing. */
static void reread(struct targets *t, struct agent *a)
{
    uint64_t kept = a->sync_ms != 0 && sim_once_in(t->rng, 2) ? a->syncing : a->synced;
    struct err e = { 0 };

    t->counts->lost_records += a->added - kept;
    a->n -= (unsigned)(a->added - kept);
    a->added = a->syncing = a->synced = kept;
    a->sync_ms = 0;
    ledger_clear(a->ledger);
    for (unsigned i = 0; i < a->n; i++)
        if (ledger_apply(a->ledger, record_of(&a->journal[i]), &e) != 0)
            refused(t, &a->journal[i].record, &e);
}

/* It ends in the middle: whether it has done what it is for is nobody's to know. */
static void break_off(struct targets *t, struct job *j)
{
    if (j->at == JOB_ACTS && sim_once_in(t->rng, 2) && !j->fails)
        target_effect(t, j->task, j->step, j->dispatch);
    j->at = JOB_FREE;
}

/* What the agent does itself ends with it; jobs go on, unless the host ends. */
static void end_jobs(struct targets *t, unsigned host, bool all)
{
    for (unsigned i = 0; i < TARGET_JOBS; i++) {
        struct job *j = &t->jobs[i];

        if (j->at != JOB_FREE && j->host == host && (all || !j->is_slow || j->at < JOB_ACTS))
            break_off(t, j);
    }
}

static struct job *job_of(struct targets *t, const struct agent_key *k)
{
    for (unsigned i = 0; i < TARGET_JOBS; i++)
        if (t->jobs[i].at != JOB_FREE && t->jobs[i].task == k->task && t->jobs[i].step == k->step && t->jobs[i].dispatch == k->dispatch)
            return &t->jobs[i];
    return NULL;
}

struct recovery {
    struct targets *targets;
    struct agent *agent;
    struct agent_key lost[TARGET_JOBS];
    unsigned n;
};

static bool recover_one(struct entry *entry, void *data)
{
    struct recovery *r = data;

    if (entry->state != ENTRY_RUNNING)
        return true;
    if (job_of(r->targets, &entry->key) != NULL)
        r->targets->counts->found_running++;
    else if (r->n < TARGET_JOBS)
        r->lost[r->n++] = key_of(entry->key.task, (unsigned)entry->key.step, entry->key.dispatch);
    return true;
}

static void begin_life(struct targets *t, struct agent *a)
{
    struct recovery r = { .targets = t, .agent = a };

    a->life++;
    reread(t, a);
    ledger_each(a->ledger, recover_one, &r);
    for (unsigned i = 0; i < r.n; i++) {
        add_for(t, a, RECORD_UNKNOWN, &r.lost[i]);
        t->counts->unknown_commands++;
    }
    a->paused_until_ms = 0;
    a->down_until_ms = t->now_ms + 100 + sim_below(t->rng, 900);
}

static void crash(struct targets *t, unsigned host)
{
    t->counts->agent_crashes++;
    end_jobs(t, host, false);
    begin_life(t, &t->agents[host]);
}

static void reboot(struct targets *t, unsigned host)
{
    t->counts->reboots++;
    t->agents[host].boot++;
    end_jobs(t, host, true);
    begin_life(t, &t->agents[host]);
    t->agents[host].down_until_ms += sim_below(t->rng, 4000);
}

/* The deployment ends what runs, and writes the present epoch as the floor. */
static void install(struct targets *t, unsigned host)
{
    struct agent *a = &t->agents[host];
    const struct agent_key key = key_of(0, 0, 0);
    struct record birth = { .type = RECORD_BIRTH, NO_NUMBERS }, floor = { .type = RECORD_FLOOR, .key = (struct agent_key *)&key, NO_NUMBERS };
    char text[AGENT_ID_SIZE];

    end_jobs(t, host, true);
    ledger_clear(a->ledger);
    a->n = 0;
    a->life++;
    a->incarnation = ++t->next_incarnation;
    birth.incarnation = id_text(a->incarnation, text);
    add(t, a, birth);
    floor.epoch = t->epoch;
    add(t, a, floor);
    a->synced = a->syncing = a->added;
    a->sync_ms = a->paused_until_ms = 0;
    a->down_until_ms = t->now_ms + sim_below(t->rng, 2000);
}

static void trouble(struct targets *t, unsigned host)
{
    struct agent *a = &t->agents[host];

    if (t->calm || t->now_ms < a->down_until_ms)
        return;
    if (sim_once_in(t->rng, a->sync_ms != 0 ? 15 : 900)) { /* in the middle of writing it is the interesting one */
        crash(t, host);
    } else if (sim_once_in(t->rng, 2500)) {
        a->paused_until_ms = t->now_ms + sim_below(t->rng, 6000);
        t->counts->stopped_agents++;
    } else if (sim_once_in(t->rng, 4000)) {
        reboot(t, host);
    } else if (sim_once_in(t->rng, 8000)) {
        install(t, host);
        t->counts->installed_anew++;
        for (unsigned i = 0; i < TARGET_MARKS; i++) /* who asks the new one is not told of the former */
            if (targets_host(t->marks[i].task, i % TARGET_STEPS) == host)
                t->marks[i].told = t->marks[i].buried = 0;
    }
}

/* --- commands -------------------------------------------------------------------------------------------------------------------------- */

static void end_with(struct targets *t, struct agent *a, struct job *j, enum record_type type, bool failed)
{
    const struct agent_key key = key_of(j->task, j->step, j->dispatch);
    struct agent_failure failure = { .code = ERR_AGENT_SCRIPT.code, .args = { .n = 0 } };
    struct record r = { .type = type, .key = (struct agent_key *)&key, NO_NUMBERS };

    if (failed)
        r.failure = &failure;
    add(t, a, r);
    t->counts->unknown_commands += type == RECORD_UNKNOWN;
    t->counts->failed_commands += failed;
    j->at = JOB_FREE;
}

static void spawn(struct targets *t, struct agent *a, struct job *j)
{
    const struct agent_key key = key_of(j->task, j->step, j->dispatch);
    struct record r = { .type = RECORD_PROCESS, .key = (struct agent_key *)&key, NO_NUMBERS };
    char text[AGENT_ID_SIZE];

    r.pid = r.start_time = j->task * TARGET_STEPS + j->step + 2;
    r.boot = id_text(a->boot, text);
    add(t, a, r);
    j->at = JOB_SPAWNED;
    j->needs = a->added;
}

static void let_act(struct targets *t, struct job *j)
{
    j->at = JOB_ACTS;
    j->ends_ms = t->now_ms + sim_below(t->rng, t->calm ? 200 : 1500);
    j->fails = !t->calm && sim_once_in(t->rng, 15);
    j->is_lost = !t->calm && j->is_slow && sim_once_in(t->rng, 40);
    t->counts->commands++;
    if ((target_mark(t, j->task, j->step)->buried & bit(j->dispatch)) != 0)
        target_break(t, "a command acts of which an agent has said that it never came", j->task, j->step, j->dispatch);
}

static void finish_act(struct targets *t, struct job *j)
{
    if (j->is_lost) {
        break_off(t, j); /* killed by something: its result was not left */
    } else if (!j->fails) {
        target_effect(t, j->task, j->step, j->dispatch);
    }
    j->at = JOB_ENDED;
}

static void run_job(struct targets *t, struct job *j)
{
    struct agent *a = &t->agents[j->host];
    bool awake = t->now_ms >= a->paused_until_ms && t->now_ms >= a->down_until_ms;

    if (j->at == JOB_ACTS && t->now_ms >= j->ends_ms && (awake || j->is_slow))
        finish_act(t, j);
    if (!awake)
        return;
    if (j->at == JOB_INTENT && a->synced >= j->needs) {
        if (t->now_ms > j->start_by_ms)
            end_with(t, a, j, RECORD_RESULT, true);
        else if (j->is_slow)
            spawn(t, a, j);
        else
            let_act(t, j);
    } else if (j->at == JOB_SPAWNED && a->synced >= j->needs) {
        let_act(t, j);
    } else if (j->at == JOB_ENDED) {
        end_with(t, a, j, j->is_lost ? RECORD_UNKNOWN : RECORD_RESULT, !j->is_lost && j->fails);
    }
}

static bool begin_job(struct targets *t, unsigned host, const struct sent *s)
{
    const struct target_call *c = &s->call;

    for (unsigned i = 0; i < TARGET_JOBS; i++) {
        if (t->jobs[i].at != JOB_FREE)
            continue;
        t->jobs[i] = (struct job){ .at = JOB_INTENT, .host = host, .task = c->task, .step = c->step, .dispatch = c->dispatch, .start_by_ms = s->start_by_ms,
                                   .is_slow = is_slow(c->task), .needs = t->agents[host].added };
        return true;
    }
    return false;
}

/* --- calls ---------------------------------------------------------------------------------------------------------------------------- */

static enum target_answer tell(const struct agent *a, const struct agent_key *key)
{
    static const enum target_answer answers[] = {
        [AGENT_NEVER_HEARD] = TARGET_CLEAR, [AGENT_RUNNING] = TARGET_RUNNING, [AGENT_DONE] = TARGET_DONE, [AGENT_UNKNOWN] = TARGET_UNKNOWN,
        [AGENT_FORGOTTEN] = TARGET_UNKNOWN,
    };
    const struct entry *entry = ledger_find(a->ledger, key);

    return entry != NULL && entry->failure != NULL ? TARGET_FAILED : answers[ledger_state(a->ledger, key)];
}

static enum target_answer refusal(struct targets *t, const struct target_call *c, const struct err *e)
{
    bool is_command = c->verb == TARGET_COMMAND;

    if (err_is(e, &ERR_AGENT_INCARNATION)) {
        t->counts->refused_incarnations++;
        return TARGET_OTHER;
    }
    if (err_is(e, &ERR_AGENT_EPOCH)) {
        t->counts->refused_epochs++;
        return TARGET_EPOCH;
    }
    if (err_is(e, &ERR_AGENT_LATE)) {
        t->counts->late_commands++;
        return TARGET_LATE;
    }
    if (err_is(e, &ERR_AGENT_DISPATCH) || err_is(e, &ERR_AGENT_BURIED) || err_is(e, &ERR_AGENT_FORGOTTEN)) {
        t->counts->refused_commands += is_command;
        return TARGET_OLD;
    }
    target_break(t, "an agent refuses what nobody can refuse", c->task, c->step, c->dispatch);
    return TARGET_SILENT;
}

/* Which of two answers about older dispatches weighs more. */
static enum target_answer worse(enum target_answer a, enum target_answer b)
{
    static const int weight[] = { [TARGET_UNKNOWN] = 1, [TARGET_DONE] = 2, [TARGET_RUNNING] = 3, [TARGET_GONE] = 0 };

    return weight[a] > weight[b] ? a : b;
}

struct olders {
    const struct agent *agent;
    const struct agent_key *key;
    enum target_answer worst;
};

static bool look_at_older(struct entry *entry, void *data)
{
    struct olders *o = data;

    if (entry->state != ENTRY_BURIED && entry->key.task == o->key->task && entry->key.step == o->key->step && entry->key.dispatch < o->key->dispatch)
        o->worst = worse(tell(o->agent, &entry->key), o->worst);
    return true;
}

static enum target_answer fence(struct targets *t, struct agent *a, const struct target_call *c)
{
    const struct agent_key key = key_of(c->task, c->step, c->dispatch);
    struct olders older = { a, &key, TARGET_CLEAR };
    struct err e = { 0 };
    bool marks;

    if (ledger_fence(a->ledger, &key, &marks, &e) != 0)
        return refusal(t, c, &e);
    if (marks)
        add_for(t, a, RECORD_MARK, &key);
    ledger_each(a->ledger, look_at_older, &older);
    return older.worst;
}

static int64_t first_asked(int64_t dispatch)
{
    return dispatch > TARGET_BITS ? dispatch - TARGET_BITS + 1 : 1;
}

/* What became of all older dispatches; those that were never heard of never will be. */
static enum target_answer query(struct targets *t, struct agent *a, const struct target_call *c)
{
    enum target_answer worst = TARGET_CLEAR;
    const struct mark *m = target_mark(t, c->task, c->step);

    for (int64_t d = first_asked(c->dispatch); d < c->dispatch; d++) {
        const struct agent_key key = key_of(c->task, c->step, d);
        enum target_answer one = tell(a, &key);

        if (one == TARGET_CLEAR && (m->told & ~m->acknowledged & bit(d)) != 0)
            target_break(t, "an agent has forgotten a result that was not acknowledged", c->task, c->step, d);
        if (one == TARGET_CLEAR && ledger_find(a->ledger, &key) == NULL) {
            add_for(t, a, RECORD_BURY, &key);
            t->counts->buried++;
        }
        worst = worse(one, worst);
    }
    return worst;
}

static enum target_answer command(struct targets *t, struct agent *a, struct sent *s)
{
    const struct target_call *c = &s->call;
    struct agent_key key = key_of(c->task, c->step, c->dispatch);
    char incarnation[AGENT_ID_SIZE], boot[AGENT_ID_SIZE], now[AGENT_ID_SIZE];
    const struct agent_call call = { .key = &key, .digest = digest, .epoch = c->epoch, .incarnation = id_text(c->incarnation, incarnation),
                                     .boot = id_text(s->boot, boot), .start_by = s->start_by_ms, .kind = kind_of(c->task) };
    struct admission admission;
    struct record intent = { .type = RECORD_INTENT, .key = &key, .digest = digest, .kind = call.kind, NO_NUMBERS };
    struct err e = { 0 };

    if (ledger_admit(a->ledger, &call, id_text(a->boot, now), t->now_ms, &admission, &e) != 0)
        return refusal(t, c, &e);
    t->counts->known_commands += admission.known != NULL;
    if (admission.known != NULL)
        return tell(a, &key);
    if (c->epoch < a->heard)
        target_break(t, "an agent begins what an older epoch asks for", c->task, c->step, c->dispatch);
    if (admission.marks)
        add_for(t, a, RECORD_MARK, &key);
    add(t, a, intent);
    return begin_job(t, (unsigned)(a - t->agents), s) ? TARGET_RUNNING : TARGET_SILENT;
}

static enum target_answer acknowledge(struct targets *t, struct agent *a, const struct target_call *c)
{
    for (int64_t d = first_asked(c->dispatch); d <= c->dispatch; d++) {
        const struct agent_key key = key_of(c->task, c->step, d);
        const struct entry *entry = ledger_find(a->ledger, &key);

        if (entry == NULL || entry->state == ENTRY_RUNNING || entry->state == ENTRY_BURIED)
            continue;
        add_for(t, a, RECORD_FORGET, &key);
        t->counts->acknowledged++;
    }
    return TARGET_CLEAR;
}

static enum target_answer hear(struct targets *t, struct agent *a, struct sent *s)
{
    const struct target_call *c = &s->call;
    const struct agent_key key = key_of(c->task, c->step, c->dispatch);
    struct record floor = { .type = RECORD_FLOOR, .key = (struct agent_key *)&key, NO_NUMBERS };
    char text[AGENT_ID_SIZE];
    struct err e = { 0 };
    bool raises;

    if (ledger_hear(a->ledger, ocp_id, id_text(c->incarnation, text), c->epoch, &raises, &e) != 0)
        return refusal(t, c, &e);
    floor.epoch = c->epoch;
    if (raises)
        add(t, a, floor);
    return c->verb == TARGET_FENCE ? fence(t, a, c) : c->verb == TARGET_QUERY ? query(t, a, c) : c->verb == TARGET_COMMAND ? command(t, a, s)
                                                                                                               : acknowledge(t, a, c);
}

bool agent_is_paused(const struct targets *t, unsigned host)
{
    return t->now_ms < t->agents[host].paused_until_ms;
}

enum target_answer agent_hears(struct targets *t, struct sent *s)
{
    struct agent *a = &t->agents[targets_host(s->call.task, s->call.step)];
    enum target_answer answer;

    if (t->now_ms < a->down_until_ms)
        return TARGET_SILENT;
    answer = hear(t, a, s);
    s->needs = a->added; /* worded first, then synced, then sent */
    s->life = a->life;
    return answer;
}

bool agent_may_answer(const struct targets *t, const struct sent *s, bool *lost)
{
    const struct agent *a = &t->agents[targets_host(s->call.task, s->call.step)];

    *lost = a->life != s->life;
    return !*lost && a->synced >= s->needs && t->now_ms >= a->paused_until_ms;
}

void agent_has_said(struct targets *t, const struct sent *s)
{
    const struct target_call *c = &s->call;
    struct agent *a = &t->agents[targets_host(c->task, c->step)];
    struct mark *m = target_mark(t, c->task, c->step);

    if (s->answer == TARGET_EPOCH || s->answer == TARGET_OTHER || s->answer == TARGET_SILENT)
        return;
    if (c->epoch > a->heard)
        a->heard = c->epoch;
    if (c->verb == TARGET_FENCE && s->answer != TARGET_OLD && s->answer != TARGET_RUNNING && c->dispatch > m->fenced)
        m->fenced = c->dispatch;
    if (c->verb == TARGET_COMMAND && s->answer == TARGET_DONE)
        m->told |= bit(c->dispatch);
    if (c->verb == TARGET_ACKNOWLEDGE)
        for (int64_t d = first_asked(c->dispatch); d <= c->dispatch; d++)
            m->acknowledged |= bit(d);
    for (int64_t d = first_asked(c->dispatch); c->verb == TARGET_QUERY && s->answer == TARGET_CLEAR && d < c->dispatch; d++)
        m->buried |= bit(d);
}

/* --- from outside ----------------------------------------------------------------------------------------------------------------------- */

void agents_run(struct targets *t)
{
    for (unsigned i = 0; i < TARGET_HOSTS; i++) {
        trouble(t, i);
        if (t->now_ms >= t->agents[i].paused_until_ms && t->now_ms >= t->agents[i].down_until_ms)
            run_disk(t, &t->agents[i]);
    }
    for (unsigned i = 0; i < TARGET_JOBS; i++)
        if (t->jobs[i].at != JOB_FREE)
            run_job(t, &t->jobs[i]);
}

bool agents_init(struct targets *t)
{
    struct err e;

    for (unsigned i = 0; i < TARGET_HOSTS; i++) {
        if (ledger_new(&t->agents[i].ledger, &e) != 0)
            return false;
        install(t, i);
        t->agents[i].down_until_ms = 0;
    }
    return true;
}

void agents_fini(struct targets *t)
{
    for (unsigned i = 0; i < TARGET_HOSTS; i++) {
        ledger_free(t->agents[i].ledger);
        free(t->agents[i].journal);
    }
}
