/* SPDX-License-Identifier: Apache-2.0 */
/* obprobe.c - every statement of src/oceanbase against a real kernel: obprobe HOST:PORT [USER [PASSWORD]]. Run by test_oceanbase.py. */
#include <stdlib.h>

#include "src/oceanbase/compaction.h"
#include "src/oceanbase/database.h"
#include "src/oceanbase/parameter.h"
#include "src/oceanbase/probe.h"
#include "src/oceanbase/server.h"
#include "src/oceanbase/session.h"
#include "src/oceanbase/user.h"
#include "src/oceanbase/variable.h"
#include "tests/lib/test.h"

static struct sql_target target;
static struct work_pool *pool;

struct fixture {
    struct sql *s;
    struct arena arena;
    struct err e;
};

static void run_with(void (*fn)(struct fixture *f))
{
    struct fixture f = { 0 };

    arena_init(&f.arena);
    assert_ok(sql_connect(&target, pool, &f.s, &f.e), &f.e);
    fn(&f);
    sql_close(f.s);
    arena_fini(&f.arena);
}

static void in_fiber(void *data)
{
    run_with(*(void (**)(struct fixture *f))data);
}

static void run(void (*fn)(struct fixture *f))
{
    test_in_fiber(in_fiber, &fn);
}

static void says_who_it_is(struct fixture *f)
{
    struct ob_probe p;

    assert_ok(ob_probe(f->s, &f->arena, &p, &f->e), &f->e);
    assert_int_equal(p.engine, OB_ENGINE_SEEKDB);
    assert_string_equal(p.version, "1.4.0.0");
    assert_string_equal(p.ob_version, "4.3.5.3");
    assert_non_null(strstr(p.full_version, "seekdb"));
    assert_true(p.created_us > 1600000000000000);
}

static void shows_its_server(struct fixture *f)
{
    struct ob_server s;

    assert_ok(ob_server_get(f->s, &f->arena, &s, &f->e), &f->e);
    assert_int_equal(s.sql_port, target.port);
    assert_true(s.memory_capacity >= 1 << 30);
    assert_true(s.data_disk_capacity > 0 && s.log_disk_capacity > 0 && s.cpu_capacity > 0);
    assert_true(s.started_us > 1600000000000000);
    assert_string_equal(s.role, "PRIMARY");
}

static void lists_and_sets_parameters(struct fixture *f)
{
    struct ob_parameter *list, one;
    bool found;
    size_t n;

    assert_ok(ob_parameters_list(f->s, &f->arena, &list, &n, &f->e), &f->e);
    assert_true(n > 200);
    assert_ok(ob_parameter_set(f->s, "open_cursors", "77", &f->e), &f->e);
    assert_ok(ob_parameter_get(f->s, "open_cursors", &f->arena, &one, &found, &f->e), &f->e);
    assert_true(found);
    assert_string_equal(one.value, "77");
    assert_false(ob_parameter_is_read_only(&one));
    assert_ok(ob_parameter_reset(f->s, "open_cursors", &f->e), &f->e);
    assert_ok(ob_parameter_get(f->s, "open_cursors", &f->arena, &one, &found, &f->e), &f->e);
    assert_string_equal(one.value, one.default_value);
    assert_err(ob_parameter_reset(f->s, "no_such_parameter", &f->e), &f->e, ERR_OB_PARAMETER_UNKNOWN);
    assert_err(ob_parameter_set(f->s, "no_such_parameter", "1", &f->e), &f->e, ERR_OB_PARAMETER_UNKNOWN);
    assert_err(ob_parameter_set(f->s, "open_cursors", "many", &f->e), &f->e, ERR_OB_PARAMETER_VALUE);
    assert_err(ob_parameter_set(f->s, "x = 1, y", "1", &f->e), &f->e, ERR_OB_PARAMETER_UNKNOWN);
    assert_ok(ob_parameter_get(f->s, "no_such_parameter", &f->arena, &one, &found, &f->e), &f->e);
    assert_false(found);
}

/* Every range that the kernel words is understood: each gives a bound or a list, and no bound holds a bracket. */
static void understands_ranges(struct fixture *f)
{
    struct ob_parameter_range r;
    struct ob_parameter *list;
    size_t n, n_ranges = 0;

    assert_ok(ob_parameters_list(f->s, &f->arena, &list, &n, &f->e), &f->e);
    for (size_t i = 0; i < n; i++) {
        const char *texts[3];

        assert_true(ob_parameter_range(&list[i], &f->arena, &r));
        texts[0] = r.min, texts[1] = r.max, texts[2] = r.allowed;
        for (int t = 0; t < 2; t++)
            if (texts[t] != NULL && (strpbrk(texts[t], "[](), ") != NULL || strlen(texts[t]) > 24))
                fail_msg("%s: '%s' from '%s'", list[i].name, texts[t], list[i].info);
        n_ranges += r.min != NULL || r.max != NULL;
    }
    assert_true(n_ranges > 100);
}

static void keeps_variables(struct fixture *f)
{
    struct ob_variable *list;
    const char *before = NULL;
    size_t n;

    assert_ok(ob_variables_list(f->s, &f->arena, &list, &n, &f->e), &f->e);
    assert_true(n > 500);
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].name, "ob_trx_timeout") == 0)
            before = list[i].value;
    assert_non_null(before);
    assert_ok(ob_variable_set(f->s, "ob_trx_timeout", "123456789", &f->e), &f->e);
    assert_ok(ob_variables_list(f->s, &f->arena, &list, &n, &f->e), &f->e);
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].name, "ob_trx_timeout") == 0)
            assert_string_equal(list[i].value, "123456789");
    assert_ok(ob_variable_set(f->s, "ob_trx_timeout", before, &f->e), &f->e);
    assert_err(ob_variable_set(f->s, "no_such_variable", "1", &f->e), &f->e, ERR_OB_VARIABLE_UNKNOWN);
    assert_err(ob_variable_set(f->s, "ob_trx_timeout", "soon", &f->e), &f->e, ERR_OB_VARIABLE_VALUE);
    assert_err(ob_variable_set(f->s, "last_insert_id", "1", &f->e), &f->e, ERR_OB_VARIABLE_READ_ONLY);
    assert_err(ob_variable_set(f->s, "a = 1, b", "1", &f->e), &f->e, ERR_OB_VARIABLE_UNKNOWN);
}

static const struct ob_database *find_database(struct fixture *f, const char *name)
{
    struct ob_database *list;
    size_t n;

    assert_ok(ob_databases_list(f->s, &f->arena, &list, &n, &f->e), &f->e);
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].name, name) == 0)
            return &list[i];
    return NULL;
}

static void makes_and_drops_databases(struct fixture *f)
{
    struct ob_database d = { .name = "odd`name?", .charset = "utf8mb4", .collation = "utf8mb4_bin", .read_only = -1 };

    assert_ok(ob_database_create(f->s, &d, &f->e), &f->e);
    assert_int_not_equal(ob_database_create(f->s, &d, &f->e), 0);
    assert_int_equal(f->e.lib_code, 1007);
    assert_string_equal(find_database(f, "odd`name?")->collation, "utf8mb4_bin");
    assert_int_equal(find_database(f, "odd`name?")->read_only, 0);
    assert_true(find_database(f, "odd`name?")->id > 0);
    assert_true(find_database(f, "odd`name?")->created_us > 1600000000000000);
    d = (struct ob_database){ .name = "odd`name?", .collation = "utf8mb4_general_ci", .read_only = 1 };
    assert_ok(ob_database_alter(f->s, &d, &f->e), &f->e);
    assert_string_equal(find_database(f, "odd`name?")->collation, "utf8mb4_general_ci");
    assert_int_equal(find_database(f, "odd`name?")->read_only, 1);
    d = (struct ob_database){ .name = "odd`name?", .read_only = 0 };
    assert_ok(ob_database_alter(f->s, &d, &f->e), &f->e);
    assert_ok(ob_database_drop(f->s, "odd`name?", &f->e), &f->e);
    assert_null(find_database(f, "odd`name?"));
    assert_true(ob_database_is_system("__recyclebin") && ob_database_is_system("mysql") && !ob_database_is_system("test"));
}

static const struct ob_grant_on everywhere = { NULL, NULL, false }, in_test = { "test", NULL, false };
static const struct ob_grant_on in_oceanbase = { "oceanbase", NULL, false }, on_probe = { "test", "probe", false };
static const struct ob_grant_on on_routine = { "test", "probe_routine", true };

static const struct ob_user *find_user(struct fixture *f, const char *name)
{
    struct ob_user *list;
    size_t n;

    assert_ok(ob_users_list(f->s, &f->arena, &list, &n, &f->e), &f->e);
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].name, name) == 0)
            return &list[i];
    return NULL;
}

static bool has_privilege(struct fixture *f, const char *user, const char *database, const char *object, const char *privilege, bool alone)
{
    struct ob_privilege *list;
    size_t n;

    assert_ok(ob_privileges_list(f->s, alone ? user : NULL, &f->arena, &list, &n, &f->e), &f->e);
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].user, user) == 0 && strcmp(list[i].privilege, privilege) == 0 &&
            strcmp(list[i].on.database != NULL ? list[i].on.database : "", database != NULL ? database : "") == 0 &&
            strcmp(list[i].on.object != NULL ? list[i].on.object : "", object != NULL ? object : "") == 0)
            return true;
    return false;
}

static void changes_privileges(struct fixture *f, const char *user)
{
    static const char *const global[] = { "SELECT", "CREATE VIEW" };
    static const char *const in_db[] = { "INSERT", "UPDATE" };
    static const char *const bad[] = { "SELECT ON *.* TO root" , "SELECT; DROP" };

    assert_ok(ob_privileges_change(f->s, OB_GRANT, global, 2, &everywhere, user, &f->e), &f->e);
    assert_ok(ob_privileges_change(f->s, OB_GRANT, in_db, 2, &in_test, user, &f->e), &f->e);
    assert_true(has_privilege(f, user, NULL, NULL, "CREATE VIEW", false));
    assert_true(has_privilege(f, user, "test", NULL, "UPDATE", true));
    assert_ok(ob_privileges_change(f->s, OB_REVOKE, in_db, 1, &in_test, user, &f->e), &f->e);
    assert_false(has_privilege(f, user, "test", NULL, "INSERT", true));
    assert_err(ob_privileges_change(f->s, OB_GRANT, bad, 1, &everywhere, user, &f->e), &f->e, ERR_INVALID);
    assert_err(ob_privileges_change(f->s, OB_GRANT, bad + 1, 1, &everywhere, user, &f->e), &f->e, ERR_INVALID);
}

static void changes_object_privileges(struct fixture *f, const char *user)
{
    static const char *const select[] = { "SELECT" };

    assert_ok(sql_run(f->s, "CREATE TABLE IF NOT EXISTS test.probe (a INT)", NULL, 0, 0, &f->arena, NULL, &f->e), &f->e);
    assert_ok(ob_privileges_change(f->s, OB_GRANT, select, 1, &on_probe, user, &f->e), &f->e);
    assert_true(has_privilege(f, user, "test", "probe", "SELECT", true));
    assert_ok(ob_privileges_change(f->s, OB_REVOKE, select, 1, &on_probe, user, &f->e), &f->e);
    assert_false(has_privilege(f, user, "test", "probe", "SELECT", true));
}

static void changes_routine_privileges(struct fixture *f, const char *user)
{
    static const char *const both[] = { "EXECUTE", "ALTER ROUTINE" };

    assert_ok(sql_run(f->s, "CREATE PROCEDURE test.probe_routine() BEGIN SELECT 1; END", NULL, 0, 0, &f->arena, NULL, &f->e), &f->e);
    assert_ok(ob_privileges_change(f->s, OB_GRANT, both, 2, &on_routine, user, &f->e), &f->e);
    assert_true(has_privilege(f, user, "test", "probe_routine", "EXECUTE", true));
    assert_true(has_privilege(f, user, "test", "probe_routine", "ALTER ROUTINE", false));
    assert_ok(ob_privileges_change(f->s, OB_REVOKE, both, 1, &on_routine, user, &f->e), &f->e);
    assert_false(has_privilege(f, user, "test", "probe_routine", "EXECUTE", true));
    assert_ok(sql_run(f->s, "DROP PROCEDURE test.probe_routine", NULL, 0, 0, &f->arena, NULL, &f->e), &f->e);
}

/* The right to pass privileges on is a privilege of its own, also where it stands alone. */
static void tells_grant_options(struct fixture *f, const char *user)
{
    static const char *const option[] = { "GRANT OPTION" };

    assert_ok(ob_privileges_change(f->s, OB_GRANT, option, 1, &everywhere, user, &f->e), &f->e);
    assert_ok(ob_privileges_change(f->s, OB_GRANT, option, 1, &in_test, user, &f->e), &f->e);
    assert_true(has_privilege(f, user, NULL, NULL, "GRANT OPTION", true));
    assert_true(has_privilege(f, user, "test", NULL, "GRANT OPTION", true));
    assert_ok(ob_privileges_change(f->s, OB_REVOKE, option, 1, &everywhere, user, &f->e), &f->e);
    assert_ok(ob_privileges_change(f->s, OB_REVOKE, option, 1, &in_test, user, &f->e), &f->e);
    assert_false(has_privilege(f, user, NULL, NULL, "GRANT OPTION", false));
    assert_false(has_privilege(f, user, "test", NULL, "GRANT OPTION", false));
}

/* The account of the same name at another host has its own privileges. */
static void tells_hosts_apart(struct fixture *f, const char *user)
{
    struct ob_privilege *list;
    size_t n;

    assert_ok(sql_run(f->s, "CREATE USER 'probe_user'@'10.%' IDENTIFIED BY 'x'", NULL, 0, 0, &f->arena, NULL, &f->e), &f->e);
    assert_ok(sql_run(f->s, "GRANT FILE ON *.* TO 'probe_user'@'10.%'", NULL, 0, 0, &f->arena, NULL, &f->e), &f->e);
    assert_false(has_privilege(f, user, NULL, NULL, "FILE", true));
    assert_ok(ob_privileges_list(f->s, NULL, &f->arena, &list, &n, &f->e), &f->e);
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].user, user) == 0)
            assert_string_equal(list[i].host, strcmp(list[i].privilege, "FILE") == 0 ? "10.%" : "%");
    assert_ok(sql_run(f->s, "DROP USER 'probe_user'@'10.%'", NULL, 0, 0, &f->arena, NULL, &f->e), &f->e);
}

/* A login that may see the views and nothing else: what it may not know is left out. */
static void serves_lesser_logins(struct fixture *f)
{
    static const char *const select[] = { "SELECT" };
    struct sql_target lesser = target;
    struct ob_user *users;
    struct ob_probe p;
    struct sql *s;
    size_t n;

    assert_ok(ob_user_create(f->s, "watcher", "Watch-1", &f->e), &f->e);
    assert_ok(ob_privileges_change(f->s, OB_GRANT, select, 1, &in_oceanbase, "watcher", &f->e), &f->e);
    lesser.user = "watcher";
    lesser.password = "Watch-1";
    assert_ok(sql_connect(&lesser, pool, &s, &f->e), &f->e);
    assert_ok(ob_probe(s, &f->arena, &p, &f->e), &f->e);
    assert_ok(ob_users_list(s, &f->arena, &users, &n, &f->e), &f->e);
    assert_true(n >= 2);
    assert_int_not_equal(ob_parameter_set(s, "open_cursors", "70", &f->e), 0);
    assert_true(err_is(&f->e, &ERR_SQL_DENIED));
    sql_close(s);
    assert_ok(ob_user_drop(f->s, "watcher", &f->e), &f->e);
}

static void keeps_users(struct fixture *f)
{
    static const char *const roles[] = { "probe_role" };
    struct ob_role_edge *edges;
    struct ob_user one;
    bool found;
    size_t n;

    assert_ok(ob_user_create(f->s, "o'hara", "p'w\\d?", &f->e), &f->e);
    assert_false(find_user(f, "o'hara")->is_role);
    assert_true(find_user(f, "o'hara")->created_us > 1600000000000000);
    assert_ok(ob_user_set_locked(f->s, "o'hara", true, &f->e), &f->e);
    assert_true(find_user(f, "o'hara")->is_locked);
    assert_ok(ob_user_set_locked(f->s, "o'hara", false, &f->e), &f->e);
    assert_ok(ob_user_set_password(f->s, "o'hara", "other", &f->e), &f->e);
    assert_ok(ob_user_drop(f->s, "o'hara", &f->e), &f->e);
    assert_null(find_user(f, "o'hara"));
    assert_ok(ob_user_create(f->s, "probe_user", "x", &f->e), &f->e);
    changes_privileges(f, "probe_user");
    tells_hosts_apart(f, "probe_user");
    changes_object_privileges(f, "probe_user");
    changes_routine_privileges(f, "probe_user");
    tells_grant_options(f, "probe_user");
    assert_ok(ob_role_create(f->s, "probe_role", &f->e), &f->e);
    assert_true(find_user(f, "probe_role")->is_role);
    assert_ok(ob_user_get(f->s, "probe_role", &f->arena, &one, &found, &f->e), &f->e);
    assert_true(found && one.is_role && one.modified_us >= one.created_us && one.created_us > 1600000000000000);
    assert_ok(ob_user_get(f->s, "nobody", &f->arena, &one, &found, &f->e), &f->e);
    assert_false(found);
    assert_ok(ob_roles_change(f->s, OB_GRANT, roles, 1, "probe_user", &f->e), &f->e);
    assert_ok(ob_role_edges_list(f->s, &f->arena, &edges, &n, &f->e), &f->e);
    assert_true(n >= 1);
    assert_ok(ob_user_set_default_roles(f->s, "probe_user", &f->e), &f->e);
    assert_ok(ob_roles_change(f->s, OB_REVOKE, roles, 1, "probe_user", &f->e), &f->e);
    assert_ok(ob_role_drop(f->s, "probe_role", &f->e), &f->e);
    assert_ok(ob_user_drop(f->s, "probe_user", &f->e), &f->e);
}

/* This session itself is seen while it runs a statement of 200 KB. */
static void shows_long_statements_cut(struct fixture *f)
{
    const char *text = arena_printf(&f->arena, "SELECT LENGTH(info), '%0*d' FROM oceanbase.V$OB_PROCESSLIST WHERE id = %llu", 200000, 0,
                                    (unsigned long long)sql_connection_id(f->s));
    struct ob_session *list;
    struct sql_rows rows;
    int64_t length;
    size_t n;

    assert_ok(sql_run(f->s, text, NULL, 0, 0, &f->arena, &rows, &f->e), &f->e);
    assert_true(sql_i64(&rows, 0, 0, &length));
    assert_true(length > OB_SESSION_INFO_MAX);
    assert_ok(ob_sessions_list(f->s, NULL, &f->arena, &list, &n, &f->e), &f->e);
    for (size_t i = 0; i < n; i++) {
        assert_true(list[i].info == NULL || strlen(list[i].info) <= OB_SESSION_INFO_MAX);
        if (list[i].id == (int64_t)sql_connection_id(f->s))
            assert_null(list[i].db);
    }
}

static void ends_sessions(struct fixture *f)
{
    struct ob_session *list;
    struct sql *victim;
    bool seen = false;
    size_t n;

    shows_long_statements_cut(f);
    assert_ok(sql_connect(&target, pool, &victim, &f->e), &f->e);
    assert_ok(ob_sessions_list(f->s, NULL, &f->arena, &list, &n, &f->e), &f->e);
    for (size_t i = 0; i < n; i++)
        seen = seen || list[i].id == (int64_t)sql_connection_id(victim);
    assert_true(seen);
    assert_ok(ob_session_kill(f->s, (int64_t)sql_connection_id(victim), false, &f->e), &f->e);
    assert_int_not_equal(sql_run(victim, "SELECT 1", NULL, 0, 0, &f->arena, NULL, &f->e), 0);
    assert_err(ob_session_kill(f->s, 99999999, true, &f->e), &f->e, ERR_OB_SESSION_UNKNOWN);
    sql_close(victim);
}

static void starts_a_compaction(struct fixture *f)
{
    struct ob_compaction *c;
    size_t n;

    assert_ok(ob_compactions_list(f->s, -1, &f->arena, &c, &n, &f->e), &f->e);
    assert_true(n == 1 && c->tenant_id == 1);
    assert_true(strcmp(c->status, "IDLE") == 0 || strcmp(c->status, "COMPACTING") == 0 || strcmp(c->status, "VERIFYING") == 0);
    assert_false(c->is_error);
    assert_ok(ob_compaction_order(f->s, OB_COMPACTION_SUSPEND, &f->e), &f->e);
    assert_ok(ob_compactions_list(f->s, 1, &f->arena, &c, &n, &f->e), &f->e);
    assert_true(c->is_suspended);
    assert_ok(ob_compaction_order(f->s, OB_COMPACTION_RESUME, &f->e), &f->e);
    assert_ok(ob_compactions_list(f->s, 1, &f->arena, &c, &n, &f->e), &f->e);
    assert_false(c->is_suspended);
    assert_ok(ob_compaction_order(f->s, OB_COMPACTION_CLEAR_ERROR, &f->e), &f->e);
    assert_ok(ob_compaction_start(f->s, NULL, &f->e), &f->e);
}

#define TEST(NAME)                       \
    static void test_##NAME(void **state) \
    {                                    \
        (void)state;                     \
        run(NAME);                       \
    }
TEST(says_who_it_is)
TEST(shows_its_server)
TEST(lists_and_sets_parameters)
TEST(understands_ranges)
TEST(keeps_variables)
TEST(serves_lesser_logins)
TEST(makes_and_drops_databases)
TEST(keeps_users)
TEST(ends_sessions)
TEST(starts_a_compaction)

/* Prints what ob_probe says of a server that is none: obprobe HOST:PORT USER PASSWORD DATABASE. */
static void prints_refusal(struct fixture *f)
{
    struct ob_probe p;
    char text[1024];

    if (ob_probe(f->s, &f->arena, &p, &f->e) != 0)
        print_message("%s: %s\n", f->e.row->symbol, err_log_text(&f->e, text, sizeof text));
    else
        print_message("accepted as %s\n", p.version);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_says_who_it_is),          cmocka_unit_test(test_shows_its_server),
        cmocka_unit_test(test_lists_and_sets_parameters), cmocka_unit_test(test_makes_and_drops_databases),
        cmocka_unit_test(test_keeps_users),             cmocka_unit_test(test_ends_sessions),
        cmocka_unit_test(test_starts_a_compaction),     cmocka_unit_test(test_understands_ranges),
        cmocka_unit_test(test_keeps_variables),         cmocka_unit_test(test_serves_lesser_logins),
    };
    struct work_conf conf = { "connect", 2, 10 };
    char *port = argc > 1 ? strchr(argv[1], ':') : NULL;
    struct err e;
    int rv;

    if (port == NULL)
        return 2;
    *port = '\0';
    target = (struct sql_target){ .host = argv[1], .port = (unsigned)atoi(port + 1), .user = argc > 2 ? argv[2] : "root",
                                  .password = argc > 3 ? argv[3] : NULL };
    if (work_pool_new(&conf, &pool, &e) != 0)
        return 2;
    if (argc > 4) {
        target.database = argv[4];
        run(prints_refusal);
        rv = 0;
    } else {
        rv = cmocka_run_group_tests(tests, NULL, NULL);
    }
    work_pool_free(pool);
    return rv;
}
