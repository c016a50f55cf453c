/* SPDX-License-Identifier: Apache-2.0 */
#include "src/configurl/proxy.h"

#include <openssl/evp.h>
#include <string.h>

/* A proxy wants each of these to be a text that is not empty; it uses none where it is given clusters. */
static void add_service(struct str *t, const struct config_list *l)
{
    struct str url;

    str_init(&url, NULL);
    str_printf(&url, "%s/client?Action=GetObProxy", l->base);
    str_add(t, "{\"ObProxyBinUrl\":");
    json_add_string(t, str_c(&url));
    str_clear(&url);
    str_printf(&url, "%s/services?Action=ObRootServiceInfo&User_ID=alibaba&UID=admin&ObRegion=obdv1", l->base);
    str_add(t, ",\"ObProxyDatabaseInfo\":{\"DataBase\":\"***\",\"MetaDataBase\":");
    json_add_string(t, str_c(&url));
    str_add(t, ",\"Password\":\"***\",\"User\":\"***\"}");
    t->failed |= str_failed(&url);
    str_fini(&url);
}

/* Names are made of characters that mean nothing in a URL (config_name_problem). */
static void add_url(struct str *t, const struct config_list *l, const char *rest)
{
    struct str url;

    str_init(&url, NULL);
    str_printf(&url, "%s/services?Action=ObRootServiceInfo%s", l->base, rest);
    json_add_string(t, str_c(&url));
    t->failed |= str_failed(&url);
    str_fini(&url);
}

/* Calls add(name) once for each name. */
static void each_name(struct str *t, const struct config_list *l, void (*add)(struct str *t, const struct config_list *l, const char *name))
{
    str_add_c(t, '[');
    for (size_t i = 0; i < l->n; i++) {
        const char *name = l->records[i].name;

        if ((i > 0 && strcmp(name, l->records[i - 1].name) == 0) || (l->group != NULL && strcmp(name, l->group) != 0))
            continue;
        json_add_comma(t);
        add(t, l, name);
    }
    str_add_c(t, ']');
}

static bool add_md5(struct str *t, struct slice of)
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned n = 0;

    if (EVP_Digest(of.s, of.n, md, &n, EVP_md5(), NULL) != 1)
        return false;
    str_add_c(t, '"');
    str_add_hex(t, md, n);
    str_add_c(t, '"');
    return true;
}

/* `text` is the whole object without its end: its digest becomes the version. */
static bool add_versioned(struct str *t, struct str *text, bool version_only)
{
    bool ok;

    t->failed |= str_failed(text);
    if (version_only)
        str_add_c(t, '{');
    else
        str_add_n(t, str_c(text), text->n);
    json_add_key(t, "Version");
    ok = add_md5(t, (struct slice){ str_c(text), text->n });
    str_add_c(t, '}');
    str_fini(text);
    return ok;
}

static void add_cluster(struct str *t, const struct config_list *l, const char *name)
{
    struct str rest;

    str_init(&rest, NULL);
    str_printf(&rest, "&ObCluster=%s", name);
    str_add(t, "{\"ObRegion\":");
    json_add_string(t, name);
    str_add(t, ",\"ObRootServiceInfoUrl\":");
    add_url(t, l, str_c(&rest));
    str_add_c(t, '}');
    t->failed |= str_failed(&rest);
    str_fini(&rest);
}

bool config_write_proxy(struct str *t, const struct config_list *l)
{
    struct str text;

    str_init(&text, NULL);
    add_service(&text, l);
    json_add_key(&text, "ObRootServiceInfoUrlList");
    each_name(&text, l, add_cluster);
    return add_versioned(t, &text, l->version_only);
}

static void add_name(struct str *t, const struct config_list *l, const char *name)
{
    (void)l;
    json_add_string(t, name);
}

bool config_write_template(struct str *t, const struct config_list *l)
{
    struct str text, tenants;

    str_init(&text, NULL);
    add_service(&text, l);
    json_add_key(&text, "ObClusterList");
    each_name(&text, l, add_name);
    json_add_key(&text, "ObRootServiceInfoUrlTemplate");
    add_url(&text, l, "&ObRegion=${ObRegion}");
    json_add_key(&text, "ObRootServiceInfoUrlTemplateV2");
    add_url(&text, l, "&version=2&ObCluster=${ObCluster}&ObClusterId=${OBClusterId}"); /* spelt so by those who read it */
    str_init(&tenants, NULL);
    str_printf(&tenants, "%s/services?Action=GetTenantInfo", l->base);
    json_add_key(&text, "GetTenantInfoUrl"); /* a proxy appends &ServiceNames=s1,s2 */
    json_add_string(&text, str_c(&tenants));
    text.failed |= str_failed(&tenants);
    str_fini(&tenants);
    return add_versioned(t, &text, l->version_only);
}

/* Here a tenant stands for itself alone: which tenants of other clusters stand in for it is not said. */
static void add_tenant(struct str *t, const struct config_tenant *one)
{
    const char *names[] = { "ldg", "ob" };

    for (unsigned i = 0; i < 2; i++) {
        str_printf(t, "%s\"%sCluster\":", i == 0 ? "{" : ",\"obInstanceList\":[{", names[i]);
        json_add_string(t, one->cluster);
        str_printf(t, ",\"%sClusterId\":%lld,\"%sTenant\":", names[i], (long long)one->ob_cluster_id, names[i]);
        json_add_string(t, one->name);
        str_printf(t, ",\"%sTenantId\":%lld,\"%sDatabase\":\"*\",\"%sDatabaseId\":0", names[i], (long long)one->ob_tenant_id, names[i],
                   names[i]);
    }
    str_printf(t, ",\"role\":\"LDG %s\",\"rootserver\":\"\"}]}", one->role);
}

static bool add_tenants_of(struct str *t, const char *cluster, const struct config_tenant *tenants, size_t n)
{
    struct str list;
    bool ok;

    str_init(&list, NULL);
    str_add_c(&list, '[');
    for (size_t i = 0; i < n; i++) {
        if (strcmp(tenants[i].cluster, cluster) != 0)
            continue;
        json_add_comma(&list);
        add_tenant(&list, &tenants[i]);
    }
    str_add_c(&list, ']');
    json_add_key(t, cluster);
    str_add(t, "{\"version\":");
    ok = add_md5(t, (struct slice){ str_c(&list), list.n });
    str_printf(t, ",\"tenantList\":%s}", str_c(&list));
    t->failed |= str_failed(&list);
    str_fini(&list);
    return ok;
}

bool config_write_tenants(struct str *t, struct field_strings names, const struct config_tenant *tenants, size_t n)
{
    struct str text;
    bool ok = true;

    str_init(&text, NULL);
    str_add(&text, "{\"cluster\":{");
    for (size_t i = 0; i < names.n; i++)
        ok &= add_tenants_of(&text, names.items[i], tenants, n);
    str_add_c(&text, '}');
    return add_versioned(t, &text, false) && ok;
}

/* Proxies want the digest and the name before the list. */
static bool add_service_tenants(struct str *t, const struct config_service *list, size_t n)
{
    struct str tenants;
    bool ok;

    str_init(&tenants, NULL);
    str_add_c(&tenants, '[');
    for (size_t i = 0; i < n; i++) {
        json_add_comma(&tenants);
        str_add(&tenants, "{\"clusterName\":");
        json_add_string(&tenants, list[i].tenant.cluster);
        str_add(&tenants, ",\"tenantName\":");
        json_add_string(&tenants, list[i].tenant.name);
        str_printf(&tenants, ",\"tenantId\":%lld,\"role\":\"%s\"}", (long long)list[i].tenant.ob_tenant_id, list[i].tenant.role);
    }
    str_add_c(&tenants, ']');
    json_add_comma(t);
    str_add(t, "{\"md5\":");
    ok = add_md5(t, (struct slice){ str_c(&tenants), tenants.n });
    str_add(t, ",\"serviceName\":");
    json_add_string(t, list[0].service);
    str_printf(t, ",\"tenantInfoList\":%s}", str_c(&tenants));
    t->failed |= str_failed(&tenants);
    str_fini(&tenants);
    return ok;
}

bool config_write_services(struct str *t, const struct config_service *list, size_t n)
{
    bool ok = true;

    str_add(t, "{\"serviceNameData\":[");
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && strcmp(list[end].service, list[i].service) == 0; end++) {
        }
        ok &= add_service_tenants(t, list + i, end - i);
    }
    str_add(t, "]}");
    return ok;
}
