/* SPDX-License-Identifier: Apache-2.0 */
/* disk.h - the one thread that writes the Raft directory, in the order in which it is asked: term and vote, entries, and once a second the
 * metadata as they are (the watchdog: a disk that hangs is seen although nothing is to be written). The first failure is reported and ends
 * all writing. */
#ifndef RAFT_DISK_H
#define RAFT_DISK_H

#include <stdbool.h>

#include "raft/consensus.h"
#include "raft/dir.h"

struct raft_disk;

enum { RAFT_DISK_TOUCH_MS = 1000, RAFT_DISK_SAMPLES = 32 };

struct raft_disk_conf {
    struct raft_dir *dir;              /* taken over: closed by raft_disk_free */
    /* Called on the disk's thread. */
    void (*meta_done)(void *data);                                    /* one for each raft_disk_meta, in their order */
    void (*entries_done)(uint64_t index, uint64_t term, void *data);  /* the last entry of each raft_disk_write */
    void (*failed)(const struct err *why, void *data);                /* once; the process must end */
    void *data;
};

/* Starts the thread. Errors: NOMEM, IO. */
MUST_CHECK int raft_disk_new(const struct raft_disk_conf *conf, struct raft_disk **out, struct err *e);
/* Finishes what was asked for, then ends the thread. NULL is fine. */
void raft_disk_free(struct raft_disk *d);

/* Ask for a write; what is given is copied. One thread asks. Errors: NOMEM. */
MUST_CHECK int raft_disk_meta(struct raft_disk *d, uint64_t term, uint64_t vote, struct err *e);
MUST_CHECK int raft_disk_write(struct raft_disk *d, const struct consensus_write *w, struct err *e);

struct raft_disk_health {
    int64_t busy_ms;                   /* how long the write under way has taken so far; 0: none is */
    int64_t slow_ms;                   /* the slowest of the last RAFT_DISK_SAMPLES writes */
    int64_t free_mib;                  /* as of the last touch; -1: unknown */
};
/* Any thread. */
struct raft_disk_health raft_disk_health(struct raft_disk *d);

#endif
