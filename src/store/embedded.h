/* SPDX-License-Identifier: Apache-2.0 */
/* embedded.h - the embedded MetaDB: a private mariadbd, started, supervised and stopped by this process.
 *
 * DIR, 0700, belongs to the account that mariadbd runs as (never root):
 *   data/      its data; made in data.new/ and renamed, so that a half-made one is never used
 *   sock       its only way in: no network; authentication by the user id of whoever connects (unix_socket), no password
 *   lock       held by the supervising process
 *
 * Only this process's user and the account itself have database accounts. Every commit is on disk before it is acknowledged, so
 * data survives kill -9 of mariadbd and of this process. mariadbd does not outlive this process: the kernel sends it SIGTERM when
 * the thread of the loop ends, in whatever way. One that is found running all the same is stopped, then ours is started.
 *
 * The threads' rule: everything from fibers of the loop it was started on; embedded_state from any thread. */
#ifndef STORE_EMBEDDED_H
#define STORE_EMBEDDED_H

#include "src/base/log.h"
#include "src/io/sql.h"
#include "src/io/work.h"

struct embedded;

ERR_DECLARE(ERR_EMBEDDED_SETUP); /* {0} DIR, {1} what is wrong and what to do: a person is needed */
ERR_DECLARE(ERR_EMBEDDED_DOWN);  /* {0} DIR, {1} what mariadbd said last: it does not stay up */
extern const struct err_row *const embedded_err_rows[];

struct embedded_conf {
    const char *dir;                  /* DIR, absolute */
    const char *account;              /* whom mariadbd runs as when we are root; NULL: the owner of DIR */
    const char *const *databases;     /* made when missing; names of letters, digits and '_'; end with NULL */
    const char *mariadbd;             /* paths of the programs; NULL: those of Debian's mariadb-server-core */
    const char *install_db, *upgrade;
    unsigned buffer_pool_mb;          /* 0: 64 */
    unsigned max_connections;         /* 0: 100 */
    unsigned stop_timeout_ms;         /* from SIGTERM to SIGKILL; 0: 60000 */
    struct work_pool *connect_pool;   /* borrowed, outlives it */
    const struct log *log;            /* borrowed, outlives it */
};

enum embedded_state {
    EMBEDDED_PREPARING,  /* folder, lock, leftovers, version, first data */
    EMBEDDED_STARTING,   /* mariadbd runs and does not answer yet */
    EMBEDDED_UPGRADING,  /* data of an older version is being adapted */
    EMBEDDED_RUNNING,
    EMBEDDED_BACKOFF,    /* it died: a pause before the next start */
    EMBEDDED_STOPPING,
    EMBEDDED_STOPPED,
    EMBEDDED_HALTED,     /* does not work without a person */
};

/* Starts it on the running loop and waits until it answers SELECT 1; makes everything on first use. The strings of `conf` are
 * copied. `out` is to be ended by embedded_stop. The process must not ignore SIGCHLD.
 * Errors: EMBEDDED_SETUP, EMBEDDED_DOWN (three starts failed), NOMEM, TIMEOUT, CANCELLED; then nothing runs and nothing is to be freed. */
MUST_CHECK int embedded_start(const struct embedded_conf *conf, struct embedded **out, struct err *e);

/* How to connect to one of its databases; strings are the embedded's. */
struct sql_target embedded_target(const struct embedded *m, const char *database);

/* Any thread. */
enum embedded_state embedded_state(const struct embedded *m);
const char *embedded_state_name(enum embedded_state state);
/* Process id of mariadbd; 0 when none runs. */
pid_t embedded_pid(const struct embedded *m);
/* How often it was started again after it had died. */
unsigned embedded_n_restarts(const struct embedded *m);

/* SIGTERM, at most stop_timeout_ms later SIGKILL (at once while it has not answered yet); waits for its end whatever the fiber's deadline is, then frees. NULL is fine. */
void embedded_stop(struct embedded *m);

#endif
