/* SPDX-License-Identifier: Apache-2.0 */
/* DROP USER drops a role as well and DROP ROLE a user, so what an account is is looked up before anything is done to it. */
#include "src/tenant/dbuser.h"

#include <string.h>

#include "src/iam/password.h"
#include "src/tenant/administrator.h"
#include "src/tenant/name.h"

ERR_DEFINE(ERR_DBUSER_NAME, 15250, 400, ERR_FINAL,
           "{0} cannot be the name of a database user: a letter, then letters, digits and underscores, 2 to 128 characters (64 on some kernels).",
           "数据库用户名 {0} 不合法：须以字母开头，仅含字母、数字和下划线，长度为 2 到 128 个字符（部分内核为 64 个）。");
ERR_DEFINE(ERR_DBUSER_EXISTS, 15251, 409, ERR_FINAL, "There is a database user or role {0} already.", "数据库用户或角色 {0} 已存在。");
ERR_DEFINE(ERR_DBROLE_NAME, 15300, 400, ERR_FINAL,
           "{0} cannot be the name of a database role: a letter, then letters, digits and underscores, 2 to 30 characters.",
           "数据库角色名 {0} 不合法：须以字母开头，仅含字母、数字和下划线，长度为 2 到 30 个字符。");
ERR_DEFINE(ERR_DBROLE_CONFLICT, 15301, 409, ERR_FINAL, "There is a database role or user {0} already.", "数据库角色或用户 {0} 已存在。");

const struct err_row *const dbuser_err_rows[] = {
    &ERR_DBUSER_NAME, &ERR_DBUSER_EXISTS, &ERR_DBROLE_NAME, &ERR_DBROLE_CONFLICT, NULL,
};

enum { ACCOUNT_FAILED = 1396, NAME_TOO_LONG = 1470, USER_UNKNOWN = 1133, MAX_JOBS = 3 };

static int name_taken(enum account_kind kind, const char *name, struct err *e)
{
    return err_set(e, kind == ACCOUNT_USER ? &ERR_DBUSER_EXISTS : &ERR_DBROLE_CONFLICT, "%s", name);
}

/* --- create ------------------------------------------------------------------------------------------------------------------- */

struct creating {
    const struct dbuser_wish *wish;
    struct arena *arena;
    struct grant_job jobs[MAX_JOBS];
    unsigned n_jobs;
};

static int make(struct sql *s, const struct creating *g, struct err *e)
{
    const struct dbuser_wish *w = g->wish;
    int rv = w->kind == ACCOUNT_USER ? ob_user_create(s, w->name, w->password, e) : ob_role_create(s, w->name, e);

    if (rv != 0 && e->lib_code == ACCOUNT_FAILED)
        return name_taken(w->kind, w->name, e);
    if (rv != 0 && e->lib_code == NAME_TOO_LONG)
        return err_set(e, w->kind == ACCOUNT_USER ? &ERR_DBUSER_NAME : &ERR_DBROLE_NAME, "%s", w->name);
    return rv;
}

static bool is_taken(const struct err *e)
{
    return err_is(e, &ERR_DBUSER_EXISTS) || err_is(e, &ERR_DBROLE_CONFLICT);
}

/* Makes the account, or goes on with the one that an earlier run has made, or is just making. */
static int make_or_find(struct sql *s, struct tenant_step *step, struct err *e)
{
    const struct creating *g = step->data;
    const struct dbuser_wish *w = g->wish;
    struct ob_user u;
    bool found;
    int rv = ob_user_get(s, w->name, g->arena, &u, &found, e);

    if (rv == 0 && !found) {
        rv = make(s, g, e);
        if (rv == 0 || !step->again || !is_taken(e))
            return rv;
        err_clear(e);
        rv = ob_user_get(s, w->name, g->arena, &u, &found, e);
    }
    if (rv != 0)
        return rv;
    if (!found)
        return name_taken(w->kind, w->name, e);
    if (!step->again || u.is_role != (w->kind == ACCOUNT_ROLE))
        return name_taken(w->kind, w->name, e);
    return w->kind == ACCOUNT_USER ? ob_user_set_password(s, w->name, w->password, e) : 0;
}

static int run_jobs(struct sql *s, struct tenant_step *step, struct err *e)
{
    struct creating *g = step->data;
    int rv = 0;

    for (unsigned i = 0; rv == 0 && i < g->n_jobs; i++) {
        struct tenant_step part = { .data = &g->jobs[i], .again = step->again };

        rv = grant_work(s, &part, e);
    }
    return rv;
}

static int work_create(struct sql *s, struct tenant_step *step, struct err *e)
{
    const struct creating *g = step->data;
    int rv = make_or_find(s, step, e);

    if (rv != 0)
        return rv;
    step->changed = true;
    rv = run_jobs(s, step, e);
    if (rv != 0 && !sql_is_dead(s)) {
        struct err why;
        int undone = g->wish->kind == ACCOUNT_USER ? ob_user_drop(s, g->wish->name, &why) : ob_role_drop(s, g->wish->name, &why);

        if (undone != 0)
            err_wrap(e, "and what was made stays, since it could not be dropped again");
    }
    return rv;
}

static int check_wish(const struct dbuser_wish *w, struct err *e)
{
    const char *problem = w->kind == ACCOUNT_USER ? password_problem(w->password) : NULL;

    if (w->kind == ACCOUNT_USER && !tenant_name_is_valid(w->name, DBUSER_NAME_MAX))
        return err_set(e, &ERR_DBUSER_NAME, "%s", w->name);
    if (w->kind == ACCOUNT_ROLE && !tenant_name_is_valid(w->name, DBROLE_NAME_MAX))
        return err_set(e, &ERR_DBROLE_NAME, "%s", w->name);
    if (account_is_protected(w->name))
        return name_taken(w->kind, w->name, e);
    return problem != NULL ? err_set(e, &ERR_TENANT_PASSWORD, "%s", problem) : 0;
}

static struct grant_job *next_job(struct creating *g)
{
    struct grant_job *job = &g->jobs[g->n_jobs++];

    *job = (struct grant_job){ .arena = g->arena, .kind = g->wish->kind, .name = g->wish->name, .verb = GRANT_ADD };
    return job;
}

int dbuser_create(struct tenant *t, const struct dbuser_wish *wish, struct account *out, struct err *e)
{
    struct creating g = { .wish = wish, .arena = t->arena };
    int rv = tenant_require_mysql(t, &ERR_DBUSER_ORACLE, e);

    if (rv == 0)
        rv = check_wish(wish, e);
    if (rv == 0 && wish->global != NULL && wish->global->n > 0)
        rv = grant_global(next_job(&g), wish->global, e);
    if (rv == 0 && wish->databases != NULL && wish->databases->n > 0)
        rv = grant_databases(next_job(&g), wish->databases, e);
    if (rv == 0 && wish->roles != NULL && wish->roles->n > 0)
        grant_roles(next_job(&g), wish->roles);
    if (rv == 0)
        rv = tenant_change(t, work_create, &g, e);
    return rv == 0 ? account_get(t, wish->kind, wish->name, out, e) : rv;
}

/* --- drop, password, lock ----------------------------------------------------------------------------------------------------- */

struct altering {
    enum account_kind kind;
    const char *name, *password;
    bool locked;
    struct arena *arena;
};

/* Somebody was faster. */
static int word(const struct altering *a, int rv, struct err *e)
{
    int number = rv != 0 ? e->lib_code : 0;

    return number == ACCOUNT_FAILED || number == USER_UNKNOWN ? account_not_found(a->kind, a->name, e) : rv;
}

static int work_drop(struct sql *s, struct tenant_step *step, struct err *e)
{
    const struct altering *a = step->data;
    int rv = account_find(s, a->kind, a->name, a->arena, e);

    if (rv == 0)
        rv = word(a, a->kind == ACCOUNT_USER ? ob_user_drop(s, a->name, e) : ob_role_drop(s, a->name, e), e);
    if (rv != 0 && step->again && (err_is(e, &ERR_DBUSER_NOT_FOUND) || err_is(e, &ERR_DBROLE_NOT_FOUND)))
        return 0;
    return rv;
}

static int work_password(struct sql *s, struct tenant_step *step, struct err *e)
{
    const struct altering *a = step->data;
    int rv = account_find(s, a->kind, a->name, a->arena, e);

    return rv == 0 ? word(a, ob_user_set_password(s, a->name, a->password, e), e) : rv;
}

static int work_lock(struct sql *s, struct tenant_step *step, struct err *e)
{
    const struct altering *a = step->data;
    int rv = account_find(s, a->kind, a->name, a->arena, e);

    return rv == 0 ? word(a, ob_user_set_locked(s, a->name, a->locked, e), e) : rv;
}

static int protect(const struct tenant *t, const char *name, struct err *e)
{
    int rv = tenant_require_mysql(t, &ERR_DBUSER_ORACLE, e);

    return rv == 0 && account_is_protected(name) ? err_set(e, &ERR_DBUSER_PROTECTED, "%s", name) : rv;
}

int dbuser_drop(struct tenant *t, enum account_kind kind, const char *name, struct err *e)
{
    struct altering a = { .kind = kind, .name = name, .arena = t->arena };
    int rv = protect(t, name, e);

    return rv == 0 ? tenant_change(t, work_drop, &a, e) : rv;
}

/* The account that OCP itself logs in with: "root@sys" is root. */
static bool is_administrator(const struct tenant *t, const char *name)
{
    size_t n = strcspn(t->cluster.username, "@#");

    if (!administrator_is_of_cluster(t))
        return strcmp(name, administrator_name(t)) == 0;
    return strlen(name) == n && strncmp(t->cluster.username, name, n) == 0;
}

int dbuser_set_password(struct tenant *t, const char *name, const char *password, struct err *e)
{
    struct altering a = { .kind = ACCOUNT_USER, .name = name, .password = password, .arena = t->arena };
    const char *problem = password_problem(password);
    int rv = tenant_require_mysql(t, &ERR_DBUSER_ORACLE, e);

    if (rv == 0 && is_administrator(t, name))
        return administrator_set_password(t, NULL, password, e);
    if (rv == 0 && problem != NULL)
        rv = err_set(e, &ERR_TENANT_PASSWORD, "%s", problem);
    if (rv == 0)
        rv = protect(t, name, e);
    return rv == 0 ? tenant_change(t, work_password, &a, e) : rv;
}

int dbuser_set_locked(struct tenant *t, const char *name, bool locked, struct err *e)
{
    struct altering a = { .kind = ACCOUNT_USER, .name = name, .locked = locked, .arena = t->arena };
    int rv = protect(t, name, e);

    return rv == 0 ? tenant_change(t, work_lock, &a, e) : rv;
}
