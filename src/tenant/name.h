/* SPDX-License-Identifier: Apache-2.0 */
/* name.h - names of what lies in and around tenants: a letter, then letters, digits and underscores. Pure. */
#ifndef TENANT_NAME_H
#define TENANT_NAME_H

#include <stdbool.h>
#include <stddef.h>

enum {
    NAME_MIN = 2,
    DATABASE_NAME_MAX = 128,
    DBUSER_NAME_MAX = 128,
    DBROLE_NAME_MAX = 30,
    UNITSPEC_NAME_MAX = 32,
};

bool tenant_name_is_valid(const char *name, size_t max);

#endif
