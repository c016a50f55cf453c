/* SPDX-License-Identifier: Apache-2.0 */
/* On a whole database the server takes the name as a pattern, so `a_b` would open axb as well; OCP grants on `a\_b`. Others may have granted
 * on `a_b`, and the server then follows the pattern that fits best alone: privileges are therefore read from all patterns that mean the
 * database, granted on the exact one, and revoked from each. */
#include "src/tenant/grant.h"

#include <string.h>
#include <strings.h>

#include "src/oceanbase/database.h"
#include "src/tenant/database.h"
#include "src/tenant/privilege.h"

ERR_DEFINE(ERR_GRANT_OBJECT, 90603, 404, ERR_FINAL, "There is no {0} {1}.", "对象 {1}（{0}）不存在。");

const struct err_row *const grant_err_rows[] = { &ERR_GRANT_OBJECT, NULL };

/* What is not granted: kernels have had numbers of their own before they took MySQL's. */
enum {
    TABLE_UNKNOWN = 1146,
    ROUTINE_UNKNOWN = 1305,
    NO_SUCH_GRANT = 1141,
    NO_SUCH_TABLE_GRANT = 1147,
    OB_NO_SUCH_GRANT = 5133,
    OB_NO_SUCH_TABLE_GRANT = 5362,
};

struct grant_target {
    const char *database;              /* its name; NULL: everything */
    const char *object;                /* NULL: the whole database */
    bool is_routine;
    struct field_strings words;
};

/* --- preparing ---------------------------------------------------------------------------------------------------------------- */

static int make_targets(struct grant_job *job, size_t n, struct err *e)
{
    job->targets = arena_array(job->arena, n + 1, sizeof *job->targets);
    job->n_targets = n;
    return job->targets != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

int grant_global(struct grant_job *job, const struct field_strings *tokens, struct err *e)
{
    int rv = make_targets(job, 1, e);

    return rv == 0 ? privilege_read(tokens, PRIVILEGE_GLOBAL, job->arena, &job->targets[0].words, e) : rv;
}

int grant_databases(struct grant_job *job, const struct field_list *privileges, struct err *e)
{
    const struct db_privilege *list = privileges->items;
    int rv = make_targets(job, privileges->n, e);

    job->all_databases = job->verb == GRANT_SET;
    for (size_t i = 0; rv == 0 && i < privileges->n; i++) {
        job->targets[i].database = list[i].database;
        rv = privilege_read(&list[i].privileges, PRIVILEGE_DATABASE, job->arena, &job->targets[i].words, e);
    }
    return rv;
}

int grant_objects(struct grant_job *job, const struct field_list *privileges, struct err *e)
{
    const struct object_privilege *list = privileges->items;
    int rv = make_targets(job, privileges->n, e);

    for (size_t i = 0; rv == 0 && i < privileges->n; i++) {
        const struct db_object *o = list[i].object;
        bool routine = o->type != NULL && strcmp(o->type, "STORED_PROCEDURE") == 0;

        job->targets[i] = (struct grant_target){ .database = o->schema, .object = o->name, .is_routine = routine };
        rv = privilege_read(&list[i].privileges, routine ? PRIVILEGE_ROUTINE : PRIVILEGE_TABLE, job->arena, &job->targets[i].words, e);
    }
    return rv;
}

void grant_roles(struct grant_job *job, const struct field_strings *roles)
{
    job->targets = NULL;
    job->n_targets = 0;
    job->all_databases = false;
    job->roles = *roles;
}

/* --- what there is ------------------------------------------------------------------------------------------------------------ */

struct present {
    const struct grant_job *job;
    struct ob_privilege *rows;         /* of the account */
    size_t n_rows;
    struct ob_database *databases;
    size_t n_databases;
    bool fold;                         /* the kernel keeps names of databases and tables in lower case */
};

static int read_present(struct sql *s, struct present *p, struct err *e)
{
    struct arena *arena = p->job->arena;
    struct sql_rows rows;
    int64_t mode = 0;
    int rv = sql_run(s, "SELECT @@lower_case_table_names", NULL, 0, 0, arena, &rows, e);

    if (rv != 0)
        return rv;
    p->fold = sql_i64(&rows, 0, 0, &mode) && mode != 0;
    rv = ob_privileges_list(s, p->job->name, arena, &p->rows, &p->n_rows, e);
    return rv == 0 ? ob_databases_list(s, arena, &p->databases, &p->n_databases, e) : rv;
}

static bool is_same(const struct present *p, const char *a, const char *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    return (p->fold ? strcasecmp(a, b) : strcmp(a, b)) == 0;
}

/* Is the row about the target? For a whole database, whatever pattern it was granted on. */
static bool concerns(const struct present *p, const struct ob_privilege *row, const struct grant_target *t)
{
    const char *database = row->on.database;

    if (row->on.is_routine != t->is_routine || !is_same(p, row->on.object, t->object))
        return false;
    if (database != NULL && row->on.object == NULL)
        database = database_of_pattern(database, p->job->arena);
    return is_same(p, database, t->database);
}

/* Words granted on exactly `on`. */
static int words_on(const struct present *p, const struct ob_grant_on *on, struct field_strings *out, struct err *e)
{
    *out = (struct field_strings){ arena_array(p->job->arena, p->n_rows + 1, sizeof *out->items), 0 };
    if (out->items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < p->n_rows; i++) {
        const struct ob_grant_on *row = &p->rows[i].on;

        if (row->is_routine == on->is_routine && is_same(p, row->object, on->object) && is_same(p, row->database, on->database) &&
            !text_set_has(out, p->rows[i].privilege))
            out->items[out->n++] = p->rows[i].privilege;
    }
    return 0;
}

/* Words that concern the target. */
static int words_of(const struct present *p, const struct grant_target *t, struct field_strings *out, struct err *e)
{
    *out = (struct field_strings){ arena_array(p->job->arena, p->n_rows + 1, sizeof *out->items), 0 };
    if (out->items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < p->n_rows; i++)
        if (concerns(p, &p->rows[i], t) && !text_set_has(out, p->rows[i].privilege))
            out->items[out->n++] = p->rows[i].privilege;
    return 0;
}

/* --- privileges --------------------------------------------------------------------------------------------------------------- */

static int word(const struct ob_grant_on *on, int rv, struct err *e)
{
    int number = rv != 0 ? e->lib_code : 0;

    if (number == NO_SUCH_GRANT || number == NO_SUCH_TABLE_GRANT || number == OB_NO_SUCH_GRANT || number == OB_NO_SUCH_TABLE_GRANT)
        return 0; /* somebody else has just revoked it */
    if (number != TABLE_UNKNOWN && number != ROUTINE_UNKNOWN)
        return rv;
    (void)err_set(e, &ERR_GRANT_OBJECT, "%s", on->is_routine ? "stored procedure" : "table or view");
    return err_arg(e, "%s.%s", on->database, on->object != NULL ? on->object : "");
}

static int alter(struct sql *s, struct tenant_step *step, enum ob_grant what, const struct field_strings *words, const struct ob_grant_on *on,
                 struct err *e)
{
    const struct grant_job *job = step->data;
    int rv = words->n > 0 ? word(on, ob_privileges_change(s, what, words->items, words->n, on, job->name, e), e) : 0;

    step->changed = step->changed || (rv == 0 && words->n > 0);
    return rv;
}

/* Where the target's privileges are granted. */
static int place_of(const struct grant_job *job, const struct grant_target *t, struct ob_grant_on *out, struct err *e)
{
    *out = (struct ob_grant_on){ t->database, t->object, t->is_routine };
    if (t->database == NULL || t->object != NULL)
        return 0;
    out->database = database_pattern(t->database, job->arena);
    return out->database != NULL ? 0 : err_set(e, &ERR_NOMEM, "");
}

static int grant_missing(struct sql *s, struct tenant_step *step, const struct present *p, const struct grant_target *t,
                         const struct field_strings *wanted, struct err *e)
{
    struct field_strings there, missing;
    struct ob_grant_on on;
    int rv = place_of(p->job, t, &on, e);

    if (rv == 0)
        rv = words_on(p, &on, &there, e);
    if (rv == 0)
        rv = text_set_minus(wanted, &there, p->job->arena, &missing, e);
    return rv == 0 ? alter(s, step, OB_GRANT, &missing, &on, e) : rv;
}

/* From each place that concerns the target, once. */
static int revoke_rest(struct sql *s, struct tenant_step *step, const struct present *p, const struct grant_target *t,
                       const struct field_strings *wanted, struct err *e)
{
    struct field_strings done = { arena_array(p->job->arena, p->n_rows + 1, sizeof *done.items), 0 };
    int rv = done.items != NULL ? 0 : err_set(e, &ERR_NOMEM, "");

    for (size_t i = 0; rv == 0 && i < p->n_rows; i++) {
        const struct ob_grant_on *on = &p->rows[i].on;
        const char *key = on->database != NULL ? on->database : "";
        struct field_strings there, rest;

        if (!concerns(p, &p->rows[i], t) || text_set_has(&done, key))
            continue;
        done.items[done.n++] = key;
        rv = words_on(p, on, &there, e);
        if (rv == 0)
            rv = text_set_minus(&there, wanted, p->job->arena, &rest, e);
        if (rv == 0)
            rv = alter(s, step, OB_REVOKE, &rest, on, e);
    }
    return rv;
}

static int change_target(struct sql *s, struct tenant_step *step, const struct present *p, const struct grant_target *t, struct err *e)
{
    struct arena *arena = p->job->arena;
    struct field_strings now, wanted = t->words;
    int rv = words_of(p, t, &now, e);

    if (rv == 0 && p->job->verb == GRANT_ADD)
        rv = text_set_union(&now, &t->words, arena, &wanted, e);
    if (rv == 0 && p->job->verb == GRANT_REMOVE)
        rv = text_set_minus(&now, &t->words, arena, &wanted, e);
    if (rv == 0 && p->job->verb != GRANT_REMOVE)
        rv = grant_missing(s, step, p, t, &wanted, e);
    return rv == 0 ? revoke_rest(s, step, p, t, &wanted, e) : rv;
}

/* The databases as the kernel spells them. What is granted must be there; what is taken away need not. */
static int find_databases(const struct present *p, struct err *e)
{
    for (size_t i = 0; i < p->job->n_targets; i++) {
        struct grant_target *t = &p->job->targets[i];
        bool found = t->database == NULL;

        for (size_t k = 0; !found && k < p->n_databases; k++) {
            found = is_same(p, p->databases[k].name, t->database);
            if (found)
                t->database = p->databases[k].name;
        }
        if (!found && p->job->verb != GRANT_REMOVE && t->words.n > 0)
            return err_set(e, &ERR_DATABASE_NOT_FOUND, "%s", t->database);
    }
    return 0;
}

static bool is_target(const struct present *p, const char *database)
{
    for (size_t i = 0; i < p->job->n_targets; i++)
        if (is_same(p, p->job->targets[i].database, database))
            return true;
    return false;
}

/* Databases that were not named lose what they have, each once whatever number of rows it has. */
static int clear_others(struct sql *s, struct tenant_step *step, const struct present *p, struct err *e)
{
    static const struct field_strings nothing = { NULL, 0 };
    struct field_strings done = { arena_array(p->job->arena, p->n_rows + 1, sizeof *done.items), 0 };
    int rv = done.items != NULL ? 0 : err_set(e, &ERR_NOMEM, "");

    for (size_t i = 0; rv == 0 && i < p->n_rows; i++) {
        const struct ob_grant_on *on = &p->rows[i].on;
        struct grant_target t = { .database = on->database != NULL ? database_of_pattern(on->database, p->job->arena) : NULL };

        if (t.database == NULL || on->object != NULL || is_target(p, t.database) || text_set_has(&done, t.database))
            continue;
        done.items[done.n++] = t.database;
        rv = revoke_rest(s, step, p, &t, &nothing, e);
    }
    return rv;
}

static int change_privileges(struct sql *s, struct tenant_step *step, struct err *e)
{
    const struct grant_job *job = step->data;
    struct present p = { .job = job };
    int rv = read_present(s, &p, e);

    if (rv == 0)
        rv = find_databases(&p, e);
    for (size_t i = 0; rv == 0 && i < job->n_targets; i++)
        rv = change_target(s, step, &p, &job->targets[i], e);
    return rv == 0 && job->all_databases ? clear_others(s, step, &p, e) : rv;
}

/* --- roles -------------------------------------------------------------------------------------------------------------------- */

static int check_roles(struct sql *s, const struct grant_job *job, struct err *e)
{
    struct ob_user *users;
    size_t n;
    int rv = ob_users_list(s, job->arena, &users, &n, e);

    for (size_t i = 0; rv == 0 && i < job->roles.n; i++) {
        bool found = false;

        for (size_t k = 0; k < n; k++)
            found = found || (users[k].is_role && strcmp(users[k].name, job->roles.items[i]) == 0);
        if (!found)
            rv = account_not_found(ACCOUNT_ROLE, job->roles.items[i], e);
    }
    return rv;
}

static int roles_now(struct sql *s, const struct grant_job *job, struct field_strings *out, struct err *e)
{
    struct ob_role_edge *edges;
    size_t n;
    int rv = ob_role_edges_list(s, job->arena, &edges, &n, e);

    if (rv != 0)
        return rv;
    *out = (struct field_strings){ arena_array(job->arena, n + 1, sizeof *out->items), 0 };
    if (out->items == NULL)
        return err_set(e, &ERR_NOMEM, "");
    for (size_t i = 0; i < n; i++)
        if (strcmp(edges[i].user, job->name) == 0)
            out->items[out->n++] = edges[i].role;
    return 0;
}

static int alter_roles(struct sql *s, struct tenant_step *step, enum ob_grant what, const struct field_strings *roles, struct err *e)
{
    const struct grant_job *job = step->data;
    int rv = roles->n > 0 ? ob_roles_change(s, what, roles->items, roles->n, job->name, e) : 0;

    step->changed = step->changed || (rv == 0 && roles->n > 0);
    return rv;
}

static int change_roles(struct sql *s, struct tenant_step *step, struct err *e)
{
    const struct grant_job *job = step->data;
    struct field_strings now, wanted = job->roles, missing, rest;
    int rv = job->verb != GRANT_REMOVE ? check_roles(s, job, e) : 0;

    if (rv == 0)
        rv = roles_now(s, job, &now, e);
    if (rv == 0 && job->verb == GRANT_ADD)
        rv = text_set_union(&now, &job->roles, job->arena, &wanted, e);
    if (rv == 0 && job->verb == GRANT_REMOVE)
        rv = text_set_minus(&now, &job->roles, job->arena, &wanted, e);
    if (rv == 0)
        rv = text_set_minus(&wanted, &now, job->arena, &missing, e);
    if (rv == 0)
        rv = text_set_minus(&now, &wanted, job->arena, &rest, e);
    if (rv == 0)
        rv = alter_roles(s, step, OB_GRANT, &missing, e);
    if (rv == 0)
        rv = alter_roles(s, step, OB_REVOKE, &rest, e);
    if (rv == 0 && job->kind == ACCOUNT_USER && wanted.n > 0)
        rv = ob_user_set_default_roles(s, job->name, e);
    return rv;
}

int grant_work(struct sql *s, struct tenant_step *step, struct err *e)
{
    const struct grant_job *job = step->data;
    int rv = account_find(s, job->kind, job->name, job->arena, e);

    if (rv != 0)
        return rv;
    return job->targets != NULL ? change_privileges(s, step, e) : change_roles(s, step, e);
}

int grant_run(struct tenant *t, struct grant_job *job, struct err *e)
{
    int rv = tenant_require_mysql(t, &ERR_DBUSER_ORACLE, e);

    if (rv == 0 && account_is_protected(job->name))
        rv = err_set(e, &ERR_DBUSER_PROTECTED, "%s", job->name);
    return rv == 0 ? tenant_change(t, grant_work, job, e) : rv;
}
