/* SPDX-License-Identifier: Apache-2.0 */
/* pool.h - the sessions that one loop keeps to one database; private to src/store.
 * Takers wait in line; connecting is done by fibers of the pool's own, so that a caller with a short deadline never throws a
 * half-made connection away. While nothing answers one of them tries the endpoints in turn with growing, jittered pauses. */
#ifndef STORE_POOL_H
#define STORE_POOL_H

#include "src/io/fiber.h"
#include "src/store/db.h"

enum {
    POOL_AWAY_MS = 8000,
    POOL_MAX_SESSIONS = 64,
    POOL_MAX_AGE_MS = 30 * 60 * 1000, /* sessions move to other servers behind a load balancer after this, jittered */
};

struct session {
    struct sql *sql;          /* owned */
    struct session *next;     /* in the idle list */
    int64_t born_ms, idle_ms; /* connected; given back */
    unsigned endpoint;
};

struct taker;

struct pool {
    struct db_conf conf;
    struct loop *loop;
    struct session *idle;             /* newest first */
    struct taker *first, *last;       /* in line for a session */
    unsigned n_connectors;
    struct fiber_group connecting;
    struct fiber *connectors[POOL_MAX_SESSIONS]; /* those that run, to be cancelled when the pool closes; NULL: a free place */
    unsigned endpoint;                /* that answered last */
    enum sql_engine engine;           /* of it */
    bool closing;
    bool refused;                     /* the last failure was the login's: waiting does not help */
    int64_t answered_ms;              /* last time a statement was answered; 0: never */
    int64_t retry_ms;                 /* no connecting before it */
    unsigned pause_ms;                /* of the last failure */
    uint64_t random;
    char why[ERR_ARG_SIZE];           /* of the last failure */

    /* written by the loop, read by any thread */
    _Atomic unsigned n_sessions;      /* all, those being made included */
    _Atomic unsigned n_idle, n_takers;
    _Atomic int64_t up_since_ms, down_since_ms;
    _Atomic uint64_t n_connects;
};

void pool_init(struct pool *p, const struct db_conf *conf, struct loop *l);
/* Ends its fibers and closes the idle sessions; none may be taken. From a fiber, or when the loop has ended. */
void pool_fini(struct pool *p);

/* Waits at most min(deadline, POOL_AWAY_MS). Errors: DB_AWAY, BUSY, CANCELLED, NOMEM. */
MUST_CHECK int pool_take(struct pool *p, struct session **out, struct err *e);
/* Hands it to the first in line or keeps it; a dead one is closed. */
void pool_give(struct pool *p, struct session *s);
/* Closes it: its server is not the one wanted any more, or its state is in doubt. `elsewhere`: begin with the next endpoint. */
void pool_drop(struct pool *p, struct session *s, bool elsewhere);
/* A connection broke: the idle ones are most likely broken too. */
void pool_suspect(struct pool *p);
/* A statement has just been answered. */
void pool_answered(struct pool *p);
bool pool_is_down(const struct pool *p);

/* Waits until no member of `g` runs, whatever the deadline and cancellation of this fiber: its stack is in use. */
void pool_wait_group(struct fiber_group *g);
/* Between pool.c and connect.c. pool_connect starts the connectors that the line needs, if that is possible now. pool_keep hands a
 * session to the first in line or makes it idle. pool_fail_line ends everybody's wait with nothing. */
void pool_connect(struct pool *p);
void pool_keep(struct pool *p, struct session *s);
void pool_fail_line(struct pool *p);

int64_t pool_now_ms(const struct pool *p);
/* Between half of `ms` and all of it. */
unsigned pool_jittered(struct pool *p, unsigned ms);
/* Number in [0, below) for jitter; 0 when below is 0. */
unsigned pool_random(struct pool *p, unsigned below);
/* Fiber sleep before repetition `n` (1, 2 ...): 20 ms doubled each time up to 1 s, of that a random half to whole.
 * Errors: TIMEOUT, CANCELLED. */
MUST_CHECK int pool_pause(struct pool *p, unsigned n, struct err *e);

#endif
