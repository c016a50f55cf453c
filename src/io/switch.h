/* SPDX-License-Identifier: Apache-2.0 */
/* switch.h - moves a thread from one stack to another: a few instructions on x86-64 and aarch64, ucontext elsewhere.
 * Tells AddressSanitizer, LeakSanitizer, ThreadSanitizer and valgrind about it. Used by fiber.c alone. */
#ifndef IO_SWITCH_H
#define IO_SWITCH_H

#include <stdbool.h>
#include <stddef.h>

#include "src/base/mem.h"

#if (!defined(__x86_64__) && !defined(__aarch64__)) || defined(FIBER_UCONTEXT)
#define SWITCH_UCONTEXT 1
#include <ucontext.h>
#endif

/* A stack: address space with one page below it that faults. */
struct stack {
    char *base;     /* lowest usable byte; the guard page lies just below */
    size_t size;
    unsigned valgrind_id;
};
/* False when the kernel gives no more mappings. */
MUST_CHECK bool stack_map(struct stack *s, size_t size);
void stack_unmap(struct stack *s);
/* True when `address` lies in the guard page. */
bool stack_guards(const struct stack *s, const void *address);

struct context {
#ifdef SWITCH_UCONTEXT
    ucontext_t uc;
#else
    void *sp;
#endif
    const void *asan_bottom; /* of the stack it runs on, as AddressSanitizer wants it */
    size_t asan_size;
    void *asan_fake;
    void *tsan_fiber;
};

/* The context of the thread's own stack. Call once for each thread that switches. */
void context_init_thread(struct context *c);
/* A context that will run entry() on `s`, with nothing on the stack yet. entry must never return. */
void context_init(struct context *c, const struct stack *s, void (*entry)(void));
void context_fini(struct context *c);
/* Leaves `from` and goes on in `to`. `last`: `from` will never be entered again. */
void context_switch(struct context *from, struct context *to, bool last);
/* First statement of entry(). `from` is the context that switched here. */
void context_entered(struct context *self, struct context *from);

#endif
