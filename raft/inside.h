/* SPDX-License-Identifier: Apache-2.0 */
/* inside.h - struct consensus for consensus*.c: the library's state, the entries, the gathered work. Private to raft/. */
#ifndef RAFT_INSIDE_H
#define RAFT_INSIDE_H

#include <raft.h>

#include "raft/consensus.h"
#include "raft/message.h"

/* What the leader has heard from a member. */
struct peer {
    uint64_t id;
    int64_t heard_ms;
    uint64_t match;
    int64_t moved_ms;      /* when `match` last changed, or was the end of the log */
};

struct consensus {
    struct raft raft;
    int64_t now_ms;
    uint64_t random;
    struct entry *log;     /* owned, with each entry's data; log[i] is index i + 1 */
    size_t n_log, log_space;
    uint64_t applied;
    uint64_t barrier;      /* index of this leadership's barrier; 0: not submitted yet */
    bool slow, has_yielded; /* to nodes whose disks are faster, since a leader was known */
    bool has_followed;     /* some leader */
    enum consensus_cause cause, next_cause; /* of the last candidacy; of the next one, unless a leader is heard before */
    bool refusing;         /* the step under way answers a leader of an older term */
    struct peer peers[RAFT_MAX_MEMBERS];
    unsigned n_peers;
    struct {
        struct arena arena;
        bool meta;
        struct consensus_write *writes;
        struct consensus_packet *packets;
        unsigned n_writes, writes_space, n_packets, packets_space;
    } out;
    struct consensus_work work;
};

/* Errors of all: RAFT_FATAL, NOMEM. */

/* A step of the library, and everything that follows from it. *taken (may be NULL): the library has not refused the event. */
MUST_CHECK int consensus_step(struct consensus *c, struct raft_event *event, int64_t now_ms, bool *taken, struct err *e);
/* Appends an entry of ours, as leader. Errors: also RAFT_NOT_LEADER, RAFT_BUSY, RAFT_MEMBER. */
MUST_CHECK int consensus_submit(struct consensus *c, const struct entry *en, struct err *e);

/* The log in memory. */
void consensus_cut(struct consensus *c, size_t n);
MUST_CHECK int consensus_push(struct consensus *c, const struct entry *en, struct err *e);
/* Entries as one batch of the library's: array and batch[0].batch are to be freed with raft_free, the latter unless the library takes it.
 * NULL when memory is out. */
MUST_CHECK struct raft_entry *consensus_batch(const struct entry *from, unsigned n);

/* Gathers work. */
MUST_CHECK int consensus_want_write(struct consensus *c, uint64_t index, unsigned n, struct err *e);
MUST_CHECK int consensus_want_packets(struct consensus *c, const struct raft_update *u, struct err *e);

int consensus_fatal(struct err *e, const char *what);

#endif
