/* SPDX-License-Identifier: Apache-2.0 */
/* journal_life.h - whether a process lives: it holds a lock that the kernel takes away with its life, and touches the file as it runs. */
#ifndef OBSIM_JOURNAL_LIFE_H
#define OBSIM_JOURNAL_LIFE_H

#include <stdbool.h>
#include <stdint.h>

struct journal_life {
    int own;                          /* owned: this process's file, locked; -1: none yet */
    int64_t lease_us;
};

/* Locks the file of ip:port in the folder. False, with errno; EWOULDBLOCK: somebody else is it. */
bool life_begin(struct journal_life *l, int folder, const char *ip, int port);
void life_touch(const struct journal_life *l);
/* Is another process alive, and was its file touched within the lease? */
bool life_of(const struct journal_life *l, int folder, const char *ip, int port);

#endif
