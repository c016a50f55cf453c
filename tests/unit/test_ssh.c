/* SPDX-License-Identifier: Apache-2.0 */
/* What needs no SSH server; logins at a real one are in tests/e2e/test_password_box.py. */
#include "src/io/ssh.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/test.h"

static void test_commands_are_quoted(void **state)
{
    static const char *const argv[] = { "echo", "it's", "a b", "$(id)", "", NULL };
    struct str t;

    (void)state;
    str_init(&t, NULL);
    ssh_add_command(&t, argv);
    assert_string_equal(str_c(&t), "'echo' 'it'\\''s' 'a b' '$(id)' ''");
    str_fini(&t);
}

static struct work_pool *new_pool(void)
{
    const struct work_conf conf = { "test", 1, 4 };
    struct work_pool *pool;
    struct err e = { 0 };

    assert_ok(work_pool_new(&conf, &pool, &e), &e);
    return pool;
}

static void test_nonsense_is_no_key(void **state)
{
    static const char *const texts[] = { "", "x", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n", "ssh-rsa AAAA",
                                         "Passphrase: x\n", "-----BEGIN OPENSSH PRIVATE KEY-----" };
    struct work_pool *pool = new_pool();
    struct err e = { 0 };
    char *out;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_err(ssh_key_check(pool, texts[i], NULL, &out, &e), &e, ERR_SSH_KEY);
        assert_err(ssh_key_check(pool, texts[i], "secret", &out, &e), &e, ERR_SSH_KEY);
        assert_null(out);
    }
    assert_err(ssh_key_check(pool, "x", "two\nlines", &out, &e), &e, ERR_SSH_KEY);
    work_pool_free(pool);
}

/* A port that nobody listens on, for as long as the socket lives. */
static int dead_port(unsigned *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&a, n) == 0 && getsockname(fd, (struct sockaddr *)&a, &n) == 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static void test_nobody_there(void **state)
{
    struct ssh_login login = { .host = "127.0.0.1", .user = "admin", .password = "secret" };
    struct work_pool *pool = new_pool();
    char fingerprint[SSH_FINGERPRINT_SIZE], text[512];
    struct ssh_client *client = NULL;
    struct err e = { 0 };
    int fd = dead_port(&login.port);

    (void)state;
    assert_err(ssh_client_open(pool, &login, &client, fingerprint, &e), &e, ERR_SSH_AWAY);
    assert_non_null(strstr(err_text(&e, ERR_EN, text, sizeof text), "Connection refused"));
    assert_string_equal(fingerprint, "");
    login.host = "no such name";
    assert_err(ssh_client_open(pool, &login, &client, fingerprint, &e), &e, ERR_SSH_AWAY);
    assert_null(client);
    close(fd);
    work_pool_free(pool);
}

/* ---- hosts that say nothing -------------------------------------------------------------------------------------------- */

/* A port of 127.0.0.1 at which no connection comes about: one that nobody accepts takes all the room that there is. */
static int silent_port(unsigned *port, int *one)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t n = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    *one = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0 && bind(fd, (struct sockaddr *)&a, n) == 0 && getsockname(fd, (struct sockaddr *)&a, &n) == 0 && listen(fd, 0) == 0);
    assert_true(*one >= 0 && connect(*one, (struct sockaddr *)&a, n) == 0);
    *port = ntohs(a.sin_port);
    return fd;
}

struct caller {
    struct work_pool *pool;
    struct ssh_login login;
    int rv;                     /* -1: it waits */
};

static void call_silent(void *data)
{
    struct caller *c = data;
    char fingerprint[SSH_FINGERPRINT_SIZE];
    struct ssh_client *client = NULL;
    struct err e = { 0 };

    c->rv = ssh_client_open(c->pool, &c->login, &client, fingerprint, &e);
}

/* The pool has one thread, which the silent host does not get. */
static void call_both(void *data)
{
    struct caller silent = { data, { .host = "127.0.0.1", .user = "admin", .password = "secret" }, -1 }, dead = silent, ordinary = silent;
    int one, fd = silent_port(&silent.login.port, &one), none = dead_port(&dead.login.port);
    struct err e = { 0 };
    struct fiber *first;

    assert_ok(fiber_start(fiber_loop(fiber_current()), "silent", call_silent, &silent, &first, &e), &e);
    ordinary.login.port = dead.login.port;
    ordinary.login.host = "localhost"; /* looked up by the thread */
    call_silent(&dead);
    assert_int_equal(dead.rv, ERR_SSH_AWAY.code);
    call_silent(&ordinary);
    assert_int_equal(ordinary.rv, ERR_SSH_AWAY.code);
    assert_int_equal(silent.rv, -1);
    fiber_cancel(first);
    while (silent.rv == -1)
        assert_ok(fiber_yield(&e), &e);
    assert_int_equal(silent.rv, ERR_CANCELLED.code);
    close(fd);
    close(one);
    close(none);
}

static void test_silence_keeps_no_thread(void **state)
{
    struct work_pool *pool = new_pool();

    (void)state;
    test_in_fiber(call_both, pool);
    work_pool_free(pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands_are_quoted),
        cmocka_unit_test(test_nonsense_is_no_key),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_silence_keeps_no_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
