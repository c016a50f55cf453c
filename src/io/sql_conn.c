/* SPDX-License-Identifier: Apache-2.0 */
/* Life of a session:
 *
 *   fiber: sql_connect --job--> connect pool: dial (DNS, TCP, TLS, login), identify, set --> fiber: attach to the loop's epoll set
 *      ... sql_run ... --server closed, deadline, broken--> dropped --> sql_close
 *
 * A fiber that gives up waiting leaves the job to its thread, which closes what it made (dial_drop). */
#include "src/io/sql_session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/base/num.h"

enum { CONNECT_TIMEOUT_MS = 5000, GRACE_MS = 100, SERVER_TIMEOUT_MS = 100000, UNKNOWN_VARIABLE = 1193 };

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

static const struct sql_effect no_effect = { .reads = true };

static int refuse_infile(void **data, const char *name, void *user)
{
    (void)name;
    (void)user;
    *data = NULL;
    return 1;
}

static int refuse_read(void *data, char *buf, unsigned n)
{
    (void)data;
    (void)buf;
    (void)n;
    return -1;
}

static void refuse_end(void *data)
{
    (void)data;
}

static int refuse_error(void *data, char *buf, unsigned n)
{
    (void)data;
    if (n > 0)
        buf[0] = '\0';
    return 2068; /* the number for a refused LOCAL INFILE */
}

static bool wants_tls(const struct sql_target *t)
{
    return t->socket == NULL && (t->tls_required || t->tls_ca != NULL);
}

/* What mysql_options answers is not looked at: it fails for an unknown option only, and libmariadb >= 3.3 has all of these. */
static void set_tls(MYSQL *m, const struct sql_target *t)
{
    my_bool enforce = wants_tls(t);
    my_bool verify = enforce && t->tls_ca != NULL;

    (void)mysql_options(m, MYSQL_OPT_SSL_ENFORCE, &enforce); /* 3.4 asks for TLS unless it is told not to */
    (void)mysql_options(m, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
    if (enforce)
        (void)mysql_options(m, MARIADB_OPT_TLS_VERSION, "TLSv1.2,TLSv1.3");
    if (verify)
        (void)mysql_options(m, MYSQL_OPT_SSL_CA, t->tls_ca);
}

static void set_options(MYSQL *m, const struct sql_target *t)
{
    unsigned timeout_s = 1 + t->connect_timeout_ms / 1000;
    unsigned off = 0;
    unsigned tcp = MYSQL_PROTOCOL_TCP;
    unsigned long max_packet = SQL_BYTES_MAX + (32 << 20); /* our own limit, which says why, comes first */

    (void)mysql_options(m, MARIADB_OPT_IO_WAIT, (const void *)sql_io_wait);
    (void)mysql_options(m, MYSQL_OPT_CONNECT_TIMEOUT, &timeout_s);
    (void)mysql_options(m, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    (void)mysql_options(m, MYSQL_OPT_LOCAL_INFILE, &off);
    mysql_set_local_infile_handler(m, refuse_infile, refuse_read, refuse_end, refuse_error, NULL);
    (void)mysql_options(m, MYSQL_OPT_MAX_ALLOWED_PACKET, &max_packet);
    /* a server must not talk us into another method, least of all into sending the password in the clear */
    (void)mysql_options(m, MARIADB_OPT_RESTRICTED_AUTH, "mysql_native_password,caching_sha2_password,client_ed25519,parsec");
    if (t->socket == NULL)
        (void)mysql_options(m, MYSQL_OPT_PROTOCOL, &tcp); /* else "localhost" means a socket file of libmariadb's choice */
    set_tls(m, t);
}

static int fail(struct sql *s, struct err *e)
{
    return sql_fail(s, (int)mysql_errno(s->mysql), mysql_error(s->mysql), &no_effect, e);
}

static void set_int(int fd, int level, int option, int value)
{
    (void)setsockopt(fd, level, option, &value, sizeof value); /* a Unix socket knows not all of them, and none is vital */
}

static int prepare_socket(struct sql *s, struct err *e)
{
    int fd = mysql_get_socket(s->mysql);
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
        return err_set(e, &ERR_IO, "socket of the database: %s", strerror(errno));
    s->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (s->fd < 0)
        return err_set(e, &ERR_IO, "socket of the database: %s", strerror(errno));
    sql_take_turns(s);
    set_int(fd, SOL_SOCKET, SO_SNDBUF, SQL_SOCKET_BYTES);
    set_int(fd, SOL_SOCKET, SO_RCVBUF, SQL_SOCKET_BYTES);
    set_int(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_int(fd, IPPROTO_TCP, TCP_KEEPIDLE, 30);
    set_int(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
    set_int(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
    return 0;
}

static bool has(const char *text, const char *word)
{
    return strcasestr(text, word) != NULL;
}

static enum sql_engine tell_engine(const char *version, const char *comment)
{
    if (has(version, "seekdb") || has(comment, "seekdb"))
        return SQL_SEEKDB;
    if (has(version, "OceanBase") || has(comment, "OceanBase"))
        return SQL_OCEANBASE;
    return has(version, "MariaDB") || has(comment, "MariaDB") ? SQL_MARIADB : SQL_MYSQL;
}

/* Takes what the server says of itself. A row of another form is no server for us. */
static int take_identity(struct sql *s, MYSQL_RES *res, struct err *e)
{
    MYSQL_ROW row = mysql_num_fields(res) == 3 ? mysql_fetch_row(res) : NULL;
    int64_t packet;

    if (row == NULL || row[0] == NULL || row[1] == NULL || row[2] == NULL)
        return sql_abort(s, &ERR_SQL_FAILED, "it does not say what it is", &no_effect, e);
    s->version = arena_strdup(&s->arena, row[0]);
    s->comment = arena_strdup(&s->arena, row[1]);
    if (s->version == NULL || s->comment == NULL)
        return err_set(e, &ERR_NOMEM, "");
    s->engine = tell_engine(s->version, s->comment);
    s->id = mysql_thread_id(s->mysql);
    if (!num_parse_i64_in((struct slice){ row[2], strlen(row[2]) }, 1024, INT32_MAX, &packet))
        packet = 1 << 20;
    s->max_packet = (size_t)packet;
    return 0;
}

static int identify(struct sql *s, struct err *e)
{
    MYSQL_RES *res;
    int rv;

    if (mysql_query(s->mysql, "SELECT version(), @@version_comment, @@max_allowed_packet") != 0)
        return fail(s, e);
    res = mysql_store_result(s->mysql);
    if (res == NULL)
        return mysql_errno(s->mysql) != 0 ? fail(s, e)
                                          : sql_abort(s, &ERR_SQL_FAILED, "it does not say what it is", &no_effect, e);
    rv = take_identity(s, res, e);
    mysql_free_result(res);
    return rv;
}

static const char *timeouts_text(enum sql_engine engine, unsigned ms, char *buf, size_t size)
{
    switch (engine) {
    case SQL_OCEANBASE:
    case SQL_SEEKDB:
        (void)snprintf(buf, size, "ob_query_timeout=%" PRIu64, (uint64_t)ms * 1000);
        break;
    case SQL_MARIADB:
        (void)snprintf(buf, size, "max_statement_time=%u.%03u", ms / 1000, ms % 1000);
        break;
    case SQL_MYSQL:
        (void)snprintf(buf, size, "max_execution_time=%u", ms);
        break;
    }
    return buf;
}

static int set_variables(struct sql *s, enum sql_engine engine)
{
    char text[512], timeouts[64];

    (void)snprintf(text, sizeof text,
                   "SET autocommit=1, time_zone='+00:00', sql_mode='STRICT_ALL_TABLES,NO_ZERO_IN_DATE', %s='READ-COMMITTED', %s",
                   engine == SQL_MYSQL ? "transaction_isolation" : "tx_isolation",
                   timeouts_text(engine, SERVER_TIMEOUT_MS, timeouts, sizeof timeouts));
    s->engine = engine;
    return mysql_query(s->mysql, text);
}

/* COM_SET_OPTION first: OceanBase runs "a; b" although nobody asked for it. A proxy that does not know the command is no
 * reason to stay away: MariaDB and MySQL refuse several statements by themselves.
 * The version text may be set to anything: a server that claims to be an OceanBase and lacks its variables is none. */
static int set_session(struct sql *s, struct err *e)
{
    const enum sql_engine others[] = { SQL_MARIADB, SQL_MYSQL };
    bool may_lie = s->engine == SQL_OCEANBASE || s->engine == SQL_SEEKDB;
    int rv;

    if (mysql_set_server_option(s->mysql, MYSQL_OPTION_MULTI_STATEMENTS_OFF) != 0 && mysql_get_socket(s->mysql) < 0)
        return fail(s, e);
    rv = set_variables(s, s->engine);
    for (unsigned i = 0; may_lie && i < 2 && rv != 0 && mysql_errno(s->mysql) == UNKNOWN_VARIABLE; i++)
        rv = set_variables(s, others[i]);
    return rv != 0 ? fail(s, e) : 0;
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

/* On a thread of the connect pool. */
static int dial(struct sql *s, const struct sql_target *t, struct err *e)
{
    int rv;

    set_options(s->mysql, t);
    if (mysql_real_connect(s->mysql, t->socket != NULL ? NULL : t->host, t->user, t->password, t->database, t->port, t->socket,
                           CLIENT_FOUND_ROWS) == NULL)
        return fail(s, e);
    /* without a certificate to verify libmariadb goes on in the clear when the server has no TLS */
    if (wants_tls(t) && mysql_get_ssl_cipher(s->mysql) == NULL)
        return sql_abort(s, &ERR_SQL_LOST, "TLS is required, but the server does not offer it", &no_effect, e);
    rv = prepare_socket(s, e);
    if (rv == 0)
        rv = identify(s, e);
    return rv == 0 ? set_session(s, e) : rv;
}

static void dial_run(struct work *w)
{
    struct dial *d = (struct dial *)w;

    sql_enter(d->s);
    d->rv = dial(d->s, &d->target, &d->err);
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

    (void)timeouts_text(s->engine, ms, text + 4, sizeof text - 4);
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
