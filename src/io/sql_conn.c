/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a session:
 *
 *   fiber: sql_connect --job--> connect pool: sql_dial --> fiber: attach to the loop's epoll set
 *      ... sql_run ... --server closed, deadline, broken--> dropped --> sql_close
 *
 * A fiber that gives up waiting leaves the job to its thread, which closes what it made (dial_drop). */
#include "src/io/sql_session.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { CONNECT_TIMEOUT_MS = 5000, GRACE_MS = 100 };

struct dial {
    struct work work;
    struct arena arena;        /* of the target's copy */
    struct sql_target target;
    struct sql *s;             /* owned until the fiber takes it */
    char *password;            /* the copy, to be wiped */
    int rv;
    struct err err;
};

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static bool library_ready;

/* OpenSSL writes with write(2): a session that the server closed would end the process. */
static void library_init(void)
{
    struct sigaction now;

    if (sigaction(SIGPIPE, NULL, &now) == 0 && now.sa_handler == SIG_DFL)
        (void)signal(SIGPIPE, SIG_IGN); /* cannot fail for this signal */
    library_ready = mysql_library_init(0, NULL, NULL) == 0;
}

static void session_free(struct sql *s)
{
    if (s == NULL)
        return;
    s->closing = true; /* the good-bye is written if the kernel takes it, never waited for */
    sql_enter(s);
    if (s->mysql != NULL)
        mysql_close(s->mysql);
    sql_stmts_free(s);
    sql_leave();
    sql_drop(s);
    mem_free(s->cells);
    arena_fini(&s->arena);
    mem_free(s);
}

static int session_new(const struct sql_target *t, struct sql **out, struct err *e)
{
    struct sql *s = mem_zalloc(sizeof *s);

    if (s == NULL)
        return err_set(e, &ERR_NOMEM, "");
    s->fd = -1;
    s->max_packet = SIZE_MAX;
    s->mysql = mysql_init(NULL);
    s->peer = t->socket != NULL ? arena_strdup(&s->arena, t->socket)
                                : arena_printf(&s->arena, strchr(t->host, ':') != NULL ? "[%s]:%u" : "%s:%u", t->host, t->port);
    if (s->mysql == NULL || s->peer == NULL) {
        session_free(s);
        return err_set(e, &ERR_NOMEM, "");
    }
    *out = s;
    return 0;
}

static void dial_run(struct work *w)
{
    struct dial *d = (struct dial *)w;

    sql_enter(d->s);
    d->rv = sql_dial(d->s, &d->target, &d->err);
    sql_leave();
}

static void dial_free(struct dial *d)
{
    if (d->password != NULL)
        mem_wipe(d->password, strlen(d->password));
    session_free(d->s);
    arena_fini(&d->arena);
    mem_free(d);
}

static void dial_drop(struct work *w)
{
    dial_free((struct dial *)w);
}

static bool copy(struct dial *d, const char **field)
{
    if (*field != NULL)
        *field = arena_strdup(&d->arena, *field);
    return *field != NULL;
}

/* The thread may outlive the fiber and what it lent us. */
static bool copy_target(struct dial *d, const struct sql_target *t)
{
    const char **fields[] = { &d->target.host, &d->target.socket, &d->target.user, &d->target.password, &d->target.database,
                              &d->target.tls_ca };

    d->target = *t;
    if (t->connect_timeout_ms == 0)
        d->target.connect_timeout_ms = CONNECT_TIMEOUT_MS;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (*fields[i] != NULL && !copy(d, fields[i])) {
            d->target.password = NULL;
            return false;
        }
    }
    d->password = (char *)d->target.password;
    return true;
}

static int dial_new(const struct sql_target *t, struct dial **out, struct err *e)
{
    struct dial *d = mem_zalloc(sizeof *d);
    int rv;

    if (d == NULL)
        return err_set(e, &ERR_NOMEM, "");
    d->work.run = dial_run;
    d->work.drop = dial_drop;
    rv = copy_target(d, t) ? session_new(&d->target, &d->s, e) : err_set(e, &ERR_NOMEM, "");
    if (rv != 0) {
        dial_free(d);
        return rv;
    }
    d->s->dial_deadline_ms = (int64_t)(uv_hrtime() / 1000000) + d->target.connect_timeout_ms;
    *out = d;
    return 0;
}

/* The thread gives up by itself at the same deadline and knows better why: it gets a moment more. */
static int dial_wait(struct dial *d, struct work_pool *pool, struct err *e)
{
    unsigned timeout_ms = d->target.connect_timeout_ms;
    char peer[128];
    int64_t former;
    int rv;

    (void)snprintf(peer, sizeof peer, "%s", d->s->peer);
    former = fiber_narrow_deadline((int64_t)timeout_ms + GRACE_MS);
    rv = work_run(pool, &d->work, e);
    fiber_restore_deadline(former);
    if (rv != ERR_TIMEOUT.code || fiber_ms_left() == 0)
        return rv;
    (void)err_set(e, &ERR_SQL_LOST, "%s", peer);
    return err_arg(e, "no answer within %u ms", timeout_ms);
}

int sql_connect(const struct sql_target *target, struct work_pool *connect_pool, struct sql **out, struct err *e)
{
    struct dial *d = NULL;
    int rv;

    (void)pthread_once(&library_once, library_init); /* cannot fail */
    if (!library_ready)
        return err_set(e, &ERR_NOMEM, "");
    rv = dial_new(target, &d, e);
    if (rv != 0)
        return rv;
    rv = dial_wait(d, connect_pool, e);
    if (rv != 0)
        return rv;
    rv = d->rv;
    if (rv != 0 && e != NULL)
        *e = d->err;
    if (rv == 0)
        rv = sql_poll_attach(d->s, e);
    if (rv == 0) {
        *out = d->s;
        d->s = NULL;
    }
    dial_free(d);
    return rv;
}

void sql_close(struct sql *s)
{
    session_free(s);
}

bool sql_is_dead(const struct sql *s)
{
    return s->dead || s->hung_up;
}

enum sql_engine sql_engine(const struct sql *s)
{
    return s->engine;
}

const char *sql_version(const struct sql *s)
{
    return s->version;
}

const char *sql_version_comment(const struct sql *s)
{
    return s->comment;
}

uint64_t sql_connection_id(const struct sql *s)
{
    return s->id;
}

const char *sql_peer(const struct sql *s)
{
    return s->peer;
}

int sql_set_server_timeout(struct sql *s, unsigned ms, struct err *e)
{
    struct arena arena;
    char text[80] = "SET ";
    int rv;

    (void)sql_timeout_text(s->engine, ms, text + 4, sizeof text - 4);
    arena_init(&arena);
    rv = sql_run(s, text, NULL, 0, 0, &arena, NULL, e);
    arena_fini(&arena);
    return rv;
}

int sql_kill_query(const struct sql_target *target, struct work_pool *connect_pool, uint64_t connection_id, struct err *e)
{
    char text[48];
    struct arena arena;
    struct sql *s;
    int rv = sql_connect(target, connect_pool, &s, e);

    if (rv != 0)
        return err_wrap(e, "kill query");
    (void)snprintf(text, sizeof text, "KILL QUERY %" PRIu64, connection_id);
    arena_init(&arena);
    rv = sql_run(s, text, NULL, 0, 0, &arena, NULL, e);
    arena_fini(&arena);
    sql_close(s);
    return rv;
}
