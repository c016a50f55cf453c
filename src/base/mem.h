/* SPDX-License-Identifier: Apache-2.0 */
/* mem.h - the one door to the heap, so that tests can make any allocation fail.
 * Any thread. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

#define MUST_CHECK __attribute__((warn_unused_result))

/* As malloc, calloc, realloc, strdup and free. NULL when memory is out (or a test says so). Sizes in bytes. */
MUST_CHECK void *mem_alloc(size_t size);
MUST_CHECK void *mem_zalloc(size_t size);
MUST_CHECK void *mem_array(size_t n, size_t size); /* zeroed; NULL also when n * size overflows */
MUST_CHECK void *mem_realloc(void *p, size_t size);
MUST_CHECK char *mem_strdup(const char *s);
void mem_free(void *p);

/* Overwrites `n` bytes with zeros in a way the compiler keeps; for secrets. */
void mem_wipe(void *p, size_t n);

/* Tests: asked before each allocation of this process; true makes it fail. NULL removes it. */
void mem_set_fault(bool (*fails)(void *data), void *data);

#endif
