/* SPDX-License-Identifier: Apache-2.0 */
/* link.h - sessions to managed clusters. Each loop keeps a few per cluster: opened on demand with the password from the vault, used
 * by one fiber at a time, closed after a minute of rest, thrown away when they are dead or the cluster's address or password changed.
 *
 *     struct link *k;
 *     rv = link_take(o, &cluster, &k, e);
 *     if (rv != 0)
 *         return rv;
 *     rv = ob_databases(link_sql(k), ..., e);
 *     return link_give(k, rv, e);
 *
 * Between take and give the fiber's deadline is at most LINK_TIMEOUT_MS away, so a cluster that hangs costs an error, never a request.
 * A fiber that something guards (db_guard) holds that before it gets a session: what it does there is an effect that MetaDB cannot take back.
 * Loop thread only, from fibers. */
#ifndef OBCLUSTER_LINK_H
#define OBCLUSTER_LINK_H

#include "src/store/obcluster.h"

struct link;
struct obclusters;

enum {
    LINK_TIMEOUT_MS = 10000,     /* from link_take to link_give */
    LINK_CONNECT_TIMEOUT_MS = 5000,
    LINK_MAX = 4,                /* sessions of one loop to one cluster */
    LINK_IDLE_MS = 60000,
};

ERR_DECLARE(ERR_OBCLUSTER_AWAY);     /* 11101 {0} cluster, {1} why: it cannot be reached; nothing lasting can have happened; HTTP 503 */
ERR_DECLARE(ERR_OBCLUSTER_PASSWORD); /* 11100 {0} cluster, {1} user: the password kept here is refused, and what to do; HTTP 503 */
ERR_DECLARE(ERR_OBCLUSTER_TIMEOUT);  /* 11102 {0} cluster: it took the question but did not answer in time; HTTP 504 */
ERR_DECLARE(ERR_OBCLUSTER_UNKNOWN);  /* {0} cluster, {1} why: whether the change took effect is not known: look before repeating; HTTP 504 */
ERR_DECLARE(ERR_OBCLUSTER_REFUSED);  /* 11080 {0} cluster, {1} its text: it refused the statement; err.lib_code keeps its number */
extern const struct err_row *const link_err_rows[];

/* A live session to `c` (a row just read: its addresses and sealed password count), to the server where it was taken over, or else to another one
 * that serves (endpoint.h). Waits in line when all are in use. After a failure
 * to connect the next tries of this loop within a second get the same answer at once.
 * Errors: OBCLUSTER_AWAY, OBCLUSTER_PASSWORD, OBCLUSTER_TIMEOUT, BUSY, CANCELLED, NOMEM, VAULT_OPEN. */
MUST_CHECK int link_take(struct obclusters *o, const struct obcluster *c, struct link **out, struct err *e);
struct sql *link_sql(struct link *k);
/* Gives it back. `rv` and `e` are how its use ended: failures of the session are worded anew, naming the cluster (the rows above); what
 * statements of the domain returned otherwise stays. Returns the code to go on with. */
int link_give(struct link *k, int rv, struct err *e);

typedef int (*link_work)(struct sql *s, void *data, struct err *e);
/* Runs `work` on a session of its own to one server of the cluster, which listens at host:port. Errors: as link_take without BUSY, those of
 * the work, worded as by link_give. */
MUST_CHECK int link_run_at(struct obclusters *o, const struct obcluster *c, const char *host, int64_t port, link_work work, void *data,
                           struct err *e);

/* --- inside a tenant ----------------------------------------------------------------------------------------------------------- */

ERR_DECLARE(ERR_OBTENANT_GONE);      /* 15024 {0} tenant, {1} cluster: it was dropped, or is elsewhere by now */
ERR_DECLARE(ERR_OBTENANT_CLOSED);    /* 15025 {0} tenant, {1} cluster, {2} why it lets nobody in, and what to do */
ERR_DECLARE(ERR_OBTENANT_PASSWORD);  /* 15100 {0} tenant, {1} user, {2} id of the cluster, {3} of the tenant: no password known here opens it */

enum { LINK_KEPT = 0 };              /* owner of a password that is kept here for all */
/* Whose session it is to be. */
struct link_tenant {
    int64_t id, ob_tenant_id;        /* ours, and the kernel's */
    const char *user;                /* its administrator: root, SYS */
    const char *password;            /* in clear; borrowed */
    int64_t owner_id;                /* LINK_KEPT, or the user in whose password box it is: his sessions are nobody else's */
    int64_t version;                 /* grows with the password */
};
/* A live session to the tenant, on a server where it has a unit; which, the cluster says. Pooled, given back and limited as those above, and
 * never taken while holding another. Errors: as link_take, OBTENANT_PASSWORD, OBTENANT_CLOSED,
 * OBTENANT_GONE. */
MUST_CHECK int link_take_tenant(struct obclusters *o, const struct obcluster *c, const struct link_tenant *t, struct link **out,
                                struct err *e);
/* One of its own, to be closed by the caller. Errors: as link_take_tenant. */
MUST_CHECK int link_open_tenant(struct obclusters *o, const struct obcluster *c, const struct link_tenant *t, struct sql **out,
                                struct err *e);

/* Closes this loop's idle sessions to a cluster that is no longer managed. */
void link_forget(struct obclusters *o, int64_t cluster_id);

struct link_stats {
    unsigned clusters, sessions, idle, waiting;
    uint64_t connects, failures;
};
/* Of the running loop. */
struct link_stats link_stats(struct obclusters *o);

#endif
