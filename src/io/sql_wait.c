/* SPDX-License-Identifier: Apache-2.0 */
/* How libmariadb waits.
 *
 *   fiber: mysql_... --would block--> sql_io_wait --park--> loop --epoll set is readable--> on_ready --wake--> ... --> retry
 *                                         '--deadline, cancelled--> 0: the library fails and closes its socket; so do we
 *
 * Each loop has one epoll set for all its sessions, watched by one uv_poll. A session's socket is in it once, as a
 * duplicate and edge-triggered for both directions, until it ends: the library asks only after EAGAIN, so no edge is
 * missed, no system call is needed for a wait, a TLS write that waits "to read" wakes as well, and a session that the
 * server closes while it is idle costs nothing. It must be a duplicate because the library closes its own descriptor
 * inside a failing call. */
#include "src/io/sql_session.h"

#include "config.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

/* The library's MARIADB_TLS; its header ma_tls.h needs others that are not installed. */
struct library_tls {
    void *data;
    MARIADB_PVIO *pvio;
    SSL *ssl;
};

struct sql_poll {
    struct loop_local local;
    uv_poll_t poll;
    int epoll;                     /* owned */
};

/* The library gives its waiting function nothing of ours: this is the only way to know the session. */
static _Thread_local struct sql *under_way;

void sql_enter(struct sql *s)
{
    under_way = s;
    ERR_clear_error(); /* what another connection left there would fail the next TLS read */
}

void sql_leave(void)
{
    under_way = NULL;
}

static int64_t now_us(void)
{
    return (int64_t)(uv_hrtime() / 1000);
}

static uint64_t received(struct sql *s)
{
    size_t n = 0;

    (void)mariadb_get_infov(s->mysql, MARIADB_CONNECTION_BYTES_READ, &n); /* stays 0 where the library does not count */
    return n;
}

void sql_may_receive(struct sql *s, uint64_t n)
{
    s->may_receive = received(s) + n;
}

static bool wait_parked(struct sql *s)
{
    struct wait w;
    struct err e;
    int rv;

    wait_init(&w);
    s->wait = &w;
    rv = wait_for(&w, &e);
    s->wait = NULL;
    if (rv != 0)
        s->ended = e.row;
    s->turn_us = now_us();
    return rv == 0;
}

int sql_io_wait(my_socket fd, my_bool is_read, int timeout)
{
    struct sql *s = under_way;
    bool rv = false;

    (void)timeout; /* seconds here, milliseconds there, and the fiber's deadline rules */
    if (!s->closing && !s->dead && s->ended == NULL && !s->flooded)
        rv = s->poll == NULL ? sql_dial_wait(s, fd, is_read) : wait_parked(s);
    sql_enter(s);
    if (!rv)
        errno = ETIMEDOUT;
    return rv;
}

int sql_pause(struct sql *s, struct err *e)
{
    struct sql *former = under_way;
    int rv;

    if (s == NULL || s->poll == NULL || now_us() - s->turn_us < SQL_TURN_US)
        return 0;
    rv = fiber_yield(e);
    if (rv == 0 && fiber_ms_left() == 0)
        rv = err_set(e, &ERR_TIMEOUT, "%s", fiber_name(fiber_current()));
    s->turn_us = now_us();
    if (former != NULL)
        sql_enter(former);
    return rv;
}

/* Before each read and write of a connected session: as long as the peer keeps up with us the library never waits.
 * False ends the call. */
static bool may_go_on(struct sql *s)
{
    struct err e;

    if (s->closing || s->poll == NULL)
        return true;
    if (s->ended == NULL && sql_pause(s, &e) != 0)
        s->ended = e.row;
    s->flooded = s->flooded || received(s) > s->may_receive;
    errno = ETIMEDOUT;
    return s->ended == NULL && !s->flooded && !s->dead;
}

static ssize_t read_in_turns(MARIADB_PVIO *pvio, uchar *to, size_t n)
{
    struct sql *s = under_way;

    return may_go_on(s) ? s->library_methods->read(pvio, to, n) : -1;
}

static ssize_t write_in_turns(MARIADB_PVIO *pvio, const uchar *from, size_t n)
{
    struct sql *s = under_way;

    return may_go_on(s) ? s->library_methods->write(pvio, from, n) : -1;
}

static long on_tls(BIO *bio, int what, const char *data, size_t n, int i, long l, int rv, size_t *done)
{
    (void)bio, (void)data, (void)n, (void)i, (void)l, (void)done;
    return (what == BIO_CB_READ || what == BIO_CB_WRITE) && !may_go_on(under_way) ? -1 : rv;
}

/* In the clear the library goes through its table of methods; under TLS OpenSSL reads and writes by itself. */
void sql_take_turns(struct sql *s)
{
    MARIADB_PVIO *pvio = s->mysql->net.pvio;

    s->library_methods = pvio->methods;
    s->methods = *pvio->methods;
    s->methods.read = read_in_turns;
    s->methods.write = write_in_turns;
    pvio->methods = &s->methods;
    if (pvio->ctls != NULL)
        BIO_set_callback_ex(SSL_get_rbio(((struct library_tls *)pvio->ctls)->ssl), on_tls);
}

#ifdef HAVE_MARIADB_ROW_LENGTH
/* A row of a prepared statement. */
static int on_row(MYSQL_STMT *stmt, unsigned char *row, unsigned long n)
{
    (void)stmt;
    under_way->row = (struct slice){ (const char *)row, n };
    return 0;
}
#endif

/* The number of columns at the head of a result: one byte, or 0xfc and two. More have no meaning here. */
static unsigned column_count(const unsigned char *p)
{
    return p[0] < 0xfb ? p[0] : p[0] == 0xfc ? p[1] | (unsigned)p[2] << 8 : UINT_MAX;
}

/* `fields` NULL: the columns of a result come next. The library makes room for as many as the server has announced. */
static MYSQL_DATA *on_rows(MYSQL *m, MYSQL_FIELD *fields, unsigned n)
{
    struct sql *s = under_way;

    if (fields == NULL && s->head) {
        s->head = false;
        s->flooded = column_count(m->net.read_pos) > SQL_COLUMNS_MAX;
    }
    return s->flooded ? NULL : s->library_calls->db_read_rows(m, fields, n);
}

void sql_take_calls(struct sql *s)
{
    s->library_calls = s->mysql->methods;
    s->calls = *s->mysql->methods;
#ifdef HAVE_MARIADB_ROW_LENGTH
    s->calls.db_stmt_fetch_to_bind = on_row;
#endif
    s->calls.db_read_rows = on_rows;
    s->mysql->methods = &s->calls;
}

static void on_event(struct sql *s, uint32_t events)
{
    if (s->wait != NULL)
        wait_wake(s->wait);
    else if (!s->busy && (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        s->hung_up = true;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct sql_poll *p = poll->data;
    struct epoll_event got[64];
    int n;

    (void)status; /* an epoll set has no errors of its own */
    (void)events;
    do {
        n = epoll_wait(p->epoll, got, 64, 0);
        for (int i = 0; i < n; i++)
            on_event(got[i].data.ptr, got[i].events);
    } while (n == 64);
}

static void on_closed(uv_handle_t *handle)
{
    struct sql_poll *p = handle->data;

    (void)close(p->epoll); /* nothing is buffered in it */
    mem_free(p);
}

static void close_poll(struct loop_local *local)
{
    struct sql_poll *p = (struct sql_poll *)local;

    uv_close((uv_handle_t *)&p->poll, on_closed);
}

static int poll_new(struct loop *l, struct sql_poll **out, struct err *e)
{
    struct sql_poll *p = mem_zalloc(sizeof *p);
    int rv;

    if (p == NULL)
        return err_set(e, &ERR_NOMEM, "");
    p->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (p->epoll < 0) {
        rv = err_set(e, &ERR_IO, "epoll set: %s", strerror(errno));
        goto free_poll;
    }
    rv = uv_poll_init(loop_uv(l), &p->poll, p->epoll);
    if (rv != 0) {
        rv = err_set(e, &ERR_IO, "watch epoll set: %s", uv_strerror(rv));
        goto close_epoll;
    }
    p->poll.data = p;
    (void)uv_poll_start(&p->poll, UV_READABLE, on_ready); /* fails only for a handle that is closing */
    uv_unref((uv_handle_t *)&p->poll);
    p->local.close = close_poll;
    *out = p;
    return 0;

close_epoll:
    (void)close(p->epoll);
free_poll:
    mem_free(p);
    return rv;
}

static int poll_get(struct loop *l, struct sql_poll **out, struct err *e)
{
    static const char key;
    int rv = 0;

    *out = (struct sql_poll *)loop_local(l, &key);
    if (*out != NULL)
        return 0;
    rv = poll_new(l, out, e);
    if (rv == 0) {
        (*out)->local.key = &key;
        loop_add_local(l, &(*out)->local);
    }
    return rv;
}

int sql_poll_attach(struct sql *s, struct err *e)
{
    struct epoll_event wanted = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = s };
    struct sql_poll *p;
    int rv = poll_get(fiber_loop(fiber_current()), &p, e);

    if (rv != 0)
        return rv;
    if (epoll_ctl(p->epoll, EPOLL_CTL_ADD, s->fd, &wanted) != 0)
        return err_set(e, errno == ENOMEM ? &ERR_NOMEM : &ERR_IO, "watch connection: %s", strerror(errno));
    s->poll = p;
    return 0;
}

void sql_drop(struct sql *s)
{
    s->dead = true;
    if (s->fd < 0)
        return;
    if (s->poll != NULL)
        (void)epoll_ctl(s->poll->epoll, EPOLL_CTL_DEL, s->fd, NULL); /* the library still holds the same connection */
    (void)shutdown(s->fd, SHUT_RDWR); /* the peer may have closed it already */
    (void)close(s->fd);
    s->fd = -1;
}
