/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of the agent: as ocp_agentd wrote them down last, and as they are now. */
#include <stdio.h>
#include <string.h>

#include "agent/process.h"
#include "agent/serve.h"
#include "agent/status.h"
#include "config.h"

enum { NOTE_SIZE = 200 };

int status_read(struct frame *f, struct arena *arena, struct agent_status *out, struct err *e)
{
    char path[4096];
    struct slice text;
    struct err why = { 0 };
    int rv;

    (void)snprintf(path, sizeof path, "%s/run/agentd.json", f->home);
    rv = frame_read(path, arena, &text, e);
    if (rv == 0)
        rv = fields_init(agent_status_fields, out, arena, e);
    if (rv == 0 && text.s != NULL && proxy_parse(text.s, agent_status_fields, out, arena, &why) != 0)
        rv = fields_init(agent_status_fields, out, arena, e); /* as if nobody had written it */
    return rv;
}

static void look_at(struct frame *f, struct arena *arena, struct agent_process *p)
{
    char path[4096];
    struct process now;
    struct slice note;
    struct err e = { 0 };

    (void)snprintf(path, sizeof path, "%s/run/%s.note", f->home, p->name);
    if (frame_read(path, arena, &note, &e) == 0 && note.s != NULL)
        p->note = arena_strndup(arena, note.s, note.n < NOTE_SIZE ? note.n : NOTE_SIZE);
    if (p->pid == FIELD_NONE)
        return;
    if (process_look((pid_t)p->pid, p->start_time, &now)) {
        p->rss_bytes = now.rss_bytes;
    } else {
        p->state = "STOPPED";
        p->pid = p->start_time = FIELD_NONE;
    }
}

void status_look(struct frame *f, struct arena *arena, struct agent_status *s)
{
    struct agent_process *list = s->processes.items;

    for (size_t i = 0; i < s->processes.n; i++)
        look_at(f, arena, &list[i]);
}

struct looking {
    struct frame *frame;
    struct arena *arena;
    struct agent_status status;
    struct err err;
    int rv;
};

static void look(void *data)
{
    struct looking *l = data;

    l->rv = status_read(l->frame, l->arena, &l->status, &l->err);
    if (l->rv == 0)
        status_look(l->frame, l->arena, &l->status);
}

int proxy_status(struct proxy_call *c, struct err *e)
{
    struct looking l = { .frame = c->proxy->frame, .arena = c->rq->arena };
    int rv = commands_on_thread(&c->proxy->commands, look, &l, e);

    if (rv == 0 && l.rv != 0) {
        *e = l.err;
        rv = l.rv;
    }
    if (rv != 0)
        return rv;
    l.status.incarnation = ledger_incarnation(c->proxy->ledger);
    l.status.version = PACKAGE_VERSION;
    return proxy_answer(c, agent_status_fields, &l.status, e);
}
