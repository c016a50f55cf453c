/* SPDX-License-Identifier: Apache-2.0 */
/* proxy.h - what OBProxies ask for besides the servers of one cluster: which clusters there are and under which URL each is found, and the tenants
 * that stand in for each other. Equal content has an equal version, other content another. Pure. */
#ifndef CONFIGURL_PROXY_H
#define CONFIGURL_PROXY_H

#include "src/store/configurl.h"

struct config_list {
    const char *base;                    /* URL of this service: "http://10.0.0.9:8080"; no slash at its end */
    const struct config_record *records; /* by name and number */
    size_t n;
    const char *group;                   /* only the cluster of this name; NULL: all */
    bool version_only;
};

/* GetObProxyConfig: {"ObProxyBinUrl":...,"ObRootServiceInfoUrlList":[...],"Version":"..."}. False when libcrypto has no MD5. */
MUST_CHECK bool config_write_proxy(struct str *t, const struct config_list *l);
/* GetObRootServiceInfoUrlTemplate: the names of the clusters, and one URL with a placeholder for all. */
MUST_CHECK bool config_write_template(struct str *t, const struct config_list *l);

/* LdgInstanceInfoBatchQuery: for each name what tenants it has, sorted by cluster. */
MUST_CHECK bool config_write_tenants(struct str *t, struct field_strings names, const struct config_tenant *tenants, size_t n);
/* GetTenantInfo: for each service name that there is its tenants, which are sorted by service. */
MUST_CHECK bool config_write_services(struct str *t, const struct config_service *list, size_t n);

#endif
