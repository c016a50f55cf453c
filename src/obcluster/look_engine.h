/* SPDX-License-Identifier: Apache-2.0 */
/* look_engine.h - how each kind of kernel is looked at. */
#ifndef OBCLUSTER_LOOK_ENGINE_H
#define OBCLUSTER_LOOK_ENGINE_H

#include "src/obcluster/look.h"

/* One row per engine. */
struct look_engine {
    const char *name;                  /* as in struct obcluster: one of ob_engine_names */
    int (*look)(struct sql *s, const struct obcluster *c, struct arena *arena, struct look *out, struct err *e);
};
extern const struct look_engine look_seekdb, look_oceanbase;

/* Sets instance and ob_cluster_id. Errors: OBCLUSTER_OTHER, NOMEM. */
MUST_CHECK int look_take_identity(const struct ob_probe *p, const struct obcluster *c, struct arena *arena, struct look *out, struct err *e);
/* The address at which a server is reached that knows itself as `ip`: what the cluster was taken over at, when it is the only server, knows
 * itself as the loopback address, and that is not where it was found. Pure. */
const char *look_address(const char *ip, size_t n_servers, const struct obcluster *c);
/* Appends ",10.0.0.1:2881" to `text`, with a "-" when the server does not serve. */
void look_add_endpoint(struct str *text, const char *ip, int64_t sql_port, bool serves);

#endif
