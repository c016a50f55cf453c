/* SPDX-License-Identifier: Apache-2.0 */
#include "src/server_parts.h"

#include <signal.h>
#include <unistd.h>

#include "src/store/embedded.h"
#include "src/task/engine.h"

enum { FORCED_MS = 2000, EMBEDDED_MS = 60000 };

void server_join_workers(struct server *s)
{
    for (unsigned i = 0; i < s->n_workers; i++) {
        if (!s->workers[i].running)
            continue;
        loop_stop(s->workers[i].api.loop);
        loop_thread_join(s->workers[i].api.loop);
        s->workers[i].running = false;
    }
}

/* Back on the control loop. */
static void on_drained(struct loop_post *post)
{
    struct worker *w = (struct worker *)((char *)post - offsetof(struct worker, drained_post));

    w->server->n_draining--;
    waitlist_wake_all(&w->server->drained);
}

static void drain_fiber(void *data)
{
    struct worker *w = data;
    struct err e = { 0 };

    (void)fiber_narrow_deadline(w->server->stream_timeout_ms);
    if (http_server_drain(w->api.http, &e) != 0)
        log_info(&w->server->log, "some clients did not finish in time", LOG_S("loop", w->name), LOG_E(&e));
    w->drained_post.fn = on_drained;
    loop_post(w->server->control, &w->drained_post);
}

static void on_drain(struct loop_post *post)
{
    struct worker *w = (struct worker *)((char *)post - offsetof(struct worker, drain_post));
    struct err e = { 0 };

    if (fiber_start(w->api.loop, "drain", drain_fiber, w, NULL, &e) == 0)
        return;
    w->drained_post.fn = on_drained;
    loop_post(w->server->control, &w->drained_post);
}

static void drain_workers(struct server *s)
{
    struct err e;

    for (unsigned i = 0; i < s->n_workers; i++) {
        s->workers[i].drain_post.fn = on_drain;
        s->n_draining++;
        loop_post(s->workers[i].api.loop, &s->workers[i].drain_post);
    }
    while (s->n_draining > 0)
        if (waitlist_wait(&s->drained, &e) != 0)
            break; /* the deadline: what is left is cut off */
}

static void stop_fiber(void *data)
{
    struct server *s = data;
    const struct settings *now = settings_get(s->box);
    int64_t lb_wait = now->drain.lb_wait_ms;
    int64_t streams = now->drain.stream_timeout_ms;
    struct err e;

    settings_put(now);
    s->stream_timeout_ms = streams;

    log_info(&s->log, "stopping: not ready any more, finishing requests");
    notify_stopping(&s->notify, "draining", lb_wait + streams + FORCED_MS + (s->embedded != NULL ? EMBEDDED_MS : 0));
    (void)fiber_narrow_deadline(lb_wait + streams + FORCED_MS);
    if (s->shared.tasks != NULL)
        task_engine_drain(s->shared.tasks, true);
    if (fiber_sleep(lb_wait, &e) != 0)
        log_info(&s->log, "stopping at once");
    server_hand_over(s); /* while this node still answers: calls for the leader find the next one, whatever clients take to finish here */
    drain_workers(s);
    server_join_workers(s);
    (void)fiber_shield(true);
    server_release_work(s);
    embedded_stop(s->embedded);
    loop_stop(s->control);
}

void server_begin_stop(struct server *s)
{
    struct err e;

    if (s->stopping) { /* asked twice: do not wait for clients */
        for (unsigned i = 0; i < s->n_workers; i++)
            loop_stop(s->workers[i].api.loop);
        loop_stop(s->control);
        return;
    }
    s->stopping = true;
    s->node.draining = true;
    if (fiber_start(s->control, "stop", stop_fiber, s, NULL, &e) != 0)
        server_begin_stop(s);
}

/* ---- signals ----------------------------------------------------------------------------------------------------------- */

static void apply_reload(struct server *s)
{
    const struct settings *now = settings_get(s->box);

    s->sink->level = now->log.level;
    settings_put(now);
}

static void log_changes(struct server *s, const struct settings_change *changes, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        log_info(&s->log, changes[i].applied ? "setting changed" : "setting changed in the file needs a restart",
                 LOG_S("setting", changes[i].setting->name));
}

static void log_problems(struct server *s, const struct settings_problems *problems)
{
    for (unsigned i = 0; i < problems->n; i++)
        log_warn(&s->log, "setting refused", LOG_S("source", problems->items[i].source), LOG_I("line", problems->items[i].line),
                 LOG_S("setting", problems->items[i].key), LOG_S("reason", problems->items[i].reason));
}

static void reload(struct server *s)
{
    struct settings_sources from = cli_sources(s->cli, environ);
    struct settings_problems problems;
    struct settings_change *changes;
    struct arena arena;
    unsigned n = 0;
    struct err e;

    notify_reloading(&s->notify);
    arena_init(&arena);
    settings_problems_init(&problems);
    if (settings_reload(s->box, &from, &problems, &arena, &changes, &n, &e) != 0)
        log_error(&s->log, "settings were not reloaded", LOG_E(&e));
    else
        apply_reload(s);
    log_problems(s, &problems);
    log_changes(s, changes, n);
    settings_problems_fini(&problems);
    arena_fini(&arena);
    if (server_reload_certificates(s, &e) != 0)
        log_error(&s->log, "certificates were not reloaded", LOG_E(&e));
    log_info(&s->log, "reloaded");
    notify_ready(&s->notify, "serving");
}

static void on_signal(uv_signal_t *handle, int number)
{
    struct server *s = handle->data;

    if (number == SIGHUP)
        reload(s);
    else
        server_begin_stop(s);
}

int server_watch_signals(struct server *s, struct err *e)
{
    static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };

    for (unsigned i = 0; i < 3; i++) {
        int rv = uv_signal_init(loop_uv(s->control), &s->signals[i]);

        s->signals[i].data = s;
        if (rv == 0) {
            s->n_signals++;
            rv = uv_signal_start(&s->signals[i], on_signal, numbers[i]);
        }
        if (rv != 0)
            return err_set(e, &ERR_IO, "signal %d: %s", numbers[i], uv_strerror(rv));
    }
    return 0;
}
