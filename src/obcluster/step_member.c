/* SPDX-License-Identifier: Apache-2.0 */
#include "src/obcluster/step_member.h"

#include <string.h>

#include "src/obcluster/safety.h"

struct act {
    struct task_run *r;
    struct step_install s;
    const char *address;
};

static int begin(struct task_run *r, struct act *w, struct err *e)
{
    int rv;

    w->r = r;
    rv = step_install(r, &w->s, e);
    if (rv != 0)
        return rv;
    w->address = ob_address(w->s.self->ip, w->s.self->port, task_arena(r));
    return w->address != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int change(struct task_run *r, step_work work, const char *said, struct err *e)
{
    struct act w;
    int rv = begin(r, &w, e);

    if (rv == 0)
        rv = step_change(r, &w.s.cluster, work, &w, e);
    if (rv == 0)
        task_log(r, said, w.address);
    return rv;
}

static int add_with(struct sql *s, void *data, struct err *e)
{
    const struct act *w = data;

    return ob_member_add(s, w->address, w->s.self->zone, e);
}

int member_add(struct task_run *r, struct err *e)
{
    return change(r, add_with, "%s is a server of the cluster", e);
}

/* The others of its zone must be able to hold its units, now. One that is leaving or gone is not asked about. */
static int may_leave(struct sql *s, struct act *w, struct err *e)
{
    struct safety_set what = { w->s.self->zone, &w->address, 1 };
    struct ob_member m;
    bool found;
    int rv = ob_member_get(s, w->address, task_arena(w->r), &m, &found, e);

    return rv != 0 || !found || strcmp(m.status, "DELETING") == 0 ? rv : safety_ask_delete(s, &what, task_arena(w->r), e);
}

static int delete_with(struct sql *s, void *data, struct err *e)
{
    struct act *w = data;
    int rv = may_leave(s, w, e);

    return rv == 0 ? ob_member_change(s, OB_MEMBER_DELETE, w->address, e) : rv;
}

int member_delete(struct task_run *r, struct err *e)
{
    return change(r, delete_with, "%s is being deleted", e);
}

static int is_gone(struct sql *s, void *data, bool *done, struct err *e)
{
    const struct act *w = data;
    struct ob_member m;
    bool found;
    int rv = ob_member_get(s, w->address, task_arena(w->r), &m, &found, e);

    *done = rv == 0 && !found;
    return rv;
}

int member_wait_gone(struct task_run *r, struct err *e)
{
    struct act w;
    int rv = begin(r, &w, e);

    return rv == 0 ? step_wait(r, &w.s.cluster, "its units move to other servers, then it is gone", is_gone, &w, e) : rv;
}

int member_remove(struct task_run *r, struct err *e)
{
    int rv = member_delete(r, e);

    return rv == 0 ? member_wait_gone(r, e) : rv;
}

static int serves(struct sql *s, void *data, bool *done, struct err *e)
{
    const struct act *w = data;
    struct ob_member m;
    bool found;
    int rv = ob_member_get(s, w->address, task_arena(w->r), &m, &found, e);

    *done = rv == 0 && found && ob_member_serves(&m);
    return rv;
}

int member_wait_service(struct task_run *r, struct err *e)
{
    struct act w;
    int rv = begin(r, &w, e);

    return rv == 0 ? step_wait(r, &w.s.cluster, "the server is ACTIVE and serves", serves, &w, e) : rv;
}

static int forget_body(struct tx *tx, void *data, struct err *e)
{
    return store_obinstall_server_delete(tx, *(const int64_t *)data, e);
}

int member_forget(struct task_run *r, struct err *e)
{
    struct act w;
    int rv = begin(r, &w, e);

    if (rv == ERR_NOT_FOUND.code) { /* this step ran before */
        err_clear(e);
        return 0;
    }
    if (rv == 0)
        rv = task_transact(r, forget_body, &w.s.servers[w.s.self - w.s.servers].id, e);
    if (rv == 0)
        task_log(r, "%s is forgotten", w.address);
    return rv;
}

/* --- units ----------------------------------------------------------------------------------------------------------------------- */

struct moving {
    struct act w;
    const char *from;
    int64_t left;
};

static int move_with(struct sql *s, void *data, struct err *e)
{
    struct moving *m = data;

    return ob_units_move(s, m->from, m->w.address, task_arena(m->w.r), &m->left, e);
}

static int is_empty(struct sql *s, void *data, bool *done, struct err *e)
{
    struct moving *m = data;
    int rv = ob_member_units(s, m->from, &m->left, e);

    *done = rv == 0 && m->left == 0;
    return rv;
}

int member_take_units(struct task_run *r, struct err *e)
{
    struct moving m = { .from = task_get_arg(r, "from") };
    int rv = begin(r, &m.w, e);

    if (rv == 0)
        rv = step_change(r, &m.w.s.cluster, move_with, &m, e);
    if (rv == 0)
        task_log(r, "%lld unit(s) go from %s to %s", (long long)m.left, m.from, m.w.address);
    return rv == 0 ? step_wait(r, &m.w.s.cluster, "its units are moved", is_empty, &m, e) : rv;
}
