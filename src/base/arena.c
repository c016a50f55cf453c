/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer) && !defined(__SANITIZE_ADDRESS__)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define EVERY_ALLOCATION_ITS_OWN 1 /* lets AddressSanitizer see overruns inside an arena */
#else
#define EVERY_ALLOCATION_ITS_OWN 0
#endif

enum { BLOCK_SIZE = 4096 - 64 };

struct arena_block {
    struct arena_block *next;
    alignas(max_align_t) char bytes[];
};

void arena_init(struct arena *a)
{
    *a = (struct arena){ .blocks = NULL };
}

void arena_init_buffer(struct arena *a, void *buffer, size_t size)
{
    *a = (struct arena){ .next = buffer, .end = (char *)buffer + size };
}

void arena_fini(struct arena *a)
{
    struct arena_block *b = a->blocks;

    while (b != NULL) {
        struct arena_block *next = b->next;

        mem_free(b);
        b = next;
    }
    arena_init(a);
}

static void *add_block(struct arena *a, size_t size)
{
    size_t space = size > BLOCK_SIZE || EVERY_ALLOCATION_ITS_OWN ? size : BLOCK_SIZE;
    struct arena_block *b = space <= SIZE_MAX - sizeof *b ? mem_alloc(sizeof *b + space) : NULL;

    if (b == NULL)
        return NULL;
    b->next = a->blocks;
    a->blocks = b;
    a->used_bytes += space;
    if (space - size > (size_t)(a->end - a->next)) {
        a->next = b->bytes + size;
        a->end = b->bytes + space;
    }
    return b->bytes;
}

void *arena_alloc(struct arena *a, size_t size)
{
    size_t align = alignof(max_align_t);
    size_t rounded = (size + align - 1) & ~(align - 1);
    void *p = a->next;

    if (rounded < size)
        return NULL;
    if (EVERY_ALLOCATION_ITS_OWN)
        return add_block(a, size);
    if (p == NULL || rounded > (size_t)(a->end - a->next))
        return add_block(a, rounded);
    a->next += rounded;
    return p;
}

void *arena_zalloc(struct arena *a, size_t size)
{
    void *p = arena_alloc(a, size);

    return p != NULL ? memset(p, 0, size) : NULL;
}

void *arena_array(struct arena *a, size_t n, size_t size)
{
    size_t bytes;

    return __builtin_mul_overflow(n, size, &bytes) ? NULL : arena_zalloc(a, bytes);
}

char *arena_strdup(struct arena *a, const char *s)
{
    return arena_strndup(a, s, strlen(s));
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    char *copy = n < SIZE_MAX ? arena_alloc(a, n + 1) : NULL;

    if (copy == NULL)
        return NULL;
    if (n > 0)
        memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    char *s;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    s = n >= 0 ? arena_alloc(a, (size_t)n + 1) : NULL;
    if (s == NULL)
        return NULL;
    va_start(ap, fmt);
    (void)vsnprintf(s, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return s;
}
