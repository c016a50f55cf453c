/* SPDX-License-Identifier: Apache-2.0 */
/* Connecting, on a thread of the connect pool, where it may block: DNS, TCP, TLS, login, what the server is, the
 * session's settings. libmariadb waits by poll here, and the first words of the server are looked at before it reads
 * them: it trusts them. */
#include "src/io/sql_session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "src/base/num.h"

enum { SERVER_TIMEOUT_MS = 100000, UNKNOWN_VARIABLE = 1193, GREETING_MAX = 512, VERSION_MAX = 200 };

int sql_greeting(const unsigned char *p, size_t n)
{
    size_t length, version;

    if (n < 5)
        return 0;
    length = p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16;
    if (length < 4 || length > GREETING_MAX - 4)
        return -1;
    if (n < length + 4)
        return 0;
    if (p[4] == 0xff) /* an error; number 65535 would be a progress report, which comes too early */
        return p[5] == 0xff && p[6] == 0xff ? -1 : 1;
    version = strnlen((const char *)p + 5, length - 1);
    return p[4] == 10 && version < VERSION_MAX && version + 32 <= length ? 1 : -1;
}

static int64_t ms_left(const struct sql *s)
{
    int64_t left = s->dial_deadline_ms - (int64_t)(uv_hrtime() / 1000000);

    return left > 0 ? left : 0;
}

static int poll_for(struct sql *s, struct pollfd *p)
{
    int64_t left;
    int rv;

    do {
        left = ms_left(s);
        rv = left > 0 ? poll(p, 1, (int)(left < INT32_MAX ? left : INT32_MAX)) : 0;
    } while (rv < 0 && errno == EINTR);
    if (rv <= 0)
        s->ended = &ERR_TIMEOUT;
    return rv;
}

/* The handshake of TLS may read while the library has the socket blocking: the kernel ends that. */
static void limit_blocking(struct sql *s, int fd)
{
    struct timeval all = { .tv_sec = 1 + ms_left(s) / 1000 };

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &all, sizeof all); /* works for every stream socket */
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &all, sizeof all);
}

/* Waits for the greeting, which the server sends unasked, and leaves it to be read. */
static bool is_greeted(struct sql *s, int fd)
{
    unsigned char buf[GREETING_MAX];
    struct pollfd p = { .fd = fd, .events = POLLIN | POLLRDHUP };
    int sane = 0;

    while (sane == 0 && poll_for(s, &p) > 0) {
        ssize_t n = recv(fd, buf, sizeof buf, MSG_PEEK | MSG_DONTWAIT);

        if (n <= 0)
            return true; /* the library finds out what is wrong */
        sane = sql_greeting(buf, (size_t)n);
        if (sane == 0 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR)) == 0)
            (void)usleep(1000); /* the rest of a packet is on its way; it is interrupted by nothing that matters */
        else
            break;
    }
    s->rude = sane < 0;
    return s->ended == NULL && !s->rude;
}

bool sql_dial_wait(struct sql *s, int fd, bool is_read)
{
    struct pollfd p = { .fd = fd, .events = is_read ? POLLIN : POLLOUT };

    limit_blocking(s, fd);
    if (poll_for(s, &p) <= 0)
        return false;
    if ((p.revents & (POLLERR | POLLHUP)) != 0)
        return true; /* when this address refused the library tries the next */
    if (s->greeted || is_read) {
        s->greeted = true; /* a Unix socket connects at once: what comes then may be anything after the greeting */
        return true;
    }
    s->greeted = true; /* TCP: it waits to be connected */
    return is_greeted(s, fd);
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

/* What mysql_options answers is not looked at: it fails for an unknown option only, and libmariadb >= 3.3 has all of
 * these. */
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
    sql_take_calls(s);
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

    s->head = true;
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

const char *sql_timeout_text(enum sql_engine engine, unsigned ms, char *buf, size_t size)
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
                   sql_timeout_text(engine, SERVER_TIMEOUT_MS, timeouts, sizeof timeouts));
    s->engine = engine;
    return mysql_query(s->mysql, text);
}

/* COM_SET_OPTION first: OceanBase runs "a; b" although nobody asked for it. A proxy that does not know the command is
 * no reason to stay away: MariaDB and MySQL refuse several statements by themselves.
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

int sql_dial(struct sql *s, const struct sql_target *t, struct err *e)
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
