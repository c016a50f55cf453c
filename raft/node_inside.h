/* SPDX-License-Identifier: Apache-2.0 */
/* node_inside.h - struct raft_node for node.c and link.c. Private to raft/; everything belongs to the Raft thread unless it says otherwise. */
#ifndef RAFT_NODE_INSIDE_H
#define RAFT_NODE_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "raft/disk.h"
#include "raft/node.h"
#include "src/io/fiber.h"
#include "src/io/loop.h"
#include "src/io/stream.h"
#include "src/peer/hello.h"

enum { LINK_MAX_QUEUED = 1024, LINK_RETRY_MS = 100, LINK_CONNECT_MS = 1000, LINK_HELLO_MS = 3000, LINK_MAX_INCOMING = 64, LINK_MAX_UNSORTED = 64 };

/* A message that waits to be sent. */
struct parcel {
    struct parcel *next;
    uint64_t to;
    uint64_t after;              /* number of the meta write that must be done before */
    size_t n;
    char bytes[];
};

struct parcels {
    struct parcel *first, *last;
    unsigned n;
};

/* To one other member. */
struct link {
    struct raft_node *node;
    uint64_t id;
    char address[ADDR_TEXT_SIZE + 72];
    struct addr to;
    struct fiber *fiber;
    struct waitlist wake;
    struct stream *stream;       /* NULL: not connected */
    struct parcels queue;
    bool lost;                   /* the reader has seen the end */
    bool dead;                   /* the host refuses connections */
    bool unwanted;               /* no member any more */
    struct stream *incoming;     /* the connection that its messages are taken from; NULL: none */
    int64_t heard_ms;
    struct fiber_group readers;
};

struct raft_node {
    struct raft_node_conf conf;
    struct raft_identity identity;
    char address[ADDR_TEXT_SIZE + 72];
    struct log log;
    struct loop *loop;
    uv_timer_t timer;
    struct consensus *c;
    struct raft_disk *disk;
    struct stream_listener *listener;
    uint16_t port;
    struct link links[RAFT_MAX_MEMBERS];
    unsigned n_links, n_incoming;
    struct arrival *unsorted;    /* connections that have not said yet what they are for, the eldest first */
    unsigned n_unsorted;
    struct parcels held;
    uint64_t metas_wanted, metas_done;
    int64_t hung_ms;             /* when leadership was handed away because the disk hangs; 0: it does not */
    bool slow;                   /* the disk, as it was last said */
    bool stopping;
    /* from the disk thread */
    pthread_mutex_t disk_lock;
    struct {
        uint64_t metas;
        struct {
            uint64_t index, term;
        } entries[256];
        unsigned n_entries;
        bool failed;
        struct err why;
    } done;                      /* under disk_lock */
    _Atomic bool disk_posted;
    struct loop_post disk_post, start_post, stop_post;
    /* for all threads */
    pthread_mutex_t status_lock;
    struct raft_node_status status;
};

/* What a call of the consensus returned: begins its work, or ends the process. */
void raft_node_after(struct raft_node *n, int rv, const struct err *e);
void raft_node_die(struct raft_node *n, int status, const struct err *why);

/* Links to exactly the other members. */
void raft_links_update(struct raft_node *n);
/* Takes the parcel. */
void raft_links_send(struct raft_node *n, struct parcel *p);
/* Errors: IO, NOMEM. */
MUST_CHECK int raft_links_listen(struct raft_node *n, struct err *e);
/* From then on connections are taken. Errors: NOMEM. */
MUST_CHECK int raft_links_accept(struct raft_node *n, struct err *e);
void raft_links_close(struct raft_node *n);
struct link *raft_link(struct raft_node *n, uint64_t id);

void parcels_add(struct parcels *list, struct parcel *p);
struct parcel *parcels_take(struct parcels *list);
void parcels_drop(struct parcels *list);

#endif
