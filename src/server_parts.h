/* SPDX-License-Identifier: Apache-2.0 */
/* server_parts.h - one process as its own files see it: built (server_build.c), started (server_start.c), stopped (server_stop.c). Private to
 * src/server*.c. */
#ifndef SERVER_PARTS_H
#define SERVER_PARTS_H

#include <uv.h>

#include "api/api.h"
#include "conf/cli.h"
#include "src/audit/audit.h"
#include "src/iam/user.h"
#include "src/io/fiber.h"
#include "src/io/notify.h"
#include "src/store/node.h"
#include "src/task/domains.h"
#include "src/task/job.h"

struct server;

struct worker {
    struct server *server;
    struct api api;
    char name[16];
    _Atomic bool running;
    struct loop_post drain_post, drained_post;
};

struct server {
    struct settings_box *box;
    const struct settings *boot;       /* as of the start; owned */
    const struct cli *cli;
    struct log_sink *sink;
    struct log log;
    struct notify notify;
    char node_name[256];
    struct api_node node;
    struct node self;                  /* this node's row in MetaDB */
    char listen_address[264];
    struct api_shared shared;
    struct domain_graph domains;
    struct work_pool *crypto, *connect, *longer;
    struct work_pool *visits;          /* connects to managed clusters: those that hang keep nobody from MetaDB */
    struct router *router;
    struct console *console;
    struct tls_server *tls;            /* NULL: cleartext */
    struct cidr_list trusted, monitoring;
    struct sql_target *metadb_targets, *monitordb_targets;
    unsigned n_metadb, n_monitordb;
    char package_schema[80];           /* database of the packages' bytes */
    struct embedded *embedded;         /* NULL: the database is elsewhere */
    char embedded_socket[128], embedded_user[64];
    struct loop *control;
    struct db *metadb, *monitordb;     /* of the control loop */
    struct worker *workers;
    struct api **apis;
    unsigned n_workers;
    uv_signal_t signals[3];
    unsigned n_signals;
    int64_t stream_timeout_ms;         /* how long clients may take to finish; set when stopping */
    unsigned n_draining;               /* workers that have not reported yet */
    struct waitlist drained;
    bool stopping;
    struct node_home *home;            /* what makes this node a member of its cluster */
    struct revoked *revoked;           /* certificates that count no more */
    bool is_drained, renewal_wanted;   /* what people want of this node, as it last looked */
    struct tls_server *peer_tls, *call_tls; /* of Raft; of calls */
    struct peer_caller *caller;        /* of the control loop; NULL until it is needed */
    unsigned n_calls;                  /* Raft thread: whose turn it is */
    char peer_address[ADDR_TEXT_SIZE];
    struct raft_node *raft;
    struct drive *drive;
    struct leases *leases;             /* of standing work */
    struct schedules *schedules;       /* work by the clock, of the leader */
    struct jobs *leader_jobs;          /* NULL: this node does not lead */
    struct job jobs[2];
    struct parameters *parameters;
    struct audit audit;
    int start_rv;                      /* what starting came to, and why */
    struct err start_error;
    uint64_t seed;
};

/* Of MetaDB, or MonitorDB, as the settings say. */
struct db_conf server_db_conf(struct server *s, bool monitor);
/* Everything that needs no other thread and no wait; then what the loops share is complete. Errors: those of the parts. */
MUST_CHECK int server_build(struct server *s, struct err *e);
/* The API loops with their HTTP servers, listening; their threads do not run yet. */
MUST_CHECK int server_make_workers(struct server *s, struct err *e);
/* Frees everything; what was never made is NULL. No thread may run. */
void server_tear_down(struct server *s);
struct user_context server_user_context(struct server *s);

/* Builds the server for one piece of work in a fiber, which sets s->start_rv and stops the control loop, and takes it down again.
 * Errors: those of server_build, and what the fiber left in s->start_error. */
MUST_CHECK int server_run_once(struct settings_box *box, const struct cli *cli, struct log_sink *sink, const char *name,
                               void (*fiber)(void *data), struct err *e);
/* The embedded database, if the settings want one. Errors: those of embedded_start. */
MUST_CHECK int server_start_embedded(struct server *s, struct err *e);
/* Errors: IO. */
MUST_CHECK int server_make_data_dir(const struct settings *set, struct err *e);

/* Body of the fiber that makes the server ready; `data` is the server. On failure it begins to stop. */
void server_start(void *data);

/* The node's place among the others (server_lead.c). Opens what it keeps about it, and takes part at once when it is a member already: MetaDB
 * is not needed for that. Errors: those of node_home_open and raft_node_new. */
MUST_CHECK int server_open_home(struct server *s, struct err *e);
/* When MetaDB's schema is there: a node that is no member founds a cluster of its own, if there is none; then it
 * signs on. Errors: those of node_found_alone and node_sign_on. */
MUST_CHECK int server_take_part(struct server *s, struct err *e);
/* When all parts are there: leads as soon as Raft says so. Errors: those of drive_start. */
MUST_CHECK int server_may_lead(struct server *s, struct err *e);
/* Gives standing work back, and says in MetaDB that the node stops; in a fiber. */
void server_release_work(struct server *s);
/* The other nodes, when Raft runs (server_peer.c). Errors: TLS_CONF, those of peers_new and peers_start. */
MUST_CHECK int server_meet_peers(struct server *s, struct err *e);
/* A connection of another node; takes the socket. Raft thread. */
void server_on_call(int fd, struct server *s);
/* Reads certificates and keys again. On failure the former ones stay. Errors: TLS_CONF, NOMEM. */
MUST_CHECK int server_reload_certificates(struct server *s, struct err *e);
/* Hands leadership to another node, if there is one, in a fiber. */
void server_hand_over(struct server *s);

/* Tell the leader of steps that are ready, or a node of steps that it is to run. Control loop; neither waits. `data`: the server. */
void server_kick_leader(void *data);
void server_kick_worker(int64_t node, void *data);
/* Jobs of this node about itself (server_self.c); `data` is the server. */
MUST_CHECK int server_beat(void *data, struct err *e);
/* node_is_current for this node. */
MUST_CHECK int server_is_current(const struct server *s, struct err *e);
/* Learns from MetaDB what people want of this node, and does it. Errors: NOT_FOUND, those of db_read. */
MUST_CHECK int server_look_for_wishes(struct server *s, struct err *e);
MUST_CHECK int server_keep_certificates(void *data, struct err *e);
/* Does the certificate with this serial number count no more? Any thread. */
bool server_is_revoked(const char *serial, struct server *s);

/* SIGTERM, SIGINT and SIGHUP are handled from now on. Errors: IO. */
MUST_CHECK int server_watch_signals(struct server *s, struct err *e);
/* Begins to stop; the second call stops without waiting for clients. */
void server_begin_stop(struct server *s);
/* Ends the API loops' threads. */
void server_join_workers(struct server *s);

#endif
