/* SPDX-License-Identifier: Apache-2.0 */
/* peers.h - the other nodes as this one sees them: who leads and where it is called, who may call here, and whether MetaDB answers anybody.
 *
 *   control loop:  each second   MetaDB answers? --- yes --> ready
 *                                    | no
 *                                    v
 *                  each second   every peer is asked (GET /peer/state): all miss it, too --> ready: callers get our stale reads, not
 *                                                                                            the error page of a load balancer
 *                                                                        somebody reaches it, or is silent --> not ready, after PEERS_DOUBT_MS
 *
 * The doubt is for the moments in which a MetaDB goes or comes back and some nodes know before others: without it all could leave the load
 * balancer's pool at once. A peer whose host says that its process is dead is no peer for that time. Any thread, unless a function says
 * otherwise. */
#ifndef NODE_PEERS_H
#define NODE_PEERS_H

#include "raft/node.h"
#include "src/peer/call.h"

struct db;
struct loop;
struct peers;

enum { PEERS_NAMES_MS = 5000, PEERS_EACH_MS = 1000, PEERS_PROBE_MS = 1500, PEERS_ASK_MS = 900, PEERS_FRESH_MS = 2000, PEERS_DOUBT_MS = 2000,
       PEERS_SURE_MS = 1900 };
#define PEERS_STATE_PATH "/peer/state"
#define PEERS_KICK_PATH "/peer/tasks/kick" /* the leader is told of steps that are ready */
#define PEERS_WORK_PATH "/peer/tasks/work" /* a worker is told of steps that it is to run */

struct peers_conf {
    struct loop *loop;                        /* the control loop; borrowed, outlives the peers */
    struct raft_node *raft;                   /* borrowed, outlives the peers' last fiber */
    struct db *metadb;                        /* of that loop; borrowed */
    const char *authority, *certificate, *key; /* PEM files of this node; copied */
};
/* On the loop's thread. Errors: NOMEM. */
MUST_CHECK int peers_new(const struct peers_conf *conf, struct peers **out, struct err *e);
/* Begins to look, on the loop's thread; ends with the loop. Errors: NOMEM, BUSY. */
MUST_CHECK int peers_start(struct peers *p, struct err *e);
/* When no fiber of the loop runs any more, before loop_free. NULL is fine. */
void peers_free(struct peers *p);

/* A caller for another loop; its thread. Errors: NOMEM. */
MUST_CHECK int peers_caller(const struct peers *p, struct loop *loop, struct peer_caller **out, struct err *e);

struct peers_leader {
    uint64_t node;
    bool self;
    char address[ADDR_TEXT_SIZE + 72];        /* of its peer port */
};
/* Whom Raft knows to lead. False: nobody. */
bool peers_leader(const struct peers *p, struct peers_leader *out);
/* Is this the URI (peer_uri) of another node of the cluster? */
bool peers_is_member(const struct peers *p, const char *uri);

/* A member as far as this node knows it without asking anybody. Texts are "" when unknown. */
struct peers_member {
    int64_t id;
    const char *name, *zone, *version, *role, *address; /* role: VOTER, STANDBY, SPARE; address: of its peer port */
    int self, leader, connected, dead;
    int64_t seen_us;                          /* when it was last heard, by this node's wall clock; FIELD_NONE: never */
};
/* In the arena, in the order of their ids. Errors: NOMEM. */
MUST_CHECK int peers_members(struct peers *p, struct arena *arena, struct peers_member **out, size_t *n, struct err *e);
/* The same without this node. */
MUST_CHECK int peers_others(struct peers *p, struct arena *arena, struct peers_member **out, size_t *n, struct err *e);

/* Does MetaDB answer this node, as of the last probe? */
bool peers_metadb(struct peers *p);
/* Should a load balancer send calls here, as far as MetaDB goes? If not, `why` says why. */
enum { PEERS_WHY_SIZE = 160 };
bool peers_is_ready(struct peers *p, char why[PEERS_WHY_SIZE]);
/* A voter that says that MetaDB answers it, 0 when none does; asks unless that was done a moment ago. From a fiber of the control loop. */
uint64_t peers_reaches_metadb(struct peers *p);

/* What this node answers to PEERS_STATE_PATH. Appends JSON. */
struct str;
void peers_add_state(struct peers *p, struct str *t);

#endif
