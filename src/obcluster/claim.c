/* SPDX-License-Identifier: Apache-2.0 */
#include "src/obcluster/claim.h"

#include <string.h>

#include "src/oceanbase/parameter.h"

ERR_DEFINE(ERR_TAKE_OVER_FOREIGN, 11051, 409, ERR_FINAL,
           "The cluster {0} is managed by another OCP ({1}): its config URL is {2}. Move it out there first; if that OCP is gone, clear the parameter: ALTER "
           "SYSTEM SET obconfig_url = ''.",
           "集群 {0} 已被其他 OCP（{1}）纳管，其 obconfig_url 为 {2}。请先在该 OCP 迁出集群；若该 OCP 已不存在，请执行 ALTER SYSTEM SET obconfig_url = '' 清除。");

const struct err_row *const claim_err_rows[] = { &ERR_TAKE_OVER_FOREIGN, NULL };

#define USER "&User_ID=ocp&UID="

const char *claim_url(const char *base, const char *ocp, const char *cluster, struct arena *arena)
{
    if (base == NULL)
        return NULL;
    return arena_printf(arena, "%s" CLAIM_PATH "Action=ObRootServiceInfo%s%s&ObCluster=%s", base, ocp[0] != '\0' ? USER : "", ocp, cluster);
}

const char *claim_of(const char *url, char id[OCPCLUSTER_HEX_SIZE])
{
    const char *at = strstr(url, USER);
    uint8_t bytes[OCPCLUSTER_ID_BYTES];

    id[0] = '\0';
    if (at == NULL || strlen(at) < sizeof USER - 1 + OCPCLUSTER_HEX_SIZE - 1)
        return id;
    memcpy(id, at + sizeof USER - 1, OCPCLUSTER_HEX_SIZE - 1);
    id[OCPCLUSTER_HEX_SIZE - 1] = '\0';
    if (!ocpcluster_unhex(id, bytes, sizeof bytes))
        id[0] = '\0';
    return id;
}

int claim_own(struct db *d, struct arena *arena, const char **out, struct err *e)
{
    struct ocpcluster *c = NULL;
    int rv = store_ocpcluster_find(d, arena, &c, e);

    *out = rv == 0 && c != NULL ? c->cluster : "";
    return rv;
}

int claim_read(struct sql *s, struct arena *arena, const char **url, struct err *e)
{
    struct ob_parameter *seen;
    size_t n;
    int rv = ob_cluster_parameter_get(s, "obconfig_url", arena, &seen, &n, e);

    *url = "";
    for (size_t i = 0; rv == 0 && i < n; i++)
        if (seen[i].value != NULL && seen[i].value[0] != '\0')
            *url = seen[i].value;
    return rv;
}

int claim_require(const char *url, const char *own, const char *cluster, struct err *e)
{
    char id[OCPCLUSTER_HEX_SIZE];

    if (claim_of(url, id)[0] == '\0' || own[0] == '\0' || strcmp(id, own) == 0)
        return 0;
    (void)err_set(e, &ERR_TAKE_OVER_FOREIGN, "%s", cluster);
    (void)err_arg(e, "%s", id);
    return err_arg(e, "%s", url);
}
