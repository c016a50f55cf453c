/* SPDX-License-Identifier: Apache-2.0 */
/* job.h - a slow command as a process of its own, which a crash of pos_proxy does not end: it reads what to do from stdin, does it in a child of
 * its own, keeps the child's output up to AGENT_OUTPUT_MAX bytes, and leaves a result file. SIGTERM ends the child.
 *
 *   data/commands/KEY.out   output so far        data/commands/KEY.result   struct job_result, once it has ended */
#ifndef AGENT_JOB_H
#define AGENT_JOB_H

#include "agent/frame.h"
#include "src/proto/agent.h"

struct job_spec {
    struct agent_key *key;
    const char *kind, *args;          /* args: JSON */
    int64_t timeout_ms;
    struct field_strings roots;
};
extern const struct field job_spec_fields[];

struct job_result {
    struct agent_failure *failure;
    const char *answer;               /* JSON */
    int output_cut;
};
extern const struct field job_result_fields[];

/* The name of the process; hidden from people. */
#define JOB_NAME "ocp_agent_job"
int job_main(struct frame *f, int argc, char **argv);

/* "HOME/data/commands/KEY.END". Returns `buf`. */
enum { JOB_PATH_SIZE = 4096 };
const char *job_path(const char *home, const struct agent_key *key, const char *end, char buf[JOB_PATH_SIZE]);
/* Reads a result file; *there false: there is none. Blocking. Errors: IO, INVALID, NOMEM. */
MUST_CHECK int job_read_result(const char *home, const struct agent_key *key, struct arena *arena, struct job_result *out, bool *there,
                               struct err *e);

#endif
