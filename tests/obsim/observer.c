/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/observer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/obsim/conn.h"

enum { BACKLOG = 256, EVENTS = 64 };

bool observer_listen(struct sim_observer *o)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)o->server->sql_port) };
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = o };
    int one = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return false;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one); /* or bind fails and says so */
    if (inet_pton(AF_INET, o->server->ip, &address.sin_addr) != 1 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, BACKLOG) != 0 || epoll_ctl(o->deployment->world->epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        int reason = errno;

        (void)close(fd);
        errno = reason;
        return false;
    }
    o->listener = fd;
    return true;
}

void observer_drop(struct sim_observer *o, bool reset)
{
    for (struct sim_conn *c = o->connections; c != NULL; c = c->next)
        conn_order(c, reset ? ORDER_RESET : ORDER_END);
}

static void stop_listening(struct sim_observer *o)
{
    if (o->listener >= 0)
        (void)close(o->listener); /* epoll forgets it, too */
    o->listener = -1;
}

void observer_kill(struct sim_observer *o)
{
    stop_listening(o);
    observer_drop(o, true);
    o->is_hung = false;
    (void)world_advance(o->deployment);
    sim_server_alive(o->deployment->cluster, o->server, false, NULL);
}

bool observer_start(struct sim_observer *o, const char *build_version)
{
    if (o->listener < 0 && !observer_listen(o))
        return false;
    (void)world_advance(o->deployment);
    sim_server_alive(o->deployment->cluster, o->server, true, build_version);
    return true;
}

void observer_hang(struct sim_observer *o, bool is_hung)
{
    o->is_hung = is_hung;
    if (!is_hung)
        for (struct sim_conn *c = o->connections; c != NULL; c = c->next)
            conn_order(c, ORDER_NONE);
}

/* Whoever waits at the listener is served; after a kill the event may still name it. */
static void take(struct sim_observer *o)
{
    int fd;

    while (o->listener >= 0 && (fd = accept4(o->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
        conn_start(o, fd);
}

void observer_accept(struct sim_world *w, int stop_fd)
{
    struct epoll_event stop = { .events = EPOLLIN, .data.ptr = NULL }, events[EVENTS];
    bool goes_on = true;

    if (epoll_ctl(w->epoll, EPOLL_CTL_ADD, stop_fd, &stop) != 0)
        abort();
    while (goes_on) {
        int n = epoll_wait(w->epoll, events, EVENTS, -1);

        world_lock(w);
        for (int i = 0; i < n; i++) {
            goes_on = goes_on && events[i].data.ptr != NULL;
            if (events[i].data.ptr != NULL)
                take(events[i].data.ptr);
        }
        world_unlock(w);
    }
}
