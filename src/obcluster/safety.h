/* SPDX-License-Identifier: Apache-2.0 */
/* safety.h - may these servers be stopped now, this zone be deleted, that server be replaced? Decided on what the cluster has just said of its
 * zones, servers and log streams, before anything is asked of it. Pure but for
 * what has "read" or "ask" in its name.
 *
 *   stopping  every log stream keeps a majority of its voting members, in step with its leader, on servers that stay
 *             nothing of another zone is stopped or away, and another zone stays that serves
 *   deleting  the zone's other servers that serve (or no server at all) hold its units; a zone is stopped and empty first
 */
#ifndef OBCLUSTER_SAFETY_H
#define OBCLUSTER_SAFETY_H

#include "src/oceanbase/cluster_admin.h"

ERR_DECLARE(ERR_SAFETY_MAJORITY);  /* 11070 {0} what is to be stopped, {1} tenant, {2} log stream */
ERR_DECLARE(ERR_SAFETY_ZONES);     /* 11071 {0} number of zones: restarting one after the other needs three */
ERR_DECLARE(ERR_SAFETY_OTHER);     /* 12004 {0} what is to be stopped, {1} what of another zone is stopped or away */
ERR_DECLARE(ERR_SAFETY_LAST);      /* 12006 {0} zone: the last that serves */
ERR_DECLARE(ERR_SAFETY_UNITS);     /* 12007 {0} zone, {1} number of units there */
ERR_DECLARE(ERR_SAFETY_FEWER);     /* 13010 {0} zone, {1} servers that would be left, {2} units of a pool in each zone */
ERR_DECLARE(ERR_SAFETY_LAST_SERVER); /* 13011 {0} server, {1} zone */
extern const struct err_row *const safety_err_rows[];

struct safety_zone {
    const char *name;
    bool active;
};
struct safety_server {
    const char *address, *zone;      /* "10.0.0.1:2882" */
    bool alive, stopped;             /* ACTIVE; by STOP SERVER */
};
struct safety_view {
    const struct safety_zone *zones;
    const struct safety_server *servers;
    const struct ob_replica *replicas;
    size_t n_zones, n_servers, n_replicas;
};

/* What the cluster says now; four statements. Errors: those of sql_run, NOMEM. */
MUST_CHECK int safety_view_read(struct sql *s, struct arena *arena, struct safety_view *out, struct err *e);

/* What is to be stopped: a zone with all its servers (servers NULL), or some servers of one zone. */
struct safety_set {
    const char *zone;
    const char *const *servers;      /* addresses */
    size_t n_servers;
};
/* Of how many log streams it is the leader. */
size_t safety_leads(const struct safety_view *v, const struct safety_set *what);
/* Is all of it stopped already? */
bool safety_is_stopped(const struct safety_view *v, const struct safety_set *what);
/* Errors: SAFETY_OTHER, SAFETY_LAST, SAFETY_MAJORITY. */
MUST_CHECK int safety_may_stop(const struct safety_view *v, const struct safety_set *what, struct err *e);
/* One zone after the other, now. Errors: SAFETY_ZONES, those of safety_may_stop for some zone. */
MUST_CHECK int safety_may_roll(const struct safety_view *v, struct err *e);

/* A unit of a resource pool in a zone. */
struct safety_pool {
    const char *zone;
    int64_t units_per_zone;          /* unit number of the pool */
};
/* How many units of tenants are in the zone. */
int64_t safety_units(const struct safety_pool *pools, size_t n_pools, const char *zone);
/* These servers of a zone leave it for good. Errors: SAFETY_LAST_SERVER, SAFETY_FEWER. */
MUST_CHECK int safety_may_delete(const struct safety_view *v, const struct safety_pool *pools, size_t n_pools, const struct safety_set *what,
                                 struct err *e);
/* The zone leaves with its servers. Errors: SAFETY_LAST, SAFETY_UNITS, those of safety_may_stop. */
MUST_CHECK int safety_may_delete_zone(const struct safety_view *v, int64_t n_units, const char *zone, struct err *e);

/* ---- asked of the cluster, at once before it is told to: between an earlier answer and a step much may have happened ---- */

/* One for each unit; one statement. Errors: those of sql_run, NOMEM. */
MUST_CHECK int safety_pools_read(struct sql *s, struct arena *arena, struct safety_pool **out, size_t *n, struct err *e);
/* May it be stopped? What is stopped already may. Errors: those of safety_view_read, of safety_may_stop. */
MUST_CHECK int safety_ask_stop(struct sql *s, const struct safety_set *what, struct arena *arena, struct err *e);
/* May these servers leave? From a zone without units all may. Errors: those of safety_view_read, of safety_may_delete. */
MUST_CHECK int safety_ask_delete(struct sql *s, const struct safety_set *what, struct arena *arena, struct err *e);

#endif
