/* SPDX-License-Identifier: Apache-2.0 */
/* world.h - the program around the simulated clusters: their server processes (observers), who is connected, what is made to go wrong.
 *
 *   world ─┬─ deployment ─── cluster (state.h: what the kernel knows)
 *          │       ├──────── observers: address, listening socket, connections, whether it hangs, lies, is late
 *          │       └──────── faults (fault.h)
 *          ├─ journal: only when each server is a process of its own, that has a replica of the cluster
 *          └─ one lock for all of it, one thread that accepts, one thread for each connection
 *
 * All members are read and written under the lock unless said otherwise. */
#ifndef OBSIM_WORLD_H
#define OBSIM_WORLD_H

#include <openssl/ssl.h>
#include <pthread.h>

#include "tests/obsim/fault.h"
#include "tests/obsim/state.h"

struct sim_conn;
struct sim_engine;
struct sim_journal;

/* A server process of a cluster, as seen from outside. */
struct sim_observer {
    struct sim_deployment *deployment; /* borrowed */
    struct sim_server *server;         /* borrowed: its row, or what will be one */
    int listener;                      /* owned; -1: nobody listens, the process is down */
    bool is_hung;                      /* accepts, never answers */
    bool is_hidden;                    /* its row is left out of the views of the cluster's servers */
    bool answers_login;                /* false: 8001, it is starting */
    int64_t skew_us;                   /* of its clock against the others */
    int64_t login_delay_us;
    char version[SIM_NAME];            /* "" the truth; else what it claims as version() and in its greeting */
    char comment[SIM_NAME];            /* the same for @@version_comment */
    struct sim_conn *connections;      /* list by `next` */
};

struct sim_deployment {
    struct sim_world *world;           /* borrowed */
    struct sim_cluster *cluster;       /* owned */
    SIM_LIST(struct sim_observer) observers;
    SIM_LIST(struct sim_fault) faults;
    struct sim_values refused_starts;  /* "ip:rpc_port", and how often its process shall not start */
    bool gv_waits;                     /* a GV$ view asks servers that hang, too, until ob_query_timeout; else they are left out */
    int64_t n_sessions;                /* for numbers of sessions that are made without a login */
};

struct sim_world {
    pthread_mutex_t lock;
    SIM_LIST(struct sim_deployment) deployments;
    double speed;                      /* by which what takes time takes less of it */
    int audit_fd;                      /* -1: no trace */
    SSL_CTX *tls;                      /* owned, NULL: not offered */
    int trace_fd;                      /* owned, -1: no second trace, which the servers of a cluster share */
    struct sim_journal *journal;       /* owned, NULL: all servers are in this process (journal.h) */
    struct sim_engine *engine;         /* owned: SQLite */
    int epoll;                         /* listeners; owned */
    uint64_t random;
    size_t n_connections;
    pthread_cond_t fewer;              /* signalled when a connection ends */
};

/* `tables` is the folder with views.json and tables.json. Returns NULL with a line on stderr. */
struct sim_world *world_new(const char *tables, uint64_t seed);
void world_free(struct sim_world *w);
void world_lock(struct sim_world *w);
void world_unlock(struct sim_world *w);

/* Takes the cluster over and makes an observer for each of its servers; none listens yet. */
struct sim_deployment *world_add(struct sim_world *w, struct sim_cluster *c);
/* Makes the observer of one server more; it does not listen. */
struct sim_observer *world_add_observer(struct sim_deployment *d, struct sim_server *s);
/* By cluster name (NULL or "": the first); NULL: none. */
struct sim_deployment *world_find(struct sim_world *w, const char *cluster);
/* Is the server meant by "ip", "ip:rpc_port" or "ip:sql_port"? */
bool world_is_at(const struct sim_server *s, const char *address);
/* NULL: none is meant. */
struct sim_observer *world_observer(struct sim_world *w, const char *address);
/* The cluster's clock, microseconds since 1970, and lets the cluster's time pass up to it. */
int64_t world_advance(struct sim_deployment *d);

/* One line of the trace. `ms`: how long the client waited for it. */
struct sim_session;
void audit_write(struct sim_world *w, const struct sim_session *s, struct slice sql, unsigned number, int64_t ms);
/* The same for what becomes of a process: "up", "down", ... */
void audit_event(struct sim_world *w, const struct sim_cluster *c, const struct sim_server *s, const char *event);

#endif
