/* SPDX-License-Identifier: Apache-2.0 */
/* commands.h - a command's life in pos_proxy, from its intent to its result:
 *
 *   admitted --RECORD_INTENT synced--> still before start_by? --no--> RESULT (late: it never began)
 *        └ yes: by kind   quick: on a thread             slow: a job (job.h), RECORD_PROCESS synced before it goes on
 *                         start_process: the same         reads: no record at all
 *        --> RECORD_RESULT synced --> who waits is told
 *
 * A command goes on when its caller has gone. When pos_proxy ends, quick ones end first; jobs run on and are found again by commands_recover,
 * which also says of everything else that was under way that nobody knows (UNKNOWN). Loop thread only. */
#ifndef AGENT_COMMANDS_H
#define AGENT_COMMANDS_H

#include "agent/act.h"
#include "agent/frame.h"
#include "agent/journal.h"
#include "agent/ledger.h"
#include "src/io/fiber.h"
#include "src/io/work.h"

struct commands {
    struct frame *frame;             /* borrowed */
    struct ledger *ledger;           /* borrowed */
    struct journal *journal;         /* borrowed */
    struct work_pool *pool;          /* borrowed */
    const char *boot;                /* borrowed: id of the host's boot */
    const char *blobs;               /* borrowed: directory */
    const char *scope;               /* program that makes a scope; NULL: none */
    struct waitlist ended;           /* woken when any command ends */
};

/* Starts an admitted command whose intent was added. Errors: those of fiber_start. */
MUST_CHECK int commands_start(struct commands *c, struct entry *entry, const struct agent_call *call, struct err *e);
/* Executes a command that only reads; the answer is JSON in `arena`. Errors: those of the command. */
MUST_CHECK int commands_read(struct commands *c, const struct agent_call *call, struct arena *arena, const char **answer, struct err *e);
/* Ends it, if it is one that can be ended: a job, or waiting for a process to stop. */
void commands_stop(struct commands *c, struct entry *entry);
/* Bytes of output that are there. */
int64_t commands_output_bytes(struct commands *c, const struct entry *entry);
/* After a restart: takes up again what still runs. From a fiber, before calls come. Errors: NOMEM, AGENT_FULL, those of fiber_start. */
MUST_CHECK int commands_recover(struct commands *c, struct err *e);
/* Removes output and results of commands that the ledger does not know any more; once in a while. Loop thread. */
void commands_sweep(struct commands *c);
/* Removes what the command left beside the journal. */
void commands_forget(struct commands *c, const struct agent_key *key);

/* Runs fn(data) on a thread and waits for it, whatever happens. Errors: BUSY, NOMEM: it did not run. */
MUST_CHECK int commands_on_thread(struct commands *c, void (*fn)(void *data), void *data, struct err *e);
/* The directories that commands may touch now, in the arena. */
MUST_CHECK int commands_roots(struct commands *c, struct arena *arena, struct roots *out, struct err *e);

/* Kinds that are more than an act: answers the kind's answer struct. The fiber of the command, shielded. Errors: those of the command;
 * CANCELLED: pos_proxy ends, and the entry stays as it is. */
struct running {
    struct commands *commands;
    struct entry *entry;             /* valid while it runs */
    struct fiber *fiber;
    struct arena arena;
    void *args;                      /* the kind's struct */
    int64_t start_by, timeout_ms;
    bool stop;                       /* somebody wants it to end */
};
int command_start_process(struct running *r, void *answer, struct err *e);
int command_stop_process(struct running *r, void *answer, struct err *e);
int command_declare_root(struct running *r, void *answer, struct err *e);
int command_control(struct running *r, void *answer, struct err *e);
int command_install_self(struct running *r, void *answer, struct err *e);
/* Writes down the process of a command, durably, before it goes on. */
MUST_CHECK int running_note_process(struct running *r, pid_t pid, int64_t start_time, struct err *e);

#endif
