/* SPDX-License-Identifier: Apache-2.0 */
/* A set-associative table: a digest picks a set, the set's eight slots are searched, and a newcomer takes the oldest one. */
#include "src/iam/lockout.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "src/base/keyed.h"

enum { WAYS = 8, SETS = 512, ID_SIZE = 16 };

struct slot {
    uint8_t id[ID_SIZE];       /* of user or client */
    int64_t until_ms;          /* blocked until then; 0: empty */
    int64_t learned_ms;
};

struct lockout {
    _Atomic int64_t last_ms;   /* until when anything learned counts; nobody has to be looked up after it */
    pthread_mutex_t lock;      /* guards everything below */
    struct keyed keyed;
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

const char *lockout_client(const struct addr *client, char *buf)
{
    struct addr network = *client;
    size_t n;

    if (!client->known)
        return NULL;
    if (addr_is_v4(client))
        return addr_text(client, buf);
    memset(network.ip + 8, 0, 8);
    n = strlen(addr_text(&network, buf));
    (void)snprintf(buf + n, ADDR_TEXT_SIZE - n, "/64");
    return buf;
}

/* False when there is nobody to count. */
static bool identify(struct lockout *l, enum login_failure_kind kind, struct slice user, const struct addr *client, uint8_t id[KEYED_SIZE])
{
    struct slice parts[2] = { kind == LOGIN_FAILURE_USER ? SLICE("user") : SLICE("client"), user };
    char text[ADDR_TEXT_SIZE];
    const char *name;

    if (kind == LOGIN_FAILURE_CLIENT) {
        name = lockout_client(client, text);
        if (name == NULL)
            return false;
        parts[1] = (struct slice){ name, strlen(name) };
    }
    return keyed_digest(&l->keyed, parts, 2, id);
}

static struct slot *set_of(struct lockout *l, const uint8_t *id)
{
    uint64_t h;

    memcpy(&h, id + ID_SIZE, sizeof h);
    return l->slots[h % SETS];
}

static struct slot *find(struct lockout *l, const uint8_t *id)
{
    struct slot *set = set_of(l, id);

    for (unsigned i = 0; i < WAYS; i++) {
        if (set[i].until_ms > 0 && memcmp(set[i].id, id, ID_SIZE) == 0)
            return &set[i];
    }
    return NULL;
}

static struct slot *oldest(struct lockout *l, const uint8_t *id)
{
    struct slot *set = set_of(l, id), *s = &set[0];

    for (unsigned i = 1; i < WAYS; i++) {
        if (set[i].learned_ms < s->learned_ms)
            s = &set[i];
    }
    return s;
}

static void write_down(struct lockout *l, const uint8_t *id, int64_t wait_ms, int64_t now_ms)
{
    struct slot *s = find(l, id);

    if (wait_ms <= 0) {
        if (s != NULL)
            *s = (struct slot){ .until_ms = 0 };
        return;
    }
    s = s != NULL ? s : oldest(l, id);
    memcpy(s->id, id, ID_SIZE);
    s->until_ms = now_ms + wait_ms;
    s->learned_ms = now_ms;
    l->last_ms = now_ms + LOCKOUT_TRUST_MS;
}

void lockout_learn(struct lockout *l, enum login_failure_kind kind, struct slice user, const struct addr *client, int64_t wait_ms,
                   int64_t now_ms)
{
    uint8_t id[KEYED_SIZE];

    if (wait_ms <= 0 && now_ms > l->last_ms)
        return;
    pthread_mutex_lock(&l->lock);
    if (identify(l, kind, user, client, id))
        write_down(l, id, wait_ms, now_ms);
    pthread_mutex_unlock(&l->lock);
}

int64_t lockout_wait_ms(struct lockout *l, enum login_failure_kind kind, struct slice user, const struct addr *client, int64_t now_ms)
{
    uint8_t id[KEYED_SIZE];
    const struct slot *s = NULL;
    int64_t wait_ms = 0;

    if (now_ms > l->last_ms)
        return 0;
    pthread_mutex_lock(&l->lock);
    if (identify(l, kind, user, client, id))
        s = find(l, id);
    if (s != NULL && now_ms - s->learned_ms <= LOCKOUT_TRUST_MS && s->until_ms > now_ms)
        wait_ms = s->until_ms - now_ms;
    pthread_mutex_unlock(&l->lock);
    return wait_ms;
}
