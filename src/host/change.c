/* SPDX-License-Identifier: Apache-2.0 */
/* What people change about a host. */
#include <string.h>

#include "src/host/inside.h"
#include "src/host/probe.h"
#include "src/store/credential.h"
#include "src/store/host_service.h"

int host_check_credential(struct db *d, int64_t user_id, int64_t id, struct arena *arena, struct err *e)
{
    struct credential row;
    int rv = store_credential_get(d, user_id, id, arena, &row, e);

    if (rv == ERR_NOT_FOUND.code || (rv == 0 && strcmp(row.target_type, "HOST") != 0))
        return err_set(e, &ERR_HOST_CREDENTIAL, "%lld", (long long)id);
    return rv;
}

struct changing {
    struct host now;      /* as it is */
    struct host wanted;   /* what changes */
    struct arena *arena;
};

static int change_body(struct tx *tx, void *data, struct err *e)
{
    const struct changing *g = data;
    struct host_service *users;
    size_t n = 0;
    int rv = store_host_update(tx, &g->wanted, e);

    if (rv == 0 && g->wanted.idc_id != FIELD_NONE && g->wanted.idc_id != g->now.idc_id)
        rv = store_host_users_in(tx, g->wanted.id, g->arena, &users, &n, e);
    return rv == 0 && n > 0 ? err_set(e, &ERR_HOST_IDC_FIXED, "%s", g->now.ip) : rv;
}

int host_change(struct db *d, int64_t id, const struct host_change *c, struct arena *arena, struct err *e)
{
    struct changing g = { .arena = arena };
    int rv = store_host_get(d, id, arena, &g.now, e);

    if (rv == 0 && c->credential_id != FIELD_NONE && c->credential_id != g.now.credential_id)
        rv = host_check_credential(d, c->user_id, c->credential_id, arena, e);
    if (rv != 0)
        return rv;
    g.wanted = (struct host){
        .id = id,
        .alias = c->alias,
        .description = c->description,
        .kind = c->kind,
        .publish_ports = c->publish_ports,
        .ssh_port = c->ssh_port,
        .idc_id = c->idc_id,
        .type_id = c->type_id,
        .credential_id = c->credential_id,
    };
    return db_transact(d, change_body, &g, e);
}

struct pinning {
    int64_t id;
    const char *fingerprint;
};

static int pin_body(struct tx *tx, void *data, struct err *e)
{
    const struct pinning *p = data;

    return store_host_pin(tx, p->id, p->fingerprint, e);
}

/* "SHA256:" and 43 digits of base64, or nothing. */
static bool is_fingerprint(const char *s)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    return s[0] == '\0' || (strncmp(s, "SHA256:", 7) == 0 && strlen(s + 7) == 43 && strspn(s + 7, digits) == 43);
}

int host_accept_key(struct db *d, int64_t id, const char *fingerprint, struct err *e)
{
    struct pinning p = { id, fingerprint };

    if (!is_fingerprint(fingerprint))
        return err_set(e, &ERR_INVALID, "fingerprint: give it as OpenSSH shows it (SHA256:...), or nothing to take what the host shows next");
    return db_transact(d, pin_body, &p, e);
}

int host_present_key(struct hosts *h, struct db *d, int64_t id, struct arena *arena, const char **fingerprint, struct err *e)
{
    /* Nobody logs in: the key is shown before that, and a key that cannot be the right one ends it there. */
    const struct host_login nobody = { .username = "ocp", .secret = NULL };
    char *seen = arena_zalloc(arena, SSH_FINGERPRINT_SIZE);
    struct shell shell;
    struct host row;
    int rv = seen != NULL ? store_host_get(d, id, arena, &row, e) : err_set(e, &ERR_NOMEM, "");

    if (rv != 0)
        return rv;
    rv = host_shell_open(h, &nobody, row.ip, row.ssh_port, "none", arena, &shell, seen, e);
    if (rv == 0)
        shell_close(&shell);
    *fingerprint = seen;
    if (seen[0] == '\0')
        return rv != 0 ? rv : err_set(e, &ERR_UNEXPECTED, "the host showed no key");
    err_clear(e);
    return 0;
}
