/* SPDX-License-Identifier: Apache-2.0 */
/* test.h - what unit tests share: cmocka with its headers in the right order, a loop to run fibers on, failing allocations. */
#ifndef TESTS_LIB_TEST_H
#define TESTS_LIB_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include <cmocka.h>

#include "src/base/clock.h"
#include "src/base/err.h"
#include "src/base/log.h"
#include "src/io/fiber.h"
#include "src/io/loop.h"

/* Loggers that write nowhere. */
extern const struct log test_log;

/* A loop on this thread. Runs fn(data) in a fiber, with a deadline of 20 s, until it and every fiber it started have ended,
 * then frees the loop. Failures of assertions inside end the test as usual. */
void test_in_fiber(void (*fn)(void *data), void *data);

/* Runs fn(data) once for each allocation it makes, with just that one failing, until a run needs no failure. fn must do its
 * whole work and clean up in each run, and return what its module returned (0 or an error code); a run in which an allocation
 * failed may still return 0 where the module has a way round it. Fails when it never ends. */
void test_oom_sweep(int (*fn)(void *data), void *data);

/* True when no such process runs, or only its exit status is left of it. */
bool test_is_gone(pid_t pid);

/* assert that rv is 0, and show the error if not. */
#define assert_ok(RV, E) test_assert_ok((RV), (E), #RV, __FILE__, __LINE__)
void test_assert_ok(int rv, const struct err *e, const char *what, const char *file, int line);
/* assert that rv is the code of ROW. */
#define assert_err(RV, E, ROW) assert_int_equal((RV), (ROW).code)

#endif
