/* SPDX-License-Identifier: Apache-2.0 */
#include "api/stale.h"

#include <pthread.h>
#include <string.h>

#include <openssl/rand.h>
#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(ANSWER) ((ANSWER)->lost = true)
#include <uthash.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "api/api.h"
#include "src/iam/principal.h"

/* Two halves of a hash under a secret seed: two users never meet in one. */
struct key {
    uint64_t low, high;
};

struct answer {
    struct key key;
    UT_hash_handle hh;           /* in the order of being written */
    int64_t at_ms;
    bool lost;                   /* there was no memory to find it by */
    size_t n;
    char data[];
};

struct stale_store {
    pthread_mutex_t lock;
    uint64_t seed;
    struct answer *answers;      /* owned */
    size_t bytes;
};

int stale_new(struct stale_store **out, struct err *e)
{
    struct stale_store *s = mem_zalloc(sizeof *s);

    if (s == NULL)
        return err_set(e, &ERR_NOMEM, "");
    if (RAND_bytes((unsigned char *)&s->seed, sizeof s->seed) != 1) {
        mem_free(s);
        return err_set(e, &ERR_UNEXPECTED, "no randomness");
    }
    (void)pthread_mutex_init(&s->lock, NULL); /* cannot fail with default attributes */
    *out = s;
    return 0;
}

/* With the lock held. */
static void drop(struct stale_store *s, struct answer *a)
{
    HASH_DEL(s->answers, a);
    s->bytes -= sizeof *a + a->n;
    mem_free(a);
}

void stale_free(struct stale_store *s)
{
    if (s == NULL)
        return;
    while (s->answers != NULL)
        drop(s, s->answers);
    (void)pthread_mutex_destroy(&s->lock);
    mem_free(s);
}

/* --- which ------------------------------------------------------------------------------------------------------------------------ */

static bool is_kept(const struct call *c)
{
    const struct route *r = c->route;

    return strcmp(r->method, "GET") == 0 && c->user != NULL && (r->flags & ROUTE_SECRET_REPLY) == 0 &&
           (r->reply == REPLY_OBJECT || r->reply == REPLY_LIST || r->reply == REPLY_PAGED);
}

static void mix(XXH3_state_t *h, const void *bytes, size_t n)
{
    (void)XXH3_128bits_update(h, bytes, n); /* fails only without an object */
}

/* The user as he is now, what he may see, his language, and the address. A change of password, state or roles makes it another key. */
static struct key key_of(const struct stale_store *s, const struct call *c)
{
    int64_t number[] = { c->user->user_id, c->user->credential_version, c->style.lang, c->style.offset_min, c->scope != NULL };
    XXH3_state_t h;
    XXH128_hash_t sum;

    XXH3_INITSTATE(&h);
    (void)XXH3_128bits_reset_withSeed(&h, s->seed);
    mix(&h, number, sizeof number);
    for (size_t i = 0; c->scope != NULL && i < c->scope->n; i++) {
        mix(&h, c->scope->items[i].kind, strlen(c->scope->items[i].kind) + 1);
        mix(&h, &c->scope->items[i].id, sizeof c->scope->items[i].id);
        mix(&h, &c->scope->items[i].sub_id, sizeof c->scope->items[i].sub_id);
    }
    mix(&h, c->rq->target.s, c->rq->target.n);
    sum = XXH3_128bits_digest(&h);
    return (struct key){ sum.low64, sum.high64 };
}

static int64_t now_ms(const struct call *c)
{
    return clock_now_ms(c->api->shared->node->clock);
}

/* With the lock held; NULL: none that is young enough. */
static struct answer *find(struct stale_store *s, const struct call *c, const struct key *key)
{
    struct answer *a;

    HASH_FIND(hh, s->answers, key, sizeof *key, a);
    return a != NULL && now_ms(c) - a->at_ms <= STALE_AGE_MS ? a : NULL;
}

/* --- keeping ---------------------------------------------------------------------------------------------------------------------- */

/* Takes it. */
static void put(struct stale_store *s, struct answer *a)
{
    struct answer *former;

    HASH_FIND(hh, s->answers, &a->key, sizeof a->key, former);
    if (former != NULL)
        drop(s, former);
    while (s->answers != NULL && s->bytes + sizeof *a + a->n > STALE_BYTES)
        drop(s, s->answers);
    HASH_ADD(hh, s->answers, key, sizeof a->key, a);
    if (a->lost)
        mem_free(a);
    else
        s->bytes += sizeof *a + a->n;
}

static bool is_young(struct stale_store *s, const struct call *c, const struct key *key)
{
    const struct answer *a;
    bool young;

    pthread_mutex_lock(&s->lock);
    a = find(s, c, key);
    young = a != NULL && now_ms(c) - a->at_ms < STALE_RENEW_MS;
    pthread_mutex_unlock(&s->lock);
    return young;
}

void stale_keep(struct stale_store *s, const struct call *c)
{
    struct answer *a;
    struct key key;

    if (!is_kept(c) || c->status != 200 || c->data.n == 0 || c->data.n > STALE_ANSWER_BYTES || str_failed(&c->data))
        return;
    key = key_of(s, c);
    if (is_young(s, c, &key))
        return;
    a = mem_alloc(sizeof *a + c->data.n);
    if (a == NULL)
        return; /* one answer less in hard times */
    *a = (struct answer){ .key = key, .at_ms = now_ms(c), .n = c->data.n };
    memcpy(a->data, c->data.s, c->data.n);
    pthread_mutex_lock(&s->lock);
    put(s, a);
    pthread_mutex_unlock(&s->lock);
}

/* --- giving ----------------------------------------------------------------------------------------------------------------------- */

bool stale_has(struct stale_store *s, const struct call *c)
{
    struct key key;
    bool has;

    if (!is_kept(c))
        return false;
    key = key_of(s, c);
    pthread_mutex_lock(&s->lock);
    has = find(s, c, &key) != NULL;
    pthread_mutex_unlock(&s->lock);
    return has;
}

bool stale_replay(struct stale_store *s, struct call *c)
{
    const struct answer *a;
    struct key key;

    if (!is_kept(c))
        return false;
    key = key_of(s, c);
    pthread_mutex_lock(&s->lock);
    a = find(s, c, &key);
    if (a != NULL) {
        str_clear(&c->data);
        str_add_n(&c->data, a->data, a->n);
        c->stale_s = (now_ms(c) - a->at_ms) / 1000;
    }
    pthread_mutex_unlock(&s->lock);
    return a != NULL && !str_failed(&c->data);
}
