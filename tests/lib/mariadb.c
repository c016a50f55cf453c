/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/mariadb.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void give_up(const struct test_mariadb *m, const char *what)
{
    (void)fprintf(stderr, "private MariaDB in %s: %s\n", m->dir, what);
    exit(1);
}

static bool has_program(const char *name)
{
    char command[128];

    (void)snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", name);
    return system(command) == 0;
}

static bool take_given(struct test_mariadb *m)
{
    const char *given = getenv("OCP_TEST_SQL");

    return given != NULL && sscanf(given, "%63[^:]:%u:%63[^:]:%63[^\n]", m->host, &m->port, m->user, m->password) >= 3;
}

static unsigned free_port(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    unsigned port = 0;

    if (bind(fd, (struct sockaddr *)&a, size) == 0 && getsockname(fd, (struct sockaddr *)&a, &size) == 0)
        port = ntohs(a.sin_port);
    (void)close(fd);
    return port;
}

static bool is_listening(unsigned port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool listening = connect(fd, (struct sockaddr *)&a, sizeof a) == 0;

    (void)close(fd);
    return listening;
}

static void install(struct test_mariadb *m)
{
    char command[512], path[96];
    FILE *f;

    (void)snprintf(command, sizeof command,
                   "mariadb-install-db --no-defaults --datadir=%s/data --tmpdir=%s --auth-root-authentication-method=normal --skip-test-db "
                   "--skip-name-resolve --force --innodb-log-file-size=8M >%s/log 2>&1",
                   m->dir, m->dir, m->dir);
    if (system(command) != 0)
        give_up(m, "mariadb-install-db failed, see the file log there");
    (void)snprintf(path, sizeof path, "%s/users.sql", m->dir);
    f = fopen(path, "w");
    if (f == NULL)
        give_up(m, "cannot write users.sql");
    for (int i = 0; i < 2; i++) {
        const char *host = i == 0 ? "127.0.0.1" : "localhost";

        (void)fprintf(f, "CREATE USER '%s'@'%s' IDENTIFIED BY '%s';\nGRANT ALL ON *.* TO '%s'@'%s';\n", m->user, host, m->password,
                      m->user, host);
    }
    (void)fprintf(f, "CREATE DATABASE t;\n");
    if (fclose(f) != 0)
        give_up(m, "cannot write users.sql");
}

static void run_server(const struct test_mariadb *m)
{
    char data[96], tmp[96], sock[128], pid[96], port[32], init[96], log[96];

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)snprintf(data, sizeof data, "--datadir=%s/data", m->dir);
    (void)snprintf(tmp, sizeof tmp, "--tmpdir=%s", m->dir); /* a MariaDB that starts removes others' temporary tables from a shared one */
    (void)snprintf(sock, sizeof sock, "--socket=%s", m->socket);
    (void)snprintf(pid, sizeof pid, "--pid-file=%s/pid", m->dir);
    (void)snprintf(port, sizeof port, "--port=%u", m->port);
    (void)snprintf(init, sizeof init, "--init-file=%s/users.sql", m->dir);
    (void)snprintf(log, sizeof log, "%s/log", m->dir);
    if (freopen(log, "a", stdout) != NULL)
        (void)dup2(STDOUT_FILENO, STDERR_FILENO);
    (void)execlp("mariadbd", "mariadbd", "--no-defaults", data, tmp, sock, pid, port, init, "--bind-address=127.0.0.1",
                 geteuid() == 0 ? "--user=root" : "--skip-symbolic-links", "--skip-name-resolve", "--skip-log-bin", "--performance-schema=OFF",
                 "--skip-ssl", "--max-allowed-packet=20M", "--innodb-buffer-pool-size=32M", "--innodb-log-file-size=8M",
                 "--innodb-flush-log-at-trx-commit=0", "--innodb-lock-wait-timeout=1", "--character-set-server=utf8mb4", (char *)NULL);
    _exit(127);
}

bool test_mariadb_start(struct test_mariadb *m)
{
    *m = (struct test_mariadb){ .host = "127.0.0.1", .user = "tester", .password = "s3cret'\\ \xc3\xa4" };
    if (take_given(m))
        return true;
    if (!has_program("mariadbd") || !has_program("mariadb-install-db"))
        return false;
    (void)snprintf(m->dir, sizeof m->dir, "/tmp/ocp-unit-XXXXXX");
    if (mkdtemp(m->dir) == NULL)
        give_up(m, "cannot make its folder");
    (void)snprintf(m->socket, sizeof m->socket, "%s/sock", m->dir);
    (void)snprintf(m->password, sizeof m->password, "%s", "s3cret #1");
    install(m);
    m->port = free_port();
    m->pid = fork();
    if (m->pid == 0)
        run_server(m);
    for (int i = 0; !is_listening(m->port); i++) {
        if (i >= 3000 || waitpid(m->pid, NULL, WNOHANG) != 0)
            give_up(m, "it does not listen, see the file log there");
        (void)usleep(10000);
    }
    return true;
}

void test_mariadb_stop(struct test_mariadb *m)
{
    char command[128];

    if (m->pid == 0)
        return;
    (void)kill(m->pid, SIGKILL);
    (void)waitpid(m->pid, NULL, 0);
    (void)snprintf(command, sizeof command, "rm -rf '%s'", m->dir);
    if (system(command) != 0)
        (void)fprintf(stderr, "cannot remove %s\n", m->dir);
}

void test_pause(pid_t pid)
{
    int status;

    if (kill(pid, SIGSTOP) != 0 || waitpid(pid, &status, WUNTRACED) != pid)
        abort();
}
