/* SPDX-License-Identifier: Apache-2.0 */
/* node.h - a consensus (consensus.h) at work: a thread of its own with its own event loop, a disk thread (disk.h), connections to the other
 * members with mutual TLS. Load elsewhere in the process never reaches it.
 *
 *   Raft thread:  timer, messages in ---> consensus ---> disk thread: term, vote, entries ---> messages out, once term and vote are stored
 *                 links: one connection to each member for what we say to it, one from each for what it says to us
 *
 * A link is also the liveness link: when a member's connection ends and its host then refuses a new one, its process is dead; if it led, the
 * voters do not wait for the election timeout but run at once, the lowest id first. Any thread, unless a function says otherwise. */
#ifndef RAFT_NODE_H
#define RAFT_NODE_H

#include "raft/consensus.h"
#include "raft/dir.h"
#include "src/base/log.h"
#include "src/io/addr.h"

struct raft_node;
struct tls_server;

ERR_DECLARE(ERR_RAFT_DISK); /* {0} why: the Raft directory cannot be written; the process ends */
extern const struct err_row *const raft_node_err_rows[];

/* Exit statuses of a node that must not go on. */
enum { RAFT_EXIT_DISK = 70, RAFT_EXIT_FATAL = 71 };

struct raft_node_conf {
    struct raft_dir *dir;               /* opened; taken over */
    const struct raft_dir_state *state; /* as it was read; used by raft_node_new only */
    struct addr listen;                 /* the peer port; port 0: any */
    const char *address;                /* of this node's peer port, as the others reach it */
    struct tls_server *tls;             /* with the cluster's authority; borrowed, outlives the node */
    unsigned election_ms, heartbeat_ms; /* 0: RAFT_ELECTION_MS, RAFT_HEARTBEAT_MS */
    const struct log *log;              /* borrowed, outlives the node */
    /* Something in the status did, perhaps before raft_node_new has returned; on the Raft thread, must not wait; may be NULL. */
    void (*changed)(struct raft_node *n, void *data);
    /* A connection to the peer port that begins with TLS at once (peer/hello.h): its socket, of which nothing was read. Takes it; on the Raft
     * thread, must not wait. NULL: such connections are closed. */
    void (*call)(int fd, void *data);
    void (*die)(int status, const struct err *why, void *data); /* must end the process; NULL: logs and does */
    void *data;
};

/* Starts the threads. Errors: IO (the port), RAFT_FATAL, NOMEM; on failure conf->dir is closed. */
MUST_CHECK int raft_node_new(const struct raft_node_conf *conf, struct raft_node **out, struct err *e);
/* Ends the threads. Leadership is not handed over: raft_node_transfer does. NULL is fine. */
void raft_node_free(struct raft_node *n);
/* The port it listens on. */
uint16_t raft_node_port(const struct raft_node *n);

struct raft_peer_status {
    struct member member;
    char address[ADDR_TEXT_SIZE + 72];
    bool connected;                     /* our connection to it stands */
    bool dead;                          /* its host refuses connections: no process */
    int64_t heard_ms;                   /* when it last said anything; 0: never */
    uint64_t match;                     /* how far it has the log, as the leader knows */
};
struct raft_node_status {
    struct raft_identity identity;
    struct consensus_status consensus;
    struct raft_peer_status peers[RAFT_MAX_MEMBERS]; /* all members, this node among them */
    unsigned n_peers;
    uint64_t changes;                   /* of role, term or leader since the start */
    int64_t disk_slow_ms, disk_free_mib;
    unsigned election_ms;
};
void raft_node_status(struct raft_node *n, struct raft_node_status *out);
/* Is there another voter, connected to this node, that could lead instead? */
bool raft_node_has_successor(const struct raft_node_status *s);

enum raft_request { RAFT_REQUEST_TRANSFER, RAFT_REQUEST_ADD, RAFT_REQUEST_ASSIGN, RAFT_REQUEST_REMOVE, RAFT_REQUEST_NOTE };
/* Asks and waits for being accepted; the outcome shows in the status. From fibers of other loops; members as each request needs them.
 * Errors: those of consensus_transfer and its siblings, TIMEOUT, CANCELLED. */
MUST_CHECK int raft_node_request(struct raft_node *n, enum raft_request what, const struct member *m, struct err *e);

#endif
