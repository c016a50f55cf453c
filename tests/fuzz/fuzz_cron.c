/* SPDX-License-Identifier: Apache-2.0 */
/* Schedules: what is taken has a value in each field and none outside, and its next times only grow. */
#include <stdint.h>
#include <stdlib.h>

#include "src/base/cron.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int most[CRON_FIELDS] = { 59, 59, 23, 31, 12, 7 };
    int64_t now = INT64_C(1795248000000000);
    struct cron c;
    struct err e;

    if (cron_parse((struct slice){ (const char *)data, size }, &c, &e) != 0)
        return 0;
    for (int i = 0; i < CRON_FIELDS; i++)
        if (c.set[i] == 0 || c.set[i] >> (most[i] + 1) != 0)
            abort();
    for (int i = 0; i < 3; i++) {
        int64_t then = cron_next(&c, now, (int)(size % 1440) - 720);

        if (then < 0)
            return 0;
        if (then <= now || then % 1000000 != 0)
            abort();
        now = then;
    }
    return 0;
}
