/* SPDX-License-Identifier: Apache-2.0 */
/* remoteworld.h - one step that is dispatched again and again to workers, and the one host that it touches, against an agent's own ledger
 * (agentdouble.h). The step's run, MetaDB and the leadership are doubles: src/task/remote.c sees them by these functions alone. */
#ifndef TESTS_LIB_REMOTEWORLD_H
#define TESTS_LIB_REMOTEWORLD_H

#include "src/store/subtask_once.h"
#include "src/task/engine_inside.h"
#include "src/task/remote.h"
#include "tests/lib/agentdouble.h"
#include "tests/lib/test.h"

enum { ROWS = 4 };
struct once_row {
    struct subtask_once row;
    char incarnation[AGENT_ID_SIZE];
};
struct world {
    struct agent_client agent;
    struct task_run run;
    int64_t leads;              /* epoch of whoever leads now */
    bool is_overtaken;
    const char *recorded;       /* the host's incarnation in MetaDB; NULL: none yet */
    struct once_row rows[ROWS]; /* of subtask_once */
    size_t n_rows;
    char log[4096];
};
extern struct world w;

/* A dispatch begins; its worker dies without a word; its outcome is in MetaDB: it is through (record), or another. */
void begin(int64_t dispatch);
void die(void);
void record(void);
void record_as(enum decide_event outcome);

int open_host(struct task_host **out, struct err *e);
int run_script(struct task_host *h, const char *script, int64_t *exit_status, struct err *e);
int start_daemon(struct task_host *h, const char *pid_file, struct err *e);
/* Opens the host and runs one script. Returns what the script's command returned. */
int script(const char *name, int64_t *exit_status, struct err *e);
/* What the agent remembers. */
unsigned entries(void);

void world_play(void (*body)(struct err *e));
#define SCENARIO(NAME)                  \
    static void NAME##_(void **state)   \
    {                                   \
        (void)state;                    \
        world_play(NAME);               \
    }

#endif
