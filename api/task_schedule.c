/* SPDX-License-Identifier: Apache-2.0 */
/* Work that is done by the clock. */
#include <string.h>

#include "api/api.h"
#include "api/call.h"
#include "api/tables.h"
#include "src/task/schedules.h"

ERR_DEFINE(ERR_SCHEDULE_NOT_FOUND, 4008, 404, ERR_FINAL, "There is no scheduled work named {0}.", "定时任务 {0} 不存在。");
const struct err_row *const task_schedule_err_rows[] = { &ERR_SCHEDULE_NOT_FOUND, NULL };

struct schedule_view {
    const char *name, *title, *doc, *cron, *status, *error, *node;
    int continuous;
    int64_t runs, next_us, began_us, ended_us;
};
static const struct field schedule_fields[] = {
    F_STRING(schedule_view, name, "name", DOC("Name of the work.")),
    F_STRING(schedule_view, title, "title", DOC("As OCP names it.")),
    F_STRING(schedule_view, doc, "description", DOC("What it does.")),
    F_STRING(schedule_view, cron, "cron", DOC("When: second, minute, hour, day of month, month, day of week.")),
    F_BOOL(schedule_view, continuous, "continuous", DOC("It is done all the time, at least as often as that, shared by the nodes; its runs are not counted.")),
    F_STRING(schedule_view, status, "status", DOC("How the last run did: NEVER (there was none), RUNNING, SUCCESSFUL or FAILED.")),
    F_INT(schedule_view, runs, "runs", DOC("How often it was begun.")),
    F_STRING(schedule_view, error, "error", DOC("Why the last run failed.")),
    F_STRING(schedule_view, node, "node", DOC("Node that began the last run.")),
    F_TIME(schedule_view, began_us, "startTime", DOC("When the last run began.")),
    F_TIME(schedule_view, ended_us, "finishTime", DOC("When it ended.")),
    F_TIME(schedule_view, next_us, "nextTime", DOC("When it is due next, by the time zone of the server.")),
    FIELD_END,
};

static struct schedule_view view_of(const struct schedule *what, const struct schedule_row *rows, size_t n)
{
    struct schedule_view v = { .name = what->name, .title = what->title, .doc = what->doc, .cron = what->cron, .status = schedule_status_names[0],
                               .error = "", .node = "", .continuous = what->run == NULL, .next_us = FIELD_NONE, .began_us = FIELD_NONE,
                               .ended_us = FIELD_NONE };

    for (size_t i = 0; i < n; i++) {
        const struct schedule_row *row = &rows[i];
        int64_t next;

        if (strcmp(row->name, what->name) != 0)
            continue;
        next = schedule_next(what, row, schedule_offset_min(row->seen_us));
        v.status = schedule_status_names[row->status];
        v.runs = row->runs;
        v.error = row->error;
        v.node = row->node;
        v.began_us = row->began_us;
        v.ended_us = row->ended_us;
        v.next_us = next >= 0 ? next : FIELD_NONE;
    }
    return v;
}

static int api_task_schedule_list(struct call *c, struct err *e)
{
    struct schedule_view *views;
    struct schedule_row *rows;
    size_t n_rows, n = 0;
    int rv = store_schedule_list(c->db, c->arena, &rows, &n_rows, e);

    if (rv != 0)
        return rv;
    for (const struct schedule *const *table = c->api->shared->schedules; *table != NULL; table++)
        for (const struct schedule *what = *table; what->name != NULL; what++)
            n++;
    views = arena_array(c->arena, n + 1, sizeof *views);
    if (views == NULL)
        return err_set(e, &ERR_NOMEM, "");
    n = 0;
    for (const struct schedule *const *table = c->api->shared->schedules; *table != NULL; table++)
        for (const struct schedule *what = *table; what->name != NULL; what++)
            views[n++] = view_of(what, rows, n_rows);
    return call_list(c, views, n, e);
}

static const struct schedule *find(const struct call *c, const char *name)
{
    for (const struct schedule *const *table = c->api->shared->schedules; *table != NULL; table++)
        for (const struct schedule *what = *table; what->name != NULL; what++)
            if (strcmp(what->name, name) == 0)
                return what;
    return NULL;
}

static int api_task_schedule_run(struct call *c, struct err *e)
{
    const char *name = call_text(c, "name");
    const struct schedule *what = find(c, name);
    bool found = false;
    int rv = 0;

    c->object_kind = "SCHEDULE";
    c->object_name = name;
    if (what != NULL && what->run == NULL)
        return err_set(e, &ERR_INVALID, "%s is done all the time and cannot be run by hand", name);
    if (what != NULL)
        rv = store_schedule_want(c->db, name, &found, e);
    return rv == 0 && !found ? err_set(e, &ERR_SCHEDULE_NOT_FOUND, "%s", name) : rv;
}

#define TAG .tag = "Tasks"

const struct route task_schedule_routes[] = {
    ROUTE("task-schedules-list", "GET", "/api/v2/tasks/schedules", "TASK:*:READ", api_task_schedule_list, REPLY_LIST, ROUTE_OWN,
          "List the work that is done by the clock.", TAG, ROUTE_OUT(schedule_view, schedule_fields)),
    ROUTE("task-schedule-run", "POST", "/api/v2/tasks/schedules/{name}/run", "TASK:*:UPDATE", api_task_schedule_run, REPLY_NONE, ROUTE_OWN,
          "Do scheduled work now: the leader begins it within a second or two.", TAG),
    ROUTE_END,
};
