/* SPDX-License-Identifier: Apache-2.0 */
/* Connections between members. What we say to a member goes over a connection that we made, what it says to us comes over one that it made:
 * so messages stay in order, a newer connection ends the older one, and nothing of a former connection is ever delivered. */
#include <stdio.h>
#include <string.h>

#include "raft/message.h"
#include "raft/node_inside.h"

enum { RANK_MS = 60, JITTER_MS = 10, BRIEF_MS = 1000, LONGEST_PAUSE_MS = 1000 };

/* --- parcels ---------------------------------------------------------------------------------------------------------------------- */

void parcels_add(struct parcels *list, struct parcel *p)
{
    p->next = NULL;
    if (list->last != NULL)
        list->last->next = p;
    else
        list->first = p;
    list->last = p;
    list->n++;
}

struct parcel *parcels_take(struct parcels *list)
{
    struct parcel *p = list->first;

    if (p == NULL)
        return NULL;
    list->first = p->next;
    if (list->first == NULL)
        list->last = NULL;
    list->n--;
    return p;
}

void parcels_drop(struct parcels *list)
{
    for (struct parcel *p = parcels_take(list); p != NULL; p = parcels_take(list))
        mem_free(p);
}

struct link *raft_link(struct raft_node *n, uint64_t id)
{
    for (unsigned i = 0; i < n->n_links; i++)
        if (n->links[i].id == id && !n->links[i].unwanted)
            return &n->links[i];
    return NULL;
}

void raft_links_send(struct raft_node *n, struct parcel *p)
{
    struct link *k = raft_link(n, p->to);

    if (k == NULL || k->stream == NULL || k->queue.n >= LINK_MAX_QUEUED) {
        mem_free(p); /* Raft says it again where it matters */
        return;
    }
    parcels_add(&k->queue, p);
    waitlist_wake_all(&k->wake);
}

/* --- a dead process ---------------------------------------------------------------------------------------------------------------- */

/* How many living voters come before this node when one has to run: the lowest ids first. */
static unsigned rank_of(const struct raft_node *n, uint64_t dead)
{
    struct member members[RAFT_MAX_MEMBERS];
    unsigned count = consensus_members(n->c, members), rank = 0;

    for (unsigned i = 0; i < count; i++)
        rank += members[i].role == MEMBER_VOTER && members[i].id < n->identity.node && members[i].id != dead;
    return rank;
}

static void tell_of_death(struct link *k)
{
    struct raft_node *n = k->node;
    int64_t now = loop_now_ms(n->loop);
    struct err e = { 0 };

    if (k->dead)
        return;
    k->dead = true;
    log_info(&n->log, "member is dead: its host refuses connections", LOG_I("member", k->id));
    consensus_leader_died(n->c, k->id, RANK_MS * (int64_t)rank_of(n, k->id) + now % JITTER_MS, now);
    raft_node_after(n, 0, &e);
}

/* --- what we say ------------------------------------------------------------------------------------------------------------------- */

static struct hello our_hello(const struct raft_node *n)
{
    struct hello h = { .generation = n->identity.generation, .node = n->identity.node };

    memcpy(h.cluster, n->identity.cluster, sizeof h.cluster);
    (void)snprintf(h.address, sizeof h.address, "%.*s", (int)sizeof h.address - 1, n->address);
    return h;
}

/* A member says nothing on a connection that we made; what comes is its end. */
static void watch_end(void *data)
{
    struct link *k = data;
    struct err e = { 0 };
    char byte;
    size_t n;

    while (stream_read(k->stream, &byte, 1, &n, &e) == 0 && n > 0)
        continue;
    k->lost = true;
    waitlist_wake_all(&k->wake);
}

/* The mark, TLS, the hello of both. */
static int introduce(struct link *k, struct stream *s, struct err *e)
{
    const char mark = PEER_RAFT;
    struct hello mine = our_hello(k->node), theirs;
    int64_t former = fiber_narrow_deadline(LINK_HELLO_MS);
    int rv = stream_write(s, &mark, 1, e);

    if (rv == 0)
        rv = stream_secure(s, k->node->conf.tls, true, e);
    if (rv == 0)
        rv = stream_handshake(s, e);
    if (rv == 0)
        rv = hello_ask(s, &mine, k->id, &theirs, e);
    fiber_restore_deadline(former);
    return rv;
}

static int connect_link(struct link *k, struct err *e)
{
    struct stream *s;
    int64_t former = fiber_narrow_deadline(LINK_CONNECT_MS);
    int rv = stream_connect(&k->to, NULL, &s, e);

    fiber_restore_deadline(former);
    if (rv != 0)
        return rv;
    rv = introduce(k, s, e);
    if (rv != 0) {
        stream_close(s);
        return rv;
    }
    k->stream = s;
    return 0;
}

static int send_queue(struct link *k, struct err *e)
{
    int rv = 0;

    while (rv == 0 && !k->lost && !k->unwanted) {
        struct parcel *p = parcels_take(&k->queue);

        if (p == NULL) {
            rv = waitlist_wait(&k->wake, e);
            continue;
        }
        rv = stream_write(k->stream, p->bytes, p->n, e);
        mem_free(p);
    }
    return rv;
}

static void run_connection(struct link *k)
{
    struct err e = { 0 }, ignored = { 0 };
    bool shielded;

    k->lost = false;
    k->dead = false;
    log_info(&k->node->log, "connected to member", LOG_I("member", k->id), LOG_S("address", k->address));
    if (fiber_group_start(&k->readers, k->node->loop, "raft link end", watch_end, k, &e) == 0) {
        raft_node_after(k->node, 0, &e);
        (void)send_queue(k, &e);
    }
    stream_abort(k->stream);
    shielded = fiber_shield(true);
    while (fiber_group_wait(&k->readers, &ignored) != 0)
        continue;
    (void)fiber_shield(shielded);
    stream_close(k->stream);
    k->stream = NULL;
    parcels_drop(&k->queue);
    raft_node_after(k->node, 0, &e);
}

/* After a connection that lasted: none, for the answer tells whether its process lives. Whoever ends each connection at once, as members do with a
 * node that they have removed, is left in peace for longer and longer. */
static int64_t pause_after(unsigned brief)
{
    int64_t ms = brief > 1 ? LINK_RETRY_MS : 0;

    for (unsigned i = 2; i < brief && ms < LONGEST_PAUSE_MS; i++)
        ms *= 2;
    return ms < LONGEST_PAUSE_MS ? ms : LONGEST_PAUSE_MS;
}

static void explain(struct link *k, int rv, bool told, const struct err *e)
{
    if (rv == ERR_STREAM_REFUSED.code)
        tell_of_death(k);
    else if (!told && rv != ERR_CANCELLED.code)
        log_info(&k->node->log, "cannot connect to member", LOG_I("member", k->id), LOG_E(e));
}

static void link_main(void *data)
{
    struct link *k = data;
    struct err e = { 0 };
    bool told = false;
    unsigned brief = 0; /* connections in a row that ended at once */

    while (!k->unwanted && !fiber_is_cancelled(fiber_current())) {
        int64_t pause_ms = LINK_RETRY_MS;
        int rv = connect_link(k, &e);

        if (rv == 0) {
            int64_t began_ms = loop_now_ms(k->node->loop);

            run_connection(k);
            brief = loop_now_ms(k->node->loop) - began_ms < BRIEF_MS ? brief + 1 : 0;
            pause_ms = pause_after(brief);
        } else {
            explain(k, rv, told, &e);
        }
        told = rv != 0;
        if (pause_ms > 0 && fiber_sleep(pause_ms, &e) != 0)
            break;
    }
    k->fiber = NULL;
    k->unwanted = true;
}

static void start_link(struct raft_node *n, const struct member *m)
{
    struct link *k = NULL;
    struct err e = { 0 };

    for (unsigned i = 0; i < n->n_links && k == NULL; i++)
        if (n->links[i].unwanted && n->links[i].fiber == NULL && (n->links[i].incoming == NULL || n->links[i].id == m->id))
            k = &n->links[i];
    if (k == NULL && n->n_links < RAFT_MAX_MEMBERS)
        k = &n->links[n->n_links++];
    if (k == NULL)
        return; /* one is about to end: the next change of members, or the timer, tries again */
    *k = (struct link){ .node = n, .id = m->id, .incoming = k->id == m->id ? k->incoming : NULL };
    (void)snprintf(k->address, sizeof k->address, "%s", m->address);
    if (!addr_parse_port((struct slice){ m->address, strlen(m->address) }, &k->to) || fiber_start(n->loop, "raft link", link_main, k, &k->fiber, &e) != 0) {
        log_error(&n->log, "no link to member", LOG_I("member", m->id), LOG_S("address", m->address));
        k->unwanted = true;
    }
}

void raft_links_update(struct raft_node *n)
{
    struct member members[RAFT_MAX_MEMBERS];
    unsigned count = consensus_members(n->c, members);

    for (unsigned i = 0; count > 0 && i < n->n_links; i++) {
        struct link *k = &n->links[i];
        bool wanted = false;

        for (unsigned m = 0; m < count; m++)
            wanted |= members[m].id == k->id && strcmp(members[m].address, k->address) == 0;
        if (wanted || k->unwanted)
            continue;
        k->unwanted = true;
        waitlist_wake_all(&k->wake);
        if (k->incoming != NULL)
            stream_abort(k->incoming);
        if (k->fiber != NULL)
            fiber_cancel(k->fiber);
    }
    for (unsigned m = 0; m < count && !n->stopping; m++)
        if (members[m].id != n->identity.node && raft_link(n, members[m].id) == NULL)
            start_link(n, &members[m]);
}

/* --- what they say ------------------------------------------------------------------------------------------------------------------ */

static int receive_one(struct raft_node *n, struct link *k, struct stream *s, struct str *buffer, struct err *e)
{
    char header[MESSAGE_HEADER_BYTES];
    struct err why = { 0 };
    size_t bytes;
    int rv = stream_read_all(s, header, sizeof header, e);

    if (rv == 0)
        rv = message_length(header, &bytes, e);
    if (rv != 0)
        return rv;
    str_clear(buffer);
    str_add_n(buffer, header, sizeof header);
    if (str_reserve(buffer, bytes) == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = stream_read_all(s, buffer->s + sizeof header, bytes - sizeof header, e);
    if (rv != 0)
        return rv;
    if (k->incoming != s)
        return err_set(e, &ERR_CANCELLED, ""); /* a newer connection has taken over */
    k->heard_ms = loop_now_ms(n->loop);
    rv = consensus_receive(n->c, k->id, (struct slice){ buffer->s, bytes }, k->heard_ms, &why);
    if (rv == ERR_RAFT_MESSAGE.code) {
        *e = why;
        return rv;
    }
    raft_node_after(n, rv, &why);
    return 0;
}

static void receive_all(struct raft_node *n, struct link *k, struct stream *s, struct err *e)
{
    struct str buffer;
    int rv = 0;

    str_init(&buffer, NULL);
    if (k->incoming != NULL)
        stream_abort(k->incoming);
    k->incoming = s;
    while (rv == 0)
        rv = receive_one(n, k, s, &buffer, e);
    if (k->incoming == s)
        k->incoming = NULL;
    str_fini(&buffer);
}

struct arrival {
    struct raft_node *node;
    struct stream *stream;
    struct arrival *next;        /* among the unsorted */
};

static int greet(struct arrival *a, struct hello *theirs, struct err *e)
{
    struct hello mine = our_hello(a->node);
    int64_t former = fiber_narrow_deadline(LINK_HELLO_MS);
    char mark;
    int rv = stream_read_all(a->stream, &mark, 1, e);

    if (rv == 0)
        rv = stream_secure(a->stream, a->node->conf.tls, false, e);
    if (rv == 0)
        rv = stream_handshake(a->stream, e);
    if (rv == 0)
        rv = hello_answer(a->stream, &mine, theirs, e);
    fiber_restore_deadline(former);
    return rv;
}

/* A node that knows no members yet (it is being added) takes messages from any node of the cluster, whose certificate vouches for it, and
 * answers at the address that it gives. Who is no member any more gets no answers. */
static struct link *link_for(struct raft_node *n, const struct hello *theirs)
{
    const struct member speaker = { theirs->node, theirs->address, MEMBER_SPARE };
    struct member members[RAFT_MAX_MEMBERS];

    if (raft_link(n, theirs->node) == NULL && consensus_members(n->c, members) == 0)
        start_link(n, &speaker);
    return raft_link(n, theirs->node);
}

static void listen_to(struct arrival *a)
{
    struct raft_node *n = a->node;
    struct hello theirs;
    struct err e = { 0 };
    struct link *k;

    if (n->n_incoming == LINK_MAX_INCOMING)
        return;
    n->n_incoming++;
    if (greet(a, &theirs, &e) != 0) {
        log_info(&n->log, "connection refused", LOG_E(&e));
    } else {
        k = link_for(n, &theirs);
        if (k != NULL)
            receive_all(n, k, a->stream, &e);
        else
            log_info(&n->log, "connection refused: its node is no member", LOG_I("node", theirs.node));
    }
    n->n_incoming--;
}

/* Whoever serves calls gets the socket as it came. */
static void hand_over(struct arrival *a)
{
    int fd = stream_detach(a->stream);

    a->stream = NULL;
    if (fd >= 0)
        a->node->conf.call(fd, a->node->conf.data);
}

/* Ours speak at once, so those who wait longest to be sorted are strangers: when there are too many, the eldest goes. */
static void begin_sorting(struct arrival *a)
{
    struct raft_node *n = a->node;
    struct arrival **at = &n->unsorted;

    while (*at != NULL)
        at = &(*at)->next;
    *at = a;
    if (++n->n_unsorted <= LINK_MAX_UNSORTED)
        return;
    stream_abort(n->unsorted->stream);
    n->unsorted = n->unsorted->next;
    n->n_unsorted--;
}

static void end_sorting(struct arrival *a)
{
    struct raft_node *n = a->node;
    struct arrival **at = &n->unsorted;

    while (*at != NULL && *at != a)
        at = &(*at)->next;
    if (*at == NULL)
        return; /* the eldest */
    *at = a->next;
    n->n_unsorted--;
}

static int first_byte(struct arrival *a, char *byte, struct err *e)
{
    int64_t former = fiber_narrow_deadline(LINK_HELLO_MS);
    int rv;

    begin_sorting(a);
    rv = stream_peek(a->stream, byte, e);
    end_sorting(a);
    fiber_restore_deadline(former);
    return rv;
}

static void arrival_main(void *data)
{
    struct arrival *a = data;
    struct err e = { 0 };
    char first = 0;
    int rv = first_byte(a, &first, &e);

    if (rv == 0 && first == PEER_RAFT)
        listen_to(a);
    else if (rv == 0 && first == PEER_CALL && a->node->conf.call != NULL)
        hand_over(a);
    else
        log_info(&a->node->log, "connection closed: neither Raft nor a call", LOG_E(&e));
    stream_close(a->stream);
    mem_free(a);
}

static void take_arrival(struct raft_node *n, struct stream *s)
{
    struct arrival *a = mem_alloc(sizeof *a);
    struct err e;

    if (a != NULL) {
        *a = (struct arrival){ .node = n, .stream = s };
        if (fiber_start(n->loop, "raft arrival", arrival_main, a, NULL, &e) == 0)
            return;
    }
    mem_free(a);
    stream_close(s);
}

static void accept_main(void *data)
{
    struct raft_node *n = data;
    struct stream *s;
    struct err e = { 0 };

    while (stream_accept(n->listener, &s, &e) == 0)
        take_arrival(n, s);
    stream_listener_close(n->listener);
    n->listener = NULL;
}

int raft_links_listen(struct raft_node *n, struct err *e)
{
    int rv = stream_listen(n->loop, &n->conf.listen, NULL, &n->listener, e);

    if (rv != 0)
        return rv;
    n->port = stream_listener_port(n->listener);
    return 0;
}

int raft_links_accept(struct raft_node *n, struct err *e)
{
    return fiber_start(n->loop, "raft accept", accept_main, n, NULL, e);
}

void raft_links_close(struct raft_node *n)
{
    for (unsigned i = 0; i < n->n_links; i++)
        parcels_drop(&n->links[i].queue);
}
