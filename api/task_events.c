/* SPDX-License-Identifier: Apache-2.0 */
/* A task while it runs, as server-sent events (WHATWG HTML 9.2):
 *
 *   event: task   data: the task as task-instance-get shows it; at the beginning and whenever it has changed
 *   event: log    data: {"subtaskId", "seq", "time", "text"}; each line once, the newest of what was there at the beginning first to last
 *   event: end    data: {"status"}; the task is finished and all its lines were sent. The client closes, or it would be called again
 *   : alive       each 15 s, so that proxies keep the connection
 *
 * The stream ends after EVENTS_MAX_MS and when this node is about to stop; browsers then come again by themselves, and begin anew. */
#include <string.h>

#include "api/api.h"
#include "api/tables.h"
#include "api/task.h"
#include "src/io/fiber.h"
#include "src/store/subtask.h"

enum { EVENTS_MAX_MS = 30 * 60 * 1000, LOOK_MS = 500, CALL_MS = 8000, ALIVE_MS = 15000, MAX_STREAMS = 100, MAX_LINES = 1000 };

struct stream {
    struct call *c;
    int64_t task_id;
    uint64_t shown;                 /* digest of the task as it was last sent; 0: never */
    struct subtask_mark *marks;     /* one per step: how far its log was sent; in the call's arena */
    bool *open;                     /* may the log of this step have grown since? */
    int64_t *dispatch;              /* of each step as it was seen last */
    size_t n;
    int64_t wrote_ms;
};

static int64_t now_ms(const struct stream *s)
{
    return clock_now_ms(loop_clock(s->c->api->loop));
}

/* FNV-1a: tells one state of a task from the next, nothing more. */
static uint64_t digest(const struct str *t)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < t->n; i++)
        h = (h ^ (unsigned char)t->s[i]) * UINT64_C(1099511628211);
    return h | 1;
}

static int send_text(struct stream *s, const struct str *t, struct err *e)
{
    if (str_failed(t))
        return err_set(e, &ERR_NOMEM, "");
    s->wrote_ms = now_ms(s);
    return t->n > 0 ? http_reply_write(s->c->rq, t->s, t->n, e) : 0;
}

/* ---- what is sent ------------------------------------------------------------------------------------------------------------------- */

static int send_task(struct stream *s, const struct task *t, struct arena *arena, struct err *e)
{
    struct task_view view;
    struct str json, out;
    int rv = task_view_of(t, arena, &view, e);

    if (rv != 0)
        return rv;
    str_init(&json, arena);
    str_init(&out, arena);
    fields_write(&json, task_view_fields, &view, &s->c->style);
    if (str_failed(&json))
        return err_set(e, &ERR_NOMEM, "");
    if (digest(&json) == s->shown)
        return 0;
    s->shown = digest(&json);
    str_add(&out, "event: task\ndata: ");
    str_add_n(&out, json.s, json.n);
    str_add(&out, "\n\n");
    return send_text(s, &out, e);
}

static void add_line(struct stream *s, struct str *out, const struct subtask_line *line)
{
    char time[CLOCK_TEXT_SIZE];

    str_printf(out, "event: log\ndata: {\"subtaskId\":%lld,\"seq\":%lld,\"time\":\"%s\",\"text\":", (long long)line->subtask_id, (long long)line->seq,
               clock_iso(line->at_us, s->c->style.offset_min, time));
    json_add_string(out, line->text);
    str_add(out, "}\n\n");
}

static void note(struct stream *s, const struct subtask_line *line)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->marks[i].subtask_id == line->subtask_id && s->marks[i].seq < line->seq)
            s->marks[i].seq = line->seq;
}

/* New lines of the steps that may have any. */
static int send_lines(struct stream *s, struct arena *arena, struct err *e)
{
    struct subtask_mark *open = arena_array(arena, s->n + 1, sizeof *open);
    struct subtask_line *lines;
    size_t n = 0, n_lines = MAX_LINES;
    int rv = 0;

    if (open == NULL)
        return err_set(e, &ERR_NOMEM, "");
    while (rv == 0 && n_lines == MAX_LINES) {
        struct str out;

        n = 0;
        for (size_t i = 0; i < s->n; i++)
            if (s->open[i])
                open[n++] = s->marks[i];
        str_init(&out, arena);
        rv = store_subtask_new_lines(s->c->db, open, n, MAX_LINES, arena, &lines, &n_lines, e);
        for (size_t i = 0; rv == 0 && i < n_lines; i++) {
            add_line(s, &out, &lines[i]);
            note(s, &lines[i]);
        }
        if (rv == 0)
            rv = send_text(s, &out, e);
    }
    return rv;
}

static bool is_active(const struct subtask *t)
{
    return t->status == SUBTASK_RUNNING || t->status == SUBTASK_CANCELING;
}

/* Lines are written before the state that follows them, so a step that was seen at rest before its lines were read has no more of them. */
static int send_changes(struct stream *s, const struct task *t, struct arena *arena, struct err *e)
{
    int rv = send_task(s, t, arena, e);

    for (size_t i = 0; rv == 0 && i < s->n && i < t->n_subtasks; i++) {
        s->open[i] = s->open[i] || is_active(&t->subtasks[i]) || t->subtasks[i].dispatch != s->dispatch[i]; /* it may have run in between */
        s->dispatch[i] = t->subtasks[i].dispatch;
    }
    if (rv == 0)
        rv = send_lines(s, arena, e);
    for (size_t i = 0; rv == 0 && i < s->n && i < t->n_subtasks; i++)
        s->open[i] = is_active(&t->subtasks[i]);
    return rv;
}

static int send_end(struct stream *s, const struct task *t, struct arena *arena, struct err *e)
{
    struct str out;

    str_init(&out, arena);
    str_printf(&out, "event: end\ndata: {\"status\":\"%s\"}\n\n", task_status_names[t->status]);
    return send_text(s, &out, e);
}

/* ---- the stream ----------------------------------------------------------------------------------------------------------------------- */

static int stay_alive(struct stream *s, struct err *e)
{
    static const char alive[] = ": alive\n\n";

    if (now_ms(s) - s->wrote_ms < ALIVE_MS)
        return 0;
    s->wrote_ms = now_ms(s);
    return http_reply_write(s->c->rq, alive, sizeof alive - 1, e);
}

/* Looks once. MetaDB may be away for a while: then there is nothing new. */
static int look(struct stream *s, bool *finished, struct err *e)
{
    int64_t former = fiber_narrow_deadline(CALL_MS);
    struct arena arena;
    struct task t;
    int rv;

    arena_init(&arena);
    rv = store_task_get(s->c->db, s->task_id, &arena, &t, e);
    fiber_restore_deadline(former);
    if (rv != 0 && rv != ERR_CANCELLED.code && rv != ERR_TASK_NOT_FOUND.code)
        rv = stay_alive(s, e);
    else if (rv == 0) {
        rv = send_changes(s, &t, &arena, e);
        *finished = t.status != TASK_RUNNING;
        if (rv == 0)
            rv = *finished ? send_end(s, &t, &arena, e) : stay_alive(s, e);
    }
    arena_fini(&arena);
    return rv;
}

static int follow(struct stream *s, struct err *e)
{
    int64_t until = now_ms(s) + EVENTS_MAX_MS;
    bool finished = false;
    int rv = look(s, &finished, e);

    while (rv == 0 && !finished && now_ms(s) < until && !s->c->api->shared->node->draining) {
        rv = fiber_sleep(LOOK_MS, e);
        if (rv == 0)
            rv = look(s, &finished, e);
    }
    return rv == 0 ? http_reply_end(s->c->rq, e) : rv;
}

static int prepare(struct stream *s, const struct task *t, struct err *e)
{
    s->n = t->n_subtasks;
    s->marks = arena_array(s->c->arena, s->n + 1, sizeof *s->marks);
    s->open = arena_array(s->c->arena, s->n + 1, sizeof *s->open);
    s->dispatch = arena_array(s->c->arena, s->n + 1, sizeof *s->dispatch);
    if (s->marks == NULL || s->open == NULL || s->dispatch == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < s->n; i++) {
        s->marks[i] = (struct subtask_mark){ t->subtasks[i].id, -1 };
        s->open[i] = t->subtasks[i].dispatch > 0;
        s->dispatch[i] = t->subtasks[i].dispatch;
    }
    return 0;
}

static int api_task_events(struct call *c, struct err *e)
{
    static const struct http_header headers[] = {
        { SLICE("content-type"), SLICE("text/event-stream; charset=utf-8") },
        { SLICE("cache-control"), SLICE("no-store") },
        { SLICE("x-accel-buffering"), SLICE("no") }, /* nginx would keep what is to be seen at once */
    };
    struct stream s = { .c = c, .task_id = call_id_at(c, 0) };
    struct task t;
    int rv = api_task_find(c, PERMISSION_READ, &t, e);

    if (rv == 0)
        rv = prepare(&s, &t, e);
    if (rv == 0 && c->api->streams >= MAX_STREAMS)
        rv = err_set(e, &ERR_BUSY, "too many streams of events");
    if (rv != 0)
        return rv;
    fiber_restore_deadline(INT64_MAX); /* not a request like others: it ends as said above */
    c->api->streams++;
    rv = http_reply_begin(c->rq, 200, headers, sizeof headers / sizeof *headers, -1, e);
    s.wrote_ms = now_ms(&s);
    if (rv == 0 && follow(&s, e) != 0)
        log_debug(&c->api->log, "a stream of events ended early", LOG_I("task", s.task_id), LOG_E(e));
    c->api->streams--;
    return 0; /* the reply has begun: whatever happened, it is over */
}

const struct route task_event_routes[] = {
    ROUTE("task-events", "GET", "/api/v2/tasks/instances/{taskInstanceId}/events", TASK_READ, api_task_events, REPLY_OWN, ROUTE_OWN,
          "Follow a task while it runs: its state and the lines of its log as server-sent events.", .tag = "Tasks"),
    ROUTE_END,
};
