/* SPDX-License-Identifier: Apache-2.0 */
#include "src/task/session.h"

struct session_change {
    const struct subtask *step;
    struct task_session session;
    int (*write)(struct tx *tx, const struct subtask *s, const struct task_session *session, struct err *e);
};

static int change_body(struct tx *tx, void *data, struct err *e)
{
    const struct session_change *c = data;

    return c->write(tx, c->step, &c->session, e);
}

int task_session_open(struct task_run *r, const char *server, int64_t connection_id, struct err *e)
{
    struct session_change c = { task_step_of(r), { .server = server, .connection_id = connection_id }, store_task_session_open_in };

    return task_transact(r, change_body, &c, e);
}

int task_session_older(struct task_run *r, struct task_session **out, size_t *n, struct err *e)
{
    return store_task_session_older(task_db(r), task_step_of(r), task_arena(r), out, n, e);
}

int task_session_close(struct task_run *r, const char *server, int64_t connection_id, struct err *e)
{
    struct session_change c = { task_step_of(r), { .server = server, .connection_id = connection_id }, store_task_session_close_in };

    return task_transact(r, change_body, &c, e);
}
