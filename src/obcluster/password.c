/* SPDX-License-Identifier: Apache-2.0 */
/*   log in with: old_password if given (refused: OLD_PASSWORD), else the one kept here
 *      kept one refused -> does new_password log in? then the cluster has it already: keep it
 *   ALTER USER -> answer: yes, no (REFUSED), or unknown
 *   verify: log in with the new one, and when that is refused with the former; as long as nobody answers, again until the deadline
 *   keep the new one, sealed
 *
 * Dying between the change and the keeping leaves the cluster with a password that is not kept here: the same call again heals it. */
#include <stdio.h>
#include <string.h>

#include "src/io/fiber.h"
#include "src/obcluster/inside.h"
#include "src/obcluster/link.h"
#include "src/oceanbase/user.h"

enum { MAX_PASSWORD = 128, VERIFY_MS = 15000, AGAIN_MS = 500 };

struct change {
    struct obclusters *o;
    struct db *db;
    const struct obcluster *c;
    const struct password_change *want;
    struct arena *arena;
    const char *former;        /* password that logged in */
    char *opened;              /* the kept one in clear; owned */
};

static int check_password(const char *password, struct err *e)
{
    size_t n = strlen(password);

    if (n == 0)
        return err_set(e, &ERR_OBCLUSTER_NEW_PASSWORD, "it is empty");
    if (n > MAX_PASSWORD)
        return err_set(e, &ERR_OBCLUSTER_NEW_PASSWORD, "it has more than %d bytes", MAX_PASSWORD);
    for (const char *s = password; *s != '\0'; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return err_set(e, &ERR_OBCLUSTER_NEW_PASSWORD, "it has control characters");
    return 0;
}

/* "root@sys#c1" -> "root" */
static const char *user_part(const struct obcluster *c, struct arena *arena)
{
    return arena_strndup(arena, c->username, strcspn(c->username, "@#"));
}

static int away(const struct change *h, struct err *e)
{
    char why[ERR_ARG_SIZE];

    if (err_is(e, &ERR_CANCELLED) || err_is(e, &ERR_NOMEM))
        return e->row->code;
    (void)snprintf(why, sizeof why, "%s", err_is(e, &ERR_SQL_LOST) ? e->arg[1] : "it does not answer in time");
    (void)err_set(e, &ERR_OBCLUSTER_AWAY, "%s", h->c->name);
    return err_arg(e, "%s", why);
}

/* 0: it logs in; SQL_DENIED: it does not; other errors: nobody knows. */
static int try_password(const struct change *h, const char *password, struct err *e)
{
    struct sql *s;
    int rv = link_login(h->o, h->c, password, &s, e);

    if (rv == 0)
        sql_close(s);
    return rv;
}

/* --- logging in --------------------------------------------------------------------------------------------------------------- */

static int open_kept(struct change *h, struct err *e)
{
    struct vault_place at = obcluster_place(h->c->id);

    return vault_open(h->o->conf.vault, &at, h->c->password, &h->opened, e);
}

static int refused_kept(const struct change *h, struct err *e)
{
    (void)err_set(e, &ERR_OBCLUSTER_PASSWORD, "%s", h->c->name);
    (void)err_arg(e, "%s", h->c->username);
    return err_arg(e, "%lld", (long long)h->c->id);
}

/* A session, or *adopted when the cluster has the new password already. */
static int log_in(struct change *h, struct sql **out, bool *adopted, struct err *e)
{
    bool given = h->want->old_password != NULL;
    int rv = given ? 0 : open_kept(h, e);

    *adopted = false;
    if (rv != 0)
        return rv;
    h->former = given ? h->want->old_password : h->opened;
    rv = link_login(h->o, h->c, h->former, out, e);
    if (rv == 0)
        return 0;
    if (!err_is(e, &ERR_SQL_DENIED))
        return away(h, e);
    if (given)
        return err_set(e, &ERR_OBCLUSTER_OLD_PASSWORD, "");
    *adopted = try_password(h, h->want->new_password, e) == 0;
    return *adopted ? 0 : refused_kept(h, e);
}

/* --- changing ----------------------------------------------------------------------------------------------------------------- */

/* The new one, then the former, until somebody answers. 0: changed; OBCLUSTER_AWAY: not changed; OBCLUSTER_UNKNOWN. */
static int find_out(const struct change *h, struct err *e)
{
    char why[ERR_ARG_SIZE / 2];
    struct err ended;
    int rv;

    do {
        rv = try_password(h, h->want->new_password, e);
        if (rv == 0)
            return 0;
        if (err_is(e, &ERR_SQL_DENIED) && try_password(h, h->former, e) == 0) {
            (void)err_set(e, &ERR_OBCLUSTER_AWAY, "%s", h->c->name);
            return err_arg(e, "the connection was lost before the change");
        }
    } while (!err_is(e, &ERR_CANCELLED) && fiber_sleep(AGAIN_MS, &ended) == 0);
    (void)err_text(e, ERR_EN, why, sizeof why);
    (void)err_set(e, &ERR_OBCLUSTER_UNKNOWN, "%s", h->c->name);
    return err_arg(e, "%s", why);
}

static int refused(const struct change *h, struct err *e)
{
    char why[ERR_ARG_SIZE];
    int number = e->lib_code;

    (void)snprintf(why, sizeof why, "%s", e->arg[1]);
    (void)err_set(e, &ERR_OBCLUSTER_REFUSED, "%s", h->c->name);
    e->lib_code = number;
    return err_arg(e, "%s", why);
}

static int alter(const struct change *h, struct sql *s, struct err *e)
{
    const char *user = user_part(h->c, h->arena);
    int rv = user != NULL ? ob_user_set_password(s, user, h->want->new_password, e) : err_set(e, &ERR_NOMEM, "");
    int64_t former;

    sql_close(s);
    if (rv != 0 && (err_is(e, &ERR_SQL_FAILED) || err_is(e, &ERR_SQL_DENIED) || err_is(e, &ERR_SQL_READONLY)))
        return refused(h, e);
    if (rv != 0 && err_is(e, &ERR_NOMEM))
        return rv;
    /* changed, or unknown: only a login tells */
    former = fiber_narrow_deadline(VERIFY_MS);
    rv = find_out(h, e);
    fiber_restore_deadline(former);
    return rv;
}

/* --- keeping ------------------------------------------------------------------------------------------------------------------ */

struct keep {
    const struct obcluster *c;
    struct slice sealed;
    int64_t now_us;
};

static int keep_body(struct tx *tx, void *data, struct err *e)
{
    const struct keep *k = data;

    return store_obcluster_set_password(tx, k->c->id, k->c->password_version, k->sealed, k->now_us, e);
}

static int keep(const struct change *h, struct err *e)
{
    struct vault_place at = obcluster_place(h->c->id);
    struct keep k = { .c = h->c, .now_us = clock_wall_us(h->o->conf.clock) };
    struct str sealed;
    int rv;

    str_init(&sealed, h->arena);
    rv = vault_seal(h->o->conf.vault, &at, (struct slice){ h->want->new_password, strlen(h->want->new_password) }, &sealed, e);
    if (rv == 0 && str_failed(&sealed))
        rv = err_set(e, &ERR_NOMEM, "");
    if (rv != 0)
        return rv;
    k.sealed = (struct slice){ sealed.s, sealed.n };
    return db_transact(h->db, keep_body, &k, e);
}

int obcluster_change_password(struct obclusters *o, struct db *d, const struct obcluster *c, const struct password_change *want,
                              struct arena *arena, struct err *e)
{
    struct change h = { .o = o, .db = d, .c = c, .want = want, .arena = arena };
    struct sql *s = NULL;
    bool adopted = false;
    int rv = check_password(want->new_password, e);

    if (rv == 0)
        rv = obcluster_require_running(c, "changing its password", e);
    if (rv == 0)
        rv = log_in(&h, &s, &adopted, e);
    if (rv == 0 && !adopted)
        rv = alter(&h, s, e);
    if (rv == 0)
        rv = keep(&h, e);
    if (rv == 0)
        obclusters_look_soon(o, c->id);
    secret_free(h.opened);
    return rv;
}
