/* SPDX-License-Identifier: Apache-2.0 */
/* Hosts that are gone say nothing for long. To an address the fiber connects by itself, so that silence keeps no thread from hosts that answer;
 * names are looked up, and connected to, on a thread. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/base/mem.h"
#include "src/io/addr.h"
#include "src/io/fiber.h"
#include "src/io/ssh_link.h"

static const char *reason_of(int number)
{
    return strerrordesc_np(number) != NULL ? strerrordesc_np(number) : "unknown reason";
}

static void notice_silence(int fd)
{
    const struct {
        int level, name, value;
    } options[] = {
        { SOL_SOCKET, SO_KEEPALIVE, 1 }, { IPPROTO_TCP, TCP_KEEPIDLE, 5 }, { IPPROTO_TCP, TCP_KEEPINTVL, 3 }, { IPPROTO_TCP, TCP_KEEPCNT, 3 },
        { IPPROTO_TCP, TCP_USER_TIMEOUT, 15000 },
    };

    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++) /* without them deadlines do it, later */
        (void)setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof options[i].value);
}

/* Begins to connect; the socket belongs to the wire then. Returns 0, EINPROGRESS, or what is wrong. */
static int begin(struct ssh_link *k, const struct sockaddr *to, socklen_t n, int *fd)
{
    *fd = socket(to->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0)
        return errno;
    notice_silence(*fd);
    if (!ssh_link_open_wire(k, *fd)) {
        close(*fd);
        return ECANCELED;
    }
    return connect(*fd, to, n) == 0 ? 0 : errno;
}

/* What became of it, now that the socket is ready. */
static int result_of(int fd)
{
    int number = 0;
    socklen_t n = sizeof number;

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &number, &n) == 0 ? number : errno;
}

/* ---- in the fiber ---------------------------------------------------------------------------------------------------- */

struct knock {
    uv_poll_t poll;
    struct wait *wait;
};

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct knock *k = poll->data;

    (void)status;
    (void)events; /* the socket tells more */
    (void)uv_poll_stop(poll);
    wait_wake(k->wait);
}

static void on_closed(uv_handle_t *h)
{
    mem_free(h->data);
}

static int await(int fd, struct err *e)
{
    struct knock *k = mem_zalloc(sizeof *k);
    struct wait wait;
    int rv;

    if (k == NULL)
        return err_set(e, &ERR_NOMEM, "");
    wait_init(&wait);
    if (uv_poll_init(loop_uv(fiber_loop(wait.fiber)), &k->poll, fd) != 0) {
        mem_free(k);
        return err_set(e, &ERR_IO, "a socket cannot be watched");
    }
    k->poll.data = k;
    k->wait = &wait;
    (void)uv_poll_start(&k->poll, UV_WRITABLE, on_ready); /* fails only for a handle that is being closed */
    rv = wait_for(&wait, e);
    uv_close((uv_handle_t *)&k->poll, on_closed);
    return rv;
}

int ssh_link_connect(struct ssh_link *k, struct err *e)
{
    struct sockaddr_storage to;
    struct addr address;
    int number, fd, rv = 0;

    if (fiber_current() == NULL || !addr_parse((struct slice){ k->host, strlen(k->host) }, &address))
        return 0;
    number = begin(k, (struct sockaddr *)&to, addr_to(&address, k->port, &to), &fd);
    if (number == EINPROGRESS) {
        rv = await(fd, e);
        number = rv == 0 ? result_of(fd) : 0;
    }
    return rv == 0 && number != 0 ? ssh_link_error(k, &ERR_SSH_AWAY, reason_of(number), e) : rv;
}

/* ---- on a thread ----------------------------------------------------------------------------------------------------- */

static int await_here(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLOUT };
    int rv;

    do
        rv = poll(&p, 1, SSH_BACKSTOP_S * 1000);
    while (rv < 0 && errno == EINTR);
    if (rv <= 0)
        return rv == 0 ? ETIMEDOUT : errno;
    return result_of(fd);
}

bool ssh_link_connect_by_name(struct ssh_link *k)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
    int number = ENOENT, fd, rv;
    char port[8];

    (void)snprintf(port, sizeof port, "%u", k->port);
    rv = getaddrinfo(k->host, port, &hints, &found);
    if (rv != 0) {
        ssh_link_fail(k, &ERR_SSH_AWAY, gai_strerror(rv));
        return false;
    }
    for (const struct addrinfo *a = found; a != NULL && number != 0 && number != ECANCELED; a = a->ai_next) {
        ssh_link_close_wire(k);
        number = begin(k, a->ai_addr, a->ai_addrlen, &fd);
        if (number == EINPROGRESS)
            number = await_here(fd);
    }
    freeaddrinfo(found);
    if (number != 0)
        ssh_link_fail(k, &ERR_SSH_AWAY, reason_of(number));
    return number == 0;
}
