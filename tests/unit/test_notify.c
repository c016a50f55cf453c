/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "src/io/notify.h"

/* The manager's end: a datagram socket bound to `name` ('@': abstract). */
static int bind_manager(const char *name)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    size_t len = strlen(name);
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    assert_true(fd >= 0);
    memcpy(un.sun_path, name, len);
    if (name[0] == '@')
        un.sun_path[0] = '\0';
    assert_int_equal(bind(fd, (struct sockaddr *)&un, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)), 0);
    return fd;
}

static const char *heard(int fd)
{
    static char text[600];
    ssize_t n = recv(fd, text, sizeof text - 1, MSG_DONTWAIT);

    assert_true(n >= 0);
    text[n] = '\0';
    return text;
}

static void check_life(const char *name)
{
    int fd = bind_manager(name);
    struct timespec now;
    struct notify n;
    struct err e;
    long long us;

    assert_ok(notify_init(&n, name, NULL, NULL, &e), &e);
    notify_ready(&n, "serving");
    assert_string_equal(heard(fd), "READY=1\nSTATUS=serving");
    notify_reloading(&n);
    assert_int_equal(sscanf(heard(fd), "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reloading", &us), 1);
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    assert_true(us > 0 && us <= now.tv_sec * 1000000LL + now.tv_nsec / 1000 && us > (now.tv_sec - 60) * 1000000LL);
    notify_status(&n, "leader");
    assert_string_equal(heard(fd), "STATUS=leader");
    notify_watchdog(&n);
    assert_string_equal(heard(fd), "WATCHDOG=1");
    notify_stopping(&n, "draining", 12500);
    assert_string_equal(heard(fd), "STOPPING=1\nEXTEND_TIMEOUT_USEC=12500000\nSTATUS=draining");
    (void)close(fd);
    notify_watchdog(&n); /* the manager is gone: nothing happens */
    notify_fini(&n);
}

static void test_manager_hears_each_message(void **state)
{
    char dir[] = "/tmp/ocp-notify-XXXXXX", name[64];

    (void)state;
    assert_non_null(mkdtemp(dir));
    (void)snprintf(name, sizeof name, "%s/socket", dir);
    check_life(name);
    assert_int_equal(unlink(name), 0);
    assert_int_equal(rmdir(dir), 0);
    (void)snprintf(name, sizeof name, "@ocp-notify-%d", (int)getpid());
    check_life(name);
}

static void test_full_queue_never_blocks(void **state)
{
    char name[64];
    struct notify n;
    struct err e;
    int fd;

    (void)state;
    (void)snprintf(name, sizeof name, "@ocp-notify-full-%d", (int)getpid());
    fd = bind_manager(name);
    assert_ok(notify_init(&n, name, NULL, NULL, &e), &e);
    for (int i = 0; i < 5000; i++) /* the kernel queues a few hundred at most */
        notify_watchdog(&n);
    assert_string_equal(heard(fd), "WATCHDOG=1");
    notify_fini(&n);
    (void)close(fd);
}

static void test_without_manager_nothing_happens(void **state)
{
    struct notify n;
    struct err e;

    (void)state;
    assert_ok(notify_init(&n, NULL, "1000000", NULL, &e), &e);
    assert_int_equal(n.fd, -1);
    assert_int_equal(n.watchdog_ms, 0);
    notify_ready(&n, "serving");
    notify_fini(&n);
}

static void test_watchdog_is_meant_for_one_process(void **state)
{
    char name[64], pid[32];
    struct notify n;
    struct err e;
    int fd;

    (void)state;
    (void)snprintf(name, sizeof name, "@ocp-notify-dog-%d", (int)getpid());
    (void)snprintf(pid, sizeof pid, "%d", (int)getpid());
    fd = bind_manager(name);
    assert_ok(notify_init(&n, name, "30000000", pid, &e), &e);
    assert_int_equal(n.watchdog_ms, 30000);
    notify_fini(&n);
    assert_ok(notify_init(&n, name, "30000000", "1", &e), &e);
    assert_int_equal(n.watchdog_ms, 0);
    notify_fini(&n);
    assert_err(notify_init(&n, name, "soon", NULL, &e), &e, ERR_INVALID);
    assert_int_equal(n.fd, -1);
    (void)close(fd);
}

static void test_wrong_sockets_are_refused(void **state)
{
    char longest[200];
    struct notify n;
    struct err e;

    (void)state;
    memset(longest, 'x', sizeof longest);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    assert_err(notify_init(&n, "vsock:2:1234", NULL, NULL, &e), &e, ERR_INVALID);
    assert_err(notify_init(&n, "@", NULL, NULL, &e), &e, ERR_INVALID);
    assert_err(notify_init(&n, longest, NULL, NULL, &e), &e, ERR_INVALID);
    assert_err(notify_init(&n, "/nonexistent/notify", NULL, NULL, &e), &e, ERR_IO);
    assert_int_equal(n.fd, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_manager_hears_each_message),
        cmocka_unit_test(test_full_queue_never_blocks),
        cmocka_unit_test(test_without_manager_nothing_happens),
        cmocka_unit_test(test_watchdog_is_meant_for_one_process),
        cmocka_unit_test(test_wrong_sockets_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
