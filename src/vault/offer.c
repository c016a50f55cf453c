/* SPDX-License-Identifier: Apache-2.0 */
#include "src/vault/offer.h"

#include <string.h>

#include "src/store/change.h"
#include "src/store/user.h"
#include "src/vault/inside.h"

ERR_DEFINE(ERR_OFFER_SETTLED, 8106, 409, ERR_FINAL, "The shared credential {0} was accepted or ignored already.", "共享的凭据 {0} 已被接受或忽略。");

static struct vault_place place_of(int64_t id)
{
    return (struct vault_place){ "credential_offer", id, "" };
}

static int nomem(struct err *e)
{
    return err_set(e, &ERR_NOMEM, "");
}

static int unknown(struct err *e, const char *noun, const char *name)
{
    (void)err_set(e, &ERR_NOT_FOUND, "%s", noun);
    return err_arg(e, "%s", name);
}

/* ---- making ---------------------------------------------------------------------------------------------------------- */

struct sharing {
    const struct credential_context *c;
    struct arena *arena;
    struct credential *own;        /* all of the user's */
    size_t n_own;
    int64_t *receivers;
    size_t n_receivers;
    struct credential_offer *offers;
    size_t n_offers;
};

static int find_receivers(struct sharing *s, int64_t user_id, struct field_strings usernames, struct err *e)
{
    int rv = store_user_ids(s->c->db, usernames, s->arena, &s->receivers, e);

    s->n_receivers = usernames.n;
    for (size_t i = 0; rv == 0 && i < usernames.n; i++) {
        if (s->receivers[i] < 0)
            rv = unknown(e, "user", usernames.items[i]);
        else if (s->receivers[i] == user_id)
            rv = err_set(e, &ERR_INVALID, "usernames: %s is yourself", usernames.items[i]);
    }
    return rv;
}

static const struct credential *find_own(const struct sharing *s, int64_t id)
{
    for (size_t i = 0; i < s->n_own; i++) {
        if (s->own[i].id == id)
            return &s->own[i];
    }
    return NULL;
}

/* One copy, sealed for the offer. */
static int add_offer(struct sharing *s, const struct credential *row, const char *secret, int64_t receiver, struct err *e)
{
    struct credential_offer *o = &s->offers[s->n_offers++];
    struct vault_place at;
    struct str sealed;
    int rv;

    o->c = *row;
    o->c.user_id = receiver;
    rv = db_next_id(s->c->db, &o->c.id, e);
    if (rv != 0)
        return rv;
    at = place_of(o->c.id);
    str_init(&sealed, s->arena);
    rv = vault_seal(s->c->vault, &at, (struct slice){ secret, strlen(secret) }, &sealed, e);
    o->c.secret = (struct slice){ sealed.s, sealed.n };
    return rv;
}

static int add_offers(struct sharing *s, int64_t id, struct err *e)
{
    const struct credential *row = find_own(s, id);
    struct vault_place at = { "credential", id, "" };
    char text[CHANGE_ID_SIZE];
    char *secret;
    int rv;

    if (row == NULL)
        return unknown(e, "credential", change_id(id, text));
    rv = vault_open(s->c->vault, &at, row->secret, &secret, e);
    if (rv != 0)
        return rv;
    for (size_t i = 0; rv == 0 && i < s->n_receivers; i++)
        rv = add_offer(s, row, secret, s->receivers[i], e);
    secret_free(secret);
    return rv;
}

static int tx_insert(struct tx *tx, void *data, struct err *e)
{
    struct sharing *s = data;

    return store_offer_insert(tx, s->offers, s->n_offers, s->arena, e);
}

static int check_amounts(struct field_ints ids, struct field_strings usernames, struct err *e)
{
    if (ids.n == 0 || ids.n > OFFER_MAX_CREDENTIALS)
        return err_set(e, &ERR_INVALID, "credentialIds: from 1 to %d", OFFER_MAX_CREDENTIALS);
    if (usernames.n == 0 || usernames.n > OFFER_MAX_RECEIVERS)
        return err_set(e, &ERR_INVALID, "usernames: from 1 to %d", OFFER_MAX_RECEIVERS);
    return 0;
}

int offer_make(const struct credential_context *c, int64_t user_id, const char *username, struct field_ints ids, struct field_strings usernames,
               const struct clock *clock, struct arena *arena, size_t *n, struct err *e)
{
    struct sharing s = { .c = c, .arena = arena };
    int64_t now_us = clock_wall_us(clock);
    int rv = check_amounts(ids, usernames, e);

    if (rv == 0)
        rv = find_receivers(&s, user_id, usernames, e);
    if (rv == 0)
        rv = store_credential_list(c->db, user_id, NULL, NULL, NULL, arena, &s.own, &s.n_own, NULL, e);
    if (rv == 0 && (s.offers = arena_array(arena, ids.n * usernames.n, sizeof *s.offers)) == NULL)
        rv = nomem(e);
    for (size_t i = 0; rv == 0 && i < ids.n; i++)
        rv = add_offers(&s, ids.items[i], e);
    for (size_t i = 0; i < s.n_offers; i++) {
        s.offers[i].from_id = user_id;
        s.offers[i].from_name = username;
        s.offers[i].c.created_us = now_us;
        s.offers[i].expires_us = now_us + (int64_t)OFFER_DAYS * 24 * 3600 * 1000000;
    }
    *n = s.n_offers;
    return rv == 0 ? db_transact(c->db, tx_insert, &s, e) : rv;
}

/* ---- receiving ------------------------------------------------------------------------------------------------------- */

int offer_list(const struct credential_context *c, int64_t user_id, struct arena *arena, struct offer_view **out, size_t *n, struct err *e)
{
    struct credential_offer *rows;
    int rv = store_offer_list(c->db, user_id, arena, &rows, n, e);

    if (rv != 0)
        return rv;
    *out = arena_array(arena, *n, sizeof **out);
    if (*out == NULL)
        return nomem(e);
    for (size_t i = 0; rv == 0 && i < *n; i++) {
        rv = credential_view_of(&rows[i].c, arena, &(*out)[i].v, e);
        (*out)[i].from = rows[i].from_name;
        (*out)[i].expires_us = rows[i].expires_us;
    }
    return rv;
}

struct settling {
    int64_t user_id, id;
    enum offer_status status;
    const struct credential *row;  /* NULL: nothing is kept */
    const char *name;
};

static int tx_settle(struct tx *tx, void *data, struct err *e)
{
    struct settling *s = data;
    bool done;
    int rv = store_offer_settle(tx, s->user_id, s->id, s->status, &done, e);

    if (rv == 0 && !done)
        return err_set(e, &ERR_OFFER_SETTLED, "%s", s->name);
    return rv == 0 && s->row != NULL ? store_credential_insert(tx, s->row, e) : rv;
}

static int get_open(const struct credential_context *c, int64_t user_id, int64_t id, struct arena *arena, struct credential_offer *o,
                    struct err *e)
{
    int rv = store_offer_get(c->db, user_id, id, arena, o, e);

    return rv == 0 && o->status != OFFER_OPEN ? err_set(e, &ERR_OFFER_SETTLED, "%s", o->c.name) : rv;
}

int offer_accept(const struct credential_context *c, int64_t user_id, int64_t id, const char *name, bool with_hosts, struct arena *arena,
                 struct credential_view *out, struct err *e)
{
    struct vault_place at = place_of(id);
    struct credential_offer o;
    struct credential row;
    struct settling s = { user_id, id, OFFER_ACCEPTED, &row, NULL };
    char *secret = NULL;
    int rv = get_open(c, user_id, id, arena, &o, e);

    if (rv == 0)
        rv = credential_view_of(&o.c, arena, out, e);
    if (rv == 0)
        rv = vault_open(c->vault, &at, o.c.secret, &secret, e);
    if (rv == 0)
        rv = db_next_id(c->db, &out->id, e);
    if (rv == 0) {
        s.name = out->name;
        out->name = name != NULL ? name : out->name;
        out->n_host_ids = with_hosts ? out->n_host_ids : 0;
        rv = credential_check_view(out, e);
    }
    if (rv == 0)
        rv = credential_row_of(c, out, user_id, secret, arena, &row, e);
    secret_free(secret);
    if (rv == 0)
        rv = db_transact(c->db, tx_settle, &s, e);
    if (rv == ERR_NAME_USED.code)
        return err_set(e, &ERR_CREDENTIAL_NAME_USED, "%s", out->name);
    return rv == 0 ? credential_get(c, user_id, out->id, arena, out, e) : rv;
}

int offer_ignore(const struct credential_context *c, int64_t user_id, int64_t id, struct arena *arena, const char **name, struct err *e)
{
    struct settling s = { user_id, id, OFFER_IGNORED, NULL, NULL };
    struct credential_offer o;
    int rv = get_open(c, user_id, id, arena, &o, e);

    if (rv != 0)
        return rv;
    *name = s.name = o.c.name;
    return db_transact(c->db, tx_settle, &s, e);
}
