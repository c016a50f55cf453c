/* SPDX-License-Identifier: Apache-2.0 */
/* A set-associative table of pointers: a hash of the name picks a set, a newcomer takes its empty or least recently used place. Only
 * verified logins come in, so that nobody can fill a set with names of his choice; the hash is seeded all the same. */
#include "src/iam/login_cache.h"

#include <openssl/rand.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum { WAYS = 8, SETS = LOGIN_CACHE_SIZE / WAYS };

struct login_cache {
    uint64_t seed;
    struct login *logins[SETS][WAYS]; /* owned; NULL: empty */
};

int login_cache_new(struct login_cache **out, struct err *e)
{
    struct login_cache *c = mem_zalloc(sizeof *c);

    if (c == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (RAND_bytes((unsigned char *)&c->seed, sizeof c->seed) != 1) {
        mem_free(c);
        return err_set(e, &ERR_UNEXPECTED, "no random bytes");
    }
    *out = c;
    return 0;
}

static void wipe_text(char *s)
{
    if (s != NULL)
        mem_wipe(s, strlen(s));
    mem_free(s);
}

static void drop(struct login **place)
{
    struct login *l = *place;

    if (l == NULL)
        return;
    mem_free(l->key);
    wipe_text(l->key_secret);
    mem_free(l->name);
    mem_free(l->grants);
    mem_wipe(l, sizeof *l);
    mem_free(l);
    *place = NULL;
}

static struct login **place_at(struct login_cache *c, unsigned i)
{
    return &c->logins[i / WAYS][i % WAYS];
}

void login_cache_free(struct login_cache *c)
{
    if (c == NULL)
        return;
    for (unsigned i = 0; i < LOGIN_CACHE_SIZE; i++)
        drop(place_at(c, i));
    mem_free(c);
}

static struct login **set_of(struct login_cache *c, struct login_name name)
{
    return c->logins[XXH3_64bits_withSeed(name.text.s, name.text.n, c->seed + name.kind) % SETS];
}

static bool is_named(const struct login *l, struct login_name name)
{
    return l->kind == name.kind && l->n_key == name.text.n && memcmp(l->key, name.text.s, name.text.n) == 0;
}

struct login *login_cache_find(struct login_cache *c, struct login_name name)
{
    struct login **set = set_of(c, name);

    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i] != NULL && is_named(set[i], name))
            return set[i];
    }
    return NULL;
}

void login_cache_forget_name(struct login_cache *c, struct login_name name)
{
    struct login **set = set_of(c, name);

    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i] != NULL && is_named(set[i], name))
            drop(&set[i]);
    }
}

static struct login **place_for(struct login_cache *c, struct login_name name)
{
    struct login **set = set_of(c, name), **best = &set[0];

    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i] != NULL && is_named(set[i], name))
            return &set[i];
        if (*best != NULL && (set[i] == NULL || set[i]->used_ms < (*best)->used_ms))
            best = &set[i];
    }
    return best;
}

static bool copy_texts(struct login *l, const struct login_new *fresh)
{
    const struct principal *who = fresh->who;

    l->key = mem_alloc(fresh->name.text.n + 1);
    l->name = mem_strdup(who->name);
    l->grants = mem_array(who->n_grants, sizeof *l->grants);
    if (fresh->key_secret != NULL)
        l->key_secret = mem_strdup(fresh->key_secret);
    return l->key != NULL && l->name != NULL && l->grants != NULL && (fresh->key_secret == NULL || l->key_secret != NULL);
}

static struct login *login_make(const struct login_new *fresh)
{
    const struct principal *who = fresh->who;
    struct login *l = mem_zalloc(sizeof *l);

    if (l == NULL)
        return NULL;
    if (!copy_texts(l, fresh)) {
        drop(&l);
        return NULL;
    }
    memcpy(l->key, fresh->name.text.s, fresh->name.text.n);
    l->n_key = fresh->name.text.n;
    l->kind = fresh->name.kind;
    if (fresh->secret != NULL)
        memcpy(l->secret, fresh->secret, KEYED_SIZE);
    if (who->n_grants > 0)
        memcpy(l->grants, who->grants, who->n_grants * sizeof *l->grants);
    l->n_grants = who->n_grants;
    l->user_id = who->user_id;
    l->credential_version = who->credential_version;
    l->must_change_password = who->must_change_password;
    l->object_id = who->login_id;
    l->created_us = who->login_created_us;
    l->expires_us = who->login_expires_us;
    l->ends_ms = fresh->ends_ms;
    l->noted_ms = fresh->seen_ms;
    l->checked_ms = fresh->now_ms;
    return l;
}

int login_cache_put(struct login_cache *c, const struct login_new *fresh, struct err *e)
{
    struct login **place = place_for(c, fresh->name);
    struct login *l = login_make(fresh);

    if (*place != NULL && l != NULL && is_named(*place, fresh->name)) {
        memcpy(l->clients, (*place)->clients, sizeof l->clients);
        l->next_client = (*place)->next_client;
    }
    drop(place);
    if (l == NULL)
        return err_set(e, &ERR_NOMEM, "");
    login_use(l, &fresh->who->client, fresh->now_ms);
    *place = l;
    return 0;
}

void login_cache_forget(struct login_cache *c, int64_t user_id)
{
    for (unsigned i = 0; i < LOGIN_CACHE_SIZE; i++) {
        struct login **place = place_at(c, i);

        if (*place != NULL && (*place)->user_id == user_id)
            drop(place);
    }
}

void login_cache_forget_object(struct login_cache *c, enum login_kind kind, int64_t object_id)
{
    for (unsigned i = 0; i < LOGIN_CACHE_SIZE; i++) {
        struct login **place = place_at(c, i);

        if (*place != NULL && (*place)->kind == kind && (*place)->object_id == object_id)
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

bool login_is_usual(const struct login *l, const struct addr *client, int64_t now_ms)
{
    bool guessed = l->guesses >= LOGIN_GUESSES && now_ms - l->guess_ms <= LOGIN_GUESS_MS;

    return !guessed && (!client->known || login_knows_client(l, client));
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
        .login = l->kind,
        .login_id = l->object_id,
        .login_created_us = l->created_us,
        .login_expires_us = l->expires_us,
    };
    *out = p;
    return 0;
}

unsigned login_cache_list(struct login_cache *c, int64_t now_ms, int64_t keep_ms, struct login_state *states)
{
    unsigned n = 0;

    for (unsigned i = 0; i < LOGIN_CACHE_SIZE; i++) {
        struct login **place = place_at(c, i);

        if (*place != NULL && now_ms - (*place)->used_ms > keep_ms)
            drop(place);
        if (*place != NULL)
            states[n++] = (struct login_state){ .kind = (*place)->kind, .user_id = (*place)->user_id, .object_id = (*place)->object_id, .place = i };
    }
    return n;
}

static void settle(struct login **place, bool same, int64_t asked_ms)
{
    if (!same)
        drop(place);
    else if ((*place)->checked_ms < asked_ms)
        (*place)->checked_ms = asked_ms;
}

void login_cache_confirm(struct login_cache *c, const struct login_state *states, unsigned n, int64_t asked_ms)
{
    for (unsigned k = 0; k < n; k++) {
        const struct login_state *s = &states[k];
        struct login **place = place_at(c, s->place);
        const struct login *l = *place;

        /* somebody else may have taken the place meanwhile */
        if (l != NULL && l->kind == s->kind && l->user_id == s->user_id && l->object_id == s->object_id && l->checked_ms <= asked_ms)
            settle(place, s->alive && s->version == l->credential_version, asked_ms);
    }
}

void login_cache_confirm_user(struct login_cache *c, int64_t user_id, int64_t version, int64_t asked_ms)
{
    for (unsigned i = 0; i < LOGIN_CACHE_SIZE; i++) {
        struct login **place = place_at(c, i);

        if (*place != NULL && (*place)->user_id == user_id && ((*place)->kind == LOGIN_PASSWORD || (*place)->credential_version != version))
            settle(place, (*place)->credential_version == version, asked_ms);
    }
}

unsigned login_cache_unnoted(struct login_cache *c, enum login_kind kind, int64_t now_ms, int64_t *ids, unsigned max)
{
    unsigned n = 0;

    for (unsigned i = 0; i < LOGIN_CACHE_SIZE && n < max; i++) {
        struct login *l = *place_at(c, i);

        if (l == NULL || l->kind != kind || l->used_ms <= l->noted_ms || now_ms - l->noted_ms < LOGIN_NOTE_MS)
            continue;
        l->noted_ms = now_ms;
        ids[n++] = l->object_id;
    }
    return n;
}
