/* SPDX-License-Identifier: Apache-2.0 */
/* What a host is left with that was away for more than a year: its agent's certificate, of the right authority, has ended. */
#include "tests/flows/certificate.h"

#include <string.h>

#include "src/host/inside.h"
#include "src/io/authority.h"
#include "src/proto/agent.h"
#include "src/store/ocpcluster.h"
#include "src/task/domains.h"

static const struct vault_place place = { "ocp_cluster", 1, "authority" }; /* as src/node/authority.c seals it */

int ended_certificate(struct db *d, const struct hosts *h, int64_t host, struct arena *arena, const char **out, struct err *e)
{
    struct identity authority = { .key = NULL }, ended = { .key = NULL };
    struct ocpcluster *cluster = NULL;
    char uri[AGENT_URI_SIZE];
    int rv = store_ocpcluster_find(d, arena, &cluster, e);

    if (rv == 0)
        rv = vault_open(h->conf.vault, &place, cluster->authority_key, &authority.key, e);
    if (rv != 0)
        return rv;
    authority.certificate = arena_strdup(arena, cluster->authority);
    rv = authority.certificate != NULL ? authority_issue(&authority, agent_uri(cluster->cluster, host, uri), 0, arena, &ended, e)
                                       : err_set(e, &ERR_NOMEM, "");
    secret_free(authority.key);
    if (rv != 0)
        return rv;
    *out = arena_printf(arena, "%s%s", ended.certificate, ended.key);
    return *out != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}
