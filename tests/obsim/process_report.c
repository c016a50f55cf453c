/* SPDX-License-Identifier: Apache-2.0 */
/*  look every 200 ms: am I the one with the root service? ──▶ list or URL changed, or 10 s are over ──▶ POST ──▶ Code 200: said
 *                                                                                                          └──▶ else: WARN -4216, again in 1 s
 *  The seconds are those at speed 1. */
#include "tests/obsim/process_report.h"

#include <inttypes.h>
#include <jansson.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/obsim/conn.h"
#include "tests/obsim/process_home.h"

enum { LOOK_MS = 200, AGAIN_US = 1000000, EVERY_US = 10000000, TIMEOUT_S = 4, CURL_ERROR = 4216, MAX_ANSWER = 512 << 10 };

struct process_report {
    struct sim_observer *observer;    /* borrowed */
    int end_fd;
    pthread_t thread;
    char said[8192];                  /* URL and list that the last answer was about; "" none */
    int64_t next_us;                  /* when it is said again */
};

/* --- what to say -------------------------------------------------------------------------------------------------------------------- */

static json_t *root_servers(struct sim_cluster *c)
{
    const struct sim_ls *ls = sim_tenant_get(c, 1)->streams.items[0];
    json_t *list = json_array();

    for (size_t i = 0; i < ls->replicas.n; i++) {
        const struct sim_server *s = sim_server_find(c, ls->replicas.items[i]->server_id);
        char address[96];

        if (s == NULL)
            continue;
        (void)snprintf(address, sizeof address, "%s:%d", s->ip, s->rpc_port);
        (void)json_array_append_new(list, json_pack("{s:s, s:s, s:i}", "address", address, "role",
                                                    ls->replicas.items[i]->is_leader ? "LEADER" : "FOLLOWER", "sql_port", s->sql_port));
    }
    return list;
}

struct message {
    char url[4200];
    char list[4096];
    char *body;                       /* owned */
};

/* False: it is not for this server to say anything. */
static bool compose(struct sim_observer *o, struct message *m)
{
    struct sim_cluster *c = o->deployment->cluster;
    const char *url = sim_parameter_in_force(c, sim_parameter_find(SLICE("obconfig_url")), o->server, NULL);
    json_t *list, *body;
    char *text;

    if (!c->is_bootstrapped || sim_rootserver(c) != o->server || url[0] == '\0')
        return false;
    list = root_servers(c);
    text = json_dumps(list, JSON_COMPACT);
    (void)snprintf(m->list, sizeof m->list, "%s", sim_c(text));
    free(text);
    (void)snprintf(m->url, sizeof m->url, "%s%cversion=2&ObClusterId=%" PRId64, url, strchr(url, '?') != NULL ? '&' : '?', c->id);
    body = json_pack("{s:s, s:s, s:I, s:I, s:s, s:I, s:o, s:[]}", "ObRegion", c->name, "ObCluster", c->name, "ObRegionId", (json_int_t)c->id,
                     "ObClusterId", (json_int_t)c->id, "Type", "PRIMARY", "timestamp", (json_int_t)c->now_us, "RsList", list, "ReadonlyRsList");
    m->body = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return m->body != NULL;
}

/* --- HTTP --------------------------------------------------------------------------------------------------------------------------- */

static int connect_to(const char *host, const char *port)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV }, *all, *a;
    struct timeval timeout = { .tv_sec = TIMEOUT_S };
    int fd = -1;

    if (getaddrinfo(host, port, &hints, &all) != 0)
        return -1;
    for (a = all; a != NULL && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, 0);
        if (fd < 0)
            continue;
        if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) != 0 ||
            setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) != 0 || connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            (void)close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(all);
    return fd;
}

/* HTTP status 2xx, and a body that says Code 200. */
static bool is_content(const char *answer)
{
    const char *body = strstr(answer, "\r\n\r\n");
    json_t *o = NULL, *value;
    const char *key;
    bool ok = false;
    int status = 0;

    if (sscanf(answer, "HTTP/1.%*1d %d", &status) != 1 || status / 100 != 2 || body == NULL || (body = strchr(body, '{')) == NULL)
        return false;
    o = json_loads(body, JSON_DISABLE_EOF_CHECK, NULL);
    json_object_foreach(o, key, value)
        ok = ok || (strcasecmp(key, "Code") == 0 && json_integer_value(value) == 200);
    json_decref(o);
    return ok;
}

static bool send_and_read(int fd, const char *request, size_t n, char *answer)
{
    size_t got = 0;
    ssize_t part;

    for (size_t sent = 0; sent < n; sent += (size_t)part)
        if ((part = send(fd, request + sent, n - sent, MSG_NOSIGNAL)) <= 0)
            return false;
    while (got < MAX_ANSWER - 1 && (part = recv(fd, answer + got, MAX_ANSWER - 1 - got, 0)) > 0)
        got += (size_t)part;
    answer[got] = '\0';
    return is_content(answer);
}

/* http://host[:port]/path */
static bool post(const struct message *m)
{
    char host[256] = "", port[8] = "80", authority[272];
    struct str request;
    int path = 0, fd;
    char *answer;
    bool ok;

    if (sscanf(m->url, "http://%255[^:/]:%7[0-9]%n", host, port, &path) < 2 && sscanf(m->url, "http://%255[^:/?]%n", host, &path) < 1)
        return false;
    (void)snprintf(authority, sizeof authority, "%s:%s", host, port);
    fd = connect_to(host, port);
    if (fd < 0)
        return false;
    str_init(&request, NULL);
    str_printf(&request, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
               m->url + path, authority, strlen(m->body), m->body);
    answer = sim_alloc(MAX_ANSWER);
    ok = !str_failed(&request) && send_and_read(fd, request.s, request.n, answer);
    mem_free(answer);
    str_fini(&request);
    (void)close(fd);
    return ok;
}

/* --- when --------------------------------------------------------------------------------------------------------------------------- */

static void say(struct process_report *r, const struct message *m, const char *what)
{
    bool ok = post(m);

    (void)snprintf(r->said, sizeof r->said, "%s", ok ? what : "");
    r->next_us = conn_now_us() + (int64_t)((ok ? EVERY_US : AGAIN_US) / r->observer->deployment->world->speed);
    if (!ok)
        home_log("observer.log", "WARN", "SHARE", CURL_ERROR, "report root server list to %s failed, ret=-%d", m->url, CURL_ERROR);
}

static void look(struct process_report *r)
{
    struct message m = { .body = NULL };
    char what[8400];
    bool is_due;

    world_lock(r->observer->deployment->world);
    is_due = compose(r->observer, &m);
    world_unlock(r->observer->deployment->world);
    (void)snprintf(what, sizeof what, "%s %s", m.url, m.list);
    is_due = is_due && (conn_now_us() >= r->next_us || (r->said[0] != '\0' && strncmp(what, r->said, sizeof r->said - 1) != 0));
    if (is_due)
        say(r, &m, what);
    free(m.body);
}

static void *keep_looking(void *data)
{
    struct process_report *r = data;
    struct pollfd end = { .fd = r->end_fd, .events = POLLIN };

    while (poll(&end, 1, LOOK_MS) <= 0)
        look(r);
    return NULL;
}

struct process_report *report_start(struct sim_observer *o, int end_fd)
{
    struct process_report *r = sim_alloc(sizeof *r);

    r->observer = o;
    r->end_fd = end_fd;
    if (pthread_create(&r->thread, NULL, keep_looking, r) != 0)
        abort();
    return r;
}

void report_stop(struct process_report *r)
{
    if (r == NULL)
        return;
    (void)pthread_join(r->thread, NULL); /* it was started */
    mem_free(r);
}
