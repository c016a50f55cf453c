/* SPDX-License-Identifier: Apache-2.0 */
#include "src/io/switch.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1
#endif
#if __has_feature(thread_sanitizer) && !defined(__SANITIZE_THREAD__)
#define __SANITIZE_THREAD__ 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sanitizer/lsan_interface.h>
#endif
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define VALGRIND_STACK_REGISTER(LOW, HIGH) 0
#define VALGRIND_STACK_DEREGISTER(ID) ((void)(ID))
#endif

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

bool stack_map(struct stack *s, size_t size)
{
    size_t page = page_size();
    char *p;

    size = (size + page - 1) & ~(page - 1);
    p = mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (p == MAP_FAILED)
        return false;
    if (mprotect(p, page, PROT_NONE) != 0) {
        (void)munmap(p, size + page);
        return false;
    }
    *s = (struct stack){ .base = p + page, .size = size };
    s->valgrind_id = VALGRIND_STACK_REGISTER(s->base, s->base + size);
#ifdef __SANITIZE_ADDRESS__
    __lsan_register_root_region(s->base, size);
#endif
    return true;
}

void stack_unmap(struct stack *s)
{
    size_t page = page_size();

#ifdef __SANITIZE_ADDRESS__
    __lsan_unregister_root_region(s->base, s->size);
    __asan_unpoison_memory_region(s->base, s->size);
#endif
    VALGRIND_STACK_DEREGISTER(s->valgrind_id);
    (void)munmap(s->base - page, s->size + page); /* fails only for addresses that were never mapped */
}

bool stack_guards(const struct stack *s, const void *address)
{
    const char *p = address;

    return p < s->base && p >= s->base - page_size();
}

#ifndef SWITCH_UCONTEXT
/* Saves the callee-saved registers on the old stack, loads them from the new one. The jump through a register instead of
 * `ret` keeps the processor's return predictor out of it (measured: a third of the time). */
void switch_stacks(void **save_sp, void *load_sp);
void switch_begin(void); /* the first instructions of a context */

#if defined(__x86_64__)
__asm__(".text\n"
        ".globl switch_stacks\n.type switch_stacks,@function\n.p2align 4\n"
        "switch_stacks:\n"
        "  pushq %rbp\n  pushq %rbx\n  pushq %r12\n  pushq %r13\n  pushq %r14\n  pushq %r15\n"
        "  movq %rsp, (%rdi)\n"
        "  movq %rsi, %rsp\n"
        "  popq %r15\n  popq %r14\n  popq %r13\n  popq %r12\n  popq %rbx\n  popq %rbp\n"
        "  popq %rcx\n"
        "  jmp *%rcx\n"
        ".size switch_stacks,.-switch_stacks\n"
        ".globl switch_begin\n.type switch_begin,@function\n.p2align 4\n"
        "switch_begin:\n"
        "  .cfi_startproc\n  .cfi_undefined rip\n"
        "  xorl %ebp, %ebp\n"
        "  call *%rbx\n"
        "  ud2\n"
        "  .cfi_endproc\n"
        ".size switch_begin,.-switch_begin\n");

/* words on a fresh stack: the six registers, the address to jump to, two that keep the stack aligned for the call */
enum { FRAME_WORDS = 9, ENTRY_WORD = 4, START_WORD = 6 };
#elif defined(__aarch64__)
__asm__(".text\n"
        ".globl switch_stacks\n.type switch_stacks,%function\n.p2align 4\n"
        "switch_stacks:\n"
        "  sub sp, sp, #160\n"
        "  stp x19, x20, [sp, #0]\n  stp x21, x22, [sp, #16]\n  stp x23, x24, [sp, #32]\n"
        "  stp x25, x26, [sp, #48]\n  stp x27, x28, [sp, #64]\n  stp x29, x30, [sp, #80]\n"
        "  stp d8, d9, [sp, #96]\n  stp d10, d11, [sp, #112]\n  stp d12, d13, [sp, #128]\n  stp d14, d15, [sp, #144]\n"
        "  mov x9, sp\n  str x9, [x0]\n  mov sp, x1\n"
        "  ldp x19, x20, [sp, #0]\n  ldp x21, x22, [sp, #16]\n  ldp x23, x24, [sp, #32]\n"
        "  ldp x25, x26, [sp, #48]\n  ldp x27, x28, [sp, #64]\n  ldp x29, x30, [sp, #80]\n"
        "  ldp d8, d9, [sp, #96]\n  ldp d10, d11, [sp, #112]\n  ldp d12, d13, [sp, #128]\n  ldp d14, d15, [sp, #144]\n"
        "  add sp, sp, #160\n"
        "  br x30\n"
        ".size switch_stacks,.-switch_stacks\n"
        ".globl switch_begin\n.type switch_begin,%function\n.p2align 4\n"
        "switch_begin:\n"
        "  mov x29, #0\n  blr x19\n  brk #1\n"
        ".size switch_begin,.-switch_begin\n");

enum { FRAME_WORDS = 20, ENTRY_WORD = 0, START_WORD = 11 };
#endif

static void prepare(struct context *c, const struct stack *s, void (*entry)(void))
{
    uintptr_t top = ((uintptr_t)s->base + s->size) & ~(uintptr_t)15;
    uintptr_t *sp = (uintptr_t *)top - FRAME_WORDS;

    memset(sp, 0, FRAME_WORDS * sizeof *sp);
    sp[ENTRY_WORD] = (uintptr_t)entry;
    sp[START_WORD] = (uintptr_t)switch_begin;
    c->sp = sp;
}

static void go(struct context *from, struct context *to)
{
    switch_stacks(&from->sp, to->sp);
}
#else
static void prepare(struct context *c, const struct stack *s, void (*entry)(void))
{
    (void)getcontext(&c->uc); /* cannot fail on Linux */
    c->uc.uc_stack.ss_sp = s->base;
    c->uc.uc_stack.ss_size = s->size;
    c->uc.uc_link = NULL;
    makecontext(&c->uc, entry, 0);
}

static void go(struct context *from, struct context *to)
{
    (void)swapcontext(&from->uc, &to->uc); /* fails only for stacks too small to hold a frame */
}
#endif

void context_init_thread(struct context *c)
{
    memset(c, 0, sizeof *c);
#ifdef __SANITIZE_THREAD__
    c->tsan_fiber = __tsan_get_current_fiber();
#endif
}

void context_init(struct context *c, const struct stack *s, void (*entry)(void))
{
    memset(c, 0, sizeof *c);
    c->asan_bottom = s->base;
    c->asan_size = s->size;
#ifdef __SANITIZE_THREAD__
    c->tsan_fiber = __tsan_create_fiber(0);
#endif
    prepare(c, s, entry);
}

void context_fini(struct context *c)
{
#ifdef __SANITIZE_THREAD__
    __tsan_destroy_fiber(c->tsan_fiber);
#endif
    c->tsan_fiber = NULL;
}

void context_switch(struct context *from, struct context *to, bool last)
{
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_start_switch_fiber(last ? NULL : &from->asan_fake, to->asan_bottom, to->asan_size);
#endif
#ifdef __SANITIZE_THREAD__
    __tsan_switch_to_fiber(to->tsan_fiber, 0);
#endif
    (void)last;
    go(from, to);
#ifdef __SANITIZE_ADDRESS__
    /* whoever comes back to `from` comes from `to`: a fiber learns here on which stack the thread runs that resumed it */
    __sanitizer_finish_switch_fiber(from->asan_fake, &to->asan_bottom, &to->asan_size);
#endif
}

void context_entered(struct context *self, struct context *from)
{
    (void)self;
    (void)from;
#ifdef __SANITIZE_ADDRESS__
    __sanitizer_finish_switch_fiber(NULL, &from->asan_bottom, &from->asan_size);
#endif
}
