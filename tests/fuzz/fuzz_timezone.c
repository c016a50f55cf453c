/* SPDX-License-Identifier: Apache-2.0 */
/* A package's file of time zones: what is told to the kernel writes the tables of time zones alone, one statement at a time. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "src/oceanbase/time_zone_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int judge(const char *statement, void *data, struct err *e)
{
    (void)data;
    (void)e;
    if (strncmp(statement, "DELETE FROM oceanbase.__all_tenant_time_zone", 44) != 0 && strncmp(statement, "REPLACE INTO oceanbase.__all_tenant_time_zone", 45) != 0)
        abort();
    if (strchr(statement, ';') != NULL)
        abort();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct time_zone_plan plan;
    struct err e;

    if (time_zone_file_read((struct slice){ (const char *)data, size }, judge, NULL, &plan, &e) != 0 || plan.n_version == 0)
        return 0;
    for (size_t i = 0; i < plan.n_version; i++)
        if (memchr(plan.version[i].s, ';', plan.version[i].n) != NULL)
            abort();
    return 0;
}
