/* SPDX-License-Identifier: Apache-2.0 */
/* Objects that tasks have locked. */
#include "api/tables.h"
#include "api/call.h"
#include "src/store/list.h"
#include "src/store/task.h"

static const char *const sorts[] = { "lockTime", "taskId", NULL };
static const struct field lock_fields[] = {
    F_STRING(task_lock, kind, "kind", DOC("Kind of the object: obcluster, host.")),
    F_INT(task_lock, id, "id", DOC("Its id.")),
    F_INT(task_lock, task_id, "taskId", DOC("Task that holds it until it is finished.")),
    F_STRING(task_lock, task_name, "taskName", DOC("What that task does.")),
    F_ENUM(task_lock, task_status, "taskStatus", task_status_names, DOC("State of that task.")),
    F_STRING(task_lock, creator_name, "creator", DOC("Who started it.")),
    F_TIME(task_lock, locked_us, "lockTime", DOC("Since when.")),
    FIELD_END,
};

static int api_task_lock_list(struct call *c, struct err *e)
{
    struct store_page page = call_store_page(c);
    struct task_lock *locks;
    int64_t total;
    size_t n;
    int rv = store_task_lock_list(c->db, &page, c->arena, &locks, &n, &total, e);

    return rv == 0 ? call_paged(c, locks, n, total, e) : rv;
}

const struct route task_lock_routes[] = {
    ROUTE("task-locks-list", "GET", "/api/v2/tasks/locks", "TASK:*:READ", api_task_lock_list, REPLY_PAGED, ROUTE_OWN,
          "List the objects that unfinished tasks have locked, each with its task.", .tag = "Tasks", ROUTE_OUT(task_lock, lock_fields), .sort = sorts),
    ROUTE_END,
};
