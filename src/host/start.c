/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks about hosts. */
#include <inttypes.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/host/agent.h"
#include "src/host/flows.h"
#include "src/store/host_service.h"
#include "src/task/engine.h"

static const char *make_arguments(const int64_t *ids, size_t n, struct arena *arena)
{
    struct str t;

    str_init(&t, arena);
    str_add(&t, "{\"hostIds\":[");
    for (size_t i = 0; i < n; i++) {
        str_add(&t, i > 0 ? "," : "");
        str_add_i64(&t, ids[i]);
    }
    str_add(&t, "]}");
    return str_failed(&t) ? NULL : t.s;
}

int host_task_about(struct task_new *task, struct host_targets *t, const int64_t *ids, const char *const *ips, size_t n, struct arena *arena,
                 struct err *e)
{
    struct task_lock_want *locks = arena_array(arena, n + 1, sizeof *locks);

    t->items = arena_array(arena, n + 1, sizeof *t->items);
    t->n = n;
    task->arguments = make_arguments(ids, n, arena);
    task->plan_data = t;
    task->locks = locks;
    task->n_locks = n;
    task->host_id = n == 1 ? ids[0] : 0;
    if (locks == NULL || t->items == NULL || task->arguments == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++) {
        locks[i] = (struct task_lock_want){ "host", ids[i] };
        t->items[i] = (struct task_target){ arena_printf(arena, "%" PRId64, ids[i]), ips[i] };
        if (t->items[i].id == NULL)
            return err_set(e, &ERR_NOMEM, "");
    }
    return 0;
}

struct starting {
    const struct host_work *w;
    const struct host *hosts;
    struct arena *arena;
    struct task_new task;
    struct task_prepared prepared;
};

/* Nothing begins to use it meanwhile: whoever does so needs the lock of the host, which the task takes in this transaction. */
static int must_be_unused(struct tx *tx, const struct host *h, struct arena *arena, struct err *e)
{
    struct host_service *users;
    struct str names;
    size_t n;
    int rv = store_host_users_in(tx, h->id, arena, &users, &n, e);

    if (rv != 0 || n == 0)
        return rv;
    str_init(&names, arena);
    for (size_t i = 0; i < n; i++)
        str_printf(&names, "%sOceanBase cluster %s", i > 0 ? ", " : "", users[i].name);
    (void)err_set(e, &ERR_HOST_USED, "%s", h->ip);
    return err_arg(e, "%s", str_c(&names));
}

static int start_body(struct tx *tx, void *data, struct err *e)
{
    struct starting *s = data;
    int rv = task_insert(tx, &s->prepared, &s->task, s->arena, e);

    for (size_t i = 0; rv == 0 && s->w->what == HOST_DELETE && i < s->w->n; i++) {
        rv = store_host_set_status(tx, s->hosts[i].id, NULL, "DELETING", e);
        if (rv == 0)
            rv = must_be_unused(tx, &s->hosts[i], s->arena, e);
    }
    return rv;
}

static int not_found(int64_t id, struct err *e)
{
    (void)err_set(e, &ERR_NOT_FOUND, "host");
    return err_arg(e, "%" PRId64, id);
}

/* The hosts in the order of `ids`, and their addresses. */
static int read_hosts(struct db *d, const struct host_work *w, struct arena *arena, struct host **out, const char ***ips, struct err *e)
{
    struct scope_item *items = arena_array(arena, w->n + 1, sizeof *items);
    struct scope some = { items, w->n };
    struct host_filter f = { .scope = &some };
    struct host *found;
    size_t n;
    int rv;

    *out = arena_array(arena, w->n + 1, sizeof **out);
    *ips = arena_array(arena, w->n + 1, sizeof **ips);
    if (items == NULL || *out == NULL || *ips == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < w->n; i++)
        items[i] = (struct scope_item){ "HOST", w->ids[i], SCOPE_ANY };
    rv = store_host_list(d, &f, NULL, arena, &found, &n, NULL, e);
    for (size_t i = 0; rv == 0 && i < w->n; i++) {
        size_t k = 0;

        while (k < n && found[k].id != w->ids[i])
            k++;
        if (k == n)
            return not_found(w->ids[i], e);
        (*out)[i] = found[k];
        (*ips)[i] = found[k].ip;
    }
    return rv;
}

static const struct {
    const struct task_flow *flow;
    const char *names[2];    /* for one host, for several */
    bool needs_agent;
} works[] = {
    [HOST_DELETE] = { &host_flow_delete, { "Delete a host", "Delete hosts" }, false },
    [HOST_INSTALL] = { &host_flow_install, { "Install the agent of a host", "Install agents of hosts" }, false },
    [HOST_STOP_AGENT] = { &host_flow_stop, { "Stop the agent of a host", "Stop agents of hosts" }, true },
    [HOST_RESTART_AGENT] = { &host_flow_restart, { "Restart the agent of a host", "Restart agents of hosts" }, true },
    [HOST_UPGRADE_AGENT] = { &host_flow_upgrade, { "Upgrade the agent of a host", "Upgrade agents of hosts" }, true },
};

int host_start(struct db *d, const struct host_work *w, struct arena *arena, int64_t *task_id, struct err *e)
{
    struct starting s = { .w = w, .arena = arena };
    struct host_targets targets = { .force = w->force };
    struct host *hosts;
    const char **ips;
    int rv = read_hosts(d, w, arena, &hosts, &ips, e);

    for (size_t i = 0; rv == 0 && works[w->what].needs_agent && i < w->n; i++)
        if (hosts[i].agent_id == FIELD_NONE)
            rv = err_set(e, &ERR_HOST_NO_AGENT, "%s", hosts[i].ip);
    if (rv != 0)
        return rv;
    s.hosts = hosts;
    s.task = (struct task_new){
        .flow = works[w->what].flow,
        .name = works[w->what].names[w->n > 1],
        .creator_id = w->user_id,
        .creator_name = w->username,
        .node = w->node,
        .now_us = clock_wall_us(&clock_system),
    };
    rv = host_task_about(&s.task, &targets, w->ids, ips, w->n, arena, e);
    if (rv == 0)
        rv = task_prepare(d, &s.task, arena, &s.prepared, e);
    if (rv == 0)
        rv = db_transact(d, start_body, &s, e);
    if (rv == 0)
        *task_id = s.prepared.id;
    return rv;
}
