/* SPDX-License-Identifier: Apache-2.0 */
/* Changing the password goes as with clusters (obcluster/password.c):
 *
 *   log in with: old_password if given, else one of the known ones
 *      none accepted -> does new_password log in? then the tenant has it already: keep it
 *   ALTER USER -> answer: yes, no (REFUSED), or unknown
 *   verify: log in with the new one, and when that is refused with the former; as long as nobody answers, again until the deadline
 *   keep the new one, sealed
 *
 * Dying between the change and the keeping leaves the tenant with a password that is not kept here: the same call again heals it. */
#include "src/tenant/administrator.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "src/iam/password.h"
#include "src/io/fiber.h"
#include "src/oceanbase/tenant_admin.h"
#include "src/oceanbase/user.h"
#include "src/store/obtenant.h"
#include "src/vault/credential.h"

enum { VERIFY_MS = 15000, AGAIN_MS = 500 };

const char *administrator_name(const struct tenant *t)
{
    return tenant_is_oracle(t) ? "SYS" : "root";
}

bool administrator_is_of_cluster(const struct tenant *t)
{
    return tenant_is_alone(t) || t->row.ob_tenant_id == TENANT_SYS;
}

/* --- known passwords ---------------------------------------------------------------------------------------------------------- */

/* What is done with each password until it is no OBTENANT_PASSWORD. */
typedef int (*attempt)(struct tenant *t, const struct link_tenant *as, void *data, struct err *e);

static struct link_tenant as_administrator(const struct tenant *t, const char *password, int64_t owner_id, int64_t version)
{
    return (struct link_tenant){ t->row.id, t->row.ob_tenant_id, administrator_name(t), password, owner_id, version };
}

static struct vault_place place_of(const struct tenant *t)
{
    return (struct vault_place){ "obtenant", t->row.id, "password" };
}

/* The kept one, or where none is the empty one. */
static int try_kept(struct tenant *t, const struct obtenant_kept *kept, attempt fn, void *data, struct err *e)
{
    struct vault_place at = place_of(t);
    struct link_tenant as;
    char *secret = NULL;
    int rv = kept->password.n > 0 ? vault_open(obclusters_conf(t->obclusters)->vault, &at, kept->password, &secret, e) : 0;

    if (rv != 0)
        return rv;
    as = as_administrator(t, secret != NULL ? secret : "", LINK_KEPT, kept->password_version);
    rv = fn(t, &as, data, e);
    secret_free(secret);
    return rv;
}

static bool is_for(const struct credential_view *v, const struct tenant *t)
{
    const char *name = administrator_name(t);
    size_t n = strcspn(v->username, "@#");

    return v->kind == CREDENTIAL_PASSWORD && v->cluster_name != NULL && v->tenant_name != NULL && n == strlen(name) &&
           strncasecmp(v->username, name, n) == 0 && strcmp(v->cluster_name, t->cluster.name) == 0 &&
           strcmp(v->tenant_name, t->row.name) == 0;
}

static int try_entry(struct tenant *t, const struct credential_context *c, const struct credential_view *entry, attempt fn, void *data,
                     struct err *e)
{
    struct credential_view opened;
    struct link_tenant as;
    char *secret;
    int rv = credential_open(c, t->user_id, entry->id, t->arena, &opened, &secret, e);

    if (rv != 0)
        return rv;
    as = as_administrator(t, secret, t->user_id, opened.updated_us);
    rv = fn(t, &as, data, e);
    secret_free(secret);
    return rv;
}

/* `e` holds the refusal of those before; it stays when there is nothing in the box. */
static int try_box(struct tenant *t, attempt fn, void *data, struct err *e)
{
    const struct obclusters_conf *conf = obclusters_conf(t->obclusters);
    struct credential_context c = { t->db, conf->vault, conf->connect_pool };
    struct credential_view *entries;
    struct err own;
    size_t n;
    int rv = credential_list(&c, t->user_id, CREDENTIAL_OB, t->arena, &entries, &n, &own);

    if (rv != 0) {
        *e = own;
        return rv;
    }
    rv = ERR_OBTENANT_PASSWORD.code;
    for (size_t i = 0; rv == ERR_OBTENANT_PASSWORD.code && i < n; i++)
        if (is_for(&entries[i], t))
            rv = try_entry(t, &c, &entries[i], fn, data, e);
    return rv;
}

static bool is_refused(int rv, const struct err *e)
{
    return rv != 0 && err_is(e, &ERR_OBTENANT_PASSWORD);
}

/* A kept password comes before the box, the empty one after it. */
static int try_known(struct tenant *t, attempt fn, void *data, struct err *e)
{
    struct obtenant_kept kept;
    int rv = store_obtenant_kept_get(t->db, t->row.id, t->arena, &kept, e);

    if (rv != 0)
        return rv;
    if (kept.password.n > 0) {
        rv = try_kept(t, &kept, fn, data, e);
        return is_refused(rv, e) ? try_box(t, fn, data, e) : rv;
    }
    rv = try_box(t, fn, data, e);
    return rv == ERR_OBTENANT_PASSWORD.code ? try_kept(t, &kept, fn, data, e) : rv;
}

/* --- sessions ----------------------------------------------------------------------------------------------------------------- */

static int take(struct tenant *t, const struct link_tenant *as, void *data, struct err *e)
{
    return link_take_tenant(t->obclusters, &t->cluster, as, data, e);
}

int administrator_take(struct tenant *t, struct link **out, struct err *e)
{
    if (administrator_is_of_cluster(t))
        return link_take(t->obclusters, &t->cluster, out, e);
    return try_known(t, take, out, e);
}

/* --- changing the password ---------------------------------------------------------------------------------------------------- */

struct change {
    struct tenant *t;
    const char *old_password, *new_password;
    struct sql *sql;
    char *former;              /* password that logged in; owned */
};

static int open_session(struct tenant *t, const struct link_tenant *as, void *data, struct err *e)
{
    struct change *h = data;
    int rv = link_open_tenant(t->obclusters, &t->cluster, as, &h->sql, e);

    if (rv != 0)
        return rv;
    h->former = mem_strdup(as->password);
    if (h->former != NULL)
        return 0;
    sql_close(h->sql);
    return err_set(e, &ERR_NOMEM, "");
}

/* 0: it logs in; OBTENANT_PASSWORD: it does not; other errors: nobody knows. */
static int try_password(struct change *h, const char *password, struct err *e)
{
    struct link_tenant as = as_administrator(h->t, password, h->t->user_id, 0);
    struct sql *s;
    int rv = link_open_tenant(h->t->obclusters, &h->t->cluster, &as, &s, e);

    if (rv == 0)
        sql_close(s);
    return rv;
}

/* A session, or *adopted when the tenant has the new password already. */
static int log_in(struct change *h, bool *adopted, struct err *e)
{
    struct link_tenant as = as_administrator(h->t, h->old_password, h->t->user_id, 0);
    struct err own;
    int rv = h->old_password != NULL ? open_session(h->t, &as, h, e) : try_known(h->t, open_session, h, e);

    *adopted = false;
    if (!is_refused(rv, e))
        return rv;
    if (h->old_password != NULL)
        return err_set(e, &ERR_OBCLUSTER_OLD_PASSWORD, "");
    *adopted = try_password(h, h->new_password, &own) == 0;
    return *adopted ? 0 : rv;
}

/* The new one, then the former, until somebody answers. 0: changed; OBCLUSTER_AWAY: not changed; OBCLUSTER_UNKNOWN. */
static int find_out(struct change *h, struct err *e)
{
    char why[ERR_ARG_SIZE / 2];
    struct err ended;
    int rv;

    do {
        rv = try_password(h, h->new_password, e);
        if (rv == 0 || err_is(e, &ERR_OBTENANT_GONE))
            return rv;
        if (is_refused(rv, e) && try_password(h, h->former, e) == 0) {
            (void)err_set(e, &ERR_OBCLUSTER_AWAY, "%s", h->t->cluster.name);
            return err_arg(e, "the connection was lost before the change");
        }
    } while (!err_is(e, &ERR_CANCELLED) && fiber_sleep(AGAIN_MS, &ended) == 0);
    (void)err_text(e, ERR_EN, why, sizeof why);
    (void)err_set(e, &ERR_OBCLUSTER_UNKNOWN, "%s", h->t->cluster.name);
    return err_arg(e, "%s", why);
}

static int refused(const struct change *h, struct err *e)
{
    char why[ERR_ARG_SIZE];
    int number = e->lib_code;

    (void)snprintf(why, sizeof why, "%s", e->arg[1]);
    (void)err_set(e, &ERR_OBCLUSTER_REFUSED, "%s", h->t->cluster.name);
    e->lib_code = number;
    return err_arg(e, "%s", why);
}

static int alter(struct change *h, struct err *e)
{
    int rv = tenant_is_oracle(h->t) ? ob_oracle_password_set(h->sql, h->new_password, e)
                                    : ob_user_set_password(h->sql, administrator_name(h->t), h->new_password, e);
    int64_t former;

    sql_close(h->sql);
    if (rv != 0 && (err_is(e, &ERR_SQL_FAILED) || err_is(e, &ERR_SQL_DENIED) || err_is(e, &ERR_SQL_READONLY)))
        return refused(h, e);
    if (rv != 0 && (err_is(e, &ERR_NOMEM) || err_is(e, &ERR_INVALID)))
        return rv;
    /* changed, or unknown: only a login tells */
    former = fiber_narrow_deadline(VERIFY_MS);
    rv = find_out(h, e);
    fiber_restore_deadline(former);
    return rv;
}

struct keep {
    const struct tenant *t;
    int64_t version;
    struct slice sealed;
};

static int keep_body(struct tx *tx, void *data, struct err *e)
{
    const struct keep *k = data;

    return store_obtenant_set_password(tx, k->t->cluster.id, k->t->row.id, k->version, k->sealed, e);
}

static int keep(const struct change *h, int64_t version, struct err *e)
{
    struct vault_place at = place_of(h->t);
    struct keep k = { .t = h->t, .version = version };
    struct str sealed;
    int rv;

    str_init(&sealed, h->t->arena);
    rv = vault_seal(obclusters_conf(h->t->obclusters)->vault, &at, (struct slice){ h->new_password, strlen(h->new_password) }, &sealed, e);
    if (rv == 0 && str_failed(&sealed))
        rv = err_set(e, &ERR_NOMEM, "");
    if (rv != 0)
        return rv;
    k.sealed = (struct slice){ sealed.s, sealed.n };
    return db_transact(h->t->db, keep_body, &k, e);
}

static int change_password(struct change *h, struct err *e)
{
    const char *problem = password_problem(h->new_password);
    struct obtenant_kept kept;
    bool adopted = problem != NULL && try_password(h, h->new_password, e) == 0; /* what the tenant has need not please us */
    int rv = store_obtenant_kept_get(h->t->db, h->t->row.id, h->t->arena, &kept, e);

    if (rv == 0 && problem != NULL && !adopted)
        rv = err_set(e, &ERR_TENANT_PASSWORD, "%s", problem);
    if (rv == 0 && !adopted)
        rv = log_in(h, &adopted, e);
    if (rv == 0 && !adopted)
        rv = alter(h, e);
    return rv == 0 ? keep(h, kept.password_version, e) : rv;
}

int administrator_set_password(struct tenant *t, const char *old_password, const char *new_password, struct err *e)
{
    struct change h = { .t = t, .old_password = old_password, .new_password = new_password };
    struct password_change own = { .old_password = old_password, .new_password = new_password };
    const char *problem = password_problem(new_password);
    int rv = obcluster_require_running(&t->cluster, "changing a password", e);

    if (rv == 0 && administrator_is_of_cluster(t))
        return problem == NULL ? obcluster_change_password(t->obclusters, t->db, &t->cluster, &own, t->arena, e)
                               : err_set(e, &ERR_TENANT_PASSWORD, "%s", problem);
    if (rv == 0)
        rv = change_password(&h, e);
    if (h.former != NULL)
        mem_wipe(h.former, strlen(h.former));
    mem_free(h.former);
    return rv;
}
