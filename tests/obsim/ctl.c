/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/ctl.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/obsim/journal.h"
#include "tests/obsim/observer.h"
#include "tests/obsim/session.h"
#include "tests/obsim/world.h"

struct ctl {
    struct sim_world *world;          /* borrowed */
    int listener;                     /* owned */
    pthread_t thread;
    _Atomic int client;               /* -1: nobody */
};

/* --- commands -------------------------------------------------------------------------------------------------------------------- */

static json_t *fail(const char *text)
{
    return json_pack("{s:b, s:s}", "ok", 0, "error", text);
}

static json_t *done(void)
{
    return json_pack("{s:b}", "ok", 1);
}

static const char *text_of(const json_t *command, const char *key)
{
    return json_string_value(json_object_get(command, key));
}

static int64_t number_of(const json_t *command, const char *key, int64_t otherwise)
{
    const json_t *v = json_object_get(command, key);

    return json_is_number(v) ? (int64_t)json_number_value(v) : otherwise;
}

/* Missing is `otherwise`. */
static bool is_set(const json_t *command, const char *key, bool otherwise)
{
    const json_t *v = json_object_get(command, key);

    return v != NULL ? json_is_true(v) : otherwise;
}

/* A process of its own lives and dies by itself. */
static json_t *refuse_process(void)
{
    return fail("the server is a process of its own: kill and start that");
}

static json_t *on_kill(struct sim_observer *o, const json_t *command)
{
    (void)command;
    if (o->deployment->world->journal != NULL)
        return refuse_process();
    observer_kill(o);
    return done();
}

static json_t *on_start(struct sim_observer *o, const json_t *command)
{
    if (o->deployment->world->journal != NULL)
        return refuse_process();
    return observer_start(o, text_of(command, "build")) ? done() : fail(strerror(errno));
}

static json_t *on_drop(struct sim_observer *o, const json_t *command)
{
    observer_drop(o, is_set(command, "reset", true));
    return done();
}

static json_t *on_slow_login(struct sim_observer *o, const json_t *command)
{
    o->login_delay_us = number_of(command, "ms", 0) * 1000;
    return done();
}

static json_t *on_starting(struct sim_observer *o, const json_t *command)
{
    o->answers_login = !is_set(command, "on", true);
    return done();
}

static json_t *on_lie(struct sim_observer *o, const json_t *command)
{
    sim_name(o->version, sim_slice(sim_c(text_of(command, "version"))));
    sim_name(o->comment, sim_slice(sim_c(text_of(command, "comment"))));
    return done();
}

static json_t *on_hide(struct sim_observer *o, const json_t *command)
{
    o->is_hidden = is_set(command, "on", true);
    o->deployment->cluster->changes++;
    return done();
}

static json_t *on_skew(struct sim_observer *o, const json_t *command)
{
    o->skew_us = number_of(command, "ms", 0) * 1000;
    return done();
}

/* --- of the cluster: the same in all of its processes ----------------------------------------------------------------------------- */

/* The others do not hear of it any more; clients still reach it. */
static json_t *on_partition(struct sim_deployment *d, struct sim_server *s, const json_t *command)
{
    if (s == NULL)
        return fail("there is no such server");
    s->is_cut = is_set(command, "on", true);
    sim_server_alive(d->cluster, s, !s->is_cut, NULL);
    return done();
}

/* The leader of the stream with the root service moves to the server. */
static json_t *on_rootserver(struct sim_deployment *d, struct sim_server *s, const json_t *command)
{
    struct sim_tenant *sys = sim_tenant_get(d->cluster, 1);
    struct sim_ls *ls = sys->streams.n > 0 ? sys->streams.items[0] : NULL;
    struct sim_replica *to = NULL;

    (void)command;
    for (size_t i = 0; ls != NULL && s != NULL && i < ls->replicas.n; i++)
        if (ls->replicas.items[i]->server_id == s->id && ls->replicas.items[i]->type == 'F')
            to = ls->replicas.items[i];
    if (to == NULL)
        return fail("there is no such server, or it has no replica of it");
    for (size_t i = 0; i < ls->replicas.n; i++)
        ls->replicas.items[i]->is_leader = ls->replicas.items[i] == to;
    ls->proposal++;
    d->cluster->changes++;
    return done();
}

/* Steps of this kind stay undone, until they are let go. */
static json_t *on_hold(struct sim_deployment *d, struct sim_server *s, const json_t *command)
{
    enum sim_step_kind kind = sim_step_named(sim_slice(sim_c(text_of(command, "step"))));

    (void)s;
    if (kind == SIM_STEP_N)
        return fail("there is no such step");
    d->cluster->held[kind] = is_set(command, "on", true);
    return done();
}

/* The next starts of its process end at once, with an error in its log. */
static json_t *on_refuse_start(struct sim_deployment *d, struct sim_server *s, const json_t *command)
{
    const char *server = text_of(command, "server");
    char times[24];

    (void)s; /* it may not be there yet */
    if (server == NULL)
        return fail("server is missing");
    (void)snprintf(times, sizeof times, "%lld", (long long)number_of(command, "times", 1));
    sim_values_set(&d->refused_starts, server, sim_slice(times), d->cluster->now_us);
    return done();
}

static int kind_of(const char *name)
{
    for (int i = 0; i < SIM_FAULT_N; i++)
        if (strcmp(sim_fault_names[i], name) == 0)
            return i;
    return -1;
}

static json_t *on_fault(struct sim_deployment *d, struct sim_server *s, const json_t *command)
{
    int kind = kind_of(sim_c(text_of(command, "kind")));
    struct sim_fault *f;

    (void)s; /* whose name is kept */
    if (kind < 0)
        return fail("kind is none of error, timeout, lost, cut, silent, slow");
    f = fault_add(d, (enum sim_fault_kind)kind, text_of(command, "pattern"));
    if (f == NULL)
        return fail("pattern is no regular expression");
    (void)snprintf(f->server, sizeof f->server, "%s", sim_c(text_of(command, "server")));
    sim_name(f->user, sim_slice(sim_c(text_of(command, "user"))));
    f->skip = number_of(command, "skip", 0);
    f->times = number_of(command, "times", 1);
    f->is_done = is_set(command, "done", kind != SIM_FAULT_ERROR && kind != SIM_FAULT_TIMEOUT && kind != SIM_FAULT_SILENT);
    f->number = (unsigned)number_of(command, "number", 4016);
    sim_text(&f->text, sim_slice(text_of(command, "text") != NULL ? text_of(command, "text") : "Internal error"));
    f->delay_us = number_of(command, "ms", 0) * 1000;
    return json_pack("{s:b, s:I}", "ok", 1, "id", (json_int_t)f->id);
}

static json_t *on_clear(struct sim_deployment *d, struct sim_server *s, const json_t *command)
{
    (void)s;
    fault_clear(d, number_of(command, "id", 0));
    return done();
}

static json_t *on_gv_waits(struct sim_deployment *d, struct sim_server *s, const json_t *command)
{
    (void)s;
    d->gv_waits = is_set(command, "on", true);
    return done();
}

static json_t *describe(const struct sim_observer *o)
{
    return json_pack("{s:s, s:i, s:i, s:s, s:b, s:b}", "ip", o->server->ip, "sql_port", o->server->sql_port, "rpc_port", o->server->rpc_port,
                     "zone", o->server->zone, "listens", o->listener >= 0, "hangs", o->is_hung);
}

/* "settled": nothing is under way. */
static json_t *on_cluster(struct sim_deployment *d)
{
    json_t *servers = json_array();

    (void)world_advance(d);
    for (size_t i = 0; i < d->observers.n; i++)
        (void)json_array_append_new(servers, describe(d->observers.items[i])); /* no memory: the answer is incomplete, and seen so */
    return json_pack("{s:b, s:s, s:I, s:b, s:I, s:o}", "ok", 1, "name", d->cluster->name, "id", (json_int_t)d->cluster->id, "settled",
                     sim_next_us(d->cluster) == 0, "sessions", (json_int_t)d->cluster->clients.n, "servers", servers);
}

static const struct {
    const char *op;
    json_t *(*run)(struct sim_deployment *d, struct sim_server *s, const json_t *command);
} of_clusters[] = {
    { "partition", on_partition }, { "rootserver", on_rootserver }, { "hold", on_hold },         { "refuse_start", on_refuse_start },
    { "fault", on_fault },         { "clear", on_clear },           { "gv_waits", on_gv_waits },
};

/* --- who is meant ----------------------------------------------------------------------------------------------------------------- */

static struct sim_server *server_at(struct sim_cluster *c, const char *address)
{
    for (size_t i = 0; i < c->servers.n && address != NULL; i++)
        if (world_is_at(c->servers.items[i], address))
            return c->servers.items[i];
    return NULL;
}

/* Is it an op for a cluster? Its number, -1: no. */
static int of_cluster(const char *op)
{
    for (size_t i = 0; i < sizeof of_clusters / sizeof of_clusters[0]; i++)
        if (strcmp(of_clusters[i].op, op) == 0)
            return (int)i;
    return -1;
}

json_t *ctl_apply(struct sim_deployment *d, const json_t *command)
{
    int i = of_cluster(sim_c(text_of(command, "op")));

    return i >= 0 ? of_clusters[i].run(d, server_at(d->cluster, text_of(command, "server")), command) : fail("there is no such op");
}

/* The others learn of it by the journal. */
static json_t *run_for_cluster(struct sim_deployment *d, const json_t *command)
{
    (void)world_advance(d);
    if (d->world->journal != NULL)
        journal_note(d->world->journal, json_pack("{s:s, s:O}", "k", "ctl", "command", command));
    return ctl_apply(d, command);
}

/* The others hear no more of it, or hear again. */
static json_t *cut(struct sim_observer *o, bool on)
{
    json_t *command, *answer;
    char address[96];

    (void)snprintf(address, sizeof address, "%s:%d", o->server->ip, o->server->rpc_port);
    command = json_pack("{s:s, s:s, s:b}", "op", "partition", "server", address, "on", on);
    answer = run_for_cluster(o->deployment, command);
    json_decref(command);
    return answer;
}

/* "leased": it still renews its lease, so the cluster does not notice. */
static json_t *on_hang(struct sim_observer *o, const json_t *command)
{
    bool is_hung = is_set(command, "on", true);

    observer_hang(o, is_hung);
    return is_hung && is_set(command, "leased", false) ? done() : cut(o, is_hung);
}

static const struct {
    const char *op;
    json_t *(*run)(struct sim_observer *o, const json_t *command);
} of_servers[] = {
    { "kill", on_kill },       { "start", on_start }, { "hang", on_hang }, { "drop", on_drop }, { "slow_login", on_slow_login },
    { "starting", on_starting }, { "lie", on_lie },   { "hide", on_hide }, { "skew", on_skew },
};

/* --- statements, past login and faults --------------------------------------------------------------------------------------------- */

static json_t *rows_of(const struct sim_reply *r)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < reply_n_rows(r); i++) {
        json_t *row = json_array();

        for (unsigned j = 0; j < r->n_columns; j++) {
            struct slice cell = reply_at(r, i, j);

            (void)json_array_append_new(row, cell.s != NULL ? json_stringn(cell.s, cell.n) : json_null());
        }
        (void)json_array_append_new(rows, row);
    }
    return rows;
}

static json_t *result_of(const struct sim_reply *r)
{
    if (r->kind == SIM_REPLY_ERROR)
        return json_pack("{s:b, s:s, s:i}", "ok", 0, "error", r->text, "number", (int)r->number);
    return json_pack("{s:b, s:I, s:o}", "ok", 1, "affected", (json_int_t)r->affected, "rows", rows_of(r));
}

/* As root of the tenant (sys when none is named), without a connection: somebody else does it. */
static json_t *on_sql(struct sim_world *w, const json_t *command)
{
    const char *sql = text_of(command, "sql"), *server = text_of(command, "server"), *tenant = text_of(command, "tenant");
    struct sim_session *s = NULL;
    struct sim_observer *o;
    struct sim_reply reply;
    json_t *answer;

    world_lock(w);
    o = server != NULL ? world_observer(w, server) : NULL;
    if (o != NULL) {
        struct sim_tenant *t = sim_tenant_find(o->deployment->cluster, sim_slice(tenant != NULL ? tenant : "sys"));

        s = t != NULL && sql != NULL ? session_new(o, t, NULL, "127.0.0.1:0") : NULL;
    }
    world_unlock(w);
    if (s == NULL)
        return fail("no such server or tenant, or no sql");
    reply_init(&reply);
    (void)session_run(s, sim_slice(sql), &reply);
    answer = result_of(&reply);
    reply_fini(&reply);
    world_lock(w);
    session_free(s);
    world_unlock(w);
    return answer;
}

static json_t *run_locked(struct sim_world *w, const char *op, json_t *command)
{
    struct sim_observer *o = text_of(command, "server") != NULL ? world_observer(w, text_of(command, "server")) : NULL;
    struct sim_deployment *d = o != NULL ? o->deployment : world_find(w, text_of(command, "cluster"));

    for (size_t i = 0; i < sizeof of_servers / sizeof of_servers[0]; i++)
        if (strcmp(of_servers[i].op, op) == 0)
            return o != NULL ? of_servers[i].run(o, command) : fail("there is no such server");
    if (d == NULL)
        return fail("there is no such cluster");
    if (of_cluster(op) >= 0)
        return run_for_cluster(d, command);
    return strcmp(op, "cluster") == 0 ? on_cluster(d) : fail("there is no such op");
}

json_t *ctl_run(struct sim_world *w, json_t *command)
{
    const char *op = text_of(command, "op");
    json_t *answer;

    if (op == NULL)
        return fail("op is missing");
    if (strcmp(op, "sql") == 0)
        return on_sql(w, command);
    world_lock(w);
    answer = run_locked(w, op, command);
    world_unlock(w);
    return answer;
}

/* --- the socket -------------------------------------------------------------------------------------------------------------------- */

static void answer_line(struct ctl *c, FILE *out, const char *line)
{
    json_t *command = json_loads(line, 0, NULL);
    json_t *answer = command != NULL ? ctl_run(c->world, command) : fail("this is no JSON");

    if (answer != NULL && json_dumpf(answer, out, JSON_COMPACT) == 0)
        (void)fputc('\n', out); /* a client that is gone is noticed by fflush */
    json_decref(answer);
    json_decref(command);
}

static void serve_client(struct ctl *c, int fd)
{
    FILE *in = fdopen(dup(fd), "r"), *out = fdopen(dup(fd), "w");
    size_t space = 0;
    char *line = NULL;

    if (in == NULL || out == NULL)
        abort();
    while (getline(&line, &space, in) > 0) {
        answer_line(c, out, line);
        if (fflush(out) != 0)
            break;
    }
    free(line);
    (void)fclose(in);
    (void)fclose(out);
}

static void *serve(void *data)
{
    struct ctl *c = data;
    int fd;

    while ((fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        c->client = fd;
        serve_client(c, fd);
        c->client = -1;
        (void)close(fd);
    }
    return NULL;
}

struct ctl *ctl_start(struct sim_world *w, const char *path)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct ctl *c = mem_zalloc(sizeof *c);

    if (c == NULL)
        abort();
    *c = (struct ctl){ .world = w, .client = -1, .listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) };
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    (void)unlink(path); /* of a former run */
    if (c->listener < 0 || bind(c->listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(c->listener, 4) != 0 ||
        pthread_create(&c->thread, NULL, serve, c) != 0) {
        (void)fprintf(stderr, "obsim: %s: %s\n", path, strerror(errno));
        if (c->listener >= 0)
            (void)close(c->listener);
        mem_free(c);
        return NULL;
    }
    return c;
}

void ctl_stop(struct ctl *c)
{
    int client;

    if (c == NULL)
        return;
    (void)shutdown(c->listener, SHUT_RDWR); /* accept fails from now on */
    client = c->client;
    if (client >= 0)
        (void)shutdown(client, SHUT_RDWR); /* its end is read */
    (void)pthread_join(c->thread, NULL);   /* it was started */
    (void)close(c->listener);
    mem_free(c);
}
