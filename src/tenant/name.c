/* SPDX-License-Identifier: Apache-2.0 */
#include "src/tenant/name.h"

#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

bool tenant_name_is_valid(const char *name, size_t max)
{
    size_t n = strlen(name);

    return n >= NAME_MIN && n <= max && strspn(name, LETTERS) > 0 && strspn(name, LETTERS "0123456789_") == n;
}
