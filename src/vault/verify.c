/* SPDX-License-Identifier: Apache-2.0 */
#include "src/vault/verify.h"

#include <string.h>

#include "src/io/fiber.h"
#include "src/io/sql.h"
#include "src/io/ssh.h"
#include "src/store/host.h"
#include "src/store/obcluster.h"

ERR_DEFINE(ERR_CREDENTIAL_UNVERIFIED, 8100, 400, ERR_FINAL, "The credential could not be verified: {0}.", "凭据校验失败：{0}。");
ERR_DEFINE(ERR_CREDENTIAL_SUDO, 8103, 400, ERR_FINAL,
           "On the host {0} the user may not become root by sudo. Allow it in sudoers (with a private key: by NOPASSWD), or use a credential of root.",
           "主机 {0} 上该用户无法通过 sudo 获取 root 权限，请在 sudoers 中授权（使用私钥时需配置 NOPASSWD），或使用 root 凭据。");

enum { CONNECT_MS = 5000, HOST_MS = 15000, REASON_SIZE = 1024 };

static int unverified(struct err *e, const char *reason)
{
    return err_set(e, &ERR_CREDENTIAL_UNVERIFIED, "%s", reason);
}

/* Not the login failed, but trying it. */
static bool is_ours(int rv)
{
    return rv == ERR_CANCELLED.code || rv == ERR_NOMEM.code || rv == ERR_BUSY.code;
}

/* What went wrong at the login, as the reason of CREDENTIAL_UNVERIFIED; other errors as they are. */
static int as_unverified(int rv, const struct err *why, struct err *e)
{
    char text[REASON_SIZE], *end;
    size_t n;

    if (rv == 0 || is_ours(rv) || rv == ERR_SSH_KEY.code || rv == ERR_SSH_HOST_KEY.code) {
        if (rv != 0)
            *e = *why;
        return rv;
    }
    (void)err_text(why, ERR_EN, text, sizeof text);
    end = strstr(text, ". "); /* what helps is known to who is just trying */
    if (end != NULL)
        *end = '\0';
    for (n = strlen(text); n > 0 && text[n - 1] == '.'; n--)
        text[n - 1] = '\0';
    return unverified(e, text);
}

/* ---- hosts ----------------------------------------------------------------------------------------------------------- */

/* With and without a question for the password, as hosts are worked on later (src/host/shell.c). */
static const char *const sudo_silent[] = { "sudo", "-k", "-n", "--", "sh", "-c", "true", NULL };
static const char *const sudo_asking[] = { "sudo", "-k", "-S", "-p", "", "--", "sh", "-c", "true", NULL };

static int run_sudo(struct ssh_client *ssh, const char *const *argv, const char *password, struct arena *arena, bool *allowed, struct err *e)
{
    struct ssh_outcome out = { 0 };
    struct str typed;
    int rv = 0;

    str_init(&typed, NULL);
    if (password != NULL)
        str_printf(&typed, "%s\n", password);
    if (str_failed(&typed))
        rv = err_set(e, &ERR_NOMEM, "");
    else
        rv = ssh_client_run(ssh, &(struct ssh_command){ .argv = argv, .input = { typed.s, typed.n } }, arena, &out, e);
    if (typed.s != NULL)
        mem_wipe(typed.s, typed.space);
    str_fini(&typed);
    *allowed = rv == 0 && out.exit_status == 0;
    return rv;
}

/* Logs in, and asks for sudo unless it is root's. *allowed: it may become root. */
static int log_in(const struct credential_context *c, const struct ssh_login *login, struct arena *arena, char *fingerprint, bool *allowed,
                  struct err *e)
{
    struct ssh_client *ssh = NULL;
    int rv = ssh_client_open(c->long_pool, login, &ssh, fingerprint, e);

    *allowed = rv == 0 && strcmp(login->user, "root") == 0;
    if (rv == 0 && !*allowed)
        rv = run_sudo(ssh, sudo_silent, NULL, arena, allowed, e);
    if (rv == 0 && !*allowed && login->password != NULL)
        rv = run_sudo(ssh, sudo_asking, login->password, arena, allowed, e);
    ssh_client_close(ssh);
    return rv;
}

static int try_host(const struct credential_context *c, const struct credential_view *v, const char *passphrase, const struct host *h,
                    struct arena *arena, struct credential_attempt *a, struct err *e)
{
    bool with_key = v->kind == CREDENTIAL_PRIVATE_KEY, allowed = false;
    const struct ssh_login login = {
        .host = h->ip,
        .port = (unsigned)h->ssh_port,
        .user = v->username,
        .password = with_key ? NULL : passphrase,
        .private_key = with_key ? passphrase : NULL,
        .fingerprint = h->fingerprint[0] != '\0' ? h->fingerprint : NULL,
    };
    int64_t former = fiber_narrow_deadline(HOST_MS);
    char fingerprint[SSH_FINGERPRINT_SIZE];
    struct err why = { 0 };
    int rv = log_in(c, &login, arena, fingerprint, &allowed, &why);

    fiber_restore_deadline(former);
    a->fingerprint = fingerprint[0] != '\0' ? arena_strdup(arena, fingerprint) : NULL;
    if (rv == ERR_TIMEOUT.code)
        rv = err_set(&why, &ERR_CREDENTIAL_UNVERIFIED, "%s did not answer within %d s", h->ip, HOST_MS / 1000);
    if (rv == ERR_CREDENTIAL_UNVERIFIED.code) { /* worded above */
        *e = why;
        return rv;
    }
    rv = as_unverified(rv, &why, e);
    return rv == 0 && !allowed ? err_set(e, &ERR_CREDENTIAL_SUDO, "%s", h->ip) : rv;
}

static const struct host *find_host(const struct host *hosts, size_t n, int64_t id)
{
    for (size_t i = 0; i < n; i++) {
        if (hosts[i].id == id)
            return &hosts[i];
    }
    return NULL;
}

/* The hosts it names, in one question. */
static int read_hosts(const struct credential_context *c, const struct credential_view *v, struct arena *arena, struct host **out, size_t *n,
                      struct err *e)
{
    struct scope_item *items = arena_array(arena, v->n_host_ids, sizeof *items);
    struct scope some = { items, v->n_host_ids };
    struct host_filter f = { .scope = &some };

    if (items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < v->n_host_ids; i++)
        items[i] = (struct scope_item){ "HOST", v->host_ids[i], SCOPE_ANY };
    return store_host_list(c->db, &f, NULL, arena, out, n, NULL, e);
}

static int try_hosts(const struct credential_context *c, const struct credential_view *v, const char *passphrase, bool first_failure,
                     struct arena *arena, struct credential_attempt *out, size_t *n, struct err *e)
{
    struct host *hosts = NULL;
    size_t n_hosts = 0;
    int rv = v->n_host_ids > 0 ? read_hosts(c, v, arena, &hosts, &n_hosts, e) : 0;
    bool failed = false;

    for (size_t i = 0; rv == 0 && i < v->n_host_ids && !(failed && first_failure); i++) {
        const struct host *h = find_host(hosts, n_hosts, v->host_ids[i]);
        struct credential_attempt *a = &out[(*n)++];
        int one;

        a->host_id = v->host_ids[i];
        a->where = h != NULL ? h->ip : "";
        one = h != NULL ? try_host(c, v, passphrase, h, arena, a, &a->why)
                        : err_set(&a->why, &ERR_CREDENTIAL_UNVERIFIED, "there is no host %lld", (long long)a->host_id);
        a->valid = one == 0;
        failed = one != 0;
        if (is_ours(one)) {
            *e = a->why;
            rv = one;
        }
    }
    return rv;
}

/* ---- OceanBase and OBProxy ------------------------------------------------------------------------------------------- */

/* "root" of tenant sys is root@sys, behind a proxy root@sys#c1; a name that has its tenant already stays. */
static const char *login_name(const struct credential_view *v, const struct obcluster *cluster, struct arena *arena)
{
    const char *tenant = v->tenant_name != NULL && v->tenant_name[0] != '\0' ? v->tenant_name : "sys";

    if (strchr(v->username, '@') != NULL)
        return v->username;
    if (v->target == CREDENTIAL_OBPROXY)
        return arena_printf(arena, "%s@proxysys", v->username);
    if (cluster != NULL && strcmp(cluster->connection_mode, "proxy") == 0)
        return arena_printf(arena, "%s@%s#%s", v->username, tenant, cluster->name);
    return arena_printf(arena, "%s@%s", v->username, tenant);
}

static int try_login(const struct credential_context *c, const struct sql_target *target, bool is_proxy, struct err *e)
{
    struct err why = { 0 };
    struct sql *s;
    int rv = sql_connect(target, c->connect_pool, &s, &why);

    if (rv == 0) {
        sql_close(s);
        return 0;
    }
    /* root@proxysys is let in, but is asked nothing that a database would answer */
    if (is_proxy && rv == ERR_SQL_FAILED.code)
        return 0;
    return as_unverified(rv, &why, e);
}

static bool is_given(const char *s)
{
    return s != NULL && s[0] != '\0';
}

/* Where to try it: the address that it names, or that of its managed cluster. */
static int find_place(const struct credential_context *c, const struct credential_view *v, struct arena *arena, struct sql_target *target,
                      struct credential_attempt *a, struct err *e)
{
    struct obcluster *cluster = NULL;
    int rv = 0;

    a->where = is_given(v->address) ? v->address : v->cluster_name;
    if (!is_given(v->address) && v->target == CREDENTIAL_OBPROXY)
        return unverified(e, "it names no address of an OBProxy to try it at");
    if (!is_given(v->address) && !is_given(v->cluster_name))
        return unverified(e, "it names neither a cluster nor an address to try it at");
    if (v->target == CREDENTIAL_OB && is_given(v->cluster_name))
        rv = store_obcluster_find(c->db, NULL, 0, NULL, v->cluster_name, arena, &cluster, e);
    if (rv != 0)
        return rv;
    if (!is_given(v->address) && cluster == NULL)
        return unverified(e, "the cluster that it names is not managed here, so its address is unknown");
    target->host = is_given(v->address) ? v->address : cluster->address;
    target->port = (unsigned)(is_given(v->address) ? v->port : cluster->port);
    target->user = login_name(v, is_given(v->address) ? NULL : cluster, arena);
    return target->user != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int try_database(const struct credential_context *c, const struct credential_view *v, const char *passphrase, struct arena *arena,
                        struct credential_attempt *a, struct err *e)
{
    struct sql_target target = { .password = passphrase, .connect_timeout_ms = CONNECT_MS };
    int rv = find_place(c, v, arena, &target, a, &a->why);

    if (rv == 0)
        rv = try_login(c, &target, v->target == CREDENTIAL_OBPROXY, &a->why);
    a->valid = rv == 0;
    if (rv == 0 || rv == ERR_CREDENTIAL_UNVERIFIED.code)
        return 0;
    *e = a->why;
    return rv;
}

/* ---- all of them ----------------------------------------------------------------------------------------------------- */

int credential_try(const struct credential_context *c, const struct credential_view *v, const char *passphrase, bool first_failure,
                   struct arena *arena, struct credential_attempt **out, size_t *n, struct err *e)
{
    size_t space = v->n_host_ids > 0 ? v->n_host_ids : 1;

    *n = 0;
    *out = arena_array(arena, space, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (v->target == CREDENTIAL_HOST)
        return try_hosts(c, v, passphrase, first_failure, arena, *out, n, e);
    *n = 1;
    return try_database(c, v, passphrase, arena, *out, e);
}

int credential_verify(const struct credential_context *c, const struct credential_view *v, const char *passphrase, struct arena *arena,
                      struct err *e)
{
    struct credential_attempt *attempts;
    size_t n;
    int rv = credential_try(c, v, passphrase, true, arena, &attempts, &n, e);

    for (size_t i = 0; rv == 0 && i < n; i++) {
        if (attempts[i].valid)
            continue;
        *e = attempts[i].why;
        rv = attempts[i].why.row->code;
    }
    return rv;
}
