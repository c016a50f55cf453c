/* SPDX-License-Identifier: Apache-2.0 */
#include "src/base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The only mutable global of the tree: it serves allocation-failure tests and is NULL in production. */
static struct {
    bool (*fails)(void *data);
    void *data;
} fault;

static bool is_failing(void)
{
    return __builtin_expect(fault.fails != NULL, 0) && fault.fails(fault.data);
}

void *mem_alloc(size_t size)
{
    return is_failing() ? NULL : malloc(size > 0 ? size : 1);
}

void *mem_zalloc(size_t size)
{
    return mem_array(1, size);
}

void *mem_array(size_t n, size_t size)
{
    return is_failing() ? NULL : calloc(n > 0 ? n : 1, size > 0 ? size : 1);
}

void *mem_realloc(void *p, size_t size)
{
    return is_failing() ? NULL : realloc(p, size > 0 ? size : 1);
}

char *mem_strdup(const char *s)
{
    size_t size = strlen(s) + 1;
    char *copy = mem_alloc(size);

    return copy != NULL ? memcpy(copy, s, size) : NULL;
}

void mem_free(void *p)
{
    free(p);
}

void mem_wipe(void *p, size_t n)
{
    if (n > 0)
        memset(p, 0, n);
    __asm__ __volatile__("" : : "r"(p) : "memory");
}

void mem_set_fault(bool (*fails)(void *data), void *data)
{
    fault.data = data;
    fault.fails = fails;
}
