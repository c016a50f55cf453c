/* SPDX-License-Identifier: Apache-2.0 */
#include "src/task/job.h"

#include "src/io/fiber.h"

struct runner {
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

static void runner_main(void *data)
{
    struct runner *r = data;
    int64_t first = r->job->at_once ? 0 : (int64_t)(r->random % (uint64_t)r->job->interval_ms);
    struct err e = { 0 };
    int rv = fiber_sleep(first, &e);

    while (rv == 0) {
        err_clear(&e);
        rv = run_once(r, &e);
        if (fiber_is_cancelled(fiber_current()))
            break;
        report(r, rv, &e);
        rv = fiber_sleep(jittered(r, r->job->interval_ms), &e);
    }
    mem_free(r);
}

static int start_one(struct loop *l, const struct job *job, void *data, const struct log *log, uint64_t seed, struct err *e)
{
    struct runner *r = mem_alloc(sizeof *r);
    int rv;

    if (r == NULL)
        return err_set(e, &ERR_NOMEM, "");
    *r = (struct runner){ .job = job, .data = data, .random = seed | 1 };
    log_child(&r->log, log, "job", job->name);
    rv = fiber_start(l, job->name, runner_main, r, NULL, e);
    if (rv != 0)
        mem_free(r);
    return rv;
}

int jobs_start(struct loop *l, const struct job *table, void *data, const struct log *log, uint64_t seed, struct err *e)
{
    int rv = 0;

    for (const struct job *job = table; rv == 0 && job->name != NULL; job++)
        rv = start_one(l, job, data, log, seed = seed * 6364136223846793005u + 1442695040888963407u, e);
    return rv;
}
