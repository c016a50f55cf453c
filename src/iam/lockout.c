/* SPDX-License-Identifier: Apache-2.0 */
/* A set-associative table: a digest picks a set, the set's eight slots are searched, and a newcomer takes the slot that matters least:
 * empty or outdated, else the one with the fewest failures. */
#include "src/iam/lockout.h"

#include <pthread.h>
#include <string.h>

#include "src/base/keyed.h"

enum { WAYS = 8, SETS = 1024, ID_SIZE = 16 };

struct slot {
    uint8_t id[ID_SIZE];       /* of user or client */
    int64_t until_ms;          /* blocked, or remembered, until then; 0: empty */
    unsigned failures;
    bool blocked;
};

struct lockout {
    _Atomic int64_t last_ms[2]; /* by kind: when the last block ends; nobody is blocked after it, and nobody has to be looked up */
    pthread_mutex_t lock;       /* guards everything below */
    struct keyed keyed;
    struct lockout_stats stats;
    struct slot slots[SETS][WAYS];
};

int lockout_new(struct lockout **out, struct err *e)
{
    struct lockout *l = mem_zalloc(sizeof *l);
    int rv;

    if (l == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = keyed_init(&l->keyed, e);
    if (rv == 0 && pthread_mutex_init(&l->lock, NULL) != 0) {
        keyed_fini(&l->keyed);
        rv = err_set(e, &ERR_NOMEM, "");
    }
    if (rv != 0) {
        mem_free(l);
        return rv;
    }
    *out = l;
    return 0;
}

void lockout_free(struct lockout *l)
{
    if (l == NULL)
        return;
    keyed_fini(&l->keyed);
    pthread_mutex_destroy(&l->lock);
    mem_free(l);
}

/* False when there is nobody to count: a client without address (a Unix socket). */
static bool identify(struct lockout *l, enum lockout_kind kind, struct slice user, const struct addr *client, uint8_t id[KEYED_SIZE])
{
    struct slice parts[2] = { kind == LOCKOUT_USER ? SLICE("user") : SLICE("client"), user };

    if (kind == LOCKOUT_CLIENT) {
        if (!client->known)
            return false;
        /* one machine has a whole /64 of IPv6 addresses at its disposal */
        parts[1] = (struct slice){ (const char *)client->ip, addr_is_v4(client) ? sizeof client->ip : 8 };
    }
    return keyed_digest(&l->keyed, parts, 2, id);
}

static struct slot *set_of(struct lockout *l, const uint8_t *id)
{
    uint64_t h;

    memcpy(&h, id + ID_SIZE, sizeof h);
    return l->slots[h % SETS];
}

static struct slot *find(struct lockout *l, const uint8_t *id, int64_t now_ms)
{
    struct slot *set = set_of(l, id);

    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].until_ms > now_ms && memcmp(set[i].id, id, ID_SIZE) == 0)
            return &set[i];
    }
    return NULL;
}

static struct slot *find_or_take(struct lockout *l, const uint8_t *id, int64_t now_ms)
{
    struct slot *set = set_of(l, id);
    struct slot *s = find(l, id, now_ms);

    if (s != NULL)
        return s;
    s = &set[0];
    for (unsigned i = 0; i < WAYS && s->until_ms > now_ms; i++) {
        if (set[i].until_ms <= now_ms || set[i].failures < s->failures)
            s = &set[i];
    }
    *s = (struct slot){ 0 };
    memcpy(s->id, id, ID_SIZE);
    return s;
}

int64_t lockout_wait_ms(struct lockout *l, enum lockout_kind kind, struct slice user, const struct addr *client, int64_t now_ms)
{
    uint8_t id[KEYED_SIZE];
    const struct slot *s;
    int64_t wait_ms = 0;

    if (now_ms >= l->last_ms[kind])
        return 0;
    pthread_mutex_lock(&l->lock);
    if (identify(l, kind, user, client, id)) {
        s = find(l, id, now_ms);
        wait_ms = s != NULL && s->blocked ? s->until_ms - now_ms : 0;
    }
    pthread_mutex_unlock(&l->lock);
    return wait_ms;
}

/* Returns the tries left. */
static unsigned fail_one(struct lockout *l, enum lockout_kind kind, const uint8_t *id, const struct lockout_limits *limits, int64_t now_ms)
{
    struct slot *s;

    s = find_or_take(l, id, now_ms);
    s->failures++;
    if (!s->blocked)
        s->until_ms = now_ms + limits->block_ms[kind];
    if (s->failures < limits->attempts[kind])
        return limits->attempts[kind] - s->failures;
    if (!s->blocked)
        l->stats.blocks[kind]++;
    s->blocked = true;
    if (s->until_ms > l->last_ms[kind])
        l->last_ms[kind] = s->until_ms;
    return 0;
}

unsigned lockout_fail(struct lockout *l, struct slice user, const struct addr *client, const struct lockout_limits *limits, int64_t now_ms)
{
    unsigned left = UINT32_MAX;
    uint8_t id[KEYED_SIZE];

    pthread_mutex_lock(&l->lock);
    l->stats.failures++;
    for (enum lockout_kind kind = LOCKOUT_USER; kind <= LOCKOUT_CLIENT; kind++) {
        unsigned n = identify(l, kind, user, client, id) ? fail_one(l, kind, id, limits, now_ms) : UINT32_MAX;

        left = n < left ? n : left;
    }
    pthread_mutex_unlock(&l->lock);
    return left;
}

void lockout_forget_user(struct lockout *l, struct slice user)
{
    struct slot *s;
    uint8_t id[KEYED_SIZE];

    pthread_mutex_lock(&l->lock);
    if (identify(l, LOCKOUT_USER, user, NULL, id)) {
        s = find(l, id, INT64_MIN + 1);
        if (s != NULL)
            *s = (struct slot){ 0 };
    }
    pthread_mutex_unlock(&l->lock);
}

struct lockout_stats lockout_stats(struct lockout *l)
{
    struct lockout_stats stats;

    pthread_mutex_lock(&l->lock);
    stats = l->stats;
    pthread_mutex_unlock(&l->lock);
    return stats;
}
