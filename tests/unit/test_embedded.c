/* SPDX-License-Identifier: Apache-2.0 */
/* The embedded MetaDB with the installed MariaDB. One folder is initialised for all tests, each works on a copy of it. */
#include "tests/lib/test.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/io/child.h"
#include "src/store/embedded.h"

static char base[64], dir[96];
static const char *const databases[] = { "ocp_meta", "ocp_monitor", NULL };

static const char *account(void)
{
    return geteuid() == 0 ? "nobody" : NULL;
}

__attribute__((format(printf, 1, 2))) static int shell(const char *fmt, ...)
{
    char command[1024];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(command, sizeof command, fmt, ap);
    va_end(ap);
    return system(command);
}

struct fixture {
    struct embedded_conf conf;
    struct embedded *m;
    void (*fn)(struct fixture *f);
};

static void run_fixture(void *data)
{
    struct fixture *f = data;

    fiber_restore_deadline(loop_now_ms(loop_current()) + 120000);
    f->fn(f);
}

static void in_loop(void (*fn)(struct fixture *f))
{
    struct work_conf pool = { "connect", 2, 100 };
    struct fixture f = { .conf = { .dir = dir, .account = account(), .databases = databases, .log = &test_log, .buffer_pool_mb = 16,
                                   .stop_timeout_ms = 20000 },
                         .fn = fn };
    struct err e;

    assert_ok(work_pool_new(&pool, &f.conf.connect_pool, &e), &e);
    test_in_fiber(run_fixture, &f);
    work_pool_free(f.conf.connect_pool);
}

static void starts(struct fixture *f)
{
    struct err e;

    assert_ok(embedded_start(&f->conf, &f->m, &e), &e);
    assert_int_equal(embedded_state(f->m), EMBEDDED_RUNNING);
}

static void refuses(struct fixture *f, const struct err_row *row, const char *part)
{
    struct err e = { 0 };
    char text[1024];

    assert_int_equal(embedded_start(&f->conf, &f->m, &e), row->code);
    if (strstr(err_log_text(&e, text, sizeof text), part) == NULL)
        fail_msg("'%s' does not say '%s'", text, part);
}

static int try_sql(struct fixture *f, const char *text, int64_t *number)
{
    struct sql_target target = embedded_target(f->m, "ocp_meta");
    struct arena arena;
    struct sql_rows rows;
    struct sql *s;
    struct err e;
    int rv = sql_connect(&target, f->conf.connect_pool, &s, &e);

    if (rv != 0)
        return rv;
    arena_init(&arena);
    rv = sql_run(s, text, NULL, 0, SQL_COMMIT, &arena, &rows, &e);
    if (rv == 0 && number != NULL)
        assert_true(sql_i64(&rows, 0, 0, number));
    arena_fini(&arena);
    sql_close(s);
    return rv;
}

static int64_t sql(struct fixture *f, const char *text)
{
    int64_t number = -1;

    assert_int_equal(try_sql(f, text, strncmp(text, "SELECT", 6) == 0 ? &number : NULL), 0);
    return number;
}

static void pause_ms(int64_t ms)
{
    struct err e;

    assert_ok(fiber_sleep(ms, &e), &e);
}

static void is_private(struct fixture *f)
{
    struct stat st;
    char proc[64];
    pid_t pid;

    starts(f);
    pid = embedded_pid(f->m);
    assert_int_equal(sql(f, "SELECT @@skip_networking"), 1);
    assert_int_equal(sql(f, "SELECT @@innodb_flush_log_at_trx_commit"), 1);
    assert_int_equal(sql(f, "SELECT COUNT(*) FROM mysql.global_priv WHERE User = '' OR Host <> 'localhost'"), 0);
    assert_int_equal(sql(f, "SELECT COUNT(*) FROM mysql.proxies_priv"), 0);
    assert_int_equal(sql(f, "SELECT COUNT(*) FROM mysql.user WHERE plugin <> 'unix_socket' AND User <> 'mariadb.sys'"), 0);
    assert_int_equal(sql(f, "SELECT COUNT(*) FROM mysql.user WHERE plugin = 'unix_socket'"), geteuid() == 0 ? 2 : 1);
    assert_int_equal(sql(f, "SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name IN ('ocp_meta', 'ocp_monitor', 'test')"), 2);
    (void)snprintf(proc, sizeof proc, "/proc/%d", (int)pid);
    assert_int_equal(stat(proc, &st), 0);
    assert_int_not_equal(st.st_uid, 0);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_not_equal(shell("find %s -perm /077 ! -type s ! -name '*upgrade_info' | grep .", dir), 0);
    sql(f, "CREATE TABLE t (n INT PRIMARY KEY)");
    sql(f, "INSERT INTO t VALUES (7)");
    embedded_stop(f->m);
    assert_true(test_is_gone(pid));
    starts(f);
    assert_int_equal(sql(f, "SELECT n FROM t"), 7);
    embedded_stop(f->m);
}

static void comes_back_after_kill(struct fixture *f)
{
    pid_t pid;

    starts(f);
    sql(f, "CREATE TABLE t (n INT PRIMARY KEY)");
    for (int i = 1; i <= 3; i++) {
        char text[64];

        (void)snprintf(text, sizeof text, "INSERT INTO t VALUES (%d)", i);
        sql(f, text);
        pid = embedded_pid(f->m);
        assert_int_equal(kill(pid, SIGKILL), 0);
        while (embedded_n_restarts(f->m) < (unsigned)i || embedded_state(f->m) != EMBEDDED_RUNNING)
            pause_ms(5);
        assert_int_not_equal(embedded_pid(f->m), pid);
        assert_int_equal(sql(f, "SELECT COUNT(*) FROM t"), i);
    }
    embedded_stop(f->m);
}

static void one_that_does_not_end_is_killed(struct fixture *f)
{
    pid_t pid;

    f->conf.stop_timeout_ms = 300;
    starts(f);
    pid = embedded_pid(f->m);
    assert_int_equal(kill(pid, SIGSTOP), 0);
    embedded_stop(f->m);
    assert_true(test_is_gone(pid));
}

/* A process of its own that has an embedded MetaDB and writes: what it says through the pipe is acknowledged. */
static int acknowledged;

static void writes_until_killed(struct fixture *f)
{
    pid_t pid;

    starts(f);
    sql(f, "CREATE TABLE t (n INT PRIMARY KEY)");
    pid = embedded_pid(f->m);
    assert_int_equal(write(acknowledged, &pid, sizeof pid), sizeof pid);
    for (int i = 1;; i++) {
        char text[64];

        (void)snprintf(text, sizeof text, "INSERT INTO t VALUES (%d)", i);
        sql(f, text);
        assert_int_equal(write(acknowledged, &i, sizeof i), sizeof i);
    }
}

static pid_t fork_writer(int *from, pid_t *mariadbd)
{
    int ends[2];
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    if (pid == 0) {
        (void)close(ends[0]);
        acknowledged = ends[1];
        in_loop(writes_until_killed);
        _exit(0);
    }
    (void)close(ends[1]);
    *from = ends[0];
    assert_int_equal(read(ends[0], mariadbd, sizeof *mariadbd), sizeof *mariadbd);
    return pid;
}

static int last_acknowledged(int from, int wanted)
{
    int n = 0;

    while (n < wanted && read(from, &n, sizeof n) == sizeof n)
        continue;
    return n;
}

static void kill_and_reap(pid_t pid)
{
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static int n_expected;

static void has_what_was_acknowledged(struct fixture *f)
{
    int64_t n;

    starts(f);
    n = sql(f, "SELECT COUNT(*) FROM t");
    assert_in_range(n, (uintmax_t)n_expected, (uintmax_t)n_expected + 1); /* the one under way may have been written */
    embedded_stop(f->m);
}

static void kill_writer(bool both)
{
    pid_t mariadbd, writer;
    int from, n;

    writer = fork_writer(&from, &mariadbd);
    n_expected = last_acknowledged(from, 20);
    if (both)
        (void)kill(mariadbd, SIGKILL);
    kill_and_reap(writer);
    n = last_acknowledged(from, 1 << 30);
    n_expected = n > 0 ? n : n_expected;
    (void)close(from);
    assert_true(n_expected >= 20);
    in_loop(has_what_was_acknowledged);
    assert_true(test_is_gone(mariadbd));
}

static void test_data_survives_kill_of_both(void **state)
{
    (void)state;
    kill_writer(true);
}

static void test_mariadbd_ends_with_us(void **state)
{
    (void)state;
    kill_writer(false);
}

/* Starts a mariadbd on the data that nobody supervises. */
static struct child *stray(void)
{
    char datadir[128], socket[128], tmpdir[128];
    const char *const argv[] = { "/usr/sbin/mariadbd", "--no-defaults", datadir, socket, tmpdir, "--skip-networking", NULL };
    struct child_conf conf = { .argv = argv, .capture_bytes = 8192 };
    struct stat st;
    struct child *c;
    struct err e;

    assert_int_equal(stat(dir, &st), 0);
    (void)snprintf(datadir, sizeof datadir, "--datadir=%s/data", dir);
    (void)snprintf(tmpdir, sizeof tmpdir, "--tmpdir=%s/tmp", dir);
    (void)snprintf(socket, sizeof socket, "--socket=%s/stray", dir);
    conf.set_user = geteuid() == 0;
    conf.uid = st.st_uid;
    conf.gid = st.st_gid;
    assert_ok(child_start(&conf, &c, &e), &e);
    while (strstr(child_output(c, CHILD_ERR).s, "ready for connections") == NULL) { /* before that it may hang at SIGTERM */
        if (!child_is_running(c))
            fail_msg("mariadbd ended: %s", child_output(c, CHILD_ERR).s);
        pause_ms(20);
    }
    return c;
}

static void stray_server_is_ended(struct fixture *f)
{
    struct child *c = stray();
    struct child_status status;
    struct err e;

    starts(f);
    assert_ok(child_wait(c, &status, &e), &e);
    assert_int_equal(status.code, 0); /* a clean end */
    child_free(c);
    embedded_stop(f->m);
}

static void half_made_data_is_made_again(struct fixture *f)
{
    assert_int_equal(shell("cd %s && mv data data.new && rm -rf data.new/mysql && : >data.new/ibdata1", dir), 0);
    starts(f);
    assert_int_equal(sql(f, "SELECT COUNT(*) FROM mysql.plugin"), 0);
    assert_int_not_equal(shell("test -e %s/data.new", dir), 0);
    embedded_stop(f->m);
}

static void other_versions(struct fixture *f)
{
    assert_int_equal(shell("echo 99.1.2-MariaDB-later >%s/data/ocp_version", dir), 0);
    refuses(f, &ERR_EMBEDDED_SETUP, "written by MariaDB 99.1.2-MariaDB-later, installed is 1");
    assert_int_equal(shell("rm %s/data/ocp_version", dir), 0);
    refuses(f, &ERR_EMBEDDED_SETUP, "ocp_version is missing");
    assert_int_equal(shell("echo 10.6.1-MariaDB >%s/data/ocp_version; rm -f %s/data/*upgrade_info", dir, dir), 0);
    starts(f);
    assert_int_equal(shell("grep -q ^1[0-9][.].*MariaDB %s/data/ocp_version && ! grep -q 10.6.1 %s/data/ocp_version", dir, dir), 0);
    assert_int_equal(shell("ls %s/data/*upgrade_info >/dev/null", dir), 0);
    embedded_stop(f->m);
}

static void unfit_folders(struct fixture *f)
{
    struct embedded *other;
    struct err e;

    f->conf.dir = "relative";
    refuses(f, &ERR_EMBEDDED_SETUP, "must be absolute");
    f->conf.dir = "/tmp/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789";
    refuses(f, &ERR_EMBEDDED_SETUP, "choose a shorter one");
    f->conf.dir = "/no/such/folder";
    refuses(f, &ERR_EMBEDDED_SETUP, "No such file");
    f->conf.dir = dir;
    assert_int_equal(chmod(dir, 0755), 0);
    refuses(f, &ERR_EMBEDDED_SETUP, "chmod 0700");
    assert_int_equal(chmod(dir, 0700), 0);
    starts(f);
    assert_int_not_equal(embedded_start(&f->conf, &other, &e), 0);
    assert_non_null(strstr(e.arg[1], "another ocp-server"));
    embedded_stop(f->m);
}

static void accounts(struct fixture *f)
{
    if (geteuid() != 0)
        return;
    f->conf.account = "no-such-user";
    refuses(f, &ERR_EMBEDDED_SETUP, "no user no-such-user");
    f->conf.account = "root";
    refuses(f, &ERR_EMBEDDED_SETUP, "must not run as root");
    f->conf.account = "daemon";
    refuses(f, &ERR_EMBEDDED_SETUP, "not to daemon");
    f->conf.account = NULL; /* the owner of the folder */
    starts(f);
    embedded_stop(f->m);
    assert_int_equal(shell("chown root %s", dir), 0);
    refuses(f, &ERR_EMBEDDED_SETUP, "must not run as root");
}

static const char *script(const char *body)
{
    static char path[128];

    (void)snprintf(path, sizeof path, "%s/fake", base);
    assert_int_equal(shell("cat >%s <<'END'\n#!/bin/sh\ncase \"$*\" in *--version*) echo 'mariadbd  Ver 99.1.1-MariaDB for x'; exit;; esac\n%s\nEND\nchmod 755 %s",
                           path, body, path), 0);
    return path;
}

static void unfit_programs(struct fixture *f)
{
    int64_t former;

    f->conf.mariadbd = "/no/such/mariadbd";
    refuses(f, &ERR_EMBEDDED_SETUP, "install the package mariadb-server-core");
    f->conf.mariadbd = "/bin/echo";
    refuses(f, &ERR_EMBEDDED_SETUP, "is not MariaDB");
    f->conf.mariadbd = script("echo '2026-11-20 23:55:04 0 [ERROR] no disk' >&2; exit 1");
    refuses(f, &ERR_EMBEDDED_DOWN, "exit status 1): no disk");
    f->conf.mariadbd = script("trap '' TERM; while :; do sleep 1; done");
    f->conf.stop_timeout_ms = 100;
    former = fiber_narrow_deadline(500);
    refuses(f, &ERR_TIMEOUT, "");
    fiber_restore_deadline(former);
    f->conf.mariadbd = NULL;
    f->conf.install_db = "/bin/false";
    assert_int_equal(shell("rm -rf %s/data", dir), 0);
    refuses(f, &ERR_EMBEDDED_SETUP, "/bin/false: exit status 1");
}

static int fresh_copy(void **state)
{
    (void)state;
    return shell("rm -rf %s && cp -a %s/template %s", dir, base, dir);
}

#define IN_LOOP(NAME)                     \
    static void test_##NAME(void **state) \
    {                                     \
        (void)state;                      \
        in_loop(NAME);                    \
    }
IN_LOOP(is_private)
IN_LOOP(comes_back_after_kill)
IN_LOOP(one_that_does_not_end_is_killed)
IN_LOOP(stray_server_is_ended)
IN_LOOP(half_made_data_is_made_again)
IN_LOOP(other_versions)
IN_LOOP(unfit_folders)
IN_LOOP(accounts)
IN_LOOP(unfit_programs)

static void start_and_stop(struct fixture *f)
{
    starts(f);
    embedded_stop(f->m);
}

static int make_template(void **state)
{
    (void)state;
    (void)snprintf(base, sizeof base, "%s", "/tmp/ocp-embedded-XXXXXX");
    if (mkdtemp(base) == NULL || chmod(base, 0711) != 0)
        return -1;
    (void)snprintf(dir, sizeof dir, "%s/template", base);
    in_loop(start_and_stop);
    (void)snprintf(dir, sizeof dir, "%s/db", base);
    return 0;
}

static int remove_all(void **state)
{
    (void)state;
    return shell("rm -rf %s", base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_is_private, fresh_copy),
        cmocka_unit_test_setup(test_comes_back_after_kill, fresh_copy),
        cmocka_unit_test_setup(test_one_that_does_not_end_is_killed, fresh_copy),
        cmocka_unit_test_setup(test_data_survives_kill_of_both, fresh_copy),
        cmocka_unit_test_setup(test_mariadbd_ends_with_us, fresh_copy),
        cmocka_unit_test_setup(test_stray_server_is_ended, fresh_copy),
        cmocka_unit_test_setup(test_half_made_data_is_made_again, fresh_copy),
        cmocka_unit_test_setup(test_other_versions, fresh_copy),
        cmocka_unit_test_setup(test_unfit_folders, fresh_copy),
        cmocka_unit_test_setup(test_accounts, fresh_copy),
        cmocka_unit_test_setup(test_unfit_programs, fresh_copy),
    };

    if (access("/usr/sbin/mariadbd", X_OK) != 0) {
        print_message("%s\n", "/usr/sbin/mariadbd is missing (package mariadb-server-core): nothing tested");
        return 77;
    }
    return cmocka_run_group_tests(tests, make_template, remove_all);
}
