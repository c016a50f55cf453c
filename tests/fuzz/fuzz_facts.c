/* SPDX-License-Identifier: Apache-2.0 */
/* What a host prints before an agent is there: any bytes. */
#include "src/host/facts.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void is_clean(const char *s)
{
    for (; *s != '\0'; s++)
        assert((unsigned char)*s >= 0x20 && *s != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct slice text = { (const char *)bytes, n };
    struct host_greeting g;
    enum facts_reach reach;
    struct host_facts f;
    struct arena arena;
    const char *reason;
    int64_t error_us;

    arena_init(&arena);
    if (facts_read(text, &arena, &f, NULL) == 0) {
        const char *const all[] = { f.system, f.machine, f.kernel, f.name, f.os, f.release, f.title, f.serial, f.agent_ocp, f.agent_host, f.exporter };

        for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
            is_clean(all[i]);
    }
    if (facts_read_greeting(text, &g, NULL) == 0)
        (void)facts_clock_difference(0, 1000, &g, &error_us);
    if (facts_read_reach(text, &arena, &reach, &reason, NULL) == 0)
        is_clean(reason);
    arena_fini(&arena);
    return 0;
}
