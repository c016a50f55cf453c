/* SPDX-License-Identifier: Apache-2.0 */
/* inside.h - what iam.c (the object, the watch) and basic.c (the way of one login) share. */
#ifndef IAM_INSIDE_H
#define IAM_INSIDE_H

#include <pthread.h>

#include "src/iam/iam.h"
#include "src/iam/login_cache.h"
#include "src/io/fiber.h"

/* A password that is being verified, and the requests of the same loop that came with the same login meanwhile. */
struct flight {
    struct flight *next;
    struct loop *loop;
    uint8_t secret[KEYED_SIZE];
    struct waitlist line;
    unsigned n_owners;           /* the fiber that verifies, and those in line; all of one loop */
    bool landed;
    struct err error;            /* why it failed; no row: it succeeded */
};

struct iam {
    struct iam_conf conf;
    struct lockout *lockout;     /* owned */
    pthread_mutex_t lock;        /* guards everything below; held for microseconds, never across a wait */
    struct keyed keyed;
    struct login_cache *cache;   /* owned */
    struct flight *flights;      /* owned by their fibers */
    struct iam_stats stats;
};

void iam_set_away(struct iam *m, bool away);
int64_t iam_now_ms(const struct iam *m);

#endif
