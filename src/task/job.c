/* SPDX-License-Identifier: Apache-2.0 */
#include "src/task/job.h"

#include "src/io/fiber.h"

/* Freed with its last runner. */
struct jobs {
    struct runner *first;
    unsigned running;
    bool stopped;
};

struct runner {
    struct jobs *jobs;
    struct runner *next;
    struct fiber *fiber;      /* NULL: it has not begun, or has ended */
    const struct job *job;
    void *data;
    struct log log;
    uint64_t random;
    bool failing;
};

/* xorshift64: only spreads runs, nobody may rely on it. */
static int64_t jittered(struct runner *r, int64_t ms)
{
    r->random ^= r->random << 13;
    r->random ^= r->random >> 7;
    r->random ^= r->random << 17;
    return ms - ms / 10 + (int64_t)(r->random % (uint64_t)(ms / 5 + 1));
}

static void report(struct runner *r, int rv, const struct err *e)
{
    if (rv != 0 && !r->failing)
        log_warn(&r->log, "background job fails", LOG_E(e));
    if (rv == 0 && r->failing)
        log_info(&r->log, "background job works again");
    r->failing = rv != 0;
}

static int run_once(struct runner *r, struct err *e)
{
    int64_t former = fiber_narrow_deadline(r->job->timeout_ms);
    int rv = r->job->run(r->data, e);

    fiber_restore_deadline(former);
    return rv;
}

static void free_if_over(struct jobs *j)
{
    if (j->running > 0)
        return;
    while (j->first != NULL) {
        struct runner *r = j->first;

        j->first = r->next;
        mem_free(r);
    }
    mem_free(j);
}

void jobs_stop(struct jobs *j)
{
    if (j == NULL)
        return;
    j->stopped = true;
    for (struct runner *r = j->first; r != NULL; r = r->next)
        if (r->fiber != NULL)
            fiber_cancel(r->fiber);
}

static void runner_main(void *data)
{
    struct runner *r = data;
    int64_t first = r->job->at_once ? 0 : (int64_t)(r->random % (uint64_t)r->job->interval_ms);
    struct err e = { 0 };
    int rv;

    r->fiber = fiber_current();
    rv = fiber_sleep(first, &e);
    while (rv == 0 && !r->jobs->stopped) {
        err_clear(&e);
        rv = run_once(r, &e);
        if (fiber_is_cancelled(fiber_current()) || r->jobs->stopped)
            break;
        report(r, rv, &e);
        rv = fiber_sleep(jittered(r, r->job->interval_ms), &e);
    }
    r->fiber = NULL;
    r->jobs->running--;
    free_if_over(r->jobs);
}

static int start_one(struct loop *l, struct jobs *jobs, const struct job *job, void *data, const struct log *log, uint64_t seed, struct err *e)
{
    struct runner *r = mem_alloc(sizeof *r);
    int rv;

    if (r == NULL)
        return err_set(e, &ERR_NOMEM, "");
    *r = (struct runner){ .jobs = jobs, .job = job, .data = data, .random = seed | 1 };
    log_child(&r->log, log, "job", job->name);
    r->next = jobs->first;
    jobs->first = r;
    rv = fiber_start(l, job->name, runner_main, r, NULL, e);
    if (rv != 0) {
        jobs->first = r->next;
        mem_free(r);
    }
    return rv;
}

int jobs_start(struct loop *l, const struct job *table, void *data, const struct log *log, uint64_t seed, struct jobs **out, struct err *e)
{
    struct jobs *jobs = mem_zalloc(sizeof *jobs);
    int rv = 0;

    if (jobs == NULL)
        return err_set(e, &ERR_NOMEM, "");
    jobs->running = 1; /* this call */
    for (const struct job *job = table; rv == 0 && job->name != NULL; job++) {
        jobs->running++;
        rv = start_one(l, jobs, job, data, log, seed = seed * 6364136223846793005u + 1442695040888963407u, e);
        jobs->running -= rv != 0;
    }
    if (rv != 0)
        jobs_stop(jobs);
    if (out != NULL)
        *out = rv == 0 ? jobs : NULL;
    jobs->running--;
    if (jobs->running == 0) {
        free_if_over(jobs);
        if (out != NULL)
            *out = NULL;
    }
    return rv;
}
