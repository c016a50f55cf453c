/* SPDX-License-Identifier: Apache-2.0 */
/* place.h - where units and replicas lie: which server takes a unit, which log streams a tenant has, who leads them, and whether a server
 * or a zone may stop. Used by statements and by steps. */
#ifndef OBSIM_PLACE_H
#define OBSIM_PLACE_H

#include "tests/obsim/state.h"

/* Errors of this module: a number and a text for the client. */
struct place_error {
    int number;
    char text[512];
};

/* --- units ------------------------------------------------------------------------------------------------------------------- */

/* Makes `n` units of the pool in the zone, each on a server of its own with room for it. Nothing is made on failure.
 * Errors: 4733 a server has too little left, 4734 there are too few servers. */
bool place_units(struct sim_cluster *c, struct sim_pool *pool, const char *zone, int n, struct place_error *e);
/* Has the server room for a unit of this size, and no unit of the same pool or tenant? `why`: what is short (MEMORY, CPU, LOG_DISK). */
bool place_fits(struct sim_cluster *c, const struct sim_server *s, const struct sim_pool *pool, const char **why);
/* Would it still fit when the config became `wanted`? Errors: 4733. */
bool place_config_fits(struct sim_cluster *c, const struct sim_unit_config *old, const struct sim_unit_config *wanted, struct place_error *e);
/* Where a unit that has to leave its server can go. NULL: nowhere. */
struct sim_server *place_refuge(struct sim_cluster *c, const struct sim_unit *u);
/* Sends a unit on its way, with a job of DBA_OB_UNIT_JOBS. */
void place_move(struct sim_cluster *c, struct sim_unit *u, struct sim_server *to, bool is_manual, struct slice sql);
void place_remove_units(struct sim_cluster *c, int64_t pool_id, const char *zone); /* zone NULL: all of the pool */

/* --- tenants ------------------------------------------------------------------------------------------------------------------ */

struct sim_pool *place_pool_of(struct sim_cluster *c, int64_t tenant_id, const char *zone);
/* Gives the pool's units to the tenant: numbers them into its unit groups. */
void place_grant(struct sim_cluster *c, struct sim_pool *pool, struct sim_tenant *t);
void place_revoke(struct sim_cluster *c, struct sim_pool *pool);
/* Makes the tenant's log streams (and those of its meta tenant) what its units and its locality ask for, leaders included. */
void place_streams(struct sim_cluster *c, struct sim_tenant *t);
/* Notices who is alive, and moves leaders to where primary zones want them among those that serve. */
void place_leaders(struct sim_cluster *c);
/* Is `zone` part of this locality ("FULL{1}@zone1, READONLY{1}@zone2")? Its replica type, else 0. */
char place_locality_type(const char *locality, const char *zone);
/* "F@z1,R@z2" as the kernel prints it. False: not a locality. At most 32 zones. */
bool place_locality_read(struct slice text, struct str *out);
/* Rank of a zone in "z1;z2,z3": 0 is first; RANDOM, "": all 0. Zones that are not named come last. */
int place_zone_rank(const char *primary_zone, const char *zone);

/* --- stopping ----------------------------------------------------------------------------------------------------------------- */

enum place_stop { PLACE_STOP, PLACE_FORCE_STOP, PLACE_ISOLATE };
/* May these servers stop (or, when `zone` is not NULL, the whole zone)? Errors: 4660, 4179. */
bool place_may_stop(struct sim_cluster *c, struct sim_server *const *servers, size_t n, const char *zone, enum place_stop how,
                    struct place_error *e);

#endif
