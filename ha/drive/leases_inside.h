/* SPDX-License-Identifier: Apache-2.0 */
/* leases_inside.h - what the two halves of leases.h share: this node's side (leases.c) and the leader's (assign.c). */
#ifndef HA_DRIVE_LEASES_INSIDE_H
#define HA_DRIVE_LEASES_INSIDE_H

#include <stdatomic.h>

#include "ha/drive/leases.h"
#include "src/io/fiber.h"

struct leases {
    struct leases_conf conf;
    struct log log;
    struct leasing_side side;
    struct leases_user *users;
    struct waitlist wake;            /* the node's fiber waits here */
    struct waitlist resting;         /* who waits for everything to be given back */
    bool kicks[LEASING_SHARDS];      /* of others' shards, to be passed on */
    bool failing, works;
    /* as leader */
    struct leasing plan;
    int64_t epoch;                   /* of `plan` */
    struct arena places_arena;
    const char *idcs[LEASING_SHARDS];
    int64_t places_ms;               /* when idcs were read; INT64_MIN: not under this epoch */
    struct {
        _Atomic uint64_t renewals, failures, lost, granted, moved;
        _Atomic unsigned held;
    } count;
};

static inline int64_t leases_now_ms(const struct leases *l)
{
    return clock_now_ms(loop_clock(l->conf.loop));
}

#endif
