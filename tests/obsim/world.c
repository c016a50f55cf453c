/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/obsim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/base/json.h"
#include "tests/obsim/conn.h"
#include "tests/obsim/journal.h"
#include "tests/obsim/observer.h"
#include "tests/obsim/select.h"

struct sim_world *world_new(const char *tables, uint64_t seed)
{
    struct sim_engine *engine = engine_new(tables);
    struct sim_world *w;

    if (engine == NULL)
        return NULL;
    w = sim_alloc(sizeof *w);
    *w = (struct sim_world){ .speed = 1, .audit_fd = -1, .trace_fd = -1, .engine = engine, .epoll = epoll_create1(EPOLL_CLOEXEC), .random = seed };
    if (w->epoll < 0 || pthread_mutex_init(&w->lock, NULL) != 0 || pthread_cond_init(&w->fewer, NULL) != 0)
        abort();
    return w;
}

static void deployment_fini(struct sim_deployment *d)
{
    for (size_t i = 0; i < d->observers.n; i++)
        if (d->observers.items[i]->listener >= 0)
            (void)close(d->observers.items[i]->listener);
    sim_clear(&d->observers);
    fault_clear(d, 0);
    sim_clear(&d->faults);
    sim_values_fini(&d->refused_starts);
    sim_cluster_free(d->cluster);
}

static void end_connections(struct sim_world *w)
{
    for (size_t i = 0; i < w->deployments.n; i++)
        for (size_t j = 0; j < w->deployments.items[i]->observers.n; j++)
            observer_drop(w->deployments.items[i]->observers.items[j], false);
    while (w->n_connections > 0)
        (void)pthread_cond_wait(&w->fewer, &w->lock); /* cannot fail */
}

void world_free(struct sim_world *w)
{
    if (w == NULL)
        return;
    world_lock(w);
    end_connections(w);
    world_unlock(w);
    for (size_t i = 0; i < w->deployments.n; i++)
        deployment_fini(w->deployments.items[i]);
    sim_clear(&w->deployments);
    journal_close(w->journal);
    engine_free(w->engine);
    SSL_CTX_free(w->tls);
    (void)close(w->epoll);
    if (w->audit_fd >= 0)
        (void)close(w->audit_fd);
    if (w->trace_fd >= 0)
        (void)close(w->trace_fd);
    (void)pthread_cond_destroy(&w->fewer);
    (void)pthread_mutex_destroy(&w->lock); /* nobody has them any more */
    mem_free(w);
}

void world_lock(struct sim_world *w)
{
    if (pthread_mutex_lock(&w->lock) != 0)
        abort();
    if (w->journal != NULL)
        journal_enter(w->journal);
}

void world_unlock(struct sim_world *w)
{
    if (w->journal != NULL)
        journal_leave(w->journal);
    if (pthread_mutex_unlock(&w->lock) != 0)
        abort();
}

struct sim_observer *world_add_observer(struct sim_deployment *d, struct sim_server *s)
{
    struct sim_observer *o = sim_push(&d->observers);

    o->deployment = d;
    o->server = s;
    o->listener = -1;
    o->answers_login = true;
    return o;
}

struct sim_deployment *world_add(struct sim_world *w, struct sim_cluster *c)
{
    struct sim_deployment *d = sim_push(&w->deployments);

    d->world = w;
    d->cluster = c;
    for (size_t i = 0; i < c->servers.n; i++)
        (void)world_add_observer(d, c->servers.items[i]); /* found again by address */
    return d;
}

struct sim_deployment *world_find(struct sim_world *w, const char *cluster)
{
    for (size_t i = 0; i < w->deployments.n; i++)
        if (cluster == NULL || cluster[0] == '\0' || strcmp(w->deployments.items[i]->cluster->name, cluster) == 0)
            return w->deployments.items[i];
    return NULL;
}

bool world_is_at(const struct sim_server *s, const char *address)
{
    size_t n = strlen(s->ip);
    int port = -1;

    if (strncmp(address, s->ip, n) != 0)
        return false;
    return address[n] == '\0' || (sscanf(address + n, ":%d", &port) == 1 && (port == s->rpc_port || port == s->sql_port));
}

struct sim_observer *world_observer(struct sim_world *w, const char *address)
{
    for (size_t i = 0; i < w->deployments.n; i++)
        for (size_t j = 0; j < w->deployments.items[i]->observers.n; j++)
            if (world_is_at(w->deployments.items[i]->observers.items[j]->server, address))
                return w->deployments.items[i]->observers.items[j];
    return NULL;
}

int64_t world_advance(struct sim_deployment *d)
{
    int64_t now = d->world->journal != NULL ? journal_now(d->world->journal) : clock_wall_us(&clock_system);

    sim_advance(d->cluster, now);
    return now;
}

/* --- the trace -------------------------------------------------------------------------------------------------------------------- */

static void begin_line(struct str *line, const struct sim_cluster *c, const struct sim_server *s)
{
    str_init(line, NULL);
    str_printf(line, "{\"time\":%.6f,\"cluster\":", (double)clock_wall_us(&clock_system) / 1e6);
    json_add_string(line, c->name);
    str_add(line, ",\"server\":");
    json_add_string(line, s->ip);
}

/* A line is written at once, so those of several processes do not mix. */
static void end_line(struct sim_world *w, struct str *line)
{
    const int files[] = { w->audit_fd, w->trace_fd };

    str_add(line, "}\n");
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++)
        if (files[i] >= 0 && (str_failed(line) || write(files[i], line->s, line->n) != (ssize_t)line->n))
            (void)fprintf(stderr, "obsim: the trace cannot be written\n");
    str_fini(line);
}

void audit_write(struct sim_world *w, const struct sim_session *s, struct slice sql, unsigned number, int64_t ms)
{
    struct str line;

    begin_line(&line, s->cluster, s->server);
    str_printf(&line, ",\"session\":%lld,\"user\":", (long long)s->client->id);
    json_add_string(&line, s->user);
    str_add(&line, ",\"tenant\":");
    json_add_string(&line, s->tenant != NULL ? s->tenant->name : "");
    str_add(&line, ",\"text\":");
    json_add_string_n(&line, sql.s, sql.n);
    str_printf(&line, ",\"errno\":%u,\"ms\":%lld", number, (long long)ms);
    end_line(w, &line);
}

void audit_event(struct sim_world *w, const struct sim_cluster *c, const struct sim_server *s, const char *event)
{
    struct str line;

    begin_line(&line, c, s);
    str_printf(&line, ",\"rpc_port\":%d,\"event\":", s->rpc_port);
    json_add_string(&line, event);
    end_line(w, &line);
}
