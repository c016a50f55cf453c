/* SPDX-License-Identifier: Apache-2.0 */
/* crash.h - last words: on SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT one line on stderr says what happened, in which fiber,
 * and where (addresses), then the process dies of the same signal. A fiber that ran over its stack is called so. */
#ifndef IO_CRASH_H
#define IO_CRASH_H

/* Installs the handlers for the process; once, from main. */
void crash_install(void);
/* Gives this thread a signal stack of its own, without which an overflow would end it silently. */
void crash_thread_init(void);
void crash_thread_fini(void);

#endif
