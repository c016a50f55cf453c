/* SPDX-License-Identifier: Apache-2.0 */
#include "src/node/peers.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "src/base/field.h"
#include "src/io/fiber.h"
#include "src/io/loop.h"
#include "src/store/node.h"

enum word { WORD_NONE, WORD_REACHES, WORD_MISSES };

/* What one peer said about MetaDB. */
struct said {
    uint64_t node;
    enum word word;
    int64_t at_ms;
    int64_t answered_ms; /* when MetaDB last answered it; what it says may be older than what has happened since */
};

struct peers {
    struct peers_conf conf;                   /* its files are the ones below */
    char *authority, *certificate, *key;
    struct raft_identity identity;
    struct peer_caller *caller;               /* of the control loop */
    struct fiber_group asking;                /* control loop */
    int64_t asked_ms;                         /* control loop: when the last round began */
    pthread_mutex_t lock;                     /* guards the rest */
    bool reached;
    int64_t answered_ms;                      /* when MetaDB last answered, as of the last probe */
    struct said said[RAFT_MAX_MEMBERS];
    unsigned n_said;
    int64_t bad_ms;                           /* since when MetaDB should answer here and does not; 0: all is well */
    char why[PEERS_WHY_SIZE];
    struct arena names_arena;                 /* owns: */
    struct node *names;                       /* what the nodes last said of themselves in MetaDB */
    size_t n_names;
    int64_t named_ms;                         /* control loop; when that was read */
};

static int64_t now_ms(const struct peers *p)
{
    return clock_now_ms(loop_clock(p->conf.loop));
}

/* --- who ------------------------------------------------------------------------------------------------------------------------------ */

bool peers_leader(const struct peers *p, struct peers_leader *out)
{
    struct raft_node_status s;

    raft_node_status(p->conf.raft, &s);
    *out = (struct peers_leader){ .node = s.consensus.leader, .self = s.consensus.leader == s.identity.node };
    for (unsigned i = 0; i < s.n_peers; i++)
        if (s.peers[i].member.id == out->node)
            (void)snprintf(out->address, sizeof out->address, "%s", s.peers[i].address);
    return out->node != 0 && out->address[0] != '\0';
}

bool peers_is_member(const struct peers *p, const char *uri)
{
    struct raft_node_status s;
    char own[PEER_URI_SIZE];

    raft_node_status(p->conf.raft, &s);
    for (unsigned i = 0; i < s.n_peers; i++)
        if (s.peers[i].member.id != s.identity.node && strcmp(uri, peer_uri(s.identity.cluster, s.peers[i].member.id, own)) == 0)
            return true;
    return false;
}

static const struct node *name_of(const struct peers *p, uint64_t id)
{
    for (size_t i = 0; i < p->n_names; i++)
        if ((uint64_t)p->names[i].id == id)
            return &p->names[i];
    return NULL;
}

static const char *text_of(struct arena *arena, const char *text)
{
    return arena_strdup(arena, text != NULL ? text : "");
}

/* With the lock held. False when memory is out. */
static bool describe(const struct peers *p, const struct raft_node_status *s, const struct raft_peer_status *of, struct arena *arena,
                     struct peers_member *out)
{
    static const char *const roles[] = { [MEMBER_STANDBY] = "STANDBY", [MEMBER_VOTER] = "VOTER", [MEMBER_SPARE] = "SPARE" };
    const struct node *named = name_of(p, of->member.id);
    int64_t heard = of->heard_ms;

    *out = (struct peers_member){
        .id = (int64_t)of->member.id,
        .name = text_of(arena, named != NULL ? named->name : NULL),
        .zone = text_of(arena, named != NULL ? named->zone : NULL),
        .version = text_of(arena, named != NULL ? named->version : NULL),
        .role = roles[of->member.role],
        .address = text_of(arena, of->address),
        .self = of->member.id == s->identity.node,
        .leader = of->member.id == s->consensus.leader,
        .connected = of->connected,
        .dead = of->dead,
        .seen_us = heard != 0 ? clock_wall_us(loop_clock(p->conf.loop)) - (now_ms(p) - heard) * 1000 : FIELD_NONE,
    };
    return out->name != NULL && out->zone != NULL && out->version != NULL && out->address != NULL;
}

int peers_members(struct peers *p, struct arena *arena, struct peers_member **out, size_t *n, struct err *e)
{
    struct raft_node_status s;
    bool ok = true;

    raft_node_status(p->conf.raft, &s);
    *n = s.n_peers;
    *out = arena_array(arena, *n > 0 ? *n : 1, sizeof **out);
    if (*out == NULL)
        return err_set(e, &ERR_NOMEM, "");
    pthread_mutex_lock(&p->lock);
    for (unsigned i = 0; i < s.n_peers; i++)
        ok = describe(p, &s, &s.peers[i], arena, &(*out)[i]) && ok;
    pthread_mutex_unlock(&p->lock);
    return ok ? 0 : err_set(e, &ERR_NOMEM, "");
}

int peers_others(struct peers *p, struct arena *arena, struct peers_member **out, size_t *n, struct err *e)
{
    size_t n_all, kept = 0;
    int rv = peers_members(p, arena, out, &n_all, e);

    for (size_t i = 0; rv == 0 && i < n_all; i++)
        if (!(*out)[i].self)
            (*out)[kept++] = (*out)[i];
    *n = kept;
    return rv;
}

/* The others that take part, and live as far as anybody knows. */
static unsigned others(const struct peers *p, struct raft_node_status *s, struct raft_peer_status *out[RAFT_MAX_MEMBERS], unsigned *n_dead)
{
    unsigned n = 0;

    raft_node_status(p->conf.raft, s);
    *n_dead = 0;
    for (unsigned i = 0; i < s->n_peers; i++) {
        if (s->peers[i].member.id == s->identity.node || s->peers[i].member.role == MEMBER_SPARE)
            continue;
        if (s->peers[i].dead)
            ++*n_dead;
        else
            out[n++] = &s->peers[i];
    }
    return n;
}

/* --- what they say about MetaDB --------------------------------------------------------------------------------------------------------- */

static enum word word_of(const struct peers *p, uint64_t node, int64_t now)
{
    for (unsigned i = 0; i < p->n_said; i++)
        if (p->said[i].node == node && now - p->said[i].at_ms <= PEERS_FRESH_MS)
            return p->said[i].word;
    return WORD_NONE;
}

/* With the lock held: fills p->why, and answers whether there is a reason to leave the pool. */
static bool is_bad(struct peers *p, int64_t now)
{
    struct raft_node_status s;
    struct raft_peer_status *other[RAFT_MAX_MEMBERS];
    unsigned n_dead, n = others(p, &s, other, &n_dead);

    if (p->reached || n + n_dead == 0)
        return false;
    for (unsigned i = 0; i < n; i++) {
        unsigned long long id = other[i]->member.id;
        enum word word = word_of(p, id, now);

        if (word == WORD_MISSES)
            continue;
        (void)snprintf(p->why, sizeof p->why, word == WORD_REACHES ? "MetaDB does not answer this node, but node %llu" : "this node reaches neither MetaDB nor node %llu", id);
        return true;
    }
    (void)snprintf(p->why, sizeof p->why, "this node reaches neither MetaDB nor any other node");
    return n == 0;
}

static void judge(struct peers *p)
{
    int64_t now = now_ms(p);

    pthread_mutex_lock(&p->lock);
    if (!is_bad(p, now))
        p->bad_ms = 0;
    else if (p->bad_ms == 0)
        p->bad_ms = now;
    pthread_mutex_unlock(&p->lock);
}

static void note_word(struct peers *p, uint64_t node, enum word word, int64_t ago_ms)
{
    unsigned i = 0;

    pthread_mutex_lock(&p->lock);
    while (i < p->n_said && p->said[i].node != node)
        i++;
    if (i == p->n_said && p->n_said < RAFT_MAX_MEMBERS)
        p->n_said++;
    else if (i == p->n_said)
        i = 0; /* a place of somebody who is long gone: who is still there speaks again soon */
    p->said[i] = (struct said){ node, word, now_ms(p), now_ms(p) - ago_ms };
    pthread_mutex_unlock(&p->lock);
}

struct question {
    struct peers *peers;
    uint64_t node;
    char address[ADDR_TEXT_SIZE + 72];
};

static enum word read_state(struct slice body, int64_t *ago_ms)
{
    const json_t *metadb;
    json_t *root;
    enum word word = WORD_NONE;

    if (json_parse(body, &root, NULL) != 0)
        return WORD_NONE;
    metadb = json_object_get(root, "metadb");
    if (json_is_boolean(metadb))
        word = json_is_true(metadb) ? WORD_REACHES : WORD_MISSES;
    *ago_ms = json_integer_value(json_object_get(root, "ago")); /* 0 from nodes that do not say it */
    json_decref(root);
    return word;
}

static void ask_one(void *data)
{
    struct question *q = data;
    struct peer_call call = { .node = q->node, .address = q->address, .method = "GET", .target = PEERS_STATE_PATH, .repeatable = true };
    struct peer_answer answer;
    struct arena arena;
    struct err e = { 0 };
    enum word word = WORD_NONE;
    int64_t ago_ms = 0;

    arena_init(&arena);
    (void)fiber_narrow_deadline(PEERS_ASK_MS);
    if (peer_call(q->peers->caller, &call, &arena, &answer, &e) == 0 && answer.status == 200)
        word = read_state(answer.body, &ago_ms);
    arena_fini(&arena);
    if (word != WORD_NONE)
        note_word(q->peers, q->node, word, ago_ms);
    mem_free(q);
}

static void ask(struct peers *p, const struct raft_peer_status *of)
{
    struct question *q = mem_alloc(sizeof *q);

    if (q == NULL)
        return; /* the next round is near */
    q->peers = p;
    q->node = of->member.id;
    (void)snprintf(q->address, sizeof q->address, "%s", of->address);
    if (fiber_group_start(&p->asking, p->conf.loop, "ask peer", ask_one, q, NULL) != 0)
        mem_free(q);
}

/* One round; each answer counts as it comes. */
static void ask_all(struct peers *p)
{
    struct raft_node_status s;
    struct raft_peer_status *other[RAFT_MAX_MEMBERS];
    unsigned n_dead, n = others(p, &s, other, &n_dead);

    if (p->asking.running == 0) {
        p->asked_ms = now_ms(p);
        for (unsigned i = 0; i < n; i++)
            ask(p, other[i]);
    }
    while (fiber_group_wait(&p->asking, NULL) != 0 && !fiber_is_cancelled(fiber_current()))
        continue; /* each question has its own deadline */
}

/* Has MetaDB answered it after the first of those probes that say that it does not answer here? When MetaDB is away for all, a peer that has
 * not noticed yet must not get leadership. */
static bool is_sure(const struct peers *p, uint64_t node, int64_t now)
{
    for (unsigned i = 0; i < p->n_said; i++)
        if (p->said[i].node == node)
            return now - p->said[i].answered_ms < PEERS_SURE_MS;
    return false;
}

uint64_t peers_reaches_metadb(struct peers *p)
{
    struct raft_node_status s;
    struct raft_peer_status *other[RAFT_MAX_MEMBERS];
    unsigned n_dead, n;
    uint64_t found = 0;

    if (now_ms(p) - p->asked_ms >= PEERS_EACH_MS || p->asking.running > 0)
        ask_all(p);
    n = others(p, &s, other, &n_dead);
    pthread_mutex_lock(&p->lock);
    for (unsigned i = 0; i < n && found == 0; i++)
        if (other[i]->member.role == MEMBER_VOTER && word_of(p, other[i]->member.id, now_ms(p)) == WORD_REACHES &&
            is_sure(p, other[i]->member.id, now_ms(p)))
            found = other[i]->member.id;
    pthread_mutex_unlock(&p->lock);
    return found;
}

/* --- looking ---------------------------------------------------------------------------------------------------------------------------- */

static bool pause_until(struct peers *p, int64_t due)
{
    int64_t left = due - now_ms(p);

    return fiber_sleep(left > 0 ? left : 0, NULL) == 0;
}

/* What changes seldom is read seldom, and kept for the time without MetaDB. */
static void read_names(struct peers *p)
{
    struct arena arena, former;
    struct node *names;
    size_t n;

    if (p->named_ms != 0 && now_ms(p) - p->named_ms < PEERS_NAMES_MS)
        return;
    arena_init(&arena);
    if (store_node_list(p->conf.metadb, NULL, &arena, &names, &n, NULL, NULL) != 0) {
        arena_fini(&arena);
        return;
    }
    pthread_mutex_lock(&p->lock);
    former = p->names_arena;
    p->names_arena = arena;
    p->names = names;
    p->n_names = n;
    pthread_mutex_unlock(&p->lock);
    arena_fini(&former);
    p->named_ms = now_ms(p);
}

static void probe_main(void *data)
{
    struct peers *p = data;
    int64_t began;

    do {
        bool reached;

        began = now_ms(p);
        reached = db_is_up(p->conf.metadb, PEERS_PROBE_MS);
        pthread_mutex_lock(&p->lock);
        p->reached = reached;
        p->answered_ms = db_answered_ms(p->conf.metadb);
        pthread_mutex_unlock(&p->lock);
        judge(p);
        if (reached)
            read_names(p);
    } while (pause_until(p, began + PEERS_EACH_MS));
}

static void ask_main(void *data)
{
    struct peers *p = data;
    int64_t began;

    do {
        began = now_ms(p);
        if (!peers_metadb(p))
            ask_all(p);
        judge(p);
    } while (pause_until(p, began + PEERS_EACH_MS));
}

bool peers_metadb(struct peers *p)
{
    bool reached;

    pthread_mutex_lock(&p->lock);
    reached = p->reached;
    pthread_mutex_unlock(&p->lock);
    return reached;
}

bool peers_is_ready(struct peers *p, char why[PEERS_WHY_SIZE])
{
    bool ready;

    pthread_mutex_lock(&p->lock);
    ready = p->bad_ms == 0 || now_ms(p) - p->bad_ms < PEERS_DOUBT_MS;
    (void)snprintf(why, PEERS_WHY_SIZE, "%s", ready ? "" : p->why);
    pthread_mutex_unlock(&p->lock);
    return ready;
}

void peers_add_state(struct peers *p, struct str *t)
{
    int64_t ago_ms;
    bool reached;

    pthread_mutex_lock(&p->lock);
    reached = p->reached;
    ago_ms = now_ms(p) - p->answered_ms;
    pthread_mutex_unlock(&p->lock);
    str_printf(t, "{\"node\":%llu,\"metadb\":%s,\"ago\":%lld}", (unsigned long long)p->identity.node, reached ? "true" : "false", (long long)ago_ms);
}

/* --- life ------------------------------------------------------------------------------------------------------------------------------- */

int peers_caller(const struct peers *p, struct loop *loop, struct peer_caller **out, struct err *e)
{
    struct peer_caller_conf conf = { .loop = loop, .authority = p->authority, .certificate = p->certificate, .key = p->key };

    memcpy(conf.cluster, p->identity.cluster, sizeof conf.cluster);
    return peer_caller_new(&conf, out, e);
}

int peers_new(const struct peers_conf *conf, struct peers **out, struct err *e)
{
    struct peers *p = mem_zalloc(sizeof *p);
    struct raft_node_status s;
    int rv;

    if (p == NULL)
        return err_set(e, &ERR_NOMEM, "");
    raft_node_status(conf->raft, &s);
    p->conf = *conf;
    p->identity = s.identity;
    p->reached = true;
    (void)pthread_mutex_init(&p->lock, NULL); /* cannot fail with default attributes */
    arena_init(&p->names_arena);
    p->authority = mem_strdup(conf->authority);
    p->certificate = mem_strdup(conf->certificate);
    p->key = mem_strdup(conf->key);
    if (p->authority == NULL || p->certificate == NULL || p->key == NULL)
        rv = err_set(e, &ERR_NOMEM, "");
    else
        rv = peers_caller(p, conf->loop, &p->caller, e);
    if (rv != 0) {
        peers_free(p);
        return rv;
    }
    *out = p;
    return 0;
}

int peers_start(struct peers *p, struct err *e)
{
    int rv = fiber_start(p->conf.loop, "probe MetaDB", probe_main, p, NULL, e);

    return rv == 0 ? fiber_start(p->conf.loop, "ask peers", ask_main, p, NULL, e) : rv;
}

void peers_free(struct peers *p)
{
    if (p == NULL)
        return;
    peer_caller_free(p->caller);
    (void)pthread_mutex_destroy(&p->lock);
    arena_fini(&p->names_arena);
    mem_free(p->authority);
    mem_free(p->certificate);
    mem_free(p->key);
    mem_free(p);
}
