/* SPDX-License-Identifier: Apache-2.0 */
/* dir.h - the Raft directory of a node: its log, and its metadata in two copies.
 *
 *   meta-a meta-b   the same 512 bytes with a checksum, written one after the other, so that one of them is always whole
 *   log             a header, then records: magic, checksum, index, term, kind, size, data
 *
 * Every call that writes returns when the kernel says that it is on the disk (fdatasync). After any failure the node must end: what the disk
 * holds is not known any more. A torn record at the end of the log was never confirmed and is cut off; anything else that is wrong refuses
 * the start. Blocking; one thread at a time. */
#ifndef RAFT_DIR_H
#define RAFT_DIR_H

#include "raft/entry.h"
#include "src/base/arena.h"
#include "src/base/err.h"

struct raft_dir;

ERR_DECLARE(ERR_RAFT_DIR_ABSENT);  /* {0} directory: this node was never founded or joined */
ERR_DECLARE(ERR_RAFT_DIR_CORRUPT); /* {0} file, {1} what is wrong */
ERR_DECLARE(ERR_RAFT_DIR_FULL);    /* {0} directory, {1} MiB free, {2} MiB needed */
ERR_DECLARE(ERR_RAFT_DIR_USED);    /* {0} directory: another process has it */
extern const struct err_row *const raft_dir_err_rows[];

enum { RAFT_DIR_MIN_FREE_MIB = 128, RAFT_DIR_ALARM_FREE_MIB = 256, RAFT_CLUSTER_ID_BYTES = 16 };

/* Whose log this is; never changes. */
struct raft_identity {
    uint8_t cluster[RAFT_CLUSTER_ID_BYTES]; /* drawn when the cluster was founded */
    uint64_t generation;                    /* of the log: grows when the cluster is founded anew after a disaster */
    uint64_t node;                          /* not 0 */
};

/* What was read. Entries lie in the arena given to raft_dir_open. */
struct raft_dir_state {
    struct raft_identity identity;
    uint64_t term, vote;
    struct entry *entries;
    size_t n_entries;
};

/* Makes the directory with an empty log, or one with `first` as its first entry (in term 1). Refuses one that is not empty.
 * Errors: INVALID, IO, RAFT_DIR_FULL. */
MUST_CHECK int raft_dir_create(const char *path, const struct raft_identity *who, const struct entry *first, struct err *e);

/* Locks and reads it. Errors: RAFT_DIR_ABSENT, RAFT_DIR_CORRUPT, RAFT_DIR_FULL, RAFT_DIR_USED, IO, NOMEM. */
MUST_CHECK int raft_dir_open(const char *path, struct arena *arena, struct raft_dir_state *state, struct raft_dir **out, struct err *e);
/* NULL is fine. */
void raft_dir_close(struct raft_dir *d);

/* Errors of all: IO, NOMEM. */
MUST_CHECK int raft_dir_write_meta(struct raft_dir *d, uint64_t term, uint64_t vote, struct err *e);
/* The log ends before `index` (from 1, at most one beyond its end) and goes on with these. */
MUST_CHECK int raft_dir_write(struct raft_dir *d, uint64_t index, const struct entry *entries, unsigned n, struct err *e);
/* Writes the metadata again as they are: shows whether the disk still works, and keeps how far the log is known to reach. */
MUST_CHECK int raft_dir_touch(struct raft_dir *d, struct err *e);
/* MiB that are free there; -1 when it cannot be told. */
int64_t raft_dir_free_mib(const struct raft_dir *d);

#endif
