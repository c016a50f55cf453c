/* SPDX-License-Identifier: Apache-2.0 */
/* program.h - the programs that are brought to hosts: the agent and, if there is one, the Prometheus node exporter; as files of this machine, one
 * for each architecture. Any thread unless a function says otherwise. */
#ifndef HOST_PROGRAM_H
#define HOST_PROGRAM_H

#include "src/base/arena.h"
#include "src/base/err.h"
#include "src/io/work.h"

struct host_programs;

ERR_DECLARE(ERR_HOST_PROGRAM); /* {0} directory, {1} architecture: no agent is there */
extern const struct err_row *const host_program_err_rows[];

/* `dir` ("": that of this program's own file) has ocp-agent, for this or any architecture, or ocp-agent-x86_64, ocp-agent-aarch64; likewise
 * node_exporter. `pool` is borrowed, outlives it. Errors: NOMEM. */
MUST_CHECK int host_programs_new(const char *dir, struct work_pool *pool, struct host_programs **out, struct err *e);
void host_programs_free(struct host_programs *p);

enum { PROGRAM_SHA256_SIZE = 65 };
struct host_program {
    const char *file;
    char sha256[PROGRAM_SHA256_SIZE];
    int64_t size;
};
/* `name`: "ocp-agent", "node_exporter". Reads the file the first time and when it has changed, on the pool; from a fiber.
 * Errors: HOST_PROGRAM, IO, BUSY, TIMEOUT, CANCELLED, NOMEM. */
MUST_CHECK int host_program_find(struct host_programs *p, const char *name, const char *machine, struct arena *arena, struct host_program *out,
                                 struct err *e);
/* Up to `max` bytes of it from `offset` on, read on the pool; from a fiber. Errors: IO, BUSY, TIMEOUT, CANCELLED, NOMEM. */
MUST_CHECK int host_program_read(struct host_programs *p, const struct host_program *program, int64_t offset, size_t max, struct arena *arena,
                                 struct slice *out, struct err *e);
/* Architectures for which there is an agent; ends with NULL. Errors: NOMEM. */
MUST_CHECK int host_program_machines(struct host_programs *p, struct arena *arena, const char *const **out, struct err *e);

#endif
