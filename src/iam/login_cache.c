/* SPDX-License-Identifier: Apache-2.0 */
/* A set-associative table of pointers: the digest of the name picks a set, a newcomer takes its empty or least recently used place. */
#include "src/iam/login_cache.h"

#include <string.h>

enum { WAYS = 8, SETS = LOGIN_CACHE_USERS / WAYS };

struct login_cache {
    struct login *logins[SETS][WAYS]; /* owned; NULL: empty */
};

int login_cache_new(struct login_cache **out, struct err *e)
{
    *out = mem_zalloc(sizeof **out);
    return *out != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static void drop(struct login **place)
{
    struct login *l = *place;

    if (l == NULL)
        return;
    mem_free(l->name);
    mem_free(l->grants);
    mem_wipe(l, sizeof *l);
    mem_free(l);
    *place = NULL;
}

void login_cache_free(struct login_cache *c)
{
    if (c == NULL)
        return;
    for (unsigned i = 0; i < LOGIN_CACHE_USERS; i++)
        drop(&c->logins[i / WAYS][i % WAYS]);
    mem_free(c);
}

static struct login **set_of(struct login_cache *c, const uint8_t *id)
{
    uint64_t h;

    memcpy(&h, id, sizeof h);
    return c->logins[h % SETS];
}

struct login *login_cache_find(struct login_cache *c, const uint8_t id[KEYED_SIZE])
{
    struct login **set = set_of(c, id);

    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i] != NULL && memcmp(set[i]->id, id, KEYED_SIZE) == 0)
            return set[i];
    }
    return NULL;
}

static struct login **place_for(struct login_cache *c, const uint8_t *id)
{
    struct login **set = set_of(c, id), **best = &set[0];

    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i] != NULL && memcmp(set[i]->id, id, KEYED_SIZE) == 0)
            return &set[i];
        if (*best != NULL && (set[i] == NULL || set[i]->used_ms < (*best)->used_ms))
            best = &set[i];
    }
    return best;
}

static struct login *login_new(const struct principal *who)
{
    struct login *l = mem_zalloc(sizeof *l);

    if (l == NULL)
        return NULL;
    l->name = mem_strdup(who->name);
    l->grants = mem_array(who->n_grants, sizeof *l->grants);
    if (l->name == NULL || l->grants == NULL) {
        drop(&l);
        return NULL;
    }
    if (who->n_grants > 0)
        memcpy(l->grants, who->grants, who->n_grants * sizeof *l->grants);
    l->n_grants = who->n_grants;
    l->user_id = who->user_id;
    l->credential_version = who->credential_version;
    l->must_change_password = who->must_change_password;
    return l;
}

int login_cache_put(struct login_cache *c, const uint8_t id[KEYED_SIZE], const uint8_t secret[KEYED_SIZE], const struct principal *who,
                    int64_t now_ms, struct err *e)
{
    struct login **place = place_for(c, id);
    struct login *l = login_new(who);

    if (*place != NULL && l != NULL && memcmp((*place)->id, id, KEYED_SIZE) == 0) {
        memcpy(l->clients, (*place)->clients, sizeof l->clients);
        l->next_client = (*place)->next_client;
    }
    drop(place);
    if (l == NULL)
        return err_set(e, &ERR_NOMEM, "");
    memcpy(l->id, id, KEYED_SIZE);
    memcpy(l->secret, secret, KEYED_SIZE);
    l->checked_ms = now_ms;
    login_use(l, &who->client, now_ms);
    *place = l;
    return 0;
}

void login_cache_forget(struct login_cache *c, int64_t user_id)
{
    for (unsigned i = 0; i < LOGIN_CACHE_USERS; i++) {
        struct login **place = &c->logins[i / WAYS][i % WAYS];

        if (*place != NULL && (*place)->user_id == user_id)
            drop(place);
    }
}

bool login_knows_client(const struct login *l, const struct addr *client)
{
    for (unsigned i = 0; i < LOGIN_CLIENTS; i++) {
        if (l->clients[i].known && addr_equal(&l->clients[i], client))
            return true;
    }
    return false;
}

void login_use(struct login *l, const struct addr *client, int64_t now_ms)
{
    l->used_ms = now_ms;
    if (!client->known || login_knows_client(l, client))
        return;
    l->clients[l->next_client] = *client;
    l->next_client = (l->next_client + 1) % LOGIN_CLIENTS;
}

bool login_passes_block(struct login *l, bool matches, const struct addr *client, int64_t now_ms)
{
    if (now_ms - l->guess_ms > LOGIN_GUESS_MS) {
        l->guess_ms = now_ms;
        l->guesses = 0;
    }
    if (l->guesses >= LOGIN_GUESSES || !login_knows_client(l, client))
        return false;
    if (!matches)
        l->guesses++;
    return matches;
}

int login_principal(const struct login *l, const struct addr *client, struct arena *arena, struct principal **out, struct err *e)
{
    struct principal *p = arena_zalloc(arena, sizeof *p);
    struct permission *grants = arena_array(arena, l->n_grants, sizeof *grants);
    const char *name = arena_strdup(arena, l->name);

    if (p == NULL || grants == NULL || name == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (l->n_grants > 0)
        memcpy(grants, l->grants, l->n_grants * sizeof *grants);
    *p = (struct principal){
        .user_id = l->user_id,
        .name = name,
        .grants = grants,
        .n_grants = l->n_grants,
        .credential_version = l->credential_version,
        .must_change_password = l->must_change_password,
        .client = *client,
    };
    *out = p;
    return 0;
}

unsigned login_cache_users(struct login_cache *c, int64_t now_ms, int64_t *ids)
{
    unsigned n = 0;

    for (unsigned i = 0; i < LOGIN_CACHE_USERS; i++) {
        struct login **place = &c->logins[i / WAYS][i % WAYS];

        if (*place != NULL && now_ms - (*place)->used_ms > LOGIN_KEEP_MS)
            drop(place);
        if (*place != NULL)
            ids[n++] = (*place)->user_id;
    }
    return n;
}

void login_cache_confirm(struct login_cache *c, const int64_t *ids, const int64_t *versions, unsigned n, int64_t asked_ms)
{
    for (unsigned i = 0; i < LOGIN_CACHE_USERS; i++) {
        struct login **place = &c->logins[i / WAYS][i % WAYS];

        for (unsigned k = 0; *place != NULL && k < n; k++) {
            if (ids[k] != (*place)->user_id)
                continue;
            if (versions[k] != (*place)->credential_version)
                drop(place);
            else if ((*place)->checked_ms < asked_ms)
                (*place)->checked_ms = asked_ms;
            break;
        }
    }
}
