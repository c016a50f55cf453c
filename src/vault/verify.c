/* SPDX-License-Identifier: Apache-2.0 */
#include "src/vault/verify.h"

#include <string.h>

#include "src/io/fiber.h"
#include "src/io/sql.h"
#include "src/store/obcluster.h"

ERR_DEFINE(ERR_CREDENTIAL_UNVERIFIED, 8100, 400, ERR_FINAL, "The credential could not be verified: {0}.", "凭据校验失败：{0}。");
ERR_DEFINE(ERR_CREDENTIAL_KEY_FORMAT, 8104, 400, ERR_FINAL,
           "The private key has an unsupported format. Give the whole text of a PEM or OpenSSH private key.",
           "不支持的 SSH 私钥格式，请提供完整的 PEM 或 OpenSSH 私钥内容。");

enum { CONNECT_MS = 5000 };

static int unverified(struct err *e, const char *reason)
{
    return err_set(e, &ERR_CREDENTIAL_UNVERIFIED, "%s", reason);
}

/* The armour of PEM (RFC 7468) and OpenSSH; the key itself is read when it is used. */
static bool is_private_key(const char *text)
{
    static const char begin[] = "-----BEGIN ", middle[] = "PRIVATE KEY-----", end[] = "-----END ";
    const char *line_end;

    text += strspn(text, " \t\r\n");
    line_end = strchr(text, '\n');
    if (strncmp(text, begin, sizeof begin - 1) != 0 || line_end == NULL)
        return false;
    text = strstr(text, middle);
    return text != NULL && text < line_end && strstr(line_end, end) != NULL;
}

static int verify_host(const struct credential_view *v, const char *passphrase, struct err *e)
{
    if (v->kind == CREDENTIAL_PRIVATE_KEY && !is_private_key(passphrase))
        return err_set(e, &ERR_CREDENTIAL_KEY_FORMAT, "");
    if (v->n_host_ids == 0)
        return 0;
    return unverified(e, "this server has no SSH client to try it with; store it with validate false, or without hosts");
}

/* "root" of tenant sys is root@sys, behind a proxy root@sys#c1; a name that has its tenant already stays. */
static const char *login_name(const struct credential_view *v, const struct obcluster *cluster, struct arena *arena)
{
    const char *tenant = v->tenant_name != NULL && v->tenant_name[0] != '\0' ? v->tenant_name : "sys";

    if (strchr(v->username, '@') != NULL)
        return v->username;
    if (strcmp(cluster->connection_mode, "proxy") == 0)
        return arena_printf(arena, "%s@%s#%s", v->username, tenant, cluster->name);
    return arena_printf(arena, "%s@%s", v->username, tenant);
}

static int try_login(const struct credential_context *c, const struct sql_target *target, struct err *e)
{
    char text[ERR_TRAIL_SIZE + ERR_MAX_ARGS * ERR_ARG_SIZE];
    struct err why = { 0 };
    struct sql *s;
    int rv = sql_connect(target, c->connect_pool, &s, &why);

    if (rv == 0) {
        sql_close(s);
        return 0;
    }
    if (rv == ERR_CANCELLED.code || rv == ERR_NOMEM.code || rv == ERR_BUSY.code) {
        *e = why;
        return rv;
    }
    return unverified(e, err_text(&why, ERR_EN, text, sizeof text));
}

static int verify_ob(const struct credential_context *c, const struct credential_view *v, const char *passphrase, struct arena *arena,
                     struct err *e)
{
    struct obcluster *cluster = NULL;
    struct sql_target target = { .password = passphrase, .connect_timeout_ms = CONNECT_MS };
    int rv;

    if (v->cluster_name == NULL || v->cluster_name[0] == '\0')
        return unverified(e, "it names no cluster to try it at");
    rv = store_obcluster_find(c->db, NULL, 0, NULL, v->cluster_name, arena, &cluster, e);
    if (rv != 0)
        return rv;
    if (cluster == NULL)
        return unverified(e, "the cluster that it names is not managed here, so its address is unknown");
    target.host = cluster->address;
    target.port = (unsigned)cluster->port;
    target.user = login_name(v, cluster, arena);
    if (target.user == NULL)
        return err_set(e, &ERR_NOMEM, "");
    return try_login(c, &target, e);
}

int credential_verify(const struct credential_context *c, const struct credential_view *v, const char *passphrase, struct arena *arena,
                      struct err *e)
{
    if (v->target == CREDENTIAL_HOST)
        return verify_host(v, passphrase, e);
    if (v->target == CREDENTIAL_OB)
        return verify_ob(c, v, passphrase, arena, e);
    return unverified(e, "logins to OBProxy clusters cannot be tried, since none is managed here; store it with validate false");
}
