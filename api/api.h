/* SPDX-License-Identifier: Apache-2.0 */
/* api.h - the object graph behind the HTTP surface: what all loops share, and what each loop has of its own. Built by src/server.c. */
#ifndef API_API_H
#define API_API_H

#include <stdatomic.h>

#include "api/router.h"
#include "src/io/http.h"
#include "src/store/db.h"

struct api;
struct audit;
struct console;
struct drive;
struct iam;
struct leases;
struct login_keys;
struct peer_caller;
struct peers;
struct raft_node;
struct setting_keeper;
struct stale_store;
struct settings;
struct schedule;
struct task_engine;
struct vault;

/* What this process is and how it does; any thread. */
struct api_node {
    const char *name, *zone, *address;   /* of the settings */
    const char *version;                 /* of the product */
    const char *build_time;
    int64_t started_wall_us;
    const struct clock *clock;
    _Atomic bool ready;                  /* schema accepted, keys there, listening */
    _Atomic bool draining;
    _Atomic bool witness;                /* votes, never leads, and serves nobody */
};

struct api_shared {
    struct api_node *node;
    const struct router *router;
    const struct console *console;
    const struct err_row *const *const *err_tables; /* ends with NULL */
    struct iam *iam;
    struct vault *vault;
    const char *key_file;                /* of the vault */
    struct login_keys *login_keys;
    struct task_engine *tasks;
    const struct schedule *const *schedules; /* work by the clock; ends with NULL */
    struct raft_node *raft;              /* this and what follows: NULL until the node takes part in its cluster, which is before it is ready */
    struct drive *drive;                 /* this node's leadership */
    struct leases *leases;               /* its leases of standing work */
    struct setting_keeper *setting;
    struct audit *audit;
    struct work_pool *crypto_pool, *connect_pool, *long_pool;
    struct api **loops;                  /* all, for /metrics and /livez */
    unsigned n_loops;
    const struct cidr_list *monitoring;  /* addresses that may read metrics without a login */
    struct stale_store *stale;           /* answers for the time without MetaDB */
    struct domain_graph *domains;        /* what the domains share: src/server.c */
    struct peers *_Atomic peers;         /* the other nodes; NULL: this one takes no part in a cluster yet */
};

/* Latency histogram of one route on one loop; the bounds are in microseconds, the last bucket is +Inf. */
enum { API_BUCKETS = 9 };
extern const uint64_t api_bucket_us[API_BUCKETS];
struct api_route_stats {
    _Atomic uint64_t status[6];          /* replies by hundreds */
    _Atomic uint64_t sum_us;
    _Atomic uint64_t bucket[API_BUCKETS + 1];
};

/* One per loop. */
struct api {
    const struct api_shared *shared;
    struct loop *loop;
    struct db *metadb, *monitordb;
    struct http_server *http;            /* set by the server after it was made */
    struct log log;
    struct api_route_stats *stats;       /* one per route of the router; owned */
    struct api_route_stats console;      /* pages and files of the console */
    struct api_route_stats unrouted;     /* requests that matched none */
    struct peer_caller *caller;          /* of calls to other nodes; NULL until the first; owned */
    _Atomic uint64_t forwarded, not_forwarded, stale; /* calls: the leader has answered; it has not; answered from memory */
    uint64_t trace_state;
    unsigned index;                      /* of the loop */
    unsigned streams;                    /* of events, now */
};

/* Prepares `a`, whose fields up to `metadb` are set by the caller. Errors: NOMEM. */
MUST_CHECK int api_init(struct api *a, uint64_t seed, struct err *e);
void api_fini(struct api *a);

/* Callbacks of the HTTP server; data is the struct api. */
void api_serve(struct http_request *rq, void *data);
void api_refuse(struct http_request *rq, const struct err *why, void *data);

ERR_DECLARE(ERR_ROUTE_UNKNOWN);     /* 404 {0} path */
ERR_DECLARE(ERR_METHOD);            /* 405 1008 {0} method, {1} methods allowed */
ERR_DECLARE(ERR_NODE_WITNESS);      /* 503 {0} name of this node, which is a witness */
ERR_DECLARE(ERR_PASSWORD_PENDING);  /* 403: the first password must be changed before anything else */
extern const struct err_row *const api_err_rows[];

#endif
