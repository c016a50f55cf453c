/* SPDX-License-Identifier: Apache-2.0 */
/* mariadb.h - a private MariaDB for unit tests: own data folder below /tmp, loopback port and Unix socket; it dies
 * with the test. OCP_TEST_SQL=host:port:user:password uses a running server instead; tests that stop or kill it skip
 * then (pid 0). */
#ifndef TESTS_LIB_MARIADB_H
#define TESTS_LIB_MARIADB_H

#include <stdbool.h>
#include <sys/types.h>

struct test_mariadb {
    pid_t pid;               /* 0: not ours */
    char dir[64];
    char socket[96];         /* "" when the server is not ours */
    char host[64];
    unsigned port;
    char user[64], password[64];
};

/* Starts it and waits until it listens. False when no mariadbd is installed; ends the program when one does not
 * start. */
bool test_mariadb_start(struct test_mariadb *m);
/* Kills it and removes its folder. */
void test_mariadb_stop(struct test_mariadb *m);
/* Stops a process with SIGSTOP and returns when all of its threads stand still: the signal alone comes later. */
void test_pause(pid_t pid);

#endif
