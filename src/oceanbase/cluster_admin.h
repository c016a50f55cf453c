/* SPDX-License-Identifier: Apache-2.0 */
/* cluster_admin.h - statements that change a cluster of OceanBase as a whole: founding it, its servers and zones. Each looks whether the wanted
 * state is there already, acts if not, and looks again, so that it may be repeated after any end. Only their callers know when waiting is over,
 * so none waits for what the kernel does afterwards (units that move, servers that start): they ask by ob_member_get and ob_zone_get.
 * All run in the tenant sys, on sessions made known to the task (a change) or any (a look). Errors: those of sql_run, NOMEM, and those named. */
#ifndef OCEANBASE_CLUSTER_ADMIN_H
#define OCEANBASE_CLUSTER_ADMIN_H

#include "src/io/addr.h"
#include "src/io/sql.h"

ERR_DECLARE(ERR_OB_MEMBER_GONE);    /* {0} address: no server of the cluster */
ERR_DECLARE(ERR_OB_MEMBER_ZONE);    /* {0} address, {1} zone it is in, {2} zone it was wanted in */
ERR_DECLARE(ERR_OB_MEMBER_LEAVING); /* {0} address: it is being deleted */
ERR_DECLARE(ERR_OB_ZONE_GONE);      /* {0} name: the cluster has no such zone */
ERR_DECLARE(ERR_OB_UNVERIFIED);     /* {0} what was done: accepted, yet not to be seen */
extern const struct err_row *const ob_cluster_admin_err_rows[];

/* ---- founding ---- */

/* Is there a cluster, or only a server that waits for one? */
MUST_CHECK int ob_is_bootstrapped(struct sql *s, bool *yes, struct err *e);
struct ob_founder {
    const char *zone, *region;
    const char *address;             /* "10.0.0.1:2882", "[::1]:2882": RPC */
};
enum { OB_BOOTSTRAP_MS = 1000000 };  /* the server gives up after so long; the fiber's deadline is the caller's */
/* One server of each zone becomes the cluster. Nothing when there is one. */
MUST_CHECK int ob_bootstrap(struct sql *s, const struct ob_founder *founders, size_t n, struct err *e);

/* ---- servers ---- */

struct ob_member {
    const char *zone, *status;       /* ACTIVE, INACTIVE, DELETING */
    int64_t sql_port, start_us, stop_us; /* times: -1: none; start: serves since, stop: stopped since */
    const char *build_version;
};
/* *found: the cluster has this server. */
MUST_CHECK int ob_member_get(struct sql *s, const char *address, struct arena *arena, struct ob_member *out, bool *found, struct err *e);
bool ob_member_serves(const struct ob_member *m); /* ACTIVE, started, not stopped */

enum ob_member_order { OB_MEMBER_START, OB_MEMBER_STOP, OB_MEMBER_FORCE_STOP, OB_MEMBER_DELETE, OB_MEMBER_CANCEL_DELETE };
/* Errors: OB_MEMBER_ZONE, OB_MEMBER_LEAVING, OB_UNVERIFIED. */
MUST_CHECK int ob_member_add(struct sql *s, const char *address, const char *zone, struct err *e);
/* A deleted server is gone when ob_member_get says so. Errors: OB_MEMBER_GONE (not of DELETE), OB_UNVERIFIED. */
MUST_CHECK int ob_member_change(struct sql *s, enum ob_member_order order, const char *address, struct err *e);
/* How many units are there, or are leaving it. */
MUST_CHECK int ob_member_units(struct sql *s, const char *address, int64_t *n, struct err *e);
/* How many log streams it leads. */
MUST_CHECK int ob_member_leads(struct sql *s, const char *address, int64_t *n, struct err *e);
/* Writes what is in memory to disk, so that it starts sooner; it goes on in the background. */
MUST_CHECK int ob_minor_freeze(struct sql *s, const char *address, struct err *e);

/* Units of a server that are to go to another one, each at most once at a time. *left: how many are not there yet. */
MUST_CHECK int ob_units_move(struct sql *s, const char *from, const char *to, struct arena *arena, int64_t *left, struct err *e);

/* ---- zones ---- */

struct ob_zone_state {
    const char *status, *region, *idc; /* ACTIVE, INACTIVE */
    int64_t n_servers;
};
MUST_CHECK int ob_zone_get(struct sql *s, const char *zone, struct arena *arena, struct ob_zone_state *out, bool *found, struct err *e);
MUST_CHECK int ob_zone_add(struct sql *s, const char *zone, const char *region, const char *idc, struct err *e);
/* Region and IDC, where they are given (not "") and differ. */
MUST_CHECK int ob_zone_place(struct sql *s, const char *zone, const char *region, const char *idc, struct err *e);
enum ob_zone_order { OB_ZONE_START, OB_ZONE_STOP, OB_ZONE_FORCE_STOP, OB_ZONE_DELETE };
/* Errors: OB_ZONE_GONE (not of DELETE), OB_UNVERIFIED. */
MUST_CHECK int ob_zone_change(struct sql *s, enum ob_zone_order order, const char *zone, struct err *e);

/* ---- log streams: what may be stopped (src/obcluster/safety.h) ---- */

struct ob_replica {
    int64_t tenant_id, ls_id;
    const char *ip, *zone;
    int64_t port;
    bool leads, in_sync;
    int64_t paxos_replicas;          /* members that vote, by the configuration of the stream */
};
MUST_CHECK int ob_replicas_list(struct sql *s, struct arena *arena, struct ob_replica **out, size_t *n, struct err *e);

/* "10.0.0.1" and 2882 -> "10.0.0.1:2882"; an IPv6 address in brackets. NULL when memory is out. Pure. */
const char *ob_address(const char *ip, int64_t port, struct arena *arena);

#endif
