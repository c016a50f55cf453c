/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "src/base/num.h"
#include "src/ctl/ctl.h"
#include "src/io/fiber.h"

enum { POLL_MS = 1000 };

static const struct column task_columns[] = {
    { "ID", "id" },           { "NAME", "name" },        { "STATUS", "status" },      { "CLUSTER", "cluster.name" },
    { "CREATOR", "creator.name" }, { "STARTED", "startTime" }, { "FINISHED", "finishTime" }, { NULL, NULL },
};
static const struct column step_columns[] = {
    { "ID", "id" }, { "STEP", "name" }, { "STATUS", "state" }, { "NODE", "executor" }, { "RUNS", "runTime" }, { "STARTED", "startTime" }, { "FINISHED", "finishTime" }, { NULL, NULL },
};

static int get_task(struct ctl *c, int64_t id, json_t **root, const json_t **data, struct err *e)
{
    const char *path = arena_printf(&c->arena, "/api/v2/tasks/instances/%" PRId64, id);

    if (path == NULL)
        return err_set(e, &ERR_NOMEM, "");
    return remote_data(c->remote, "GET", path, NULL, &c->arena, root, data, e);
}

static const char *status_of(const json_t *task)
{
    const char *status = json_string_value(json_object_get(task, "status"));

    return status != NULL ? status : "";
}

/* One line on standard error each time a step changes. */
static void show_progress(const json_t *task, char *last, size_t size)
{
    const json_t *steps = json_object_get(task, "subtasks");
    size_t n = json_array_size(steps), done = 0;
    const char *current = "";
    char line[192];

    for (size_t i = 0; i < n; i++) {
        const json_t *step = json_array_get(steps, i);

        if (strcmp(status_of(step), "SUCCESSFUL") == 0)
            done++;
        else if (current[0] == '\0' && strcmp(status_of(step), "PENDING") != 0)
            current = json_string_value(json_object_get(step, "name"));
    }
    (void)snprintf(line, sizeof line, "%zu of %zu steps %s", done, n, current != NULL ? current : "");
    if (strcmp(line, last) == 0)
        return;
    (void)fprintf(stderr, "%s\n", line);
    (void)snprintf(last, size, "%s", line);
}

static int show_task(struct ctl *c, const json_t *task, struct err *e)
{
    const json_t *steps = json_object_get(task, "subtasks");
    int rv = ctl_show(c, task, task_columns, e);

    if (rv != 0 || c->is_json || json_array_size(steps) == 0)
        return rv;
    (void)fputs("\n", stdout); /* ctl_show reports what cannot be written */
    return ctl_show(c, steps, step_columns, e);
}

int ctl_wait_task(struct ctl *c, int64_t id, struct err *e)
{
    char last[192] = "";

    for (;;) {
        const json_t *task;
        json_t *root;
        int rv = get_task(c, id, &root, &task, e);
        bool over;

        if (rv != 0)
            return rv;
        show_progress(task, last, sizeof last);
        over = strcmp(status_of(task), "SUCCESSFUL") == 0 || strcmp(status_of(task), "FAILED") == 0;
        if (over) {
            c->status = strcmp(status_of(task), "FAILED") == 0 ? EXIT_TASK_FAILED : 0;
            rv = show_task(c, task, e);
        }
        json_decref(root);
        if (!over)
            rv = fiber_sleep(POLL_MS, e);
        if (over || rv != 0)
            return rv;
    }
}

static int take_number(struct ctl *c, unsigned i, const char *noun, int64_t *id, struct err *e)
{
    const char *text = ctl_operand(c, i);

    if (!num_parse_i64((struct slice){ text, strlen(text) }, id))
        return err_set(e, &ERR_INVALID, "a %s has a number, not \"%.40s\"", noun, text);
    return 0;
}

int ctl_task(struct ctl *c, struct err *e)
{
    const json_t *task;
    json_t *root;
    int64_t id;
    int rv = take_number(c, 0, "task", &id, e);

    if (rv != 0)
        return rv;
    if (ctl_option(c, OPT_WAIT) != NULL)
        return ctl_wait_task(c, id, e);
    rv = get_task(c, id, &root, &task, e);
    if (rv != 0)
        return rv;
    rv = show_task(c, task, e);
    json_decref(root);
    return rv;
}

int ctl_task_log(struct ctl *c, struct err *e)
{
    const json_t *data;
    const char *path;
    json_t *root;
    int64_t task, step;
    int rv = take_number(c, 0, "task", &task, e);

    if (rv == 0)
        rv = take_number(c, 1, "step", &step, e);
    if (rv != 0)
        return rv;
    path = arena_printf(&c->arena, "/api/v2/tasks/instances/%" PRId64 "/subtasks/%" PRId64 "/log", task, step);
    if (path == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = remote_data(c->remote, "GET", path, NULL, &c->arena, &root, &data, e);
    if (rv != 0)
        return rv;
    rv = ctl_done(c, data, json_string_value(json_object_get(data, "log")), e);
    json_decref(root);
    return rv;
}

/* ---- changes ----------------------------------------------------------------------------------------------------------------- */

static int change(struct ctl *c, int64_t id, const char *path, const char *done, struct err *e)
{
    const char *sentence = arena_printf(&c->arena, "Task %" PRId64 ": %s.", id, done);
    const json_t *data;
    json_t *root;
    int rv;

    if (path == NULL || sentence == NULL)
        return err_set(e, &ERR_NOMEM, "");
    rv = remote_data(c->remote, "POST", path, NULL, &c->arena, &root, &data, e);
    if (rv != 0)
        return rv;
    rv = ctl_option(c, OPT_WAIT) != NULL ? ctl_wait_task(c, id, e) : ctl_done(c, data, sentence, e);
    json_decref(root);
    return rv;
}

static int change_task(struct ctl *c, const char *verb, const char *done, struct err *e)
{
    int64_t id;
    int rv = take_number(c, 0, "task", &id, e);

    return rv == 0 ? change(c, id, arena_printf(&c->arena, "/api/v2/tasks/instances/%" PRId64 "/%s", id, verb), done, e) : rv;
}

static int change_step(struct ctl *c, const char *verb, const char *done, struct err *e)
{
    int64_t id, step;
    int rv = take_number(c, 0, "task", &id, e);

    if (rv == 0)
        rv = take_number(c, 1, "step", &step, e);
    return rv == 0 ? change(c, id, arena_printf(&c->arena, "/api/v2/tasks/instances/%" PRId64 "/subtasks/%" PRId64 "/%s", id, step, verb), done, e) : rv;
}

int ctl_task_retry(struct ctl *c, struct err *e)
{
    return change_task(c, "retry", "its failed steps run again", e);
}

int ctl_task_rollback(struct ctl *c, struct err *e)
{
    return change_task(c, "rollback", "it is rolled back", e);
}

int ctl_task_skip(struct ctl *c, struct err *e)
{
    return change_step(c, "skip", "it goes on without the step", e);
}

int ctl_task_cancel(struct ctl *c, struct err *e)
{
    return change_step(c, "cancel", "the step is stopped", e);
}
