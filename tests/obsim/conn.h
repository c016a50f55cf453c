/* SPDX-License-Identifier: Apache-2.0 */
/* conn.h - one client's connection: a thread that greets, checks the login, and runs commands until either side ends it. */
#ifndef OBSIM_CONN_H
#define OBSIM_CONN_H

#include <stdatomic.h>

#include "tests/obsim/session.h"
#include "tests/obsim/stmt.h"
#include "tests/obsim/wire.h"

enum sim_order { ORDER_NONE, ORDER_KILL_QUERY, ORDER_END, ORDER_RESET };

struct sim_conn {
    struct sim_conn *next, *previous;  /* of the observer's list; under the lock */
    struct sim_observer *observer;     /* borrowed */
    _Atomic int order;                 /* enum sim_order; given with conn_order */
    struct sim_session *session;       /* owned; NULL before the login; changed under the lock */
    /* of its thread alone */
    struct wire wire;
    struct sim_stmts stmts;
    uint32_t capabilities, id;
    char peer[64], peer_ip[64];
};

/* Serves the client of the socket, which it takes, on a thread of its own. Under the lock. */
void conn_start(struct sim_observer *o, int fd);
/* Tells a connection to stop what it does. Under the lock. */
void conn_order(struct sim_conn *c, enum sim_order order);
/* Waits until the clock (CLOCK_MONOTONIC, us) reaches `until_us`, an order comes, or the client is gone: then false. Without the lock. */
bool conn_wait(struct sim_conn *c, int64_t until_us);
int64_t conn_now_us(void);

#endif
