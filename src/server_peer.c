/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of other nodes: they come to the peer port, which the Raft thread listens on, and are served by the API loops in turn.
 *
 *   Raft thread: begins with TLS? --> the socket --> API loop --> mutual TLS, members only --> requests, as on the API's own port */
#include "src/server_parts.h"

#include <unistd.h>

#include "src/io/fiber.h"
#include "src/node/home.h"
#include "src/node/peers.h"

struct arrival {
    struct loop_post post;
    struct worker *worker;
    int fd;
};

static void on_arrival(struct loop_post *post)
{
    struct arrival *a = (struct arrival *)((char *)post - offsetof(struct arrival, post));
    struct worker *w = a->worker;
    const struct http_listen at = { .tls = w->server->call_tls, .nodes = true };
    struct err e = { 0 };

    if (!w->running)
        (void)close(a->fd);
    else if (http_server_adopt(w->api.http, a->fd, &at, &e) != 0)
        log_info(&w->server->log, "connection of another node is not served", LOG_E(&e));
    mem_free(a);
}

/* Raft thread. */
void server_on_call(int fd, struct server *s)
{
    struct worker *w = &s->workers[s->n_calls++ % s->n_workers];
    struct arrival *a = s->shared.peers != NULL && w->running ? mem_alloc(sizeof *a) : NULL;

    if (a == NULL) {
        (void)close(fd);
        return;
    }
    *a = (struct arrival){ .post = { .fn = on_arrival }, .worker = w, .fd = fd };
    loop_post(a->worker->api.loop, &a->post);
}

static bool is_welcome(const char *serial, const char *uri, void *data)
{
    struct server *s = data;

    return !server_is_revoked(serial, s) && peers_is_member(s->shared.peers, uri);
}

static int make_call_tls(struct server *s, struct err *e)
{
    struct tls_conf conf = {
        .cert_file = s->home->certificate_file, .key_file = s->home->key_file, .client_ca = s->home->authority_file,
        .welcome = is_welcome, .data = s, .alpn = "h2,http/1.1",
    };

    return tls_server_new(&conf, &s->call_tls, e);
}

int server_meet_peers(struct server *s, struct err *e)
{
    const struct peers_conf conf = {
        .loop = s->control, .raft = s->raft, .metadb = s->metadb,
        .authority = s->home->authority_file, .certificate = s->home->certificate_file, .key = s->home->key_file,
    };
    struct peers *peers;
    int rv = make_call_tls(s, e);

    if (rv == 0)
        rv = peers_new(&conf, &peers, e);
    if (rv != 0)
        return rv;
    s->shared.peers = peers; /* from now on calls come in */
    return peers_start(peers, e);
}

/* --- a task for the leader ----------------------------------------------------------------------------------------------------------- */

enum { KICK_MS = 2000 };

struct kick {
    struct server *server;
    int64_t node;                /* 0: the leader, whoever that is */
};

/* False: it is this node, or nobody knows where it is. */
static bool find_node(struct server *s, int64_t node, struct arena *arena, struct peer_call *call)
{
    struct peers_leader *leader = arena_alloc(arena, sizeof *leader);
    struct peers_member *others;
    size_t n;

    if (leader != NULL && node == 0 && peers_leader(s->shared.peers, leader) && !leader->self) {
        call->node = leader->node;
        call->address = leader->address;
        return true;
    }
    if (node == 0 || peers_others(s->shared.peers, arena, &others, &n, NULL) != 0)
        return false;
    for (size_t i = 0; i < n; i++) {
        if (others[i].id != node || others[i].address[0] == '\0')
            continue;
        call->node = (uint64_t)node;
        call->address = others[i].address;
        return true;
    }
    return false;
}

static int kick(struct server *s, int64_t node, struct arena *arena, struct err *e)
{
    struct peer_answer answer;
    struct peer_call call = { .method = "POST", .target = node == 0 ? PEERS_KICK_PATH : PEERS_WORK_PATH, .repeatable = true };
    int rv = s->caller == NULL ? peers_caller(s->shared.peers, s->control, &s->caller, e) : 0;

    if (rv != 0 || !find_node(s, node, arena, &call))
        return rv;
    return peer_call(s->caller, &call, arena, &answer, e);
}

static void kick_fiber(void *data)
{
    struct kick *k = data;
    struct arena arena;
    struct err e = { 0 };

    arena_init(&arena);
    (void)fiber_narrow_deadline(KICK_MS);
    if (kick(k->server, k->node, &arena, &e) != 0)
        log_info(&k->server->log, "a node finds steps a little later", LOG_I("node", k->node), LOG_E(&e));
    arena_fini(&arena);
    mem_free(k);
}

void server_kick_worker(int64_t node, void *data)
{
    struct server *s = data;
    struct kick *k = s->shared.peers != NULL ? mem_alloc(sizeof *k) : NULL;
    struct err e;

    if (k == NULL)
        return;
    *k = (struct kick){ s, node };
    if (fiber_start(s->control, "kick", kick_fiber, k, NULL, &e) != 0)
        mem_free(k);
}

void server_kick_leader(void *data)
{
    server_kick_worker(0, data);
}

/* One that cannot be read keeps no other from being renewed; the first failure is told. */
static int reload(struct tls_server *t, int former, struct err *e)
{
    struct err later = { 0 };
    int rv = t != NULL ? tls_server_reload(t, former == 0 ? e : &later) : 0;

    return former != 0 ? former : rv;
}

int server_reload_certificates(struct server *s, struct err *e)
{
    int rv = reload(s->tls, 0, e);

    rv = reload(s->peer_tls, rv, e);
    return reload(s->call_tls, rv, e);
}
