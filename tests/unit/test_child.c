/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/io/child.h"

#define SH(SCRIPT) (const char *const[]){ "/bin/sh", "-c", (SCRIPT), NULL }

static const char *const plain_env[] = { "PATH=/usr/bin:/bin", "COLOUR=blue", NULL };

static struct child_conf conf_of(const char *const *argv)
{
    return (struct child_conf){ .argv = argv, .env = plain_env, .capture_bytes = 4096 };
}

static void runs(const struct child_conf *conf, struct arena *arena, struct child_result *r)
{
    struct err e;

    assert_ok(child_run(conf, arena, r, &e), &e);
}

static void collects(void *data)
{
    struct child_conf conf = conf_of(SH("echo one; echo two >&2; exit 3"));
    struct child_result r;
    struct arena a;
    char text[64];

    (void)data;
    arena_init(&a);
    runs(&conf, &a, &r);
    assert_string_equal(r.out.s, "one\n");
    assert_string_equal(r.err.s, "two\n");
    assert_int_equal(r.status.code, 3);
    assert_string_equal(child_status_text(&r.status, text, sizeof text), "exit status 3");
    arena_fini(&a);
}

static void sees_only_what_it_was_given(void *data)
{
    struct child_conf conf = conf_of((const char *const[]){ "/usr/bin/env", NULL });
    struct child_result r;
    struct arena a;

    (void)data;
    arena_init(&a);
    runs(&conf, &a, &r);
    assert_string_equal(r.out.s, "PATH=/usr/bin:/bin\nCOLOUR=blue\n");
    conf.env = NULL;
    runs(&conf, &a, &r);
    assert_string_equal(r.out.s, "");
    conf = conf_of(SH("pwd; cat; ls /proc/self/fd | wc -l"));
    conf.cwd = "/usr";
    conf.input = SLICE("from stdin\n");
    runs(&conf, &a, &r);
    assert_string_equal(r.out.s, "/usr\nfrom stdin\n4\n"); /* ls has 0, 1, 2 and the folder open */
    arena_fini(&a);
}

static void has_its_own_session(void *data)
{
    struct child_conf conf = conf_of(/* the shell reads with its own commands: while it starts another it blocks signals for a moment */
                                     SH("cut -d' ' -f1,6 /proc/$$/stat; while read -r k v; do case $k in SigBlk:|SigIgn:) echo $k $v;; esac; done </proc/$$/status"));
    struct child_result r;
    struct arena a;
    long pid, sid;
    unsigned long long blocked, ignored;

    (void)data;
    arena_init(&a);
    runs(&conf, &a, &r);
    assert_int_equal(sscanf(r.out.s, "%ld %ld SigBlk: %llx SigIgn: %llx", &pid, &sid, &blocked, &ignored), 4);
    assert_int_equal(pid, sid);
    assert_int_equal(blocked, 0);
    assert_int_equal(ignored & ~(3ULL << 31), 0); /* 32 and 33 belong to libc, which ignores them in what posix_spawn starts */
    arena_fini(&a);
}

static void fails_to_start(const struct child_conf *conf, int number, const char *part)
{
    struct child *c;
    struct err e;
    char text[512];

    assert_err(child_start(conf, &c, &e), &e, ERR_IO);
    assert_int_equal(e.lib_code, number);
    assert_non_null(strstr(err_log_text(&e, text, sizeof text), part));
}

static void says_why_it_does_not_start(void *data)
{
    struct child_conf conf = conf_of((const char *const[]){ "/no/such/program", NULL });

    (void)data;
    fails_to_start(&conf, ENOENT, "start /no/such/program: execute: No such file");
    conf = conf_of(SH("true"));
    conf.cwd = "/no/such/folder";
    fails_to_start(&conf, ENOENT, "enter its folder");
    conf = conf_of((const char *const[]){ "/etc/passwd", NULL });
    fails_to_start(&conf, EACCES, "execute: Permission denied");
}

static void output_is_bounded(void *data)
{
    struct child_conf conf = conf_of(SH("head -c 300000 /dev/zero | tr '\\0' x; echo end >&2"));
    struct child_result r;
    struct arena a;

    (void)data;
    arena_init(&a);
    conf.capture_bytes = 10000;
    runs(&conf, &a, &r);
    assert_int_equal(r.out.n, 10000);
    assert_true(r.out_cut);
    assert_string_equal(r.err.s, "end\n");
    assert_false(r.err_cut);
    conf.capture_bytes = 300000;
    runs(&conf, &a, &r);
    assert_int_equal(r.out.n, 300000);
    assert_false(r.out_cut);
    conf.capture_bytes = 0;
    runs(&conf, &a, &r);
    assert_int_equal(r.out.n, 0);
    arena_fini(&a);
}

struct lines {
    char text[64];
    unsigned n, n_err;
    size_t longest;
};

static void on_line(void *data, enum child_stream stream, struct slice line)
{
    struct lines *l = data;

    l->n++;
    l->n_err += stream == CHILD_ERR;
    l->longest = line.n > l->longest ? line.n : l->longest;
    if (line.n < 16 && strlen(l->text) < 40)
        (void)snprintf(l->text + strlen(l->text), 20, "%.*s|", SLICE_FMT(line));
}

static void passes_lines(void *data)
{
    struct child_conf conf = conf_of(SH("printf 'a\\n\\nb'; sleep 0; printf 'c\\n'; printf last; echo bad >&2"));
    struct lines l = { .n = 0 };
    struct child_result r;
    struct arena a;

    (void)data;
    arena_init(&a);
    conf.on_line = on_line;
    conf.data = &l;
    runs(&conf, &a, &r);
    assert_int_equal(l.n, 5);
    assert_int_equal(l.n_err, 1);
    assert_non_null(strstr(l.text, "a||bc|"));
    assert_non_null(strstr(l.text, "last|"));
    conf.argv = SH("head -c 20000 /dev/zero | tr '\\0' x; echo; echo next");
    l = (struct lines){ .n = 0 };
    runs(&conf, &a, &r);
    assert_int_equal(l.n, 2);
    assert_int_equal(l.longest, CHILD_LINE_MAX);
    assert_string_equal(l.text, "next|");
    arena_fini(&a);
}

static void is_killed(void *data)
{
    struct child_conf conf = conf_of(SH("trap 'exit 7' TERM; echo ready; while :; do sleep 60 & wait $!; done"));
    struct lines l = { .n = 0 };
    struct child_status status;
    struct child *c;
    struct err e;
    int64_t former;

    (void)data;
    conf.on_line = on_line;
    conf.data = &l;
    assert_ok(child_start(&conf, &c, &e), &e);
    while (l.n == 0)
        assert_ok(fiber_sleep(1, &e), &e);
    former = fiber_narrow_deadline(20);
    assert_err(child_wait(c, NULL, &e), &e, ERR_TIMEOUT);
    fiber_restore_deadline(former);
    assert_true(child_is_running(c));
    assert_int_equal(kill(child_pid(c), 0), 0);
    child_kill(c, SIGTERM);
    assert_ok(child_wait(c, &status, &e), &e);
    assert_int_equal(status.code, 7);
    assert_false(child_is_running(c));
    child_kill(c, SIGKILL);
    child_free(c);
}

static void ends_with_its_deadline(void *data)
{
    struct child_conf conf = conf_of(SH("sleep 60 & echo $!; sleep 60"));
    int64_t former = fiber_narrow_deadline(50);
    struct child_result r;
    struct arena a;
    struct err e;

    (void)data;
    arena_init(&a);
    assert_err(child_run(&conf, &a, &r, &e), &e, ERR_TIMEOUT);
    fiber_restore_deadline(former);
    arena_fini(&a);
}

/* A daemon that keeps the streams open does not delay the end of the one that started it. */
static void grandchild_is_not_waited_for(void *data)
{
    struct child_conf conf = conf_of(SH("(sleep 60; echo late) & echo $!"));
    struct child_result r;
    struct arena a;
    int64_t before = clock_now_ms(&clock_system);

    (void)data;
    arena_init(&a);
    runs(&conf, &a, &r);
    assert_true(clock_now_ms(&clock_system) - before < 10000);
    assert_int_equal(kill(atoi(r.out.s), SIGKILL), 0);
    arena_fini(&a);
}

static void becomes_another_user(void *data)
{
    struct child_conf conf = conf_of(SH("id -u; id -g; id -G"));
    struct child_result r;
    struct arena a;

    (void)data;
    arena_init(&a);
    conf.set_user = true;
    conf.uid = conf.gid = 65534;
    runs(&conf, &a, &r);
    assert_string_equal(r.out.s, "65534\n65534\n65534\n");
    arena_fini(&a);
}

static void user_is_refused(void *data)
{
    struct child_conf conf = conf_of(SH("true"));

    (void)data;
    conf.set_user = true;
    conf.uid = getuid() + 1;
    conf.gid = getgid();
    fails_to_start(&conf, EPERM, "change user");
}

static void user_changes_or_is_refused(void *data)
{
    if (geteuid() == 0)
        becomes_another_user(data);
    else
        user_is_refused(data);
}

static void many_at_once(void *data)
{
    struct child_conf conf = conf_of(SH("cat; exit 5"));
    struct child *c[20];
    struct child_status status;
    struct err e;

    (void)data;
    conf.input = SLICE("x");
    for (int i = 0; i < 20; i++)
        assert_ok(child_start(&conf, &c[i], &e), &e);
    for (int i = 0; i < 20; i++) {
        assert_ok(child_wait(c[i], &status, &e), &e);
        assert_int_equal(status.code, 5);
        assert_string_equal(child_output(c[i], CHILD_OUT).s, "x");
        child_free(c[i]);
    }
}

static unsigned count_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    assert_non_null(d);
    while (readdir(d) != NULL)
        n++;
    (void)closedir(d);
    return n;
}

/* Runs `fn` on a loop; afterwards no process and no file is left. */
static void in_fiber(void (*fn)(void *data))
{
    unsigned before = count_fds();

    test_in_fiber(fn, NULL);
    assert_int_equal(count_fds(), before);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

#define IN_FIBER(NAME)                     \
    static void test_##NAME(void **state)  \
    {                                      \
        (void)state;                       \
        in_fiber(NAME);                    \
    }
IN_FIBER(collects)
IN_FIBER(sees_only_what_it_was_given)
IN_FIBER(has_its_own_session)
IN_FIBER(says_why_it_does_not_start)
IN_FIBER(output_is_bounded)
IN_FIBER(passes_lines)
IN_FIBER(is_killed)
IN_FIBER(ends_with_its_deadline)
IN_FIBER(grandchild_is_not_waited_for)
IN_FIBER(user_changes_or_is_refused)
IN_FIBER(many_at_once)

struct sweep {
    int rv;
    bool ran;
};

static void start_and_wait(void *data)
{
    struct child_conf conf = conf_of(SH("echo text"));
    struct sweep *s = data;
    struct child_result r;
    struct arena a;
    struct err e;

    arena_init(&a);
    s->rv = child_run(&conf, &a, &r, &e);
    s->ran = true;
    arena_fini(&a);
}

static int run_one(void *data)
{
    struct loop_conf conf = { "test", &clock_system, &test_log, 10, LOOP_STACK_BYTES };
    struct sweep s = { .ran = false };
    struct loop *l;
    struct err e = { 0 };
    int rv = loop_new(&conf, &l, &e);

    (void)data;
    if (rv != 0)
        return rv;
    rv = fiber_start(l, "test", start_and_wait, &s, NULL, &e);
    loop_stop(l);
    if (rv == 0) {
        loop_run(l);
        assert_true(s.ran);
        rv = s.rv == ERR_CANCELLED.code ? 0 : s.rv;
    }
    loop_free(l);
    return rv;
}

static void test_survives_lack_of_memory(void **state)
{
    (void)state;
    test_oom_sweep(run_one, NULL);
}

static void lives_until_killed(void *data)
{
    struct child_conf conf = conf_of((const char *const[]){ "/bin/sleep", "60", NULL });
    int report = *(int *)data;
    struct child *c;
    struct err e;
    pid_t pid;

    conf.death_signal = SIGKILL;
    assert_ok(child_start(&conf, &c, &e), &e);
    pid = child_pid(c);
    assert_int_equal(write(report, &pid, sizeof pid), sizeof pid);
    assert_ok(child_wait(c, NULL, &e), &e);
}

static void test_dies_with_us_if_asked(void **state)
{
    int report[2];
    pid_t server, pid;

    (void)state;
    assert_int_equal(pipe(report), 0);
    server = fork();
    if (server == 0) {
        test_in_fiber(lives_until_killed, &report[1]);
        _exit(0);
    }
    (void)close(report[1]);
    assert_int_equal(read(report[0], &pid, sizeof pid), sizeof pid);
    (void)close(report[0]);
    assert_false(test_is_gone(pid));
    assert_int_equal(kill(server, SIGKILL), 0);
    assert_int_equal(waitpid(server, NULL, 0), server);
    for (int i = 0; !test_is_gone(pid); i++) {
        assert_true(i < 2000);
        (void)usleep(5000);
    }
}

/* libuv opens files of its own with the first loop of a process and keeps them. */
static int warm_up(void **state)
{
    (void)state;
    return run_one(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_collects),
        cmocka_unit_test(test_sees_only_what_it_was_given),
        cmocka_unit_test(test_has_its_own_session),
        cmocka_unit_test(test_says_why_it_does_not_start),
        cmocka_unit_test(test_output_is_bounded),
        cmocka_unit_test(test_passes_lines),
        cmocka_unit_test(test_is_killed),
        cmocka_unit_test(test_ends_with_its_deadline),
        cmocka_unit_test(test_grandchild_is_not_waited_for),
        cmocka_unit_test(test_user_changes_or_is_refused),
        cmocka_unit_test(test_many_at_once),
        cmocka_unit_test(test_survives_lack_of_memory),
        cmocka_unit_test(test_dies_with_us_if_asked),
    };

    return cmocka_run_group_tests(tests, warm_up, NULL);
}
