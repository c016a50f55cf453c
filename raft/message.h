/* SPDX-License-Identifier: Apache-2.0 */
/* message.h - what consensus nodes say to each other, as bytes: a header of eight bytes (version, kind, the library's version of that kind, 0, bytes that follow), then
 * numbers of eight bytes each, all little-endian. Every length is checked before anything is taken. Pure; any thread. */
#ifndef RAFT_MESSAGE_H
#define RAFT_MESSAGE_H

#include <stdbool.h>

#include "raft/entry.h"
#include "src/base/arena.h"
#include "src/base/err.h"
#include "src/base/str.h"

enum { MESSAGE_HEADER_BYTES = 8, MESSAGE_MAX_BYTES = MESSAGE_HEADER_BYTES + 64 + ENTRY_MAX_PER_MESSAGE * (24 + ENTRY_MAX_BYTES) };

ERR_DECLARE(ERR_RAFT_MESSAGE); /* {0} what is wrong with it: the connection it came over is to be closed */

/* Ongaro's RPCs (Raft thesis, figure 3.1); the numbers are those of libraft. Snapshots are never sent and never accepted. */
enum message_kind {
    MESSAGE_APPEND = 1,
    MESSAGE_APPEND_RESULT,
    MESSAGE_VOTE,
    MESSAGE_VOTE_RESULT,
    MESSAGE_TIMEOUT_NOW = 6,
};

struct message {
    enum message_kind kind;
    uint8_t version;                 /* the library's, of this kind */
    uint64_t term;
    union {
        struct {
            uint64_t prev_index, prev_term, commit;
            struct entry *entries;       /* in the arena */
            unsigned n_entries;
        } append;
        struct {
            uint64_t rejected, last_index;
            uint16_t features;
        } append_result;
        struct {
            uint64_t candidate, last_index, last_term;
            bool disrupt_leader, pre_vote;
        } vote;
        struct {
            bool granted, pre_vote;
            uint16_t features;
        } vote_result;
        struct {
            uint64_t last_index, last_term;
        } timeout_now;
    };
};

/* Appends the message to `t`; check str_failed. */
void message_encode(const struct message *m, struct str *t);

/* How many bytes the message has that begins with these MESSAGE_HEADER_BYTES: what to read before decoding. Errors: RAFT_MESSAGE. */
MUST_CHECK int message_length(const void *header, size_t *bytes, struct err *e);
/* Exactly one message. Entries and their data lie in `arena`. Errors: RAFT_MESSAGE, NOMEM. */
MUST_CHECK int message_decode(struct slice bytes, struct arena *arena, struct message *out, struct err *e);

#endif
