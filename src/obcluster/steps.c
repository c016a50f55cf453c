/* SPDX-License-Identifier: Apache-2.0 */
#include "src/obcluster/steps.h"

#include <string.h>

#include "src/base/num.h"
#include "src/io/fiber.h"
#include "src/obcluster/link.h"
#include "src/obcluster/look.h"
#include "src/oceanbase/session.h"
#include "src/task/domains.h"
#include "src/task/session.h"

ERR_DEFINE(ERR_STEP_WAITED, 90830, 504, ERR_RETRY, "Waited in vain for this: {0}. {1} Look at the cluster, then run the step again.",
           "等待超时：{0}。{1} 请检查集群状态后重试该步骤。");

const struct err_row *const steps_err_rows[] = { &ERR_STEP_WAITED, NULL };

enum { SAY_MS = 60000, CONNECT_MS = 5000, INITIALIZING = 8001 };
_Static_assert(STEP_IDLE_S * 1000 <= STEP_QUERY_MS, "end_older waits for sessions that end by themselves");

struct obclusters *step_domain(struct task_run *r)
{
    const struct domain_graph *g = task_data(r);

    return g->obclusters;
}

int64_t step_now_us(struct task_run *r)
{
    return clock_wall_us(step_domain(r)->conf.clock);
}

int step_cluster(struct task_run *r, struct obcluster *out, struct err *e)
{
    return store_obcluster_get(task_db(r), task_of(r)->cluster_id, task_arena(r), out, e);
}

/* --- sessions that may change something ------------------------------------------------------------------------------------------ */

/* Where an older session is, and who may end it. */
struct older {
    struct task_run *r;
    const struct obcluster *c;
    const struct task_session *session;
    const char *password;            /* NULL: the one that is kept */
};

/* A server that waits for its cluster has no view of sessions: whom it has killed it has killed. */
static int is_there(struct sql *s, int64_t id, struct arena *arena, bool *yes, struct err *e)
{
    struct ob_session *all;
    size_t n;
    int rv = ob_sessions_list(s, NULL, arena, &all, &n, e);

    *yes = false;
    if (rv == ERR_SQL_FAILED.code && !sql_is_dead(s)) {
        err_clear(e);
        return 0;
    }
    for (size_t i = 0; rv == 0 && i < n; i++)
        *yes |= all[i].id == id;
    return rv;
}

/* A server that is no cluster yet ends no session: what is idle there ends by itself before end_older goes on. */
static int kill_and_see(struct sql *s, void *data, struct err *e)
{
    const struct older *o = data;
    bool there = true;
    int rv = ob_session_kill(s, o->session->connection_id, false, e);

    if (rv == ERR_OB_SESSION_UNKNOWN.code || (rv != 0 && e->lib_code == INITIALIZING)) {
        err_clear(e);
        return 0;
    }
    while (rv == 0 && there) {
        rv = is_there(s, o->session->connection_id, task_arena(o->r), &there, e);
        if (rv == 0 && there)
            rv = fiber_sleep(STEP_LOOK_MS / 4, e);
    }
    return rv;
}

static int connect_at(struct task_run *r, const char *host, int64_t port, const char *user, const char *password, struct sql **out, struct err *e)
{
    struct sql_target target = { .host = host, .port = (unsigned)port, .user = user, .password = password, .connect_timeout_ms = CONNECT_MS };

    return sql_connect(&target, step_domain(r)->conf.connect_pool, out, e);
}

/* "name:2881", "10.0.0.1:2881", "[::1]:2881" -> host and port. */
static int split(const char *server, struct arena *arena, const char **host, int64_t *port, struct err *e)
{
    const char *colon = strrchr(server, ':');
    bool bracketed = server[0] == '[';

    if (colon == NULL || !num_parse_i64_in((struct slice){ colon + 1, strlen(colon + 1) }, 1, 65535, port))
        return err_set(e, &ERR_UNEXPECTED, "a session at %s is known to the task", server);
    *host = arena_strndup(arena, server + bracketed, (size_t)(colon - server) - 2u * bracketed);
    return *host != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int end_one(const struct older *o, struct err *e)
{
    const char *host;
    int64_t port;
    struct sql *s;
    int rv = split(o->session->server, task_arena(o->r), &host, &port, e);

    if (rv != 0)
        return rv;
    if (o->password == NULL)
        return link_run_at(step_domain(o->r), o->c, host, port, kill_and_see, (void *)(uintptr_t)o, e);
    rv = connect_at(o->r, host, port, o->c->username, o->password, &s, e);
    if (rv != 0)
        return rv;
    rv = kill_and_see(s, (void *)(uintptr_t)o, e);
    sql_close(s);
    return rv;
}

/* A statement whose session was killed may run on at the root service, for as long as it was allowed to. */
static int end_older(struct task_run *r, const struct obcluster *c, const char *password, struct err *e)
{
    struct task_session *older;
    size_t n;
    int rv = task_session_older(r, &older, &n, e);

    for (size_t i = 0; rv == 0 && i < n; i++) {
        struct older o = { r, c, &older[i], password };

        task_log(r, "ends the session %lld at %s of an earlier run", (long long)older[i].connection_id, older[i].server);
        rv = end_one(&o, e);
    }
    if (rv == 0 && n > 0)
        rv = fiber_sleep(STEP_QUERY_MS, e);
    for (size_t i = 0; rv == 0 && i < n; i++)
        rv = task_session_close(r, older[i].server, older[i].connection_id, e);
    return rv;
}

static int limit_session(struct sql *s, struct arena *arena, struct err *e)
{
    const struct sql_value idle = SQL_V_I(STEP_IDLE_S);
    int rv = sql_set_server_timeout(s, STEP_QUERY_MS, e);

    return rv == 0 ? sql_run(s, "SET SESSION wait_timeout = ?", &idle, 1, 0, arena, NULL, e) : rv;
}

/* Takes the session. It is known before anything is changed over it, and gone before it is forgotten. */
static int run_known(struct task_run *r, struct sql *s, step_work work, void *data, struct err *e)
{
    const char *server = arena_strdup(task_arena(r), sql_peer(s));
    int64_t id = (int64_t)sql_connection_id(s);
    struct err closing;
    int rv = server != NULL ? limit_session(s, task_arena(r), e) : err_set(e, &ERR_NOMEM, "");

    if (rv == 0)
        rv = task_session_open(r, server, id, e);
    if (rv != 0) {
        sql_close(s);
        return rv;
    }
    rv = work(s, data, e);
    if (rv != 0 && sql_is_dead(s)) { /* it may still do something: the next run ends it */
        sql_close(s);
        return rv;
    }
    sql_close(s);
    return task_session_close(r, server, id, rv == 0 ? e : &closing) != 0 && rv == 0 ? e->row->code : rv;
}

int step_change_at(struct task_run *r, const struct obcluster *c, const char *host, int64_t sql_port, const char *password, step_work work,
                   void *data, struct err *e)
{
    struct sql *s;
    int rv = end_older(r, c, password, e);

    if (rv == 0)
        rv = connect_at(r, host, sql_port, c->username, password, &s, e);
    return rv == 0 ? run_known(r, s, work, data, e) : rv;
}

int step_change(struct task_run *r, const struct obcluster *c, step_work work, void *data, struct err *e)
{
    struct sql *s;
    int rv = end_older(r, c, NULL, e);

    if (rv == 0)
        rv = link_open(step_domain(r), c, &s, e);
    if (rv != 0)
        return rv;
    rv = run_known(r, s, work, data, e);
    return rv != 0 ? link_word_use(e, c->name) : 0;
}

int step_try(struct task_run *r, const struct obcluster *c, step_work work, void *data, const char *what, struct err *e)
{
    char text[ERR_TRAIL_SIZE + ERR_MAX_ARGS * ERR_ARG_SIZE];
    int rv = step_change(r, c, work, data, e);

    if (rv == 0 || err_is(e, &ERR_CANCELLED) || err_is(e, &ERR_TASK_OVERTAKEN))
        return rv;
    task_log(r, "%s: %s", what, err_text(e, ERR_EN, text, sizeof text));
    err_clear(e);
    return 0;
}

/* --- looking --------------------------------------------------------------------------------------------------------------------- */

int step_ask(struct task_run *r, const struct obcluster *c, step_work work, void *data, struct err *e)
{
    struct link *k;
    int rv = link_take(step_domain(r), c, &k, e);

    return rv == 0 ? link_give(k, work(link_sql(k), data, e), e) : rv;
}

struct probing {
    step_probe probe;
    void *data;
    bool done;
};

static int probe_once(struct sql *s, void *data, struct err *e)
{
    struct probing *p = data;

    return p->probe(s, p->data, &p->done, e);
}

static int waited(const char *what, const struct err *last, struct err *e)
{
    char text[ERR_TRAIL_SIZE + ERR_MAX_ARGS * ERR_ARG_SIZE];
    const char *why = last->row != NULL ? err_text(last, ERR_EN, text, sizeof text) : "";

    (void)err_set(e, &ERR_STEP_WAITED, "%s", what);
    return err_arg(e, "%s", why);
}

int step_wait(struct task_run *r, const struct obcluster *c, const char *what, step_probe probe, void *data, struct err *e)
{
    struct probing p = { probe, data, false };
    int64_t said_ms = INT64_MIN;
    struct err last = { .row = NULL }, why;

    for (;;) {
        int64_t now = clock_now_ms(step_domain(r)->conf.clock);

        if (step_ask(r, c, probe_once, &p, &why) != 0)
            last = why;
        if (p.done)
            return 0;
        if (err_is(&last, &ERR_CANCELLED) || err_is(&last, &ERR_NOMEM)) {
            *e = last;
            return e->row->code;
        }
        if (said_ms == INT64_MIN || now - said_ms >= SAY_MS) {
            task_log(r, "waits: %s", what);
            said_ms = now;
        }
        if (fiber_ms_left() < 2 * STEP_LOOK_MS)
            return waited(what, &last, e);
        if (fiber_sleep(STEP_LOOK_MS, e) != 0)
            return e->row->code;
    }
}

static int look_once(struct sql *s, void *data, struct err *e)
{
    struct task_run *r = data;
    struct obtopology former;
    struct obcluster c;
    struct look seen;
    bool written;
    int rv = step_cluster(r, &c, e);

    if (rv == 0)
        rv = look_at(s, &c, task_arena(r), &seen, e);
    if (rv == 0)
        rv = store_obtopology_read(task_db(r), c.id, task_arena(r), &former, e);
    return rv == 0 ? look_keep(task_db(r), &c, &former, &seen, true, NULL, step_now_us(r), task_arena(r), &written, e) : rv;
}

int step_look(struct task_run *r, struct err *e)
{
    struct obcluster c;
    int rv = step_cluster(r, &c, e);

    return rv == 0 ? step_ask(r, &c, look_once, r, e) : rv;
}

/* --- status ---------------------------------------------------------------------------------------------------------------------- */

struct move {
    int64_t id, now_us;
    enum obcluster_status from, to;
    bool moved;
};

static int move_body(struct tx *tx, void *data, struct err *e)
{
    struct move *m = data;

    return store_obcluster_move(tx, m->id, m->from, m->to, m->now_us, &m->moved, e);
}

int step_move(struct task_run *r, enum obcluster_status from, enum obcluster_status to, struct err *e)
{
    struct move m = { task_of(r)->cluster_id, step_now_us(r), from, to, false };
    struct obcluster c = { 0 };
    int rv = task_transact(r, move_body, &m, e);

    if (rv == 0 && !m.moved)
        rv = step_cluster(r, &c, e);
    if (rv == 0 && !m.moved && c.status != (int)to) {
        (void)err_set(e, &ERR_OBCLUSTER_STATE, "%s", c.name);
        (void)err_arg(e, "%s", obcluster_status_names[c.status]);
        rv = err_arg(e, "%s", task_of(r)->name);
    }
    if (rv == 0)
        obclusters_look_soon(step_domain(r), m.id);
    return rv;
}

struct removal {
    int64_t id;
    enum obcluster_status status;
    struct arena *arena;
};

static int remove_body(struct tx *tx, void *data, struct err *e)
{
    const struct removal *m = data;
    struct obcluster c;
    int rv = store_obcluster_lock(tx, m->id, m->arena, &c, e);

    if (rv == ERR_OBCLUSTER_NOT_FOUND.code)
        return 0;
    return rv == 0 && c.status == (int)m->status ? store_obcluster_delete(tx, m->id, e) : rv;
}

int step_forget(struct task_run *r, enum obcluster_status status, struct err *e)
{
    struct removal m = { task_of(r)->cluster_id, status, task_arena(r) };
    int rv = task_transact(r, remove_body, &m, e);

    if (rv == 0)
        link_forget(step_domain(r), m.id);
    return rv;
}
