/* SPDX-License-Identifier: Apache-2.0 */
#include "src/io/crash.h"

#include <execinfo.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "src/io/sched.h"

enum { SIGNAL_STACK_BYTES = 64 * 1024, MAX_FRAMES = 48 };

static _Thread_local void *signal_stack;

static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };

static void say(const char *s)
{
    ssize_t n = write(STDERR_FILENO, s, strlen(s));

    (void)n; /* there is nobody left to tell */
}

static void on_crash(int number, siginfo_t *info, void *ucontext)
{
    struct fiber *f = fiber_current();
    void *frames[MAX_FRAMES];

    (void)ucontext;
    say("<2>level=error msg=\"ocp-server crashed\" signal=");
    say(sigabbrev_np(number) != NULL ? sigabbrev_np(number) : "?");
    if (f != NULL) {
        say(" fiber=\"");
        say(f->name);
        say("\"");
        if (number == SIGSEGV && stack_guards(&f->stack, info->si_addr))
            say(" reason=\"stack overflow: the fiber used more than its stack\"");
    }
    say("\n");
    backtrace_symbols_fd(frames, backtrace(frames, MAX_FRAMES), STDERR_FILENO);
    (void)signal(number, SIG_DFL);
    (void)raise(number);
}

void crash_install(void)
{
    struct sigaction sa = { .sa_sigaction = on_crash, .sa_flags = (int)(SA_SIGINFO | SA_ONSTACK | SA_RESETHAND) };
    void *warm[1];

    (void)backtrace(warm, 1); /* loads libgcc now: the handler must not allocate */
    (void)sigemptyset(&sa.sa_mask);
    for (unsigned i = 0; i < sizeof signals / sizeof signals[0]; i++)
        (void)sigaction(signals[i], &sa, NULL); /* fails only for signals that do not exist */
    crash_thread_init();
}

void crash_thread_init(void)
{
    stack_t ss = { .ss_size = SIGNAL_STACK_BYTES };

    if (signal_stack != NULL)
        return;
    signal_stack = mem_alloc(SIGNAL_STACK_BYTES);
    ss.ss_sp = signal_stack;
    if (signal_stack != NULL)
        (void)sigaltstack(&ss, NULL); /* without it a crash is still a crash */
}

void crash_thread_fini(void)
{
    stack_t ss = { .ss_flags = SS_DISABLE };

    if (signal_stack == NULL)
        return;
    (void)sigaltstack(&ss, NULL);
    mem_free(signal_stack);
    signal_stack = NULL;
}
