/* SPDX-License-Identifier: Apache-2.0 */
/* claim.h - whose a cluster is. Its parameter obconfig_url names the OCP that has given it, as the user of the URL, which its readers ignore:
 *
 *   http://ocp.example.com:8080/services?Action=ObRootServiceInfo&User_ID=ocp&UID=0123456789abcdef0123456789abcdef&ObCluster=c1
 *
 * So another OCP, with a MetaDB of its own, sees that the cluster is managed. A cluster without config URL is claimed by nobody. */
#ifndef OBCLUSTER_CLAIM_H
#define OBCLUSTER_CLAIM_H

#include "src/store/ocpcluster.h"

ERR_DECLARE(ERR_TAKE_OVER_FOREIGN);  /* 11051 {0} cluster, {1} id of the other OCP, {2} the config URL */
extern const struct err_row *const claim_err_rows[];

#define CLAIM_PATH "/services?"

/* NULL when memory is out, also before this call (`base` NULL). `ocp` "": claimed by nobody. */
const char *claim_url(const char *base, const char *ocp, const char *cluster, struct arena *arena);
/* Whose it is, 32 hex digits; "" when nobody's. Pure. Returns `id`. */
const char *claim_of(const char *url, char id[OCPCLUSTER_HEX_SIZE]);

/* The id of this OCP; "": it has none yet. Errors: those of db_read. */
MUST_CHECK int claim_own(struct db *d, struct arena *arena, const char **out, struct err *e);
/* The URL that the cluster has now, "" for none. Errors: those of sql_run. */
MUST_CHECK int claim_read(struct sql *s, struct arena *arena, const char **url, struct err *e);
/* Requires that it is claimed by nobody, or by `own`. Errors: TAKE_OVER_FOREIGN. */
MUST_CHECK int claim_require(const char *url, const char *own, const char *cluster, struct err *e);

#endif
