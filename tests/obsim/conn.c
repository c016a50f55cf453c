/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/conn.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "tests/obsim/identity.h"
#include "tests/obsim/login.h"
#include "tests/obsim/packet.h"
#include "tests/obsim/select.h"
#include "tests/obsim/world.h"

enum { STACK_BYTES = 1 << 20, LOGIN_MAX = 64 << 10, DEFAULT_PACKET = 16 << 20, STARTING = 8001, TOO_LARGE = 1153, UNKNOWN_COMMAND = 1047,
       MALFORMED = 1835, UNKNOWN_STMT = 1243, TOO_MANY_CURSORS = 5930, UNKNOWN_DATABASE = 1049 };

int64_t conn_now_us(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
    return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

void conn_order(struct sim_conn *c, enum sim_order order)
{
    if ((int)order > c->order)
        c->order = order;
    c->wire.ends = c->order >= ORDER_END;
    wire_wake(&c->wire);
}

bool conn_wait(struct sim_conn *c, int64_t until_us)
{
    while (c->order == ORDER_NONE) {
        int64_t left = until_us - conn_now_us();
        enum wire_read how;

        if (left <= 0)
            return true;
        how = wire_rest(&c->wire, left > 1000000000 ? 1000000 : (int)((left + 999) / 1000));
        if (how == WIRE_GONE)
            return false;
    }
    return false;
}

/* A server that hangs does nothing until it goes on. False: the connection has to end. */
static bool pass(struct sim_conn *c)
{
    struct sim_world *w = c->observer->deployment->world;
    for (;;) {
        bool hangs;

        world_lock(w);
        hangs = c->observer->is_hung && c->order < ORDER_END;
        world_unlock(w);
        if (!hangs)
            return c->order < ORDER_END;
        if (wire_rest(&c->wire, -1) == WIRE_GONE)
            return false;
        wire_hear(&c->wire);
    }
}

/* Under the lock. */
static bool is_autocommit(struct sim_session *s)
{
    const char *value;

    s->tenant = sim_tenant_get(s->cluster, s->tenant_id);
    value = session_variable(s, "autocommit");
    return value == NULL || strcasecmp(value, "ON") == 0 || strcmp(value, "1") == 0;
}

static unsigned status_of(struct sim_conn *c)
{
    struct sim_world *w = c->observer->deployment->world;
    unsigned status = STATUS_AUTOCOMMIT;

    world_lock(w);
    if (c->session != NULL)
        status = (c->session->client->in_transaction ? STATUS_IN_TRANSACTION : 0u) | (is_autocommit(c->session) ? STATUS_AUTOCOMMIT : 0u);
    world_unlock(w);
    return status;
}

/* All that `write` puts down is sent; how: SIM_CUT half of it, then a reset. */
static bool send_all(struct sim_conn *c, const struct sim_reply *r, bool binary, enum sim_ending how)
{
    struct str bytes;
    struct packet_writer w = { .to = &bytes, .seq = c->wire.seq };
    struct slice all;
    bool ok;

    str_init(&bytes, NULL);
    packet_write_reply(&w, r, status_of(c), binary);
    if (str_failed(&bytes))
        abort();
    all = (struct slice){ bytes.s, how == SIM_CUT ? bytes.n / 2 : bytes.n };
    ok = pass(c) && wire_write(&c->wire, all);
    str_fini(&bytes);
    if (how == SIM_CUT)
        c->order = ORDER_RESET;
    return ok && how == SIM_ANSWER;
}

static bool send_error(struct sim_conn *c, unsigned number, const char *text)
{
    struct sim_reply r;
    bool ok;

    reply_init(&r);
    (void)reply_error(&r, number, "%s", text);
    ok = send_all(c, &r, false, SIM_ANSWER);
    reply_fini(&r);
    return ok;
}

static bool send_ok(struct sim_conn *c)
{
    struct sim_reply r;
    bool ok;

    reply_init(&r);
    ok = send_all(c, &r, false, SIM_ANSWER);
    reply_fini(&r);
    return ok;
}

/* --- login ---------------------------------------------------------------------------------------------------------------------- */

static void make_challenge(struct sim_world *w, unsigned char *out)
{
    for (unsigned i = 0; i < PACKET_CHALLENGE; i++)
        out[i] = (unsigned char)('!' + sim_random(&w->random) % 90); /* readable: no NUL, no quote of anything */
}

static bool greet(struct sim_conn *c, unsigned char *challenge)
{
    struct sim_world *w = c->observer->deployment->world;
    struct packet_writer out = { .seq = 0 };
    struct str bytes;
    char buf[SIM_NAME];
    bool ok;

    str_init(&bytes, NULL);
    out.to = &bytes;
    world_lock(w);
    make_challenge(w, challenge);
    packet_write_greeting(&out, identity_version(c->observer, buf, sizeof buf), c->id, (char *)challenge, w->tls != NULL);
    world_unlock(w);
    if (str_failed(&bytes))
        abort();
    ok = wire_write(&c->wire, (struct slice){ bytes.s, bytes.n });
    str_fini(&bytes);
    return ok;
}

static bool is_database_there(const struct sim_tenant *t, struct slice name)
{
    char text[SIM_NAME];

    sim_name(text, name);
    return name.n == 0 || sim_database_find((struct sim_tenant *)t, text) != NULL;
}

/* Under the lock: the session of the login, or the reply says why not. */
static struct sim_session *let_in(struct sim_conn *c, const struct packet_login *login, const unsigned char *challenge, struct sim_reply *out)
{
    struct sim_observer *o = c->observer;
    struct sim_tenant *t = NULL;
    struct sim_user *account = NULL;
    struct sim_session *s;

    (void)world_advance(o->deployment);
    if (!o->answers_login) {
        (void)reply_error(out, STARTING, "Server is initializing");
        return NULL;
    }
    if (login_check(o->deployment->cluster, o->server, login->user, challenge, login->answer, c->peer_ip, &t, &account, out) != 0)
        return NULL;
    if (!is_database_there(t, login->database)) {
        (void)reply_error(out, UNKNOWN_DATABASE, "Unknown database '%.*s'", SLICE_FMT(login->database));
        return NULL;
    }
    s = session_new(o, t, account, c->peer);
    s->conn = c;
    (void)snprintf(s->peer_ip, sizeof s->peer_ip, "%s", c->peer_ip);
    sim_name(s->client->database, login->database);
    c->id = (uint32_t)s->client->id;
    return s;
}

static bool log_in(struct sim_conn *c, const struct packet_login *login, const unsigned char *challenge)
{
    struct sim_world *w = c->observer->deployment->world;
    struct sim_reply out;
    bool ok;

    reply_init(&out);
    world_lock(w);
    session_free(c->session);
    c->session = let_in(c, login, challenge, &out);
    world_unlock(w);
    ok = send_all(c, &out, false, c->session != NULL ? SIM_ANSWER : SIM_ANSWER_LAST);
    reply_fini(&out);
    return ok && c->session != NULL;
}

static bool meet(struct sim_conn *c, unsigned char *challenge)
{
    struct sim_world *w = c->observer->deployment->world;
    struct packet_login login;
    struct str payload;
    int64_t delay_us;
    bool ok;

    world_lock(w);
    c->id = (uint32_t)sim_random(&w->random);
    delay_us = c->observer->login_delay_us;
    world_unlock(w);
    if (!pass(c) || (delay_us > 0 && !conn_wait(c, conn_now_us() + delay_us)))
        return false;
    str_init(&payload, NULL);
    ok = greet(c, challenge) && wire_read(&c->wire, LOGIN_MAX, &payload) == WIRE_OK &&
         packet_read_login((struct slice){ payload.s, payload.n }, &login);
    if (ok && login.is_tls_request)
        ok = w->tls != NULL && wire_start_tls(&c->wire, w->tls) && wire_read(&c->wire, LOGIN_MAX, &payload) == WIRE_OK &&
             packet_read_login((struct slice){ payload.s, payload.n }, &login) && !login.is_tls_request;
    c->capabilities = ok ? login.capabilities : 0;
    ok = ok && log_in(c, &login, challenge);
    str_fini(&payload);
    return ok;
}

/* --- commands ------------------------------------------------------------------------------------------------------------------- */

/* True: the connection goes on. */
static bool answer(struct sim_conn *c, const struct sim_reply *out, bool binary, enum sim_ending ending)
{
    if (ending == SIM_SILENT) {
        (void)conn_wait(c, INT64_MAX);
        return false;
    }
    if (c->order == ORDER_KILL_QUERY) {
        c->order = ORDER_NONE;
        wire_hear(&c->wire);
    }
    return ending != SIM_LOST && send_all(c, out, binary, ending);
}

static bool run(struct sim_conn *c, struct slice sql, bool binary)
{
    struct sim_reply out;
    bool goes_on;

    reply_init(&out);
    goes_on = answer(c, &out, binary, session_run(c->session, sql, &out));
    reply_fini(&out);
    return goes_on;
}

static bool on_query(struct sim_conn *c, struct slice payload)
{
    return run(c, payload, false);
}

static bool on_ping(struct sim_conn *c, struct slice payload)
{
    (void)payload;
    return send_ok(c);
}

/* The only option there is: several statements at once. They are never run; both of its values are OK, and EOF answers. */
static bool on_set_option(struct sim_conn *c, struct slice payload)
{
    static const char eof[] = { 5, 0, 0, 1, (char)0xfe, 0, 0, STATUS_AUTOCOMMIT, 0 };
    struct packet_reader r = { .rest = payload };

    if (packet_int(&r, 2) > 1 || r.bad)
        return send_error(c, UNKNOWN_COMMAND, "Unknown command");
    return pass(c) && wire_write(&c->wire, (struct slice){ eof, sizeof eof });
}

static bool on_init_db(struct sim_conn *c, struct slice payload)
{
    struct sim_world *w = c->observer->deployment->world;
    struct sim_tenant *t;
    bool found;
    char text[SIM_NAME + 32];

    world_lock(w);
    t = sim_tenant_get(c->session->cluster, c->session->tenant_id);
    found = t != NULL && payload.n > 0 && is_database_there(t, payload);
    if (found)
        sim_name(c->session->client->database, payload);
    world_unlock(w);
    (void)snprintf(text, sizeof text, "Unknown database '%.*s'", (int)(payload.n < SIM_NAME ? payload.n : SIM_NAME), payload.s);
    return found ? send_ok(c) : send_error(c, UNKNOWN_DATABASE, text);
}

static bool on_reset(struct sim_conn *c, struct slice payload)
{
    struct sim_world *w = c->observer->deployment->world;

    (void)payload;
    world_lock(w);
    session_reset(c->session);
    world_unlock(w);
    stmts_fini(&c->stmts);
    return send_ok(c);
}

static bool on_prepare(struct sim_conn *c, struct slice payload)
{
    struct sim_stmt *st = stmt_new(&c->stmts, payload);
    struct sim_world *world = c->observer->deployment->world;
    struct sim_reply columns;
    struct packet_writer w;
    struct str bytes;
    bool ok;

    if (st == NULL)
        return send_error(c, TOO_MANY_CURSORS, "maximum open cursors exceeded");
    reply_init(&columns);
    str_init(&bytes, NULL);
    w = (struct packet_writer){ .to = &bytes, .seq = c->wire.seq };
    world_lock(world);
    c->session->tenant = sim_tenant_get(c->session->cluster, c->session->tenant_id);
    if (c->session->tenant != NULL && select_columns(c->session, payload, &columns) != 0) {
        packet_write_error(&w, columns.number, columns.sqlstate, columns.text);
        stmt_close(&c->stmts, st->id);
    } else {
        packet_write_prepared(&w, st->id, &columns, st->n_params);
    }
    world_unlock(world);
    if (str_failed(&bytes))
        abort();
    ok = pass(c) && wire_write(&c->wire, (struct slice){ bytes.s, bytes.n });
    str_fini(&bytes);
    reply_fini(&columns);
    return ok;
}

static bool on_execute(struct sim_conn *c, struct slice payload)
{
    struct packet_reader r = { .rest = payload };
    struct sim_stmt *st = stmt_find(&c->stmts, (uint32_t)packet_int(&r, 4));
    struct str sql;
    bool goes_on;

    if (st == NULL)
        return send_error(c, UNKNOWN_STMT, "Unknown prepared statement handler");
    str_init(&sql, NULL);
    if (!stmt_bind(st, r.rest, &sql))
        goes_on = send_error(c, MALFORMED, "Malformed communication packet");
    else
        goes_on = run(c, (struct slice){ str_c(&sql), sql.n }, true);
    str_fini(&sql);
    return goes_on;
}

static bool on_long_data(struct sim_conn *c, struct slice payload)
{
    struct packet_reader r = { .rest = payload };
    struct sim_stmt *st = stmt_find(&c->stmts, (uint32_t)packet_int(&r, 4));

    if (st != NULL)
        stmt_add_long_data(st, r.rest);
    return true; /* it is not answered */
}

static bool on_close(struct sim_conn *c, struct slice payload)
{
    struct packet_reader r = { .rest = payload };

    stmt_close(&c->stmts, (uint32_t)packet_int(&r, 4));
    return true; /* it is not answered */
}

static bool on_stmt_reset(struct sim_conn *c, struct slice payload)
{
    struct packet_reader r = { .rest = payload };
    struct sim_stmt *st = stmt_find(&c->stmts, (uint32_t)packet_int(&r, 4));

    if (st == NULL)
        return send_error(c, UNKNOWN_STMT, "Unknown prepared statement handler");
    stmt_forget_data(st);
    return send_ok(c);
}

static bool on_quit(struct sim_conn *c, struct slice payload)
{
    (void)c;
    (void)payload;
    return false;
}

static bool (*const commands[])(struct sim_conn *c, struct slice payload) = {
    [COM_QUIT] = on_quit,
    [COM_INIT_DB] = on_init_db,
    [COM_QUERY] = on_query,
    [COM_PING] = on_ping,
    [COM_STMT_PREPARE] = on_prepare,
    [COM_STMT_EXECUTE] = on_execute,
    [COM_STMT_SEND_LONG_DATA] = on_long_data,
    [COM_STMT_CLOSE] = on_close,
    [COM_STMT_RESET] = on_stmt_reset,
    [COM_SET_OPTION] = on_set_option,
    [COM_RESET_CONNECTION] = on_reset,
};

static bool obey(struct sim_conn *c, struct slice payload, const unsigned char *challenge)
{
    unsigned command = payload.n > 0 ? (unsigned char)payload.s[0] : 0;
    struct slice rest = { payload.s + 1, payload.n - 1 };
    struct packet_login login;

    if (command == COM_CHANGE_USER)
        return packet_read_change_user(rest, c->capabilities, &login) && log_in(c, &login, challenge);
    if (command >= sizeof commands / sizeof commands[0] || commands[command] == NULL)
        return send_error(c, UNKNOWN_COMMAND, "Unknown command");
    return commands[command](c, rest);
}

static size_t packet_limit(struct sim_conn *c)
{
    struct sim_world *w = c->observer->deployment->world;
    size_t limit;

    world_lock(w);
    c->session->tenant = sim_tenant_get(c->session->cluster, c->session->tenant_id);
    limit = (size_t)session_number(c->session, "max_allowed_packet", DEFAULT_PACKET);
    world_unlock(w);
    return limit;
}

/* False: the connection ends. KILL QUERY means nothing to one that is idle. */
static bool serve_one(struct sim_conn *c, struct str *payload, const unsigned char *challenge)
{
    switch (wire_read(&c->wire, packet_limit(c), payload)) {
    case WIRE_OK:
        return pass(c) && obey(c, (struct slice){ str_c(payload), payload->n }, challenge);
    case WIRE_TOO_LARGE:
        return send_error(c, TOO_LARGE, "Got a packet bigger than 'max_allowed_packet' bytes");
    case WIRE_WOKEN:
        wire_hear(&c->wire);
        if (c->order == ORDER_KILL_QUERY)
            c->order = ORDER_NONE;
        return c->order == ORDER_NONE;
    case WIRE_GONE:
        break;
    }
    return false;
}

static void *serve(void *data)
{
    struct sim_conn *c = data;
    struct sim_world *w = c->observer->deployment->world;
    unsigned char challenge[PACKET_CHALLENGE];
    struct str payload;

    str_init(&payload, NULL);
    if (meet(c, challenge))
        while (serve_one(c, &payload, challenge))
            continue;
    str_fini(&payload);
    stmts_fini(&c->stmts);
    world_lock(w);
    session_free(c->session);
    DL_DELETE2(c->observer->connections, c, previous, next);
    wire_fini(&c->wire, c->order == ORDER_RESET);
    mem_free(c);
    if (--w->n_connections == 0)
        (void)pthread_cond_broadcast(&w->fewer); /* cannot fail */
    world_unlock(w);
    return NULL;
}

static void note_peer(struct sim_conn *c, int fd)
{
    struct sockaddr_in peer;
    socklen_t size = sizeof peer;

    if (getpeername(fd, (struct sockaddr *)&peer, &size) != 0)
        return; /* gone already */
    (void)inet_ntop(AF_INET, &peer.sin_addr, c->peer_ip, sizeof c->peer_ip);
    (void)snprintf(c->peer, sizeof c->peer, "%.46s:%u", c->peer_ip, ntohs(peer.sin_port));
}

void conn_start(struct sim_observer *o, int fd)
{
    struct sim_conn *c = sim_alloc(sizeof *c);
    pthread_attr_t attributes;
    pthread_t thread;

    c->observer = o;
    note_peer(c, fd);
    wire_init(&c->wire, fd);
    DL_APPEND2(o->connections, c, previous, next);
    o->deployment->world->n_connections++;
    if (pthread_attr_init(&attributes) != 0 || pthread_attr_setstacksize(&attributes, STACK_BYTES) != 0 ||
        pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED) != 0 || pthread_create(&thread, &attributes, serve, c) != 0)
        abort();
    (void)pthread_attr_destroy(&attributes); /* cannot fail */
}
