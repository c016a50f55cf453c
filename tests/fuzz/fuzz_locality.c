/* SPDX-License-Identifier: Apache-2.0 */
/* Localities: whatever a kernel says, zones have names, come once each, and are found again in what they are written back as. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/str.h"
#include "src/tenant/locality.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_names(const struct locality_zone *zones, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (zones[i].name[0] == '\0' || zones[i].type[0] == '\0')
            abort();
        for (size_t k = 0; k < i; k++)
            if (strcmp(zones[i].name, zones[k].name) == 0)
                abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct locality_zone *zones, *again;
    size_t n, n_again;
    struct arena arena;
    struct str text;
    struct err e;
    char *copy;

    arena_init(&arena);
    copy = arena_strndup(&arena, (const char *)data, size);
    if (copy == NULL || locality_read(copy, &arena, &zones, &n, &e) != 0)
        abort();
    check_names(zones, n);
    str_init(&text, &arena);
    for (size_t i = 0; i < n; i++)
        str_printf(&text, "%s%s{1}@%s", i > 0 ? ", " : "", zones[i].type, zones[i].name);
    if (locality_read(str_c(&text), &arena, &again, &n_again, &e) != 0 || n_again != n)
        abort();
    for (size_t i = 0; i < n; i++)
        if (strcmp(zones[i].name, again[i].name) != 0 || strcmp(zones[i].type, again[i].type) != 0)
            abort();
    arena_fini(&arena);
    return 0;
}
