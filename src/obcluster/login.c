/* SPDX-License-Identifier: Apache-2.0 */
#include "src/obcluster/inside.h"
#include "src/vault/credential.h"

const char *obcluster_login_name(const char *cluster_name, struct arena *arena)
{
    return arena_printf(arena, "root@sys#%s", cluster_name);
}

int obcluster_save_login(struct obclusters *o, struct db *d, const char *cluster_name, const char *password, int64_t user_id,
                         struct arena *arena, struct err *e)
{
    struct credential_context c = { d, o->conf.vault, o->conf.connect_pool };
    struct credential_spec spec = {
        .target = CREDENTIAL_OB,
        .name = obcluster_login_name(cluster_name, arena),
        .kind = CREDENTIAL_PASSWORD,
        .username = "root",
        .passphrase = password,
        .cluster_name = cluster_name,
        .tenant_name = "sys",
    };

    if (spec.name == NULL)
        return err_set(e, &ERR_NOMEM, "");
    return credential_save(&c, user_id, &spec, arena, e);
}
