/* SPDX-License-Identifier: Apache-2.0 */
#include "src/task/remote.h"

#include <string.h>

#include "src/io/fiber.h"
#include "src/store/ocpcluster.h"
#include "src/task/remote_inside.h"

enum { WAIT_MS = 10000, TRIES = 3 };

const struct agent_at *task_host_at(const struct task_host *h)
{
    return &h->at;
}

int task_host_lost(const struct task_host *h, int rv, struct err *e)
{
    if (rv != ERR_AGENT_LOST.code)
        return rv;
    (void)err_set(e, &ERR_AGENT_AWAY, "%s", h->at.address);
    return err_arg(e, "it went away before it answered.");
}

/* ---- epochs ----------------------------------------------------------------------------------------------------------------------------- */

/* Another node leads since, and the agent has heard of it. While the step is still ours, that is no failure of it: true, ask again with h->epoch. */
static bool is_led_anew(struct task_host *h, int rv, struct err *e)
{
    struct err why = { 0 };
    int64_t epoch;

    if (rv != ERR_AGENT_EPOCH.code || task_epoch(h->run, &epoch, &why) != 0 || epoch <= h->epoch)
        return false;
    h->epoch = epoch;
    err_clear(e);
    return true;
}

/* ---- opening -------------------------------------------------------------------------------------------------------------------------- */

static int make_key(struct task_run *r, struct agent_key *out, struct err *e)
{
    const struct subtask *step = task_step_of(r);
    struct ocpcluster *ocp;
    int rv = store_ocpcluster_find(task_db(r), task_arena(r), &ocp, e);

    if (rv == 0 && ocp == NULL)
        rv = err_set(e, &ERR_UNEXPECTED, "this OCP has no cluster of nodes yet, so no agent can know it");
    if (rv == 0)
        *out = (struct agent_key){ ocp->cluster, ocp->lineage, step->task_id, step->id, step->dispatch, 0 };
    return rv;
}

/* Its effect counts as this dispatch's: it is waited for. */
static int await_older(struct task_host *h, size_t i, struct err *e)
{
    struct agent_key key = *h->older[i].key;
    int rv = 0;

    if (h->older[i].state == AGENT_RUNNING)
        task_log(h->run, "%s: %s of dispatch %lld still runs; waiting for it", h->at.address, h->older[i].kind, (long long)key.dispatch);
    while (rv == 0 && h->older[i].state == AGENT_RUNNING) {
        struct agent_reply *now;

        if (fiber_ms_left() == 0)
            return err_set(e, &ERR_TIMEOUT, "");
        do
            rv = agent_query(h->client, &h->at, h->epoch, &key, 1, fiber_ms_left() < WAIT_MS ? fiber_ms_left() : WAIT_MS, task_arena(h->run), &now, e);
        while (is_led_anew(h, rv, e));
        if (rv == 0)
            h->older[i] = *now;
    }
    return rv;
}

static int settle_older(struct task_host *h, struct err *e)
{
    int rv;

    if (!task_is_repeated(h->run))
        return 0;
    do
        rv = agent_fence(h->client, &h->at, h->epoch, &h->key, task_arena(h->run), &h->older, &h->n_older, e);
    while (is_led_anew(h, rv, e));
    if (rv == 0) {
        h->use = arena_array(task_arena(h->run), h->n_older + 1, sizeof *h->use);
        rv = h->use != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
    }
    for (size_t i = 0; rv == 0 && i < h->n_older; i++)
        rv = await_older(h, i, e);
    return rv;
}

static int make(struct task_run *r, struct agent_client *client, const struct agent_at *at, struct task_host **out, struct err *e)
{
    struct arena *arena = task_arena(r);
    struct task_host *h = arena_zalloc(arena, sizeof *h);

    if (h == NULL)
        return err_set(e, &ERR_NOMEM, "");
    h->run = r;
    h->epoch = task_step_of(r)->epoch;
    h->client = client;
    h->at = *at;
    h->at.address = arena_strdup(arena, at->address);
    h->at.ocp_id = arena_strdup(arena, at->ocp_id);
    h->at.incarnation = at->incarnation != NULL ? arena_strdup(arena, at->incarnation) : NULL;
    if (h->at.address == NULL || h->at.ocp_id == NULL || (at->incarnation != NULL && h->at.incarnation == NULL))
        return err_set(e, &ERR_NOMEM, "");
    *out = h;
    return make_key(r, &h->key, e);
}

int task_host_open(struct task_run *r, struct agent_client *client, const struct agent_at *at, struct task_host **out, struct err *e)
{
    int rv;

    for (struct task_host *h = r->hosts; h != NULL; h = h->next)
        if (h->at.host_id == at->host_id) {
            *out = h;
            return 0;
        }
    rv = make(r, client, at, out, e);
    if (rv == 0)
        rv = task_host_lost(*out, settle_older(*out, e), e);
    if (rv != 0)
        return rv;
    (*out)->next = r->hosts;
    r->hosts = *out;
    r->recorded = task_hosts_recorded;
    return 0;
}

/* ---- commands --------------------------------------------------------------------------------------------------------------------------- */

static bool is_rollback(const struct task_host *h)
{
    return task_step_of(h->run)->operation == TASK_ROLLBACK;
}

/* Commands that find their work done may be sent again; these may not. */
static bool is_once(const struct agent_kind *kind, const void *args)
{
    if (strcmp(kind->name, "start_process") == 0)
        return ((const struct agent_start_process *)args)->pid_file == NULL;
    return strcmp(kind->name, "run_script") == 0;
}

/* What they found is not what is: processes start and end by themselves, and the agent looks when it is asked again. */
static bool is_of_now(const struct agent_kind *kind, const void *args)
{
    return (kind->flags & AGENT_READS) != 0 || strcmp(kind->name, "stop_process") == 0 || strcmp(kind->name, "control") == 0 ||
           (strcmp(kind->name, "start_process") == 0 && !is_once(kind, args));
}

/* What an older dispatch did that is exactly this, and was not taken over yet. Of `since` on: before it the step went the other way. */
static struct agent_reply *find_older(struct task_host *h, const char *digest, int64_t since)
{
    for (size_t i = h->n_older; i > 0; i--) {
        struct agent_reply *older = &h->older[i - 1];

        if (h->use[i - 1] != USE_NONE || older->key->dispatch < since || older->digest == NULL || strcmp(older->digest, digest) != 0)
            continue;
        h->use[i - 1] = older->state == AGENT_UNKNOWN ? USE_TOLD : USE_TAKEN;
        return older;
    }
    return NULL;
}

static int reserve(struct task_host *h, struct err *e)
{
    size_t space = h->space * 2 + 8;
    struct used_key *more;

    if (h->n_used < h->space)
        return 0;
    more = arena_array(task_arena(h->run), space, sizeof *more);
    if (more == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (h->n_used > 0)
        memcpy(more, h->used, h->n_used * sizeof *more);
    h->used = more;
    h->space = space;
    return 0;
}

/* Pieces of output become lines of the step's log. */
struct output {
    struct task_run *run;
    char line[TASK_LOG_LINE_SIZE];
    size_t n;
    size_t taken, known;             /* bytes that came of this sending; those of the sending before, which are in the log */
};

static void end_line(struct output *o)
{
    if (o->n > 0)
        task_log(o->run, "%.*s", (int)o->n, o->line);
    o->n = 0;
}

static void on_output(void *data, struct slice piece)
{
    struct output *o = data;

    for (size_t i = 0; i < piece.n; i++) {
        if (o->taken++ < o->known)
            continue;
        if (piece.s[i] == '\n')
            end_line(o);
        else if (o->n < sizeof o->line - 1)
            o->line[o->n++] = (unsigned char)piece.s[i] < ' ' ? ' ' : piece.s[i];
    }
}

static void begin_again(struct output *o)
{
    if (o->taken > o->known)
        o->known = o->taken;
    o->taken = 0;
}

/* A key is for the agent to forget only if its end was seen: what may still run is for the next dispatch to find. */
static int send_it(struct task_host *h, const struct agent_kind *kind, const void *args, struct agent_result *result, struct err *e)
{
    struct output o = { .run = h->run };
    struct agent_command cmd = { .key = h->key, .kind = kind->name, .args = args, .data = &o };
    int rv = reserve(h, e);

    if (rv != 0)
        return rv;
    if ((kind->flags & AGENT_SLOW) != 0)
        cmd.on_output = on_output;
    cmd.key.seq = task_next_seq(h->run);
    do {
        begin_again(&o);
        cmd.epoch = h->epoch;
        *result = (struct agent_result){ .kind = NULL };
        rv = agent_command(h->client, &h->at, &cmd, task_arena(h->run), result, e);
    } while (is_led_anew(h, rv, e));
    if (result->kind != NULL && (kind->flags & AGENT_READS) == 0)
        h->used[h->n_used++] = (struct used_key){ cmd.key, is_once(kind, args) && (rv == 0 || rv == ERR_AGENT_UNKNOWN.code), rv == ERR_AGENT_UNKNOWN.code };
    end_line(&o);
    return task_host_lost(h, rv, e);
}

static int unsettled(struct task_host *h, const struct agent_kind *kind, int64_t dispatch, struct err *e)
{
    return err_set(e, &ERR_TASK_UNKNOWN, "%s on host %s, begun by dispatch %lld", kind->name, h->at.address, (long long)dispatch);
}

/* The agent was ended in the midst of it: what finds its work done is sent anew, for the rest a person decides. */
static int send_until_known(struct task_host *h, const struct agent_kind *kind, const void *args, struct agent_result *result, struct err *e)
{
    int rv = send_it(h, kind, args, result, e);

    for (unsigned i = 1; rv == ERR_AGENT_UNKNOWN.code && i < TRIES && !is_once(kind, args); i++) {
        task_log(h->run, "%s: the agent ended in the midst of %s; once more", h->at.address, kind->name);
        err_clear(e);
        rv = send_it(h, kind, args, result, e);
    }
    return rv == ERR_AGENT_UNKNOWN.code && is_once(kind, args) ? unsettled(h, kind, h->key.dispatch, e) : rv;
}

/* As agent_command would have answered then. */
static int take_over(struct task_host *h, const struct agent_kind *kind, const struct agent_reply *older, struct agent_result *result)
{
    task_log(h->run, "%s: %s was done by dispatch %lld", h->at.address, kind->name, (long long)older->key->dispatch);
    *result = (struct agent_result){ (enum agent_state)older->state, kind, older->answer, older->output_bytes, older->output_cut, older->pid,
                                     older->start_time };
    return 0;
}

/* ---- what must not be done twice -------------------------------------------------------------------------------------------------------- */

static int learn_incarnation(struct task_host *h, struct err *e)
{
    struct agent_hello hello;
    int rv = 0;

    if (h->at.incarnation != NULL)
        return 0;
    do
        rv = agent_hello(h->client, &h->at, h->epoch, task_arena(h->run), &hello, e);
    while (is_led_anew(h, rv, e));
    if (rv == 0)
        h->at.incarnation = hello.incarnation;
    return task_host_lost(h, rv, e);
}

static int begin_body(struct tx *tx, void *data, struct err *e)
{
    return store_subtask_once_begin_in(tx, data, e);
}

static int installed_anew(struct task_host *h, const struct agent_kind *kind, struct err *e)
{
    return err_set(e, &ERR_TASK_UNKNOWN, "%s on host %s, begun by dispatch %lld; the agent there was installed anew since and does not remember it",
                   kind->name, h->at.address, (long long)h->lost->dispatch);
}

/* Before the first such command of this dispatch there: MetaDB knows which agent was to do it, and an older dispatch's was the same one. */
static int begin_once(struct task_host *h, const struct agent_kind *kind, struct err *e)
{
    const struct subtask *step = task_step_of(h->run);
    struct subtask_once now = { step->id, h->at.host_id, is_rollback(h), step->dispatch, NULL }, *former = NULL;
    int rv;

    if (h->lost != NULL)
        return installed_anew(h, kind, e);
    if (h->since > 0)
        return 0;
    rv = learn_incarnation(h, e);
    if (rv == 0 && task_is_repeated(h->run))
        rv = store_subtask_once_find(task_db(h->run), step->id, h->at.host_id, now.is_back, task_arena(h->run), &former, e);
    if (rv == 0 && former != NULL && strcmp(former->incarnation, h->at.incarnation) != 0) {
        h->lost = former;
        return installed_anew(h, kind, e);
    }
    now.incarnation = h->at.incarnation;
    if (rv == 0 && former == NULL)
        rv = task_transact(h->run, begin_body, &now, e);
    if (rv == 0)
        h->since = former != NULL ? former->dispatch : step->dispatch;
    return rv;
}

/* Of what may be sent again, a rollback takes nothing over: the step may have done it before it did what is to be undone. */
static bool may_take_over(const struct task_host *h, const struct agent_kind *kind, const void *args)
{
    return is_once(kind, args) || (!is_of_now(kind, args) && !is_rollback(h));
}

static int run(struct task_host *h, const struct agent_kind *kind, const void *args, struct agent_result *result, struct err *e)
{
    char digest[AGENT_SHA256_SIZE];
    const struct agent_reply *older;
    int rv = agent_digest(kind, args, digest, e);

    if (rv == 0 && is_once(kind, args))
        rv = begin_once(h, kind, e);
    if (rv != 0)
        return rv;
    older = may_take_over(h, kind, args) ? find_older(h, digest, is_once(kind, args) ? h->since : 0) : NULL;
    if (older != NULL && older->state == AGENT_DONE && older->failure == NULL)
        return take_over(h, kind, older, result);
    if (older != NULL && older->state == AGENT_UNKNOWN && is_once(kind, args))
        return unsettled(h, kind, older->key->dispatch, e);
    return send_until_known(h, kind, args, result, e);
}

int task_host_command(struct task_host *h, const char *kind, const void *args, void *answer, struct err *e)
{
    const struct agent_kind *k = agent_kind_find(kind);
    struct agent_result result;
    int rv = k != NULL ? run(h, k, args, &result, e) : err_set(e, &ERR_AGENT_KIND, "%s", kind);

    return rv == 0 && answer != NULL ? agent_result_read(&result, answer, task_arena(h->run), e) : rv;
}
